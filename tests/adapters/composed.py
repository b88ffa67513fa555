"""One reward with a gate, a group reward, a judged part and a part that looks at the picture, and 64 rollouts of it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from sightline.core import Rollout, Score, Scores
from sightline.core.batch import Batch
from sightline.core.scores import abstain
from sightline.judges.judge import Question, Verdict
from sightline.media import images
from sightline.parse.maths import Boxed
from sightline.rewards import JudgedReward, Reward, RowReward
from sightline.rewards.answers import Answer, SameMaths
from sightline.rewards.vote_statistics import SideStatistic

GROUPS, SIZE = 8, 8


@dataclass(frozen=True)
class Brightness(RowReward):
    """The mean of the picture, 0..1; nothing to judge without a picture."""

    reads: ClassVar = ("images",)

    def row(self, rollout: Rollout) -> Score:
        shown = rollout["images"]
        if not shown:
            return abstain("no picture")
        return Score(float(np.asarray(images.load(shown[0])).mean() / 255))


@dataclass(frozen=True)
class CountingJudge:
    """Says how many letters e a text has."""

    id: str = "letters"

    def generate(self, questions: Sequence[Question]) -> list[Verdict[str]]:
        return [Verdict(str(question.text().count("e"))) for question in questions]


@dataclass(frozen=True)
class Letters(JudgedReward):
    """A tenth of what the judge counts, read from the rollout and the question of the row."""

    reads: ClassVar = ("question",)
    range: ClassVar = (0.0, 10.0)

    def questions(self, batch: Batch) -> list[tuple[Question, ...]]:
        asked = batch.column("question")
        return [
            (Question("{asked} {said}", (("asked", asked[row]), ("said", text))),)
            for row, text in enumerate(batch.texts)
        ]

    def judged(self, batch: Batch, verdicts: list[tuple[Verdict[Any], ...]]) -> Scores:
        return Scores.of(np.array([int(one.value) / 10 for (one,) in verdicts]))


accuracy = Answer(SameMaths(), Boxed()).named("accuracy")
bright = Brightness().named("bright")
letters = Letters(CountingJudge()).named("letters")
agreement = SideStatistic(find=Boxed()).named("agreement")
ALONE: Reward = accuracy + (0.5 * letters).when(accuracy) + 0.25 * bright
TOGETHER: Reward = ALONE + 0.1 * agreement


def picture(group: int) -> bytes:
    found = io.BytesIO()
    Image.new("RGB", (4, 3), (group * 30, 255 - group * 11, 7)).save(found, "PNG")
    return found.getvalue()


def rows() -> list[dict[str, Any]]:
    """64 rollouts, groups together; group 3 has no picture, and groups 5 and 6 differ only in theirs."""
    found = []
    for group in range(GROUPS):
        question = "How many eels?" if group in (5, 6) else f"How many eels in tank {group}?"
        shown = [] if group == 3 else [{"bytes": picture(group), "path": None}]
        for one in range(SIZE):
            said = f"I see the eels {'e' * one} so \\boxed{{{(group + one * one) % 5}}}"
            found.append(
                {
                    "completion": said,
                    "prompt": [{"role": "user", "content": question}],
                    "question": question,
                    "answer": str(group % 5),
                    "images": shown,
                    "group": group,
                }
            )
    return found


def expected(reward: Reward) -> np.ndarray:
    return reward(Batch.from_rows(rows())).values
