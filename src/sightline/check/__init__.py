"""Promises that every reward keeps, and vectors that every system reproduces."""

from sightline.check.promises import PROMISES, PromiseBroken, keep_promises
from sightline.check.vectors import Result, read, run

__all__ = ["PROMISES", "PromiseBroken", "Result", "keep_promises", "read", "run"]
