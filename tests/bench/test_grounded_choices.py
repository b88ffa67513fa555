"""The public scorer's rules for questions with boxes."""

from __future__ import annotations

import pytest

from sightline.bench.grounded_choices import grounded_choices
from sightline.core.errors import ShapeError


def test_categories_and_boxes() -> None:
    outputs = ["<answer>(a)</answer><box>[0,0,4,4]</box><box>[0,0,4,4]</box>", "<answer>B</answer>", "B because"]
    report = grounded_choices(outputs, ["A", "B", "B"], [[[0, 0, 4, 4], [8, 8, 9, 9]], [], []], ["x", "x", "y"])
    assert report.overall == pytest.approx(2 / 3)
    assert report.by_category == {"x": 1.0, "y": 0.0}
    assert report.mean_iou == pytest.approx(0.5 / 3)


@pytest.mark.parametrize(
    ("answers", "targets"), [(["A", "B"], [[]]), (["A"], [[[4, 4, 0, 0]]])], ids=["lengths", "corners"]
)
def test_faulty_data_is_refused(answers: list[str], targets: list[list[list[int]]]) -> None:
    with pytest.raises(ShapeError, match="grounded_choices"):
        grounded_choices(["A"], answers, targets, ["x"])
