"""What a parser returns when the policy did not write what was asked for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Missing:
    """Nothing was found, and why: falsy, so `if not found` reads as it should.

    Example:
        >>> bool(Missing("no <answer> block")), Missing("no <answer> block").why
        (False, 'no <answer> block')
    """

    why: str

    def __bool__(self) -> bool:
        return False
