"""How a moving teacher's weight falls."""

from __future__ import annotations

import pytest

from sightline.train.teacher import teacher_weight


def test_it_falls_from_start_to_end_and_stays() -> None:
    weights = [teacher_weight(step, 0.5, 0.1, 10) for step in range(1, 20)]
    assert weights[0] == 0.5
    assert weights[5] == pytest.approx(0.3)
    assert weights[10:] == pytest.approx([0.1] * 9)
    assert weights == sorted(weights, reverse=True)
