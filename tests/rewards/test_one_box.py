"""Single boxes: scaling, gold values, sizes."""

from __future__ import annotations

import numpy as np
import pytest

from sightline.core import Batch
from sightline.core.errors import ColumnError
from sightline.rewards.one_box import GeneralisedFit, ReferredBox

SAID = "<answer>[20, 20, 100, 100]</answer>"


def refer(gold: object = (10, 10, 50, 50), image: object = (100, 100), model: object = (200, 200)) -> float:
    columns = {"solution": [gold], "image_size": [image], "model_size": [model]}
    return float(ReferredBox()(Batch([SAID], columns)).values[0])


@pytest.mark.parametrize("sizes", [((100, 100), (200, 200)), ([100, 100], [200.0, 200]), (np.array([50, 50]),) * 2])
def test_sizes_as_tuples_lists_and_arrays(sizes: tuple[object, object]) -> None:
    half = not isinstance(sizes[0], np.ndarray)
    assert refer([10, 10, 50, 50] if half else [20, 20, 100, 100], *sizes) == 1.0


def test_sides_are_scaled_on_their_own() -> None:
    assert refer([10, 5, 50, 25], (100, 50)) == 1.0


@pytest.mark.parametrize(
    "gold",
    [[10, 10, 50, 50], (10.0, 10, 50, 50), np.array([10, 10, 50, 50]), "[10, 10, 50, 50]", "(10,10),(50,50)"],
    ids=repr,
)
def test_gold_boxes_of_any_shape(gold: object) -> None:
    assert refer(gold) == 1.0


@pytest.mark.parametrize("gold", ["a cat", [1, 2, 3], [1, 2, 3, "x"], [[1, 2, 3, 4]], None, 7, [1, 2, 3, float("nan")]])
def test_unreadable_gold_is_refused(gold: object) -> None:
    with pytest.raises(ColumnError, match=r"ReferredBox: column `solution` of row 0 is .*; it needs a box"):
        refer(gold)


@pytest.mark.parametrize("size", [(100,), (0, 100), (100, -1), "100x100", None, ("a", "b"), (float("inf"), 1)])
def test_unusable_sizes_are_refused(size: object) -> None:
    with pytest.raises(ColumnError, match=r"`image_size` of row 0 is .*; it needs \(width, height\) in pixels"):
        refer(image=size)


def test_one_size_column_without_the_other_is_refused() -> None:
    with pytest.raises(ColumnError, match="ReferredBox reads column `model_size`"):
        ReferredBox()(Batch([SAID], {"solution": [[1, 1, 2, 2]], "image_size": [(1, 1)]}))


def test_a_row_without_sizes_is_in_one_frame_alone_as_in_company() -> None:
    columns = {"solution": [[20, 20, 100, 100], [10, 10, 50, 50]], "image_size": [None, (1, 1)]}
    columns["model_size"] = [None, (2, 2)]
    assert ReferredBox()(Batch([SAID, SAID], columns)).values.tolist() == [1.0, 1.0]
    assert ReferredBox()(Batch([SAID], {"solution": [[20, 20, 100, 100]]})).values.tolist() == [1.0]


def test_the_mark_is_the_scaled_box() -> None:
    columns = {"solution": [[10, 10, 50, 50]], "image_size": [(100, 100)], "model_size": [(200, 200)]}
    ((mark,),) = ReferredBox()(Batch([SAID], columns)).marks
    assert mark.place == (10.0, 10.0, 50.0, 50.0)
    assert mark.value == 1.0


def test_grounding_values_and_reasons() -> None:
    texts = ["(0,0),(10,10)", "(10,10),(0,0)", "nowhere"]
    scores = GeneralisedFit()(Batch([f"<answer>{t}</answer>" for t in texts], {"solution": ["(0,0),(10,10)"] * 3}))
    assert scores.values.tolist() == [2.0, 0.0, 0.0]
    assert scores.why[2] == "no (int,int),(int,int)"
    assert [len(marks) for marks in scores.marks] == [1, 1, 0]
