from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.core.missing import Missing
from sightline.parse.boxed_reply import BoxInBlock, ThinkAnswerBox
from sightline.parse.numbered_facts import FactShare, as_numbered, numbered_facts

PIECES = ["<think>\n", "\n</think>\n<answer>\n", "\n</answer>", "\\boxed{", "}", "{", "\n", "a", "</think>", "<answer>"]
EXPRESSION = re.compile(r"<think>\n.*?\n</think>\n<answer>\n.*?\\boxed\{.+?\}.*?\n</answer>", re.DOTALL)


@settings(max_examples=400)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_form_is_the_released_expression(middle: str) -> None:
    for text in (middle, f"<think>\n{middle}\n</answer>", f"<think>\n\n</think>\n<answer>\n{middle}\n</answer>"):
        found = ThinkAnswerBox()(text)
        assert (not isinstance(found, Missing)) == (EXPRESSION.fullmatch(text) is not None), text


FACTS = st.lists(st.text("ab <>=", min_size=1, max_size=6).map(str.strip).filter(bool), max_size=5)


@settings(max_examples=80)
@given(FACTS)
def test_facts_come_back(facts: list[str]) -> None:
    assert numbered_facts(as_numbered(tuple(facts))) == tuple(facts)


@settings(max_examples=80)
@given(st.lists(st.sampled_from(["0", "1"]), min_size=1, max_size=8))
def test_full_replies_agree_up_to_the_constant(verdicts: list[str]) -> None:
    reply, m = as_numbered(tuple(verdicts)), len(verdicts)
    assert FactShare()(reply, m) == pytest.approx(verdicts.count("1") / m)
    assert FactShare(released=True)(reply, m) == pytest.approx(verdicts.count("1") / (m + 1e-6))


@settings(max_examples=80)
@given(st.text("<>/info12 .nae-", max_size=60), st.integers(1, 4))
def test_any_reply_is_a_share(reply: str, m: int) -> None:
    assert 0 <= FactShare()(reply, m) <= 1
    assert 0 <= FactShare(released=True)(reply, m) <= 1


def test_one_confirmed_fact_never_pays_for_others() -> None:
    assert FactShare()("<info1>1</info1>", 10) == pytest.approx(0.1)
    assert FactShare(released=True)("<info1>1</info1>", 10) == pytest.approx(1, abs=1e-5)


@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
def test_long_replies_are_cheap() -> None:
    FactShare(released=True)("<info1>1</info1>" * 5_000, 3)
    numbered_facts("<info1>" * 20_000)
    ThinkAnswerBox()("<think>\n" + "\n</think>\n<answer>\n\\boxed{" * 20_000)


def test_the_answer_knows_its_place() -> None:
    text = "<answer>1</answer> <answer>\nso \\boxed{\\frac{1}{2}} or \\boxed{3\n</answer>"
    span = BoxInBlock().span(text)
    assert not isinstance(span, Missing)
    assert text[span.start : span.end] == span.text == "\\frac{1}{2}"
