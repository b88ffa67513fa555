"""The part of the reasoning that describes what is seen: what stands behind its first sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sightline.core.missing import Missing
from sightline.parse.tags import THINK, Block, Span


@dataclass(frozen=True, slots=True)
class Description:
    """The first think block without its first sentence, which usually says that somebody is about to think.

    Everything up to and including the first period is dropped; without a period nothing is. Without a think block it
    is the whole text.

    Args:
        cut: `after_first_period`, or `full_think`: nothing is dropped.
        fallback: a period between two digits ends no sentence, and nothing behind the first period is no description:
            the whole block is taken then. Released code takes what is left.
        block: where the reasoning stands.

    Example:
        >>> Description()("<think>Let me think. A man enters.</think>").text
        'A man enters.'
        >>> said = "<think>At 3.5 seconds it jumps.</think>"
        >>> Description()(said).text, Description(fallback=False)(said).text
        ('At 3.5 seconds it jumps.', '5 seconds it jumps.')
    """

    cut: Literal["after_first_period", "full_think"] = "after_first_period"
    fallback: bool = True
    block: Block = THINK

    def __call__(self, text: str) -> Span:
        think = self.block.span(text)
        if isinstance(think, Missing):
            return Span(text, 0, len(text))
        period = think.text.find(".")
        if self.cut == "full_think" or period < 0:
            return think
        rest = think.text[period + 1 :]
        left = len(rest) - len(rest.lstrip())
        if self.fallback and (not rest.strip() or _between_digits(think.text, period)):
            return think
        start = think.start + period + 1 + left
        return Span(rest[left:], start, think.end)


def _between_digits(text: str, at: int) -> bool:
    return text[at - 1 : at].isdigit() and text[at + 1 : at + 2].isdigit()
