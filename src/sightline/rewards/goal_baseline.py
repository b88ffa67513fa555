"""How well what can be seen fits a goal stated in words, as a frozen image-text encoder has it.

A rollout is one step of an environment, or an episode; what the policy wrote is not read, only what it brought about.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import numpy as np

from sightline.core.batch import Batch
from sightline.core.errors import ConfigError
from sightline.core.marks import Mark
from sightline.core.scores import Score, Scores, abstain, failed
from sightline.judges.colours import ColourEmbedder
from sightline.judges.judge import Question, Verdict
from sightline.metrics.projection import NO_LENGTH, Floats, goal_closeness, lengths
from sightline.rewards.goal_columns import Embedded, GoalRow, GoalRows
from sightline.rewards.reward import INFINITE, JudgedReward, Reward

Found: TypeAlias = "tuple[Floats, Embedded] | str"


@dataclass(frozen=True)
class GoalBaseline(JudgedReward):
    """Closeness of a rendered frame to a goal text, freed from what a neutral baseline text already says.

        R = 1 - |M (s - g)|^2 / 2,   M = alpha d d^T / |d|^2 + (1 - alpha) I,   d = g - b

    s, g and b are the encoder's directions of the frame, the goal and the baseline (means over several prompts).

    Args:
        judge: embeds texts and pictures into one space.
        alpha: 0 (the cosine of frame and goal) to 1 (only the part along d counts), where a row names none.
        guarded: what has no direction. True: a frame embedded as 0 earns 0, and if goal and baseline coincide alpha
            counts as 0. False: both are NaN, as the released arithmetic divides by zero.

    Reads: `frame` (a picture); `goal` (a text, or several whose directions are averaged); `baseline` (as many neutral
    texts; not needed at alpha 0) and `alpha` if they are there. Where an embedding is known it may stand instead of the
    picture or the text, as a list of numbers; then nothing is asked.
    Range: [-1, 1] per step. NaN: the encoder failed, or gave a prompt no direction.

    Raises:
        ColumnError: no goal, not as many baselines as goals, alpha outside 0 to 1, or embeddings that do not fit.

    Example:
        >>> step = {"completion": "", "frame": [0, 0, 1], "goal": [1, 0, 0], "baseline": [0.6, 0.8, 0], "alpha": 0.5}
        >>> GoalBaseline(ColourEmbedder())(Batch.from_rows([step])).values.round(3)
        array([0.675])

    References:
        Rocamonde et al., arXiv 2310.12921, section 3. Departs: the guards.
    """

    alpha: float = 0.0
    guarded: bool = True
    ability: ClassVar = "embed"
    column: ClassVar[str] = "frame"
    range: ClassVar = (-1.0, 1.0)

    def __post_init__(self) -> None:
        if not 0 <= self.alpha <= 1:
            raise ConfigError(f"{type(self).__name__}: alpha is {self.alpha}; it needs 0 to 1")

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        red = np.full((4, 6, 3), (250, 5, 5), dtype=np.uint8)
        seen = {"goal": ["a red floor", "red and white"], "baseline": ["a grey floor", "brown"]}
        rows: list[dict[str, Any]] = [
            {"completion": "left", "frame": red, **seen},
            {"completion": "right", "frame": red // 2, **seen, "alpha": 1.0},
            {"completion": "wait", "frame": [0.0, 1.0], "goal": [1.0, 0.0], "baseline": [[1.0, 1.0]]},
            {"completion": "wait", "frame": (0.0, 0.0), "goal": [1.0, 0.0], "baseline": [[1.0, 1.0]]},
            {"completion": "wait", "frame": [1.0, 1.0], "goal": [1.0, 0.0], "baseline": [2.0, 0.0]},
            {"completion": "", "frame": red, "goal": "a floor", "baseline": "red"},
        ]
        return cls(ColourEmbedder(), 0.5), [cls._as_read(row) for row in rows]

    @classmethod
    def _as_read(cls, row: dict[str, Any]) -> dict[str, Any]:
        return row

    def needs(self) -> tuple[str, ...]:
        return (self.column, "goal", *(("baseline",) if self._always() else ()))

    def uses(self) -> tuple[str, ...]:
        return ("alpha",) if self._always() else ("baseline", "alpha")

    def check(self, batch: Batch) -> None:
        super().check(batch)
        for row in self._rows(batch):
            row.check(self._always())

    def questions(self, batch: Batch) -> list[tuple[Question, ...]]:
        return [tuple(row.questions()) for row in self._rows(batch)]

    def judged(self, batch: Batch, verdicts: list[tuple[Verdict[Any], ...]]) -> Scores:
        rows = self._rows(batch)
        found = [row.embedded(said) for row, said in zip(rows, verdicts, strict=True)]
        values = self._values(rows, found)
        return Scores.from_rows([self._one(*one) for one in zip(found, values, strict=True)])

    def _always(self) -> bool:
        """Whether the baseline counts in every row."""
        return self.alpha > 0 or not self.guarded

    def _rows(self, batch: Batch) -> list[GoalRow]:
        return batch.once(GoalRows(type(self).__name__, self.column, self.alpha))

    def _values(self, rows: Sequence[GoalRow], found: Sequence[Found]) -> list[Floats]:
        """Per row the closeness of each of its frames (K,); rows with equal prompts are computed together."""
        alike: dict[tuple[Embedded, float], dict[int, Floats]] = defaultdict(dict)
        for number, (row, one) in enumerate(zip(rows, found, strict=True)):
            if not isinstance(one, str):
                alike[one[1], row.alpha][number] = one[0]
        values: list[Floats] = [np.zeros(0)] * len(rows)
        for (prompts, alpha), frames in alike.items():
            stacked_ND = np.concatenate(list(frames.values()))
            all_N = goal_closeness(stacked_ND, prompts.goals, prompts.baselines or None, alpha, self.guarded)
            ends = np.cumsum([len(frames_KD) for frames_KD in frames.values()])[:-1]
            for number, value_K in zip(frames, np.split(all_N, ends), strict=True):
                values[number] = value_K
        return values

    def _one(self, found: Found, value_K: Floats) -> Score:
        if isinstance(found, str):
            return failed(found)
        return _paid(float(value_K[0]), self._why(found)[0])

    def _why(self, found: tuple[Floats, Embedded]) -> list[str]:
        """Per frame why it is scored as it is, where that is out of the ordinary."""
        frames_KD, prompts = found
        blind_K = lengths(frames_KD) < NO_LENGTH
        return ["the frame's embedding is 0" if blind else prompts.why(self.guarded) for blind in blind_K.tolist()]


@dataclass(frozen=True)
class GoalReturn(GoalBaseline):
    """Sum of `GoalBaseline` over an episode's frames: what a checkpoint is chosen by.

    Reads: `frames` (list of pictures or embeddings, one a step), else as `GoalBaseline`.
    Range: minus to plus the number of steps. Marks: each step with what it earned. Not applicable: no frame.

    Example:
        >>> episode = {"completion": "", "frames": [[1, 0], [0, 1]], "goal": [1, 0]}
        >>> GoalReturn(ColourEmbedder())(Batch.from_rows([episode])).values
        array([1.])
    """

    column: ClassVar[str] = "frames"
    range: ClassVar = INFINITE

    @classmethod
    def _as_read(cls, row: dict[str, Any]) -> dict[str, Any]:
        frame = row.pop("frame")
        return {**row, "frames": [frame, frame] if row["completion"] else []}

    def _one(self, found: Found, value_K: Floats) -> Score:
        if isinstance(found, str):
            return failed(found)
        if not len(value_K):
            return abstain("the episode has no frame")
        why = self._why(found)
        marks = [Mark("step", (step, step + 1), float(v), why[step]) for step, v in enumerate(value_K)]
        total = _paid(float(value_K.sum()), next(filter(None, why), ""))
        return total if np.isnan(total.value) else total._replace(marks=tuple(marks))


def _paid(value: float, why: str) -> Score:
    return abstain(why) if np.isnan(value) else Score(value, why)
