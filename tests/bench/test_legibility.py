"""The report on degraded pages."""

from __future__ import annotations

import math

import pytest

from sightline.bench.legibility import legibility_report
from sightline.core.errors import ShapeError


def test_missing_fields_count_as_empty() -> None:
    right = [{"clear": "ab", "not_clear": "", "final": "ab"}]
    report = legibility_report([{"clear": None, "final": ["ab"]}], right)
    assert (report["clear"]["similarity"], report["not_clear"]["similarity"], report["invented"]) == (0.0, 1.0, 0.0)
    assert report["not_clear"]["empty"] == 1
    assert report["average"] == pytest.approx(1 / 3)


def test_no_samples_and_unequal_samples() -> None:
    assert math.isnan(legibility_report([], [])["average"])
    with pytest.raises(ShapeError, match="1 answers for 0 references"):
        legibility_report([{}], [])
