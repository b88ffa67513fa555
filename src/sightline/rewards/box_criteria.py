"""Criteria of a set of labelled boxes after matching: how many objects are found, and how well each is placed.

Both rewards share one matching per batch. It pairs as many boxes as there are on the smaller side, place first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sightline.core.batch import Batch
from sightline.core.boxes import Frame
from sightline.core.marks import BoxMarks
from sightline.core.missing import Missing
from sightline.core.scores import Scores, Values
from sightline.metrics.boxes import Floats, box_giou, paired_giou
from sightline.metrics.matching import hungarian, match_boxes
from sightline.metrics.ragged import Indices, Ragged
from sightline.metrics.sharpening import Sharpened
from sightline.parse.boxes import FoundBoxes
from sightline.parse.whole_items import WholeItems
from sightline.rewards.labelled_gold import BACKGROUND, CodedGold, codes_of_rows, original_sizes
from sightline.rewards.picture_sizes import picture_sizes
from sightline.rewards.reward import Reward

Quality: TypeAlias = "Callable[[Floats, Floats], Floats]"
"""Boxes (M, 4) and (M, 4), pair by pair -> (M,) at most 1."""

FAR = 1e15  # pixels; beyond it a distance says no more


@dataclass(frozen=True)
class BoxPairing:
    """How labelled boxes are read and paired with the gold boxes.

    cost(i, j) = L1(b_i, b_j) - 1[label_i = label_j] - GIoU(b_i, b_j); the pairing of least total cost, min(P, G) pairs

    Distances are gold pixels, so place decides and a label settles what is nearly equal. Predictions are first scaled
    from the model's picture to the gold one. Labels are compared trimmed and in lower case; with a row's
    `target_id_maps` by their ids, where a name that is not in it is background, which equals no gold label.

    Args:
        find: text -> usable boxes.
        quality: how well a pair fits.
        labels_count: a pair with different labels has quality 0, and no pair is worth less than 0.
        column: list of [category, [x1, y1, x2, y2]] in original pixels, or JSON of it; empty: nothing is to be found.

    Raises:
        ColumnError: a gold box has no area or is none, a gold category is not in the row's map, `num_instances` is not
            their number, or a size is not positive.
    """

    find: Callable[[str], FoundBoxes | Missing] = WholeItems()
    quality: Quality = paired_giou
    labels_count: bool = True
    column: str = "solution"
    uses: ClassVar[tuple[str, ...]] = ("width", "height", "model_size", "target_id_maps", "num_instances")

    def __call__(self, batch: Batch) -> Paired:
        """The pairing of a batch; `batch.once` keeps it for all rewards that ask."""
        gold, books = batch.once(self.gold)
        found = [FoundBoxes(0, [], [], [], []) if isinstance(one, Missing) else one for one in batch.parse(self.find)]
        numbers = [*chain.from_iterable(chain.from_iterable(one.xyxy for one in found))]
        boxes = np.array(numbers, dtype=np.float64).reshape(-1, 4)
        said = np.column_stack([boxes, codes_of_rows([one.labels for one in found], books)])
        pred = Ragged.from_counts(said, [len(one.xyxy) for one in found])
        written = said[:, :4].copy()
        said[:, :4] = np.clip(written, -FAR, FAR) * np.tile(self.scale(batch), 2)[pred.row_of]
        matched = match_boxes(pred, gold, _least_cost, similarity=_nearness).gold
        partner = np.where(matched >= 0, gold.offsets[pred.row_of] + matched, -1)
        fits = self._fits(said, gold.flat, partner)
        counts = np.array([one.count for one in found], dtype=np.int64)
        return Paired(pred, written, gold.counts, counts, partner >= 0, fits)

    def _fits(self, said: Floats, right: Floats, partner: Indices) -> Floats:
        """(N,) quality of each prediction's pair, 0 for none."""
        paired = np.flatnonzero(partner >= 0)
        mine, its = said[paired], right[partner[paired]]
        quality = self.quality(mine[:, :4], its[:, :4])
        if self.labels_count:
            quality = np.where(mine[:, 4] == its[:, 4], np.maximum(quality, 0.0), 0.0)
        fits = np.zeros(len(said))
        fits[paired] = quality
        return fits

    def scale(self, batch: Batch) -> Values:
        """(B, 2) factors from the model's picture to the gold one; 1 where a row has no `model_size`."""
        if not batch.has("model_size"):
            return np.ones((len(batch), 2))
        own = batch.once(original_sizes)
        return own / picture_sizes(batch, "model_size", "BoxPairing", own)

    @property
    def gold(self) -> CodedGold:
        return CodedGold(self.column)

    def check(self, batch: Batch) -> None:
        """Raise if the batch's gold columns cannot be used."""
        batch.once(self.gold)
        self.scale(batch)


@dataclass(frozen=True, eq=False)
class Paired:
    """What became of the N predictions of B rollouts.

    Args:
        pred: (N, 5) boxes in gold pixels with the code of their label.
        written: (N, 4) boxes as they were written.
        gold: (B,) gold boxes.
        said: (B,) usable predictions; those beyond the parser's limit count here only.
        paired: (N,) whether a prediction has a gold box.
        quality: (N,) how well it fits, 0 without one.
    """

    pred: Ragged
    written: Floats
    gold: Indices
    said: NDArray[np.int64]
    paired: NDArray[np.bool_]
    quality: Floats

    @property
    def silent(self) -> Values:
        """(B,) what no prediction is worth: 1 where nothing is to be found."""
        return np.where(self.gold == 0, 1.0, 0.0)

    def marks(self, values: Values) -> BoxMarks:
        return BoxMarks(self.pred.offsets, self.written, values, Frame.pixels(), "fits", "fits no gold box")

    def why(self, what: str, amount: Values) -> list[str]:
        rows = zip(amount.tolist(), self.gold.tolist(), self.said.tolist(), strict=True)
        return [f"{what} {a:.4g} with {p} boxes for {g} gold boxes" for a, g, p in rows]


@dataclass(frozen=True)
class _OfPairing(Reward):
    """A criterion of the one pairing of a batch."""

    pairing: BoxPairing = BoxPairing()

    def needs(self) -> tuple[str, ...]:
        return (self.pairing.column,)

    def uses(self) -> tuple[str, ...]:
        return self.pairing.uses

    def check(self, batch: Batch) -> None:
        super().check(batch)
        self.pairing.check(batch)


@dataclass(frozen=True)
class BoxRecall(_OfPairing):
    """How many gold boxes are found, drawn apart by `shape`.

    value = shape(pairs with quality >= at / gold boxes)

    Args:
        pairing: how boxes are read and paired.
        at: quality that a find needs.
        shape: value in 0..1 -> value in 0..1.
        tie: a pair exactly at the bar counts as one find, or (`value`, released code) as its own quality.

    Reads: the gold column; if there, `target_id_maps`, `num_instances`, and `model_size` with `width` and `height`.
    Range: 0..1. Without a prediction 0, or 1 where nothing is to be found; a prediction there earns 0.

    Example:
        >>> said = '[{"bbox_2d": [0, 0, 40, 40], "label": "cat"}]'
        >>> right = [["cat", [0, 0, 40, 40]], ["cat", [50, 50, 90, 90]]]
        >>> BoxRecall()(Batch([said], {"solution": [right]})).values
        array([0.5])

    References:
        Zhan et al., Vision-R1, arXiv 2503.18013, recall reward.
    """

    at: float = 0.5
    shape: Sharpened = Sharpened()
    tie: Literal["find", "value"] = "find"

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(shape=Sharpened(0.5, 0.75)), criteria_rows()

    def score(self, batch: Batch) -> Scores:
        found = batch.once(self.pairing)
        hits = (found.paired & (found.quality >= self.at)).astype(np.float64)
        if self.tie == "value":
            hits = np.where(found.quality == self.at, found.quality, 1.0) * hits
        total = found.pred.sum(hits)
        values = np.where(found.said > 0, self.shape(total / np.maximum(found.gold, 1)), found.silent)
        return Scores(values, found.why("found", total), found.marks(hits))


@dataclass(frozen=True)
class BoxPrecision(_OfPairing):
    """How well the predicted boxes are placed, each drawn apart by `shape`.

    value = sum over pairs of shape(quality) / predicted boxes

    Args:
        pairing: how boxes are read and paired.
        shape: quality of a pair -> value in 0..1.
        over: divide by all usable predictions, or (released code) by the pairs only, which makes boxes too many free.

    Reads: the gold column; if there, `target_id_maps`, `num_instances`, and `model_size` with `width` and `height`.
    Range: 0..1. Without a prediction 0, or 1 where nothing is to be found; a prediction there earns 0.

    Example:
        >>> said = '[{"bbox_2d": [0, 0, 40, 40], "label": "cat"}, {"bbox_2d": [1, 1, 2, 2], "label": "cat"}]'
        >>> BoxPrecision()(Batch([said], {"solution": [[["cat", [0, 0, 40, 40]]]]})).values
        array([0.5])

    References:
        Zhan et al., Vision-R1, arXiv 2503.18013, precision reward.
    """

    shape: Sharpened = Sharpened()
    over: Literal["predicted", "paired"] = "predicted"

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(shape=Sharpened(0.5, 0.75)), criteria_rows()

    def score(self, batch: Batch) -> Scores:
        found = batch.once(self.pairing)
        fits = np.where(found.paired, self.shape(found.quality), 0.0)
        pairs = found.pred.sum(found.paired.astype(np.float64))
        total = found.said if self.over == "predicted" else pairs
        values = np.where(found.said > 0, found.pred.sum(fits) / np.maximum(total, 1), found.silent)
        return Scores(values, found.why("fit", found.pred.sum(fits)), found.marks(fits))


def criteria_rows() -> list[dict[str, Any]]:
    """Rollouts of every kind that these rewards meet."""
    cat, dog = '{"bbox_2d": [0, 0, 40, 20], "label": "cat"}', '{"bbox_2d": [50, 50, 90, 90], "label": "Dog "}'
    right = [["cat", [0, 0, 40, 40]], ["dog", [50, 50, 90, 90]]]
    said = (f"```json\n[{cat}, {dog}]\n```", f"[{dog}, {dog}]", f"[{cat}, {cat[:20]}", "[]", "a cat", "[7]")
    rows: list[dict[str, Any]] = [
        {"completion": text, "solution": gold, "width": 100, "height": 100} for text in said for gold in (right, [])
    ]
    names = {"cat": 1, "dog": 2, "puppy": 2}
    puppy = '[{"bbox_2d": [100, 100, 180, 180], "label": "puppy"}]'
    mapped = {"model_size": [200, 200], "target_id_maps": names, "num_instances": 2}
    return [*rows, {**rows[0], "completion": puppy, **mapped}]


def _nearness(a: Floats, b: Floats) -> Floats:
    """Minus the cost of every pair of padded (R, P, 5) and (R, G, 5)."""
    mine, its = np.clip(a[..., :4], -FAR, FAR), np.clip(b[..., :4], -FAR, FAR)
    distance = np.abs(mine[:, :, None] - its[:, None]).sum(axis=-1)
    same = (a[:, :, None, 4] == b[:, None, :, 4]) & (a[:, :, None, 4] != BACKGROUND)
    return np.asarray(same + box_giou(mine, its) - distance)


def _least_cost(nearness: Floats, score: Floats) -> Indices:
    return hungarian(-nearness)
