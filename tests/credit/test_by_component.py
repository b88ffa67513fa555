"""Joint and decoupled advantages over groups, what is left out, and what is logged."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core import Batch, Scores
from sightline.core.errors import ColumnError, ConfigError
from sightline.credit.by_component import Decoupled, Joint, component_figures, matched_weights
from sightline.metrics.component_gap import component_gap

WEIGHTS = (("a", 0.2), ("b", 0.5), ("c", 0.3))
W = np.array([0.2, 0.5, 0.3])


def scores(parts_KB) -> Scores:
    parts_KB = np.asarray(parts_KB, float)
    why = ["abstain: x" if np.isnan(column).any() else "" for column in parts_KB.T]
    parts = {name: Scores.of(one, why) for (name, _), one in zip(WEIGHTS, parts_KB, strict=True)}
    total = W @ parts_KB
    return Scores(total, why, [()] * len(total), parts)


def batch(group) -> Batch:
    return Batch([""] * len(group), group=list(group))


@given(st.lists(st.lists(st.integers(0, 3), min_size=8, max_size=8), min_size=3, max_size=3))
def test_matched_weights_give_the_joint_advantage_in_every_group(parts) -> None:
    given = scores(np.array(parts) / 3)
    rows = batch([0, 1] * 4)
    joint = Joint(eps=0.0).assign(given, rows)[0]
    np.testing.assert_allclose(Decoupled(WEIGHTS, matched_weights, 0.0).assign(given, rows)[0], joint, atol=1e-9)
    for one in (0, 1):
        found = component_gap(np.array(parts)[:, one::2] / 3, W)
        np.testing.assert_allclose(joint[one::2], found.advantage_joint, atol=1e-9)
        decoupled = Decoupled(WEIGHTS, eps=0.0).assign(given, rows)[0][one::2]
        np.testing.assert_allclose(decoupled, found.advantage_decoupled, atol=1e-9)


def test_a_rollout_without_a_component_leaves_the_others_as_if_it_were_not_there() -> None:
    full = scores([[1, 0, 1], [0, 1, 1], [1, 1, 0]])
    more = scores([[1, 0, 1, 1], [0, 1, 1, 0], [1, 1, 0, np.nan]])
    for rule in (Joint(), Decoupled(WEIGHTS), Decoupled(WEIGHTS, matched_weights)):
        alone = rule.assign(full, batch([0] * 3))[0]
        np.testing.assert_allclose(rule.assign(more, batch([0] * 4))[0], [*alone, 0.0])


def test_figures_to_log() -> None:
    given = scores([[1, 1, 0, 0], [0, 1, 0, 0], [1, 0, 0, 0]])
    found = component_figures(given, batch([0, 0, 1, 1]), WEIGHTS, np.array([0.9, 1.1, 1.0, 1.0]))
    assert found["constant"] == 1.0
    assert found["cancelled"] == 0.0
    assert found["sigma b"] == 0.25
    assert found["corr b c"] == pytest.approx(-1.0)
    assert found["gap"] == pytest.approx((0.2 - 1.0) * 0.1 / 2)
    assert found["bound"] >= abs(found["gap"])
    assert component_figures(given, batch(range(4)), WEIGHTS) == {}


def test_rare_component_weighs_more_among_the_others() -> None:
    parts = [[1, 0, 0, 0, 0, 0, 0, 0], [0, 1, 0, 1, 0, 1, 0, 1], [0, 0, 1, 1, 0, 0, 1, 1]]
    found = component_gap(parts, W)
    assert found.matched[0] / found.matched.sum() < 0.2


def test_wrong_rules() -> None:
    with pytest.raises(ConfigError):
        Decoupled((("a", 0.5), ("b", 0.6)))
    with pytest.raises(ConfigError):
        Decoupled((("a", 1.5), ("b", -0.5)))
    with pytest.raises(ConfigError):
        Decoupled(())
    with pytest.raises(ColumnError, match="Did you mean `b`"):
        Decoupled((("bb", 1.0),)).assign(scores([[1], [1], [1]]), batch([0]))
