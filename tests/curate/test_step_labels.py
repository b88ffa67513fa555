"""Labels of steps from completions behind them."""

from __future__ import annotations

import pytest

from sightline.core.errors import ShapeError
from sightline.curate.step_labels import prefixes, step_labels


def test_prefixes_end_where_steps_end() -> None:
    assert prefixes("add \n\nhalve.\n") == ["add", "add \n\nhalve."]


def test_share_and_any() -> None:
    right = [[1, 0, 0, 1], [0, 0, 1]]
    assert [step.label for step in step_labels("a\nb", right)] == [0.5, 1 / 3]
    assert [step.label for step in step_labels("a\nb", right, "any")] == [1, 1]


def test_a_step_nobody_went_on_from_has_no_label() -> None:
    assert [step.prefix for step in step_labels("a\nb", [[], [1]])] == ["a\nb"]


def test_every_step_needs_a_list() -> None:
    with pytest.raises(ShapeError, match="2 steps and completions behind 1"):
        list(step_labels("a\nb", [[1]]))
