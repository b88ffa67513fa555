"""Choosing among candidates without a reference: the one whose statements lie nearest to what was written before.

A bank holds sentence vectors of training texts. The most typical candidate is not always the right one: a rare true
finding lies far from the bank.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sightline.core.errors import ConfigError, JudgeError
from sightline.judges.judge import Embeds, Question, ask
from sightline.metrics.set_distances import ONE_EMPTY, Floats, chamfer, nearest_costs
from sightline.parse.sentences import Sentences

NO_STATEMENT = -ONE_EMPTY
SENTENCES = Sentences()


def typicality(X: ArrayLike, bank: ArrayLike) -> float:
    """-(1/m) sum_i min_b cost(x_i, b): how well every statement is supported by the bank. -2 without a statement.

    Args:
        X: (m, D) vectors of the candidate's sentences.
        bank: (B, D) vectors of training sentences, at least one.

    Example:
        >>> typicality([[1, 0, 0], [0, 1, 0]], [[1, 0, 0], [0, 1, 0]]), typicality([[0, 0, 1]], [[1, 0, 0]])
        (0.0, -1.0)
    """
    costs = nearest_costs(X, bank)
    return 0.0 - float(costs.mean()) if len(costs) else NO_STATEMENT


def report_typicality(X: ArrayLike, reports: Sequence[ArrayLike], k: int = 5) -> float:
    """Minus the mean Chamfer distance to the k nearest training reports. -2 without a statement.

    Example:
        >>> report_typicality([[1, 0]], [[[1, 0]], [[0, 1]], [[1, 0], [0, 1]]], k=2)
        -0.125
    """
    distances = sorted(chamfer(X, report) for report in reports)[:k]
    return 0.0 - float(np.mean(distances)) if np.size(X) and distances else NO_STATEMENT


def eligible(counts: Sequence[int], least: int = 3, share: float = 0.5) -> list[bool]:
    """Which candidates are long enough to be chosen: at least `least` sentences and `share` of the median count.

    If none is, all are.

    Example:
        >>> eligible([10, 4, 2, 10]), eligible([1, 2])
        ([True, True, False, True], [True, True])
    """
    floor = max(float(least), share * float(np.median(counts))) if len(counts) else 0.0
    long = [count >= floor for count in counts]
    return long if any(long) else [True] * len(counts)


def best(scores: Sequence[float], counts: Sequence[int] | None = None, least: int = 3, share: float = 0.5) -> int:
    """The eligible candidate with the highest score, the first of several.

    Raises:
        ConfigError: there is no candidate.

    Example:
        >>> best([-0.5, -0.1, -0.1]), best([-0.5, -0.1, -0.3], counts=[6, 1, 6])
        (1, 2)
    """
    if not len(scores):
        raise ConfigError("no candidate to choose from")
    allowed = eligible(counts, least, share) if counts is not None else [True] * len(scores)
    return max((i for i in range(len(scores)) if allowed[i]), key=lambda i: (scores[i], -i))


@dataclass(frozen=True, eq=False)
class Bank:
    """Sentence vectors of training texts, embedded once.

    Args:
        judge: the encoder.
        vectors: (B, D) of all distinct sentences.
        reports: per report (n, D); kept for `k`.
        k: 0: a candidate's sentences are compared with all sentences; else whole reports with the k nearest.
        sentences: text -> statements.

    Example:
        >>> from sightline.judges.lexical import LexicalEmbedder
        >>> bank = Bank.of(LexicalEmbedder(), ["Heart is normal. No effusion.", "Lungs are clear."])
        >>> [abs(round(score, 3)) for score in bank.scores(["No effusion. Lungs are clear.", "Pigs fly.", ""])]
        [0.0, 1.0, 2.0]
    """

    judge: Embeds
    vectors: Floats
    reports: tuple[Floats, ...]
    k: int = 0
    sentences: Sentences = SENTENCES

    @classmethod
    def of(cls, judge: Embeds, texts: Sequence[str], k: int = 0, sentences: Sentences = SENTENCES) -> Bank:
        """The bank of some training texts.

        Raises:
            ConfigError: they hold no sentence.
            JudgeError: the encoder failed.
        """
        reports = embedded(judge, [[span.text for span in sentences(text)] for text in texts])
        known = [report for report in reports if len(report)]
        if not known:
            raise ConfigError(f"a bank needs sentences; {len(texts)} texts have none")
        every = np.unique(np.concatenate(known), axis=0)  # copies change no minimum
        return cls(judge, every, tuple(known), k, sentences)

    def scores(self, texts: Sequence[str], complete: bool = False) -> list[float]:
        """How typical each text is; -2 without a statement.

        Args:
            complete: only sentences that are ended count, for texts that are still being written.
        """
        split = replace(self.sentences, complete=complete)
        sets = embedded(self.judge, [[span.text for span in split(text)] for text in texts])
        if self.k:
            return [report_typicality(X, self.reports, self.k) for X in sets]
        return [typicality(X, self.vectors) for X in sets]

    def rate(self, texts: Sequence[str], ended: Sequence[bool]) -> list[float]:
        """How typical texts are; of those still being written only sentences that are ended count."""
        scores = [0.0] * len(texts)
        for done in (True, False):
            rows = [i for i, end in enumerate(ended) if bool(end) is done]
            for i, value in zip(rows, self.scores([texts[i] for i in rows], complete=not done), strict=True):
                scores[i] = value
        return scores

    def choose(self, texts: Sequence[str], least: int = 3, share: float = 0.5) -> int:
        """The best of finished candidates: the most typical one that is long enough."""
        return best(self.scores(texts), [len(self.sentences(text)) for text in texts], least, share)


def embedded(judge: Embeds, texts: Sequence[Sequence[str]]) -> list[Floats]:
    """(n, D) vectors of each list of sentences, equal sentences embedded once, all in one call.

    Raises:
        JudgeError: the encoder failed for one of them.
    """
    flat = [Question(text) for group in texts for text in group]
    if not flat:
        return [np.zeros((0, 0)) for _ in texts]
    verdicts: list[Any] = ask(judge, "embed", flat)
    broken = next((verdict.error for verdict in verdicts if verdict.value is None), None)
    if broken is not None:
        raise JudgeError(f"{judge.id} failed: {broken}")
    vectors = np.array([verdict.value for verdict in verdicts], dtype=np.float64).reshape(len(flat), -1)
    ends = np.cumsum([len(group) for group in texts])
    return [vectors[end - len(group) : end] for end, group in zip(ends.tolist(), texts, strict=True)]
