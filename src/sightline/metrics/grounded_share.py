"""How much of a reasoning rests on what was seen."""

from __future__ import annotations

from collections.abc import Sequence


def grounded_share(steps: Sequence[bool]) -> float:
    """Share of steps whose claims follow from what was seen; 0 without steps.

    Example:
        >>> grounded_share([True, True, False, True]), grounded_share([])
        (0.75, 0.0)

    References:
        CogFlow, arXiv 2601.01874, drift precision.
    """
    return sum(map(bool, steps)) / len(steps) if len(steps) else 0.0
