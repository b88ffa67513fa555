"""A text as a list of statements: its sentences, without tags, section headers, bullets and numbering.

Places are kept: `text[start:end]` is the sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Protocol

from sightline.core.missing import Missing
from sightline.parse.tags import Block, Span

MOST_SENTENCES, MOST_PIECES, READ = 512, 4096, 100_000  # sentences, pieces between full stops, characters
ANSWER_OR_TEXT = Block("answer", otherwise="text")
_TAG = re.compile(r"</?[A-Za-z][\w-]{0,30}+>")
_END = re.compile(r"[.!?;\n]++")
_BULLET = re.compile(r"\s*+(?:[-*+•–#]{1,6}\s++|\(?\d{1,3}[.)]\s++)?")
HEADERS = ("findings", "impression", "conclusion", "comparison", "indication", "technique")


class Place(Protocol):
    """A parser that says where in a text the report stands: `Block`, `Section`."""

    def span(self, text: str) -> Span | Missing: ...


@dataclass(frozen=True, slots=True)
class Sentences:
    """The sentences of a report, at most 512, of the first 100,000 characters.

    A sentence ends at `.`, `!`, `?`, `;` or a newline, not inside a number and not behind an abbreviation such as
    `Dr.`, `e.g.` or `vs.`. Tags, section headers, bullets and numbering are taken out; sentences with fewer than two
    letters are dropped.

    Args:
        headers: words that head a section, with a colon behind them or alone on a line.
        block: where the report stands; a text without that place has no sentences.
        complete: only sentences that are ended: what is still being written is left out.
        abbreviations: in lower case, without the last full stop.

    Example:
        >>> said = "Findings: 1. A 1.5 cm nodule, seen by Dr. Lee. - No effusion; lungs"
        >>> [span.text for span in Sentences()(said)]
        ['A 1.5 cm nodule, seen by Dr. Lee', 'No effusion', 'lungs']
        >>> [span.text for span in Sentences(complete=True)(said)][-1]
        'No effusion'
    """

    headers: tuple[str, ...] = HEADERS
    block: Place = ANSWER_OR_TEXT
    complete: bool = False
    abbreviations: tuple[str, ...] = ("dr", "e.g", "i.e", "vs", "mr", "mrs", "approx", "cf")

    def __call__(self, text: str) -> list[Span]:
        report = self.block.span(text)
        if isinstance(report, Missing):
            return []
        bare = self._bare(report.text[:READ])
        spans: list[Span] = []
        for start, end in islice(self._pieces(bare), MOST_PIECES):
            bullet = _BULLET.match(bare, start, end)
            start = start if bullet is None else bullet.end()
            piece = bare[start:end]
            start, end = start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())
            if start < end and sum(map(str.isalpha, bare[start:end])) >= 2:
                spans.append(Span(bare[start:end], report.start + start, report.start + end))
            if len(spans) == MOST_SENTENCES:
                break
        return spans

    def _bare(self, text: str) -> str:
        """The text with tags and headers blanked out, every character in its place."""
        blanked = _TAG.sub(lambda tag: "\n" * len(tag[0]), text)
        if not self.headers:
            return blanked
        return _header(self.headers).sub(lambda head: "\n" * len(head[0]), blanked)

    def _pieces(self, text: str) -> Iterator[tuple[int, int]]:
        start = 0
        for end in _END.finditer(text):
            if not self._inside(text, end):
                yield start, end.start()
                start = end.end()
        if not self.complete:
            yield start, len(text)

    def _inside(self, text: str, end: re.Match[str]) -> bool:
        """Whether a full stop ends no sentence: it stands in a number, in or behind an abbreviation."""
        if end[0] != ".":
            return False
        before, after = text[max(0, end.start() - 1) : end.start()], text[end.end() : end.end() + 1]
        if after.isdigit() and (before in ("", "(") or before.isdigit() or before.isspace()):
            return True
        word = re.split(r"[\s(,]", text[max(0, end.start() - 10) : end.start()])[-1].lower()
        if word in self.abbreviations or f"{word}.{after}" in self.abbreviations:
            return True
        return len(word) == 1 and word.isalpha() and after.isalpha()


@lru_cache(maxsize=64)
def _header(names: tuple[str, ...]) -> re.Pattern[str]:
    """A section's name with a colon, or alone on a line; marks of emphasis and headings around it belong to it."""
    any_of = "|".join(map(re.escape, names))
    alone = rf"^[ \t#*]{{0,8}}\b(?:{any_of})[ \t*]{{0,8}}$"
    return re.compile(
        rf"{alone}|[#*]{{0,6}}[ \t]{{0,4}}\b(?:{any_of})[ \t*]{{0,6}}:[*]{{0,3}}", re.IGNORECASE | re.MULTILINE
    )


@dataclass(frozen=True, slots=True)
class Section:
    """The text behind the header `name` up to the next header.

    Args:
        name: of the section.
        headers: words that head a section.
        block: where the report stands.

    Example:
        >>> Section("impression")("Findings: clear. Impression: normal."), Section("impression")("clear").why
        ('normal.', 'no section `impression`')
    """

    name: str
    headers: tuple[str, ...] = HEADERS
    block: Block = ANSWER_OR_TEXT

    def __call__(self, text: str) -> str | Missing:
        found = self.span(text)
        return found.text if isinstance(found, Span) else found

    def span(self, text: str) -> Span | Missing:
        """The section and its place in `text`."""
        report = self.block.span(text)
        if isinstance(report, Missing):
            return report
        found = _header((self.name,)).search(report.text)
        if found is None:
            return Missing(f"no section `{self.name}`")
        after = _header(self.headers).search(report.text, found.end())
        whole = report.text[found.end() : len(report.text) if after is None else after.start()]
        start = report.start + found.end() + len(whole) - len(whole.lstrip())
        return Span(whole.strip(), start, start + len(whole.strip()))


@dataclass(frozen=True, slots=True)
class Sections:
    """Whether a report has all its sections, none of them empty: their texts, or `Missing`.

    Args:
        names: of the sections.
        block: where the report stands.

    Example:
        >>> Sections()("Findings: clear. Impression: normal."), Sections()("clear").why
        (('clear.', 'normal.'), 'no section `findings`')
    """

    names: tuple[str, ...] = ("findings", "impression")
    block: Block = ANSWER_OR_TEXT

    def __call__(self, text: str) -> tuple[str, ...] | Missing:
        found: list[str] = []
        for name in self.names:
            one = Section(name, block=self.block)(text)
            if isinstance(one, Missing) or not one:
                return one if isinstance(one, Missing) else Missing(f"section `{name}` is empty")
            found.append(one)
        return tuple(found)
