"""A box under the key `bbox` behind the think block, and how it was found."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sightline.core.missing import Missing
from sightline.parse.json import READ

CLOSING_THINK = re.compile(r"<\s*+/\s*+think\s*+>", re.IGNORECASE)
_UNQUOTED = re.compile(r"bbox\s*+:\s*+\[([^\[\]]*+)\]", re.IGNORECASE)
_KEYED = re.compile(r"""(?:["']bbox["']|bbox)\s*+:\s*+\[([^\[\]]*+)\]""", re.IGNORECASE)
_BRACKETS = re.compile(r"[\[({]([^\[\](){}]*+)[\])}]")
_NUMBER = re.compile(r"[-+]?(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][-+]?\d++)?", re.ASCII)
_LOOKED = 100_000  # characters behind the think block
_MARKER = "Answer:"

Four = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class KeyedBox:
    """What a reply says about a box.

    Args:
        box: x1, y1, x2, y2 with corners in order, or why there is none.
        closed: whether a closing think tag exists.
        keyed: the first keyed box that is not empty, anywhere behind the tag, is legal.
        early: a keyed box with at least one number stands before the tag.
        fallback: the box came from a bare bracket.
        swapped: its corners were written the other way round.
    """

    box: Four | Missing
    closed: bool = False
    keyed: bool = False
    early: bool = False
    fallback: bool = False
    swapped: bool = False


@dataclass(frozen=True, slots=True)
class FindKeyedBox:
    """The box that a reply gives behind its first closing think tag, as `bbox: [x1, y1, x2, y2]` in 0..`top`.

    Where `Answer:` occurs there, only what follows it is searched. The first keyed list that is not empty counts, by
    its first four numbers. Without one, or if it is illegal, the first bracket of any kind whose first four numbers are
    legal is taken instead. Legal: four numbers, all in 0..`top`.

    Args:
        top: the largest coordinate.
        quoted_early: a key in quotes counts as an early box; released code looks for bare keys only.

    Example:
        >>> find = FindKeyedBox()
        >>> find('<think>t</think>{"bbox": [1, 2, 3, 4, 5]}').box
        (1.0, 2.0, 3.0, 4.0)
        >>> found = find("<think>t</think>[3, 4, 1, 2]")
        >>> found.box, found.keyed, found.fallback, found.swapped
        ((1.0, 2.0, 3.0, 4.0), False, True, True)

    References:
        Asking like Socrates, arXiv 2511.22396: the grounding reward of its released code.
    """

    top: float = 1000.0
    quoted_early: bool = True

    def __call__(self, text: str) -> KeyedBox:
        if len(text) > READ:
            return KeyedBox(Missing(f"longer than {READ} characters"))
        tag = CLOSING_THINK.search(text)
        if tag is None:
            return KeyedBox(Missing("no closed think block"))
        head, tail = text[: tag.start()], text[tag.end() : tag.end() + _LOOKED]
        early = self._early(head)
        keyed = self._keyed(tail) is not None
        part = tail.partition(_MARKER)[2] if _MARKER in tail else tail
        found, fallback = self._keyed(part), False
        if found is None:
            found = next((four for inner in _BRACKETS.findall(part) if (four := self._legal(inner))), None)
            fallback = found is not None
        if found is None:
            return KeyedBox(Missing("no legal box behind the think block"), True, keyed, early)
        x1, y1, x2, y2 = found
        box = (min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))
        return KeyedBox(box, True, keyed, early, fallback, box != found)

    def _early(self, head: str) -> bool:
        pattern = _KEYED if self.quoted_early else _UNQUOTED
        return any(_NUMBER.search(inner) for inner in pattern.findall(head[-_LOOKED:]))

    def _keyed(self, text: str) -> Four | None:
        """The first keyed list that is not empty, if it is legal."""
        first = next((inner for inner in _KEYED.findall(text) if inner.strip()), None)
        return None if first is None else self._legal(first)

    def _legal(self, inner: str) -> Four | None:
        numbers = [float(found[0]) for _, found in zip(range(4), _NUMBER.finditer(inner), strict=False)]
        if len(numbers) < 4 or not all(0 <= number <= self.top for number in numbers):
            return None
        a, b, c, d = numbers
        return a, b, c, d
