"""Labelled steps against the marks of a step reward."""

from __future__ import annotations

import pytest

import sightline
from sightline.bench.step_verification import verification
from sightline.core.errors import ColumnError

STEPS = {"steps": ["I read AB", "8 + 8 = 16", "so"], "premises": ["AB is 8", None, None]}


def test_gating_lowers_false_positives() -> None:
    response = {**STEPS, "process_correctness": [-1, 1, 0]}
    record = {"question": "2 AB?", "image": "ab.png", "constraints": "AB is 7; BC is 3", "response": response}
    system = sightline.load("evpv-prm")
    gated = verification([record], system.reward, above=0.6)
    ungated = verification([record], system.extra("selection", "official"), above=0.6)
    assert (gated.macro, gated.steps) == (1.0, 2)
    assert ungated.macro == pytest.approx(1 / 3)


def test_labels_and_steps_are_as_many() -> None:
    with pytest.raises(ColumnError, match="record 0"):
        verification(
            [{"question": "?", "response": {"steps": ["a"], "process_correctness": []}}],
            sightline.load("evpv-prm").reward,
        )
