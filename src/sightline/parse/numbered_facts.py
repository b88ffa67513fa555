"""Numbered facts, `<info1>..</info1> <info2>..</info2>`, and the verdicts on them in the same form."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from sightline.core.missing import Missing
from sightline.parse.tags import Block

MOST = 256
_OPENING = re.compile(r"<info(\d{1,4})>", re.ASCII)


def numbered_facts(text: str) -> tuple[str, ...]:
    """The facts in their order, blank ones left out.

    Example:
        >>> numbered_facts("<info1>AB = 5</info1>\\n<info2> angle C is 90 </info2>"), numbered_facts("")
        (('AB = 5', 'angle C is 90'), ())
    """
    facts: list[str] = []
    unclosed: set[str] = set()
    opening = _OPENING.search(text)
    while opening is not None:
        closing = f"</info{opening[1]}>"
        end = -1 if closing in unclosed else text.find(closing, opening.end())
        if end < 0:
            unclosed.add(closing)  # nor is there one further on
            opening = _OPENING.search(text, opening.end())
            continue
        facts.append(text[opening.end() : end].strip())
        opening = _OPENING.search(text, end + len(closing))
    return tuple(fact for fact in facts if fact)


def as_numbered(facts: tuple[str, ...]) -> str:
    """Facts as a text that `numbered_facts` reads.

    Example:
        >>> as_numbered(("AB = 5", "C is right"))
        '<info1>AB = 5</info1>\\n<info2>C is right</info2>'
    """
    return "\n".join(f"<info{number}>{fact}</info{number}>" for number, fact in enumerate(facts, 1))


@dataclass(frozen=True, slots=True)
class FactShare:
    """The share of m facts that a judge's reply confirms: `<infoK>v</infoK>`, v a number clipped to 0..1.

    value = (1/m) sum over K = 1..m of v_K

    The last pair of tags with a number counts for it. What is missing, no number or not finite is 0; further tags are
    not read.

    Args:
        released: as released code has it: K = 1, 2, .. up to the first that is missing, however many facts there are,
            and the sum over (their number + 1e-6); nan reads as 1; 0 if the first is missing.

    Example:
        >>> FactShare()("<info1>1</info1>", 3), FactShare(released=True)("<info1>1</info1>", 3)
        (0.3333333333333333, 0.9999990000010001)
    """

    released: bool = False

    def __call__(self, reply: str, m: int) -> float:
        read = [Block(f"info{number}", which="last")(reply) for number in range(1, (MOST if self.released else m) + 1)]
        if not self.released:
            return sum(_finite(one) for one in read) / m if m else 0.0
        until = next((place for place, one in enumerate(read) if isinstance(one, Missing)), len(read))
        return sum(_clipped(_number(one)) for one in read[:until]) / (until + 1e-6) if until else 0.0


def _number(text: str | Missing) -> float | None:
    try:
        return None if isinstance(text, Missing) else float(text)
    except ValueError:
        return None


def _finite(text: str | Missing) -> float:
    value = _number(text)
    return _clipped(value) if value is not None and math.isfinite(value) else 0.0


def _clipped(value: float | None) -> float:
    if value is None:
        return 0.0
    return 1.0 if math.isnan(value) else min(max(value, 0.0), 1.0)
