"""Whether a short final answer is the right letter, the text of that choice, or the right number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError
from sightline.core.missing import Missing
from sightline.core.rollout import Rollout
from sightline.core.scores import Score
from sightline.parse.plain_value import plain_value, same_value
from sightline.parse.premises import FinalAnswer
from sightline.rewards.gold import texts
from sightline.rewards.reward import Reward, RowReward


@dataclass(frozen=True)
class ChoiceOrValue(RowReward):
    """Whether the final answer is right.

    value = 1 for the same text or, rounded to 2 decimals, the same number; a letter exactly, or the text of its choice

    Args:
        find: text -> the final answer.
        column: the right answer: a letter where there are choices, else a number or short text.

    Reads: `column`; `choices` (list of texts, or letter -> text) if they are there. Range: 0 or 1. Low: 0 without an
    answer.

    Example:
        >>> said = [f'{{"reasoningprocess": [], "finalanswer": "{text}"}}' for text in ("B", "b", "7 cm", "7.001")]
        >>> columns = {"answer": ["B", "B", "B", "7"], "choices": [["5 cm", "7 cm"]] * 3 + [None]}
        >>> ChoiceOrValue()(Batch(said, columns)).values
        array([1., 0., 1., 1.])
    """

    find: Callable[[str], str | Missing] = FinalAnswer()
    column: str = "answer"
    may_read: ClassVar[tuple[str, ...]] = ("choices",)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        said = [f'{{"reasoningprocess": [], "finalanswer": "{text}"}}' for text in ("B", "cat", "3/4", "")]
        rows: list[dict[str, Any]] = [{"answer": "B", "choices": ["dog", "cat"]}, {"answer": "0.75", "choices": None}]
        return cls(), [{"completion": text, **row} for text in (*said, "B") for row in rows]

    def needs(self) -> tuple[str, ...]:
        return (self.column,)

    def check(self, batch: Batch) -> None:
        super().check(batch)
        texts(batch, self.column, type(self).__name__)
        for row, given in enumerate(batch.column("choices") if batch.has("choices") else ()):
            if given is not None and not isinstance(given, Mapping | list | tuple | np.ndarray):
                raise ColumnError(
                    f"ChoiceOrValue: column `choices` of row {row} is {given!r:.60}; it needs a list, an object or None"
                )

    def row(self, rollout: Rollout) -> Score:
        said = self.find(rollout.text)
        if isinstance(said, Missing):
            return Score(0.0, said.why)
        right = str(rollout[self.column]).strip()
        accepted = (right, *_choice(right, rollout.columns.get("choices")))
        return Score(float(any(same_value(said, one) for one in accepted)), f"{said!r:.40} for {right!r:.40}")


def _choice(letter: str, choices: Any) -> tuple[str, ...]:
    """The text of a letter's choice, if there is one, without its own letter in front."""
    letter = plain_value(letter)
    if choices is None or len(letter) != 1 or not "A" <= letter <= "Z":
        return ()
    if isinstance(choices, Mapping):
        found = choices.get(letter)
    else:
        at = ord(letter) - ord("A")
        found = choices[at] if at < len(choices) else None
    if found is None:
        return ()
    text = str(found).strip()
    lead = next(
        (mark for mark in (f"{letter}.", f"{letter})", f"({letter})", f"{letter}:") if text.startswith(mark)), ""
    )
    return (text.removeprefix(lead).strip(),)
