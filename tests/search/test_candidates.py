"""Attempts that differ, and the best of them."""

from __future__ import annotations

import pytest

from sightline.core import Batch
from sightline.core.errors import ConfigError
from sightline.rewards.format import Format
from sightline.search.best_of_n import BestOfN
from sightline.search.candidates import varied


def test_attempts_repeat_and_differ() -> None:
    asked = varied("How long is AB?", ["ab.png"], ["5", "7"], n=8, seed=3)
    assert asked == varied("How long is AB?", ["ab.png"], ["5", "7"], n=8, seed=3)
    assert len({one.sampling.temperature for one in asked}) == 8
    assert len({one.field("nonce") for one in asked}) == 8
    assert "B. 7" in asked[0].text()
    assert varied("?", choices={"C": "x"}, n=1)[0].field("choices") == "C. x"
    with pytest.raises(ConfigError):
        varied("?", n=0)


def test_the_first_of_equals_and_the_first_n() -> None:
    good = "<think>a</think><answer>b</answer>"
    batch = Batch(["no", good, good, good], group=[0, 0, 0, 1])
    assert [choice.row for choice in BestOfN(Format())(batch)] == [1, 3]
    assert [choice.rows for choice in BestOfN(Format(), n=1)(batch)] == [(0,), (3,)]
