"""What counted differences between two captions are worth: modes from relative to one-sided, in [0, 1].

A is the caption that is rewarded, B the reference; D is how many differences are listed. Errors may count by severity:
1, 1.25 or 1.6 each.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

WEIGHTS = {1: 1.0, 2: 1.25, 3: 1.6}
TOP = WEIGHTS[3]
_GRAVE = ("hallucination", "mismatch", "incorrect", "wrong", "nonexistent", "fabricated", "overreach")
_MIDDLE = ("omission", "missing", "truncation", "incomplete", "partial", "error")
_SLIGHT = ("style", "aesthetic", "misinterpretation", "subjective")
_OMITTED = ("omission", "missing", "truncation", "incomplete", "partial")


class Tally(NamedTuple):
    """Differences counted.

    Args:
        errors_a, errors_b: number of errors, or the sum of their weights.
        wins_a, wins_b: differences that a caption wins.
        differences: D.
        winner: A, B or Tie.
        hallucinated, omitted: weights of A's errors of either kind, always by severity.
        unit: most that one error can add: 1 for counts, 1.6 for weights.
        bad: differences, or charges, that the other form of list holds against A.
    """

    errors_a: float = 0.0
    errors_b: float = 0.0
    wins_a: int = 0
    wins_b: int = 0
    differences: int = 0
    winner: str = "Tie"
    hallucinated: float = 0.0
    omitted: float = 0.0
    unit: float = 1.0
    bad: int = 0


Mode = Callable[[Tally], float]


def severity(kind: str) -> int:
    """How grave a type of error is, by the words in its name: 3, 2 or 1; 2 if none is known.

    Example:
        >>> [severity(kind) for kind in ("count_mismatch", "text_omission", "style_issue", "other")]
        [3, 2, 1, 2]
    """
    name = kind.lower()
    for level, words in ((3, _GRAVE), (2, _MIDDLE), (1, _SLIGHT)):
        if any(word in name for word in words):
            return level
    return 2


def is_omission(kind: str) -> bool:
    """Whether a type of error is about what is not said: it names that, and nothing grave.

    Example:
        >>> is_omission("text_omission"), is_omission("omission_mismatch"), is_omission("style")
        (True, False, False)
    """
    name = kind.lower()
    return any(word in name for word in _OMITTED) and not any(word in name for word in _GRAVE)


def relative_to_listed(tally: Tally) -> float:
    """0.5 - 0.5 clip((n_A - n_B) / (c D), -1, 1): errors against the reference's, per listed difference; 0.5 if none.

    Example:
        >>> relative_to_listed(Tally(3, 2, differences=4))
        0.375
    """
    if not tally.differences:
        return 0.5
    return 0.5 - 0.5 * _clip((tally.errors_a - tally.errors_b) / (tally.unit * tally.differences), -1, 1)


def relative(tally: Tally) -> float:
    """0.5 - 0.5 clip(n_A - n_B, -10, 10) / 10.

    Example:
        >>> relative(Tally(3, 2, differences=4))
        0.45
    """
    return 0.5 - 0.05 * _clip(tally.errors_a - tally.errors_b, -10, 10)


def by_wins(tally: Tally) -> float:
    """0.5 + 0.5 j, j = (wins_A - wins_B) / D, 0.1 up for the overall winner A and down for B, within [-1, 1].

    Example:
        >>> by_wins(Tally(wins_a=1, wins_b=2, differences=4, winner="B"))
        0.325
    """
    if not tally.differences:
        return 0.5
    lead = (tally.wins_a - tally.wins_b) / tally.differences
    return 0.5 + 0.5 * _clip(lead + {"A": 0.1, "B": -0.1}.get(tally.winner, 0.0), -1, 1)


@dataclass(frozen=True, slots=True)
class OwnErrors:
    """1 - clip(n_A, 0, M) / M, M = 10 c: A's errors alone.

    Args:
        by_unit: c is 1.6 where errors have weights, as in released code: then a mild error costs less than by counting.
            Otherwise c = 1.

    Example:
        >>> OwnErrors()(Tally(3, differences=4))
        0.7
    """

    by_unit: bool = False

    def __call__(self, tally: Tally) -> float:
        most = 10 * (tally.unit if self.by_unit else 1.0)
        return 1 - _clip(tally.errors_a, 0, most) / most


@dataclass(frozen=True, slots=True)
class OwnErrorsSmooth:
    """[0.05 + 0.95 (1 - d)^2] exp(-n/4) (0.7 + 0.3 min(1, ln(1 + D) / ln 11)), n = n_A / c, d = clip(n / D, 0, 1).

    D is at least 1 everywhere, but 1 is what two captions without any difference are worth. The last factor pays more
    where many differences were looked at.

    Args:
        by_unit: as in `OwnErrors`.

    Example:
        >>> [round(OwnErrorsSmooth()(Tally(n, differences=D)), 6) for n, D in ((1, 4), (2, 4), (4, 4), (3, 10))]
        [0.410218, 0.157176, 0.01658, 0.243505]
    """

    by_unit: bool = False

    def __call__(self, tally: Tally) -> float:
        if not tally.differences:
            return 1.0
        errors = tally.errors_a / (tally.unit if self.by_unit else 1.0)
        share = _clip(errors / tally.differences, 0, 1)
        looked = 0.7 + 0.3 * min(1.0, math.log1p(tally.differences) / math.log(11))
        return (0.05 + 0.95 * (1 - share) ** 2) * math.exp(-errors / 4) * looked


def unblamed(tally: Tally) -> float:
    """1 - clip(bad / D, 0, 1): what is false or missing, per listed difference; 1 if none is listed.

    Example:
        >>> round(unblamed(Tally(differences=3, bad=2)), 6)
        0.333333
    """
    return 1 - _clip(tally.bad / tally.differences, 0, 1) if tally.differences else 1.0


@dataclass(frozen=True, slots=True)
class TwoTerms:
    """1 - clip((lambda_h H + lambda_m M) / (1.6 D), 0, 1): what is made up and what is left out, each with its weight.

    H and M are the summed severity weights of A's hallucinations and omissions; 1 if no difference is listed.

    Example:
        >>> TwoTerms()(Tally(differences=4, hallucinated=1.6, omitted=1.6)), TwoTerms(0, 0)(Tally(differences=1))
        (0.5, 1.0)
    """

    hallucination: float = 1.0
    omission: float = 1.0

    def __call__(self, tally: Tally) -> float:
        if not tally.differences:
            return 1.0
        charged = self.hallucination * tally.hallucinated + self.omission * tally.omitted
        return 1 - _clip(charged / (TOP * tally.differences), 0, 1)


@dataclass(frozen=True, slots=True)
class OnScale:
    """low + (high - low) clip(scale x, 0, 1): a mode on another scale.

    Example:
        >>> round(OnScale(relative, scale=2, low=-1)(Tally(8, 0, differences=8)), 6)
        -0.6
    """

    mode: Mode
    scale: float = 1.0
    low: float = 0.0
    high: float = 1.0

    def __call__(self, tally: Tally) -> float:
        return self.low + (self.high - self.low) * _clip(self.scale * self.mode(tally), 0, 1)


def listing_f1(predicted: int, known: int, valid: int, covered: int) -> float:
    """F1 of a list of differences: precision = valid / predicted, recall = covered / known, both at most 1.

    Nothing predicted is precision 1 if nothing is known, else 0; nothing known is recall 1.

    Example:
        >>> round(listing_f1(3, 2, 2, 1), 6), listing_f1(0, 0, 0, 0), listing_f1(0, 2, 0, 0)
        (0.571429, 1.0, 0.0)
    """
    precision = min(1.0, valid / predicted) if predicted else float(known == 0)
    recall = min(1.0, covered / known) if known else 1.0
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def weigh(kinds: Sequence[tuple[str, str]], by_judge: bool = True) -> list[float]:
    """The severity weights of errors.

    Args:
        kinds: (type, severity as the judge wrote it) of each error.
        by_judge: believe a severity of exactly 1, 2 or 3; else, and where it is none, the type's name decides.

    Example:
        >>> weigh([("style", "3"), ("style", "NA")]), weigh([("style", "3")], by_judge=False)
        ([1.6, 1.0], [1.0])
    """
    levels = [int(told) if by_judge and told in ("1", "2", "3") else severity(kind) for kind, told in kinds]
    return [WEIGHTS[level] for level in levels]


def _clip(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)
