"""Promises that every reward keeps, attacks that none should pay, and vectors that every system reproduces."""

from sightline.check.attacks import ATTACKS, Attack
from sightline.check.audits import Audit, Finding, audit
from sightline.check.promises import PROMISES, PromiseBroken, keep_promises
from sightline.check.replies import Case
from sightline.check.soundness import Check, soundness
from sightline.check.vectors import Result, read, run

__all__ = [
    "ATTACKS",
    "PROMISES",
    "Attack",
    "Audit",
    "Case",
    "Check",
    "Finding",
    "PromiseBroken",
    "Result",
    "audit",
    "keep_promises",
    "read",
    "run",
    "soundness",
]
