"""Judges that break the rules: whatever they do becomes a reason, and nobody else suffers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sightline.core.batch import Batch
from sightline.core.errors import ConfigError
from sightline.judges import CachedJudge, LexicalJudge, Question, Verdict, ask
from sightline.rewards.look import Column, Look, NoPictures
from sightline.rewards.second_look import ChosenAgain, Echo, FoundAgain

LOOK = Look("{q}", (("q", Column("q")),), NoPictures(), options=("red", "blue"), continuation="a red ball")
COLUMNS = {"q": [f"red {number}" for number in range(20)], "answer": ["red"] * 20}
BAD = frozenset(range(0, 20, 3))


class Liar(list[Any]):
    def __len__(self) -> int:
        return 10**6


@dataclass(frozen=True)
class Misbehaving:
    """The lexical judge, but questions of `BAD` numbers are answered wrongly in one of several ways."""

    how: str

    @property
    def id(self) -> str:
        return f"misbehaving: {self.how}"

    def _answers(self, ability: str, questions: Sequence[Question]) -> Any:
        good = getattr(LexicalJudge(), ability)(questions)
        bad = [int(str(question.field("q")).split()[-1]) in BAD for question in questions]
        wrong = {
            "no verdict": "red",
            "nothing": Verdict(),
            "not a number": Verdict((float("nan"), 0.5)),
            "too many numbers": Verdict((0.2, 0.3, 0.5)),
            "a number": Verdict(3),
            "error": Verdict(error="HTTP 500: broken"),
        }
        if self.how == "missing":
            return [verdict for verdict, is_bad in zip(good, bad, strict=True) if not is_bad]
        if self.how == "doubled":
            return [one for verdict, is_bad in zip(good, bad, strict=True) for one in [verdict] * (1 + is_bad)]
        if self.how == "liar":
            return Liar(good)
        return [wrong[self.how] if is_bad else verdict for verdict, is_bad in zip(good, bad, strict=True)]

    def generate(self, questions: Sequence[Question]) -> Any:
        return self._answers("generate", questions)

    def choose(self, questions: Sequence[Question]) -> Any:
        return self._answers("choose", questions)

    def loglik(self, questions: Sequence[Question]) -> Any:
        return self._answers("loglik", questions)


WAYS = {
    "generate": ("missing", "doubled", "no verdict", "nothing", "a number", "error", "not a number"),
    "choose": ("missing", "doubled", "no verdict", "nothing", "a number", "error", "not a number", "too many numbers"),
    "loglik": ("missing", "doubled", "no verdict", "nothing", "a number", "error", "not a number"),
}
LEAVES = {"generate": FoundAgain, "choose": ChosenAgain, "loglik": Echo}


@pytest.mark.parametrize(("ability", "how"), [(ability, how) for ability, ways in WAYS.items() for how in ways])
def test_only_the_rollouts_concerned_are_not_scored(ability: str, how: str) -> None:
    batch = Batch([""] * 20, COLUMNS)
    calm = LEAVES[ability](LexicalJudge(), LOOK)(batch)
    scores = LEAVES[ability](Misbehaving(how), LOOK)(batch)
    for row in range(20):
        if row in BAD:
            assert np.isnan(scores.values[row])
            assert scores.why[row].startswith("error: ")
        else:
            assert scores.values[row] == calm.values[row]


def test_a_list_that_lies_about_its_length_is_counted() -> None:
    batch = Batch([""] * 20, COLUMNS)
    assert (FoundAgain(Misbehaving("liar"), LOOK)(batch).values == 1.0).all()


@dataclass(frozen=True)
class Raising:
    """Raises after some verdicts."""

    error: type[Exception]
    after: int = 0
    streams: bool = False

    @property
    def id(self) -> str:
        return "raising"

    def generate(self, questions: Sequence[Question]) -> list[Verdict[str]]:
        raise self.error("down")


class Breaking(Raising):
    def stream(self, ability: str, questions: Sequence[Question]) -> Iterator[Any]:
        yield from ((number, Verdict("red")) for number in range(self.after))
        yield 10**9, Verdict("whose?")
        yield 0, Verdict("again")
        raise self.error("down")


@pytest.mark.parametrize("error", [TimeoutError, ConnectionError, ValueError, KeyError, ZeroDivisionError])
def test_what_a_judge_raises_is_a_reason(error: type[Exception]) -> None:
    scores = FoundAgain(Raising(error), LOOK)(Batch([""] * 20, COLUMNS))
    assert scores.errors.all()
    assert all(error.__name__ in why for why in scores.why)


def test_a_wrong_set_up_still_stops() -> None:
    with pytest.raises(ConfigError, match="down"):
        ask(Raising(ConfigError), "generate", [Question("a")])


def test_a_stream_that_breaks_keeps_what_arrived(tmp_path: Path) -> None:
    judge = CachedJudge(Breaking(TimeoutError, after=3), str(tmp_path / "v.sqlite"))
    verdicts = ask(judge, "generate", [Question(str(number)) for number in range(5)])
    assert [verdict.value for verdict in verdicts] == ["red"] * 3 + [None] * 2
    assert all("TimeoutError: down" in verdict.error for verdict in verdicts[3:])
    assert len(judge.store) == 3
