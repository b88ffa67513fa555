"""Questions that are answered step by step, with tools that may fail: small enough to be enumerated exactly.

A prompt is of one of N kinds. Half of the kinds can be answered at sight, the others show nothing until a tool has
worked. What the policy knows is (kind, seen, depth): depth calls made so far. Actions, in this order:

    think          nothing happens
    tool u         depth < limit: error with a probability of the kind and tool, else it may show what is to be seen;
                   at the limit the call is illegal and ends the episode
    answer c       right for the kind only if it is c; in full form, or sloppy

Components of an episode: format (answered in full form), accuracy (1 for the right answer once it can be seen, a guess
before), executability (successful calls / calls; without calls 1 if none was needed, else 0).

Axes: S states (kind, seen), D + 1 depths, J + 1 successful calls, A actions, K components.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
COMPONENTS = ("format", "accuracy", "executability")


@dataclass(frozen=True)
class ToolSteps:
    """The world: what each action does, exactly.

    Args:
        kinds: N kinds of prompts, equally frequent in training.
        choices: answers to choose from.
        tools: how many.
        depth: most calls in an episode.
        horizon: most actions in an episode; one that has not answered then has neither format nor accuracy.
        gamma: discount per action.
        guess: accuracy of an answer to what was not seen.
        seed: of the answers, and of how often tools fail and help.
    """

    kinds: int = 6
    choices: int = 3
    tools: int = 2
    depth: int = 2
    horizon: int = 6
    gamma: float = 1.0
    guess: float = 0.3
    seed: int = 0

    @property
    def states(self) -> int:
        return 2 * self.kinds

    @property
    def actions(self) -> int:
        return 1 + self.tools + 2 * self.choices

    @cached_property
    def right(self) -> NDArray[np.int64]:
        """(N,) the right answer of every kind."""
        return np.random.default_rng(self.seed).integers(self.choices, size=self.kinds)

    @cached_property
    def kernel(self) -> Floats:
        """(N, U, 3) of a tool on a kind: probability of an error, of showing nothing, of showing all."""
        rng = np.random.default_rng(self.seed + 1)
        error = rng.uniform(0.05, 0.5, (self.kinds, self.tools))
        shows = (1 - error) * rng.uniform(0.4, 1.0, (self.kinds, self.tools))
        return np.stack([error, 1 - error - shows, shows], -1)

    @property
    def needs(self) -> NDArray[np.bool_]:
        """(S,) whether a tool is needed."""
        return np.arange(self.states) // 2 >= self.kinds // 2

    @property
    def start(self) -> NDArray[np.int64]:
        """(N,) the state in which a prompt of each kind begins."""
        return 2 * np.arange(self.kinds) + (np.arange(self.kinds) < self.kinds // 2)

    @cached_property
    def reachable(self) -> NDArray[np.bool_]:
        """(S, D + 1) what an episode can come to; it grows with every call that is allowed."""
        found = np.zeros((self.states, self.depth + 1), bool)
        found[self.start, 0] = True
        for depth in range(self.depth):
            came = found[:, depth].reshape(-1, 2)
            found[:, depth + 1] = np.stack([came[:, 0], came.any(1)], 1).ravel()
        return found

    @cached_property
    def executability(self) -> Floats:
        """(S, D + 1, J + 1) of an episode that ends there."""
        calls, worked = np.arange(self.depth + 1)[:, None], np.arange(self.depth + 1)[None]
        share = np.minimum(worked / np.maximum(calls, 1), 1.0)
        none = (~self.needs).astype(np.float64)[:, None, None]
        return np.where(calls[None] == 0, none, share[None])

    @cached_property
    def ending(self) -> Floats:
        """(K, S, D + 1, J + 1, A) what an action pays that ends the episode; 0 for those that do not."""
        size = self.depth + 1
        paid = np.zeros((3, self.states, size, size, self.actions))
        seen, kind = np.arange(self.states) % 2 == 1, np.arange(self.states) // 2
        first = 1 + self.tools
        for choice in range(self.choices):
            hit = np.where(seen, (self.right[kind] == choice).astype(np.float64), self.guess)
            for sloppy in (0, 1):
                action = first + choice + sloppy * self.choices
                paid[0, ..., action] = 1 - sloppy
                paid[1, ..., action] = hit[:, None, None]
                paid[2, ..., action] = self.executability
        illegal = np.arange(size) / (self.depth + 1)  # one call more, which does not succeed
        paid[2, :, self.depth, :, 1:first] = illegal[None, :, None]
        return paid

    def after(self, ahead: Floats) -> Floats:
        """(K, S, D + 1, J + 1, A) expected value of what follows an action, given values (K, S, D + 1, J + 1)."""
        found = np.zeros((*ahead.shape, self.actions))
        found[..., 0] = ahead
        by_kind = ahead.reshape(len(ahead), self.kinds, 2, *ahead.shape[2:])
        for tool in range(self.tools):
            error, blank, shows = self.kernel[:, tool].T[:, None, :, None, None, None]
            fails = by_kind[:, :, :, 1:, :]
            works = np.concatenate([by_kind[:, :, :, 1:, 1:], by_kind[:, :, :, 1:, -1:]], -1)
            value = error * fails + blank * works + shows * works[:, :, 1:]
            found[:, :, :-1, :, 1 + tool] = value.reshape(len(ahead), self.states, self.depth, self.depth + 1)
        return found
