"""A batch of rollouts with their groups whole: what every reward is called on.

Columns stay columns. What a parser found is computed once per text and shared by all rewards of an expression, and a
view on some rows (`take`) shares it too.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sightline.core.errors import ColumnError, ShapeError, did_you_mean
from sightline.core.rollout import RESERVED, Completion, Rollout, Transcript, policy_text, transcript

T = TypeVar("T")


class Batch:
    """B rollouts: completions, prompts, groups, and the columns that rewards read.

    Args:
        completions: B texts, chat message lists or transcripts.
        columns: name -> sequence of B values.
        prompts: B prompts, or None.
        group: B ids; rollouts of one prompt share one. None: every rollout is alone.
        step: the training step, for rewards that follow a schedule.

    Raises:
        ShapeError: a column, prompts or group does not have B entries, or is no list at all.

    Example:
        >>> batch = Batch(["a", "b"], {"answer": ["a", "a"]}, group=[7, 7])
        >>> len(batch), batch.column("answer"), batch.group
        (2, ['a', 'a'], array([0, 0]))
    """

    def __init__(
        self,
        completions: Sequence[Completion],
        columns: Mapping[str, Sequence[Any]] | None = None,
        *,
        prompts: Sequence[Any] | None = None,
        group: Sequence[Any] | NDArray[Any] | None = None,
        step: int | None = None,
    ) -> None:
        if isinstance(completions, str | bytes) or not hasattr(completions, "__len__"):
            raise ShapeError(f"Batch: completions need a list, one a rollout; got {_kind(completions)}")
        self.completions = completions
        self.columns: Mapping[str, Sequence[Any]] = dict(columns or {})
        self.prompts = prompts
        self.step = step
        for name, given in {**self.columns, "prompt": prompts, "group": group}.items():
            if given is None:
                continue
            if isinstance(given, str | bytes) or not hasattr(given, "__len__"):
                raise ShapeError(f"Batch: column `{name}` needs a list of {len(completions)}; got {_kind(given)}")
            if len(given) != len(completions):
                raise ShapeError(f"Batch: column `{name}` has {len(given)} values for {len(completions)} completions")
        self.group = np.arange(len(completions)) if group is None else _group_numbers(group)
        self._texts: list[str] | None = None
        self._found: dict[Any, list[Any]] = {}
        self._derived: dict[Any, Any] = {}
        self._whole: tuple[Batch, NDArray[np.int64]] | None = None

    @classmethod
    def from_columns(cls, columns: Mapping[str, Sequence[Any]], step: int | None = None) -> Batch:
        """A batch from a table with a column `completion`, and optionally `prompt` and `group`.

        Raises:
            ColumnError: there is no column `completion`.
        """
        if "completion" not in columns:
            raise ColumnError(
                f"Batch needs a column `completion`, what the policy wrote; got {sorted(columns)}."
                f"{did_you_mean('completion', columns)}"
            )
        rest = {name: values for name, values in columns.items() if name not in RESERVED}
        return cls(columns["completion"], rest, prompts=columns.get("prompt"), group=columns.get("group"), step=step)

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]], step: int | None = None) -> Batch:
        """A batch from dictionaries. A column that only some rows have is None in the others.

        Raises:
            ColumnError: no row has `completion`.
            ShapeError: what is given is not a list of dictionaries.

        Example:
            >>> Batch.from_rows([{"completion": "a", "answer": "b"}, {"completion": "c"}]).column("answer")
            ['b', None]
        """
        if isinstance(rows, str | bytes | Mapping) or not isinstance(rows, Iterable):
            raise ShapeError(f"Batch.from_rows needs a list of dictionaries, one a rollout; got {_kind(rows)}")
        rows = list(rows)
        for number, row in enumerate(rows):
            if not isinstance(row, Mapping):
                raise ShapeError(f"Batch.from_rows: row {number} needs to be a dictionary; got {_kind(row)}")
        names = dict.fromkeys(name for row in rows for name in row)
        table = {name: [row.get(name) for row in rows] for name in names}
        return cls.from_columns(table or {"completion": []}, step=step)

    def __len__(self) -> int:
        return len(self.completions)

    def __repr__(self) -> str:
        return f"Batch({len(self)} rollouts, {len(np.unique(self.group))} groups, columns={sorted(self.columns)})"

    @property
    def texts(self) -> list[str]:
        """The policy's own words, one text per rollout; nothing a tool answered is in them."""
        if self._texts is None:
            if self._whole is not None:
                whole, index = self._whole
                self._texts = [whole.texts[i] for i in index]
            else:
                self._texts = _policy_texts(self.completions)
        return self._texts

    def transcript(self, row: int) -> Transcript:
        """The completion of one rollout, turn by turn."""
        return transcript(self.completions[row])

    def has(self, name: str) -> bool:
        return name in self.columns

    def column(self, name: str, who: str = "this reward") -> Sequence[Any]:
        """The values of one column.

        Raises:
            ColumnError: it is not there; the message names the reader, what is there, and the likely typo.
        """
        try:
            return self.columns[name]
        except KeyError:
            raise ColumnError(
                f"{who} reads column `{name}`; the batch has {sorted(self.columns)}.{did_you_mean(name, self.columns)}"
            ) from None

    def parse(self, parser: Callable[[str], T]) -> list[T]:
        """What `parser` finds in every rollout's text, computed once per batch for equal parsers.

        A parser that has `many` (texts -> what it finds in each) reads all texts at once.
        """
        if parser not in self._found:
            if self._whole is not None:
                whole, index = self._whole
                everything = whole.parse(parser)
                self._found[parser] = [everything[i] for i in index]
            else:
                many: Callable[[list[str]], list[T]] | None = getattr(parser, "many", None)
                with _no_cycles_sought():
                    self._found[parser] = [parser(text) for text in self.texts] if many is None else many(self.texts)
        return self._found[parser]

    def once(self, compute: Callable[[Batch], T]) -> T:
        """`compute(self)`, done once for equal `compute`s: what several rewards derive from the same rollouts."""
        if compute not in self._derived:
            with _no_cycles_sought():
                self._derived[compute] = compute(self)
        found: T = self._derived[compute]
        return found

    def take(self, index: NDArray[np.int64]) -> Batch:
        """The rollouts `index` as a batch of their own, sharing what was parsed."""
        part = Batch(
            [self.completions[i] for i in index],
            {name: [values[i] for i in index] for name, values in self.columns.items()},
            prompts=None if self.prompts is None else [self.prompts[i] for i in index],
            group=self.group[index],
            step=self.step,
        )
        part._whole = (self, index)
        return part

    def rollouts(self) -> Iterator[Rollout]:
        """The batch row by row."""
        names = list(self.columns)
        for row, text in enumerate(self.texts):
            columns = {name: self.columns[name][row] for name in names}
            prompt = None if self.prompts is None else self.prompts[row]
            yield Rollout(text, prompt, columns, self.transcript(row))

    def groups(self) -> list[NDArray[np.int64]]:
        """Row numbers of every group, in order of first appearance."""
        order = np.argsort(self.group, kind="stable")
        return np.split(order, np.flatnonzero(np.diff(self.group[order])) + 1) if len(order) else []


def _policy_texts(completions: Sequence[Completion]) -> list[str]:
    try:
        return [policy_text(completion) for completion in completions]
    except (TypeError, AttributeError) as error:
        for row, completion in enumerate(completions):
            if not _readable(completion):
                raise ColumnError(
                    f"column `completion` of row {row} is {_kind(completion)}; it needs a text or a list of messages"
                ) from error
        raise


def _readable(completion: Any) -> bool:
    """Whether a completion is a text, or turns of any kind."""
    if isinstance(completion, str):
        return True
    return isinstance(completion, Sequence | np.ndarray) and all(
        isinstance(turn, Mapping | tuple) for turn in completion
    )


def _kind(value: Any) -> str:
    """A value as messages show it: its type, and how it begins."""
    shown = repr(value)
    return f"{type(value).__name__} {shown if len(shown) <= 40 else shown[:37] + '...'}"


@contextmanager
def _no_cycles_sought() -> Iterator[None]:
    """Parsed pieces are many and hold no cycles; looking for some among them takes up to half of the time."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def _group_numbers(group: Sequence[Any] | NDArray[Any]) -> NDArray[np.int64]:
    """Group ids of any hashable kind as numbers 0.. in order of first appearance."""
    seen: dict[Any, int] = {}
    ids = group.tolist() if isinstance(group, np.ndarray) else group
    try:
        return np.fromiter((seen.setdefault(g, len(seen)) for g in ids), np.int64, len(ids))
    except TypeError as error:
        raise ColumnError(f"column `group` needs an id per rollout, a number or a text: {error}") from error
