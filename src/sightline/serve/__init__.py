"""A reward behind HTTP: the server with its limits, and the client that is a reward for TRL and verl."""

from sightline.serve.client import RemoteReward, compute_score
from sightline.serve.limits import Limits
from sightline.serve.server import Address, serve
from sightline.serve.service import Service

__all__ = ["Address", "Limits", "RemoteReward", "Service", "compute_score", "serve"]
