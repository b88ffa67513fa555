"""Facts that right answers rest on: what must be seen to solve a problem, taken from reasonings that solved it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sightline.core.errors import ColumnError
from sightline.core.missing import Missing
from sightline.judges.judge import Generates, Question, ask
from sightline.judges.prompts import prompt
from sightline.parse.json import LENIENT_LIST
from sightline.parse.numbered_facts import MOST, as_numbered


@dataclass(frozen=True)
class KeyFacts:
    """Adds the column `visual_key_info` to problems that a stronger model solved, and drops the others.

    Args:
        teacher: a text model that lists what a reasoning read off the picture.
        template: its prompt, with places `question` and `reasoning`.

    Reads: `problem`, `reasoning` (text of the stronger model) and `right` (whether its final answer is). A row whose
    reasoning was wrong, whose reply cannot be read, or that rests on no fact is dropped; so is one on which the teacher
    fails.

    Raises:
        ColumnError: a row lacks a column.

    Example:
        >>> from sightline.judges import ScriptedJudge
        >>> rows = [{"problem": "AC?", "reasoning": "AB = 5, so ...", "right": True}, {"problem": "?", "reasoning": "",
        ...         "right": False}]
        >>> [row["visual_key_info"] for row in KeyFacts(ScriptedJudge(('["AB is 5"]',)))(rows)]
        ['<info1>AB is 5</info1>']

    References:
        Perception-R1, arXiv 2506.07218: construction of the visual annotations.
    """

    teacher: Generates
    template: str = prompt("fact_lister").text

    def __call__(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        """The rows that are kept, in their order."""
        solved = [dict(row) for number, row in enumerate(rows) if _solved(number, row)]
        asked = [
            Question(
                self.template, (("question", str(row["problem"])), ("reasoning", str(row["reasoning"]))), ("reasoning",)
            )
            for row in solved
        ]
        for row, verdict in zip(solved, ask(self.teacher, "generate", asked), strict=True):
            facts = () if verdict.value is None else listed(verdict.value)
            if facts:
                yield {**row, "visual_key_info": as_numbered(facts)}


def listed(reply: str) -> tuple[str, ...]:
    """The distinct facts of a reply, at most 256; none if it cannot be read.

    Example:
        >>> listed('["AB is 5", "ab is 5", ""]'), listed("I see none")
        (('AB is 5',), ())
    """
    found = LENIENT_LIST(reply)
    texts = [] if isinstance(found, Missing) else [one.strip() for one in found if isinstance(one, str) and one.strip()]
    return tuple({text.casefold(): text for text in reversed(texts)}.values())[::-1][:MOST]


def _solved(number: int, row: Mapping[str, Any]) -> bool:
    for name in ("problem", "reasoning", "right"):
        if name not in row:
            raise ColumnError(f"KeyFacts reads column `{name}`; row {number} has {sorted(row)}")
    return bool(row["right"])
