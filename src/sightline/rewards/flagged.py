"""Whether a verifier that sees the pictures flags anything in a reply, and where: error grounding by quoted pieces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from sightline.core.batch import Batch
from sightline.core.marks import Mark
from sightline.core.missing import Missing
from sightline.core.scores import Score, Scores, failed
from sightline.judges.judge import Question, Sampling, Verdict
from sightline.judges.prompts import prompt
from sightline.judges.word_flags import WordFlags
from sightline.parse.flagged import FlaggedPieces
from sightline.rewards.pictures import pictures, pictures_if_any
from sightline.rewards.reward import JudgedReward, Reward

Occurrence = Literal["all", "first"]
VERIFIER = prompt("span_verifier").text


def asked_about(
    response: str, problem: str | None, images: Any, template: str = VERIFIER, tokens: int = 2048
) -> Question:
    """The question to a verifier about one response, which is fenced."""
    fields = (("problem", problem or ""), ("response", response))
    return Question(template, fields, ("response",), pictures(images), sampling=Sampling(max_tokens=tokens))


def found_in(text: str, pieces: Sequence[str], occurrence: Occurrence = "first") -> list[list[tuple[int, int]]]:
    """For every piece the places [start, end) where it stands in the text, to the letter; none for an empty piece.

    Args:
        occurrence: the first, or every one, overlapping ones as well.

    Example:
        >>> found_in("a red cup, the red cup", ["red cup", "blue cup", ""], "all")
        [[(2, 9), (15, 22)], [], []]
    """
    return [_places(text, piece, occurrence) for piece in pieces]


def _places(text: str, piece: str, occurrence: Occurrence) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    start = text.find(piece) if piece else -1
    while start >= 0:
        found.append((start, start + len(piece)))
        start = text.find(piece, start + 1) if occurrence == "all" else -1
    return found


@dataclass(frozen=True)
class Unflagged(JudgedReward):
    """Whether a verifier that sees the pictures finds nothing in the reply that contradicts them.

    value = 1 if it flags no piece of the reply, else 0

    Args:
        judge: sees question, pictures and reply, and quotes what is wrong.
        occurrence: which places of a quoted piece are marked; with `first` a repetition keeps its credit.
        pieces: reply of the judge -> the quoted pieces, or Missing.
        column: the question.
        template: the prompt, with places `problem` and `response`.

    Marks: -1 on every place of a flagged piece. A piece that does not stand in the reply to the letter has none; the
    reason says how many were found.

    Reads: `column`; `images` if they are there. Range: 0 or 1. Low, without a call: 0 for a blank reply.
    NaN: the judge failed, or its reply cannot be read; the reason keeps its words.

    Example:
        >>> batch = Batch(["A cup. A unicorn runs."], {"problem": ["What runs?"]})
        >>> scores = Unflagged(WordFlags())(batch)
        >>> scores.values, [mark.place for mark in scores.marks[0]]
        (array([0.]), [(7, 21)])

    References:
        Perceval, arXiv 2604.24583.
    """

    occurrence: Occurrence = "first"
    pieces: Callable[[str], list[str] | Missing] = FlaggedPieces()
    column: str = "problem"
    template: str = VERIFIER
    may_read: ClassVar[tuple[str, ...]] = ("images",)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        texts = ("A cup. A unicorn runs. A unicorn runs.", "A cup.", "", "unicorn")
        return cls(WordFlags()), [{"completion": text, "problem": "What is there?"} for text in texts]

    def needs(self) -> tuple[str, ...]:
        return (self.column,)

    def questions(self, batch: Batch) -> list[tuple[Question, ...]]:
        images = pictures_if_any(batch)
        rows = zip(batch.texts, batch.column(self.column), images, strict=True)
        return [(asked_about(text, p, i, self.template),) if text.strip() else () for text, p, i in rows]

    def judged(self, batch: Batch, verdicts: list[tuple[Verdict[Any], ...]]) -> Scores:
        return Scores.from_rows([self._one(text, said) for text, said in zip(batch.texts, verdicts, strict=True)])

    def _one(self, text: str, verdicts: Sequence[Verdict[Any]]) -> Score:
        if not verdicts:
            return Score(0.0, "a blank reply")
        if verdicts[0].value is None:
            return failed(verdicts[0].error)
        pieces = self.pieces(verdicts[0].value)
        if isinstance(pieces, Missing):
            return failed(f"unreadable verdict: {pieces.why}; {verdicts[0].value!r:.80}")
        pieces = list(dict.fromkeys(piece for piece in pieces if piece))
        if not pieces:
            return Score(1.0)
        found = found_in(text, pieces, self.occurrence)
        marks = [Mark("char", place, -1.0, "flagged") for places in found for place in places]
        return Score(0.0, f"{len(pieces)} flagged, {sum(map(bool, found))} of them found in the reply", tuple(marks))
