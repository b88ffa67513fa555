"""Where a reply begins in a text that may hold the turns before it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AfterRole:
    r"""The text behind the last role line, or all of it if there is none.

    A reply that itself contains such a line is cut there too.

    Args:
        role: the role's name; a newline follows it.

    Example:
        >>> AfterRole()("user\nWhere?\nassistant\n<answer>left</answer>"), AfterRole()("left")
        ('<answer>left</answer>', 'left')
    """

    role: str = "assistant"

    def __call__(self, text: str) -> str:
        return text.rpartition(f"{self.role}\n")[2]
