"""Whether the places that the reasoning points at are the ones that the question hinges on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError, ShapeError
from sightline.core.marks import LazyMarks, Mark
from sightline.core.missing import Missing
from sightline.core.scores import Scores, Values
from sightline.media.patches import PatchGrid
from sightline.metrics.boxes import Floats, Mask
from sightline.metrics.matching import hungarian, match_boxes
from sightline.metrics.patches import patch_f1
from sightline.metrics.ragged import Indices, Ragged
from sightline.parse.boxes import is_box
from sightline.parse.cues import Cues, FoundCues
from sightline.rewards.gold import GoldReward, gold
from sightline.rewards.picture_sizes import is_size
from sightline.rewards.reward import Reward


@dataclass(frozen=True)
class VisualCues(GoldReward):
    """Share of the reference cues that the reasoning points at.

    value = k / n_ref, k = pairs with likeness >= at in the assignment of least total cost 1 - likeness
    value = 0 if more cues are written than there are references; 1 if there are none of either

    Unreadable and repeated cues count as written. Likeness of patch boxes is the F1 of their sets of patches. The
    assignment does not maximise k, and one cue too many cancels all.

    Args:
        find: text -> cues.
        likeness: (..., P, k) places and (..., G, 4) reference boxes -> (..., P, G) in 0..1.
        column: reference boxes, each a list of four numbers, or {"box": [..], "label": ..}.
        at: likeness that a find needs.
        soft: a pair is worth its likeness instead of 0 or 1.
        finds_first: assign so that as many pairs as possible reach the bar.
        patch: references are clamped to the grid of patches of this size; None: they are no patch boxes.

    Reads: `column`; with `patch` also `model_size` (width, height of the picture in whole patches) if there.
    Range: 0..1. Low: 0 for no cue where there are references. Marks: every cue.

    Raises:
        ColumnError: a reference is no box, not in whole patches, or a size is not.

    Example:
        >>> said = ["<cue>[1, 1, 3, 3]</cue> and <cue>[5, 5, 6, 6]</cue>", "<cue>[1, 2, 2, 3]</cue>"]
        >>> VisualCues()(Batch(said, {"cues": [[[1, 1, 2, 2], [5, 5, 6, 6]]] * 2})).values
        array([1. , 0.5])

    References:
        PatchCue, arXiv 2603.05869, equation 7.
    """

    find: Callable[[str], FoundCues] = Cues()
    likeness: Callable[[Floats, Floats], Floats] = patch_f1
    column: str = "cues"
    at: float = 0.5
    soft: bool = False
    finds_first: bool = False
    patch: int | None = 28
    may_read: ClassVar = ("model_size",)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        cue = "<cue>[1, 1, 2, 2]</cue>"
        said = (cue, f"{cue}{cue}", f"{cue} <cue>(5,5),(6,6)</cue>", "<cue>here</cue>", "", "<cue>[9, 9, 1, 1]</cue>")
        right = [[1, 1, 2, 2], {"box": [5, 5, 6, 9], "label": "dog"}]
        rows: list[dict[str, Any]] = [
            {"completion": text, "cues": cues, "model_size": [196, 196]} for text in said for cues in (right, [])
        ]
        return cls(), rows

    def uses(self) -> tuple[str, ...]:
        return self.may_read if self.patch is not None else ()

    def score(self, batch: Batch) -> Scores:
        right, found = self.right(batch), batch.parse(self.find)
        written, wanted = np.array([one.count for one in found]), right.counts
        pred = self._places(found, written <= wanted)  # none of them where there is a cue too many
        matcher = partial(_cheapest, at=self.at if self.finds_first else None)
        matches = match_boxes(pred, right, matcher, similarity=self.likeness)
        fits = matches.similarity if self.soft else (matches.similarity >= self.at).astype(np.float64)
        fits = np.where(matches.hit, fits, 0.0)
        values = pred.sum(fits) / np.maximum(wanted, 1)
        values = np.where(wanted + written == 0, 1.0, values)
        rows = zip(written.tolist(), wanted.tolist(), strict=True)
        why = [f"{n} cues for {m} references" + (": too many" if n > m else "") for n, m in rows]
        return Scores(values, why, CueMarks(found, pred, np.where(matches.hit, matches.similarity, 0.0)))

    def _places(self, found: Sequence[FoundCues], counted: Mask) -> Ragged:
        """The places of rollouts that have no cue too many, NaN where one cannot be read."""
        rows = [one.places if use else [] for one, use in zip(found, counted.tolist(), strict=True)]
        width = next((len(place) for row in rows for place in row if place is not None), 4)
        lost = (float("nan"),) * width
        flat = [lost if place is None else place for row in rows for place in row]
        return Ragged.from_counts(np.array(flat, dtype=np.float64).reshape(-1, width), [len(row) for row in rows])

    def right(self, batch: Batch) -> Ragged:
        read = reference_boxes if self.patch is None else reference_patches
        rows = gold(batch, self.column, type(self).__name__, read)
        if self.patch is not None and batch.has("model_size"):
            sizes = batch.column("model_size")
            rows = [self._clamped(boxes, sizes[row], row) for row, boxes in enumerate(rows)]
        flat = np.concatenate([np.zeros((0, 4)), *rows])
        return Ragged.from_counts(flat, [len(boxes) for boxes in rows])

    def _clamped(self, boxes: Floats, size: Any, row: int) -> Floats:
        if size is None:
            return boxes
        who = f"{type(self).__name__}: column `model_size` of row {row}"
        if not is_size(size):
            raise ColumnError(f"{who} is {size!r}; it needs (width, height) in pixels")
        try:
            grid = PatchGrid.of_size(float(size[0]), float(size[1]), self.patch or 1)
        except ShapeError as error:
            raise ColumnError(f"{who}: {error}") from error
        return grid.clamp(boxes)


@dataclass(frozen=True, eq=False)
class CueMarks(LazyMarks):
    """A mark for each cue with its likeness to its reference.

    Args:
        found: cues of B rollouts.
        pred: (N, k) those that were compared; a rollout with cues too many has none.
        likeness: (N,) of each of them.
    """

    found: Sequence[FoundCues]
    pred: Ragged
    likeness: Values

    def __len__(self) -> int:
        return len(self.found)

    def _row(self, index: int) -> tuple[Mark, ...]:
        start, end = self.pred.offsets[index : index + 2].tolist()
        fits = self.likeness[start:end].tolist() or [0.0] * len(self.found[index].spans)
        rows = zip(self.found[index].spans, fits, strict=True)
        return tuple(Mark("char", (span.start, span.end), fit, f"F1 {fit:.2f}") for span, fit in rows)


def reference_boxes(value: Any) -> Floats | Missing:
    """(n, 4) reference boxes of one row.

    Example:
        >>> reference_boxes([[1, 1, 2, 2], {"box": [5, 5, 6, 6], "label": "dog"}])
        array([[1., 1., 2., 2.],
               [5., 5., 6., 6.]])
    """
    items = value.tolist() if isinstance(value, np.ndarray) else value
    if isinstance(items, str) or not isinstance(items, Sequence):
        return Missing("it needs a list of boxes")
    boxes: list[Any] = [item.get("box") if isinstance(item, Mapping) else item for item in items]
    boxes = [box.tolist() if isinstance(box, np.ndarray) else box for box in boxes]
    boxes = [list(box) if isinstance(box, tuple) else box for box in boxes]
    for number, box in enumerate(boxes):
        if not is_box(box):
            return Missing(f"item {number} needs a box of four numbers")
    return np.array(boxes, dtype=np.float64).reshape(-1, 4)


def reference_patches(value: Any) -> Floats | Missing:
    """(n, 4) reference boxes of one row in whole patches; those that begin before the grid are cut there.

    Example:
        >>> reference_patches([[-1, 1, 2, 2]]), reference_patches([[0.5, 1, 2, 2]]).why
        (array([[0., 1., 2., 2.]]), 'item 0 needs rows and columns of patches, whole numbers')
    """
    boxes = reference_boxes(value)
    if isinstance(boxes, Missing):
        return boxes
    whole = (boxes == np.floor(boxes)).all(axis=1)
    if not whole.all():
        return Missing(f"item {int(whole.argmin())} needs rows and columns of patches, whole numbers")
    return np.maximum(boxes, 0.0)


def _cheapest(likeness: Floats, score: Floats, at: float | None) -> Indices:
    """The assignment of least total cost; pairs below the bar `at`, if given, only where nothing else is left."""
    cost = 1.0 - likeness
    if at is not None:
        cost = cost + np.where(likeness >= at, 0.0, max(likeness.shape[1:]) + 1.0)
    return hungarian(cost)
