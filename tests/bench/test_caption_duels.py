"""Pairs of pictures for a caption: orders drawn by chance are turned back, failures are asked again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.bench.caption_duels import caption_duels, preference
from sightline.core.errors import ColumnError
from sightline.core.missing import Missing
from sightline.judges import Question, Verdict
from sightline.metrics.preferences import chi_square, duels, position_bias, winner

ROWS = [{"caption": f"c{n}", "image_a": f"good{n}.png", "image_b": f"bad{n}.png"} for n in range(40)]


@dataclass(frozen=True)
class Taste:
    """Prefers good pictures, or the first place; stammers at first where told to."""

    first: bool = False
    stammers: int = 0
    asked: list[int] = field(default_factory=list)

    @property
    def id(self) -> str:
        return "taste"

    def generate(self, questions: Sequence[Question]) -> list[Verdict[Any]]:
        self.asked.append(len(questions))
        return [self._say(question) for question in questions]

    def _say(self, question: Question) -> Verdict[Any]:
        number = int(str(question.field("caption"))[1:])
        if number % 2 and question.sampling.seed < self.stammers:
            return Verdict('{"preference": "image_a"} or {"preference": "image_b"}')
        place = "image_a" if self.first or question.images[0].startswith("good") else "image_b"
        return Verdict(json.dumps({"reasoning": "", "preference": place}))


def test_the_better_side_wins_in_every_order() -> None:
    found = caption_duels(ROWS, Taste(), seed=1)
    assert found["duels"] == {"wins": 40, "losses": 0, "ties": 0, "valid": 40, "net": 1.0}
    assert 0 < sum(found["swapped"]) < 40
    assert found["bias"]["label"] == "none"


def test_a_taste_for_the_first_place_is_found_out() -> None:
    found = caption_duels(ROWS, Taste(first=True), seed=1)
    assert found["bias"]["label"] == "significant"
    assert found["duels"]["wins"] == 40 - sum(found["swapped"])


def test_unreadable_judgements_are_asked_again_with_another_seed() -> None:
    judge = Taste(stammers=3)
    assert caption_duels(ROWS, judge)["duels"]["valid"] == 40
    assert judge.asked == [40, 20, 20, 20]
    found = caption_duels(ROWS, Taste(stammers=9))
    assert found["duels"]["valid"] == 20
    assert set(found["failed"]) == set(range(1, 40, 2))
    assert found["failed"][1] == "two different JSON objects"


def test_a_row_without_a_picture_is_the_callers_mistake() -> None:
    with pytest.raises(ColumnError, match="image_b"):
        caption_duels([{"caption": "a", "image_a": "x.png"}], Taste())


@pytest.mark.parametrize("reply", ["image_a", '{"preference": "left"}', '{"preference": "image_a"', "{}", ""])
def test_no_preference(reply: str) -> None:
    assert isinstance(preference(reply), Missing)


@given(st.lists(st.tuples(st.sampled_from(["image_a", "image_b", "tie", None]), st.booleans())))
def test_exchanging_sides_exchanges_wins(judged: list[tuple[str | None, bool]]) -> None:
    said, swapped = [one for one, _ in judged], [one for _, one in judged]
    there, back = duels(said, swapped), duels(said, [not one for one in swapped])
    assert (there["wins"], there["losses"], there["ties"]) == (back["losses"], back["wins"], back["ties"])
    assert there["valid"] == sum(winner(one, False) is not None for one in said)
    assert position_bias(said, swapped)["label"] in ("none", "possible", "significant")


@given(st.lists(st.lists(st.integers(0, 50), min_size=3, max_size=3), min_size=2, max_size=2))
def test_chi_square_is_scipys(table: list[list[int]]) -> None:
    from scipy.stats import chi2_contingency

    found = chi_square(table)
    kept = [[c for c, total in zip(row, map(sum, zip(*table, strict=True)), strict=True) if total] for row in table]
    if found["p"] is None:
        assert found["label"] == "none"
    else:
        expected = chi2_contingency(kept, correction=False)
        assert (found["chi2"], found["p"]) == pytest.approx((expected.statistic, expected.pvalue))
