"""A reward of your own: does the point that the policy names lie in the gold box, and how near to its middle?

sightline score points.jsonl --reward own_reward:reward -o points.parquet
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

from sightline import Mark, Missing, Reward, Rollout, RowReward, Score, abstain
from sightline.rewards.format import Format

_POINT = re.compile(r"\(\s*(\d{1,5})\s*,\s*(\d{1,5})\s*\)")


# --8<-- [start:parser]
@dataclass(frozen=True)
class Point:
    """A point and where in the text it was said."""

    x: float
    y: float
    start: int
    stop: int


def only_point(text: str) -> Point | Missing:
    """The one point `(x, y)` of a text. Two points are a guess, not an answer."""
    found = list(_POINT.finditer(text))
    if len(found) != 1:
        return Missing(f"{len(found)} points instead of one")
    x, y = map(float, found[0].groups())
    return Point(x, y, *found[0].span())


# --8<-- [end:parser]
# --8<-- [start:reward]
@dataclass(frozen=True)
class PointsAt(RowReward):
    """How near the middle of the gold box the named point lies.

    value = 1 - max(|x - cx| / (w / 2), |y - cy| / (h / 2)) inside the box, 0 outside

    Args:
        column: the gold box, xyxy in pixels.

    Reads: `column`. Range: 0..1. Low: no point, two points, a point outside. Not applicable: no gold box.

    Example:
        >>> from sightline import Batch
        >>> said = ["at (30, 20)", "at (35, 20)", "at (90, 20)", "(30, 20) or (90, 20)"]
        >>> PointsAt()(Batch(said, {"box": [[20, 10, 40, 30]] * 4})).values
        array([1. , 0.5, 0. , 0. ])
    """

    column: str = "box"
    range: ClassVar = (0.0, 1.0)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        said = ("at (30, 20)", "at (35, 20)", "at (90, 20)", "(30, 20) or (90, 20)", "nowhere")
        rows: list[dict[str, Any]] = [{"completion": text, "box": [20, 10, 40, 30]} for text in said]
        return cls(), [*rows, {"completion": "at (30, 20)", "box": None}]

    def needs(self) -> tuple[str, ...]:
        return (self.column,)

    def row(self, rollout: Rollout) -> Score:
        box = rollout[self.column]
        if box is None:
            return abstain("the row has no gold box")
        point = only_point(rollout.text)
        if isinstance(point, Missing):
            return Score(0.0, point.why)
        x1, y1, x2, y2 = box
        off = max(abs(2 * point.x - x1 - x2) / (x2 - x1), abs(2 * point.y - y1 - y2) / (y2 - y1))
        value = max(0.0, 1.0 - off)
        why = f"{off:.2f} of the way from the middle to the edge" if value else "outside the box"
        return Score(value, why, (Mark("char", (point.start, point.stop), value),))


# --8<-- [end:reward]
# --8<-- [start:composed]
aim = PointsAt().named("aim")
form = Format().named("format")
reward = aim + (0.5 * form).when(aim)  # form earns only where the point is right
# --8<-- [end:composed]
