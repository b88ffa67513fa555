"""Prompt groups whole, on whatever process their rollouts were sampled.

Every group is scored once, by the process that holds its first rollout, and the scores go to all: no judge is asked
twice, and all processes compute the same advantages. Text and columns travel to every process; pictures travel only to
the process that scores a group which straddles a border. Knows nothing of torch: `gather` is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sightline.core.batch import Batch
from sightline.core.errors import SightlineError
from sightline.core.marks import Mark, NoMarks
from sightline.core.scores import ABSTAIN, Scores
from sightline.rewards.reward import Reward

MEDIA = ("image", "images", "video", "videos")
NOT_SCORED = ABSTAIN + "not evaluated"
Gather = Callable[[list[Any]], list[Any]]


@dataclass(frozen=True)
class Layout:
    """Where the rollouts of a step lie: `rows` on each of `world` processes, `group_size` neighbours from one prompt.

    Args:
        rank: this process.
        world: how many processes there are.
        rows: rollouts per process.
        group_size: rollouts per prompt.

    Example:
        >>> layout = Layout(rank=0, world=2, rows=3, group_size=2)
        >>> layout.group, layout.owner
        (array([0, 0, 1, 1, 2, 2]), array([0, 0, 0, 0, 1, 1]))
    """

    rank: int
    world: int
    rows: int
    group_size: int

    @property
    def local(self) -> slice:
        """This process's rows among those of all."""
        return slice(self.rank * self.rows, (self.rank + 1) * self.rows)

    @property
    def group(self) -> NDArray[np.int64]:
        """(B,) group number of every rollout of all processes."""
        return np.arange(self.world * self.rows) // self.group_size

    @property
    def owner(self) -> NDArray[np.int64]:
        """(B,) the process that scores each rollout: the one that holds the first of its group."""
        return self.group * self.group_size // self.rows

    @property
    def straddles(self) -> bool:
        """Whether some group lies on two processes."""
        return self.world > 1 and self.rows % self.group_size != 0


@dataclass(frozen=True)
class Rows:
    """The rollouts of some processes as columns.

    Args:
        prompts: what was asked, text or messages.
        completions: what the policy wrote, text or messages.
        columns: everything else, media included where they are at hand.
    """

    prompts: Sequence[Any]
    completions: Sequence[Any]
    columns: Mapping[str, Sequence[Any]]

    def plus(self, columns: Mapping[str, Sequence[Any]]) -> Rows:
        """The same rows with more columns."""
        return Rows(self.prompts, self.completions, {**self.columns, **columns})

    def batch(self, group: NDArray[np.int64], step: int) -> Batch:
        return Batch(self.completions, self.columns, prompts=self.prompts, group=group, step=step)

    def without_media(self) -> Rows:
        light = {name: values for name, values in self.columns.items() if name not in MEDIA}
        return Rows(self.prompts, self.completions, light)

    def media(self) -> dict[str, Sequence[Any]]:
        return {name: values for name, values in self.columns.items() if name in MEDIA}


def score_groups(reward: Reward, rows: Rows, layout: Layout, gather: Gather, step: int) -> tuple[Scores, Batch]:
    """Scores of all rollouts of all processes, and the batch they belong to.

    Args:
        reward: what to score with.
        rows: the rollouts of this process.
        layout: how rollouts lie on processes.
        gather: joins the lists of all processes, in their order.
        step: the training step.

    Returns:
        Scores in the order of processes, the same on every process, and the whole batch. On several processes the batch
        has no media columns.

    Raises:
        ColumnError: a column that the reward reads is missing; on every process alike.
    """
    if layout.world == 1:
        batch = rows.batch(layout.group, step)
        return reward(batch), batch
    everybody = _gathered(rows.without_media(), gather)
    index = np.flatnonzero(layout.owner == layout.rank)
    mine = _picked(everybody, index, _lent_media(rows.media(), layout, gather))
    found = gather([(index, _scored(reward, mine.batch(layout.group[index], step)))])
    for _, scores in found:
        if isinstance(scores, SightlineError):  # on every process, or the others would wait for this one
            raise scores
    return joined(found, len(layout.group)), everybody.batch(layout.group, step)


def joined(found: Sequence[tuple[NDArray[np.int64], Scores | None]], size: int) -> Scores:
    """Scores of `size` rollouts from those of disjoint sets of rows; a part that a set lacks is NaN there.

    Example:
        >>> joined([(np.array([1]), Scores.of([5.0])), (np.array([0]), Scores.of([7.0]))], 2).values
        array([7., 5.])
    """
    some = [(index, scores) for index, scores in found if scores is not None]
    values, why = np.full(size, np.nan), [NOT_SCORED] * size
    marks: list[tuple[Mark, ...]] = [()] * size
    for index, scores in some:
        values[index] = scores.values
        for place, row in enumerate(index.tolist()):
            why[row], marks[row] = scores.why[place], scores.marks[place]
    names = dict.fromkeys(name for _, scores in some for name in scores.parts)
    parts = {name: joined([(i, s.parts.get(name)) for i, s in some], size) for name in names}
    return Scores(values, why, marks if any(marks) else NoMarks(size), parts)


def _scored(reward: Reward, batch: Batch) -> Scores | SightlineError | None:
    try:
        return _travelling(reward(batch)) if len(batch) else None
    except SightlineError as error:
        return error


def _travelling(scores: Scores) -> Scores:
    """The same scores with their marks as plain tuples: lazy marks may hold the arrays of a whole batch."""
    size = len(scores)
    marks = NoMarks(size) if isinstance(scores.marks, NoMarks) else [scores.marks[i] for i in range(size)]
    return Scores(scores.values, list(scores.why), marks, {n: _travelling(p) for n, p in scores.parts.items()})


def _gathered(rows: Rows, gather: Gather) -> Rows:
    """The rows of all processes; a column that some process lacks is None there."""
    pieces: list[Rows] = gather([rows])
    names = dict.fromkeys(name for piece in pieces for name in piece.columns)
    columns = {
        name: [v for piece in pieces for v in piece.columns.get(name, [None] * len(piece.prompts))] for name in names
    }
    prompts = [prompt for piece in pieces for prompt in piece.prompts]
    return Rows(prompts, [completion for piece in pieces for completion in piece.completions], columns)


def _lent_media(media: Mapping[str, Sequence[Any]], layout: Layout, gather: Gather) -> dict[str, dict[int, Any]]:
    """name -> row -> value, of this process's rows and of those that other processes lend it."""
    start, owner = layout.local.start, layout.owner
    known = {name: dict(enumerate(values, start)) for name, values in media.items()}
    if not layout.straddles:
        return known
    foreign = [row for row in range(start, start + layout.rows) if owner[row] != layout.rank]
    for name, row, value in gather([(name, row, known[name][row]) for name in known for row in foreign]):
        if owner[row] == layout.rank:
            known.setdefault(name, {})[row] = value
    return known


def _picked(rows: Rows, index: NDArray[np.int64], media: Mapping[str, Mapping[int, Any]]) -> Rows:
    at = index.tolist()
    columns = {name: [values[i] for i in at] for name, values in rows.columns.items()}
    pictures = {name: [values.get(i) for i in at] for name, values in media.items()}
    return Rows([rows.prompts[i] for i in at], [rows.completions[i] for i in at], {**columns, **pictures})
