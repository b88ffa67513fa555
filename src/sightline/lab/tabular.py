"""A softmax policy in a table: exact values and gradients by enumeration, and group-relative learning from samples.

Axes: S states, D + 1 depths, J + 1 successful calls, A actions, K components, B episodes, T steps of training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sightline.core.batch import Batch
from sightline.core.scores import Scores
from sightline.credit.credit import Credit
from sightline.lab.worlds.tool_steps import COMPONENTS, ToolSteps

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


def softmax(logits: Floats) -> Floats:
    """Probabilities along the last axis."""
    raised = np.exp(logits - logits.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)


def cold(world: ToolSteps, form: float = -2.0, call: float = -1.0) -> Floats:
    """(S, D + 1, A) logits of a policy that rarely calls a tool and rarely answers in full form."""
    logits = np.zeros((world.states, world.depth + 1, world.actions))
    logits[..., 1 : 1 + world.tools] = call
    logits[..., 1 + world.tools : 1 + world.tools + world.choices] = form
    return logits


@dataclass(frozen=True, eq=False)
class Exact:
    """What a policy is worth.

    Args:
        values: (K, N) mean of every component on every kind of prompt.
        gradient: (S, D + 1, A) of sum_k w_k values under the mix of prompts.
    """

    values: Floats
    gradient: Floats


def exact(world: ToolSteps, logits: Floats, weights: Floats, mix: Floats) -> Exact:
    """Values of all components, and the gradient of their weighted mean, by enumeration.

    Args:
        logits: (S, D + 1, A).
        weights: (K,) w.
        mix: (N,) how frequent every kind is.
    """
    policy = softmax(logits)
    ahead = np.zeros((3, world.states, world.depth + 1, world.depth + 1))
    ahead[2] = world.executability
    gains: list[Floats] = []
    for _ in range(world.horizon):
        worth = world.ending + world.gamma * world.after(ahead)
        ahead = (worth * policy[None, :, :, None]).sum(-1)
        gains.append(np.einsum("k,ksdja->sdja", weights, worth - ahead[..., None]))
    visits = np.zeros(ahead.shape[1:])
    visits[world.start, 0, 0] = mix
    gradient = np.zeros(logits.shape)
    for step, gain in enumerate(reversed(gains)):
        taken = visits[..., None] * policy[:, :, None]
        gradient += world.gamma**step * (taken * gain).sum(2)
        visits = _moved(world, taken)
    return Exact(ahead[:, world.start, 0, 0], gradient)


def _moved(world: ToolSteps, taken: Floats) -> Floats:
    """(S, D + 1, J + 1) where those who go on are after their actions (S, D + 1, J + 1, A)."""
    visits = taken[..., 0].copy()
    for tool in range(world.tools):
        error, blank, shows = world.kernel[:, tool].T[:, :, None, None]
        called = taken[:, :-1, :, 1 + tool].reshape(world.kinds, 2, world.depth, world.depth + 1)
        to = visits.reshape(world.kinds, 2, world.depth + 1, world.depth + 1)
        to[:, :, 1:] += error[:, None] * called
        to[:, :, 1:, 1:] += blank[:, None] * called[..., :-1]
        to[:, 1, 1:, 1:] += shows * called[..., :-1].sum(1)
    return visits


def best_value(world: ToolSteps, weights: Floats, mix: Floats) -> float:
    """The largest value of any policy, also of one that knows how many of its calls succeeded and how late it is."""
    ahead = weights[2] * world.executability
    ending = np.einsum("k,ksdja->sdja", weights, world.ending)
    for _ in range(world.horizon):
        worth = ending + world.gamma * world.after(ahead[None])[0]
        legal = np.ones(worth.shape, bool)
        legal[:, world.depth, :, 1 : 1 + world.tools] = False
        ahead = np.where(legal, worth, -np.inf).max(-1)
    return float(ahead[world.start, 0, 0] @ mix)


def complexity(world: ToolSteps, logits: Floats, before: Floats) -> float:
    """KL(Q||P) in nats of a policy from the one before training, summed over what can be reached of (state, depth)."""
    policy, prior = softmax(logits), softmax(before)
    kl = (policy * np.log(np.maximum(policy, 1e-300) / prior)).sum(-1)
    return float(kl[world.reachable].sum())


@dataclass(frozen=True, eq=False)
class Episodes:
    """Sampled episodes.

    Args:
        components: (K, B) what each earned.
        score: (B, S, D + 1, A) gradient of the log-probability of its actions.
    """

    components: Floats
    score: Floats


def play(world: ToolSteps, logits: Floats, kinds: Numbers, rng: np.random.Generator) -> Episodes:
    """One episode on a prompt of each of the kinds (B,)."""
    policy = softmax(logits)
    ladder, size = policy.cumsum(-1), len(kinds)
    score = np.zeros((size, *logits.shape))
    earned = np.zeros((3, size))
    state, depth, worked = world.start[kinds], np.zeros(size, np.int64), np.zeros(size, np.int64)
    going = np.arange(size)
    for step in range(world.horizon):
        at = state[going], depth[going]
        action = (rng.random(len(going))[:, None] > ladder[at]).sum(-1).clip(max=world.actions - 1)
        score[going, *at] -= policy[at]
        score[going, *at, action] += 1.0
        calls = (action >= 1) & (action <= world.tools)
        ends = (action > world.tools) | (calls & (depth[going] == world.depth))
        done = going[ends]
        earned[:, done] = world.gamma**step * world.ending[:, state[done], depth[done], worked[done], action[ends]]
        going, tool = going[~ends], action[~ends]
        _call(world, going[tool > 0], tool[tool > 0] - 1, (state, depth, worked), rng)
    earned[2, going] = world.gamma**world.horizon * world.executability[state[going], depth[going], worked[going]]
    return Episodes(earned, score)


def _call(
    world: ToolSteps, who: Numbers, tool: Numbers, now: tuple[Numbers, Numbers, Numbers], rng: np.random.Generator
) -> None:
    """What becomes of episodes that call a tool."""
    state, depth, worked = now
    chance, draw = world.kernel[state[who] // 2, tool], rng.random(len(who))
    works = draw > chance[:, 0]
    depth[who] += 1
    worked[who] += works
    shows = works & (draw > chance[:, 0] + chance[:, 1])
    state[who[shows]] |= 1


@dataclass(frozen=True, eq=False)
class Course:
    """How training went.

    Args:
        squared: (L,) squared norm of the exact gradient, before every step that was looked at.
        values: (L, K) every component's exact mean over the training mix.
        logits: (S, D + 1, A) at the end.
    """

    squared: Floats
    values: Floats
    logits: Floats


@dataclass(frozen=True)
class Training:
    """Group-relative ascent: episodes of prompts in groups, advantages by a credit rule, one step of scale / sqrt(T).

    Args:
        weights: (K,) of the components.
        credit: the rule.
        steps: T.
        group: episodes per prompt.
        prompts: per step.
        scale: c of the step size c / sqrt(T).
        every: so many steps lie between two looks.
    """

    weights: tuple[float, ...]
    credit: Credit
    steps: int
    group: int = 8
    prompts: int = 4
    scale: float = 64.0
    every: int = 4

    def __call__(self, world: ToolSteps, shown: Sequence[int] | Numbers, seed: int) -> Course:
        """Train on prompts of the kinds `shown`, drawn with replacement."""
        rng, logits = np.random.default_rng(seed), cold(world)
        mix = np.bincount(shown, minlength=world.kinds) / len(shown)
        w, eta = np.array(self.weights), self.scale / np.sqrt(self.steps)
        squared, values = [], []
        for step in range(self.steps):
            if step % self.every == 0:
                truth = exact(world, logits, w, mix)
                squared.append(float((truth.gradient**2).sum()))
                values.append(truth.values @ mix)
            drawn = np.repeat(rng.choice(np.asarray(shown), self.prompts), self.group)
            episodes = play(world, logits, drawn, rng)
            advantage = self.advantages(episodes)
            logits = logits + eta * np.tensordot(advantage, episodes.score, 1) / len(drawn)
        return Course(np.array(squared), np.array(values), logits)

    def advantages(self, episodes: Episodes) -> Floats:
        """(B,) what the credit rule makes of episodes, those of one prompt side by side."""
        parts = {name: Scores.of(one) for name, one in zip(COMPONENTS, episodes.components, strict=True)}
        total = Scores.of(np.array(self.weights) @ episodes.components)
        size = len(total)
        batch = Batch([""] * size, group=np.arange(size) // self.group)
        return self.credit.assign(Scores(total.values, total.why, total.marks, parts), batch)[0]
