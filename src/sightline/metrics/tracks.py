"""How a box moves: a track of boxes described in bins, and how nearly two descriptions agree.

Boxes are xyxy in one frame, times in seconds. Diagonals and areas are those of the boxes, so a description does not
depend on the size of the picture, but its angles do on the aspect ratio: give pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sightline.core.errors import ShapeError
from sightline.core.motion import AT_REST, COMPASS, SCALES, SPEEDS, STILL, Motion
from sightline.metrics.boxes import as_boxes

Floats = NDArray[np.float64]
SPEED_LIMITS = (0.02, 0.10, 0.30)  # diagonals per second
REST = 0.02  # a path shorter than this share of the diagonal is no motion
GROWTH = 0.15  # of the logarithm of the area
TINY = 1e-9


def describe(boxes: ArrayLike, seconds: ArrayLike, tolerance: float = 0.005) -> Motion:
    """The motion of a track in bins.

    direction: every step of the centre votes for its 45-degree bin with its length; `STAT` for a path below 0.02
    diagonals. speed: path / time / diagonal; below 0.02 stationary, 0.10 slow, 0.30 moderate, else fast. scale: log of
    last over first area, beyond +-0.15 approaching or receding. No direction and no speed go together.
    shape: oscillating if more than 0.4 of the turns reverse, linear if net / path > 0.85, else curved.
    phase: from the differences of the speeds of the steps.

    Args:
        boxes: (N, 4) xyxy, corners sorted.
        seconds: (N,) times.
        tolerance: a difference of step speeds counts beyond this; 0.005 for boxes in 0..1, 0.005 * max(W, H) for
            pixels.

    Fewer than two boxes are at rest.

    Raises:
        ShapeError: not as many times as boxes.

    Example:
        >>> describe([[.1, .1, .2, .2], [.15, .1, .25, .2]], [0, 1])
        Motion(direction='E', speed='fast', scale='stable', shape='linear', phase='constant')

    References:
        Motion-o, arXiv 2603.18856, ground-truth descriptors.
    """
    xyxy, t = as_boxes(boxes, "describe").reshape(-1, 4), np.asarray(seconds, dtype=np.float64).reshape(-1)
    if len(xyxy) != len(t):
        raise ShapeError(f"describe: {len(t)} times for {len(xyxy)} boxes")
    if len(xyxy) < 2:
        return AT_REST
    steps = np.diff(_centres(xyxy), axis=0)
    lengths = np.hypot(steps[:, 0], steps[:, 1])
    diagonal = float(_diagonals(xyxy).mean())
    path = float(lengths.sum())
    moved = path >= REST * diagonal and bool((lengths >= TINY).any())
    bare = Motion(_most_voted(steps, lengths) if moved else STILL, _speed(path, float(t[-1] - t[0]), diagonal), "")
    motion = bare._replace(scale=_scale(xyxy[0], xyxy[-1])).settled
    if len(xyxy) == 2:
        return motion._replace(shape="stationary" if motion.direction == STILL else "linear", phase="constant")
    return motion._replace(shape=_shape(steps, path), phase=_phase(lengths, np.diff(t), tolerance))


def straight(first: Sequence[float], last: Sequence[float], seconds: float, settled: bool = True) -> Motion:
    """The motion between two boxes in pixels: direction `STAT` for a shift below 3 pixels or 0.02 diagonals.

    Args:
        first, last: xyxy in pixels.
        seconds: time between them; not above 0: stationary.
        settled: no direction and no speed go together.

    Example:
        >>> straight([10, 10, 20, 20], [30, 10, 40, 20], 1.0)
        Motion(direction='E', speed='fast', scale='stable', shape='', phase='')
    """
    xyxy = np.array([first, last], dtype=np.float64)
    step = np.diff(_centres(xyxy), axis=0)
    length, diagonal = float(np.hypot(*step[0])), float(_diagonals(xyxy).mean())
    direction = STILL if length < max(REST * diagonal, 3.0) else _bin(step)[0]
    motion = Motion(direction, _speed(length, seconds, diagonal), _scale(xyxy[0], xyxy[1]))
    return motion.settled if settled else motion


def direction_agreement(said: str, right: str) -> float:
    """1 for the same direction, 0.5 for a neighbour on the compass, else 0; `STAT` has no neighbour.

    Example:
        >>> [direction_agreement(a, b) for a, b in (("E", "NE"), ("E", "N"), ("STAT", "STAT"), ("e", "E"))]
        [0.5, 0.0, 1.0, 0.0]
    """
    if said == right:
        return float(right in COMPASS or right == STILL)
    if said not in COMPASS or right not in COMPASS:
        return 0.0
    return 0.5 if (COMPASS.index(said) - COMPASS.index(right)) % 8 in (1, 7) else 0.0


def rank_agreement(said: str, right: str, ranks: Sequence[str]) -> float:
    """1 for the same rank, 0.5 for the next one, else 0, also for an unknown word.

    Example:
        >>> rank_agreement("slow", "fast", SPEEDS), rank_agreement("stationary", "slow", SPEEDS)
        (0.0, 0.5)
    """
    if said not in ranks or right not in ranks:
        return 0.0
    return max(0.0, 1.0 - 0.5 * abs(ranks.index(said) - ranks.index(right)))


def motion_agreement(said: Motion, right: Motion, weights: tuple[float, float, float] = (0.4, 0.3, 0.3)) -> float:
    """Weighted agreement of direction, speed and scale. Range 0..1 for weights that sum to 1.

    Example:
        >>> motion_agreement(Motion("NE", "moderate", "approaching"), Motion("E", "fast", "stable"))
        0.5
    """
    parts = (
        direction_agreement(said.direction, right.direction),
        rank_agreement(said.speed, right.speed, SPEEDS),
        rank_agreement(said.scale, right.scale, SCALES),
    )
    return math.fsum(weight * part for weight, part in zip(weights, parts, strict=True))


def motion_change(said: Motion, other: Motion, weights: tuple[float, float, float] = (0.5, 0.3, 0.2)) -> float:
    """Weighted share of direction, speed and scale that differ, compared as strings.

    Example:
        >>> motion_change(Motion("E", "fast", "stable"), Motion("STAT", "fast", "stable"))
        0.5
    """
    return math.fsum(weight * (a != b) for weight, a, b in zip(weights, said[:3], other[:3], strict=True))


def _centres(xyxy: Floats) -> Floats:
    return (xyxy[:, :2] + xyxy[:, 2:]) / 2


def _diagonals(xyxy: Floats) -> Floats:
    return np.hypot(xyxy[:, 2] - xyxy[:, 0], xyxy[:, 3] - xyxy[:, 1])


def _bin(steps: Floats) -> list[str]:
    angles = np.degrees(np.arctan2(-steps[:, 1], steps[:, 0])) % 360  # the screen's y grows downwards
    return [COMPASS[int(angle)] for angle in np.floor((angles + 22.5) / 45) % 8]


def _most_voted(steps: Floats, lengths: Floats) -> str:
    votes: dict[str, float] = {}
    for name, length in zip(_bin(steps), lengths.tolist(), strict=True):
        if length >= TINY:
            votes[name] = votes.get(name, 0.0) + length
    return max(votes, key=lambda name: votes[name])  # of equals the first that was voted for


def _speed(path: float, seconds: float, diagonal: float) -> str:
    if seconds <= 0 or diagonal <= TINY:
        return SPEEDS[0]
    return SPEEDS[int(np.searchsorted(SPEED_LIMITS, path / seconds / diagonal, side="right"))]


def _scale(first: Floats, last: Floats) -> str:
    before, after = (max(0.0, b[2] - b[0]) * max(0.0, b[3] - b[1]) for b in (first.tolist(), last.tolist()))
    if before <= 0 or after <= 0:
        return "stable"
    growth = math.log(after / before)
    return "approaching" if growth > GROWTH else "receding" if growth < -GROWTH else "stable"


def _shape(steps: Floats, path: float) -> str:
    if path < TINY:
        return "stationary"
    turns = (steps[:-1] * steps[1:]).sum(axis=1)
    if (turns < 0).sum() / len(turns) > 0.4:
        return "oscillating"
    return "linear" if float(np.hypot(*steps.sum(axis=0))) / path > 0.85 else "curved"


def _phase(lengths: Floats, seconds: Floats, tolerance: float) -> str:
    speeds = np.where(seconds > 0, lengths / np.where(seconds > 0, seconds, 1.0), 0.0)
    changes, half = np.diff(speeds), 0.5 * float(speeds.max())
    if (changes < -half).any() and (changes > half).any():
        return "reversing"
    faster, slower = float((changes > tolerance).mean()), float((changes < -tolerance).mean())
    if faster > 0.6 and slower <= 0.2:
        return "accelerating"
    return "decelerating" if slower > 0.6 and faster <= 0.2 else "constant"
