"""How good the chosen of k candidates is, and whether verdicts on steps agree with labels."""

from __future__ import annotations

from collections.abc import Sequence
from math import isclose
from typing import Literal, NamedTuple

from sightline.core.errors import ShapeError

MISSING = -1.0
Ties = Literal["first", "any"]


def pass_at(right: Sequence[bool | None], k: int) -> bool:
    """Whether any of the first k answers is right; None is a missing candidate.

    Example:
        >>> pass_at([False, True], 1), pass_at([False, True], 2)
        (False, True)
    """
    return any(map(bool, right[:k]))


def chosen(scores: Sequence[float | None], k: int | None = None) -> int | None:
    """Index of the best score among the first k, the first of those that tie; None if there is none.

    A missing score (None or NaN) is -1.

    Example:
        >>> chosen([0.5, 0.75, 0.75, None]), chosen([0.1, 0.9], k=1), chosen([])
        (1, 0, None)
    """
    tied = _tied(scores[:k])
    return tied[0] if tied else None


def best_of(scores: Sequence[float | None], right: Sequence[bool | None], k: int, ties: Ties = "first") -> bool:
    """Whether the best-scored of the first k candidates is right.

    Args:
        scores: None for a missing candidate, which scores -1 and is never right.
        right: whether each answer is right.
        ties: scores equal within 1e-9 of each other tie: the `first` of them counts, or `any` of them may be right.

    Raises:
        ShapeError: there are not as many scores as answers.

    Example:
        >>> scores, right = [0.5, 0.75, 0.75, 0.2], [False, False, True, False]
        >>> [best_of(scores, right, k, "any") for k in (1, 2, 3)], best_of(scores, right, 3)
        ([False, False, True], False)
    """
    if len(scores) != len(right):
        raise ShapeError(f"best_of: {len(scores)} scores for {len(right)} answers")
    hits = [bool(right[i]) and _known(scores[i]) for i in _tied(scores[:k])]
    return any(hits) if ties == "any" else any(hits[:1])


class SignAgreement(NamedTuple):
    """How verdicts on steps agree with labels: F1 of the right steps, of the wrong ones, their mean; steps counted."""

    right: float
    wrong: float
    macro: float
    steps: int


def sign_agreement(labels: Sequence[Sequence[int]], verdicts: Sequence[Sequence[float | None]]) -> SignAgreement:
    """Macro-F1 over all steps of all solutions, pooled.

    Steps labelled 0 are left out; a missing verdict is -1; a verdict above 0 counts as right. F1 is 0 for a kind that
    neither side has.

    Raises:
        ShapeError: not as many solutions on both sides.

    Example:
        >>> sign_agreement([[1, -1, 0, 1]], [[1, 1, 1]])
        SignAgreement(right=0.5, wrong=0.0, macro=0.25, steps=3)
    """
    if len(labels) != len(verdicts):
        raise ShapeError(f"sign_agreement: {len(labels)} solutions with labels, {len(verdicts)} with verdicts")
    pairs = [
        (label, _sign(own[i] if i < len(own) else None))
        for known, own in zip(labels, verdicts, strict=True)
        for i, label in enumerate(known)
        if label != 0
    ]
    right, wrong = _f1(pairs, 1), _f1(pairs, -1)
    return SignAgreement(right, wrong, (right + wrong) / 2, len(pairs))


def _f1(pairs: Sequence[tuple[int, int]], kind: int) -> float:
    hits = sum(label == said == kind for label, said in pairs)
    both = sum((label == kind) + (said == kind) for label, said in pairs)
    return 2 * hits / both if both else 0.0


def _sign(verdict: float | None) -> int:
    return 1 if verdict is not None and verdict > 0 else -1


def _known(score: float | None) -> bool:
    return score is not None and score == score


def _tied(scores: Sequence[float | None]) -> list[int]:
    values = [MISSING if score is None or score != score else float(score) for score in scores]
    best = max(values, default=MISSING)
    return [i for i, value in enumerate(values) if isclose(value, best, rel_tol=1e-9)]
