"""Crops as a set: what is shown, how much is covered, which are spare."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import sightline
from sightline.check import PROMISES
from sightline.core.batch import Batch
from sightline.core.errors import CompositionError
from sightline.core.missing import Missing
from sightline.judges.judge import Question, Verdict
from sightline.parse.crop_calls import CropCalls
from sightline.rewards.crop_sets import CroppedParts, UncroppedShare
from sightline.rewards.each_crop import NoneSpare, ReliableCrops
from sightline.rewards.look import Look, NoPictures

SYSTEM = sightline.load("sccm")


def call(*box: float, name: str = "image_zoom_in_tool") -> str:
    return f"<tool_call>{json.dumps({'name': name, 'arguments': {'bbox_2d': list(box)}})}</tool_call>"


def picture() -> Image.Image:
    """Left half red, right half blue."""
    pixels = np.zeros((40, 40, 3), np.uint8)
    pixels[:, :20, 0] = pixels[:, 20:, 2] = 255
    return Image.fromarray(pixels)


@dataclass(frozen=True)
class SeesBoth:
    """Says both colours if the pictures show red and blue, else unknown; `yes` where red is shown."""

    one_word: bool = False

    @property
    def id(self) -> str:
        return "sees both"

    def generate(self, questions: Sequence[Question]) -> list[Verdict[str]]:
        return [Verdict(self._said(question)) for question in questions]

    def _said(self, question: Question) -> str:
        seen = np.concatenate([np.asarray(one).reshape(-1, 3) for one in question.images] or [np.zeros((1, 3))])
        red, blue = seen[:, 0].max() > 200, seen[:, 2].max() > 200
        return (
            ("yes" if red else "no") if self.one_word else f"<answer>{'both' if red and blue else 'unknown'}</answer>"
        )


def batch(*texts: str) -> Batch:
    rows = len(texts)
    return Batch(list(texts), {"question": ["?"] * rows, "answer": ["both"] * rows, "images": [[picture()]] * rows})


RED, BLUE = call(0, 0, 10, 10), call(30, 0, 40, 10)


def test_leaving_one_out() -> None:
    counted = SYSTEM.with_judge(SeesBoth()).extra("count_minimality")
    found = counted(batch(RED + BLUE, RED + BLUE + RED, call(0, 0, 40, 40), RED, "none", RED + BLUE + call(5, 5, 5, 5)))
    # red and blue are both needed; a second red is spare; one crop of all; red does not suffice; none; an empty crop
    np.testing.assert_allclose(found.values, [0.5, 0, 0.5, 0, 0, 0])
    assert "can be left out" in found.why[1]


def test_a_reader_that_fails_leaves_it_open() -> None:
    @dataclass(frozen=True)
    class Down:
        id: str = "down"

        def generate(self, questions: Sequence[Question]) -> list[Verdict[str]]:
            return [Verdict(error="503")] * len(questions)

    look = Look("?", (), CroppedParts())
    scores = NoneSpare(Down(), look)(batch(RED + BLUE, RED))
    assert np.isnan(scores.values[0])
    assert "503" in scores.why[0]
    assert scores.values[1] == 1.0


def test_reliability_is_of_all_crops_or_their_share() -> None:
    look = Look("?", (), CroppedParts())
    texts = (RED, RED + BLUE, BLUE, "none", RED + call(3, 3, 3, 9))
    np.testing.assert_allclose(ReliableCrops(SeesBoth(one_word=True), look)(batch(*texts)).values, [1, 0, 0, 0, 0])
    share = ReliableCrops(SeesBoth(one_word=True), look, mean=True)(batch(*texts)).values
    np.testing.assert_allclose(share, [1, 0.5, 0, 0, 0.5])


def test_looks_need_crops() -> None:
    with pytest.raises(CompositionError, match="CroppedParts"):
        NoneSpare(SeesBoth(), Look("?", (), NoPictures()))(batch(RED + BLUE))


@pytest.mark.parametrize("name", ["", *SYSTEM.extras])
def test_promises_hold_with_a_reader(name: str) -> None:
    system = SYSTEM.with_judge(SeesBoth(one_word=name == "reliability"))
    for promise in PROMISES:
        promise(system.extra(name) if name else system.reward, SYSTEM.specimen)


BOXES = st.lists(st.tuples(*[st.integers(-30, 70)] * 4), min_size=1, max_size=6)


@settings(max_examples=60)
@given(BOXES)
def test_share_is_that_of_painted_pixels(boxes: list[tuple[int, int, int, int]]) -> None:
    painted = np.zeros((40, 40), bool)
    for x1, y1, x2, y2 in boxes:
        left, right, top, bottom = *sorted((x1, x2)), *sorted((y1, y2))
        painted[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = True
    value = UncroppedShare()(batch("".join(call(*box) for box in boxes))).values[0]
    assert value == pytest.approx(1 - painted.mean() if painted.any() else 0.0)


@settings(max_examples=40)
@given(BOXES)
def test_a_repeat_changes_nothing(boxes: list[tuple[int, int, int, int]]) -> None:
    text = "".join(call(*box) for box in boxes)
    values = UncroppedShare()(batch(text, text + call(*boxes[0]))).values
    assert values[0] == pytest.approx(values[1])


def test_frames_are_named_not_guessed() -> None:
    text = call(0, 0, 0.5, 1)
    assert UncroppedShare(CropCalls("unit"))(batch(text)).values[0] == pytest.approx(0.5)
    assert UncroppedShare(CropCalls("pixel"))(batch(text)).values[0] == pytest.approx(1 - 0.5 / 1600)
    assert UncroppedShare(CropCalls("thousand"))(batch(call(0, 0, 500, 500))).values[0] == pytest.approx(0.75)


def test_pictures_may_stand_in_an_array_of_objects() -> None:
    several = np.empty(1, dtype=object)
    several[0] = picture()
    given = Batch([RED], {"question": ["?"], "answer": ["both"], "images": [several]})
    assert UncroppedShare()(given).values[0] == pytest.approx(1 - 100 / 1600)


def test_shown_parts_are_cut_at_the_edge_and_keep_their_order() -> None:
    shown = CroppedParts().shown(batch(call(-5, -5, 10, 20) + call(60, 0, 70, 9) + BLUE), 0)
    assert not isinstance(shown, Missing)
    assert [part.size for part in shown] == [(10, 20), (10, 10)]
    assert isinstance(CroppedParts(most=1).shown(batch(RED + BLUE), 0), Missing)
    lone = CroppedParts(only=1).shown(batch(RED + BLUE), 0)
    assert not isinstance(lone, Missing)
    assert np.asarray(lone[0])[0, 0].tolist() == [0, 0, 255]


@pytest.mark.parametrize(
    "text",
    [
        "<tool_call>[1, 2, 3, 4]</tool_call>",
        call(1, 2, 3),
        call(1, 2, 3, 4, name="other"),
        '<tool_call>{"name": "image_zoom_in_tool", "arguments": "bbox_2d"}</tool_call>',
        '<tool_call>{"name": "image_zoom_in_tool", "arguments": {"bbox_2d": [1, 2, 3, NaN]}}</tool_call>',
        '<tool_call>{"name": "image_zoom_in_tool", "arguments": {"bbox_2d": [1, 2, 3, true]}}</tool_call>',
        '{"name": "image_zoom_in_tool", "arguments": {"bbox_2d": [1, 2, 3, 4]}}',
    ],
)
def test_what_is_no_crop(text: str) -> None:
    assert isinstance(CropCalls()(text), Missing)


def test_swapped_corners_are_sorted_only_if_asked() -> None:
    found = CropCalls(sort=False)(call(9, 8, 1, 2))
    assert not isinstance(found, Missing)
    assert found.xyxy.tolist() == [[9, 8, 1, 2]]
