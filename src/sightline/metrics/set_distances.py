"""How far two sets of vectors lie apart, whatever the order of their members.

X (m, D) and Y (n, D) are rows of vectors; every distance divides them by their length first. Two empty sets are 0
apart, an empty and another one 2, before any formula. Ground cost: 1 - cosine in [0, 2]; a row without length costs 1.

Axes: m, n members; c_mn ground costs. Knows nothing of texts or encoders.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, wraps
from math import lcm
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sightline.core.errors import ShapeError
from sightline.metrics.embeddings import NO_LENGTH, unit_rows, vectors

Floats = NDArray[np.float64]
Cost: TypeAlias = Callable[[Floats, Floats], Floats]
SetDistance: TypeAlias = Callable[[ArrayLike, ArrayLike], float]
ONE_EMPTY = 2.0
ROUNDING = 1e-12
SAFE = 100.0  # largest cost / epsilon of which the exponentials are ordinary numbers
SETTLED, PATIENCE = 1e-13, 8  # error of a sum at which rounds end, and rounds between two looks at it
MOST_COPIES = 600  # members of an assignment that stands for a transport problem


def cosine_cost(x: Floats, y: Floats) -> Floats:
    """1 - cosine of unit rows, in [0, 2]; what is only rounding is 0."""
    c_mn: Floats = np.minimum(1.0 - np.dot(x, y.T), 2.0)
    c_mn[c_mn <= ROUNDING] = 0.0
    return c_mn


def euclidean_cost(x: Floats, y: Floats) -> Floats:
    """Length of the difference of unit rows: sqrt(2 (1 - cosine)) for rows with length, in [0, 2]."""
    squared = (x**2).sum(1)[:, None] + (y**2).sum(1)[None] - 2.0 * x @ y.T
    return np.asarray(np.sqrt(np.maximum(squared, 0.0)))


def half_cosine_cost(x: Floats, y: Floats) -> Floats:
    """(1 - cosine) / 2, in [0, 1]."""
    return cosine_cost(x, y) / 2.0


def _of_sets(formula: Callable[..., float]) -> Callable[..., float]:
    """Unit rows in, and what holds for every distance: nothing to compare is 0, one side empty is 2."""

    @wraps(formula)
    def distance(X: ArrayLike, Y: ArrayLike, *options: object, **named: object) -> float:
        x, y = vectors(X), vectors(Y)
        m = len(x)
        if not m or not len(y):
            return 0.0 if m == len(y) else ONE_EMPTY
        if x.shape[1] != y.shape[1]:
            raise ShapeError(f"set distance: vectors of {x.shape[1]} and of {y.shape[1]} numbers")
        both = unit_rows(np.concatenate([x, y]))
        return float(formula(both[:m], both[m:], *options, **named))

    return distance


def _mean_nearest(c_mn: Floats, axis: int) -> float:
    nearest = np.minimum.reduce(c_mn, axis=axis)
    return float(np.add.reduce(nearest)) / len(nearest)


@_of_sets
def directed(x: Floats, y: Floats, cost: Cost = cosine_cost) -> float:
    """Mean over X of the cost of the nearest member of Y: is every member of X supported by Y?

    Example:
        >>> directed([[1, 0]], [[1, 0], [0, 1]]), directed([[1, 0], [0, 1]], [[1, 0]])
        (0.0, 0.5)
    """
    return _mean_nearest(cost(x, y), 1)


@_of_sets
def chamfer(x: Floats, y: Floats, weight: float = 0.5, cost: Cost = cosine_cost) -> float:
    """weight * directed(X, Y) + (1 - weight) * directed(Y, X). Copies are not punished.

    Example:
        >>> chamfer([[1, 0]], [[1, 0], [0, 1]])
        0.25
    """
    c_mn = cost(x, y)
    return weight * _mean_nearest(c_mn, 1) + (1.0 - weight) * _mean_nearest(c_mn, 0)


@_of_sets
def hausdorff(x: Floats, y: Floats, cost: Cost = cosine_cost) -> float:
    """The largest cost of a nearest member, either way.

    Example:
        >>> hausdorff([[1, 0]], [[1, 0], [0, 1]])
        1.0
    """
    c_mn = cost(x, y)
    return max(float(np.minimum.reduce(c_mn, axis=axis).max()) for axis in (1, 0))


@_of_sets
def modified_hausdorff(x: Floats, y: Floats, cost: Cost = cosine_cost) -> float:
    """The larger of the two directed distances.

    Example:
        >>> modified_hausdorff([[1, 0]], [[1, 0], [0, 1]])
        0.5

    References:
        Dubuisson, Jain, A modified Hausdorff distance for object matching, 1994.
    """
    c_mn = cost(x, y)
    return max(_mean_nearest(c_mn, 1), _mean_nearest(c_mn, 0))


@_of_sets
def hungarian(x: Floats, y: Floats, cost: Cost = cosine_cost, unmatched: float = 1.0) -> float:
    """(least cost of a one-to-one assignment + unmatched * |m - n|) / max(m, n). Copies are punished.

    Example:
        >>> round(hungarian([[1, 0]] * 3, [[1, 0], [0, 1]]), 6)
        0.666667
    """
    from scipy.optimize import linear_sum_assignment

    c_mn = cost(x, y)
    rows, columns = linear_sum_assignment(c_mn)
    return float((c_mn[rows, columns].sum() + unmatched * abs(len(x) - len(y))) / max(len(x), len(y)))


@_of_sets
def earth_movers(x: Floats, y: Floats, cost: Cost = cosine_cost) -> float:
    """Least cost of moving mass 1 / m at each member of X to mass 1 / n at each member of Y (Wasserstein-1), exact.

    Example:
        >>> earth_movers([[1, 0]], [[1, 0], [0, 1]])
        0.5
    """
    from scipy.optimize import linear_sum_assignment

    c_mn = cost(x, y)
    m, n = c_mn.shape
    if m == 1 or n == 1:
        return float(c_mn.mean())
    copies = lcm(m, n)
    if copies > MOST_COPIES:
        return _linear_programme(c_mn)
    # equal masses: with every member copied to a common number, some best plan is an assignment
    whole = np.repeat(np.repeat(c_mn, copies // m, axis=0), copies // n, axis=1)
    rows, columns = linear_sum_assignment(whole)
    return float(whole[rows, columns].mean())


def _linear_programme(c_mn: Floats) -> float:
    from scipy.optimize import linprog

    sums, masses = _marginals(*c_mn.shape)
    search = {"presolve": False}  # there is nothing to simplify, and looking takes a third of the time
    found = linprog(c_mn.ravel(), A_eq=sums, b_eq=masses, bounds=(0, None), method="highs-ds", options=search)
    return float(found.fun)


@lru_cache(maxsize=64)
def _marginals(m: int, n: int) -> tuple[Any, Floats]:
    """What rows and columns of a plan add up to, as equations; one follows from the others."""
    from scipy.sparse import eye, kron, vstack

    sums = vstack([kron(eye(m), np.ones((1, n))), kron(np.ones((1, m)), eye(n))])
    masses = np.concatenate([np.full(m, 1.0 / m), np.full(n, 1.0 / n)])
    return sums.tocsr()[:-1], masses[:-1]


@_of_sets
def sinkhorn(x: Floats, y: Floats, epsilon: float = 0.1, rounds: int = 500, cost: Cost = cosine_cost) -> float:
    """Cost <P, C> of the transport plan with entropy, from potentials of 0, rows first, in logarithms.

    A little above `earth_movers`, and above 0 for equal sets.

    Args:
        epsilon: weight of the entropy.
        rounds: updates of rows, then columns.

    Example:
        >>> round(sinkhorn([[1, 0], [0, 1]], [[0, 1], [1, 0]]), 6)
        4.5e-05

    References:
        Cuturi, Sinkhorn distances, arXiv 1306.0895.
    """
    c_mn = cost(x, y)
    m, n = c_mn.shape
    if c_mn.max() < SAFE * epsilon:
        return _scaled_transport(c_mn, epsilon, rounds)
    f_m, g_n = np.zeros(m), np.zeros(n)
    for _ in range(rounds):
        before = f_m
        f_m = -epsilon * (np.log(m) + _log_sum_exp((g_n[None] - c_mn) / epsilon, axis=1))
        g_n = -epsilon * (np.log(n) + _log_sum_exp((f_m[:, None] - c_mn) / epsilon, axis=0))
        if np.array_equal(before, f_m):  # later rounds would repeat this one
            break
    plan_mn = np.exp((f_m[:, None] + g_n[None] - c_mn) / epsilon)
    return float((plan_mn * c_mn).sum())


def _scaled_transport(c_mn: Floats, epsilon: float, rounds: int) -> float:
    """The same rounds by factors instead of their logarithms, while these cannot overflow."""
    m, n = c_mn.shape
    kernel_mn = np.exp(c_mn / -epsilon)
    kernel_nm = np.ascontiguousarray(kernel_mn.T)
    u_m, v_n, sum_m, sum_n = np.ones(m), np.ones(n), np.empty(m), np.empty(n)
    for done in range(rounds):
        np.dot(kernel_mn, v_n, out=sum_m)
        # the rows' sums of the plan that the last round left; where they are right, later rounds repeat it
        if done % PATIENCE == PATIENCE - 1 and abs(u_m * sum_m * m - 1.0).max() < SETTLED:
            break
        np.divide(1.0 / m, sum_m, out=u_m)
        np.dot(kernel_nm, u_m, out=sum_n)
        np.divide(1.0 / n, sum_n, out=v_n)
    return float(u_m @ (kernel_mn * c_mn) @ v_n)


def _log_sum_exp(values: Floats, axis: int) -> Floats:
    top = values.max(axis=axis, keepdims=True)
    return np.asarray((np.log(np.exp(values - top).sum(axis=axis, keepdims=True)) + top).squeeze(axis))


@_of_sets
def energy(x: Floats, y: Floats, cost: Cost = cosine_cost) -> float:
    """2 mean c(X, Y) - mean c(X, X) - mean c(Y, Y), diagonals included. With the cosine cost it compares means only.

    Example:
        >>> energy([[1, 0]], [[1, 0], [0, 1]])
        0.5
    """
    return float(2.0 * cost(x, y).mean() - cost(x, x).mean() - cost(y, y).mean())


@_of_sets
def mmd(x: Floats, y: Floats, width: float = 1.0) -> float:
    """Squared maximum mean discrepancy with k = exp(-|u - v|^2 / (2 width^2)), diagonals included.

    Example:
        >>> round(mmd([[1, 0]], [[1, 0], [0, 1]]), 6)
        0.31606

    References:
        Gretton et al., A kernel two-sample test, 2012.
    """

    def kernel(a: Floats, b: Floats) -> float:
        return float(np.exp(-(euclidean_cost(a, b) ** 2) / (2.0 * width**2)).mean())

    return max(0.0, kernel(x, x) + kernel(y, y) - 2.0 * kernel(x, y))


@_of_sets
def centroid(x: Floats, y: Floats) -> float:
    """1 - cosine of the means; 1 if either mean has no length.

    Example:
        >>> round(centroid([[1, 0]], [[1, 0], [0, 1]]), 6)
        0.292893
    """
    a, b = x.mean(axis=0), y.mean(axis=0)
    lengths = np.sqrt((a**2).sum()), np.sqrt((b**2).sum())
    if min(lengths) < NO_LENGTH:
        return 1.0
    return float(np.clip(1.0 - a @ b / (lengths[0] * lengths[1]), 0.0, 2.0))


DISTANCES: dict[str, SetDistance] = {
    "chamfer": chamfer,
    "hausdorff": hausdorff,
    "modified hausdorff": modified_hausdorff,
    "hungarian": hungarian,
    "earth movers": earth_movers,
    "sinkhorn": sinkhorn,
    "energy": energy,
    "mmd": mmd,
    "centroid": centroid,
}


@dataclass(frozen=True)
class Weighted:
    """Chamfer with a weight: 1 asks only whether everything written is supported, 0 only whether nothing is missing.

    Args:
        weight: of directed(X, Y).
        cost: ground cost of unit rows.

    Example:
        >>> Weighted(1.0)([[1, 0]], [[1, 0], [0, 1]]), Weighted(0.0)([[1, 0]], [[1, 0], [0, 1]])
        (0.0, 0.5)
    """

    weight: float = 0.5
    cost: Cost = cosine_cost

    def __call__(self, X: ArrayLike, Y: ArrayLike) -> float:
        return chamfer(X, Y, self.weight, self.cost)


def nearest_costs(X: ArrayLike, Y: ArrayLike, cost: Cost = cosine_cost) -> Floats:
    """(m,) cost of the nearest member of Y for each member of X; 2 each if Y is empty.

    Example:
        >>> nearest_costs([[1, 0], [0, 1]], [[1, 0]])
        array([0., 1.])
    """
    x, y = unit_rows(X), unit_rows(Y)
    return cost(x, y).min(axis=1) if len(x) and len(y) else np.full(len(x), ONE_EMPTY)
