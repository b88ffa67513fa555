"""What a judge's text says: text -> value or Missing(why).

Nothing is guessed. A reply that cannot be read is Missing, and the reward says what that is worth.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sightline.core.missing import Missing

_LONE_BIT = re.compile(r"(?<!\d)[01](?!\d)")
_YES_NO = re.compile(r"\b(?:(yes|true)|no|false)\b", re.IGNORECASE)
_LONGEST_RATING = 200
_NUMBER = r"[-+]?(?:\d+(?:\.\d+)?|\.\d+)"
_RATING = re.compile(
    rf"[*_]*(?:(?:the\s+)?(?:overall\s+)?(?:score|rating)(?:\s+is)?[\s*_]*[:=]?[\s*_]*)?({_NUMBER})"
    rf"(?:\s*(?:/|out\s+of)\s*({_NUMBER}))?[\s*_]*\.?[\s*_]*",
    re.IGNORECASE,
)


def zero_or_one(text: str) -> int | Missing:
    """A yes/no verdict as 1 or 0.

    The first character 0 or 1 that is not next to another digit; if there is none, the first whole word yes or true (1)
    or no or false (0), in any case.

    Example:
        >>> zero_or_one("0.7"), zero_or_one("10 points: yes"), zero_or_one("Verdict: 1"), zero_or_one("NO.")
        (0, 1, 1, 0)
        >>> zero_or_one("I cannot say")
        Missing(why="no 0, 1, yes or no in 'I cannot say'")
    """
    bit = _LONE_BIT.search(text)
    if bit:
        return int(bit.group())
    word = _YES_NO.search(text)
    if word:
        return 1 if word.group(1) else 0
    return Missing(f"no 0, 1, yes or no in {text[:60]!r}")


@dataclass(frozen=True)
class Rating:
    """The rating in a reply that holds nothing else.

    Accepted: the number alone, with `score` or `rating` in front, with `/high` or `out of high` behind, in bold.

    Args:
        low, high: the scale; a number outside it is Missing.

    Example:
        >>> rating = Rating(1, 10)
        >>> rating("7"), rating("**Score:** 7.5/10"), rating("9 out of 10.")
        (7.0, 7.5, 9.0)
        >>> rating("11").why, rating("3/5").why
        ('11.0 is outside 1..10', 'rated out of 5, not out of 10')
        >>> rating("between 3 and 7").why
        "no single rating in 'between 3 and 7'"
    """

    low: float
    high: float

    def __call__(self, text: str) -> float | Missing:
        match = _RATING.fullmatch(text.strip()) if len(text) <= _LONGEST_RATING else None
        if not match:
            return Missing(f"no single rating in {text[:60]!r}")
        value, scale = float(match.group(1)), match.group(2)
        if scale is not None and float(scale) != self.high:
            return Missing(f"rated out of {scale}, not out of {self.high:g}")
        return self._inside(value)

    def _inside(self, value: float) -> float | Missing:
        # an integer of any length can be compared, but not always made a float
        inside = self.low <= value <= self.high
        return float(value) if inside else Missing(f"{str(value)[:20]} is outside {self.low:g}..{self.high:g}")


_DRESS = " \t\n*_`\"'.:()[]"
_LEAD = re.compile(
    r"[\s*_]*(?:(?:the\s+)?(?:final\s+)?(?:answer|verdict|choice|winner)(?:\s+is)?[\s*_]*[:=]?)?", re.IGNORECASE
)


@dataclass(frozen=True)
class OneOf:
    """The option that a reply consists of, in any case.

    Accepted: the option alone, with `answer`, `verdict`, `choice` or `winner` in front, in bold, quotes or brackets. A
    reply that says more is Missing: which of several words is the verdict is not guessed.

    Args:
        options: as they are returned.

    Example:
        >>> pick = OneOf(("A", "B", "tie"))
        >>> pick("B."), pick("**Answer:** (a)"), pick("Tie")
        ('B', 'A', 'tie')
        >>> pick("A is better than B").why
        "none of A, B, tie, and nothing else, in 'A is better than B'"
    """

    options: tuple[str, ...]

    def __call__(self, text: str) -> str | Missing:
        known = {option.casefold(): option for option in self.options}
        if len(text) <= _LONGEST_RATING:
            lead = _LEAD.match(text)
            for said in (text, text[lead.end() :] if lead else text):
                found = known.get(said.strip(_DRESS).casefold())
                if found is not None:
                    return found
        return Missing(f"none of {', '.join(self.options)}, and nothing else, in {text[:60]!r}")


def json_verdict(text: str) -> dict[str, Any] | Missing:
    """The one JSON object in a reply, bare, in a code fence or amid prose.

    Two objects that differ are Missing: which one the judge meant is not known. So are doubled keys.

    Example:
        >>> json_verdict('Here you go: {"score": 3, "why": "blurred"}')
        {'score': 3, 'why': 'blurred'}
        >>> json_verdict('{"score": 3} or {"score": 4}').why
        'two different JSON objects'
        >>> json_verdict("three").why
        'no JSON object'
    """
    found: list[dict[str, Any]] = []
    for value in json_values(text, "{"):
        if isinstance(value, Missing):
            return value
        if value not in found:
            found.append(value)
    if len(found) > 1:
        return Missing("two different JSON objects")
    return found[0] if found else Missing("no JSON object")


@dataclass(frozen=True)
class JsonRating:
    """A number in one key of the JSON object in a reply.

    Args:
        key: the key.
        low, high: the scale; a number outside it is Missing, and so are texts and booleans.

    Example:
        >>> rating = JsonRating("score", 0, 5)
        >>> rating('{"score": 3}'), rating('{"score": true}').why, rating('{"grade": 3}').why
        (3.0, 'score is True, not a number', "no key score, only ['grade']")
    """

    key: str
    low: float
    high: float

    def __call__(self, text: str) -> float | Missing:
        verdict = json_verdict(text)
        if isinstance(verdict, Missing):
            return verdict
        if self.key not in verdict:
            return Missing(f"no key {self.key}, only {sorted(verdict)}")
        value = verdict[self.key]
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return Missing(f"{self.key} is {value!r:.40}, not a number")
        return Rating(self.low, self.high)._inside(value)


def json_values(text: str, opening: str) -> Iterator[Any]:
    """Every outermost JSON value in a text that begins with `opening` (`{` or `[`).

    The last one is Missing if it is cut off, nested too deep, or has a doubled key: what follows is then not looked at,
    since a part of a broken value must not be read as the whole.

    Example:
        >>> list(json_values('[1] and [[2], 3]', "["))
        [[1], [[2], 3]]
        >>> list(json_values('{"a": {"b": 1}, "c": ', "{"))
        [Missing(why='the JSON is cut off')]
    """
    decoder = json.JSONDecoder(object_pairs_hook=_unique)
    text = text.rstrip()
    at = text.find(opening)
    while at >= 0:
        try:
            value, end = decoder.raw_decode(text, at)
            yield value
        except (_DoubledKey, RecursionError) as error:
            yield Missing(str(error) if isinstance(error, _DoubledKey) else "the JSON is nested too deep")
            return
        except json.JSONDecodeError as error:
            if error.pos >= len(text) or error.msg.startswith("Unterminated string"):
                yield Missing("the JSON is cut off")
                return
            end = at + 1  # a brace or bracket of prose
        except ValueError:  # a number too long to read
            end = at + 1
        at = text.find(opening, end)


class _DoubledKey(Exception):  # noqa: N818  # never leaves this file
    pass


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        raise _DoubledKey(f"a doubled key among {[key for key, _ in pairs]!s:.60}")
    return table
