"""Diagrams of points, lines and circles, a policy of a few numbers that lists them, and judges that know the truth.

The policy copies a diagram with noise, leaves primitives out, invents some, and then reasons with its list or past it.
It writes real replies, so that rewards read texts. Knows no rewards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sightline.judges.judge import Question, Verdict
from sightline.metrics.matching import hungarian

Array = NDArray[np.float64]
STEPS, TOLERANCE, STEADIEST = 3, 1.0, 0.6
LISTED, SEEMS = "by the list", "as it looks"


class Diagram(NamedTuple):
    """(n, 2) points, (m, 2, 2) ends of lines, (k, 3) circles; the question is about the first point."""

    points: Array
    lines: Array
    circles: Array

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Diagram:
        """Two to four points, one or two lines, one or two circles."""
        points = rng.uniform(-9, 9, (rng.integers(2, 5), 2))
        lines = rng.uniform(-9, 9, (rng.integers(1, 3), 2, 2))
        centres = rng.uniform(-6, 6, (rng.integers(1, 3), 2))
        return cls(points, lines, np.column_stack([centres, rng.uniform(1, 4, len(centres))]))

    def text(self) -> str:
        """The diagram in words."""
        points = " ".join(f"({x:.2f}, {y:.2f})" for x, y in self.points)
        lines = " ".join(f"({a:.2f}, {b:.2f}) -- ({c:.2f}, {d:.2f})" for (a, b), (c, d) in self.lines)
        circles = " ".join(f"({x:.2f}, {y:.2f}, {r:.2f})" for x, y, r in self.circles)
        return f"Point: {points} Line: {lines} Circle: {circles}"

    def numbers(self) -> int:
        """How many coordinates it has."""
        return self.points.size + self.lines.size + self.circles.size


class Seen(NamedTuple):
    """A list of primitives and the choices it came from: standard normal noise, kept or not, how many invented."""

    listed: Diagram
    noise: Array
    kept: NDArray[np.bool_]
    invented: bool


class Reply(NamedTuple):
    """A reply and its choices: what was seen, and for each step whether it follows the list."""

    seen: Seen
    follows: NDArray[np.bool_]
    text: str


@dataclass
class Draughtsman:
    """A policy.

    Args:
        spread: log of the standard deviation of its coordinates, which gets no less than 0.6.
        keep, invent, follow: log-odds of listing a primitive, of inventing a point, of a step that follows the list.
    """

    spread: float = 0.5
    keep: float = 0.5
    invent: float = 0.0
    follow: float = 0.0

    def see(self, true: Diagram, rng: np.random.Generator) -> Seen:
        """One perception."""
        noise = rng.normal(size=true.numbers())
        n, m = len(true.points), len(true.lines)
        kept = rng.random(n + m + len(true.circles)) < _sigmoid(self.keep)
        moved = np.exp(self.spread) * noise
        points, lines, circles = np.split(moved, [true.points.size, true.points.size + true.lines.size])
        listed = Diagram(
            (true.points + points.reshape(-1, 2))[kept[:n]],
            (true.lines + lines.reshape(-1, 2, 2))[kept[n : n + m]],
            _round((true.circles + circles.reshape(-1, 3))[kept[n + m :]]),
        )
        invented = bool(rng.random() < _sigmoid(self.invent))
        extra = np.concatenate([listed.points, rng.uniform(-9, 9, (int(invented), 2))])
        return Seen(listed._replace(points=extra), noise, kept, invented)

    def reason(self, true: Diagram, seen: Seen, rng: np.random.Generator) -> Reply:
        """A reply from what was seen; it is right if the first point is seen well and every step follows the list."""
        follows = rng.random(STEPS) < _sigmoid(self.follow)
        first = seen.listed.points[:1] if seen.kept[0] else np.empty((0, 2))
        well = bool(len(first)) and bool(np.linalg.norm(first[0] - true.points[0]) < TOLERANCE)
        right = (well and bool(follows.all())) or rng.random() < 0.1
        steps = "\n".join(f"Step {k}: {LISTED if ok else SEEMS}" for k, ok in enumerate(follows, 1))
        said = f"<WATCHING>{seen.listed.text()}</WATCHING><THINKING>{steps}</THINKING><ANSWER>{int(right)}</ANSWER>"
        return Reply(seen, follows, said)

    def learn(self, replies: Sequence[Reply], steps: Array) -> None:
        """One policy-gradient step on all replies, `steps` (B,) long: rate times advantage."""
        now = Draughtsman(self.spread, self.keep, self.invent, self.follow)
        for (seen, follows, _), step in zip(replies, steps.tolist(), strict=True):
            self.spread = max(np.log(STEADIEST), self.spread + step * float(np.mean(seen.noise**2 - 1)))
            self.keep += step * float(np.sum(seen.kept - _sigmoid(now.keep)))
            self.invent += step * float(seen.invented - _sigmoid(now.invent))
            self.follow += step * float(np.sum(follows - _sigmoid(now.follow)))


def found(seen: Diagram, true: Diagram) -> tuple[int, int, int]:
    """Points and circles that are found within the tolerance, how many were listed, how many there are."""
    hits = 0
    for mine, right in ((seen.points, true.points), (seen.circles, true.circles)):
        if len(mine) and len(right):
            far_PG = np.linalg.norm(mine[:, None] - right[None], axis=-1)
            pairs = hungarian(far_PG)
            hits += sum(far_PG[p, g] < TOLERANCE for p, g in enumerate(pairs.tolist()) if g >= 0)
    return hits, len(seen.points) + len(seen.circles), len(true.points) + len(true.circles)


def row(true: Diagram, said: str, group: int) -> dict[str, Any]:
    """A reply as a rollout."""
    return {"completion": said, "primitives": true.text(), "answer": "1", "group": group}


@dataclass(frozen=True)
class Ink:
    """Embeds a picture as the ink in each cell of a grid, its mean taken out.

    Args:
        cells: along a side.
    """

    cells: int = 8

    @property
    def id(self) -> str:
        return f"ink:{self.cells}"

    def embed(self, questions: Sequence[Question]) -> list[Verdict[tuple[float, ...]]]:
        """`cells` squared numbers for every picture."""
        return [Verdict(self._cells(np.asarray(question.images[0]))) for question in questions]

    def _cells(self, picture: NDArray[np.uint8]) -> tuple[float, ...]:
        ink = 255.0 - picture[..., 0]
        size = len(ink) // self.cells
        grid = ink[: size * self.cells, : size * self.cells].reshape(self.cells, size, self.cells, size).mean((1, 3))
        return tuple((grid - grid.mean() + 1e-6).ravel().tolist())


@dataclass(frozen=True)
class FollowsList:
    """Says how likely a step follows the list, from its words.

    Args:
        sure: the chance it gives to what it finds.
    """

    sure: float = 0.9

    @property
    def id(self) -> str:
        return f"follows the list:{self.sure:g}"

    def choose(self, questions: Sequence[Question]) -> list[Verdict[tuple[float, ...]]]:
        """Chances of yes and no."""
        yes = [self.sure if LISTED in str(question.field("step")) else 1 - self.sure for question in questions]
        return [Verdict((p, 1 - p)) for p in yes]


def _round(circles: Array) -> Array:
    """Circles with radii that are not negative."""
    return np.column_stack([circles[:, :2], np.abs(circles[:, 2])])


def _sigmoid(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))
