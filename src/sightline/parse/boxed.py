r"""The final answer as released maths code reads it: the last `\boxed` decides, well formed or not.

`maths.Boxed` is the lenient reading; this one keeps the quirks that a vote over raw texts depends on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from sightline.core.missing import Missing

_BRACE = re.compile(r"[{}]")
_LONGEST = 10_000  # characters of an answer
_SEARCHED = 100_000  # characters behind the last `\\boxed`
_FRACTION = re.compile(
    r"([-+]?)(?:\\[dt]?frac\{(-?\d{1,40})\}\{(\d{1,40})\}|\\[dt]?frac(\d)(\d)|(\d{1,40})/(\d{1,40}))", re.ASCII
)
_DECIMAL = re.compile(r"[-+]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})", re.ASCII)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))", re.ASCII)
_NAMED_UNIT = r"\\(?:text|mathrm|mbox)\{[^{}]*\}(?:\^\{?[23]\}?)?"
_WRITTEN_UNIT = r"(?!(?:and|or|mod|to)\b)(?:[A-Za-z]{2,}+|[A-Za-z]++/[A-Za-z]++)(?: [A-Za-z]++)*+(?:\^?[23])?"
_UNIT = re.compile(
    r"\^\{?\\circ\}?|\\?%|°|\\\$"
    rf"|(?<=[\d}}])(?:[~\s]|\\[,;: ])*+{_NAMED_UNIT}|(?<=[\d}}])[~\s]++{_WRITTEN_UNIT}\s*+\Z",
    re.ASCII,
)
_WORDS = re.compile(r"\\(?:text|mathrm|mbox)\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class FinalBoxed:
    r"""The text inside the last `\boxed{...}`, every brace counted, inner blanks kept.

    Missing if the last `\boxed` is not followed by `{`, is not closed, or stands nowhere, whatever came before it. With
    `spaced`, a `\boxed` followed by a blank comes first: if there is one, the answer is what follows the last of them,
    up to the next `$` or the end.

    Example:
        >>> FinalBoxed()(r"\boxed{1} so \boxed{ \frac{1}{2}}"), FinalBoxed()(r"\boxed{1}, \boxed{2").why
        (' \\frac{1}{2}', 'the last \\boxed is not closed')
        >>> FinalBoxed()(r"we use \boxed {5} style"), FinalBoxed()(r"\fbox{9}").why
        ('{5} style', 'no \\boxed')

    References:
        Zhang et al., Co-Reward, arXiv 2508.00410: the extraction of its released code.
    """

    spaced: bool = True

    def __call__(self, text: str) -> str | Missing:
        if self.spaced and (at := text.rfind("\\boxed ")) >= 0:
            return text[at + len("\\boxed ") :].partition("$")[0]
        at = text.rfind("\\boxed")
        if at < 0:
            return Missing("no \\boxed")
        start = at + len("\\boxed")
        if not text.startswith("{", start):
            return Missing("the last \\boxed is not followed by {")
        depth = 0
        for brace in _BRACE.finditer(text, start, start + _SEARCHED):
            depth += 1 if brace[0] == "{" else -1
            if depth == 0:
                return text[start + 1 : brace.start()]
        return Missing("the last \\boxed is not closed")


def canonical_answer(text: str) -> str:
    r"""An answer in one spelling: trimmed, without dollars, units and thousands commas, simple fractions as decimals.

    What is not a number after that keeps its words; an answer of nothing but `\text{...}` is what stands inside. A unit
    of one letter stays, for it may be a variable.

    Example:
        >>> [canonical_answer(text) for text in (r"\frac{1}{2}", "0.50", " 12 cm", "1,200", "x + 1", r"90^\circ")]
        ['0.5', '0.5', '12', '1200', 'x + 1', '90']
        >>> canonical_answer(r"\text{Evelyn}"), canonical_answer(r"5\text{ m}^2"), canonical_answer("10 km/h")
        ('Evelyn', '5', '10')
    """
    if len(text) > _LONGEST:
        return text
    bare = text.strip().strip("$").strip().removesuffix(".")
    if words := _WORDS.fullmatch(bare):
        bare = words[1].strip()
    bare = _THOUSANDS.sub("", _UNIT.sub("", bare)).strip() or bare
    value = _value(bare)
    return bare if value is None else f"{float(value):.10g}"


def _value(text: str) -> Fraction | None:
    if _DECIMAL.fullmatch(text):
        return Fraction(text.removesuffix("."))
    if found := _FRACTION.fullmatch(text):
        sign, *parts = found.groups()
        above, below = (int(part) for part in parts if part is not None)
        if below:
            return Fraction(above, below) * (-1 if sign == "-" else 1)
    return None
