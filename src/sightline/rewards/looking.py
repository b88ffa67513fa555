"""Whether the policy looks where its own rollouts disagree: regions weighed by the variance of what the group finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from sightline.core.batch import Batch
from sightline.core.boxes import Frame
from sightline.core.errors import ColumnError
from sightline.core.marks import BoxMarks
from sightline.core.missing import Missing
from sightline.core.scores import Scores, Values, abstain
from sightline.metrics.boxes import Floats, proper_boxes
from sightline.metrics.ragged import Ragged
from sightline.metrics.unions import Union, covered_share
from sightline.parse.boxes import FoundBoxes, box_table
from sightline.parse.regions import Regions
from sightline.parse.tags import Block, Inside
from sightline.rewards.crowds import FAR, Crowd, crowd_rows, scales
from sightline.rewards.picture_sizes import picture_sizes
from sightline.rewards.reward import Reward
from sightline.rewards.target_boxes import best_overlaps

ALONE = "a group of one has no disagreement"
NONE_BELOW = 1e-8


@dataclass(frozen=True)
class Disagreement:
    """How much the rollouts of a group differ in finding each gold box.

    u_k = population variance over the group of m_ik,  m_ik = best IoU of a valid answer box of rollout i with gold k

    Boxes may be reused; a rollout without a readable answer has m = 0. Range 0..0.25: 0 where all find it or all miss.

    Args:
        crowd: how answers and gold boxes are read.
    """

    crowd: Crowd = Crowd()

    def __call__(self, batch: Batch) -> Floats:
        """(M,) u of every gold box of every rollout, in flat order."""
        found = batch.once(self.crowd)
        best, _ = best_overlaps(found.said, found.gold)
        rows, widest = found.gold.row_of, int(found.gold.counts.max(initial=0))
        place = np.arange(len(best)) - found.gold.offsets[rows]
        key = batch.group[rows] * widest + place
        order = np.lexsort((best, key))  # equal sums whatever the order of the rollouts
        key_sorted, sorted_ = key[order], best[order]
        number = np.maximum(np.bincount(key_sorted), 1)
        mean = np.bincount(key_sorted, weights=sorted_) / number
        spread = np.bincount(key_sorted, weights=(sorted_ - mean[key_sorted]) ** 2) / number
        return np.asarray(spread[key], dtype=np.float64)

    def check(self, batch: Batch) -> None:
        """Raise if rollouts of one group have different gold boxes."""
        gold = batch.once(self.crowd.gold)
        first: dict[int, int] = {}
        for row, number in enumerate(batch.group.tolist()):
            other = first.setdefault(number, row)
            mine, its = (gold.flat[gold.offsets[r] : gold.offsets[r + 1]] for r in (row, other))
            if not np.array_equal(mine, its):
                raise ColumnError(
                    f"column `{self.crowd.boxes}` of row {row} differs from that of row {other} of the same group"
                )


@dataclass(frozen=True)
class LookRegions:
    """The regions that each rollout looks at, in pixels of the gold picture, cut at its edges.

    Args:
        find: text -> regions, or `Missing`, which is not an empty list.
    """

    find: Callable[[str], FoundBoxes | Missing] = Inside(Block("look"), Regions())

    def __call__(self, batch: Batch) -> Looks:
        table = box_table(batch.parse(self.find))
        all_items = Ragged(table.xyxy, table.offsets.astype(np.intp))
        rows = all_items.row_of
        sizes = np.tile(picture_sizes(batch, "image_size", "a reward for looking"), 2)[rows]
        placed = np.clip(table.xyxy, -FAR, FAR) * np.tile(scales(batch), 2)[rows]
        cut = np.where(proper_boxes(placed)[:, None], np.clip(placed, 0.0, sizes), 0.0)
        return Looks(Ragged(cut, all_items.offsets), proper_boxes(cut), table.xyxy, table.scores, table.counts >= 0)


@dataclass(frozen=True, eq=False)
class Looks:
    """Regions of B rollouts.

    Args:
        regions: (N, 4); zeros where a region has no area in the picture.
        valid: (N,) whether it has.
        written: (N, 4) as they were written.
        unsure: (N,) stated uncertainty, NaN where there is none.
        readable: (B,) whether there is a list at all.
    """

    regions: Ragged
    valid: NDArray[np.bool_]
    written: Floats
    unsure: Floats
    readable: NDArray[np.bool_]

    def of(self, row: int) -> Floats:
        """(n, 4) regions of one rollout that have an area."""
        span = slice(*self.regions.offsets[row : row + 2])
        return self.regions.flat[span][self.valid[span]]


@dataclass(frozen=True)
class _WhereUnsure(Reward):
    """Regions looked at, held against the disagreement of the whole group."""

    disagreement: Disagreement = Disagreement()
    looks: LookRegions = LookRegions()
    scope = "group"
    may_read: ClassVar = ("model_size",)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(), crowd_rows()

    def needs(self) -> tuple[str, ...]:
        return (*self.disagreement.crowd.needs, "image_size")

    def check(self, batch: Batch) -> None:
        super().check(batch)
        self.disagreement.crowd.check(batch)
        self.disagreement.check(batch)
        picture_sizes(batch, "image_size", type(self).__name__)


@dataclass(frozen=True)
class LooksWhereUnsure(_WhereUnsure):
    """Whether the regions looked at cover the gold boxes that the group's rollouts disagree about.

    q = sum_k u_k cov_k / sum_k u_k,  cov_k = share of gold box k that the regions cover together
    f = area of all regions together / area of the picture
    value = q * min(1, 0.5 / f);  without disagreement 1 for no region, else 1 - f

    Args:
        disagreement: u_k.
        looks: how regions are read.
        weigh: `variance`, or `equal` for u_k = 1.
        fair: share of the picture that may be looked at freely; the whole picture would else be the best region.

    Reads: the gold boxes, the query, `image_size`; `model_size` if there. Scores whole groups.
    Range: 0..1. Low: 0 for no readable list, or no region where there is disagreement. Not applicable: a group of one.
    Marks: every region with the share of its own worth.

    Raises:
        ColumnError: rollouts of one group have different gold boxes.

    Example:
        >>> texts = ['<look>[{"bbox_2d": [50, 50, 90, 90]}]</look><answer>[{"bbox_2d": [50, 50, 90, 90]}]</answer>',
        ...          "<look>[]</look><answer>[]</answer>"]
        >>> columns = {"boxes": [[[50, 50, 90, 90]]] * 2, "query": ["person"] * 2, "image_size": [[100, 100]] * 2}
        >>> LooksWhereUnsure()(Batch(texts, columns, group=[0, 0])).values
        array([1., 0.])

    References:
        DIP-R1, arXiv 2505.23179, variance-guided looking reward; the formula is ours.
    """

    weigh: Literal["variance", "equal"] = "variance"
    fair: float = 0.5

    def score(self, batch: Batch) -> Scores:
        found, looks = batch.once(self.disagreement.crowd), batch.once(self.looks)
        unsure = batch.once(self.disagreement)
        weight = unsure if self.weigh == "variance" else np.ones(len(unsure))
        picture = picture_sizes(batch, "image_size", type(self).__name__).prod(axis=1)
        lone = np.bincount(batch.group)[batch.group] < 2
        values, why = np.zeros(len(batch)), [""] * len(batch)
        for row in range(len(batch)):
            if lone[row]:
                values[row], why[row], _ = abstain(ALONE)
            elif not looks.readable[row]:
                why[row] = _unread(batch.parse(self.looks.find)[row])
            else:
                span = slice(*found.gold.offsets[row : row + 2])
                values[row], why[row] = self._one(
                    looks.of(row), found.gold.flat[span], weight[span], float(picture[row])
                )
        return Scores(values, why, self._marks(looks, values, lone))

    def _one(self, regions: Floats, gold: Floats, weight: Floats, picture: float) -> tuple[float, str]:
        total = float(weight.sum())
        union = Union.of(regions)
        f = min(1.0, union.area / picture)
        if total < NONE_BELOW:
            return (1.0 - f, f"no disagreement, {f:.0%} looked at") if len(regions) else (1.0, "")
        if not len(regions):
            return 0.0, "no region, though rollouts disagree"
        q = float((weight * union.share(gold)).sum()) / total
        guard = self.fair / f if f > self.fair else 1.0  # f can vanish
        return min(1.0, q * guard), f"covers {q:.3f} of the disagreement with {f:.0%} of the picture"

    def _marks(self, looks: Looks, values: Values, lone: NDArray[np.bool_]) -> BoxMarks:
        share = np.where(lone, 0.0, values)[looks.regions.row_of]
        return BoxMarks(
            looks.regions.offsets, looks.written, share, Frame.pixels(), "looked at, rollout earned", "idle"
        )


@dataclass(frozen=True)
class LookCalibration(_WhereUnsure):
    """How well stated uncertainties agree with the group's disagreement.

    value = mean of 1 - |stated - min(1, 4 u_k)| over pairs of a region that states one and a gold box of which that
    region alone covers at least one half; no pair: 0

    Args:
        disagreement: u_k.
        looks: how regions are read.

    Reads: the gold boxes, the query, `image_size`; `model_size` if there. Scores whole groups.
    Range: 0..1. Not applicable: a group of one.

    Example:
        >>> look = '<look>[{"bbox_2d": [50, 50, 90, 90], "uncertainty": 0.75}]</look>'
        >>> texts = [look + '<answer>[{"bbox_2d": [50, 50, 90, 90]}]</answer>', look + "<answer>[]</answer>"]
        >>> columns = {"boxes": [[[50, 50, 90, 90]]] * 2, "query": ["person"] * 2, "image_size": [[100, 100]] * 2}
        >>> LookCalibration()(Batch(texts, columns, group=[0, 0])).values
        array([0.75, 0.75])

    References:
        DIP-R1, arXiv 2505.23179, v2: "explicitly indicate interpretable uncertain regions"; the formula is ours.
    """

    def score(self, batch: Batch) -> Scores:
        gold, looks = batch.once(self.disagreement.crowd).gold, batch.once(self.looks)
        target = np.minimum(1.0, 4.0 * batch.once(self.disagreement))
        lone = np.bincount(batch.group)[batch.group] < 2
        values, why = np.zeros(len(batch)), [""] * len(batch)
        for row in range(len(batch)):
            if lone[row]:
                values[row], why[row], _ = abstain(ALONE)
                continue
            span, items = slice(*gold.offsets[row : row + 2]), slice(*looks.regions.offsets[row : row + 2])
            errors = [
                abs(stated - target[span][covered_share(gold.flat[span], region[None]) >= 0.5])
                for region, stated in zip(looks.regions.flat[items], looks.unsure[items], strict=True)
                if not np.isnan(stated)
            ]
            flat = np.concatenate([np.zeros(0), *errors])
            values[row] = 1.0 - float(flat.mean()) if len(flat) else 0.0
            why[row] = f"{len(flat)} pairs of region and object"
        return Scores.of(values, why)


def _unread(found: Any) -> str:
    return found.why if isinstance(found, Missing) else ""
