r"""Whether two mathematical answers are equal, and the answer in `\boxed{...}`.

Most answers are equal or different at a glance: as text, as numbers, as simple fractions. The rest goes to math-verify
in a process of our own, which is killed when it takes too long; that works on any thread, after a fork, and leaves
nothing behind at exit. Never ask about box lists: a maths parser reduces a list to its first number.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from importlib.util import find_spec
from typing import Literal

from sightline.core.errors import MissingExtra
from sightline.core.missing import Missing
from sightline.parse.maths_process import MathsProcess
from sightline.parse.tags import Span

LONGEST = 10_000  # characters of an answer
_REMEMBERED = 4096
_APART = Fraction(1, 100_000)  # math-verify rounds numbers to 6 decimals
_DIGITS = r"[-+]?\d{1,40}"
_FRACTION = re.compile(rf"({_DIGITS})/(\d{{1,40}})|([-+]?)\\frac\{{({_DIGITS})\}}\{{({_DIGITS})\}}", re.ASCII)
_DECIMAL = re.compile(r"[-+]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})", re.ASCII)
_THOUSANDS = re.compile(r"[-+]?\d{1,3}(?:,\d{3}){1,12}(?:\.\d{1,40})?", re.ASCII)
_WRAPPED = re.compile(r"\$\$?([^$]*)\$\$?|\\\((.*)\\\)|\\\[(.*)\\\]", re.DOTALL)
_SPACING = re.compile(r"(?:\\left(?![a-z])|\\right(?![a-z])|\\[,;:! ]|[\s~])+")
_OPERATOR = re.compile(r" ?([-+*/^=(){},<>]) ?")
_COMMAND = re.compile(r"\\[A-Za-z]+")
_FORMULA = re.compile(r"[A-Za-z0-9+\-*/^=()., {}_<>|!\[\]]*")


def need_math_verify() -> None:
    """Checks that math-verify is there, so that a reward can say so before it scores anything.

    Raises:
        MissingExtra: it is not installed.
    """
    if not _has_math_verify():
        raise MissingExtra.of("comparing mathematical answers", "math")


@lru_cache(maxsize=1)
def _has_math_verify() -> bool:
    return find_spec("math_verify") is not None


def maths_equal(answer: str, gold: str, seconds: float = 2.0) -> bool | Missing:
    r"""Whether `answer` is mathematically equal to `gold`.

    Exact text and simple numbers are decided here; anything else is put to math-verify as it is, prose around the
    answer included. A text in which no mathematics is found is equal to itself only.

    Args:
        answer: what the policy wrote, at most 10,000 characters.
        gold: the reference.
        seconds: how long math-verify may take.

    Returns:
        True, False, or Missing if the answer is too long, takes too long, or breaks the verifier.

    Raises:
        MissingExtra: math-verify is not installed, whether or not this pair needs it.

    Example:
        >>> maths_equal(r"\frac{1}{2}", "0.5"), maths_equal("12", "13"), maths_equal("a cat", "two cats")
        (True, False, False)
    """
    need_math_verify()
    if len(answer) > LONGEST or len(gold) > LONGEST:
        return Missing(f"longer than {LONGEST} characters")
    quick = quickly_equal(answer, gold)
    return _ANSWERS.ask(answer, gold, seconds) if quick is None else quick


def quickly_equal(answer: str, gold: str) -> bool | None:
    r"""What can be said without a computer algebra system; None: cannot tell.

    Example:
        >>> quickly_equal("$1,000$", "1000.0"), quickly_equal("3", "4"), quickly_equal("2x", "x+x")
        (True, False, None)
    """
    a, b = _bare(answer), _bare(gold)
    if a == b:
        return bool(a)
    x, y = _fraction(a), _fraction(b)
    if x is not None and y is not None and (x == y or abs(x - y) > _APART):
        return x == y
    return None if _mathematical(answer) and _mathematical(gold) else False


def _bare(text: str) -> str:
    """The text without maths delimiters, spacing, a final dot and spellings of `\\frac`."""
    text = text.strip().removesuffix(".")
    if wrapped := _WRAPPED.fullmatch(text):
        text = next(part for part in wrapped.groups() if part is not None)
    if text.startswith("\\boxed{"):
        inner = Boxed()(text)
        if isinstance(inner, str) and len(inner) + len("\\boxed{}") == len(text):
            text = inner
    text = text.replace("\\dfrac", "\\frac").replace("\\tfrac", "\\frac")
    # a blank between digits means something ("2 1/2"), one beside an operator does not
    return _OPERATOR.sub(r"\1", _SPACING.sub(" ", text).strip())


def _fraction(text: str) -> Fraction | None:
    if _DECIMAL.fullmatch(text):
        return Fraction(text if text[-1] != "." else text[:-1])
    if _THOUSANDS.fullmatch(text):
        return Fraction(text.replace(",", ""))
    if found := _FRACTION.fullmatch(text):
        above, below, sign, latex_above, latex_below = found.groups()
        divisor = int(below or latex_below)
        if divisor:
            return Fraction(int(above or latex_above), divisor) * (-1 if sign == "-" else 1)
    return None


def _mathematical(text: str) -> bool:
    """Whether a maths parser could find anything: a digit, LaTeX, or a formula of single letters."""
    return re.search(r"[\d$\\]", text) is not None or is_formula(text)


def is_formula(text: str) -> bool:
    r"""LaTeX commands, operators, digits and single letters only.

    Words make prose: as products of letters "listen" would equal "silent".

    Example:
        >>> is_formula(r"2\sqrt{x} + 1"), is_formula("listen"), is_formula("x is 3")
        (True, False, False)
    """
    rest = _COMMAND.sub(" ", text)
    return _FORMULA.fullmatch(rest) is not None and re.search(r"[A-Za-z]{2}", rest) is None


def _delimited(text: str) -> str:
    """A bare formula between dollars, without which math-verify would look for numbers only."""
    return f"${text}$" if is_formula(text) and re.search(r"[A-Za-z\\]", text) else text


class _Answers:
    """The verifier process and the latest verdicts, a pair that took too long included."""

    def __init__(self) -> None:
        self._process = MathsProcess()
        self._latest: OrderedDict[tuple[str, str, float], bool | Missing] = OrderedDict()

    def ask(self, answer: str, gold: str, seconds: float) -> bool | Missing:
        key = (answer, gold, seconds)
        known = self._latest.get(key)
        if known is None:
            known = self._process.equal(_delimited(answer), _delimited(gold), seconds)
            self._latest[key] = known
            if len(self._latest) > _REMEMBERED:
                self._latest.popitem(last=False)
        return known


_ANSWERS = _Answers()


@dataclass(frozen=True, slots=True)
class Boxed:
    r"""The text inside `\boxed{...}`, inner braces balanced; contents of at most 10,000 characters are found.

    Example:
        >>> Boxed()(r"so \boxed{\frac{1}{2}}."), Boxed()(r"\boxed{1").why
        ('\\frac{1}{2}', 'no closed \\boxed{...}')
    """

    which: Literal["first", "last"] = "last"

    def __call__(self, text: str) -> str | Missing:
        found = self.span(text)
        return found.text if isinstance(found, Span) else found

    def span(self, text: str) -> Span | Missing:
        """The box's content and its place in `text`, for marks."""
        opening = "\\boxed{"
        start = text.find(opening) if self.which == "first" else text.rfind(opening)
        if start >= 0:
            start += len(opening)
            depth = 1
            for brace in _BRACE.finditer(text, start, start + LONGEST):
                depth += {"{": 1, "}": -1}.get(brace[0], 0)
                if depth == 0:
                    return Span(text[start : brace.start()], start, brace.start())
        return Missing("no closed \\boxed{...}")


_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
