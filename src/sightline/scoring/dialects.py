"""What the columns of a rollout file mean: our own format, and the dumps of trainers and servers.

A dialect names which columns tell it, where our column names are found, and what makes a group. `Source` adds what the
user says about one file: other names, constants, lists to take apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

from sightline.core.errors import ColumnError, ConfigError, did_you_mean
from sightline.media.located import MEDIA, located
from sightline.scoring import nested
from sightline.scoring.blocks import Block, JsonBlock
from sightline.scoring.joining import Join

Step: TypeAlias = "str | int"


@dataclass(frozen=True)
class Dialect:
    """How one program names the columns of its rollout files.

    Args:
        name: what users call it.
        tells: columns that, all present, tell the dialect.
        names: our column -> theirs.
        group: our columns that together make a group; empty: every rollout is alone.
        scattered: the rows of a group may lie apart, since the program reorders them.
        lacks: columns that, any of them present, tell another dialect.
        rows: a row of the file -> rollouts; None: a row is a rollout.
    """

    name: str
    tells: tuple[str, ...]
    names: Mapping[str, str] = field(default_factory=dict)
    group: tuple[str, ...] = ()
    scattered: bool = False
    lacks: tuple[str, ...] = ()
    rows: Callable[[Mapping[str, Any]], list[dict[str, Any]]] | None = None

    def told(self, names: Sequence[str]) -> bool:
        """Whether a file with these columns is of this dialect."""
        return set(self.tells) <= set(names) and not set(self.lacks) & set(names)

    def unfolded(self, block: Block, rows: Sequence[int]) -> tuple[Block, list[int], list[int] | None]:
        """The rollouts of a block: (block, row of the file, number in that row or None if a row is a rollout)."""
        return (block, list(rows), None) if self.rows is None else _unfolded(block, rows, self.rows)


VERL = Dialect(
    "verl",
    ("input", "output"),
    MappingProxyType(
        {"prompt": "input", "completion": "output", "answer": "gts", "ground_truth": "gts", "solution": "gts"}
    ),
    ("step", "prompt"),
    scattered=True,  # verl balances lengths over devices before it writes
)
TRL = Dialect("trl", ("step", "prompt", "completion", "advantage"), group=("step", "prompt"))
OWN = Dialect("sightline", ("completion",), group=("group",))
# what `vf-eval` of verifiers before 0.4 saves
RESULTS = Dialect(
    "verifiers-results", ("example_id", "prompt", "completion", "reward"), group=("example_id",), scattered=True
)
SWIFT = Dialect(
    "ms-swift", ("step", "prompt", "completion", "advantages"), group=("step", "prompt"), rows=nested.swift_rows
)
# rows of these are no rollouts yet, and are written as rollouts end
_nested = partial(Dialect, group=("group",), scattered=True, lacks=("completion",))
NEMO_RL = Dialect(
    "nemo-rl", ("content", "rewards"), group=("step", "prompt"), lacks=("completion",), rows=nested.nemo_rl_rows
)
NEMO_GYM = _nested("nemo-gym", ("responses_create_params", "response"), rows=nested.nemo_gym_rows)
VERIFIERS = _nested("verifiers", ("task", "traces"), rows=nested.verifiers_rows)
SLIME = _nested("slime", ("prompt", "response", "group_index"), rows=nested.slime_rows)
OPENAI = _nested("openai-batch", ("custom_id", "response"), rows=nested.openai_rows)
DIALECTS = (VERL, TRL, SWIFT, NEMO_RL, NEMO_GYM, VERIFIERS, RESULTS, SLIME, OPENAI, OWN)


@dataclass(frozen=True)
class Source:
    """A rollout file and what its user says about it.

    Args:
        path: a file, or a folder of files of one dialect, read in natural order.
        dialect: the name of one of `DIALECTS`; empty: told from the columns.
        rename: our column -> where to find it: a column, or a place in one (`answer[0]`, `reward_model.ground_truth`).
            A place that a row does not have is None there.
        constants: column -> the value of every row.
        explode: columns that hold equally long lists: every element becomes a rollout of its own, the row its group,
            and a column `element` counts them.
        group: columns that together make a group, instead of the dialect's.
        gather: rows of one group may lie apart. Adds a first pass over the file; rows wait in memory until their group
            is complete.
        join: data with columns that the file lacks, such as pictures.

    Raises:
        ConfigError: the dialect is unknown.
    """

    path: Path
    dialect: str = ""
    rename: tuple[tuple[str, str], ...] = ()
    constants: tuple[tuple[str, Any], ...] = ()
    explode: tuple[str, ...] = ()
    group: tuple[str, ...] = ()
    gather: bool = False
    join: Join | None = None

    def __post_init__(self) -> None:
        known = [dialect.name for dialect in DIALECTS]
        if self.dialect and self.dialect not in known:
            raise ConfigError(
                f"unknown dialect `{self.dialect}`; there are {known}.{did_you_mean(self.dialect, known)}"
            )

    @property
    def folder(self) -> Path:
        """What relative media paths are relative to."""
        return (self.path if self.path.is_dir() else self.path.parent).absolute()


@dataclass(frozen=True)
class Columns:
    """Our columns of one file: name -> where to find it.

    Args:
        names: the columns of the file.
        found: (name, place) pairs, every column of the file among them.
        shown: names that a result file repeats, each place once.
        group: columns that make a group.
        scattered: rows of a group may lie apart.
    """

    names: frozenset[str]
    found: tuple[tuple[str, str], ...]
    shown: tuple[str, ...]
    group: tuple[str, ...]
    scattered: bool

    def values(self, block: Block, source: Source) -> dict[str, Sequence[Any]]:
        """The columns that rewards read."""
        values = {name: self.column(block, place) for name, place in self.found}
        values.update({name: [value] * len(block) for name, value in source.constants})
        folder = str(source.folder)
        for name in MEDIA:
            if name in values:
                values[name] = [located(value, folder) for value in values[name]]
        return values

    def column(self, block: Block, place: str) -> Sequence[Any]:
        """One column, or one place in every value of a column."""
        if place in self.names:
            return block.column(place)
        name, *steps = steps_of(place)
        return [_at(value, steps) for value in block.column(str(name))]

    def place(self, name: str) -> str:
        return dict(self.found)[name]


def columns_of(names: Sequence[str], source: Source) -> Columns:
    """What the columns `names` of a file mean.

    Raises:
        ColumnError: there is no completion, or a column that was asked for is missing.
    """
    dialect = dialect_of(names, source)
    places = {name: name for name in names}
    places.update({ours: theirs for ours, theirs in dialect.names.items() if theirs in names and ours not in names})
    for name, place in source.rename:
        places[name] = _known_place(place, names, source)
    constants = {name for name, _ in source.constants}
    if "completion" not in places and "completion" not in constants:
        raise ColumnError(
            f"{source.path}: no column `completion`; there are {sorted(names)}.{_likely(names)} "
            "Say which one holds what the policy wrote: --map completion=NAME"
        )
    group = _group(dialect, {*places, *constants}, source)
    return Columns(
        frozenset(names), tuple(places.items()), _shown(places, constants), group, dialect.scattered or source.gather
    )


def _likely(names: Sequence[str]) -> str:
    """The column that probably holds what the policy wrote, as a question."""
    usual = next((name for name in ("response", "output", "generation", "prediction") if name in names), "")
    return f" Is it `{usual}`?" if usual else did_you_mean("completion", names)


def exploded(block: Block, source: Source, rows: Sequence[int]) -> tuple[JsonBlock, list[int], list[int]]:
    """Every element of the lists in `source.explode` as a row: (block, row of the file, number of the element).

    Raises:
        ColumnError: a column is missing, holds no list, or the lists of a row differ in length.
    """
    for name in source.explode:
        _known_place(name, block.names, source)
    items: list[dict[str, Any]] = []
    origin: list[int] = []
    element: list[int] = []
    for row, item in zip(rows, block.rows(), strict=True):
        lists = [item.get(name) for name in source.explode]
        if not all(isinstance(given, list) and len(given) == len(lists[0] or ()) for given in lists):
            raise ColumnError(f"{source.path}: row {row}: {', '.join(source.explode)} are not lists of one length")
        for number, values in enumerate(zip(*(given or () for given in lists), strict=True)):
            items.append({**item, **dict(zip(source.explode, values, strict=True)), "element": number})
            origin.append(row)
            element.append(number)
    return JsonBlock(items), origin, element


def dialect_of(names: Sequence[str], source: Source) -> Dialect:
    """The dialect that the source says, or else that the columns of the file tell."""
    if source.dialect:
        return next(dialect for dialect in DIALECTS if dialect.name == source.dialect)
    return next((dialect for dialect in DIALECTS if dialect.told(names)), OWN)


def _unfolded(
    block: Block, rows: Sequence[int], unfold: Callable[[Mapping[str, Any]], list[dict[str, Any]]]
) -> tuple[Block, list[int], list[int] | None]:
    found = [
        (row, number, item)
        for row, given in zip(rows, block.rows(), strict=True)
        for number, item in enumerate(unfold(given))
    ]
    return JsonBlock([item for _, _, item in found]), [row for row, _, _ in found], [number for _, number, _ in found]


def steps_of(place: str) -> list[Step]:
    """A place in nested values, step by step.

    Example:
        >>> steps_of("reward_model.ground_truth[0]")
        ['reward_model', 'ground_truth', 0]
    """
    return [int(index) if index else name for name, index in re.findall(r"([^.\[\]]+)(?![^\[]*\])|\[(-?\d+)\]", place)]


def _known_place(place: str, names: Sequence[str], source: Source) -> str:
    name = place if place in names else str(next(iter(steps_of(place)), ""))
    if name not in names:
        raise ColumnError(f"{source.path}: no column `{name}`; there are {sorted(names)}.{did_you_mean(name, names)}")
    return place


def _group(dialect: Dialect, names: set[str], source: Source) -> tuple[str, ...]:
    for name in source.group:
        if name not in names:
            raise ColumnError(f"{source.path}: no column `{name}` to group by; there are {sorted(names)}")
    if source.group:
        return source.group
    # a column of that name says it better than a program's habits: prompts that read alike may show other pictures
    logged = sorted(name for name in names if dialect is TRL and name.endswith("/group"))  # by our reward in TRL
    told = "group" if "group" in names else logged[0] if logged else ""
    found = tuple(name for name in dialect.group if name in names)
    if told:  # an id of the data comes back in every epoch, and TRL writes rollouts again while it trains on them
        return ("step", told) if "step" in found else (told,)
    return found


def _shown(places: Mapping[str, str], constants: set[str]) -> tuple[str, ...]:
    """Every place under one name: of several the first that is not the file's own."""
    aliases = {place: name for name, place in reversed(list(places.items())) if name != place}
    shown = [name for name, place in places.items() if aliases.get(place, name) == name]
    return tuple(dict.fromkeys([*shown, *constants]))


def _at(value: Any, steps: Sequence[Step]) -> Any:
    for step in steps:
        if isinstance(step, int):
            inside = isinstance(value, list | tuple) and -len(value) <= step < len(value)
            value = value[step] if inside else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value
