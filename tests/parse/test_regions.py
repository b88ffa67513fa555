"""Regions with uncertainties, and replies of readable blocks."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.missing import Missing
from sightline.parse.boxes import Detections, FoundBoxes
from sightline.parse.regions import MOST_REGIONS, ReadableBlocks, Regions
from sightline.parse.tags import Block, FullMatch, Inside


@pytest.mark.parametrize(
    ("stated", "read"), [(0, 0.0), (0.5, 0.5), (1, 1.0), (1.1, None), (-0.1, None), ("0.5", None), (True, None)]
)
def test_uncertainties_lie_in_0_to_1(stated: Any, read: float | None) -> None:
    found = Regions()(json.dumps([{"bbox_2d": [1, 2, 3, 4], "uncertainty": stated}]))
    assert isinstance(found, FoundBoxes)
    assert np.isnan(found.scores[0]) if read is None else found.scores[0] == read


def test_regions_beyond_the_limit_are_counted() -> None:
    found = Regions()(json.dumps([{"bbox_2d": [1, 2, 3, 4]}] * 1000))
    assert isinstance(found, FoundBoxes)
    assert (found.count, len(found.xyxy), len(found.scores)) == (1000, MOST_REGIONS, MOST_REGIONS)


@given(st.text(alphabet='[]{}",:1 bbox_2dlook<>/answer\n', max_size=80))
def test_nothing_raises(text: str) -> None:
    Regions()(text)
    form = ReadableBlocks(FullMatch(("look", "answer")), (Inside(Block("answer"), Detections(bad_item="fail")),))
    found = form(text)
    assert isinstance(found, Missing) or isinstance(found[0], FoundBoxes)
