"""A reward behind HTTP: the server with its limits, and the client that is a reward for TRL and verl."""

from sightline.serve.client import RemoteReward, compute_score
from sightline.serve.engines import Engine, Processes, Threads
from sightline.serve.limits import Limits
from sightline.serve.replicas import Replicas
from sightline.serve.server import Address, serve
from sightline.serve.service import Service

__all__ = [
    "Address",
    "Engine",
    "Limits",
    "Processes",
    "RemoteReward",
    "Replicas",
    "Service",
    "Threads",
    "compute_score",
    "serve",
]
