"""Drawings of primitives."""

import numpy as np
import pytest

from sightline.core.primitives import Primitives
from sightline.media.diagrams import drawn


def ink(diagram: Primitives) -> np.ndarray:
    return drawn(diagram)[..., 0] < 128


def test_nothing_is_white() -> None:
    assert not ink(Primitives()).any()


def test_a_point_is_a_dot_of_three_pixels_where_it_belongs() -> None:
    rows, columns = np.nonzero(ink(Primitives(((5.0, -5.0),))))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (111, 113, 335, 337)


def test_a_level_line_is_two_pixels_wide_and_ends_at_its_points() -> None:
    rows, columns = np.nonzero(ink(Primitives(lines=(((-5.0, 0.0), (5.0, 0.0)),))))
    assert len(set(rows.tolist())) == 2
    assert columns.min() == pytest.approx(112, abs=1)
    assert columns.max() == pytest.approx(336, abs=1)


def test_a_circle_has_its_radius_and_is_empty() -> None:
    picture = ink(Primitives(circles=((0.0, 0.0, 5.0),)))
    rows, _ = np.nonzero(picture)
    assert rows.min() == pytest.approx(112, abs=1)
    assert not picture[200:248, 200:248].any()


def test_segments_go_through_all_listed_points() -> None:
    picture = ink(Primitives(lines=(((-5.0, -5.0), (0.0, 5.0), (5.0, -5.0)),)))
    assert picture[330:337, 221:227].any()


@pytest.mark.parametrize(
    "diagram",
    [
        Primitives(((1e6, -1e6),)),
        Primitives(lines=(((-1e6, 0.0), (1e6, 1e6)),)),
        Primitives(circles=((1e6, 0.0, 1e6), (0.0, 0.0, 0.0))),
        Primitives(((0.0, 0.0),) * 5000),
    ],
)
def test_what_lies_outside_does_no_harm(diagram: Primitives) -> None:
    assert drawn(diagram).shape == (448, 448, 3)
