"""Tagged blocks: `<tag> ... </tag>`, which one is meant, and whether the whole reply has the asked form.

All searches are plain left-to-right scans, so a reply of many unclosed or nested tags costs no more than its length.
The module knows nothing of what stands inside a block.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, pairwise
from typing import Any, Literal, NamedTuple

from sightline.core.errors import ConfigError
from sightline.core.missing import Missing


class Span(NamedTuple):
    """A piece of a text and the place `text[start:end]` it was taken from."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Block:
    """The text inside a tag.

    A block begins at an opening tag and ends at the next closing tag; blocks do not overlap. This is what
    `<tag>(.*?)</tag>` finds, the dot matching newlines.

    Args:
        tag: the tag's name.
        which: the first or the last block of the text.
        nested: an opening tag inside a block is text of the block (`outer`), or the block begins anew there (`inner`).
        lines: `one` skips blocks that hold a newline, as an expression does whose dot matches none.
        strip: take white space off both ends.
        otherwise: what to return if there is no closed block: `Missing`, or the whole text.

    Example:
        >>> Block("answer")("<think>?</think><answer> B </answer>")
        'B'
        >>> Block("answer")("<answer>B").why
        'no closed <answer> block'
        >>> Block("answer", which="last", otherwise="text")("just B")
        'just B'
        >>> Block("answer").span("<answer> B </answer>")
        Span(text='B', start=9, end=10)
    """

    tag: str = "answer"
    which: Literal["first", "last"] = "first"
    nested: Literal["outer", "inner"] = "outer"
    lines: Literal["many", "one"] = "many"
    strip: bool = True
    otherwise: Literal["missing", "text"] = "missing"

    def __call__(self, text: str) -> str | Missing:
        place = self._place(text)
        if place is None:
            return Missing(f"no closed <{self.tag}> block")
        inner = text[slice(*place)]
        return inner.strip() if self.strip else inner

    def span(self, text: str) -> Span | Missing:
        """The block and its place in `text`, for marks."""
        place = self._place(text)
        if place is None:
            return Missing(f"no closed <{self.tag}> block")
        return _stripped(text, *place) if self.strip else Span(text[slice(*place)], *place)

    def _place(self, text: str) -> tuple[int, int] | None:
        """Where the block that is meant begins and ends."""
        if self.which == "first" and self.nested == "outer" and self.lines == "many":
            start = text.find(f"<{self.tag}>")
            end = -1 if start < 0 else text.find(f"</{self.tag}>", start)
            place = None if end < 0 else (start + len(self.tag) + 2, end)
        else:
            places = self._places(text)
            place = next(places, None)
            if self.which == "last":
                for later in places:
                    place = later
        return (0, len(text)) if place is None and self.otherwise == "text" else place

    def spans(self, text: str) -> Iterator[Span]:
        """Every block and its place, from left to right, whichever `which` says.

        Example:
            >>> [span.text for span in Block("box").spans("<box>1</box> and <box>2</box>")]
            ['1', '2']
        """
        for place in self._places(text):
            yield _stripped(text, *place) if self.strip else Span(text[slice(*place)], *place)

    def first(self, text: str, limit: int) -> tuple[list[Span], int]:
        """The first `limit` blocks with their places, and how many blocks there are in all.

        Example:
            >>> Block("box").first("<box>1</box> and <box>2</box>", 1)
            ([Span(text='1', start=5, end=6)], 2)
        """
        places = self._places(text)
        spans = [_stripped(text, *p) if self.strip else Span(text[slice(*p)], *p) for p in islice(places, limit)]
        return spans, len(spans) + sum(1 for _ in places)

    def _places(self, text: str) -> Iterator[tuple[int, int]]:
        opening, closing = f"<{self.tag}>", f"</{self.tag}>"
        start = text.find(opening)
        while start >= 0:
            start += len(opening)
            end = text.find(closing, start)
            if end < 0:
                return
            if self.nested == "inner":
                start = max(start, text.rfind(opening, start, end) + len(opening))
            broken = text.rfind("\n", start, end) if self.lines == "one" else -1
            if broken < 0:
                yield start, end
            # a block that a newline breaks may hold another opening behind its last newline
            start = text.find(opening, end + len(closing) if broken < 0 else broken)


def _stripped(text: str, start: int, end: int) -> Span:
    inner = text[start:end]
    left = len(inner) - len(inner.lstrip())
    inner = inner.strip()
    return Span(inner, start + left, start + left + len(inner))


ANSWER = Block("answer")
THINK = Block("think")


@dataclass(frozen=True, slots=True)
class AllBlocks:
    """The texts of all blocks of a tag, blank ones left out, a line each.

    Args:
        block: the tag; which block it names does not matter.

    Example:
        >>> AllBlocks(THINK)("<think>One.</think>call<think>Two.</think>")
        'One.\\nTwo.'
        >>> AllBlocks(THINK)("<think>One.").why
        'no closed <think> block with something in it'
    """

    block: Block

    def __call__(self, text: str) -> str | Missing:
        found = "\n".join(span.text for span in self.block.spans(text) if span.text.strip())
        return found or Missing(f"no closed <{self.block.tag}> block with something in it")


@dataclass(frozen=True, slots=True)
class FullMatch:
    r"""The whole text is one block after another, with nothing but white space between and nothing around them.

    Decides exactly what a full match of `<think>.*?</think>\s*<answer>.*?</answer>` decides (the dot matching
    newlines), in linear time.

    Args:
        tags: the names, in order.
        once: no tag may occur a second time anywhere, which the expression above does not ask for.

    Returns:
        One unstripped `Span` for each tag.

    Raises:
        ConfigError: no tag is given.

    Example:
        >>> [span.text for span in FullMatch()("<think>a</think>\n<answer>b</answer>")]
        ['a', 'b']
        >>> FullMatch()("<think>a</think><answer>b</answer>.").why
        'text after </answer>'
    """

    tags: tuple[str, ...] = ("think", "answer")
    once: bool = False

    def __post_init__(self) -> None:
        if not self.tags:
            raise ConfigError("FullMatch needs at least one tag")

    def __call__(self, text: str) -> tuple[Span, ...] | Missing:
        opening, closing = f"<{self.tags[0]}>", f"</{self.tags[-1]}>"
        if not text.startswith(opening):
            return Missing(f"does not begin with {opening}")
        if not text.endswith(closing):
            return Missing(f"text after {closing}" if closing in text else f"no {closing}")
        last = len(text) - len(closing)
        spans: list[Span] = []
        start = len(opening)
        for before, after in pairwise(self.tags):
            seam = _seam(before, after).search(text, start, last)
            if seam is None:
                return Missing(f"no </{before}> followed by <{after}>")
            spans.append(Span(text[start : seam.start()], start, seam.start()))
            start = seam.end()
        if start > last:
            return Missing(f"no {closing}")
        if self.once and (again := self._repeated(text)):
            return Missing(f"{again} occurs more than once")
        return (*spans, Span(text[start:last], start, last))

    def _repeated(self, text: str) -> str | None:
        marks = (mark for tag in self.tags for mark in (f"<{tag}>", f"</{tag}>"))
        return next((mark for mark in marks if text.count(mark) > 1), None)


@lru_cache(maxsize=256)
def _seam(before: str, after: str) -> re.Pattern[str]:
    return re.compile(rf"</{re.escape(before)}>\s*<{re.escape(after)}>")


THINK_ANSWER = FullMatch()


@dataclass(frozen=True, slots=True)
class Inside:
    """What `inner` finds in the text that `outer` finds: parsers one after the other.

    Example:
        >>> Inside(Block("answer"), Block("b"))("<answer><b>yes</b></answer>")
        'yes'
        >>> Inside(Block("answer"), Block("b"))("<b>yes</b>").why
        'no closed <answer> block'
    """

    outer: Callable[[str], str | Missing]
    inner: Callable[[str], Any]

    def __call__(self, text: str) -> Any:
        found = self.outer(text)
        return found if isinstance(found, Missing) else self.inner(found)

    def many(self, texts: Sequence[str]) -> list[Any]:
        """The same for each text; an inner parser that reads many at once does."""
        outer = [self.outer(text) for text in texts]
        there = [one for one in outer if not isinstance(one, Missing)]
        many = getattr(self.inner, "many", None)
        found = iter([self.inner(one) for one in there] if many is None else many(there))
        return [one if isinstance(one, Missing) else next(found) for one in outer]


@dataclass(frozen=True, slots=True)
class FormWith:
    r"""Somewhere a think block, and right behind it an answer block that contains `pieces` in this order.

    Args:
        pieces: regular expressions, each looked for behind the last. They should be linear-time.
        across: the pieces may lie behind the end of the block as long as another closing tag follows, which is what
            `<think>.*?</think>\s*<answer>.*?piece.*?</answer>` accepts.

    Returns:
        The place of the answer block, tags left out.

    Example:
        >>> form = FormWith((r"\{", r"\[\d+\]", r"\}"))
        >>> form("<think>a</think> <answer>{[7]}</answer>").text
        '{[7]}'
        >>> form("<think>a</think> <answer>[7]</answer>").why
        'no answer block behind a think block has the asked form'
    """

    pieces: tuple[str, ...]
    across: bool = False

    def __call__(self, text: str) -> Span | Missing:
        begin = text.find("<think>")
        close = -1
        for seam in _seam("think", "answer").finditer(text, begin + 7) if begin >= 0 else ():
            start = seam.end()
            if start <= close:  # an earlier opening with the same end, hence with all this text, has failed
                continue
            close = text.rfind("</answer>", start) if self.across else text.find("</answer>", start)
            if close < 0:
                break
            if self._has_pieces(text, start, close):
                return Span(text[start:close], start, close)
            if self.across:
                break
        return Missing("no answer block behind a think block has the asked form")

    def _has_pieces(self, text: str, start: int, end: int) -> bool:
        for piece in self.pieces:
            found = re.compile(piece).search(text, start, end)
            if found is None:
                return False
            start = found.end()
        return True
