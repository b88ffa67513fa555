"""Lists of labelled boxes without tags: fences, remains of cut lists, what is left out."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.missing import Missing
from sightline.parse.boxes import FoundBoxes
from sightline.parse.whole_items import WholeItems, box_list, loads_with_fours

CAT = '{"bbox_2d": [1, 2, 3, 4], "label": "cat"}'


def count(text: str) -> int:
    found = WholeItems()(text)
    return found.count if isinstance(found, FoundBoxes) else -1


@pytest.mark.parametrize(
    ("text", "boxes"),
    [
        (f"[{CAT}]", 1),
        (f"```json\n[{CAT}]\n```", 1),
        (f"```json \r\n[{CAT}]", 1),
        (f"```json[{CAT}]```", 1),  # no fence line: found as an item of the raw text
        (f"[{CAT}, {CAT[:30]}", 1),
        (CAT, 1),  # JSON, but not a list
        (f"[{CAT}".replace('"cat"', '""'), -1),  # released code needs a letter
        ("[" + CAT.replace(": ", ":") + "]\n```\nDone.", 1),  # a closing fence alone ends what is read
        ("[]", 0),
        ("5", -1),
        ("", -1),
        ("[" + CAT.replace("3, 4", "3, 1001") + "]", 1),  # JSON knows no bound
        ("[" + CAT.replace("3, 4", "3, 1001") + ", ", -1),  # the remains do
        (f"[{CAT.replace('1, 2', '-1, 2')}", -1),
        ('[{"bbox_2d": [1, 2, 3, 4]}]', 1),
        ('[{"bbox_2d": ["1", "2", "3", "4"], "label": "cat"}]', 0),
        ('[{"bbox_2d": [1.2, 2, 1.9, 4], "label": "cat"}]', 0),  # no width once truncated
        ('[{"bbox_2d": [NaN, 2, 3, 4], "label": "cat"}]', 0),
        ('[{"bbox_2d": [true, false, true, true], "label": "cat"}]', 0),
    ],
)
def test_usable_items(text: str, boxes: int) -> None:
    assert count(text) == boxes


@given(st.lists(st.tuples(*[st.integers(0, 1000)] * 4), max_size=6), st.integers(0, 30))
def test_a_cut_list_keeps_its_whole_items(boxes: list[tuple[int, ...]], cut: int) -> None:
    items = [json.dumps({"bbox_2d": list(box), "label": "cat"}) for box in boxes]
    usable = sum(box[0] < box[2] and box[1] < box[3] for box in boxes)
    text = "[" + ", ".join([*items, CAT[:cut]])
    assert max(0, count(text)) == usable


@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
@pytest.mark.parametrize("text", ['{"bbox_2d": [1, 2, 3, 4], "label": "' * 20_000, f"[{', '.join([CAT] * 20_000)}, "])
def test_floods_take_their_length(text: str) -> None:
    WholeItems()(text)


@given(st.text(alphabet='[]{}",:1 bbox_2dlabel\n`', max_size=80))
def test_nothing_raises(text: str) -> None:
    for parser in (WholeItems(), box_list, loads_with_fours):
        parser(text)


def test_the_form_of_released_code_passes_what_the_strict_one_does_not() -> None:
    for text in ("[1, 2]", "{}", '[{"bbox_2d": [4, 3, 2, 1], "label": "cat"}]', '[{"bbox_2d": [1, 2]}]'):
        assert not isinstance(loads_with_fours(text), Missing)
        assert isinstance(box_list(text), Missing)


@pytest.mark.parametrize(
    ("text", "formed"),
    [
        (f"```json\n[{CAT}]\n```", True),
        (f"```json\n[{CAT}]", True),
        (f"[{CAT}]\n```", True),
        (f"[{CAT}] ```", False),
        (f"```json\n[{CAT}]\n```\nDone.", False),
        (f"Here:\n```json\n[{CAT}]\n```", False),
        (f"```\n[{CAT}]\n```", False),
    ],
)
def test_the_form_allows_a_fence_and_nothing_else(text: str, formed: bool) -> None:
    for parser in (box_list, loads_with_fours):
        assert (not isinstance(parser(text), Missing)) == formed
    assert count(text) == 1  # boxes are read all the same
