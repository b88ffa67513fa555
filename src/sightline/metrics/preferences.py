"""Counts of pairwise preferences, and whether they follow the order in which two sides were shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import ArrayLike

from sightline.core.errors import ShapeError

FIRST, SECOND, TIE = "image_a", "image_b", "tie"
SIGNIFICANT, POSSIBLE = 0.01, 0.05


class Duels(TypedDict):
    """Wins of side A and of side B, ties, how many could be counted, and (wins - losses) / counted or None."""

    wins: int
    losses: int
    ties: int
    valid: int
    net: float | None


class Bias(TypedDict):
    """Pearson's chi-square of winner by order, its degrees of freedom, p (None: not defined), and a word for it."""

    chi2: float | None
    freedom: int
    p: float | None
    label: str


def winner(preference: str | None, swapped: bool) -> str | None:
    """Who won, A, B or tie, where the side shown first was B if `swapped`; None for a failed judgement.

    Example:
        >>> winner("image_a", False), winner("image_a", True), winner("tie", True), winner(None, False)
        ('A', 'B', 'tie', None)
    """
    if preference == TIE:
        return TIE
    if preference not in (FIRST, SECOND):
        return None
    return "A" if (preference == FIRST) != swapped else "B"


def duels(preferences: Sequence[str | None], swapped: Sequence[bool]) -> Duels:
    """Wins, losses and net advantage of side A; ties count as valid, failed judgements do not.

    net = (wins - losses) / valid, None if nothing is valid

    Args:
        preferences: image_a (shown first), image_b, tie, or anything else for a failed judgement.
        swapped: whether B was shown first.

    Raises:
        ShapeError: the lengths differ.

    Example:
        >>> said = ["image_a", "image_a", "image_b", "tie", "image_b", "image_b"]
        >>> duels(said, [False, True, True, False, False, True])
        {'wins': 3, 'losses': 2, 'ties': 1, 'valid': 6, 'net': 0.16666666666666666}
    """
    won = _winners(preferences, swapped)
    wins, losses, ties = won.count("A"), won.count("B"), won.count(TIE)
    valid = wins + losses + ties
    return {
        "wins": wins, "losses": losses, "ties": ties, "valid": valid,
        "net": (wins - losses) / valid if valid else None,
    }  # fmt: skip


def position_bias(preferences: Sequence[str | None], swapped: Sequence[bool]) -> Bias:
    """Whether the winner depends on the order in which the sides were shown.

    Pearson's chi-square on the table order (2) x winner (A, B, tie), no continuity correction.

    Returns:
        `label`: `significant` if p < 0.01, `possible` if p < 0.05, else `none`, also where p is not defined.

    Example:
        >>> said, order = ["image_a"] * 20, [False] * 10 + [True] * 10
        >>> found = position_bias(said, order)
        >>> found["chi2"], found["freedom"], found["label"]
        (20.0, 1, 'significant')
    """
    won = _winners(preferences, swapped)
    pairs = list(zip(won, swapped, strict=True))
    return chi_square([[sum(p == (side, order) for p in pairs) for side in ("A", "B", TIE)] for order in (False, True)])


def chi_square(table: ArrayLike) -> Bias:
    """Pearson's chi-square of a table of counts, rows and columns of zeros left out.

    Example:
        >>> found = chi_square([[30, 10, 0], [10, 30, 0]])
        >>> found["chi2"], found["freedom"], round(found["p"], 8)
        (20.0, 1, 7.74e-06)
        >>> chi_square([[3, 0, 0], [4, 0, 0]])
        {'chi2': None, 'freedom': 0, 'p': None, 'label': 'none'}
    """
    from scipy.special import chdtrc

    counts = np.asarray(table, dtype=np.float64)
    if counts.ndim != 2:
        raise ShapeError(f"chi_square: needs a table of rows and columns, got shape {counts.shape}")
    counts = counts[counts.sum(1) > 0][:, counts.sum(0) > 0]
    if min(counts.shape, default=0) < 2:
        return {"chi2": None, "freedom": 0, "p": None, "label": "none"}
    expected = counts.sum(1, keepdims=True) * counts.sum(0, keepdims=True) / counts.sum()
    chi2 = float(((counts - expected) ** 2 / expected).sum())
    freedom = (counts.shape[0] - 1) * (counts.shape[1] - 1)
    p = float(chdtrc(freedom, chi2))
    label = "significant" if p < SIGNIFICANT else "possible" if p < POSSIBLE else "none"
    return {"chi2": chi2, "freedom": freedom, "p": p, "label": label}


def _winners(preferences: Sequence[str | None], swapped: Sequence[bool]) -> list[str | None]:
    if len(preferences) != len(swapped):
        raise ShapeError(f"{len(preferences)} preferences for {len(swapped)} orders")
    return [winner(preference, bool(order)) for preference, order in zip(preferences, swapped, strict=True)]
