"""Labels that an answer names, by letter or by name, and whether they are the right ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError
from sightline.core.missing import Missing
from sightline.core.scores import Score, Scores
from sightline.metrics.finding_sets import set_f1
from sightline.parse.choices import lone_letter
from sightline.parse.listed import ListedNames, listed
from sightline.rewards.gold import GoldReward
from sightline.rewards.knowledge import Knowledge, plain, retina
from sightline.rewards.reward import Reward

Labels = frozenset[str]
Options = Mapping[str, str]
SINGLE, SEVERAL = ("single choice",), ("multi choice", "multiple choice", "label list")


@dataclass(frozen=True)
class SaidLabels:
    """Batch -> the labels that each answer names, or `Missing`; the letters of `options` stand for their labels.

    Args:
        knowledge: resolves synonyms of labels.
        find: text -> items of the answer.
    """

    knowledge: Knowledge = field(default_factory=retina)
    find: Callable[[str], tuple[str, ...] | Missing] = ListedNames()

    def __call__(self, batch: Batch) -> list[Labels | Missing]:
        rows = zip(batch.parse(self.find), options_of(batch), strict=True)
        return [items if isinstance(items, Missing) else named(items, menu, self.knowledge) for items, menu in rows]


@dataclass(frozen=True)
class LabelAnswer(GoldReward):
    """Whether the answer names the right labels.

    single choice   1 if the labels are the gold ones, else 0
    otherwise       F1 of the label sets: both empty 1, one empty 0

    Without a `task`, a row with exactly one gold label is a single choice.

    Args:
        knowledge: resolves synonyms of labels.
        find: text -> items of the answer.
        column: gold: a text of letters or names with commas, or a list of them.

    Reads: `column`; `options` (labels, or label by letter) and `task` (single choice, multi choice, label list), if
    they are there. Range: 0..1. Low: 0 for an answer that cannot be read, and for a list of all labels in a single
    choice.

    Raises:
        ColumnError: gold labels, options or task of a row cannot be read.

    Example:
        >>> said = ["<answer>NPDR</answer>", "<answer>glaucoma, NPDR</answer>", "NPDR"]
        >>> LabelAnswer()(Batch(said, {"answer": ["nonproliferative diabetic retinopathy"] * 3})).values
        array([1., 0., 0.])
    """

    knowledge: Knowledge = field(default_factory=retina)
    find: Callable[[str], tuple[str, ...] | Missing] = ListedNames()
    column: str = "answer"
    may_read: ClassVar = ("options", "task")

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        said = ("A", "(b) drusen", "glaucoma, normal", "", "flu")
        row = {"options": ["glaucoma", "normal"], "answer": "A", "task": None}
        rows: list[dict[str, Any]] = [{"completion": f"<answer>{text}</answer>", **row} for text in said]
        several = {**rows[2], "answer": ["glaucoma"], "options": None, "task": "label list"}
        return cls(), [*rows, several, {**several, "completion": "<answer></answer>", "answer": []}]

    def check(self, batch: Batch) -> None:
        super().check(batch)
        for row, task in enumerate(batch.column("task") if batch.has("task") else ()):
            if task is not None and task not in SINGLE + SEVERAL:
                raise ColumnError(
                    f"LabelAnswer: column `task` of row {row} is {task!r:.60}; it can be {list(SINGLE + SEVERAL)}"
                )

    def score(self, batch: Batch) -> Scores:
        tasks = batch.column("task") if batch.has("task") else [None] * len(batch)
        said = batch.once(SaidLabels(self.knowledge, self.find))
        return Scores.from_rows([self._one(*row) for row in zip(said, self.right(batch), tasks, strict=True)])

    def _one(self, said: Labels | Missing, right: Labels, task: str | None) -> Score:
        if isinstance(said, Missing):
            return Score(0.0, said.why)
        single = task in SINGLE if task is not None else len(right) == 1
        value = float(said == right) if single else set_f1(said, right)
        return Score(value, "" if value == 1 else f"{_shown(said)} for {_shown(right)}")

    def right(self, batch: Batch) -> list[Labels]:
        found = []
        for row, (value, menu) in enumerate(zip(batch.column(self.column), options_of(batch), strict=True)):
            items = _items(value)
            if isinstance(items, Missing):
                raise ColumnError(f"LabelAnswer: column `{self.column}` of row {row} is {value!r:.60}; {items.why}")
            found.append(named(items, menu, self.knowledge))
        return found


def named(items: tuple[str, ...], options: Options, knowledge: Knowledge) -> Labels:
    """The labels that items name: an option by its text or letter, else a label of the table, else the words.

    Example:
        >>> sorted(named(("B.", "Wet AMD", "flu"), {"A": "normal", "B": "glaucoma"}, retina()))
        ['flu', 'glaucoma', 'wet age related macular degeneration']
    """
    texts = {plain(text): text for text in options.values()}
    return frozenset(knowledge.label(texts.get(plain(item)) or _by_letter(item, options)) for item in items)


def options_of(batch: Batch) -> list[Options]:
    """Options by letter, of every row; none where the column is missing or None.

    Raises:
        ColumnError: they are neither a list of texts nor texts by letter.
    """
    return (
        [_options(row, value) for row, value in enumerate(batch.column("options"))]
        if batch.has("options")
        else [{} for _ in range(len(batch))]
    )


def _options(row: int, value: Any) -> Options:
    if value is None:
        return {}
    if isinstance(value, Mapping):
        menu = {str(letter).upper(): text for letter, text in value.items() if text is not None}
    elif isinstance(value, list | tuple | np.ndarray):
        menu = _without_letters({chr(ord("A") + k): text for k, text in enumerate(value)})
    else:
        menu = {"": None}
    if not all(isinstance(text, str) for text in menu.values()) or len(menu) > 26:
        raise ColumnError(
            f"column `options` of row {row} is {value!r:.60}; it needs up to 26 texts, listed or by letter"
        )
    return menu


def _without_letters(menu: dict[str, Any]) -> dict[str, Any]:
    """The same without `A.`, `(A)`, `A)` or `A:` in front, where all texts of a list begin with their own letters."""
    if len(menu) > 26 or not all(isinstance(text, str) for text in menu.values()):
        return menu
    led = {letter: re.sub(rf"^\s*(?:\({letter}\)|{letter}[.):])\s*", "", text) for letter, text in menu.items()}
    return led if all(led[letter].strip() and led[letter] != text for letter, text in menu.items()) else menu


def _items(value: Any) -> tuple[str, ...] | Missing:
    if isinstance(value, str):
        found = ListedNames()(value)
        return listed(value) if isinstance(found, Missing) else found
    if isinstance(value, list | tuple | np.ndarray) and all(isinstance(item, str) for item in value):
        return tuple(str(item) for item in value)
    return Missing("it needs a text or a list of texts")


def _by_letter(item: str, options: Options) -> str:
    letter = lone_letter(item) if options else Missing("no options")
    return item if isinstance(letter, Missing) else options.get(letter, item)


def _shown(labels: Labels) -> str:
    text = ", ".join(sorted(labels)) or "no label"
    return text if len(text) <= 60 else text[:57] + "..."
