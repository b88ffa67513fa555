"""Rewards that other processes load by name: slow ones that note whom they scored, deadly ones, judged ones."""

from __future__ import annotations

import gc
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from sightline import Reward, RowReward, Score, failed
from sightline.core.scores import Scores
from sightline.judges import OverlapJudge, Question, Verdict
from sightline.judges.stream import Streamed
from sightline.rewards.reward import JudgedReward


@dataclass(frozen=True)
class Noted(RowReward):
    """A number from the row; notes it in the file $NOTED, after $PAUSE seconds."""

    reads: ClassVar[tuple[str, ...]] = ("number",)

    def row(self, rollout):
        time.sleep(float(os.environ.get("PAUSE", "0")))
        if "NOTED" in os.environ:
            with open(os.environ["NOTED"], "a") as file:
                file.write(f"{rollout['number']}\n")
        return Score(rollout["number"] % 7 / 7, f"number {rollout['number']}")


@dataclass(frozen=True)
class Deadly(RowReward):
    """Kills its own process at the number 20: once if it may note that in a file, else every time."""

    note: str = ""
    reads: ClassVar[tuple[str, ...]] = ("number",)

    def row(self, rollout):
        if rollout["number"] == 20 and not (self.note and Path(self.note).exists()):
            if self.note:
                Path(self.note).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if self.note:
            with open(f"{self.note}.scored", "a") as file:
                file.write(f"{rollout['number']}\n")
        return Score(1.0)


@dataclass(frozen=True)
class Down(RowReward):
    """Fails at every fifth number for as long as a file is there."""

    while_there: str
    reads: ClassVar[tuple[str, ...]] = ("number",)

    def row(self, rollout):
        broken = rollout["number"] % 5 == 0 and Path(self.while_there).exists()
        return failed("the judge is down: 503") if broken else Score(1.0)


@dataclass(frozen=True)
class GroupSize(Reward):
    """How many rollouts the group has."""

    scope: ClassVar[str] = "group"
    range: ClassVar[tuple[float, float]] = (0.0, float("inf"))

    def score(self, batch):
        return Scores.of(np.bincount(batch.group)[batch.group].astype(float))


class RefusedError(Exception):
    """Cannot be unpacked from its text alone, as errors of many clients."""

    def __init__(self, message, *, status):
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Refusing(RowReward):
    """Fails at the number 20."""

    reads: ClassVar[tuple[str, ...]] = ("number",)

    def row(self, rollout):
        if rollout["number"] == 20:
            raise RefusedError("not today", status=503)
        return Score(1.0)


@dataclass(frozen=True)
class Surroundings(RowReward):
    """Says how the process is set up."""

    def row(self, rollout):
        blocked = signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])
        threads = os.environ.get("OMP_NUM_THREADS")
        return Score(1.0, f"gc {gc.get_threshold()[0]}, threads {threads}, Ctrl-C {'blocked' if blocked else 'heard'}")


@dataclass(frozen=True)
class Asked(JudgedReward):
    """The number in what a judge says about the fact of a row."""

    reads: ClassVar[tuple[str, ...]] = ("fact",)
    range: ClassVar[tuple[float, float]] = (0.0, float("inf"))

    def questions(self, batch):
        return [(Question("Is fact {fact} true?", (("fact", fact),)),) for fact in batch.columns["fact"]]

    def judged(self, batch, verdicts):
        said = [verdict for (verdict,) in verdicts]
        return Scores.from_rows(
            [failed(v.error) if v.error else Score(float(v.value), f"said {v.value}") for v in said]
        )


@dataclass(frozen=True)
class Fragile(Streamed):
    """A judge that notes what it is asked, and kills its own process at fact 20 once."""

    note: str

    @property
    def id(self):
        return "fragile"

    def stream(self, ability, questions):
        for number, question in enumerate(questions):
            fact = question.field("fact")
            with open(f"{self.note}.asked", "a") as file:
                file.write(f"{fact}\n")
            if fact == 20 and not Path(self.note).exists():
                Path(self.note).touch()
                time.sleep(0.5)  # what was said before is on its way
                os.kill(os.getpid(), signal.SIGKILL)
            yield number, Verdict(str(fact / 100))


noted = Noted().named("noted") + 0.1 * GroupSize().named("size")
asked = noted + Asked(OverlapJudge()).named("asked")
