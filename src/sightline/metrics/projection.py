"""How close states are to a goal in an embedding space, along the line from a neutral description to the goal.

Axes: N states, P prompts, D width. Vectors arrive as an encoder gave them and are normalised here. Knows no encoder.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sightline.core.errors import ShapeError

Floats = NDArray[np.float64]
NO_LENGTH, NO_DIRECTION = 1e-12, 1e-8
_SQUARABLE = 1e100


def goal_closeness(
    states: ArrayLike, goals: ArrayLike, baselines: ArrayLike | None = None, alpha: float = 0.0, guarded: bool = True
) -> Floats:
    """How close each state is to the goal, with what is irrelevant to the goal removed to the degree `alpha`.

        s = state / |state|;  g, b = mean over prompts of prompt / |prompt|;  d = g - b
        R = 1 - |M (s - g)|^2 / 2,   M = alpha d d^T / |d|^2 + (1 - alpha) I

    For alpha = 0 and one prompt this is the cosine of state and goal. For alpha = 1 only the part along d counts, and
    every state on the plane through g across d earns 1. The mean of several prompts is not normalised again.

    Args:
        states: (N, D) embeddings of frames.
        goals: (P, D) embeddings of goal prompts, P >= 1.
        baselines: (P, D) embeddings of as many neutral prompts; may be left out if `guarded` and `alpha` is 0.
        alpha: strength, 0 to 1.
        guarded: without length there is no direction. True: a state with |state| < 1e-12 earns 0, and with
            |d| < 1e-8 the reward is that of alpha = 0. False: both are NaN, as division by zero has it.

    Returns: (N,), range [-1, 1].

    Raises:
        ShapeError: shapes do not fit, there is no prompt, a prompt has no length, or `alpha` is outside 0 to 1.

    Example:
        >>> goal, baseline = [[1, 0, 0]], [[0.6, 0.8, 0]]
        >>> [goal_closeness([[0, 0, 1]], goal, baseline, alpha).round(3).item() for alpha in (0, 0.5, 1)]
        [0.0, 0.675, 0.9]

    References:
        Rocamonde et al., Vision-Language Models are Zero-Shot Reward Models, arXiv 2310.12921, definition 1.
        Departs: the guards.
    """
    if not 0 <= alpha <= 1:
        raise ShapeError(f"goal_closeness: alpha is {alpha}; it needs 0 to 1")
    goal_D = mean_direction(goals, "goals")
    states_ND = _rows(states, "states", len(goal_D))
    if baselines is None:
        if alpha or not guarded:
            raise ShapeError("goal_closeness: without baselines there is no direction; give them, or alpha 0")
        baseline_D = goal_D
    else:
        _same_number(goals, baselines)
        baseline_D = mean_direction(baselines, "baselines", len(goal_D))
    return _closeness(states_ND, goal_D, baseline_D, alpha, guarded)


def _closeness(states_ND: Floats, goal_D: Floats, baseline_D: Floats, alpha: float, guarded: bool) -> Floats:
    length_N = lengths(states_ND)
    known_N = length_N >= NO_LENGTH
    apart_ND = states_ND / np.where(known_N, length_N, 1.0)[:, None] - goal_D
    all_N = (apart_ND**2).sum(-1)
    d_D = goal_D - baseline_D
    size = float(np.sqrt((d_D**2).sum()))
    lone = size < (NO_DIRECTION if guarded else np.finfo(float).tiny)
    # row by row, not a matrix product: a state must earn alone what it earns among others, to the last bit
    along_N = all_N if lone else ((apart_ND * (d_D / size)).sum(-1)) ** 2
    across_N = np.maximum(all_N - along_N, 0.0)
    reward_N = np.clip(1.0 - (along_N + (1.0 - alpha) ** 2 * across_N) / 2.0, -1.0, 1.0)
    if guarded:
        return np.where(known_N, reward_N, 0.0)
    return np.where(known_N & (not lone), reward_N, np.nan)


def mean_direction(prompts: ArrayLike, name: str = "prompts", width: int | None = None) -> Floats:
    """The mean of the prompts' directions, (D,); shorter than 1 unless they agree.

    Raises:
        ShapeError: no prompts, or one without length or with numbers that are not finite.

    Example:
        >>> mean_direction([[2, 0], [0, 3]])
        array([0.5, 0.5])
    """
    prompts_PD = _rows(prompts, name, width)
    length_P = lengths(prompts_PD)
    if not len(prompts_PD) or not (length_P >= NO_LENGTH).all():
        raise ShapeError(f"goal_closeness: `{name}` needs one prompt or more, each longer than 0")
    return np.asarray((prompts_PD / length_P[:, None]).mean(0))


def lengths(vectors_ND: Floats) -> Floats:
    """(N,) Euclidean lengths, also of vectors whose squares no float can hold.

    Example:
        >>> lengths(np.array([[3.0, 4.0], [3e200, 4e200], [0.0, 0.0]]))
        array([5.e+000, 5.e+200, 0.e+000])
    """
    largest_N1 = np.abs(vectors_ND).max(-1, initial=0.0, keepdims=True)
    scale_N1 = np.where(largest_N1 > _SQUARABLE, largest_N1, 1.0)
    return np.asarray(scale_N1[:, 0] * np.sqrt(((vectors_ND / scale_N1) ** 2).sum(-1)))


def _rows(vectors: ArrayLike, name: str, width: int | None = None) -> Floats:
    array = np.asarray(vectors, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != (width or array.shape[1]) or not np.isfinite(array).all():
        needed = f"(N, {width})" if width else "(N, D)"
        raise ShapeError(f"goal_closeness: `{name}` has shape {array.shape}; it needs {needed} of finite numbers")
    return array


def _same_number(goals: ArrayLike, baselines: ArrayLike) -> None:
    goal_count, baseline_count = len(np.asarray(goals)), len(np.asarray(baselines))
    if goal_count != baseline_count:
        raise ShapeError(f"goal_closeness: {goal_count} goals and {baseline_count} baselines; it needs as many of each")
