"""Real text recognition on real slides and on the lab's forms."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from sightline.lab.worlds.pages import Damage, Papers
from sightline.media.ocr import text_lines
from sightline.metrics.characters import edit_similarity, without_blanks

SHARED = Path(os.environ.get("SIGHTLINE_SHARED_DATA", Path(__file__).parents[2].parent / "shared" / "data"))
pytest.importorskip("rapidocr", reason="needs the extra `ocr`")
pytestmark = pytest.mark.filterwarnings("ignore")


def test_slides_are_read() -> None:
    page = SHARED / "vrag" / "pages" / "slide_1.jpg"
    if not page.exists():
        pytest.skip(f"no shared data at {SHARED}")
    lines = text_lines(page)
    assert any("TRAVEL" in line.text for line in lines)
    assert all(0 <= line.confidence <= 1 and line.box[0] < line.box[2] for line in lines)


def test_undamaged_forms_are_read_character_by_character() -> None:
    row = Papers(Damage(intact=1.0)).rows(1, "neutral", seed=3)[0]
    words = "".join(without_blanks(line.text) for line in text_lines(row["images"][0]))
    texts = [without_blanks(thing["text"]) for thing in row["truth"]["objects"]]
    assert np.mean([text in words for text in texts]) >= 0.8


def test_hidden_characters_are_not_read_but_guessed_or_dropped() -> None:
    row = Papers(Damage(wholly=1.0, partly=0.0, intact=0.0)).rows(1, "neutral", seed=4)[0]
    assert row["clear"].strip() == row["not_clear"] == row["final"].strip() == ""
    words = "".join(without_blanks(line.text) for line in text_lines(row["images"][0]))
    assert edit_similarity(words, without_blanks(row["answer"])) < 1
    assert without_blanks(row["answer"]) not in words


def test_a_blank_page_has_no_lines() -> None:
    assert text_lines(np.full((64, 64, 3), 255, np.uint8)) == []
