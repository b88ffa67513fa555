"""Which of many scored rollouts somebody wants to see, and in which order. All of it on arrays; texts are streamed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Literal, get_args

import numpy as np
import pyarrow.compute as pc

from sightline.view.results import Flags, Part, Results, Rows, Values

State = Literal["all", "scored", "abstained", "failed"]
Order = Literal["file", "latest", "lowest", "highest", "apart"]
SAME = 1e-9  # rewards that differ by less agree
LONGEST = 500  # characters that are searched for
KEPT = 8  # answers, of at most 8 bytes a rollout each


@dataclass(frozen=True)
class Wanted:
    """A filter over rollouts; an empty one lets all pass.

    Args:
        part: the part, or other number, that `low`, `high`, `state` and `reason` are about.
        low, high: its least and greatest value; None is no bound. A rollout without a value passes neither.
        state: all, scored, abstained (nothing to judge) or failed (a judge or a sandbox did).
        reason: what its reason holds, whatever the case.
        text: what the completion holds, whatever the case.
        group: the name of one group.
        disagree: only rollouts to which the two systems beside each other give different rewards.
        order: as in the file, latest first, lowest or highest value of `part` first, or furthest apart first.
    """

    part: str = "reward"
    low: float | None = None
    high: float | None = None
    state: State = "all"
    reason: str = ""
    text: str = ""
    group: str = ""
    disagree: bool = False
    order: Order = "file"

    @classmethod
    def read(cls, said: dict[str, Any], parts: tuple[str, ...]) -> Wanted:
        """A filter from the fields of a form: whatever they hold, it is a filter; what makes no sense is left out.

        Example:
            >>> Wanted.read({"part": "iou", "low": "0.5", "high": "", "order": "up"}, ("reward", "iou"))
            Wanted(part='iou', low=0.5, high=None, state='all', reason='', text='', group='', disagree=False,
                   order='file')
        """
        part = said.get("part")
        return cls(
            part if part in parts else "reward",
            _bound(said.get("low")),
            _bound(said.get("high")),
            _one_of(State, said.get("state"), "all"),
            _words(said.get("reason")),
            _words(said.get("text")),
            _words(said.get("group")),
            bool(said.get("disagree")),
            _one_of(Order, said.get("order"), "file"),
        )


@dataclass(frozen=True, eq=False)
class Selection:
    """Scored rollouts that can be filtered, alone or beside the scores that another system gave the same rollouts.

    Args:
        results: the rollouts.
        beside: the same rollouts, row by row, scored by another; None: none.
        known: what was asked and searched for lately.
    """

    results: Results
    beside: Results | None = None
    known: dict[Any, Any] = field(default_factory=dict, repr=False)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)

    @property
    def difference(self) -> Values:
        """(N,) the reward less that of the other system; NaN where one of them has none."""
        assert self.beside is not None
        return self.results.reward.values - self.beside.reward.values

    def rows(self, wanted: Wanted) -> Rows:
        """Numbers of the rollouts that pass, in order."""
        rows: Rows = self._once(wanted, lambda: self._rows(wanted))
        return rows

    def _rows(self, wanted: Wanted) -> Rows:
        part = self.results.numbers(wanted.part)
        keep = _in_range(part, wanted) & _in_state(part, wanted.state)
        if wanted.group:
            named = pc.equal(self.results.labels, wanted.group).to_numpy(zero_copy_only=False)
            keep &= named[self.results.group]
        for column, text in ((part.why, wanted.reason), ("completion", wanted.text)):
            if text:
                keep &= self._holding(column, text)
        if wanted.disagree and self.beside is not None:
            keep &= self._disagree()
        rows = np.flatnonzero(keep)
        return rows[self._order(rows, part.values[rows], wanted.order)]

    def _order(self, rows: Rows, values: Values, order: Order) -> Any:
        if order == "latest":
            return slice(None, None, -1)
        if order in ("lowest", "highest"):
            return np.argsort(values if order == "lowest" else -values, kind="stable")  # NaN comes last
        if order == "apart" and self.beside is not None:
            return np.argsort(-np.abs(self.difference[rows]), kind="stable")
        return slice(None)

    def _disagree(self) -> Flags:
        assert self.beside is not None
        mine, other = self.results.reward.values, self.beside.reward.values
        return (np.isnan(mine) != np.isnan(other)) | (np.abs(mine - other) > SAME)

    def _holding(self, column: str, text: str) -> Flags:
        flags: Flags = self._once((column, text), lambda: self.results.holding(column, text))
        return flags

    def _once(self, key: Any, compute: Callable[[], Any]) -> Any:
        """What was computed for `key`; the oldest of some answers is forgotten. Several tabs may ask at once."""
        with self._lock:
            if key in self.known:
                return self.known[key]
        found = compute()
        with self._lock:
            while len(self.known) >= KEPT:
                self.known.pop(next(iter(self.known)))
            self.known[key] = found
        return found


def _in_range(part: Part, wanted: Wanted) -> Flags:
    keep = np.ones(len(part.values), np.bool_)
    if wanted.low is not None:
        keep &= part.values >= wanted.low
    if wanted.high is not None:
        keep &= part.values <= wanted.high
    return keep


def _in_state(part: Part, state: State) -> Flags:
    if state == "scored":
        return np.isfinite(part.values)
    if state == "abstained":
        return part.nothing
    return part.failing if state == "failed" else np.ones(len(part.values), np.bool_)


def _words(value: Any) -> str:
    return str(value or "")[:LONGEST]


def _bound(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if number == number else None


def _one_of(kind: Any, value: Any, default: Any) -> Any:
    return value if value in get_args(kind) else default
