"""Judges of a reward that is scored on Ray: a desk for each, and holders behind it.

Tasks ask a desk. It lives beside the driver, has the cache of verdicts if there is one, and sees to it that a question
which several tasks ask at the same time is asked once. A judge behind HTTP is asked by the desk itself, so its bound
on requests under way holds for the whole cluster; any other judge is held by actors, each of which loads it once.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeAlias

from sightline.core.errors import SightlineError
from sightline.judges import CachedJudge, RemoteJudge
from sightline.judges.fingerprint import fingerprints
from sightline.judges.judge import Ability, Judge, Question, Verdict, answered
from sightline.judges.stream import Arrival, Streamed, arrivals
from sightline.rewards.reward import Reward, with_judge
from sightline.scoring.engines import judges_asked
from sightline.scoring.packing import packed, unpacked

AT_ONCE = 32  # questions that a holder gets at a time; each verdict comes back as soon as it is there
THREADS = 64  # calls that a desk serves at once; the others wait
LANES = 4  # calls that a holder of a judge behind HTTP serves at once
RESTARTS = 3
LOOK = 20.0  # seconds for an actor that restarts, before another one is asked
PATIENCE = 900.0  # seconds in all: a large model takes minutes to load

Answer: TypeAlias = "Future[Verdict[Any]]"


class Desk:
    """Answers from the cache, from whoever is asking already, or from the judge.

    Args:
        judge: who is asked in the end.
    """

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.lock = threading.Lock()
        self.open: dict[tuple[Ability, str], Answer] = {}

    def ask(self, ability: Ability, questions: Sequence[Question]) -> list[Verdict[Any]]:
        """One verdict per question.

        Raises:
            CompositionError: the judge lacks the ability.
            ConfigError, MissingExtra: the judge was set up wrongly.
        """
        if not isinstance(self.judge, CachedJudge):
            return answered(self.judge, ability, questions)
        keys = [None if key is None else (ability, key) for key in fingerprints(ability, questions)]
        answers, mine = self._claimed(keys)
        try:
            for place, verdict in arrivals(self.judge, ability, [questions[number] for number in mine]):
                answers[mine[place]].set_result(verdict)
        except BaseException as error:  # also what nobody foresaw: others wait for these answers
            for number in mine:
                if not answers[number].done():
                    answers[number].set_exception(error)
            raise
        finally:
            with self.lock:
                for number in mine:
                    self.open.pop(keys[number], None)  # type: ignore[arg-type]
        return [answer.result() for answer in answers]

    def _claimed(self, keys: Sequence[tuple[Ability, str] | None]) -> tuple[list[Answer], list[int]]:
        """An answer to wait for per question, and which of them nobody asks yet."""
        answers: list[Answer] = []
        mine = []
        with self.lock:
            for number, key in enumerate(keys):
                known = None if key is None else self.open.get(key)
                answers.append(known or Future())
                if known is None:
                    mine.append(number)
                    if key is not None:
                        self.open[key] = answers[number]
        return answers, mine


class Holder:
    """An actor that has the judge, its model loaded once.

    Args:
        judge: packed.
        environment: variables that the judge reads.
    """

    def __init__(self, judge: bytes, environment: Mapping[str, str]) -> None:
        os.environ.update(environment)
        self.judge: Judge = unpacked(judge)

    def answer(self, ability: Ability, questions: Sequence[Question]) -> Iterator[Arrival]:
        """Verdicts as they arrive."""
        yield from arrivals(self.judge, ability, questions)

    def ready(self) -> bool:
        """Answered as soon as the judge can be asked."""
        return True


class DeskActor(Desk):
    """A desk, in an actor.

    Args:
        held: packed: the judge, actors that have it (none: it is asked from here), and calls that each serves at once.
        environment: variables that the judge reads.
    """

    def __init__(self, held: bytes, environment: Mapping[str, str]) -> None:
        os.environ.update(environment)
        found, holders, lanes = unpacked(held)
        if holders:
            inner = found.judge if isinstance(found, CachedJudge) else found
            by_actors = HeldJudge(inner.id, holders, lanes)
            found = replace(found, judge=by_actors) if isinstance(found, CachedJudge) else by_actors
        super().__init__(found)


class HeldJudge(Streamed):
    """A judge that actors hold.

    Args:
        id: of the judge.
        holders: the actors.
        lanes: calls that each of them serves at once.
    """

    def __init__(self, id: str, holders: Sequence[Any], lanes: int) -> None:
        self.id = id
        self.idle: SimpleQueue[Any] = SimpleQueue()
        self.size = self.left = lanes * len(holders)
        self.lock = threading.Lock()
        for _ in range(lanes):
            for holder in holders:
                self.idle.put(holder)

    def stream(self, ability: Ability, questions: Sequence[Question]) -> Iterator[Arrival]:
        """Verdicts as they arrive, from whichever actors are free."""
        arrived: SimpleQueue[Arrival | SightlineError] = SimpleQueue()
        parts = [range(len(questions))[start : start + AT_ONCE] for start in range(0, len(questions), AT_ONCE)]
        with ThreadPoolExecutor(max(1, min(self.size, len(parts)))) as pool:
            for part in parts:
                pool.submit(self._part, ability, questions, part, arrived.put)
            for _ in questions:
                arrival = arrived.get()
                if isinstance(arrival, SightlineError):
                    raise arrival
                yield arrival

    def _part(
        self,
        ability: Ability,
        questions: Sequence[Question],
        part: Sequence[int],
        arrive: Callable[[Arrival | SightlineError], None],
    ) -> None:
        """Ask some questions; those that are open when an actor dies are asked again, and no others."""
        from ray.exceptions import RayError, RayTaskError

        still, words = list(part), ""
        for _ in range(RESTARTS + 1):
            holder = self._free()
            if holder is None:
                words = words or "no actor that holds the judge is left"
                break
            try:
                for number, verdict in _answers(holder, ability, questions, tuple(still)):
                    still.remove(number)
                    arrive((number, verdict))
            except RayTaskError as error:
                if isinstance(error.cause, SightlineError):  # the caller's doing
                    return arrive(error.cause)
                words = f"{type(error.cause).__name__}: {error.cause}"
                break
            except RayError as error:
                words = f"the judge's actor died ({type(error).__name__})"
            finally:
                self.idle.put(holder)
            if not still:
                return None
        for number in still:
            arrive((number, Verdict(error=words or "the judge ended without an answer")))
        return None

    def _free(self) -> Any:
        """An actor that can answer, as soon as there is one; None: they have died for good, or do not come back.

        An actor that is dead or restarting fails at once, so without a look it would be the first to be free.
        """
        import ray
        from ray.exceptions import GetTimeoutError, RayActorError

        waited = 0.0
        while waited < PATIENCE:
            holder = self.idle.get()
            if holder is None:
                self.idle.put(None)  # for those who wait too
                return None
            try:
                ray.get(holder.ready.options(max_task_retries=-1).remote(), timeout=LOOK)
                return holder
            except GetTimeoutError:
                waited += LOOK
                self.idle.put(holder)
            except RayActorError:
                self._lost()
        return None

    def _lost(self) -> None:
        """An actor has died for good."""
        with self.lock:
            self.left -= 1
            if not self.left:
                self.idle.put(None)


def _answers(holder: Any, ability: Ability, questions: Sequence[Question], part: Sequence[int]) -> Iterator[Arrival]:
    import ray

    for reference in holder.answer.remote(ability, [questions[number] for number in part]):
        place, verdict = ray.get(reference)
        yield part[place], verdict


@dataclass(frozen=True)
class DeskJudge:
    """A judge that is asked at its desk.

    Args:
        id: of the judge.
        number: which judge of the expression.
        desk: the actor.
    """

    id: str
    number: int
    desk: Any = field(compare=False, repr=False)

    def generate(self, questions: Sequence[Question]) -> list[Verdict[str]]:
        return self._ask("generate", questions)

    def choose(self, questions: Sequence[Question]) -> list[Verdict[tuple[float, ...]]]:
        return self._ask("choose", questions)

    def loglik(self, questions: Sequence[Question]) -> list[Verdict[tuple[float, ...]]]:
        return self._ask("loglik", questions)

    def embed(self, questions: Sequence[Question]) -> list[Verdict[tuple[float, ...]]]:
        return self._ask("embed", questions)

    def _ask(self, ability: Ability, questions: Sequence[Question]) -> list[Verdict[Any]]:
        import ray
        from ray.exceptions import RayTaskError

        try:
            verdicts: list[Verdict[Any]] = ray.get(self.desk.ask.remote(ability, list(questions)))
        except RayTaskError as error:
            raise error.cause from error
        return verdicts


def holders_needed(judge: Judge, count: int, gpus: float) -> int:
    """How many actors hold a judge: as many as were asked for, else one, and none for a judge behind HTTP.

    Example:
        >>> from sightline.judges import OverlapJudge
        >>> remote = RemoteJudge("http://localhost:8000/v1", "judge-7b")
        >>> [holders_needed(judge, 0, 0.0) for judge in (remote, OverlapJudge())], holders_needed(remote, 4, 0.0)
        ([0, 1], 4)
    """
    return count or int(gpus > 0 or not isinstance(_inner(judge), RemoteJudge))


@contextmanager
def desks(reward: Reward, count: int, gpus: float) -> Iterator[Reward]:
    """The same expression, each judge that waits for answers behind a desk; the actors end with the block.

    Args:
        count, gpus: of holders, see `holders_needed`.
    """
    import ray

    staff: list[Any] = []
    try:
        for number, judge in enumerate(judges_asked(reward)):
            desk = _opened(_placed(judge), holders_needed(judge, count, gpus), gpus, staff)
            reward = with_judge(reward, DeskJudge(judge.id, number, desk), instead_of=judge)
        yield reward
    finally:
        for actor in staff:
            ray.kill(actor)


def _opened(judge: Judge, count: int, gpus: float, staff: list[Any]) -> Any:
    """The desk of a judge; it and its holders join the staff."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    inner, environment = _inner(judge), _environment(judge)
    lanes = LANES if isinstance(inner, RemoteJudge) else 1
    if isinstance(inner, RemoteJudge) and count > 1:  # their requests under way together are those of one
        inner = replace(inner, concurrency=max(1, inner.concurrency // count))
    holder = ray.remote(Holder).options(
        num_cpus=0, num_gpus=gpus, max_restarts=RESTARTS, max_concurrency=lanes, scheduling_strategy="SPREAD"
    )
    holders = [holder.remote(packed(inner), environment) for _ in range(count)]
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    desk = ray.remote(DeskActor).options(
        num_cpus=0,
        max_restarts=RESTARTS,
        max_task_retries=RESTARTS,
        max_concurrency=THREADS,
        scheduling_strategy=here,  # the cache of verdicts is a file of this machine
    )
    staff += holders
    staff.append(desk.remote(packed((judge, holders, lanes)), environment))
    return staff[-1]


def _inner(judge: Judge) -> Judge:
    return judge.judge if isinstance(judge, CachedJudge) else judge


def _placed(judge: Judge) -> Judge:
    """The same judge, its cache at a path that stands on its own."""
    return replace(judge, path=str(Path(judge.path).absolute())) if isinstance(judge, CachedJudge) else judge


def _environment(judge: Judge) -> dict[str, str]:
    """The key of a server, which workers of a cluster do not inherit."""
    name = getattr(_inner(judge), "api_key_env", "")
    return {name: os.environ[name]} if name in os.environ else {}
