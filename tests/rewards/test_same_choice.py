"""Comparing stated choices."""

from __future__ import annotations

import pytest

from sightline.core.batch import Batch
from sightline.core.missing import Missing
from sightline.rewards.answers import Answer
from sightline.rewards.same_choice import SameChoice


@pytest.mark.parametrize(("said", "right", "value"), [("1", "1", 1.0), ('{"choice": 2}', "2", 1.0), ("2", "1", 0.0)])
def test_choices_are_compared_as_options(said: str, right: str, value: float) -> None:
    assert SameChoice()(said, right) == value


def test_no_choice_earns_nothing_with_the_reason() -> None:
    assert isinstance(SameChoice()("1 or 2", "1"), Missing)
    scores = Answer(SameChoice(), column="choice")(Batch(["<answer>1 or 2</answer>"], {"choice": [1]}))
    assert scores.values.tolist() == [0.0]
    assert scores.why[0]
