"""Verdicts one by one, in the order in which they arrive.

What is written down as soon as it arrives is not lost when the process is killed. A judge that can `stream` gets its
four abilities from here; one that cannot is asked in one go.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

from sightline.core.errors import CompositionError, ConfigError, MissingExtra
from sightline.judges.judge import Ability, Judge, Question, Verdict, answered, checked

Arrival: TypeAlias = tuple[int, Verdict[Any]]


@runtime_checkable
class Streams(Judge, Protocol):
    """A judge that hands out each verdict, with the number of its question, as soon as it is there."""

    def stream(self, ability: Ability, questions: Sequence[Question]) -> Iterator[Arrival]: ...


class Streamed:
    """The four abilities, made of `stream`."""

    def stream(self, ability: Ability, questions: Sequence[Question]) -> Iterator[Arrival]:
        """One (number of the question, verdict) per question, in any order."""
        raise CompositionError(f"{type(self).__name__} does not define `stream`")

    def generate(self, questions: Sequence[Question]) -> list[Verdict[str]]:
        """A text per question."""
        return gathered(self.stream("generate", questions), len(questions))

    def choose(self, questions: Sequence[Question]) -> list[Verdict[tuple[float, ...]]]:
        """The probability of each option, adding up to 1 over the options."""
        return gathered(self.stream("choose", questions), len(questions))

    def loglik(self, questions: Sequence[Question]) -> list[Verdict[tuple[float, ...]]]:
        """The natural log-probability of each token of the continuation, given the prompt."""
        return gathered(self.stream("loglik", questions), len(questions))

    def embed(self, questions: Sequence[Question]) -> list[Verdict[tuple[float, ...]]]:
        """A vector per question."""
        return gathered(self.stream("embed", questions), len(questions))


def arrivals(judge: Judge, ability: Ability, questions: Sequence[Question]) -> Iterator[Arrival]:
    """The verdicts of any judge as they arrive, one per question; what goes wrong is an error, as in `answered`.

    Raises:
        CompositionError: the judge lacks the ability.
        ConfigError, MissingExtra: the caller has set up the judge wrongly.
    """
    if getattr(judge, ability, None) is None or not isinstance(judge, Streams):
        yield from enumerate(answered(judge, ability, questions))
        return
    open_numbers = dict.fromkeys(range(len(questions)))
    missing = "the judge ended without an answer"
    try:
        for number, verdict in judge.stream(ability, questions):
            if number in open_numbers:  # a number that is none of ours, or was there before, is no answer
                del open_numbers[number]
                yield number, checked(ability, questions[number], verdict)
    except (ConfigError, CompositionError, MissingExtra):
        raise
    except Exception as error:  # noqa: BLE001 - the boundary where a judge's failure becomes a reason
        missing = f"{type(error).__name__}: {error}"[:500]
    yield from ((number, Verdict(error=missing)) for number in open_numbers)


def gathered(stream: Iterator[Arrival], size: int) -> list[Verdict[Any]]:
    """A stream of `size` verdicts, in the order of the questions."""
    verdicts: list[Verdict[Any]] = [Verdict(error="the judge ended without an answer")] * size
    for number, verdict in stream:
        if 0 <= number < size:
            verdicts[number] = verdict
    return verdicts
