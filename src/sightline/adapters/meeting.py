"""Rollouts that come one by one, to one process or to several, and leave scored together with their group."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sightline.adapters.outcomes import Outcome
from sightline.core.scores import ERROR, NA

PATIENCE = 1800.0
HALL = "sightline_hall"
Row = dict[str, Any]


class Place(Protocol):
    """Where the rollouts of a group find each other."""

    async def enter(self, group: Any, row: Row, patience: float) -> list[Row] | Outcome: ...
    async def leave(self, group: Any, found: Sequence[Outcome] | BaseException) -> None: ...


@dataclass
class Hall:
    """Holds rollouts until their group is complete; knows no reward.

    Args:
        size: rollouts of a group.
        waiting: group -> rows and who waits for their outcomes.
    """

    size: int
    waiting: dict[Any, list[tuple[Row, asyncio.Future[Outcome]]]] = field(default_factory=dict)
    scoring: dict[Any, list[tuple[Row, asyncio.Future[Outcome]]]] = field(default_factory=dict)

    async def enter(self, group: Any, row: Row, patience: float) -> list[Row] | Outcome:
        """All rows of the group for whom comes last, who has to score them; for the others their outcome."""
        mine: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        held = self.waiting.setdefault(group, [])
        held.append((row, mine))
        if len(held) == self.size:
            self.scoring[group] = self.waiting.pop(group)
            return [one for one, _ in held]
        try:
            return await asyncio.wait_for(mine, patience)
        except TimeoutError:
            came = len(held)
            self.waiting.pop(group, None)
            return Outcome(NA, f"{ERROR}after {patience:g} s {came} of {self.size} rollouts of the group had come")

    async def leave(self, group: Any, found: Sequence[Outcome] | BaseException) -> None:
        """Tell everybody who waits: the outcomes in the order of the rows, or what went wrong."""
        held = self.scoring.pop(group, [])[:-1]  # the last one scored, and knows
        for at, (_, waiting) in enumerate(held):
            if waiting.done():
                continue
            if isinstance(found, BaseException):
                waiting.set_exception(found)
            else:
                waiting.set_result(found[at])


@dataclass(frozen=True)
class Distant:
    """A hall in a process of its own, which all reward workers of a Ray job reach by its name."""

    actor: Any

    @classmethod
    def of(cls, size: int) -> Distant:
        from sightline.adapters.peers import needed

        options = {"name": HALL, "get_if_exists": True, "num_cpus": 0, "max_concurrency": 1_000_000}
        return cls(needed("ray", "Ray").remote(Hall).options(**options).remote(size))

    async def enter(self, group: Any, row: Row, patience: float) -> list[Row] | Outcome:
        found: list[Row] | Outcome = await self.actor.enter.remote(group, row, patience)
        return found

    async def leave(self, group: Any, found: Sequence[Outcome] | BaseException) -> None:
        await self.actor.leave.remote(group, found)


@dataclass
class Meeting:
    """Rollouts that come one by one and leave, scored together, when their group is complete.

    Args:
        size: rollouts of a group.
        score: rows of one group -> outcomes; runs in a thread of the process that the last of them came to.
        patience: seconds after which a rollout whose group is still incomplete leaves unscored, as an error.
        hall: where they wait; None: in this process.
    """

    size: int
    score: Callable[[list[Row]], list[Outcome]]
    patience: float = PATIENCE
    hall: Place | None = None

    def __post_init__(self) -> None:
        self.hall = Hall(self.size) if self.hall is None else self.hall

    async def outcome(self, group: Any, row: Row) -> Outcome:
        """The outcome of one rollout, as soon as its group is complete."""
        assert self.hall is not None
        found = [row] if self.size == 1 else await self.hall.enter(group, row, self.patience)
        if isinstance(found, Outcome):
            return found
        try:
            outcomes = await asyncio.to_thread(self.score, found)
        except BaseException as error:
            await self.hall.leave(group, error)
            raise
        await self.hall.leave(group, outcomes)
        return outcomes[-1]
