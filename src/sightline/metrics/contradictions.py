"""How often an independent reader of the reasoning comes to another choice, and what that says about being right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import ArrayLike

from sightline.core.errors import ShapeError


class Contradictions(TypedDict):
    """Rate over rollouts with a choice and a reader's answer, how many those are, and accuracy in both subsets."""

    rate: float | None
    counted: int
    accuracy_agreeing: float | None
    accuracy_contradicting: float | None


def contradictions(
    choices: Sequence[int | None], shares: ArrayLike, right: Sequence[int] | None = None
) -> Contradictions:
    """Share of rollouts whose choice is not the reader's likeliest option; an exact tie agrees.

    Args:
        choices: (N,) option numbers 0, 1, ...; None without a choice.
        shares: (N, K) the reader's probabilities; a row with NaN: the reader gave none.
        right: (N,) right options, or None: no accuracies.

    Raises:
        ShapeError: the lengths differ, or a choice is none of the K options.

    Example:
        >>> shares = [[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.6, 0.4], [0.55, 0.45]]
        >>> contradictions([0, 1, 1, 0, 1], shares, [0, 1, 0, 0, 1])
        {'rate': 0.4, 'counted': 5, 'accuracy_agreeing': 1.0, 'accuracy_contradicting': 0.5}
    """
    shares_NK = np.asarray(shares, dtype=np.float64)
    if len(shares_NK) != len(choices):
        raise ShapeError(f"contradictions: {len(shares_NK)} rows of shares for {len(choices)} choices")
    if right is not None and len(right) != len(choices):
        raise ShapeError(f"contradictions: {len(right)} right options for {len(choices)} choices")
    agree: list[bool] = []
    hits: list[bool] = []
    for number, (choice, share_K) in enumerate(zip(choices, shares_NK, strict=True)):
        if choice is None or np.isnan(share_K).any():
            continue
        if not 0 <= choice < len(share_K):
            raise ShapeError(f"contradictions: choice {choice} of rollout {number} is none of {len(share_K)} options")
        agree.append(bool(share_K[choice] >= share_K.max()))
        hits.append(right is not None and right[number] == choice)
    same, hit = np.array(agree, dtype=bool), np.array(hits, dtype=bool)

    def accuracy(rows: np.ndarray) -> float | None:
        return float(hit[rows].mean()) if right is not None and rows.any() else None

    return {
        "rate": float(1 - same.mean()) if len(same) else None,
        "counted": len(same),
        "accuracy_agreeing": accuracy(same),
        "accuracy_contradicting": accuracy(~same),
    }
