"""Span penalties: only flagged tokens, once each, and never more than asked."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core import Batch, Scores
from sightline.core.marks import Mark
from sightline.credit import GroupRelative, Tokens
from sightline.credit.credit import Advantages, declared
from sightline.credit.span_penalty import SpanPenalty

OFFSETS = np.array([[[0, 1], [2, 5], [5, 6], [8, 9]]] * 4)
TOKENS = Tokens(np.ones((4, 4), bool), offsets=OFFSETS)
SPANS = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 4)), max_size=4)
REWARDS = st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=4, max_size=4)
BATCH = Batch(["x" * 20] * 4, group=[0] * 4)


def flags(*spans: tuple[int, int]) -> tuple[Mark, ...]:
    return tuple(Mark("char", span, -1.0) for span in spans)


def assign(rule: SpanPenalty, rewards: list[float], marks: list[tuple[Mark, ...]]) -> Advantages:
    return rule.assign(Scores(np.array(rewards), [""] * 4, marks), BATCH, TOKENS)[0]


@given(REWARDS, st.lists(SPANS, min_size=4, max_size=4))
def test_without_alpha_it_is_the_inner_rule_exactly(rewards: list[float], spans: list[list[tuple[int, int]]]) -> None:
    marks = [flags(*((start, start + size) for start, size in own)) for own in spans]
    plain = GroupRelative(eps=1e-6, keep_lone=True).advantages(np.array(rewards), BATCH.group)
    assert np.array_equal(assign(SpanPenalty(0.0), rewards, marks), np.repeat(plain[:, None], 4, 1))


@given(REWARDS, st.lists(SPANS, min_size=4, max_size=4), st.floats(0, 1))
def test_every_penalty_is_alpha_times_the_advantage_or_nothing(
    rewards: list[float], spans: list[list[tuple[int, int]]], alpha: float
) -> None:
    marks = [flags(*((start, start + size) for start, size in own)) for own in spans]
    plain = GroupRelative(eps=1e-6, keep_lone=True).advantages(np.array(rewards), BATCH.group)[:, None]
    lost = plain - assign(SpanPenalty(alpha), rewards, marks)
    for row, own in enumerate(spans):
        for token, (start, end) in enumerate(OFFSETS[row].tolist()):
            inside = any(start < s + n and end > s for s, n in own)
            assert lost[row, token] == pytest.approx(alpha * abs(plain[row, 0]) if inside else 0.0, abs=1e-12)


def test_penalties_sit_on_rules_of_tokens_too() -> None:
    class PerToken:
        def assign(self, scores, batch, tokens=None, state=None):
            return np.tile([1.0, -1.0, 0.0, 2.0], (4, 1)), 7

    rule = SpanPenalty(0.5, PerToken())
    scores = Scores(np.ones(4), [""] * 4, [flags((0, 9))] + [()] * 3)
    found, state = rule.assign(scores, BATCH, TOKENS)
    assert found[0].tolist() == [0.5, -1.5, 0.0, 1.0]
    assert found[1].tolist() == [1, -1, 0, 2]
    assert state == 7


def test_marks_of_the_part_count_not_those_of_the_answer() -> None:
    part = Scores(np.ones(4), [""] * 4, [()] * 4)
    scores = Scores(np.array([1.0, 0, 1, 0]), [""] * 4, [flags((0, 9))] * 4, {"unflagged": part})
    found, _ = SpanPenalty(0.1).assign(scores, BATCH, TOKENS)
    assert len(set(found[0].tolist())) == 1


def test_a_floor_acts_where_there_is_no_signal() -> None:
    found = assign(SpanPenalty(0.1, floor=0.02), [1, 1, 1, 1], [flags((2, 3)), (), (), ()])
    assert found[0].tolist() == [0, -0.02, 0, 0]
    assert not found[1:].any()


def test_it_asks_for_places() -> None:
    assert list(declared(SpanPenalty(), "places")) == [True]
