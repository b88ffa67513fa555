"""Verdicts on disk: what counts as the same question, what is kept, and several processes at once."""

from __future__ import annotations

import json
import math
import multiprocessing
import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from sightline.core.errors import CompositionError, ConfigError
from sightline.judges import CachedJudge, OverlapJudge, Question, Sampling, Verdict, VerdictStore
from sightline.judges.fingerprint import fingerprints
from sightline.judges.stream import Streamed

asked: list[tuple[str, Question]] = []


@dataclass(frozen=True)
class Counting(Streamed):
    """Answers with the number of questions it has seen; fails where the prompt says so."""

    name: str = "counting"
    stop_after: int = 1_000_000

    @property
    def id(self) -> str:
        return self.name

    def stream(self, ability: Any, questions: Sequence[Question]) -> Iterator[tuple[int, Verdict[Any]]]:
        for number, question in reversed(list(enumerate(questions))):
            if len(asked) >= self.stop_after:
                raise KeyboardInterrupt
            asked.append((ability, question))
            fails = "fail" in question.text()
            yield number, Verdict(error="overloaded") if fails else Verdict(f"{question.text()} {len(asked)}")


@pytest.fixture(autouse=True)
def _fresh() -> None:
    asked.clear()


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "deep" / "verdicts.sqlite")


def test_equal_questions_are_asked_once_in_a_call_and_ever(path: str) -> None:
    judge = CachedJudge(Counting(), path)
    first = judge.generate([Question("a"), Question("b"), Question("a")])
    assert [verdict.value for verdict in first] == ["a 2", "b 1", "a 2"]
    assert judge.generate([Question("b"), Question("a")]) == [first[1], first[0]]
    assert len(asked) == 2


def test_errors_are_not_kept(path: str) -> None:
    judge = CachedJudge(Counting(), path)
    for _ in range(2):
        assert judge.generate([Question("fail")])[0].error == "overloaded"
    assert len(asked) == 2
    assert len(judge.store) == 0


def test_what_arrived_before_a_crash_is_kept(path: str) -> None:
    batch = [Question(str(number)) for number in range(5)]
    with pytest.raises(KeyboardInterrupt):
        CachedJudge(Counting(stop_after=3), path).generate(batch)
    assert all(verdict.value for verdict in CachedJudge(Counting(), path).generate(batch))
    assert len(asked) == 5


def test_key_holds_everything_that_can_change_the_answer(tmp_path: Path) -> None:
    red, blue = tmp_path / "red.png", tmp_path / "blue.png"
    Image.new("RGB", (4, 4), "red").save(red)
    Image.new("RGB", (4, 4), "blue").save(blue)
    base = Question("is {it}?", (("it", "red"),), images=(str(red),), options=("A", "B"), continuation="yes")
    variants = [
        base,
        replace(base, template="was {it}?"),
        replace(base, fields=(("it", "blue"),)),
        replace(base, fields=(("it", "red"), ("hidden", 1))),
        replace(base, fenced=("it",)),
        replace(base, images=(str(blue),)),
        replace(base, images=(str(red), str(red))),
        replace(base, options=("B", "A")),
        replace(base, continuation="no"),
        replace(base, sampling=Sampling(temperature=0.5)),
        replace(base, sampling=Sampling(max_tokens=1)),
        replace(base, sampling=Sampling(seed=1)),
    ]
    keys = [*fingerprints("generate", variants), *fingerprints("choose", [base])]
    assert len(set(keys)) == len(variants) + 1


def test_pictures_count_by_content(tmp_path: Path, path: str) -> None:
    here, there = tmp_path / "here.png", tmp_path / "there.png"
    Image.new("RGB", (4, 4), "red").save(here)
    there.write_bytes(here.read_bytes())
    judge = CachedJudge(Counting(), path)
    judge.generate([Question("q", images=(str(here),)), Question("q", images=(str(there),))])
    assert len(asked) == 1
    here.write_bytes(b"")
    Image.new("RGB", (5, 5), "blue").save(here)
    judge.generate([Question("q", images=(str(here),))])
    assert len(asked) == 2


def test_picture_that_cannot_be_read_is_the_judges_error(path: str) -> None:
    judge = CachedJudge(Counting(), path)
    verdicts = judge.generate([Question("q", images=("none.png",)), Question("q", images=("none2.png",))])
    assert len(verdicts) == len(asked) == 2
    assert len(judge.store) == 0


def test_judges_and_abilities_do_not_mix(path: str) -> None:
    question = Question("q")
    CachedJudge(Counting("one"), path).generate([question])
    CachedJudge(Counting("two"), path).generate([question])
    CachedJudge(Counting("two"), path).embed([question])
    assert len(asked) == 3


def test_values_come_back_as_they_were(path: str) -> None:
    store = VerdictStore(path)
    for key, value in {"text": "\ud800", "logp": (-math.inf, -1e-300), "vector": (0.1, 2.0)}.items():
        store.put("j", "loglik", key, "p", value)
    assert store.get("j", "loglik", ["text", "logp", "vector", "none"]) == {
        "text": "\ud800", "logp": (-math.inf, -1e-300), "vector": (0.1, 2.0)
    }  # fmt: skip
    assert [row.key for row in store] == ["logp", "text", "vector"]


def test_more_keys_than_a_statement_takes(path: str) -> None:
    questions = [Question(str(number)) for number in range(1_200)]
    judge = CachedJudge(Counting(), path)
    assert judge.generate(questions) == judge.generate(questions)
    assert len(asked) == 1_200


def _put_many(path: str, worker: int) -> None:
    store = VerdictStore(path)
    for number in range(50):
        store.put("j", "generate", f"{worker}-{number}", "p", "v")


def test_several_processes_write_at_once(path: str) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_put_many, args=(path, worker)) for worker in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert len(VerdictStore(path)) == 150


def test_file_that_is_something_else_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(json.dumps({"this is": "no database"}) * 20)
    with pytest.raises(ConfigError, match=r"notes\.txt"):
        CachedJudge(OverlapJudge(), str(path)).generate([Question("q")])


def test_wrapping_adds_no_ability(path: str) -> None:
    judge = CachedJudge(OverlapJudge(), path)
    with pytest.raises(CompositionError, match=r"overlap:0\.6 cannot `embed`"):
        judge.embed([Question("q")])
    assert pickle.loads(pickle.dumps(judge)) == judge
    assert judge.id == OverlapJudge().id
