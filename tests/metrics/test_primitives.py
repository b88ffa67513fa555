"""Distances of diagrams."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.errors import ShapeError
from sightline.core.primitives import Primitives
from sightline.metrics.primitives import line_distances, line_parameters, match_primitives
from sightline.metrics.softmax_preference import softmax_preference_loss

NUMBER = st.floats(-10, 10, allow_nan=False).map(lambda x: round(x, 2))
PAIR = st.tuples(NUMBER, NUMBER)
GOLD = Primitives(((0.13, 7.67), (0.13, -8.57)), (((0.13, 7.67), (0.13, -8.57)),), ((0.01, -0.46, 7.68),))
SAID = Primitives(((0.14, -8.52), (0.14, 7.62)), (((0.14, -8.52), (0.14, 7.62)),), ((0.04, -0.48, 7.12),))


def test_the_logged_cost_of_the_worked_examples() -> None:
    assert match_primitives(SAID, GOLD).cost == pytest.approx(0.673140, abs=1e-6)
    assert match_primitives(Primitives(), GOLD).cost == 4
    assert match_primitives(Primitives(), GOLD, missed=0.5).cost == 2
    assert match_primitives(GOLD, Primitives(), invented=3.0).cost == 12
    assert match_primitives(Primitives(((10, 1), (1, 0))), Primitives(((0, 0), (10, 0)))).cost == pytest.approx(2)


def test_surplus_of_a_class_on_both_sides_costs_nothing_but_f1() -> None:
    found = match_primitives(Primitives(GOLD.points[:1]), Primitives(GOLD.points))
    assert (found.cost, found.nearness, found.f1) == (0, 1, pytest.approx(2 / 3))


@given(st.lists(PAIR, min_size=2, max_size=6, unique=True))
def test_lines_have_a_unit_normal_the_sign_rule_and_the_least_squares(points: list[tuple[float, float]]) -> None:
    a, b, c = line_parameters(points)
    assert a * a + b * b == pytest.approx(1)
    assert a > 1e-9 or (abs(a) <= 1e-9 and b > 0)
    xy = np.array(points)
    squares = float(((xy @ [a, b] + c) ** 2).sum())
    for angle in np.linspace(0, np.pi, 60):
        normal = np.array([np.cos(angle), np.sin(angle)])
        centred = (xy - xy.mean(0)) @ normal
        assert squares <= float((centred**2).sum()) + 1e-6


@given(PAIR, PAIR)
def test_direction_and_length_of_a_segment_do_not_count(one: tuple[float, float], other: tuple[float, float]) -> None:
    if np.linalg.norm(np.subtract(one, other)) < 0.1:
        return
    further = tuple((3 * np.subtract(other, one) + one).tolist())
    first, second = (np.array([line_parameters(p)]) for p in ((one, other), (further, one)))
    assert line_distances(first, second)[0, 0] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("points", [[], [(1, 1)], [(1, 1), (1, 1)], [(1, 2, 3), (4, 5, 6)]])
def test_no_line(points: list[tuple[float, ...]]) -> None:
    with pytest.raises(ShapeError):
        line_parameters(points)


@given(st.lists(PAIR, max_size=5), st.lists(PAIR, max_size=5))
def test_matching_is_fair_to_both_sides(one: list[tuple[float, float]], other: list[tuple[float, float]]) -> None:
    there, back = (
        match_primitives(Primitives(tuple(a)), Primitives(tuple(b))) for a, b in ((one, other), (other, one))
    )
    assert there.cost == pytest.approx(back.cost)
    assert there.f1 == pytest.approx(back.f1)
    assert 0 <= there.nearness <= 1


def test_thousands_of_primitives_are_matched_in_part() -> None:
    found = match_primitives(Primitives(((0.0, 0.0),) * 5000), GOLD)
    assert (found.predicted, len(found.distances)) == (5000, 2)


@pytest.mark.parametrize("kind", ["points", "lines", "circles"])
def test_every_primitive_of_a_class_that_one_side_lacks_has_its_price(kind: str) -> None:
    one = {"points": (0.0, 0.0), "lines": ((0.0, 0.0), (1.0, 1.0)), "circles": (0.0, 0.0, 1.0)}[kind]
    many = Primitives(**{kind: (one,) * 300})
    assert match_primitives(many, Primitives()).cost == 300
    assert match_primitives(Primitives(), many, missed=0.5).cost == 150


def test_a_wrong_text_that_scores_higher_costs_most() -> None:
    losses = [softmax_preference_loss(0.0, [s, -1.0]) for s in (-2.0, 0.0, 3.0)]
    assert losses == sorted(losses)
    with pytest.raises(ShapeError):
        softmax_preference_loss(0.0, [])
