"""Candidates that are written in parallel and dropped while they are being written.

At each checkpoint the completed sentences are scored and the better half goes on. The module knows the writer only as
something that extends texts; what a text is worth is a function that it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from sightline.core.errors import ConfigError
from sightline.parse.sentences import Sentences
from sightline.search.typical import best

Score = Callable[[Sequence[str], Sequence[bool]], Sequence[float]]
"""(texts, which of them have ended) -> a score each; unfinished texts are judged by their completed sentences."""


class Piece(NamedTuple):
    """A candidate as it stands: its text, how many tokens it has, and whether it has ended."""

    text: str
    tokens: int
    ended: bool


class Writer(Protocol):
    """Writes candidates in parallel."""

    def extend(self, candidates: Sequence[int], tokens: int) -> Sequence[Piece]:
        """Each of `candidates` written on until it has `tokens` tokens in all, or has ended."""
        ...


@dataclass(frozen=True)
class Pruned:
    """What became of N candidates.

    Args:
        chosen: the candidate that was picked.
        text: its text.
        tokens: written by all candidates together.
        saving: 1 - tokens / (N * budget).
        alive: candidates that were finished.
        scores: the last score of every candidate.
    """

    chosen: int
    text: str
    tokens: int
    saving: float
    alive: tuple[int, ...]
    scores: tuple[float, ...]


@dataclass(frozen=True)
class Halving:
    """Keep the better half at every checkpoint.

    keep = max(1, floor(alive / 2)), ties to the lower index. Candidates that have ended keep their score, still count
    among the alive, and cost nothing more.

    Args:
        shares: checkpoints as shares of the budget.
        every: instead, a checkpoint whenever all alive candidates have completed so many more sentences or ended; 0:
            `shares` count.
        stride: tokens between two looks, for `every`.
        least, share: which finished candidates are long enough to be chosen; not asked while they are written.

    Raises:
        ConfigError: shares are not increasing between 0 and 1.

    Example:
        >>> class Letters:
        ...     def extend(self, candidates, tokens):
        ...         return [Piece("ab. " * (tokens // 4), tokens, False) for _ in candidates]
        >>> found = Halving()(Letters(), 8, 100, lambda texts, ended: [0.0] * len(texts))
        >>> found.tokens, found.saving, found.chosen
        (375, 0.53125, 0)

    References:
        SDR, arXiv 2606.00440; the schedule is ours.
    """

    shares: tuple[float, ...] = (0.25, 0.5, 0.75)
    every: int = 0
    stride: int = 8
    least: int = 3
    share: float = 0.5
    sentences: Sentences = Sentences()

    def __post_init__(self) -> None:
        ordered = all(a < b for a, b in zip(self.shares, self.shares[1:], strict=False))
        if not ordered or not all(0 < share < 1 for share in self.shares):
            raise ConfigError(f"checkpoints must increase between 0 and 1, got {self.shares}")

    def __call__(self, writer: Writer, candidates: int, budget: int, score: Score) -> Pruned:
        """Write, prune and pick.

        Args:
            writer: extends candidates 0 .. N - 1.
            candidates: N.
            budget: most tokens of a candidate.
            score: of texts, for instance `Bank.rate`.

        Raises:
            ConfigError: there is no candidate, or no token to write.
        """
        if candidates < 1 or budget < 1:
            raise ConfigError(f"{candidates} candidates of {budget} tokens: both must be at least 1")
        state = _State([Piece("", 0, False)] * candidates, list(range(candidates)), [-float("inf")] * candidates)
        for at in self._checkpoints(writer, state, budget):
            state.extend(writer, at)
            state.rate(score)
            keep = max(1, len(state.alive) // 2)
            ranked = sorted(state.alive, key=lambda i: (-state.scores[i], i))
            state.alive = sorted(ranked[:keep])
        state.extend(writer, budget)
        state.rate(score)
        texts = [state.pieces[i].text for i in state.alive]
        counts = [len(self.sentences(text)) for text in texts]
        chosen = state.alive[best([state.scores[i] for i in state.alive], counts, self.least, self.share)]
        tokens = sum(piece.tokens for piece in state.pieces)
        saving = 1.0 - tokens / (candidates * budget)
        return Pruned(chosen, state.pieces[chosen].text, tokens, saving, tuple(state.alive), tuple(state.scores))

    def _checkpoints(self, writer: Writer, state: _State, budget: int) -> Iterator[int]:
        if not self.every:
            yield from (round(share * budget) for share in self.shares)
            return
        wanted, at = self.every, 0
        while at + self.stride < budget and len(state.alive) > 1:
            at += self.stride
            state.extend(writer, at)
            split = replace(self.sentences, complete=True)
            going = [state.pieces[i] for i in state.alive if not state.pieces[i].ended]
            if not going:
                return
            if all(len(split(piece.text)) >= wanted for piece in going):
                wanted += self.every
                yield at


@dataclass
class _State:
    """All candidates while they are written."""

    pieces: list[Piece]
    alive: list[int]
    scores: list[float]

    def extend(self, writer: Writer, tokens: int) -> None:
        going = [i for i in self.alive if not self.pieces[i].ended and self.pieces[i].tokens < tokens]
        for i, piece in zip(going, writer.extend(going, tokens) if going else (), strict=True):
            self.pieces[i] = piece

    def rate(self, score: Score) -> None:
        pieces = [self.pieces[i] for i in self.alive]
        values = score([piece.text for piece in pieces], [piece.ended for piece in pieces])
        for i, value in zip(self.alive, values, strict=True):
            self.scores[i] = float(value)
