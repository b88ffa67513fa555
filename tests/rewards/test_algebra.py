"""The laws of the reward algebra."""

from __future__ import annotations

import pickle
from dataclasses import dataclass

import numpy as np
import pytest

from sightline.core import Batch, Rollout, Score, Scores, abstain
from sightline.core.errors import ColumnError, CompositionError
from sightline.judges import Question, Verdict
from sightline.rewards import Constant, JudgedReward, RowReward, Switch, with_judge

CALLS: list[str] = []


@dataclass(frozen=True)
class Says(RowReward):
    """1 if the text holds a word; remembers every text it looked at."""

    word: str

    def row(self, rollout: Rollout) -> Score:
        CALLS.append(rollout.text)
        return Score(float(self.word in rollout.text), f"says {self.word}?")


@dataclass(frozen=True)
class Nothing(RowReward):
    """Abstains on texts without words."""

    reads = ("answer",)

    def row(self, rollout: Rollout) -> Score:
        return Score(1.0) if rollout.text else abstain("empty")


@dataclass(frozen=True)
class Counter:
    """A judge that says yes to texts with an x, and counts what it was asked."""

    name: str = "counter"

    @property
    def id(self) -> str:
        return self.name

    def generate(self, questions: list[Question]) -> list[Verdict[str]]:
        ASKED.append([q.field("said") for q in questions])
        return [
            Verdict(error="down") if q.field("said") == "err" else Verdict(str(int("x" in q.field("said"))))
            for q in questions
        ]


ASKED: list[list[str]] = []


@dataclass(frozen=True)
class Judged(JudgedReward):
    tag: str = ""

    def questions(self, batch: Batch) -> list[tuple[Question, ...]]:
        return [(Question("{said}", (("said", text),)),) if text else () for text in batch.texts]

    def judged(self, batch: Batch, verdicts: list[tuple[Verdict[str], ...]]) -> Scores:
        rows = []
        for row in verdicts:
            if not row:
                rows.append(Score(0.0, "said nothing"))
            elif row[0].value is None:
                rows.append(Score(float("nan"), "error: " + row[0].error))
            else:
                rows.append(Score(float(row[0].value)))
        return Scores.from_rows(rows)


@pytest.fixture(autouse=True)
def _forget() -> None:
    CALLS.clear()
    ASKED.clear()


def test_equal_node_is_evaluated_once() -> None:
    a = Says("a")
    total = a + 2 * Says("a") + Constant(1.0).when(Says("a"))
    assert total(Batch(["a", "b"])).values.tolist() == [4.0, 0.0]
    assert CALLS == ["a", "b"]


def test_closed_gate_gives_zero_and_hides_the_rest() -> None:
    gated = (0.3 * Says("y").named("y")).when(Says("x").named("x"))
    scores = gated(Batch(["x", "xy", "y"]))
    assert scores.values.tolist() == [0.0, 0.3, 0.0]
    assert CALLS == ["x", "xy", "y", "x", "xy"]
    assert np.isnan(scores.parts["y"].values[2])
    assert scores.parts["y"].why[2] == "abstain: not evaluated: gate closed: x <= 0"


def test_a_gate_that_opens_later_evaluates_only_what_is_new() -> None:
    y = Says("y")
    (y.when(Says("x")) + y)(Batch(["x", "z"]))
    assert CALLS == ["x", "z", "x", "z"]


def test_nan_spreads_and_only_fill_stops_it() -> None:
    batch = Batch(["a", ""], {"answer": [1, 1]})
    scores = (Nothing() + Says("a"))(batch)
    assert np.isnan(scores.values[1])
    assert scores.why[1] == "abstain: empty"
    assert scores.abstained.tolist() == [False, True]
    assert np.isnan((Nothing() * 0.0)(batch).values[1])
    assert np.isnan(Constant(1.0).when(Nothing())(batch).values[1])
    assert (Nothing().fill(0.5) + 1)(batch).values.tolist() == [2.0, 1.5]


def test_missing_column_is_named_before_anything_is_scored() -> None:
    with pytest.raises(ColumnError, match=r"Nothing reads column `answer`; .*Did you mean `answers`"):
        (Says("a") + Nothing())(Batch(["a"], {"answers": [1]}))
    assert CALLS == []


def test_questions_are_gathered_and_asked_once_behind_their_gates() -> None:
    judged, other = Judged(Counter()), Judged(Counter(), tag="other")
    total = judged.named("one") + other + Judged(Counter(), tag="late").when(judged)
    scores = total(Batch(["x", "x", "o", "", "err"]))
    assert ASKED == [["x", "o", "err"]]
    assert scores.values[:4].tolist() == [3.0, 3.0, 0.0, 0.0]
    assert scores.why[4] == "error: down"
    assert scores.errors.tolist() == [False] * 4 + [True]


def test_no_judge_call_behind_a_closed_gate() -> None:
    Judged(Counter()).when(Says("x"))(Batch(["a", "b"]))
    assert ASKED == []


def test_judge_can_be_exchanged() -> None:
    total = Judged(Counter("first")).when(Says("x")) + 1
    assert with_judge(total, Counter("second")) == Judged(Counter("second")).when(Says("x")) + 1


def test_group_count_sees_whole_groups_behind_a_gate() -> None:
    count = Says("a").group_count().when(Says("b"))
    assert count(Batch(["a", "ab", "b", "b"], group=[0, 0, 1, 1])).values.tolist() == [0.0, 2.0, 0.0, 0.0]


def test_switch_scores_each_row_by_its_kind() -> None:
    switch = Switch("kind", {"a": Says("a").named("part"), "b": Says("b").named("part")})
    scores = switch(Batch(["a", "a", "b"], {"kind": ["a", "b", "b"]}))
    assert scores.values.tolist() == [1.0, 0.0, 1.0]
    assert scores.parts["part"].values.tolist() == [1.0, 0.0, 1.0]
    with pytest.raises(ColumnError, match=r"row 0 is 'c'; it needs one of \['a', 'b'\]"):
        switch(Batch(["a"], {"kind": ["c"]}))
    assert switch.only("b") == Says("b").named("part")


def test_two_rewards_of_one_name_are_refused() -> None:
    with pytest.raises(CompositionError, match="two different rewards are named `n`"):
        (Says("a").named("n") + Says("b").named("n"))(Batch(["a"]))


def test_map_refuses_closures() -> None:
    with pytest.raises(CompositionError, match="closures neither pickle nor compare"):
        Says("a").map(lambda values: values)
    assert Says("a").map(np.sqrt)(Batch(["a"])).values.tolist() == [1.0]


def test_expressions_pickle_compare_and_know_their_range() -> None:
    total = (Says("a") - 0.5 * Says("b")).clip(-0.25, 1.0) * Says("c") + 1
    assert pickle.loads(pickle.dumps(total)) == total
    assert total.bounds() == (0.75, 2.0)
    assert hash(total) == hash(pickle.loads(pickle.dumps(total)))


def test_numbers_only() -> None:
    with pytest.raises(CompositionError, match="not to str 'x'"):
        Says("a") + "x"  # type: ignore[operator]


def test_tool_text_is_not_the_policys() -> None:
    turns = [{"role": "assistant", "content": "b"}, {"role": "tool", "content": "a"}]
    assert Says("a")(Batch([turns])).values.tolist() == [0.0]


def test_empty_batch() -> None:
    assert len((Says("a") + Constant(1.0).when(Says("b")))(Batch([]))) == 0
