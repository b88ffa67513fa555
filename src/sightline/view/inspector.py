"""What the live page answers: a page of the list, one rollout, its group. Knows no web framework."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from markupsafe import Markup

from sightline.core.errors import RolloutFileError, SightlineError
from sightline.core.rollout import policy_text
from sightline.view import cards, pages
from sightline.view.beside import check_same, scored_as, variant_names
from sightline.view.cards import Bar, Card, Scales
from sightline.view.charts import number
from sightline.view.overview import Source, names, overview, read_source
from sightline.view.pictures import Shot, drawn, shared_frame, shots
from sightline.view.questions import Asked, Recall
from sightline.view.results import Results
from sightline.view.selection import SAME, Selection, Wanted
from sightline.view.texts import TAG

LAST_FILES = 400  # of a run's rollout files, so many of the latest are read
STEP = 25  # rollouts on a page of the list
SIDE, MOST = 900, 16  # pixels of a picture, pictures or frames of a rollout
LATELY = 16  # rollouts whose pictures are kept
FELLOWS = 32  # rollouts of a group that are listed
CELLS = 24  # parts of a rollout that the list shows
BEGINNING, END = 48, 72  # characters of a text that the list shows
CHEAP = 64_000_000  # bytes that may be decoded to show how the completions of a page begin


@dataclass(frozen=True)
class Cell:
    """One part of a rollout in the list: how near it is to the top of its range."""

    name: str
    value: str
    state: str
    share: float
    negative: bool


@dataclass(frozen=True)
class Item:
    """One rollout in the list; `other` and what follows only beside another system."""

    row: int
    reward: str
    state: str
    cells: tuple[Cell, ...]
    place: str
    snippet: str
    other: str | None = None
    other_state: str = ""
    difference: str = ""
    sign: str = ""


@dataclass(frozen=True, eq=False)
class Inspector:
    """A scored file or a run, to be looked at rollout by rollout.

    Args:
        source: what is looked at.
        title: of the page.
        beside: the same rollouts scored by another system; None: none.
        sides: what the two are called.
        recall: finds what judges were asked; None: that is not shown.
    """

    source: Source
    title: str
    beside: Results | None = None
    sides: tuple[str, str] = ("", "")
    recall: Recall | None = None
    selection: Selection = field(init=False, repr=False)
    _lately: dict[int, list[Shot]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.source.results is not None:
            object.__setattr__(self, "selection", Selection(self.source.results, self.beside))

    @classmethod
    def of(cls, path: Path, beside: Path | None = None, title: str = "", recall: Recall | None = None) -> Inspector:
        """Read what is to be looked at.

        Raises:
            RolloutFileError: there is nothing to show, or the two files do not hold the same rollouts.
        """
        source = read_source(path, LAST_FILES)
        if beside is None:
            return cls(source, title or path.name, recall=recall)
        other = read_source(beside, LAST_FILES)
        if path.is_dir() or beside.is_dir() or source.results is None or other.results is None:
            raise RolloutFileError("--beside compares two scored files; the rollouts of two runs are not the same")
        check_same(source.results, other.results)
        sides = variant_names(path, beside)
        return cls(source, title or f"{sides[0]} beside {sides[1]}", other.results, sides, recall)

    @property
    def results(self) -> Results:
        assert self.source.results is not None
        return self.source.results

    @cached_property
    def scales(self) -> Scales:
        return Scales.of(self.results, *([] if self.beside is None else [self.beside]))

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """Everything a filter can be about."""
        return names((*self.results.parts, *self.results.measures))

    def page(self, read: int = 0) -> str:
        """The page without rollouts: its head with the filter, empty panes, counts, curves and distributions.

        Args:
            read: which reading of the files this is; questions from the page name it.
        """
        has_rollouts = self.source.results is not None
        ranges = {name: self.results.numbers(name).known for name in self.parts} if has_rollouts else {}
        return pages.render(
            "inspector.html.j2",
            title=self.title,
            read=read,
            path="" if str(self.source.path) == self.title else str(self.source.path),
            unfinished=self.source.unfinished,
            has_rollouts=has_rollouts,
            ranges={
                name: (number(float(known.min())), number(float(known.max()))) if len(known) else ("", "")
                for name, known in ranges.items()
            },
            run=self.source.path.is_dir(),
            beside=self.beside is not None,
            overview=self._overview,
        )

    @cached_property
    def _overview(self) -> Markup:
        return Markup(pages.render("overview.html.j2", **overview(self.source)))

    def find(self, form: Mapping[str, Any]) -> dict[str, str]:
        """Pieces of the page as HTML, by the name of their pane: `listing`, `rollout` and `group`.

        The rollout is the one of the form's `row`, or the first of the page of the list. Whatever the form holds, there
        is an answer.

        Args:
            form: fields of `Wanted`; `first`, the place of the page in the list; `row`; `listed`, False if the list
                stays as it is; `whole`, True if long texts are not cut.
        """
        row, listed = _whole(form.get("row"), len(self.results)), bool(form.get("listed", True))
        panes = {}
        if listed or row is None:
            rows = self.selection.rows(Wanted.read(dict(form), self.parts))
            first = min(_whole(form.get("first"), len(rows)) or 0, max(len(rows) - 1, 0)) // STEP * STEP
            page = rows[first : first + STEP].tolist()
            row = row if row is not None else page[0] if page else None
            listing = self.items(page), row, first, STEP, len(rows), len(self.results)
            panes["listing"] = pages.piece("listing", *listing)
        rollout, group = ("", "") if row is None else self._opened(row, bool(form.get("whole")))
        return {**panes, "rollout": rollout, "group": group}

    def _opened(self, row: int, whole: bool) -> tuple[str, str]:
        """The same as `open`; of a row that others wrote, and wrote otherwise than `score` does, what is wrong."""
        try:
            return self.open(row, whole)
        except pa.ArrowException:
            raise
        except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
            said = f"Row {row} cannot be shown: its columns are not as `sightline score` writes them"
            return pages.piece("trouble", f"{said} ({type(error).__name__}: {error})."), ""

    def open(self, row: int, whole: bool = False) -> tuple[str, str]:
        """One rollout, and its group beside it."""
        own = np.flatnonzero(self.results.group == self.results.group[row])
        first = int(np.clip(np.searchsorted(own, row) - FELLOWS // 2, 0, max(len(own) - FELLOWS, 0)))
        fellows = own[first : first + FELLOWS].tolist()
        label = self.results.labels[int(self.results.group[row])].as_py()
        items = self.items(fellows) if len(own) > 1 else []
        group = pages.piece("siblings", items, row, label, len(own) - len(fellows)) if items else ""
        return self._rollout(row, own.tolist(), whole), group

    def items(self, rows: Sequence[int]) -> list[Item]:
        """Some rollouts as the list shows them; without their text where reading it would take long."""
        cheap = self.results.cost(rows, "completion") <= CHEAP
        columns = ("row", "element", "step", *(("completion",) if cheap else ()))
        return [self._item(row, data) for row, data in zip(rows, self.results.rows(rows, columns), strict=True)]

    def _item(self, row: int, data: Mapping[str, Any]) -> Item:
        parts = [part for part in self.results.parts if part.name in ("reward", *self.results.shown[:CELLS])]
        bars = [self.scales.bar(p.name, float(p.values[row]), _reason(p.failing[row])) for p in parts]
        item = Item(
            row,
            bars[0].value,
            bars[0].state,
            tuple(_cell(bar) for bar in bars[1:]),
            cards.short_place(row, data),
            _snippet(data.get("completion")),
        )
        if self.beside is None:
            return item
        other = self.scales.bar("reward", float(self.beside.reward.values[row]), _reason(self.beside.failed[row]))
        apart = float(self.selection.difference[row])
        sign = "same" if abs(apart) <= SAME else "more" if apart > 0 else "less" if apart < 0 else "unknown"
        return replace(item, other=other.value, other_state=other.state, difference=signed(apart), sign=sign)

    def _rollout(self, row: int, fellows: list[int], whole: bool) -> str:
        data = self.results.rows([row])[0]
        asked, problem = self._asked(data, fellows)
        taken = self._taken(row, data)
        card = self._card(data, row, self.results, taken, whole, asked)
        if self.beside is None:
            return problem + pages.piece("alone", card)
        other = scored_as(data, self.results, self.beside.rows([row])[0])
        pair = [card, self._card(other, row, self.beside, taken, whole)]
        return problem + pages.piece("pair", pair, self.sides, signed(float(self.selection.difference[row])))

    def _card(
        self,
        data: dict[str, Any],
        row: int,
        results: Results,
        taken: Sequence[Shot],
        whole: bool,
        asked: Sequence[Asked] = (),
    ) -> Card:
        shown = drawn(taken, data, shared_frame([data]) or self._frame)
        return cards.card(data, row, results.shown, self.scales, shown, asked=asked, whole=whole)

    def _taken(self, row: int, data: Mapping[str, Any]) -> list[Shot]:
        """The pictures of a rollout; those seen lately are not decoded again, which takes long for a video."""
        taken = self._lately.get(row)
        if taken is None:
            taken = shots(data, self.results.folders(), SIDE, MOST)
            for old in list(self._lately)[: max(0, len(self._lately) + 1 - LATELY)]:
                self._lately.pop(old, None)
            self._lately[row] = taken
        return taken

    @cached_property
    def _frame(self) -> Mapping[str, Any] | None:
        """The coordinates that the first rollouts with boxes write in; none if their marks are not ours."""
        try:
            return shared_frame(self.results.rows(range(min(len(self.results), 64)), ["marks"]))
        except (TypeError, LookupError):
            return None

    def _asked(self, data: dict[str, Any], fellows: list[int]) -> tuple[list[Asked], str]:
        if self.recall is None:
            return [], ""
        rows = self.results.rows(fellows) if self.recall.whole_groups else [data]
        try:
            return self.recall(rows, names(self.results.parts), self.results.folders()[0]), ""
        except SightlineError as error:
            return [], pages.piece("trouble", str(error))


def signed(value: float) -> str:
    """A difference for reading.

    Example:
        >>> signed(0.25), signed(-1.0), signed(0.0), signed(float("nan"))
        ('+0.25', '−1', '0', '–')
    """
    if abs(value) <= SAME:
        return "0"
    return number(value).replace("-", "−") if not value > 0 else f"+{number(value)}"


def _snippet(completion: Any) -> str:
    """The ends of what was written; nothing of what is no completion."""
    try:
        return _ends(policy_text(completion or ""))
    except (TypeError, AttributeError, LookupError, SightlineError):
        return ""


def _ends(text: str) -> str:
    """How a text begins and ends, without tags: policies begin alike, and answer at the end."""
    first, last = (" ".join(TAG.sub(" ", part).split()) for part in (text[: 8 * BEGINNING], text[-8 * END :]))
    whole = len(text) <= 8 * BEGINNING and len(first) <= BEGINNING + END
    return first if whole else f"{first[:BEGINNING].rpartition(' ')[0]} … {last[-END:].partition(' ')[2]}"


def _reason(failed: Any) -> str:
    return "error: " if failed else ""


def _cell(bar: Bar) -> Cell:
    return Cell(bar.name, bar.value, bar.state, round(bar.width / 100, 2), bar.negative)


def _whole(value: Any, below: int) -> int | None:
    """A number of a row or place in a list, if it is one."""
    try:
        found = int(value)
    except (TypeError, ValueError):
        return None
    return found if 0 <= found < below else None
