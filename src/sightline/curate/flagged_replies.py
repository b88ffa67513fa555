"""Lessons for a verifier: replies of models that see badly, checked three times by a strong one, merged into one list.

Four stages: questions about small details; replies of open models; verification; demonstrations. A demonstration is
kept only if every piece it quotes stands in the reply, since a verifier that misquotes flags nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from sightline.core.missing import Missing
from sightline.judges.judge import Generates, Question, Sampling, ask
from sightline.judges.prompts import prompt
from sightline.judges.votes import voters
from sightline.parse.flagged import CORRECT, FlaggedPieces
from sightline.parse.tags import THINK
from sightline.rewards.flagged import VERIFIER, asked_about, found_in
from sightline.rewards.pictures import pictures


class FlaggedReply(NamedTuple):
    """One reply with what is wrong in it, and what a verifier should write of it."""

    problem: str
    images: tuple[Any, ...]
    response: str
    pieces: tuple[str, ...]
    completion: str


@dataclass(frozen=True)
class FlagsReplies:
    """Asks a teacher that sees the picture three times what is wrong in a reply, and once for one list of all three.

    Args:
        teacher: a strong model.
        verify, merge: prompts; the merging one has places `first`, `second`, `third` beside `problem` and `response`.
        sampling: of the three; they differ by seed.

    Example:
        >>> from sightline.judges.word_flags import WordFlags
        >>> rows = [{"problem": "?", "response": "A cup. A unicorn."}, {"problem": "?", "response": "A cup."}]
        >>> [reply.pieces for reply in FlagsReplies(WordFlags())(rows)]
        [('A unicorn',), ()]
    """

    teacher: Generates
    verify: str = VERIFIER
    merge: str = prompt("span_merge").text
    sampling: Sampling = Sampling(temperature=0.7, max_tokens=2048)

    def __call__(self, rows: Iterable[dict[str, Any]]) -> list[FlaggedReply | Missing]:
        """A demonstration for each row of `problem`, `response` and maybe `images`, or Missing with why not."""
        listed = list(rows)
        asked = [self._checks(row) for row in listed]
        verdicts = ask(self.teacher, "generate", [question for three in asked for question in three])
        checks = [verdicts[3 * i : 3 * i + 3] for i in range(len(listed))]
        whole = [i for i, three in enumerate(checks) if all(verdict.value is not None for verdict in three)]
        merging = [self._merging(listed[i], [str(verdict.value) for verdict in checks[i]]) for i in whole]
        said = dict(zip(whole, ask(self.teacher, "generate", merging), strict=True))
        return [
            self._demonstration(row, said[i].value, said[i].error) if i in said
            else Missing(f"a check failed: {next(v.error for v in checks[i] if v.value is None)}")
            for i, row in enumerate(listed)
        ]  # fmt: skip

    def _checks(self, row: dict[str, Any]) -> tuple[Question, ...]:
        question = asked_about(row["response"], row["problem"], row.get("images"), self.verify)
        return voters(replace(question, sampling=self.sampling), 3)

    def _merging(self, row: dict[str, Any], checks: Sequence[str]) -> Question:
        fields = (("problem", row["problem"]), ("response", row["response"]))
        named = tuple(zip(("first", "second", "third"), checks, strict=True))
        fenced = ("response", "first", "second", "third")
        images = pictures(row.get("images"))
        return Question(self.merge, (*fields, *named), fenced, images, sampling=Sampling(max_tokens=2048))

    def _demonstration(self, row: dict[str, Any], said: str | None, error: str) -> FlaggedReply | Missing:
        if said is None:
            return Missing(error)
        pieces = FlaggedPieces()(said)
        if isinstance(pieces, Missing):
            return pieces
        lost = [piece for piece, places in zip(pieces, found_in(row["response"], pieces), strict=True) if not places]
        if lost:
            return Missing(f"not in the response: {lost[0]!r:.60}")
        think = THINK(said)
        reasons = "" if isinstance(think, Missing) else think
        completion = f"<think>{reasons}</think><answer>{listing(pieces)}</answer>"
        return FlaggedReply(
            row["problem"], pictures(row.get("images")), row["response"], tuple(dict.fromkeys(pieces)), completion
        )


def listing(pieces: Sequence[str]) -> str:
    """What a verifier writes in its answer block.

    Example:
        >>> listing(["a cup", 'a "mug"']), listing([])
        ('["a cup", "a \\\\"mug\\\\""]', 'The response is correct')
    """
    return json.dumps(list(dict.fromkeys(pieces)), ensure_ascii=False) if pieces else CORRECT
