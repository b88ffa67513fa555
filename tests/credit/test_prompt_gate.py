"""Gates and filters that one branch keeps for another."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core import Batch, Scores
from sightline.core.errors import ColumnError, ConfigError
from sightline.credit import Branches, GroupRelative, Tokens
from sightline.credit.prompt_gate import EitherInformative, PromptGate

INNER = Branches({"say": GroupRelative(eps=1e-9), "see": GroupRelative(eps=1e-9)}, mean="none")
A = 1 / np.sqrt(2)


def gate(**options: object) -> PromptGate:
    return PromptGate(INNER, "see", "say", **options)  # type: ignore[arg-type]


def batch(prompts: int) -> Batch:
    sides = ["say", "say", "see", "see"] * prompts
    return Batch([""] * 4 * prompts, {"side": sides}, group=np.repeat(np.arange(prompts), 4))


def said(advantages: np.ndarray) -> list[float]:
    """The advantage of each prompt's first reasoning rollout."""
    return np.round(advantages[::4], 5).tolist()


OPEN, SHUT = [1.0, 0.0, 1.0, 0.0], [1.0, 0.0, 0.0, 0.0]


def test_a_shut_prompt_keeps_its_perception_term() -> None:
    found, _ = gate(above=0.6).assign(Scores.of(np.array(OPEN)), batch(1))
    assert found.round(5).tolist() == [0.0, 0.0, round(A, 5), -round(A, 5)]


def test_prompts_are_cut_to_a_multiple_from_the_end() -> None:
    scores = Scores.of(np.array([*OPEN, *SHUT, *OPEN, *OPEN]))
    assert said(gate(multiple_of=2).assign(scores, batch(4))[0]) == [round(A, 5), 0, round(A, 5), 0]


def test_prompts_that_a_filter_dropped_take_no_place_when_prompts_are_cut() -> None:
    settled = [1.0, 1.0, 1.0, 1.0]
    rule = EitherInformative(gate(multiple_of=2), (("say", None), ("see", None)))
    found, _ = rule.assign(Scores.of(np.array([*settled, *OPEN, *OPEN])), batch(3))
    assert said(found) == [0, round(A, 5), round(A, 5)]


def test_a_batch_that_fails_whole_is_not_resurrected() -> None:
    scores = Scores.of(np.array([*SHUT, *SHUT]))
    assert not gate(multiple_of=2).assign(scores, batch(2))[0].any()


def test_skipping_opens_the_gate_for_the_whole_batch_and_is_seeded() -> None:
    scores, rule, state, opened = Scores.of(np.array(SHUT)), gate(skip_prob=0.3, seed=4), None, []
    for _ in range(400):
        advantages, state = rule.assign(scores, batch(1), None, state)
        opened.append(bool(advantages.any()))
    assert 0.22 < np.mean(opened) < 0.38
    assert opened[0] == bool(rule.assign(scores, batch(1))[0].any())


def test_advantages_per_token_are_shut_whole() -> None:
    class PerToken:
        def assign(self, scores: Scores, batch: Batch, tokens: Tokens | None = None, state: object = None) -> object:
            return np.ones((len(scores), 3)), state

    found, _ = PromptGate(PerToken(), "see", "say").assign(Scores.of(np.array(SHUT)), batch(1))  # type: ignore[arg-type]
    assert found.tolist() == [[0.0] * 3] * 2 + [[1.0] * 3] * 2


@pytest.mark.parametrize("options", [{"skip_prob": 1.5}, {"skip_prob": -0.1}, {"multiple_of": 0}])
def test_impossible_settings(options: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        gate(**options)


def test_an_unknown_part_is_named() -> None:
    with pytest.raises(ColumnError, match="`acuracy`"):
        EitherInformative(INNER, (("say", "acuracy"),)).assign(Scores.of(np.array(OPEN)), batch(1))


@given(st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=4, max_size=4))
def test_a_prompt_is_kept_if_a_clause_holds(values: list[float]) -> None:
    rule = EitherInformative(INNER, (("say", None), ("see", None)))
    kept = rule.kept(Scores.of(np.array(values)), batch(1))
    means = np.mean(values[:2]), np.mean(values[2:])
    assert kept.tolist() == [any(0.01 < mean < 0.99 for mean in means)] * 4


def test_nothing_scorable_keeps_nobody() -> None:
    scores = Scores.of(np.full(4, np.nan), ["abstain: a"] * 4)
    assert not EitherInformative(INNER, (("say", None),)).kept(scores, batch(1)).any()
