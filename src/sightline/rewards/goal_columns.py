"""What a goal-conditioned reward reads: frames and prompts as pictures and texts, or as embeddings that are known.

Axes: K frames of a row, D width.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError
from sightline.judges.judge import Question, Verdict
from sightline.metrics.projection import NO_DIRECTION, NO_LENGTH, Floats, lengths, mean_direction

Vector: TypeAlias = "tuple[float, ...]"
Prompt: TypeAlias = "str | Vector"
COINCIDE = "goal and baseline coincide"


@dataclass(frozen=True)
class Embedded:
    """A row's goal and baseline as vectors; equal ones are found by hash."""

    goals: tuple[Vector, ...]
    baselines: tuple[Vector, ...]

    @cached_property
    def apart(self) -> float:
        """How far the goal is from the baseline; infinite without one."""
        if not self.baselines:
            return float("inf")
        return float(np.linalg.norm(mean_direction(self.goals) - mean_direction(self.baselines)))

    def why(self, guarded: bool) -> str:
        """Why the direction between them does not count, if it does not."""
        if self.apart >= (NO_DIRECTION if guarded else np.finfo(float).tiny):
            return ""
        return f"{COINCIDE}: scored as at alpha 0" if guarded else COINCIDE


@dataclass(frozen=True)
class Prompts:
    """A row's goal and baseline as they are given: texts, or vectors."""

    goals: tuple[Prompt, ...]
    baselines: tuple[Prompt, ...]

    @property
    def texts(self) -> list[str]:
        """Those that must be embedded, goals first."""
        return [prompt for prompt in (*self.goals, *self.baselines) if isinstance(prompt, str)]

    def embedded(self, vectors: Iterator[Vector]) -> Embedded:
        """With the vectors of `texts` in their places."""
        goals, baselines = (
            tuple(next(vectors) if isinstance(prompt, str) else prompt for prompt in prompts)
            for prompts in (self.goals, self.baselines)
        )
        return Embedded(goals, baselines)

    @cached_property
    def width(self) -> int:
        """Numbers of a vector; 0 if there are texts only."""
        return next((len(prompt) for prompt in (*self.goals, *self.baselines) if not isinstance(prompt, str)), 0)

    @cached_property
    def fault(self) -> str:
        """What is wrong with them, whatever alpha is."""
        if not self.goals:
            return "column `goal` is empty; it needs a text or several"
        if self.baselines and len(self.baselines) != len(self.goals):
            return self.few
        for column, prompts in (("goal", self.goals), ("baseline", self.baselines)):
            for prompt in prompts:
                if not (prompt.strip() if isinstance(prompt, str) else self._fits(prompt)):
                    return f"column `{column}` has {prompt!r:.40}; it needs a text, or a vector with a direction"
        return ""

    @property
    def few(self) -> str:
        return f"column `baseline` has {len(self.baselines)} prompts for {len(self.goals)} of `goal`; it needs as many"

    def _fits(self, prompt: Any) -> bool:
        if not isinstance(prompt, tuple) or len(prompt) != self.width:
            return False
        return bool(np.isfinite(prompt).all()) and float(lengths(np.array([prompt]))[0]) >= NO_LENGTH


@dataclass(frozen=True, eq=False)
class GoalRow:
    """One rollout as it is read.

    Args:
        name: who reads, and which row, for errors.
        column: where the frames stand.
        frames: pictures, or vectors as arrays (D,).
    """

    name: str
    column: str
    frames: tuple[Any, ...]
    prompts: Prompts
    alpha: Any

    def check(self, always: bool) -> None:
        """Raise a `ColumnError` for what cannot be used; `always`: the baseline counts whatever alpha is."""
        number = isinstance(self.alpha, int | float | np.number) and not isinstance(self.alpha, bool)
        if not number or not 0 <= self.alpha <= 1:
            raise ColumnError(f"{self.name}: column `alpha` is {self.alpha!r}; it needs a number from 0 to 1")
        fault = self.prompts.fault
        if not fault and (always or self.alpha > 0) and not self.prompts.baselines:
            fault = self.prompts.few
        if fault:
            raise ColumnError(f"{self.name}: {fault}")
        width = self.prompts.width
        for frame in self.frames:
            if frame is None or isinstance(frame, list):
                raise ColumnError(f"{self.name}: column `{self.column}` holds neither a picture nor numbers")
            if is_vector(frame) and (width not in (0, len(frame)) or not np.isfinite(frame).all()):
                needed = f"{width} finite numbers" if width else "finite numbers"
                raise ColumnError(f"{self.name}: column `{self.column}` has {len(frame)} numbers; it needs {needed}")

    def questions(self) -> Iterator[Question]:
        """One per picture and text that is not embedded yet."""
        yield from (Question("", images=(frame,)) for frame in self.frames if not is_vector(frame))
        yield from (Question(text) for text in self.prompts.texts)

    def embedded(self, verdicts: Sequence[Verdict[Any]]) -> tuple[Floats, Embedded] | str:
        """Frames (K, D) and prompts as vectors, those that were asked for from their verdicts; a text: why not."""
        failures = [verdict.error or "the encoder gave no vector" for verdict in verdicts if verdict.value is None]
        if failures:
            return failures[0]
        said = iter([tuple(verdict.value) for verdict in verdicts if verdict.value is not None])
        frames = [frame if is_vector(frame) else np.asarray(next(said), dtype=np.float64) for frame in self.frames]
        prompts = self.prompts.embedded(said)
        widths = {len(vector) for vector in (*frames, *prompts.goals, *prompts.baselines)}
        if len(widths) > 1:
            return f"embeddings of {' and '.join(map(str, sorted(widths)))} numbers do not fit"
        return self._usable(np.array(frames).reshape(-1, max(widths)), prompts, bool(verdicts))

    def _usable(self, frames_KD: Floats, prompts: Embedded, asked: bool) -> tuple[Floats, Embedded] | str:
        if asked and not np.isfinite(frames_KD).all():
            return "the encoder gave numbers that are not finite"
        if asked and Prompts(prompts.goals, prompts.baselines).fault:
            return "the encoder gave a prompt no direction"
        return frames_KD, prompts


@dataclass(frozen=True)
class GoalRows:
    """Batch -> its rows as `GoalRow`s: read once for checking, asking and scoring."""

    name: str
    column: str
    alpha: float

    def __call__(self, batch: Batch) -> list[GoalRow]:
        frames, goals = batch.column(self.column, self.name), batch.column("goal", self.name)
        nothing = [None] * len(batch)
        baselines = batch.column("baseline") if batch.has("baseline") else nothing
        alphas = batch.column("alpha") if batch.has("alpha") else nothing
        known: dict[tuple[int, int], Prompts] = {}  # rows often share one list; the columns keep it alive
        rows = []
        for number, (frame, goal, baseline, alpha) in enumerate(zip(frames, goals, baselines, alphas, strict=True)):
            key = id(goal), id(baseline)
            if key not in known:
                known[key] = Prompts(_prompts(goal), _prompts(baseline))
            shown = (_known(frame),) if self.column == "frame" else tuple(map(_known, _list(frame)))
            name = f"{self.name}, row {number}"
            rows.append(GoalRow(name, self.column, shown, known[key], self.alpha if alpha is None else alpha))
        return rows


def is_vector(value: Any) -> bool:
    """Whether a frame is an embedding; pictures have two axes or three."""
    return isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind in "biuf"


def _known(value: Any) -> Any:
    """An embedding as an array, a picture (3, H, W) as (H, W, 3); anything else as it is."""
    if is_vector(value):
        return value.astype(np.float64)
    if isinstance(value, np.ndarray) and value.ndim == 3 and value.shape[0] == 3 != value.shape[-1]:
        return np.moveaxis(value, 0, -1)
    if isinstance(value, list | tuple) and value and all(isinstance(one, int | float | np.number) for one in value):
        return np.array(value, dtype=np.float64)
    return value


def _prompts(value: Any) -> tuple[Any, ...]:
    """One prompt or several: texts, and vectors as tuples."""
    if value is None:
        return ()
    one = _known(value)
    if isinstance(one, str) or is_vector(one):
        return (_plain(one),)
    return tuple(_plain(_known(item)) for item in _list(value))


def _plain(value: Any) -> Any:
    return tuple(value.tolist()) if is_vector(value) else value


def _list(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple | np.ndarray) else (value,)
