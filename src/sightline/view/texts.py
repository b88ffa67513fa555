"""The text of a rollout with the places where it earned or lost, and the claims it was to support."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sightline.core.rollout import POLICY_ROLE, Turn, transcript
from sightline.judges.overlap import STOP_WORDS, words
from sightline.view.pictures import strengths
from sightline.view.results import given

BEGINNING, END = 4000, 2000  # characters of one turn that are shown: policies answer at the end
MOST = 2_000_000  # characters of one that is asked for whole
CLAIMS = ("evidence", "claims")
ENOUGH = 0.6  # share of a claim's content words that must be found in the reasoning
TAG = re.compile(r"</?[A-Za-z_][\w-]*>")


@dataclass(frozen=True)
class Piece:
    """A stretch of text with one look: `hit`, `miss`, `tag` or plain.

    Args:
        mark: number of the mark it is part of.
        strength: 0..1, how much it earned or lost beside the other stretches of the rollout.
    """

    text: str
    kind: str = ""
    why: str = ""
    mark: int | None = None
    strength: float = 1.0


@dataclass(frozen=True)
class Said:
    """One turn of a completion.

    Args:
        cut: characters that are not shown.
        ending: what follows them.
    """

    role: str
    pieces: tuple[Piece, ...]
    cut: int = 0
    ending: tuple[Piece, ...] = ()


@dataclass(frozen=True)
class Claim:
    """A claim or piece of evidence, and whether the rollout supports it.

    Args:
        judged: a mark of the reward says so; else it is only a count of words.
    """

    text: str
    supported: bool
    why: str
    judged: bool = False


def turns(completion: Any, marks: Sequence[Mapping[str, Any]], whole: bool = False) -> list[Said]:
    """The completion turn by turn; marks of unit `char` count in the policy's own words, joined by newlines.

    Args:
        whole: whether a long turn is shown whole, else how it begins and ends.

    Example:
        >>> mark = {"unit": "char", "place": [0, 2], "value": 1.0, "why": "fine"}
        >>> [(piece.text, piece.kind, piece.why) for piece in turns("ab<x>", [mark])[0].pieces]
        [('ab', 'hit', 'fine (1)'), ('<x>', 'tag', '')]
    """
    numbered = [(number, mark) for number, mark in enumerate(marks) if mark["unit"] == "char"]
    strong = strengths([mark["value"] for _, mark in numbered])
    spans = [{**mark, "number": at, "strength": one} for (at, mark), one in zip(numbered, strong, strict=True)]
    start, shown = 0, []
    for turn in transcript(completion):
        own = turn.role == POLICY_ROLE
        shown.append(_said(turn, start, spans if own else None, MOST if whole else BEGINNING))
        start += len(turn.text) + 1 if own else 0
    return shown


def _said(turn: Turn, start: int, spans: Sequence[Mapping[str, Any]] | None, first: int) -> Said:
    """One turn; `spans` are None where it is not the policy's own."""

    def pieces(begin: int, end: int) -> tuple[Piece, ...]:
        text = turn.text[begin:end]
        return (Piece(text),) if spans is None else _pieces(text, start + begin, spans)

    size = len(turn.text)
    if size <= first + END:
        return Said(turn.role, pieces(0, size))
    return Said(turn.role, pieces(0, first), size - first - END, pieces(size - END, size))


def prompt_text(prompt: Any) -> str:
    """What was asked, without pictures."""
    if prompt is None:
        return ""
    if isinstance(prompt, str | list | tuple):
        return "\n".join(turn.text for turn in transcript(prompt))
    return str(prompt)


def claims(row: Mapping[str, Any], text: str) -> list[Claim]:
    """Claims of a row: supported if a mark names them with a positive value, or the text holds most of their words."""
    listed = (found for name in CLAIMS if isinstance(found := given(row, name), list | tuple))
    items = next(listed, ())
    return [_claim(str(item), row.get("marks") or [], words(text)) for item in items]


def _claim(item: str, marks: Sequence[Mapping[str, Any]], said: frozenset[str]) -> Claim:
    for mark in marks:
        if item and item in (mark["why"] or ""):
            return Claim(item, mark["value"] > 0, mark["why"], judged=True)
    content = words(item) - STOP_WORDS
    share = len(content & said) / len(content) if content else 0.0
    return Claim(item, share >= ENOUGH, f"{len(content & said)} of {len(content)} words")


def _pieces(text: str, start: int, spans: Sequence[Mapping[str, Any]]) -> tuple[Piece, ...]:
    """Text cut where a mark or a tag begins or ends."""
    inside = [(int(s["place"][0]) - start, int(s["place"][1]) - start, s) for s in spans if len(s["place"]) == 2]
    tags = [match.span() for match in TAG.finditer(text)]
    cuts = {0, len(text), *(edge for span in tags for edge in span), *(edge for a, b, _ in inside for edge in (a, b))}
    edges = sorted(edge for edge in cuts if 0 <= edge <= len(text))
    return tuple(_piece(text, a, b, inside, tags) for a, b in pairwise(edges))


def _piece(text: str, a: int, b: int, inside: Sequence[Any], tags: Sequence[tuple[int, int]]) -> Piece:
    covering = [(end - begin, mark) for begin, end, mark in inside if begin <= a and b <= end]
    if covering:
        mark = min(covering, key=lambda found: found[0])[1]
        kind = "hit" if mark["value"] > 0 else "miss"
        why = f"{mark['why']} ({mark['value']:.3g})".strip()
        return Piece(text[a:b], kind, why, mark["number"], mark["strength"])
    return Piece(text[a:b], "tag" if (a, b) in tags else "")
