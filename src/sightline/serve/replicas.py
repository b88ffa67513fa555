"""Replicas in a Ray cluster as the engine of a server (extra `ray`).

The server's own process keeps what HTTP needs: queue, limits, keys, tokens, metrics. Ray Serve places the replicas,
replaces those that die and changes their number by load; its own proxies stay off. A cluster that is started here has
all its ports on loopback and asks for a secret token of its own; no usage is reported.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import sys
import time
import uuid
from pathlib import Path
from typing import Any

from sightline.core.errors import ConfigError, MissingExtra
from sightline.media.reach import Reach, confined
from sightline.serve.engines import Threads, stuck
from sightline.serve.refusal import Refusal
from sightline.serve.service import Answer, Service, Task

log = logging.getLogger("sightline.serve")
REACHED = 20.0  # seconds within which the head of a cluster answers
ALONE = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_MODE": "token"}  # the first: one machine, so loopback
PATIENT = {"RAY_SERVE_QUEUE_LENGTH_RESPONSE_DEADLINE_S": "1"}
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_enable_metrics_collection": "0"}


class Replicas:
    """An engine of Ray Serve replicas; made, they are ready.

    Args:
        service: what is served; it must pickle, and its modules must be there on all machines.
        fewest, most: how many replicas; where they differ, Ray chooses by load.
        threads: requests that a replica scores at once.
        cpus, gpus: of one replica, for placing it; a share of a GPU where several judges fit on one.
        address: of a running cluster; empty: that of $RAY_ADDRESS, or else one is started on this machine and ended
            with the engine.

    Raises:
        ConfigError: more is asked for than this machine has, there is no cluster at the address, or the replicas
            cannot load the service.
        MissingExtra: Ray is not installed.
    """

    def __init__(
        self,
        service: Service,
        fewest: int = 1,
        most: int = 1,
        threads: int = 1,
        cpus: float = 1.0,
        gpus: float = 0.0,
        address: str = "",
    ) -> None:
        if not 1 <= fewest <= most:
            raise ConfigError(f"replicas {fewest}:{most}: needs at least one, and the fewest first")
        address = address or os.environ.get("RAY_ADDRESS", "")
        address = "" if address == "local" else address
        _reached(address)
        self._ray, self._serve = _ray(not address)
        self.places, self._own = most * threads, not address
        self._name, self._since = f"sightline-{uuid.uuid4().hex[:8]}", dict[object, float]()
        paths = os.pathsep.join(filter(None, (str(Path.cwd()), os.environ.get("PYTHONPATH"))))  # for a reward's module
        told: dict[str, Any] = {"include_dashboard": False} if self._own else {}
        self._ray.init(address or "local", runtime_env={"env_vars": {"PYTHONPATH": paths}}, **told)
        try:
            self._enough(fewest * cpus, fewest * gpus)
            self._serve.start(proxy_location="Disabled")
            self._handle = self._placed(service, fewest, most, threads, {"num_cpus": cpus, "num_gpus": gpus})
        except BaseException:
            self.close()
            raise

    def _enough(self, cpus: float, gpus: float) -> None:
        has = self._ray.cluster_resources()
        for name, needed in (("CPU", cpus), ("GPU", gpus)):
            if self._own and needed > has.get(name, 0):
                raise ConfigError(f"the replicas need {needed:g} {name}; this machine has {has.get(name, 0):g}")

    def _placed(self, service: Service, fewest: int, most: int, threads: int, each: dict[str, float]) -> Any:
        by_load = {"min_replicas": fewest, "max_replicas": most, "target_ongoing_requests": 2 * threads}
        count: dict[str, Any] = {"num_replicas": fewest} if fewest == most else {"autoscaling_config": by_load}
        deployment = self._serve.deployment(
            Replica,
            name="reward",
            max_ongoing_requests=service.limits.waiting,  # they queue at the replicas; the desk bounds them
            ray_actor_options=each,
            logging_config={"enable_access_log": False, "log_level": "WARNING"},
            **count,
        )
        bound = deployment.bind(service, threads, alone=self._own)
        try:
            return self._serve.run(bound, name=self._name, route_prefix=None)
        except RuntimeError as error:
            raise ConfigError(f"the replicas could not load the reward; their words stand above ({error})") from error

    async def answer(self, task: Task) -> Answer | Refusal:
        mine = object()
        self._since[mine] = time.monotonic()
        try:
            answer: Answer | Refusal = await self._handle.answer.remote(task)
            return answer
        except (self._ray.exceptions.RayError, self._serve.exceptions.RayServeException) as error:
            log.error("a replica failed: %s: %s", type(error).__name__, str(error)[:500])
            return Refusal(503, "scorer_died", "the replica that scored this died", retry_after=2)
        finally:
            del self._since[mine]

    @property
    def busy(self) -> int:
        return len(self._since)

    def seconds_stuck(self) -> float:
        return stuck(self._since.values(), self.places)

    def close(self) -> None:
        if self._own:
            self._serve.shutdown()
        elif self._ray.is_initialized():
            self._serve.delete(self._name)
        self._ray.shutdown()


class Replica:
    """What runs in a replica. Ray replaces it where it is hung."""

    def __init__(self, service: Service, threads: int, alone: bool) -> None:
        if alone:
            _stay_on_loopback()
        self._confined = confined(Reach(service.root))
        self._confined.__enter__()
        self._threads, self._hung_seconds = Threads(service, threads), service.limits.hung_seconds

    async def answer(self, task: Task) -> Answer | Refusal:
        return await self._threads.answer(task)

    async def check_health(self) -> None:
        seconds = self._threads.seconds_stuck()
        if seconds > self._hung_seconds:
            raise RuntimeError(f"hung for {seconds:.0f} s")


def _reached(address: str) -> None:
    """Raise a `ConfigError` where nobody listens: Ray itself would try for minutes."""
    host, colon, port = address.rpartition(":")
    try:
        if colon:
            socket.create_connection((host.strip("[]"), int(port)), REACHED).close()
    except (OSError, ValueError) as error:
        raise ConfigError(f"no Ray cluster at `{address}`: {error}") from error


def _stay_on_loopback() -> None:
    """Ray Serve (2.60) opens a port of each replica on all addresses and has no setting for it."""
    from ray.serve._private import replica

    opened = replica.add_port_to_grpc_server
    replica.add_port_to_grpc_server = lambda server, address: opened(server, address.replace("[::]", "127.0.0.1"))


def _ray(alone: bool) -> tuple[Any, Any]:
    """Ray and Ray Serve, told how to behave before they are imported."""
    settings = {**PATIENT, **QUIET, **(ALONE if alone else {})}
    if alone and "RAY_AUTH_MODE" not in os.environ:
        settings["RAY_AUTH_TOKEN"] = secrets.token_hex(16)
    if "ray" in sys.modules and any(name not in os.environ for name in settings):
        log.warning("Ray was imported before: its own settings hold, its ports may be open to other machines")
    for name, value in settings.items():
        os.environ.setdefault(name, value)
    try:
        import ray
        from ray import serve
    except ImportError as error:
        raise MissingExtra.of("serving with Ray", "ray") from error
    logging.getLogger("ray.serve").setLevel(logging.ERROR)
    return ray, serve
