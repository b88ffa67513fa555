"""How near the answer comes to the reference in the space of a text encoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sightline.core.batch import Batch
from sightline.core.marks import Mark
from sightline.core.missing import Missing
from sightline.core.scores import Score, Scores, failed
from sightline.judges.judge import Ability, Question, Verdict
from sightline.judges.lexical import LexicalEmbedder
from sightline.metrics.embeddings import greedy_f1
from sightline.metrics.unigrams import words
from sightline.parse.tags import ANSWER, Span
from sightline.rewards.answers import Place
from sightline.rewards.gold import gold, gold_texts, texts
from sightline.rewards.reward import JudgedReward, Reward

Pieces = Callable[[str], Sequence[str]]
MOST = 128


def whole(text: str) -> Sequence[str]:
    """The text as one piece: its pooled embedding."""
    return (text,)


def each_word(text: str) -> Sequence[str]:
    """Every word by itself, the first 128: token vectors without their context."""
    return words(text)[:MOST]


@dataclass(frozen=True)
class MeaningAlike(JudgedReward):
    """Similarity of answer and reference by an encoder: cosine of pooled vectors, or greedy word matching.

    value = F of the best cosines between the pieces of both, clipped to 0..1; of whole texts that is their cosine.
    Of several accepted answers the nearest counts.

    Encoders give right and wrong answers of one field nearly the same value, and do not see negation: put it on a scale
    (`OnRecentScale`, `credit.recent_scale.RecentScale`) before it is added to other rewards, and look at its spread.

    Args:
        judge: embeds texts; for medicine, a biomedical encoder.
        pieces: text -> the pieces that are embedded: `whole` or `each_word`.
        block: where the answer stands.
        column: the reference: a text or a number, or a list of accepted ones.
        instead: a column whose text is compared in the place of the answer (the question, to see what copying earns).

    Reads: `column`, and `instead` if given. Range: 0..1. NaN: the encoder failed. Marks: the answer.
    Low: no complete answer block, an answer without letter or digit; no call is spent then.

    Example:
        >>> said = ["<answer>left lung</answer>", "<answer>the liver</answer>", "left lung"]
        >>> MeaningAlike(LexicalEmbedder())(Batch(said, {"answer": ["the left lung"] * 3})).values.round(6)
        array([1., 0., 0.])

    References:
        Breaking Reward Collapse (ARMed), arXiv 2508.12957. Zhang et al., BERTScore, arXiv 1904.09675.
    """

    pieces: Pieces = whole
    block: Place = ANSWER
    column: str = "answer"
    instead: str = ""
    ability: ClassVar[Ability] = "embed"

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        said = ("left lung", "the liver", "", "?", "lung, left")
        rows: list[dict[str, Any]] = [
            {"completion": f"<answer>{text}</answer>", "answer": "left lung"} for text in said
        ]
        return cls(LexicalEmbedder(), each_word), [*rows, {"completion": "lung", "answer": ["lung", "left lung"]}]

    def needs(self) -> tuple[str, ...]:
        return (self.column, self.instead) if self.instead else (self.column,)

    def check(self, batch: Batch) -> None:
        super().check(batch)
        gold(batch, self.column, type(self).__name__, gold_texts)
        if self.instead:
            texts(batch, self.instead, type(self).__name__)

    def questions(self, batch: Batch) -> list[tuple[Question, ...]]:
        rows = zip(self._said(batch), self._right(batch), strict=True)
        return [self._asked(said, right) for said, right in rows]

    def judged(self, batch: Batch, verdicts: list[tuple[Verdict[Any], ...]]) -> Scores:
        rows = zip(self._said(batch), self._right(batch), verdicts, strict=True)
        return Scores.from_rows([self._one(*row) for row in rows])

    def _said(self, batch: Batch) -> list[Span | Missing]:
        if self.instead:
            return [Span(text, 0, 0) for text in texts(batch, self.instead, type(self).__name__)]
        return batch.parse(self.block.span)

    def _right(self, batch: Batch) -> list[tuple[str, ...]]:
        return gold(batch, self.column, type(self).__name__, gold_texts)

    def _asked(self, said: Span | Missing, right: tuple[str, ...]) -> tuple[Question, ...]:
        if _flaw(said):
            return ()
        assert not isinstance(said, Missing)
        return tuple(
            Question("{text}", (("text", piece),)) for text in (said.text, *right) for piece in self.pieces(text)
        )

    def _one(self, said: Span | Missing, right: tuple[str, ...], verdicts: tuple[Verdict[Any], ...]) -> Score:
        flaw = _flaw(said)
        if flaw:
            return Score(0.0, flaw)
        assert not isinstance(said, Missing)
        broken = next((verdict.error for verdict in verdicts if verdict.value is None), None)
        if broken is not None:
            return failed(broken)
        vectors = [tuple(verdict.value) for verdict in verdicts if verdict.value is not None]
        if len(set(map(len, vectors))) > 1:
            return failed("the encoder gave vectors of different lengths")
        ends = [len(self.pieces(text)) for text in (said.text, *right)]
        mine, rest = vectors[: ends[0]], vectors[ends[0] :]
        best = 0.0
        for size in ends[1:]:
            best, rest = max(best, greedy_f1(mine, rest[:size])), rest[size:]
        why = f"alike with {best:.3f}"
        return Score(best, why, () if self.instead else (Mark("char", (said.start, said.end), best, why),))


def _flaw(said: Span | Missing) -> str:
    if isinstance(said, Missing):
        return said.why
    return "" if any(map(str.isalnum, said.text)) else "nothing to embed: no letter or digit"
