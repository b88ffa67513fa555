"""What every reward promises, checked on any reward with a few rows that it can score.

    from sightline.check import keep_promises
    keep_promises(my_reward, rows)          # raises PromiseBroken, naming the promise and the row

A promise is a function of a reward and rows; `PROMISES` lists them all. Nothing here knows a reward by name: a reward
that needs special rows brings them as its specimen.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sightline.check.hostile import TEXTS
from sightline.core.batch import Batch
from sightline.core.errors import ColumnError, SightlineError
from sightline.core.marks import Mark
from sightline.core.scores import Scores
from sightline.rewards.reward import Reward

Rows = Sequence[Mapping[str, Any]]
Promise = Callable[[Reward, Rows], None]


class PromiseBroken(SightlineError, AssertionError):  # noqa: N818 - named for what happened
    """A reward does not do what all rewards promise."""


def deterministic(reward: Reward, rows: Rows) -> None:
    """The same rows earn the same scores, reasons and marks, twice in a row."""
    _same(_scores(reward, rows), _scores(reward, rows), "a second call gave other scores")


def order_free(reward: Reward, rows: Rows) -> None:
    """Rows in another order earn the same."""
    order = np.random.default_rng(0).permutation(len(rows))
    shuffled = _scores(reward, [rows[i] for i in order])
    _same(shuffled, _scores(reward, rows).take(order), "another order of the rows gave other scores")


def alone_as_in_company(reward: Reward, rows: Rows) -> None:
    """A rollout (for group rewards: a group) earns alone what it earns among others: nobody peeks at neighbours."""
    together = _scores(reward, rows)
    for index in _units(reward, rows):
        alone = _scores(reward, [rows[i] for i in index])
        _same(alone, together.take(index), f"rows {index.tolist()} alone gave other scores than in company")


def inside_its_range(reward: Reward, rows: Rows) -> None:
    """Every value lies in the declared range."""
    low, high = reward.bounds()
    for row, value in enumerate(_scores(reward, _with_hostile(rows)).values):
        if not np.isnan(value) and not low - 1e-9 <= value <= high + 1e-9:
            raise PromiseBroken(f"row {row} earned {value}, outside the declared range [{low}, {high}]")


def names_missing_columns(reward: Reward, rows: Rows) -> None:
    """Without a column that it reads, it refuses with a `ColumnError` that names the column."""
    for name in sorted(declared(reward)):
        without = [{key: value for key, value in row.items() if key != name} for row in rows]
        try:
            reward(Batch.from_rows(without))
        except ColumnError as error:
            if f"`{name}`" not in str(error):
                raise PromiseBroken(f"without column `{name}` the error does not name it: {error}") from error
        else:
            raise PromiseBroken(f"declares column `{name}`, but scores without it")


def reads_what_it_declares(reward: Reward, rows: Rows) -> None:
    """It looks at no column that it did not declare."""
    allowed = declared(reward) | optional(reward)
    undeclared = {name for row in rows for name in row} - allowed - {"completion", "prompt", "group"}
    poisoned = [{key: _Poison(key) if key in undeclared else value for key, value in row.items()} for row in rows]
    full, spied = _scores(reward, rows), _spied(reward, poisoned, undeclared)
    _same(full, spied, f"changing undeclared columns {sorted(undeclared)} changed the scores")


def survives_hostile_text(reward: Reward, rows: Rows) -> None:
    """No text a policy can write makes it raise."""
    for text in TEXTS:
        for completion in (text, [{"role": "assistant", "content": text}]):
            try:
                reward(Batch.from_rows([{**row, "completion": completion, "group": i} for i, row in enumerate(rows)]))
            except Exception as error:
                raise PromiseBroken(f"raised {type(error).__name__}: {error} on the text {text[:60]!r}") from error


def pickles_to_an_equal(reward: Reward, rows: Rows) -> None:
    """It survives pickling, equals its copy and has its hash: it holds values, not closures or handles."""
    try:
        copy = pickle.loads(pickle.dumps(reward))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise PromiseBroken(f"does not pickle: {error}") from error
    if copy != reward or hash(copy) != hash(reward):
        raise PromiseBroken("its pickled copy is not equal to it")
    _same(copy(Batch.from_rows(rows)), _scores(reward, rows), "its pickled copy gave other scores")


def marks_inside_the_rollout(reward: Reward, rows: Rows) -> None:
    """Every mark lies in the rollout that it belongs to."""
    batch = Batch.from_rows(_with_hostile(rows))
    scores = reward(batch)
    for part in (scores, *scores.parts.values()):
        for row, marks in enumerate(part.marks):
            for mark in marks:
                if not _inside(mark, batch.texts[row]):
                    raise PromiseBroken(f"row {row} has the mark {mark} outside its text of {len(batch.texts[row])}")


def ignores_what_tools_said(reward: Reward, rows: Rows) -> None:
    """Text that a tool or the environment answered earns nothing."""
    own = [{**row, "completion": [*_turns(row["completion"])]} for row in rows]
    echoed = [{**row, "completion": [*_turns(row["completion"]), *_echo(row)]} for row in rows]
    _same(_scores(reward, own), _scores(reward, echoed), "what a tool said changed the scores", marks=False)


PROMISES: tuple[Promise, ...] = (
    survives_hostile_text,
    deterministic,
    order_free,
    alone_as_in_company,
    inside_its_range,
    names_missing_columns,
    reads_what_it_declares,
    pickles_to_an_equal,
    marks_inside_the_rollout,
    ignores_what_tools_said,
)


def keep_promises(reward: Reward, rows: Rows) -> None:
    """Check all promises.

    Args:
        reward: any reward or expression.
        rows: rollouts as dictionaries that it can score; the more kinds of row, the better the check.

    Raises:
        PromiseBroken: the message names the promise and what happened.

    Example:
        >>> from sightline.rewards import Constant
        >>> keep_promises(Constant(0.5), [{"completion": "a"}, {"completion": "b"}])
    """
    for promise in PROMISES:
        try:
            promise(reward, rows)
        except PromiseBroken as broken:
            raise PromiseBroken(f"{promise.__name__}: {broken}") from broken


def declared(reward: Reward) -> set[str]:
    """Every column that an expression needs."""
    return {name for node in reward.walk() for name in node.needs()}


def optional(reward: Reward) -> set[str]:
    """Every column that an expression uses if it is there."""
    return {name for node in reward.walk() for name in node.uses()}


class _Poison:
    """Stands in for the value of a column that a reward has no business with."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __str__(self) -> str:
        return f"<not your column: {self.name}>"


class _SpyBatch(Batch):
    """A batch that refuses to give out some columns."""

    forbidden: frozenset[str] = frozenset()

    def column(self, name: str, who: str = "this reward") -> Sequence[Any]:
        if name in self.forbidden:
            raise PromiseBroken(f"reads column `{name}` without declaring it")
        return super().column(name, who)

    def take(self, index: NDArray[np.int64]) -> Batch:
        part = super().take(index)
        part.__class__ = _SpyBatch
        part.forbidden = self.forbidden  # type: ignore[attr-defined]
        return part


def _spied(reward: Reward, rows: Rows, forbidden: set[str]) -> Scores:
    batch = _SpyBatch.from_rows(rows)
    batch.forbidden = frozenset(forbidden)  # type: ignore[attr-defined]
    try:
        return reward(batch)
    except PromiseBroken:
        raise
    except Exception as error:
        raise PromiseBroken(f"reads one of the undeclared columns {sorted(forbidden)}: {error}") from error


def _scores(reward: Reward, rows: Rows) -> Scores:
    try:
        return reward(Batch.from_rows(rows))
    except ValueError as error:
        if "without a reason" in str(error):
            raise PromiseBroken(str(error)) from error
        raise


def _with_hostile(rows: Rows) -> list[dict[str, Any]]:
    """The rows, and each hostile text in the place of the first row's completion, in groups of their own."""
    return [*map(dict, rows), *({**rows[0], "completion": text, "group": f"h{i}"} for i, text in enumerate(TEXTS))]


def _units(reward: Reward, rows: Rows) -> Iterator[NDArray[np.int64]]:
    if any(node.scope == "group" for node in reward.walk()):
        yield from Batch.from_rows(rows).groups()
    else:
        yield from (np.array([i]) for i in range(len(rows)))


def _same(a: Scores, b: Scores, what: str, marks: bool = True) -> None:
    for row in range(len(a)):
        if not np.array_equal(a.values[row], b.values[row], equal_nan=True):
            raise PromiseBroken(f"{what}: row {row} {a.values[row]} and {b.values[row]}")
        if a.why[row] != b.why[row]:
            raise PromiseBroken(f"{what}: row {row} reasons {a.why[row]!r} and {b.why[row]!r}")
        if marks and a.marks[row] != b.marks[row]:
            raise PromiseBroken(f"{what}: row {row} marks {a.marks[row]} and {b.marks[row]}")


def _inside(mark: Mark, text: str) -> bool:
    if not np.isfinite(mark.value):
        return False
    if mark.unit == "box":
        return len(mark.place) == 4 and bool(np.isfinite(mark.place).all())
    start, end = mark.place
    return 0 <= start <= end <= (len(text) if mark.unit == "char" else np.inf)


def _turns(completion: Any) -> list[Any]:
    return [{"role": "assistant", "content": completion}] if isinstance(completion, str) else list(completion)


def _echo(row: Mapping[str, Any]) -> list[dict[str, str]]:
    """A tool that says back every column, also as an answer in tags."""
    said = " ".join(str(value) for key, value in row.items() if key != "completion")
    return [{"role": "tool", "content": f"<think>{said}</think><answer>{said}</answer>"}]
