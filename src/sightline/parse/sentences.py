"""A text as a list of statements: its sentences, without tags, section headers, bullets and numbering.

Places are kept: `text[start:end]` is the sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from sightline.core.missing import Missing
from sightline.parse.tags import Block, Span

MOST_SENTENCES, MOST_PIECES, READ = 512, 4096, 100_000  # sentences, pieces between full stops, characters
ANSWER_OR_TEXT = Block("answer", otherwise="text")
_TAG = re.compile(r"</?[A-Za-z][\w-]{0,30}+>")
_END = re.compile(r"[.!?;\n]++")
_BULLET = re.compile(r"\s*+(?:[-*•–]\s++|\(?\d{1,3}[.)]\s++)?")
_SHORT = ("dr", "e.g", "i.e", "vs", "mr", "mrs", "ms", "approx", "cf")


@dataclass(frozen=True, slots=True)
class Sentences:
    """The sentences of a report, at most 512, of the first 100,000 characters.

    A sentence ends at `.`, `!`, `?`, `;` or a newline, not inside a number and not behind an abbreviation such as
    `Dr.`, `e.g.` or `vs.`. Tags and section headers are taken out; sentences with fewer than two letters are dropped.

    Args:
        headers: words that, with a colon behind them, head a section.
        block: where the report stands.
        complete: only sentences that are ended: what is still being written is left out.

    Example:
        >>> said = "Findings: 1. A 1.5 cm nodule, seen by Dr. Lee. - No effusion; lungs"
        >>> [span.text for span in Sentences()(said)]
        ['A 1.5 cm nodule, seen by Dr. Lee', 'No effusion', 'lungs']
        >>> [span.text for span in Sentences(complete=True)(said)][-1]
        'No effusion'
    """

    headers: tuple[str, ...] = ("findings", "impression", "conclusion", "comparison", "indication", "technique")
    block: Block = ANSWER_OR_TEXT
    complete: bool = False

    def __call__(self, text: str) -> list[Span]:
        found = self.block.span(text)
        report = Span(text, 0, len(text)) if isinstance(found, Missing) else found
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
        heads = rf"\b(?:{'|'.join(map(re.escape, self.headers))})[ \t]{{0,4}}:"
        return re.sub(heads, lambda head: "\n" * len(head[0]), blanked, flags=re.IGNORECASE)

    def _pieces(self, text: str) -> Iterator[tuple[int, int]]:
        start = 0
        for end in _END.finditer(text):
            if not _inside(text, end):
                yield start, end.start()
                start = end.end()
        if not self.complete:
            yield start, len(text)


def _inside(text: str, end: re.Match[str]) -> bool:
    """Whether a full stop ends no sentence: it stands in a number, in or behind an abbreviation."""
    if end[0] != ".":
        return False
    before, after = text[max(0, end.start() - 1) : end.start()], text[end.end() : end.end() + 1]
    if before.isdigit() and after.isdigit():
        return True
    word = re.split(r"[\s(,]", text[max(0, end.start() - 10) : end.start()])[-1].lower()
    return word in _SHORT or (len(word) == 1 and word.isalpha() and after.isalpha()) or f"{word}.{after}" in _SHORT


def section(text: str, name: str, headers: tuple[str, ...] = Sentences().headers) -> str | Missing:
    """The text behind `name:` up to the next header.

    Example:
        >>> section("Findings: clear. Impression: normal.", "impression")
        'normal.'
    """
    found = re.search(rf"\b{re.escape(name)}[ \t]{{0,4}}:", text, re.IGNORECASE)
    if found is None:
        return Missing(f"no section `{name}`")
    rest = text[found.end() :]
    after = re.search(rf"\b(?:{'|'.join(map(re.escape, headers))})[ \t]{{0,4}}:", rest, re.IGNORECASE)
    return (rest if after is None else rest[: after.start()]).strip()


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
        report = self.block(text)
        found: list[str] = []
        for name in self.names:
            one = report if isinstance(report, Missing) else section(report, name)
            if isinstance(one, Missing) or not one:
                return one if isinstance(one, Missing) else Missing(f"section `{name}` is empty")
            found.append(one)
        return tuple(found)
