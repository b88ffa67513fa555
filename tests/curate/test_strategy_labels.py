"""Labels from samples, and how often strategies are used."""

from __future__ import annotations

from sightline.curate.strategy_labels import strategy_label, strategy_usage


def test_ties_go_to_code_only_with_good_tables() -> None:
    assert strategy_label([1, 1], [1, 1], [0.81, 0.80]) == "CODE"
    assert strategy_label([1, 1], [1, 1], [0.8, 0.8]) == "DIRECT"
    assert strategy_label([0], [0], []) == "DIRECT"


def test_usage_by_data_set() -> None:
    usage = strategy_usage(["<CODE>", "<DIRECT> <CODE>", "", "<CODE>"], ["a", "a", "a", "b"])
    assert usage == {"a": {"CODE": 1 / 3, "DIRECT": 1 / 3, "none": 1 / 3}, "b": {"CODE": 1.0}}
