"""Motion tags, sightings, cited times: the grammar, and text that tries to break it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.check.hostile import TEXTS
from sightline.core import Missing
from sightline.parse.motion import MotionTags, by_object, free_direction, object_key
from sightline.parse.sightings import Sightings, cited_times, interval, tagged_box

PARSERS = (
    MotionTags(),
    MotionTags(slash=False),
    Sightings(),
    Sightings("keep"),
    cited_times,
    interval,
    tagged_box,
    free_direction,
)
PIECES = (
    "<motion ",
    "/>",
    '"',
    'obj="a"',
    'dir="E" speed="slow" scale="stable"',
    "<obj>",
    "</obj>",
    "<box>[",
    "]</box>",
)
FLOODS = [
    *("<motion " * 40_000, '<motion "' * 40_000, '<motion obj="a" ' * 20_000, "<obj>" * 60_000, "<obj></obj>" * 30_000),
    *("<obj>a</obj>" + "<box>[1,2,3,4]</box>" * 20_000, "<box>[" * 60_000, "<t>" + "1" * 300_000, "<motion>a" * 40_000),
    "<obj>a</obj><box>[1,2,3,4]</box>at<t>1</t>s" * 9_000,
]


@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
@pytest.mark.parametrize("parser", PARSERS, ids=range(len(PARSERS)))
def test_hostile_text_neither_raises_nor_stalls(parser) -> None:
    for text in (*TEXTS, *FLOODS):
        parser(text)


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=20).map("".join))
def test_any_text_is_read(text: str) -> None:
    for parser in PARSERS:
        parser(text)


@given(st.text())
def test_keys_are_stable(name: str) -> None:
    assert object_key(object_key(name)) == object_key(name)


def test_attributes_in_any_order_and_optional_ones() -> None:
    said = '<motion scale="stable" phase="reversing" dir="NW" obj="a > b" shape="curved" speed="slow"/>'
    assert by_object(MotionTags()(said)) == {"a b": ("NW", "slow", "stable", "curved", "reversing")}


@pytest.mark.parametrize("left_out", ["obj", "dir", "speed", "scale"])
def test_a_tag_lacking_an_attribute_is_none(left_out: str) -> None:
    said = '<motion obj="a" dir="E" speed="slow" scale="stable"/>'.replace(f"{left_out}=", "other=")
    assert MotionTags()(said) == []


def test_a_tag_ends_itself() -> None:
    assert MotionTags()('<motion obj="a" dir="E" speed="slow" scale="stable">') == []
    assert MotionTags()('<motion obj="a" dir="E" speed="slow" scale="stable"\n/>')[0].key == "a"


def test_several_boxes_and_times() -> None:
    found = Sightings()("<obj>a</obj><box>[1,2,3,4]</box><box>[5,6,7,8]</box>at<t> 1.5 </t>s")
    assert [(s.boxes, s.seconds) for s in found] == [(((1, 2, 3, 4), (5, 6, 7, 8)), 1.5)]
    assert Sightings()("<obj>a</obj><box>[1,2,3,4]</box>at<t>nan</t>s") == []


@pytest.mark.parametrize(
    ("listed", "breaks"),
    [
        ("[0.1,0.2]", True),
        ("[]", True),
        ("[0,0,1,1]", False),
        ("[5,6]", False),
        ('[0.1,"a"]', True),
        ("[5,null]", False),
    ],
)
def test_what_released_code_breaks_on(listed: str, breaks: bool) -> None:
    (found,) = Sightings("keep")(f"<obj>a</obj><box>{listed}</box>at<t>1</t>s")
    assert found.breaks is breaks


def test_intervals() -> None:
    assert interval("<t>1.</t>s to <t>2</t>s") == (1.0, 2.0)
    assert isinstance(interval("<t>1</t>s  to <t>2</t>s"), Missing)
