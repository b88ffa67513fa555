"""Replies made of pieces of a system's own grammar, in any order: nothing raises, every number stays in its range.

What such a reply may cost is measured by benchmarks/hostile.py.
"""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sightline
from sightline.core.batch import Batch

PIECES = re.compile(r"</?\w[^<>]{0,40}>|\\?\w+|\s+|[^\w\s]")
ODDITIES = [
    "1e999",
    "NaN",
    "-1",
    "9" * 400,
    "\x00",
    "\u202e",
    "\ud800",
    "[9, 9, 1, 1]",
    "```json",
    "\\boxed{",
    "²",
    "[" * 40,
]


def pieces(rows) -> list[str]:
    """Everything that the replies of a specimen are made of, and what no reply should be made of."""
    texts = Batch.from_rows(rows).texts
    return [*dict.fromkeys(PIECES.findall(" ".join(texts))), *texts, *ODDITIES]


@pytest.mark.parametrize("variant", ["strict", "official"])
@pytest.mark.parametrize("slug", sightline.names())
def test_no_reply_raises_or_leaves_its_range(slug: str, variant: str) -> None:
    system = sightline.load(slug)
    reward, rows = system.variant(variant), [dict(row) for row in system.specimen]
    low, high = reward.bounds()
    soup = st.lists(st.sampled_from(pieces(rows)) | st.text(max_size=3), max_size=40).map("".join)

    @settings(max_examples=25, deadline=None, database=None)
    @given(st.lists(soup, min_size=len(rows), max_size=len(rows)))
    def holds(texts: list[str]) -> None:
        scores = reward(Batch.from_rows([{**row, "completion": text} for row, text in zip(rows, texts, strict=True)]))
        known = scores.values[~np.isnan(scores.values)]
        assert ((known >= low - 1e-9) & (known <= high + 1e-9)).all(), (texts, scores.values)
        assert all(scores.why[i] for i in np.flatnonzero(np.isnan(scores.values)))

    holds()
