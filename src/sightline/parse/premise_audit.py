"""An auditor's report on a checklist of premises: contradictions with severities, and the reliability it states."""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

from sightline.core.missing import Missing
from sightline.parse.first_object import first_object

_NUMBER = re.compile(r"[-+]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][-+]?\d{1,3})?")
HIGH, LOW = 0.5, 0.2


class Audit(NamedTuple):
    """What a report says.

    Args:
        stated: the auditor's own number, 0 where it is none in [0, 1]; a boolean is none.
        literal: the same, but true is 1.
        counted: max(0, 1 - 0.5 high - 0.2 low), or None if the contradictions are not all told with a severity.
        high, low: contradictions of either severity.
    """

    stated: float
    literal: float
    counted: float | None
    high: int
    low: int


def audit(text: str) -> Audit | Missing:
    """A report, or Missing if it holds no object.

    Example:
        >>> audit('{"errors_and_hallucinations": [{"severity": "High"}, {"severity": "low"}], "p_score": 0.9}')
        Audit(stated=0.9, literal=0.9, counted=0.3, high=1, low=1)
        >>> audit("fine").why
        'no object'
    """
    found = first_object(text)
    if isinstance(found, Missing):
        return found
    said = found.get("p_score")
    severities = _severities(found.get("errors_and_hallucinations"))
    high, low = severities.count("high"), severities.count("low")
    known = isinstance(found.get("errors_and_hallucinations"), list) and len(severities) == high + low
    stated = reliability_score(said)
    return Audit(stated, 1.0 if said is True else stated, reliability(high, low) if known else None, high, low)


def reliability(high: int, low: int) -> float:
    """max(0, 1 - 0.5 high - 0.2 low): omissions never count.

    Example:
        >>> reliability(1, 1), reliability(0, 0), reliability(1, 3)
        (0.3, 1.0, 0.0)
    """
    return max(0.0, round(1.0 - HIGH * high - LOW * low, 9))


def counted(report: Audit) -> float:
    """The formula over the listed contradictions; the auditor's own number where they cannot be counted."""
    return report.stated if report.counted is None else report.counted


def stated(report: Audit) -> float:
    """The auditor's own number, true being 1."""
    return report.literal


def reliability_score(value: Any) -> float:
    """A stated reliability: a number as it is, of a text the first number; 0 if it is none in [0, 1].

    Example:
        >>> [reliability_score(value) for value in (0.4, "about 0.7", None, float("nan"), 1.5, "high", True)]
        [0.4, 0.7, 0.0, 0.0, 0.0, 0.0, 0.0]
    """
    if isinstance(value, str):
        match = _NUMBER.search(value)
        value = float(match[0]) if match else None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or math.isnan(value):
        return 0.0
    return float(value) if 0 <= value <= 1 else 0.0


def _severities(listed: Any) -> list[str]:
    items = listed if isinstance(listed, list) else []
    return [str(item.get("severity")).strip().lower() if isinstance(item, dict) else "" for item in items]
