"""A judge that is never asked the same question twice, not even after a crash."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sightline.judges.fingerprint import fingerprints
from sightline.judges.judge import Ability, Judge, Question, Verdict
from sightline.judges.store import VerdictStore
from sightline.judges.stream import Arrival, Streamed, arrivals


@dataclass(frozen=True)
class CachedJudge(Streamed):
    """A judge with its verdicts on disk.

    A verdict is looked up by judge id, ability, prompt text, fields, options, continuation, sampling and the content of
    the pictures. Each is written as soon as it arrives. Errors are not kept: they are asked again the next time. With a
    temperature above 0 the first sample stays the answer.

    Args:
        judge: who is asked what is not known yet. It can do here what it can do alone.
        path: the sqlite file; several processes may share it.

    Raises:
        ConfigError: on use, if the file cannot be used.
        CompositionError: on use, if the judge lacks the ability.

    Example:
        >>> import tempfile
        >>> from sightline.judges import OverlapJudge
        >>> question = Question("", (("evidence", ("a red ball",)), ("reasoning", "the ball is red")))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     judge = CachedJudge(OverlapJudge(), f"{folder}/verdicts.sqlite")
        ...     judge.generate([question]), len(judge.store)
        ([Verdict(value='1', error='')], 1)
    """

    judge: Judge
    path: str

    @property
    def id(self) -> str:
        return self.judge.id

    @property
    def store(self) -> VerdictStore:
        """The verdicts that are kept."""
        return VerdictStore(self.path)

    def stream(self, ability: Ability, questions: Sequence[Question]) -> Iterator[Arrival]:
        """Known verdicts first, then new ones as they arrive, each written before it is handed on."""
        keys = fingerprints(ability, questions)
        known = self.store.get(self.id, ability, [key for key in keys if key is not None])
        waiting: dict[str, list[int]] = {}
        for number, key in enumerate(keys):
            if key in known:
                yield number, Verdict(known[key])
            else:  # a picture that cannot be read has no key: the judge says what is wrong with it
                waiting.setdefault(f"no key {number}" if key is None else key, []).append(number)
        if waiting:
            yield from self._ask(ability, questions, waiting)

    def _ask(self, ability: Ability, questions: Sequence[Question], waiting: dict[str, list[int]]) -> Iterator[Arrival]:
        asked = list(waiting.items())
        first = [questions[numbers[0]] for _, numbers in asked]
        judge_id = self.id
        with self.store.writer() as write:
            for place, verdict in arrivals(self.judge, ability, first):
                key, numbers = asked[place]
                if not verdict.error and not key.startswith("no key"):
                    write(judge_id, ability, key, first[place].text(), verdict.value)
                yield from ((number, verdict) for number in numbers)
