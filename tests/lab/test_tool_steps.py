"""The enumeration of the small decision process against sampling and finite differences, and what depth is worth."""

import numpy as np
import pytest

from sightline.credit.by_component import Joint
from sightline.lab import tabular
from sightline.lab.tabular import Training
from sightline.lab.worlds.tool_steps import ToolSteps

WEIGHTS = np.array([0.2, 0.5, 0.3])
WORLD = ToolSteps(kinds=4, horizon=5, gamma=0.9, seed=3)
MIX = np.array([0.4, 0.3, 0.2, 0.1])


def some_logits() -> np.ndarray:
    return np.random.default_rng(0).normal(size=tabular.cold(WORLD).shape)


def test_exact_gradient_is_that_of_finite_differences() -> None:
    logits, step = some_logits(), 1e-5
    gradient = tabular.exact(WORLD, logits, WEIGHTS, MIX).gradient
    for place in np.argwhere(np.abs(gradient) > 1e-4)[::7]:
        sides = []
        for sign in (1, -1):
            moved = logits.copy()
            moved[tuple(place)] += sign * step
            sides.append(WEIGHTS @ tabular.exact(WORLD, moved, WEIGHTS, MIX).values @ MIX)
        assert (sides[0] - sides[1]) / (2 * step) == pytest.approx(gradient[tuple(place)], rel=1e-4)


def test_episodes_have_the_exact_means() -> None:
    kinds = np.repeat(np.arange(4), 20_000)
    episodes = tabular.play(WORLD, some_logits(), kinds, np.random.default_rng(1))
    values = tabular.exact(WORLD, some_logits(), WEIGHTS, MIX).values
    for kind in range(4):
        np.testing.assert_allclose(episodes.components[:, kinds == kind].mean(1), values[:, kind], atol=0.015)
    np.testing.assert_allclose(episodes.score.sum(-1), 0.0, atol=1e-9)


def test_score_times_reward_is_the_gradient() -> None:
    kinds = np.random.default_rng(2).choice(4, 40_000, p=MIX)
    episodes = tabular.play(WORLD, some_logits(), kinds, np.random.default_rng(3))
    estimate = np.tensordot(WEIGHTS @ episodes.components, episodes.score, 1) / len(kinds)
    np.testing.assert_allclose(estimate, tabular.exact(WORLD, some_logits(), WEIGHTS, MIX).gradient, atol=0.01)


def test_depth_never_lowers_the_best_value() -> None:
    worlds = [ToolSteps(depth=depth, seed=5) for depth in range(4)]
    best = [tabular.best_value(world, WEIGHTS, np.full(6, 1 / 6)) for world in worlds]
    assert best == sorted(best)
    assert best[3] > best[0]
    assert [int(world.reachable.sum()) for world in worlds] == [6, 15, 24, 33]
    values = tabular.exact(worlds[2], tabular.cold(worlds[2]), WEIGHTS, np.full(6, 1 / 6)).values
    assert (WEIGHTS @ values).mean() < best[2]


def test_executability_at_the_end() -> None:
    ends = WORLD.executability
    assert ends[0, 0, 0] == 1.0
    assert ends[-1, 0, 0] == 0.0
    assert ends[0, 2, 1] == 0.5
    illegal = WORLD.ending[:, -1, 2, 1, 1]
    np.testing.assert_allclose(illegal, [0.0, 0.0, 1 / 3])


def test_training_learns_and_is_seeded() -> None:
    learner = Training(tuple(WEIGHTS), Joint(), 40)
    first, again = (learner(WORLD, np.arange(4), seed=0) for _ in range(2))
    assert (first.logits == again.logits).all()
    assert first.values[-1] @ WEIGHTS > first.values[0] @ WEIGHTS
    assert tabular.complexity(WORLD, first.logits, tabular.cold(WORLD)) > 0
    assert tabular.complexity(WORLD, tabular.cold(WORLD), tabular.cold(WORLD)) == pytest.approx(0.0, abs=1e-12)
