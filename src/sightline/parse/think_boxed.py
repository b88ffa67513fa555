"""A reply that thinks and then boxes its answer, as a form."""

from __future__ import annotations

from dataclasses import dataclass

from sightline.core.missing import Missing


@dataclass(frozen=True, slots=True)
class ThinkBoxed:
    r"""Whether a text begins with a think block that is closed, and has `\boxed{...}` behind it.

    Accepts what a full match of `<think>.*</think>.*\\boxed\{.*\}.*` accepts, the dot matching newlines, white space
    around the text ignored.

    Example:
        >>> ThinkBoxed()("<think>a</think> so \\boxed{4}."), ThinkBoxed()("\\boxed{4}").why
        (True, 'does not begin with <think>')
    """

    def __call__(self, text: str) -> bool | Missing:
        text = text.strip()
        if not text.startswith("<think>"):
            return Missing("does not begin with <think>")
        at = 0
        for piece in ("</think>", "\\boxed{", "}"):
            found = text.find(piece, at)
            if found < 0:
                return Missing(f"no {piece} where it belongs")
            at = found + len(piece)
        return True
