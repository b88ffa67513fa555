"""Rewards for what a policy says of one object in changed copies of one picture: no labels, no second model.

The rollout is the reply that grounds an object in the picture. What the same policy says of the changed copies stands
in columns: its box in a moved view, and whether it sees the object before and after the box is made unrecognisable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from sightline.core.batch import Batch
from sightline.core.boxes import Frame
from sightline.core.errors import ColumnError
from sightline.core.missing import Missing
from sightline.core.rollout import Turn, policy_text
from sightline.core.scores import ABSTAIN, Score, Scores, Values, abstain
from sightline.metrics.boxes import Floats, box_area
from sightline.metrics.view_agreement import EXTENT, clamped, in_order, projected_box, view_agreement
from sightline.parse.referring import XYXY, FourNumbers, Visibility
from sightline.rewards.asked_views import InMovedView, WithHidden, view_matrix
from sightline.rewards.gold import gold
from sightline.rewards.one_box import as_array, one_box_marks
from sightline.rewards.picture_sizes import picture_sizes
from sightline.rewards.policy_columns import PolicyWrites
from sightline.rewards.reward import INFINITE, Range, Reward

Agreement = Callable[[Floats, Floats], Floats]
Unreadable = Literal["low", "skip"]


@dataclass(frozen=True)
class ViewsAgree(Reward):
    """Whether the box in the picture and the box in a moved view are the same place.

    value = (GIoU(project(box), box in the view) + 1) / 2

    Args:
        find: text -> box in thousandths.
        agreement: projected boxes and boxes of the view (B, 4) -> (B,); see `released_agreement`.
        raw: the pixel matrix is applied to thousandths as they are, as in released code.
        unreadable: a reply without a box earns 0, or nothing is judged (`skip`), as in released code: a policy is then
            better off without a box than with a wrong one.

    Reads: `moved_completion` (the reply on the moved view; empty: none), `view_matrix` (3x3, pixels of the picture to
    pixels of the view), `image_size` (width, height). In training the first is filled by the policy, from `images`,
    `query` and `view_matrix`.
    Range: 0..1; with another agreement any number. Low: a reply has no box; one of both boxes has no area, `not found`
    among them. Marks: the box.

    Example:
        >>> columns = {"moved_completion": ["<box>700,200,900,400</box>"], "image_size": [(640, 480)],
        ...            "view_matrix": [[[-1, 0, 640], [0, 1, 0], [0, 0, 1]]]}
        >>> ViewsAgree()(Batch(["<box>100,200,300,400</box>"], columns)).values
        array([1.])

    References:
        VISE, arXiv 2606.27373, geometric invariance.
    """

    find: FourNumbers = FourNumbers()
    agreement: Agreement = view_agreement
    raw: bool = False
    unreadable: Unreadable = "low"
    reads: ClassVar = ("moved_completion", "view_matrix", "image_size")
    fills: ClassVar = (PolicyWrites("moved_completion", InMovedView(), greedy=False, max_tokens=64),)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(), view_rows()

    def bounds(self) -> Range:
        return (0.0, 1.0) if self.agreement is view_agreement else INFINITE

    def check(self, batch: Batch) -> None:
        super().check(batch)
        who = type(self).__name__
        replies(batch, "moved_completion", who)
        gold(batch, "view_matrix", who, view_matrix)
        picture_sizes(batch, "image_size", who)

    def score(self, batch: Batch) -> Scores:
        who = type(self).__name__
        here = batch.parse(self.find)
        there = [one if isinstance(one, Missing) else self.find(one) for one in replies(batch, "moved_completion", who)]
        matrices = np.array(gold(batch, "view_matrix", who, view_matrix)).reshape(-1, 3, 3)
        width, height = picture_sizes(batch, "image_size", who).T
        mine, found = as_array(here), as_array(there)
        readable = ~(np.isnan(mine[:, 0]) | np.isnan(found[:, 0]))
        projected = projected_box(np.where(readable[:, None], mine, 0.0), matrices, width, height, self.raw)
        values = self.agreement(projected, np.where(readable[:, None], found, 0.0))
        values = np.where(readable, values, 0.0 if self.unreadable == "low" else np.nan)
        return Scores(values, self._why(here, there, values), one_box_marks(here, mine, values, Frame.thousand()))

    def _why(self, here: Sequence[XYXY | Missing], there: Sequence[XYXY | Missing], values: Values) -> list[str]:
        skipped = "" if self.unreadable == "low" else ABSTAIN
        said = []
        for a, b, value in zip(here, there, values.tolist(), strict=True):
            if isinstance(a, Missing):
                said.append(f"{skipped}{a.why}")
            elif isinstance(b, Missing):
                said.append(f"{skipped}in the moved view: {b.why}")
            else:
                said.append(f"agreement of views {value:.3f}")
        return said


@dataclass(frozen=True)
class Vanishes(Reward):
    """Whether the object is seen in the picture, and no longer once the box is made unrecognisable.

    value = 1 if visible before and not visible after, else 0

    By itself this pays for large boxes, since blurring everything hides anything; two guards can be set.

    Args:
        find: text -> box in thousandths.
        visible: reply -> whether it says yes.
        max_area: a box that covers more than this share of the picture earns 0; 0.7 is a fair value. None: any size.
        control: the object must still be seen when a box of equal size elsewhere is made unrecognisable.
        unreadable: see `ViewsAgree`.

    Reads: `seen_before`, `seen_after`, and with `control` `seen_control` (texts; empty: no reply); in training the
    policy fills them, greedily, from `images` and `query`.
    Range: 0 or 1. Low: no box; a reply that is neither yes nor no. Marks: the box.

    Example:
        >>> columns = {"seen_before": ["<visible>yes</visible>"], "seen_after": ["<visible>no</visible>"]}
        >>> Vanishes()(Batch(["<box>100,200,300,400</box>"], columns)).values
        array([1.])

    References:
        VISE, arXiv 2606.27373, semantic invariance. The guards are ours.
    """

    find: FourNumbers = FourNumbers()
    visible: Visibility = Visibility()
    max_area: float | None = None
    control: bool = False
    unreadable: Unreadable = "low"

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(max_area=0.7, control=True), view_rows()

    @property
    def fills(self) -> tuple[PolicyWrites, ...]:
        before = PolicyWrites("seen_before", WithHidden(), max_tokens=16, once=True)
        after = PolicyWrites("seen_after", WithHidden("box"), max_tokens=16)
        control = PolicyWrites("seen_control", WithHidden("elsewhere"), max_tokens=16)
        return (before, after, control) if self.control else (before, after)

    def needs(self) -> tuple[str, ...]:
        return ("seen_before", "seen_after", *(("seen_control",) if self.control else ()))

    def check(self, batch: Batch) -> None:
        super().check(batch)
        for column in self.needs():
            replies(batch, column, type(self).__name__)

    def score(self, batch: Batch) -> Scores:
        found = batch.parse(self.find)
        said = [replies(batch, column, type(self).__name__) for column in self.needs()]
        seen = [[one if isinstance(one, Missing) else self.visible(one) for one in column] for column in said]
        scores = Scores.from_rows(
            [self._one(box, row) for box, row in zip(found, zip(*seen, strict=True), strict=True)]
        )
        return Scores(scores.values, scores.why, one_box_marks(found, as_array(found), scores.values, Frame.thousand()))

    def _one(self, box: XYXY | Missing, seen: Sequence[bool | Missing]) -> Score:
        if isinstance(box, Missing):
            return Score(0.0, box.why) if self.unreadable == "low" else abstain(box.why)
        for name, one in zip(("before", "after", "control"), seen, strict=False):
            if isinstance(one, Missing):
                return Score(0.0, f"{name}: {one.why}")
        share = float(box_area(in_order(clamped(box)))) / EXTENT**2
        if self.max_area is not None and share > self.max_area:
            return Score(0.0, f"the box covers {share:.0%} of the picture")
        if not seen[0] or seen[1]:
            return Score(0.0, "still seen when the box is hidden" if seen[0] else "not seen in the picture")
        if self.control and not seen[2]:
            return Score(0.0, "not seen either when another place is hidden")
        return Score(1.0, "seen, and not when the box is hidden")


def replies(batch: Batch, column: str, who: str) -> list[str | Missing]:
    """The replies of a column as text.

    Raises:
        ColumnError: a value is neither text, chat messages nor empty.
    """
    found: list[str | Missing] = []
    for row, value in enumerate(batch.column(column, who)):
        if value is None:
            found.append(Missing("no reply"))
        elif isinstance(value, str) or _is_chat(value):
            found.append(policy_text(value))
        else:
            raise ColumnError(f"{who}: column `{column}` of row {row} is {value!r:.60}; it needs the policy's reply")
    return found


def _is_chat(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(turn, Mapping | Turn) for turn in value)


def view_rows() -> list[dict[str, Any]]:
    """Rollouts of every kind that these rewards meet."""
    mirrored = {"view_matrix": [[-1, 0, 640], [0, 1, 0], [0, 0, 1]], "image_size": [640, 480]}
    box, yes, no = "<box>{}</box>", "<visible>yes</visible>", "<visible> No </visible>"
    kinds = (
        ("100,200,300,400", "700,200,900,400", yes, no, yes),
        ("300 400 100 200", "700 200 900 400", yes, no, no),
        ("0,0,1000,1000", "0,0,1000,1000", yes, no, no),
        ("0,0,0,0", "0,0,0,0", no, no, no),
        ("[1,2,3,4]", "700,200,900,400", yes, "<visible>gone</visible>", yes),
        ("100,200,300,400", "there", yes, yes, yes),
        ("-100,200,1e3,400", "700,200,9e9,400", "yes", no, yes),
    )
    columns = ("moved_completion", "seen_before", "seen_after", "seen_control")
    rows: list[dict[str, Any]] = [
        {"completion": box.format(here), **dict(zip(columns, (box.format(there), *seen), strict=True)), **mirrored}
        for here, there, *seen in kinds
    ]
    return [*rows, {**rows[0], "moved_completion": None, "seen_after": None}]
