"""Rewards for a count in a box."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sightline.core.batch import Batch
from sightline.core.missing import Missing
from sightline.core.scores import Scores, Values
from sightline.metrics.calibration import count_closeness
from sightline.parse.maths import Boxed
from sightline.parse.numbers import Number
from sightline.rewards.gold import GoldReward, gold
from sightline.rewards.reward import Reward

_FRACTION = re.compile(r"\s*([-+]?\d{1,40})\s*/\s*(\d{1,40})\s*", re.ASCII)


@dataclass(frozen=True)
class BoxedCount(GoldReward):
    """How near the count in the last `\\boxed{...}` is to the right one.

    value = closeness(said, right)

    Args:
        closeness: (said, right) -> 0..1, arrays; the default is nearly flat around the truth,
            `metrics.calibration.linear_count_closeness` tells one miss from the next.
        column: the right count.

    Reads: `column`. Range: 0..1. Low: 0 without a box, or if it holds neither a number nor a fraction such as 3/2.

    Raises:
        ColumnError: a gold value is no finite number.

    Example:
        >>> BoxedCount()(Batch(["\\\\boxed{4}", "\\\\boxed{five}"], {"solution": [5, 5]})).values.round(6)
        array([0.988344, 0.      ])

    References:
        Asking like Socrates, arXiv 2511.22396, counting reward.
    """

    closeness: Callable[[ArrayLike, ArrayLike], Values] = count_closeness
    column: str = "solution"

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        said = ("5", "4", "1,000", "3/2", "3/0", "five", "-1e999", "")
        rows = [{"completion": f"<think>t</think>\\boxed{{{text}}}", "solution": k} for text in said for k in (5, "0")]
        return cls(), [*rows, {"completion": "5", "solution": 5.0}]

    def right(self, batch: Batch) -> list[float]:
        return gold(batch, self.column, type(self).__name__, gold_count)

    def score(self, batch: Batch) -> Scores:
        right = np.array(self.right(batch), dtype=np.float64)
        found = batch.parse(boxed_count)
        said = np.array([np.nan if isinstance(one, Missing) else one for one in found], dtype=np.float64)
        values = np.where(np.isnan(said), 0.0, self.closeness(np.nan_to_num(said), right))
        pairs = zip(found, right.tolist(), strict=True)
        return Scores.of(values, [x.why if isinstance(x, Missing) else f"{x:g} for {k:g}" for x, k in pairs])


@dataclass(frozen=True)
class ThinkThenBoxed(Reward):
    """Whether a reply closes its think block, and then boxes an answer.

    Range: 0 or 1.

    Example:
        >>> ThinkThenBoxed()(Batch(["<think>t</think> \\\\boxed{5}", "\\\\boxed{5}"])).values
        array([1., 0.])
    """

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(), [{"completion": text} for text in ("<think>t</think>\\boxed{5}", "\\boxed{5} </think>", "")]

    def score(self, batch: Batch) -> Scores:
        return Scores.of(np.array([float(one) for one in batch.parse(thinks_then_boxes)]))


def thinks_then_boxes(text: str) -> bool:
    """A think block, and a box that is closed behind it.

    Example:
        >>> thinks_then_boxes("<think>t</think>\\\\boxed{5}"), thinks_then_boxes("<think>t</think>\\\\boxed{5")
        (True, False)
    """
    start = text.find("<think>")
    end = text.find("</think>", start + 7) if start >= 0 else -1
    return end >= 0 and any(isinstance(found(text[end:]), str) for found in (Boxed("first"), Boxed("last")))


def boxed_count(text: str) -> float | Missing:
    """The number in the last box, commas taken out, or a fraction of whole numbers.

    Example:
        >>> boxed_count("\\\\boxed{1,234}"), boxed_count("\\\\boxed{3/2}"), boxed_count("\\\\boxed{3/0}").why
        (1234.0, 1.5, 'not a number')
    """
    inner = Boxed()(text)
    if isinstance(inner, Missing):
        return inner
    found = _FRACTION.fullmatch(inner.replace(",", ""))
    if found and int(found[2]):
        return float(Fraction(int(found[1]), int(found[2])))
    return Number()(inner)


def gold_count(value: Any) -> float | Missing:
    """A right count: a number, or a text that is one."""
    if isinstance(value, int | float | np.number) and not isinstance(value, bool):
        return float(value) if np.isfinite(value) else Missing("it needs a finite number")
    found = Number()(value) if isinstance(value, str) else Missing("")
    return Missing("it needs a finite number") if isinstance(found, Missing) else found
