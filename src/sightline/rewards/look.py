"""What a judge is shown when it is asked again: which words, which pictures, which options. Asks nobody itself.

A `Look` turns every rollout into questions, or into the score of a rollout that there is nothing to ask about. Texts
that the policy wrote are fenced; columns of the data are not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np

from sightline.core.batch import Batch
from sightline.core.boxes import Boxes
from sightline.core.errors import ColumnError, MediaError
from sightline.core.missing import Missing
from sightline.core.scores import Score, abstain, failed
from sightline.judges.judge import Question, Sampling
from sightline.judges.votes import voters
from sightline.rewards.pictures import pictures


@dataclass(frozen=True)
class Column:
    """A column of the data.

    Args:
        name: its name.
        drop: what is taken out of its texts, such as the place of a picture that is not shown.
        write: value -> text, or `Missing`: the caller's mistake; a function or a frozen dataclass.
    """

    name: str
    drop: str = ""
    write: Callable[[Any], str | Missing] | None = None

    def __str__(self) -> str:
        return f"column `{self.name}`"


@dataclass(frozen=True)
class Item:
    """A key of each item of the list column that `Look.each` names."""

    key: str

    def __str__(self) -> str:
        return f"key `{self.key}` of an item"


Parser: TypeAlias = Callable[[str], Any]
Source: TypeAlias = "Column | Item | Parser"


class Pictures(Protocol):
    """Which pictures of a rollout are shown."""

    def reads(self) -> tuple[str, ...]: ...
    def shown(self, batch: Batch, row: int) -> tuple[Any, ...] | Missing | Score: ...


@dataclass(frozen=True)
class Shown:
    """The pictures as the policy saw them, or made them.

    Args:
        column: the pictures.
        least: a rollout with fewer has nothing to judge: NaN.
    """

    column: str = "images"
    least: int = 0

    def reads(self) -> tuple[str, ...]:
        return (self.column,)

    def shown(self, batch: Batch, row: int) -> tuple[Any, ...] | Missing | Score:
        found = _pictures(batch, self.column, row)
        few = len(found) < self.least
        return abstain(f"column `{self.column}` has {len(found)} pictures of {self.least}") if few else found


@dataclass(frozen=True)
class NoPictures:
    """No picture at all."""

    def reads(self) -> tuple[str, ...]:
        return ()

    def shown(self, batch: Batch, row: int) -> tuple[Any, ...] | Missing:
        return ()


@dataclass(frozen=True)
class Crops:
    """Only the parts of the pictures inside the boxes that the policy wrote.

    Args:
        find: policy text -> `Boxes` (in their frame, of the picture that the frame names), or `Missing`.
        column: the pictures.
        pad: margin on each side, as a share of the box.
        most: so many boxes are shown, the first ones.

    Missing without boxes, or if one has no area or lies outside the picture.
    """

    find: Callable[[str], Boxes | Missing]
    column: str = "images"
    pad: float = 0.0
    most: int = 8

    def reads(self) -> tuple[str, ...]:
        return (self.column,)

    def shown(self, batch: Batch, row: int) -> tuple[Any, ...] | Missing:
        from sightline.media import images, regions

        boxes = batch.parse(self.find)[row]
        if isinstance(boxes, Missing) or not len(boxes):
            return boxes if isinstance(boxes, Missing) else Missing("no box")
        pictures = _pictures(batch, self.column, row)
        if boxes.frame.image >= len(pictures):
            return Missing(f"no picture {boxes.frame.image}: there are {len(pictures)}")
        whole = images.load(pictures[boxes.frame.image])
        frame = boxes.frame if boxes.frame.known else None
        parts = [regions.crop(whole, box, frame, self.pad) for box in boxes.xyxy[: self.most]]
        bad = next((part for part in parts if isinstance(part, Missing)), None)
        return tuple(parts) if bad is None else bad


@dataclass(frozen=True)
class Altered:
    """The pictures, changed on purpose; the chance in it depends on the seed and the picture alone.

    Args:
        change: (picture (H, W, 3) uint8, random generator) -> picture; a module-level function or a frozen dataclass.
        column: the pictures.
        seed: of the change.
    """

    change: Callable[[Any, np.random.Generator], Any]
    column: str = "images"
    seed: int = 0

    def reads(self) -> tuple[str, ...]:
        return (self.column,)

    def shown(self, batch: Batch, row: int) -> tuple[Any, ...] | Missing:
        return tuple(self._changed(picture) for picture in _pictures(batch, self.column, row))

    def _changed(self, picture: Any) -> Any:
        from PIL import Image

        from sightline.media import images

        whole = images.load(picture)
        rng = np.random.default_rng([self.seed, int(images.content_hash(whole)[:16], 16)])
        return Image.fromarray(np.asarray(self.change(np.asarray(whole), rng), dtype=np.uint8))


class Asked(NamedTuple):
    """The questions on one rollout.

    Args:
        questions: item by item, and of each item vote by vote.
        items: what `each` lists, or one None.
        votes: questions per item.
    """

    questions: tuple[Question, ...]
    items: tuple[Any, ...]
    votes: int


@dataclass(frozen=True)
class Look:
    """What is asked again, and what is shown.

    Args:
        template: the prompt with `{name}` places.
        places: (name, source) pairs; a source is a `Column`, an `Item` or a parser of the policy's text, which is
            fenced. A parser that finds nothing scores 0 with its reason, and nobody is asked.
        pictures: `Shown`, `NoPictures`, `Crops` or `Altered`.
        opening: what the judge has already begun to say: a text, or a source (not fenced: it is the judge's own turn).
        options: for `choose`: texts, or a `Column` with a list of them.
        continuation: for `loglik`: a text or a source.
        sampling: how the answer is sampled.
        votes: questions per rollout (and item), with the seeds of `voters`.
        each: a list column; one question is asked for each of its items.

    A row whose column is None, or an empty list `each`, has nothing to judge: NaN. A picture that cannot be read: NaN.

    Example:
        >>> from sightline.parse.tags import Block
        >>> look = Look("{q}\\n{d}", (("q", Column("question")), ("d", Block("description"))), NoPictures())
        >>> batch = Batch(["<description>A cat.</description>", "A cat."], {"question": ["Which animal?"] * 2})
        >>> first, second = look.ask(batch)
        >>> len(first.questions), second.why
        (1, 'no closed <description> block')
    """

    template: str
    places: tuple[tuple[str, Source], ...] = ()
    pictures: Pictures = Shown()
    opening: str | Source = ""
    options: tuple[str, ...] | Column = ()
    continuation: str | Source = ""
    sampling: Sampling = Sampling()
    votes: int = 1
    each: str = ""

    def reads(self) -> tuple[str, ...]:
        """Every column that is needed."""
        sources = [*(source for _, source in self.places), self.opening, self.options, self.continuation]
        named = [source.name for source in sources if isinstance(source, Column)]
        return tuple(dict.fromkeys([*named, *self.pictures.reads(), *([self.each] if self.each else [])]))

    def ask(self, batch: Batch) -> list[Asked | Score]:
        """Per rollout its questions, or the score of a rollout that there is nothing to ask about.

        Raises:
            ColumnError: a list column holds something else, or an item lacks a key.
        """
        return [self._row(batch, row) for row in range(len(batch))]

    def _row(self, batch: Batch, row: int) -> Asked | Score:
        items = self._items(batch, row)
        if items is None or not items:
            return abstain(f"column `{self.each}` lists nothing")
        try:
            pictures = self.pictures.shown(batch, row)
        except MediaError as error:
            return failed(str(error))
        if isinstance(pictures, Missing | Score):
            return Score(0.0, pictures.why) if isinstance(pictures, Missing) else pictures
        questions: list[Question] = []
        for item in items:
            found = self._question(batch, row, item, pictures)
            if isinstance(found, Score):
                return found
            questions.extend(voters(found, self.votes, found.sampling.seed or 0))
        return Asked(tuple(questions), tuple(items), self.votes)

    def _items(self, batch: Batch, row: int) -> Sequence[Any] | None:
        if not self.each:
            return (None,)
        value = batch.column(self.each, "a second look")[row]
        if value is not None and (isinstance(value, (str, Mapping)) or not hasattr(value, "__iter__")):
            raise ColumnError(f"a second look: column `{self.each}` of row {row} is {value!r:.60}; it needs a list")
        return None if value is None else list(value)

    def _question(self, batch: Batch, row: int, item: Any, pictures: tuple[Any, ...]) -> Question | Score:
        found: dict[str, Any] = {}
        for name, source in (*self.places, ("opening", self.opening), ("continuation", self.continuation)):
            value = source if isinstance(source, str) else said(batch, row, source, item, self.each)
            if isinstance(value, Missing) or value is None:
                nothing = isinstance(source, (Column, Item))
                why = value.why if isinstance(value, Missing) else f"{source} is empty"
                return abstain(why) if nothing else Score(0.0, why)
            found[name] = value
        opening, continuation = str(found.pop("opening")), str(found.pop("continuation"))
        fields = tuple((name, found[name]) for name, _ in self.places)
        fenced = tuple(name for name, source in self.places if not isinstance(source, (Column, Item)))
        options = self._options(batch, row)
        return Question(self.template, fields, fenced, pictures, options, continuation, self.sampling, opening)

    def _options(self, batch: Batch, row: int) -> tuple[str, ...]:
        if not isinstance(self.options, Column):
            return self.options
        value = batch.column(self.options.name, "a second look")[row]
        if value is None or isinstance(value, str) or not hasattr(value, "__iter__"):
            raise ColumnError(
                f"a second look: column `{self.options.name}` of row {row} is {value!r:.60}; it needs a list of options"
            )
        return tuple(str(option) for option in value)


def said(batch: Batch, row: int, source: Source, item: Any = None, each: str = "") -> Any:
    """What a source holds for one rollout: a value of the data, or what a parser finds in the policy's text.

    Raises:
        ColumnError: an item of the list column `each` has no such key, or a value cannot be written as text.
    """
    if isinstance(source, Column):
        value = held = batch.column(source.name, "a second look")[row]
        value = value if source.write is None or value is None else source.write(value)
        if isinstance(value, Missing):
            raise ColumnError(f"a second look: column `{source.name}` of row {row} is {held!r:.60}; {value.why}")
        return value.replace(source.drop, "").strip() if source.drop and isinstance(value, str) else value
    if isinstance(source, Item):
        if not isinstance(item, Mapping) or source.key not in item:
            raise ColumnError(f"a second look: column `{each}` of row {row} has the item {item!r:.60}; it needs an "
                              f"object with `{source.key}`")  # fmt: skip
        return item[source.key]
    return batch.parse(source)[row]


def _pictures(batch: Batch, column: str, row: int) -> tuple[Any, ...]:
    return pictures(batch.column(column, "a second look")[row])


def by_item(asked: Asked, values: Sequence[Any]) -> Iterator[tuple[Any, Sequence[Any]]]:
    """The items of a look, each with the values of its votes."""
    for number, item in enumerate(asked.items):
        yield item, values[number * asked.votes : (number + 1) * asked.votes]
