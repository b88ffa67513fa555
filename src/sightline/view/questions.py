"""What the judge of a rollout was asked, and what it said: found again in the store that kept its verdicts.

Questions are a function of the rollout and the reward. So the reward is evaluated once more on the rows at hand, before
a judge that knows only what is kept. Nobody is asked anything.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError, ConfigError
from sightline.judges.fingerprint import fingerprints
from sightline.judges.judge import Ability, Question, Verdict
from sightline.judges.store import VerdictStore
from sightline.judges.stream import Arrival, Streamed
from sightline.rewards.reward import JudgedReward, Reward, with_judge

NOT_KEPT = "not kept"
NUMBERS = 8  # of an answer that are written
ABOUT = 120  # characters that name a question


@dataclass(frozen=True)
class Asked:
    """One question to a judge, and its answer.

    Args:
        question: the prompt as the judge read it.
        options: what it could choose from.
        continuation: the text whose probability was asked.
        answer: what it said; empty if nothing is kept.
        judge: who said it.
        pictures: how many pictures it was shown.
        about: the first text that was put into the prompt, which tells one question from the next.
    """

    question: str
    answer: str
    judge: str
    ability: str
    options: tuple[str, ...] = ()
    continuation: str = ""
    pictures: int = 0
    about: str = ""


@dataclass(frozen=True)
class Remembering(Streamed):
    """A judge that says only what a store keeps, whoever said it, and notes what it is asked."""

    store: VerdictStore
    judges: tuple[str, ...]
    asked: list[Asked] = field(default_factory=list, compare=False, repr=False)

    @property
    def id(self) -> str:
        return "remembering"

    def stream(self, ability: Ability, questions: Sequence[Question]) -> Iterator[Arrival]:
        keys = fingerprints(ability, questions)
        kept: dict[str, tuple[str, Any]] = {}
        for judge in self.judges:
            found = self.store.get(judge, ability, [key for key in keys if key is not None])
            kept.update((key, (judge, value)) for key, value in found.items() if key not in kept)
        for at, (key, question) in enumerate(zip(keys, questions, strict=True)):
            judge, value = kept.get(key or "", ("", None))
            self.asked.append(_asked(ability, question, judge, value))
            yield at, Verdict(value) if judge else Verdict(error=NOT_KEPT)


@dataclass(frozen=True)
class Recall:
    """Finds what was asked about a rollout.

    Args:
        reward: what scored it.
        path: the sqlite file that keeps the verdicts.
        located: gives media values that stand on their own: (value, folder) -> value.
        columns: which columns hold media.

    Raises:
        ConfigError: there is no such file, or the reward asks no judge.
    """

    reward: Reward
    path: Path
    located: Callable[[Any, str], Any]
    columns: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.path.is_file():
            raise ConfigError(f"--judge-cache {self.path}: there is no such file")
        if not any(isinstance(node, JudgedReward) for node in self.reward.walk()):
            raise ConfigError("--judge-cache: this reward asks no judge")

    @property
    def whole_groups(self) -> bool:
        """Whether questions are about all rollouts of a group."""
        return any(node.scope == "group" for node in self.reward.walk())

    def __call__(self, rows: Sequence[Mapping[str, Any]], parts: Sequence[str], folder: Path) -> list[Asked]:
        """What was asked about rows of one group, each question once.

        Args:
            parts: names of the parts, whose columns of the data were put aside.
            folder: what relative media paths are relative to.
        """
        judge = Remembering(VerdictStore(str(self.path)), self._judges)
        batch = Batch.from_rows([self._as_given(row, parts, str(folder)) for row in rows], step=rows[0].get("step"))
        try:
            with_judge(self.reward, judge)(batch)
        except ColumnError as error:
            raise ConfigError(f"these rollouts were not scored by this system: {error}") from error
        return list(dict.fromkeys(judge.asked))

    @cached_property
    def _judges(self) -> tuple[str, ...]:
        """Everybody whose verdicts are kept."""
        try:
            with closing(sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
                return tuple(name for (name,) in connection.execute("SELECT DISTINCT judge FROM verdicts"))
        except sqlite3.Error as error:
            raise ConfigError(f"--judge-cache {self.path}: not a store of verdicts ({error})") from error

    def _as_given(self, row: Mapping[str, Any], parts: Sequence[str], folder: str) -> dict[str, Any]:
        """A row as the reward saw it: without scores, with the columns that were put aside."""
        own = {"reward", "why", "marks", "row", *parts, *(f"why_{part}" for part in parts)}
        aside = {name.removeprefix("given_"): value for name, value in row.items() if name.startswith("given_")}
        plain = {name: value for name, value in row.items() if name not in own and not name.startswith("given_")}
        whole = {**plain, **aside}
        return {name: self.located(v, folder) if name in self.columns else v for name, v in whole.items()}


def _asked(ability: Ability, question: Question, judge: str, value: Any) -> Asked:
    if not judge:
        answer = ""
    elif ability == "choose":
        answer = ", ".join(f"{option} {share:.2f}" for option, share in zip(question.options, value, strict=False))
    elif isinstance(value, tuple):
        answer = ", ".join(f"{one:.3g}" for one in value[:NUMBERS]) + (" …" if len(value) > NUMBERS else "")
    else:
        answer = str(value)
    text = question.text() + (f"\n{question.opening}" if question.opening else "")
    filled = (value for _, value in question.fields if isinstance(value, str) and value.strip())
    about = " ".join(next(filled, question.template).split())[:ABOUT]
    return Asked(text, answer, judge, ability, question.options, question.continuation, len(question.images), about)
