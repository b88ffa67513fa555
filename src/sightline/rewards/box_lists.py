"""Whether a completion is the list of labelled boxes that was asked for, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sightline.core.batch import Batch
from sightline.core.missing import Missing
from sightline.core.scores import Scores, Values
from sightline.parse.boxes import FoundBoxes
from sightline.parse.whole_items import WholeItems, box_list, loads_with_fours
from sightline.rewards.gold import GoldReward
from sightline.rewards.labelled_gold import LabelledGold, original_sizes
from sightline.rewards.picture_sizes import picture_sizes
from sightline.rewards.reward import Reward


@dataclass(frozen=True)
class BoxList(Reward):
    """Dual format: the template is kept and the content is possible.

    value = 1 if the completion is a JSON list, fenced or bare, whose items all have a label and a box with ordered
    corners inside the picture that the model sees; where nothing is to be found, 1 if no usable box is said

    Args:
        form: text -> (N, 4) boxes.
        find: text -> usable boxes, for rows in which nothing is to be found.
        column: the gold list; empty: nothing is to be found.

    Reads: `column`, `width`, `height`; `model_size` (width, height of the model's picture) if there. Range: 0 or 1.

    Example:
        >>> said = ['[{"bbox_2d": [0, 0, 40, 40], "label": "cat"}]', '[{"bbox_2d": [0, 0, 40, 101], "label": "cat"}]']
        >>> columns = {"solution": [[["cat", [0, 0, 40, 40]]]] * 2, "width": [100] * 2, "height": [100] * 2}
        >>> BoxList()(Batch(said, columns)).values
        array([1., 0.])

    References:
        Zhan et al., Vision-R1, arXiv 2503.18013, dual format reward.
    """

    form: Callable[[str], Any] = box_list
    find: Callable[[str], FoundBoxes | Missing] = WholeItems()
    column: str = "solution"
    may_read: ClassVar = ("model_size",)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        from sightline.rewards.box_criteria import criteria_rows

        rows = [dict(row) for row in criteria_rows()]
        return cls(), [{name: value for name, value in row.items() if name in _READ} for row in rows]

    def needs(self) -> tuple[str, ...]:
        return (self.column, "width", "height")

    def check(self, batch: Batch) -> None:
        super().check(batch)
        batch.once(LabelledGold(self.column))
        self._seen(batch)

    def score(self, batch: Batch) -> Scores:
        right, said = batch.once(LabelledGold(self.column)), batch.parse(self.form)
        seen = self._seen(batch)
        why = [self._wrong(*row) for row in zip(said, seen, strict=True)]
        if not all(boxes for boxes, _ in right):
            spoken = [isinstance(one, FoundBoxes) and one.count > 0 for one in batch.parse(self.find)]
            for row, (boxes, _) in enumerate(right):
                if not boxes:
                    why[row] = "boxes where nothing is to be found" if spoken[row] else ""
        return Scores.of(np.array([float(not wrong) for wrong in why]), why)

    def _seen(self, batch: Batch) -> Values:
        own = batch.once(original_sizes)
        return picture_sizes(batch, "model_size", type(self).__name__, own) if batch.has("model_size") else own

    def _wrong(self, boxes: Any, size: Values) -> str:
        """What is wrong with the list, or nothing."""
        if isinstance(boxes, Missing):
            return boxes.why
        inside = (boxes >= 0).all() and (boxes[:, 2:] <= size).all()
        return "" if inside else "a box reaches beyond the picture"


@dataclass(frozen=True)
class LoadedList(GoldReward):
    """The format check of released code: the completion loads as JSON, and no box has other than four coordinates.

    value = 1 or 0 by that; where nothing is to be found, 1 minus it

    Args:
        form: text -> something, or `Missing` with what is wrong.
        column: the gold list; empty: nothing is to be found.

    Reads: `column`. Range: 0 or 1. Lists of other things than objects, empty lists and boxes outside the picture pass.

    Example:
        >>> LoadedList()(Batch(["[1, 2]", "a cat"], {"solution": [[["cat", [0, 0, 40, 40]]]] * 2})).values
        array([1., 0.])

    References:
        Zhan et al., Vision-R1, arXiv 2503.18013, released code.
    """

    form: Callable[[str], Any] = loads_with_fours
    column: str = "solution"

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(), BoxList.specimen()[1]

    def right(self, batch: Batch) -> list[tuple[list[list[float]], list[str]]]:
        return batch.once(LabelledGold(self.column))

    def score(self, batch: Batch) -> Scores:
        right, said = self.right(batch), batch.parse(self.form)
        loads = np.array([not isinstance(one, Missing) for one in said], dtype=bool)
        some = np.array([bool(boxes) for boxes, _ in right], dtype=bool)
        why = [one.why if isinstance(one, Missing) else "" for one in said]
        return Scores.of((loads == some).astype(np.float64), why)


_READ = ("completion", "solution", "width", "height", "model_size")
