"""Likelihood rewards: the reference behind the reasoning, what no answer earns, ranks and gains."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core import Batch, Rollout
from sightline.core.errors import ColumnError, ConfigError
from sightline.core.missing import Missing
from sightline.core.scores import Scores
from sightline.credit import LeaveOneOut
from sightline.credit.likelihood_credit import EvidenceBound, LikelihoodCredit, SpreadFilter, softmax_weights
from sightline.metrics.likelihoods import as_bfloat16, lifted, log_mean_exp, mean_log_probability
from sightline.rewards.answer_slot import AnswerSlot, reference
from sightline.rewards.frozen_video import FrozenVideo
from sightline.rewards.length_guard import LengthGuard
from sightline.rewards.likelihood_gain import Above, Bins, LikelihoodGain, Sigmoid, TagsOnce, Tanh
from sightline.rewards.perplexity_ranks import PerplexityRanks, efficiency, ranks
from sightline.rewards.reference_likelihood import Likelihood, LogLikelihood
from sightline.systems.likelihood_reward import CREDITS, RECIPES
from sightline.train.recipe import describe

SAID = "<think>a</think> <answer>b</answer>"
LOGPS = st.lists(st.floats(-30, 0), min_size=1, max_size=6)


@given(st.lists(LOGPS, min_size=2, max_size=5))
def test_no_answer_is_below_every_answer_of_the_prompt(logps: list[list[float]]) -> None:
    batch = Batch([SAID] * len(logps) + ["none"], {"reference_logps": [*logps, None]}, group=[0] * (len(logps) + 1))
    for reward in (LogLikelihood(), LogLikelihood(mean_log_probability)):
        values = reward(batch).values
        assert values[-1] == values[:-1].min() - 1


def test_an_answer_without_log_probabilities_cannot_be_scored() -> None:
    batch = Batch([SAID, "none"], {"reference_logps": [None, None], "direct_logps": [[-1.0]] * 2})
    for reward in (LogLikelihood(), Likelihood(), LikelihoodGain()):
        scores = reward(batch)
        assert np.isnan(scores.values[0])
        assert scores.why[0].startswith("abstain")
        assert not np.isnan(scores.values[1])


@pytest.mark.parametrize("wrong", ["-1", [[-1.0]], [0.5], ["a"], [float("nan")], {"a": 1}])
def test_what_is_no_list_of_log_probabilities_is_named(wrong: object) -> None:
    with pytest.raises(ColumnError, match=r"row 0 .*needs a list of log-probabilities"):
        Likelihood()(Batch([SAID], {"reference_logps": [wrong]}))


def test_minus_infinity_is_a_probability_of_0() -> None:
    batch = Batch([SAID], {"reference_logps": [[-math.inf, -1.0]]}, group=[0])
    assert Likelihood()(batch).values[0] == 0
    assert LogLikelihood()(batch).values[0] == -1e4


def test_where_the_reference_is_put() -> None:
    slot = AnswerSlot()
    twice = Rollout("<think>x</think><answer>1</answer><answer>2</answer>", columns={"answer": ["7", "8"]})
    found = slot(twice)
    assert found is not None
    assert (twice.text[: found.keep], found.text) == ("<think>x</think>", "7")
    bare = AnswerSlot(reasoned=False)(twice)
    assert bare is not None
    assert bare.keep == 0
    assert slot(Rollout(SAID, columns={"answer": None})) is None
    assert isinstance(reference(True), Missing)
    assert reference(3) == "3"


def test_shapers() -> None:
    assert Sigmoid(10.0)(0.9) > 0.98
    assert Tanh(2.0)(0.0) == 0
    assert [Above(0.5)(x) for x in (0.4, 0.5)] == [0.0, 0.5]
    assert [Bins(10)(x) for x in (0.3, 0.39, 0.0)] == [0.3, 0.3, 0.0]
    columns = {"reference_logps": [[math.log(0.8)]], "direct_logps": [[math.log(0.3)]]}
    found = LikelihoodGain(shape=Above(0.5))(Batch([SAID], columns)).values
    np.testing.assert_allclose(found, 0.8)


def test_tags_once() -> None:
    form = TagsOnce()
    assert form("<think></think><answer></answer>") is True
    for wrong in ("<think><answer></think></answer>", "<think></think><answer>", "x<think></think><answer></answer>"):
        assert isinstance(form(wrong), Missing)


@given(st.lists(st.tuples(st.integers(1, 50), st.floats(1, 9)), min_size=1, max_size=6))
def test_ranks_are_evenly_spaced_and_efficiency_is_a_share(rollouts: list[tuple[int, float]]) -> None:
    lengths, perplexity = (np.array(column, dtype=float) for column in zip(*rollouts, strict=True))
    n = len(lengths)
    np.testing.assert_allclose(sorted(ranks(lengths, perplexity)), (np.arange(n) + 1) / n)
    found = efficiency(lengths, perplexity)
    assert ((found >= 0) & (found <= 1)).all()
    by_hand = [
        sum(lengths[j] > lengths[i] and perplexity[j] > perplexity[i] for j in range(n) if j != i) / max(n - 1, 1)
        for i in range(n)
    ]
    np.testing.assert_allclose(found, by_hand)


def test_ranks_are_among_the_valid_rollouts_of_the_prompt() -> None:
    columns = {"proxy_logps": [[-0.2], [-0.1], [-9.0], [-0.3]], "completion_tokens": [10] * 4}
    values = PerplexityRanks()(Batch([SAID, "x", SAID, SAID], columns, group=[0, 0, 0, 1])).values
    assert values.tolist() == [1.0, 0.0, 0.5, 1.0]


@pytest.mark.parametrize(("value", "rounded"), [(1.00390625, 1.0), (1.01171875, 1.015625), (0.3, 0.30078125)])
def test_bfloat16_rounds_ties_to_even(value: float, rounded: float) -> None:
    assert as_bfloat16(value) == rounded


@given(st.lists(st.floats(-900, 0), min_size=2, max_size=6))
def test_jepo_agrees_with_plain_arithmetic_where_that_works(values: list[float]) -> None:
    small = np.array(values) / 100
    found, _ = EvidenceBound().assign(Scores.of(small), Batch([""] * len(values), group=[0] * len(values)))
    plain = [math.log(np.exp(small).mean()) - math.log(np.delete(np.exp(small), i).mean()) for i in range(len(small))]
    np.testing.assert_allclose(found, plain, atol=1e-9)
    assert log_mean_exp(values) <= max(values) + 1e-9


def test_weights_of_the_answer_terms() -> None:
    weights = softmax_weights(np.array([-900.0, -901.0, -905.0, -903.0, -np.inf]), np.array([0, 0, 0, 0, 1]))
    np.testing.assert_allclose(weights, [0.70205, 0.25827, 0.00473, 0.03495, 0.0], atol=1e-5)
    with pytest.raises(ConfigError, match="it can be"):
        LikelihoodCredit("logprobs")  # type: ignore[arg-type]


def test_the_filter_begins_at_step_11_and_follows_the_mean() -> None:
    batch = Batch([""] * 4, group=[0, 0, 1, 1])
    rule, state = SpreadFilter(LeaveOneOut(), beta=0.5), None
    wide, narrow = [1.0, 0.0, 1.0, 0.0], [1.0, 0.0, 0.2, 0.0]
    for step in range(1, 11):
        found, state = rule.assign(Scores.of(narrow if step <= 5 else wide), batch, None, state)
        assert found.all(), "nothing is dropped before step 11"
    found, state = rule.assign(Scores.of(narrow), batch, None, state)
    assert found.tolist() == [1.0, -1.0, 0.0, 0.0]
    spread = 1 / math.sqrt(2)
    assert state[2] == pytest.approx(spread)
    _, state = rule.assign(Scores.of(wide), batch, None, state)
    assert state[2] == pytest.approx(0.99 * spread + 0.01 * 0.6 * spread)


def test_frozen_videos_need_frames_times_and_a_key_frame() -> None:
    ask = FrozenVideo()
    whole = {"images": ["a", "b", "c"], "frame_times": [0.0, 0.5, 1.0], "key_frames": [{"idx": 3, "time": 0.6}]}
    found = ask(Rollout("", "?", whole))
    assert found is not None
    assert list(found.images) == ["a", "b", "b"]
    for name in whole:
        assert ask(Rollout("", "?", {**whole, name: None})) is None
        assert ask(Rollout("", "?", {**whole, name: []})) is None


def test_minus_infinity_counts_as_one_less_than_the_least_of_the_prompt_in_credit_too() -> None:
    batch = Batch([SAID] * 4, {"reference_logps": [None] * 4}, group=[0, 0, 0, 1])
    scores, lifted_ = Scores.of([-1.0, -2.0, -np.inf, -np.inf]), Scores.of([-1.0, -2.0, -3.0, -9.0])
    assert LikelihoodCredit().assign(scores, batch)[0].tolist() == [1.5, 0.0, -1.5, 0.0]
    np.testing.assert_allclose(EvidenceBound().assign(scores, batch)[0], EvidenceBound().assign(lifted_, batch)[0])
    none = Batch([SAID] * 3, group=[0] * 3)
    for rule in (EvidenceBound(), LikelihoodCredit()):
        assert not rule.assign(Scores.of([-np.inf] * 3), none)[0].any()


def test_an_unscorable_rollout_stays_so() -> None:
    assert np.isnan(lifted([np.nan, -np.inf, -1.0], np.zeros(3, int))).tolist() == [True, False, False]
    assert lifted([], np.zeros(0, int)).size == 0


def test_numbers_too_large_for_a_float_are_the_callers_mistake() -> None:
    with pytest.raises(ColumnError, match="row 0"):
        Likelihood()(Batch([SAID], {"reference_logps": [[-(10**400)]]}))


def test_reasoning_may_have_a_count_of_its_own() -> None:
    columns = {"completion_tokens": [500], "thought": [90], "proxy_logps": [[-1.0]]}
    batch = Batch(["<think>a</think><answer>b</answer>"], columns, group=[0])
    np.testing.assert_allclose(LengthGuard(0.01, 100, column="thought")(batch).values, [-0.1])
    short, long = (PerplexityRanks(length=name)(batch).why[0] for name in ("thought", "completion_tokens"))
    assert short != long


def test_steps_without_a_mean_are_refused() -> None:
    with pytest.raises(ConfigError, match="1 <= first <= last"):
        SpreadFilter(LeaveOneOut(), first=3, last=2)


def test_the_settings_of_the_variants_are_known() -> None:
    for stage in RECIPES.values():
        assert {row.name for row in describe(stage)} == set(stage.settings)


def test_a_prompt_at_the_bar_is_kept() -> None:
    batch = Batch([""] * 4, group=[0, 0, 1, 1])
    rule, state = SpreadFilter(LeaveOneOut(), beta=1.0, first=1, last=1), None
    for _ in range(2):
        found, state = rule.assign(Scores.of([1.0, 0.0, 1.0, 0.0]), batch, None, state)
    assert found.tolist() == [1.0, -1.0, 1.0, -1.0]


def test_rlpr_drops_prompts_below_half_of_the_mean_spread() -> None:
    batch = Batch([""] * 4, group=[0, 0, 1, 1])
    rule, state = CREDITS["rlpr"], None
    for _ in range(10):
        _, state = rule.assign(Scores.of([1.0, 0.0, 1.0, 0.0]), batch, None, state)
    found, _ = rule.assign(Scores.of([0.51, 0.0, 0.49, 0.0]), batch, None, state)
    assert (found != 0).tolist() == [True, True, False, False]
