"""Several kinds of rollouts in one batch: statistics apart, losses weighed."""

from __future__ import annotations

import numpy as np
import pytest

from sightline.core import Batch, Scores
from sightline.core.errors import ColumnError
from sightline.credit import Branches, GroupRelative, PromptWeight, Tokens, WhitenedReturns
from sightline.credit.clipped_loss import clipped_loss

SIDE = ["reason", "reason", "look", "look"]
RULE = GroupRelative(eps=1e-6)


def test_a_token_mean_over_all_becomes_a_weighted_sum_of_token_means() -> None:
    lengths = np.array([5, 3, 2, 1])
    mask = np.arange(5) < lengths[:, None]
    scores, batch = Scores.of([1, 0, 0.75, 0.25]), Batch([""] * 4, {"side": SIDE}, group=[0] * 4)
    found, _ = Branches({"reason": RULE, "look": RULE}, {"look": 0.1}).assign(scores, batch, Tokens(mask))
    own = RULE.advantages(scores.values, np.array([0, 0, 1, 1]))
    expected = clipped_loss(own[:2], mask[:2]) + 0.1 * clipped_loss(own[2:], mask[2:])
    assert clipped_loss(found, mask) == pytest.approx(expected)
    found, _ = Branches({"reason": RULE, "look": RULE}, {"look": 0.1}, mean="rollout").assign(
        scores, batch, Tokens(mask)
    )
    expected = clipped_loss(own[:2], mask[:2], mean="rollout") + 0.1 * clipped_loss(own[2:], mask[2:], mean="rollout")
    assert clipped_loss(found, mask, mean="rollout") == pytest.approx(expected)


def test_the_mean_of_one_branch_weighs_another_and_gates_it() -> None:
    scores = Scores.of([1, 0, 0.75, 0.5, 1, 0, 0, 0])
    batch = Batch([""] * 8, {"side": SIDE * 2}, group=[0] * 4 + [1] * 4)
    weight = PromptWeight("look", "reason", low=0.5, gate=0.01)
    rule = Branches({"reason": RULE, "look": RULE}, mean="none", reweigh=(weight,))
    found, _ = rule.assign(scores, batch)
    plain, _ = Branches({"reason": RULE, "look": RULE}, mean="none").assign(scores, batch)
    np.testing.assert_allclose(found[:2], 0.625 * plain[:2])
    np.testing.assert_allclose(found[2:4], plain[2:4])
    assert not found[4:].any()
    low = Branches({"reason": RULE, "look": RULE}, mean="none", reweigh=(PromptWeight("look", "reason", low=0.5),))
    np.testing.assert_allclose(low.assign(scores, batch)[0][4:6], 0.5 * plain[4:6])


def test_branches_per_rollout_and_per_token_add_up() -> None:
    mask = np.ones((4, 2), bool)
    rule = Branches({"reason": WhitenedReturns(), "look": RULE}, mean="none")
    batch = Batch([""] * 4, {"side": SIDE}, group=[0] * 4)
    found, _ = rule.assign(Scores.of([1, 0, 1, 0]), batch, Tokens(mask))
    assert found.shape == (4, 2)
    np.testing.assert_allclose(found[2], RULE.advantages(np.array([1.0, 0.0]), np.array([0, 0]))[0])


def test_a_branch_without_a_rule_is_named() -> None:
    with pytest.raises(ColumnError, match="row 1 is 'b'"):
        Branches({"a": RULE}).assign(Scores.of([1, 1]), Batch([""] * 2, {"side": ["a", "b"]}))
