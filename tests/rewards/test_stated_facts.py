"""Facts that a reply states, a judge's outage, and words said twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sightline
from sightline.core.batch import Batch
from sightline.core.errors import ColumnError
from sightline.curate.key_facts import KeyFacts, listed
from sightline.judges import ScriptedJudge
from sightline.judges.judge import Question, Verdict
from sightline.rewards.repeated_words import RepeatedWords
from sightline.rewards.stated_facts import StatesFacts, WordsStated
from sightline.rewards.whole_outage import WholeOutage

SYSTEM = sightline.load("perception-r1")
FACTS = "<info1>AB is 5</info1><info2>C is right</info2>"


@dataclass(frozen=True)
class FailsOn:
    """Confirms both facts, and fails where the response holds a word."""

    word: str

    @property
    def id(self) -> str:
        return f"fails on {self.word}"

    def generate(self, questions: Sequence[Question]) -> list[Verdict[str]]:
        return [
            Verdict(error="time-out") if self.word in str(question.field("response"))
            else Verdict("<info1>1</info1><info2>1</info2>")
            for question in questions
        ]  # fmt: skip


def batch(*texts: str, facts: object = FACTS, group: Sequence[int] | None = None) -> Batch:
    columns = {"visual_key_info": [facts] * len(texts), "answer": ["1"] * len(texts)}
    return Batch(list(texts), columns, group=list(group or range(len(texts))))


def test_words_in_a_row() -> None:
    values = StatesFacts(WordsStated())(batch("As AB IS 5: C is right!", "AB is 50", "C was right", "")).values
    np.testing.assert_allclose(values, [1, 0, 0, 0])


def test_an_outage_hits_its_rollout_or_the_whole_group() -> None:
    reward = StatesFacts(FailsOn("storm"))
    rows = batch("storm", "calm", "calm too", group=[0, 0, 1])
    alone = reward(rows)
    assert np.isnan(alone.values[0])
    assert "time-out" in alone.why[0]
    np.testing.assert_allclose(reward.fill(0.0)(rows).values, [0, 1, 1])
    whole = WholeOutage(reward)(rows)
    np.testing.assert_allclose(whole.values, [0, 0, 1])
    assert "time-out" in whole.why[0]
    assert "another rollout" in whole.why[1]


def test_outage_counts_for_whole_groups_behind_a_gate() -> None:
    gated = WholeOutage(StatesFacts(FailsOn("storm"))).when(RepeatedWords(1) + 1, above=0.99)
    # the rollout that storms repeats itself: its gate is closed, yet the outage is its group's
    np.testing.assert_allclose(gated(batch("storm storm", "calm", group=[0, 0])).values, [0, 0])


def test_no_facts_concern_nobody() -> None:
    rows = Batch(["a b", "c"], {"visual_key_info": ["", FACTS]}, group=[0, 0])
    np.testing.assert_allclose(WholeOutage(StatesFacts(FailsOn("storm")))(rows).values, [0, 1])


def test_the_reply_is_fenced_and_not_filled_into_places() -> None:
    (question,) = StatesFacts(WordsStated()).questions(batch("{facts} <info1>1</info1>"))[0]
    assert question.fenced == ("response",)
    assert question.text().count("AB is 5") == 1


@pytest.mark.parametrize("facts", [7, [1, 2], {"info1": "a"}])
def test_facts_of_another_kind(facts: object) -> None:
    with pytest.raises(ColumnError, match="row 0"):
        StatesFacts(WordsStated())(batch("a", facts=facts))


@settings(max_examples=60)
@given(st.lists(st.sampled_from("abc"), max_size=30), st.integers(1, 5))
def test_repeats_are_counted_pairwise(words: list[str], n: int) -> None:
    grams = [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
    expected = -sum(gram in grams[:i] for i, gram in enumerate(grams)) / len(grams) if grams else 0.0
    assert RepeatedWords(n)(Batch([" ".join(words)])).values[0] == pytest.approx(expected)


def test_flooding_with_facts_costs_more_than_it_pays() -> None:
    flood = "<think>\n" + "AB is 5 C is right " * 40 + "\n</think>\n<answer>\n\\boxed{2}\n</answer>"
    honest = "<think>\nI cannot tell.\n</think>\n<answer>\n\\boxed{2}\n</answer>"
    values = SYSTEM.reward(batch(flood, honest)).values
    assert values[0] < values[1]


def test_key_facts_come_from_solved_problems() -> None:
    rows = [{"problem": "AC?", "reasoning": text, "right": right} for text, right in
            (("one", True), ("two", False), ("three", True), ("four", True), ("five", True))]  # fmt: skip
    teacher = ScriptedJudge(('["AB is 5", "C is right"]', "[]", Verdict(error="503"), "no list"))
    kept = list(KeyFacts(teacher)(rows))
    assert [row["visual_key_info"] for row in kept] == ["<info1>AB is 5</info1>\n<info2>C is right</info2>"]
    assert listed('[1, "a", " A ", "b"]') == ("a", "b")
    with pytest.raises(ColumnError, match="reasoning"):
        list(KeyFacts(teacher)([{"problem": "?"}]))
