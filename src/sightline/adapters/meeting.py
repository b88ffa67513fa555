"""Rollouts that come one by one, to one process or to several, and leave scored together with their group."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sightline.adapters.outcomes import Outcome
from sightline.core.scores import ERROR, NA

PATIENCE = 1800.0
HALL = "sightline_hall"
Row = dict[str, Any]


@dataclass
class Group:
    """The rollouts of a group that have come, and what those wait for that came before the last one."""

    rows: list[Row]
    found: asyncio.Future[Sequence[Outcome]]


@dataclass
class Hall:
    """Where the rollouts of a group find each other; knows no reward.

    Args:
        size: rollouts of a group.
        waiting: groups that lack some of theirs.
        scoring: groups whose last rollout has gone to score them.
    """

    size: int
    waiting: dict[Any, Group] = field(default_factory=dict)
    scoring: dict[Any, Group] = field(default_factory=dict)

    async def enter(self, name: Any, row: Row, patience: float) -> list[Row] | Outcome:
        """All rows of the group for whom comes last, who has to score them; for the others their outcome."""
        if self.size == 1:
            return [row]
        if name not in self.waiting:
            self.waiting[name] = Group([], asyncio.get_running_loop().create_future())
        group = self.waiting[name]
        group.rows.append(row)
        place = len(group.rows) - 1
        if len(group.rows) == self.size:
            self.scoring[name] = self.waiting.pop(name)
            return group.rows
        try:
            return (await asyncio.wait_for(asyncio.shield(group.found), patience))[place]
        except TimeoutError:
            came = f"after {patience:g} s {len(group.rows)} of {self.size} rollouts of the group had come"
            self._tell(name, [Outcome(NA, f"{ERROR}{came}, and they have no scores")] * self.size)
            return group.found.result()[place]

    async def leave(self, name: Any, found: Sequence[Outcome] | str) -> None:
        """Tell everybody who waits: the outcomes in the order of the rows, or what went wrong."""
        self._tell(name, found)

    def _tell(self, name: Any, found: Sequence[Outcome] | str) -> None:
        group = self.scoring.pop(name, None) or self.waiting.pop(name, None)
        if group is None:
            return  # alone, or told already
        if isinstance(found, str):
            group.found.set_exception(RuntimeError(found))
        else:
            group.found.set_result(found)


@dataclass(frozen=True)
class Meeting:
    """Rollouts that come one by one and leave, scored together, when their group is complete.

    Args:
        score: rows of one group -> outcomes; runs in a thread of the process that the last of them came to.
        enter, leave: those of the hall, which may stand in another process.
        patience: seconds after which a rollout whose group has no scores leaves with all that wait, as an error.
    """

    score: Callable[[list[Row]], list[Outcome]]
    enter: Callable[[Any, Row, float], Awaitable[list[Row] | Outcome]]
    leave: Callable[[Any, Sequence[Outcome] | str], Awaitable[None]]
    patience: float = PATIENCE

    async def outcome(self, group: Any, row: Row) -> Outcome:
        """The outcome of one rollout, as soon as its group is complete."""
        found = await self.enter(group, row, self.patience)
        if isinstance(found, Outcome):
            return found
        try:
            outcomes = await asyncio.to_thread(self.score, found)
        except BaseException as error:
            # as a text: an error that cannot be sent to another process would leave the others waiting
            await self.leave(group, f"{type(error).__name__}: {error}")
            raise
        await self.leave(group, outcomes)
        return outcomes[-1]


def meeting(
    size: int, score: Callable[[list[Row]], list[Outcome]], patience: float = PATIENCE, apart: bool = False
) -> Meeting:
    """A meeting of groups of `size` rollouts.

    Args:
        apart: several processes of a Ray job meet each other, in an actor that they reach by its name.
    """
    if not apart:
        hall = Hall(size)
        return Meeting(score, hall.enter, hall.leave, patience)
    from sightline.adapters.peers import needed

    options = {"name": HALL, "get_if_exists": True, "num_cpus": 0, "max_concurrency": 1_000_000}
    actor = needed("ray", "Ray").remote(Hall).options(**options).remote(size)
    return Meeting(score, actor.enter.remote, actor.leave.remote, patience)
