"""Stages keep their order, rows inside a stage do not."""

from __future__ import annotations

import pytest

from sightline.core.errors import ConfigError
from sightline.curate.curriculum import easy_first, staged_order

KINDS = ["planning", "TorF1", "Counting1", "Counting2", "TorF2", "Counting3"] * 20


def test_every_row_is_in_its_stage_once() -> None:
    stages = staged_order(KINDS, seed=1)
    assert sorted(row for stage in stages for row in stage) == list(range(len(KINDS)))
    assert [{KINDS[row] for row in stage} for stage in stages] == [
        {"TorF1", "TorF2"},
        {"Counting2", "Counting3"},
        {"Counting1"},
        {"planning"},
    ]
    assert stages != staged_order(KINDS, seed=2)
    assert stages == staged_order(KINDS, seed=1)


def test_unknown_and_double_kinds() -> None:
    with pytest.raises(ConfigError, match="walking"):
        staged_order(["walking"])
    with pytest.raises(ConfigError, match="two stages"):
        staged_order(["a"], [["a"], ["a"]])


def test_few_objects_come_first_and_both_ends_are_kept() -> None:
    assert easy_first([30, 31, 2, 0, 1, 2]) == [4, 2, 5, 0]
    assert easy_first([9, 10, 31], least=10, most=31) == [1, 2]
    assert easy_first([]) == []
