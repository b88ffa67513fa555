from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError, ShapeError
from sightline.core.scores import Scores
from sightline.credit.by_segment import BySegment
from sightline.credit.credit import Tokens
from sightline.credit.group_relative import GroupRelative

TEXT = "a<description>bc</description>d"


def scored(accuracy: list[float], description: list[float]) -> Scores:
    parts = {"accuracy": Scores.of(accuracy), "description": Scores.of(description)}
    count = len(accuracy)
    return Scores(np.zeros(count), [""] * count, [()] * count, parts)


def characters(texts: list[str]) -> Tokens:
    """One token a character."""
    longest = max(map(len, texts))
    offsets = np.full((len(texts), longest, 2), -1)
    for row, text in enumerate(texts):
        offsets[row, : len(text)] = [[i, i + 1] for i in range(len(text))]
    return Tokens(offsets[:, :, 0] >= 0, offsets=offsets)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.sampled_from([0.0, 1.0])), min_size=2, max_size=6))
def test_every_token_has_the_advantage_of_its_segment(pairs: list[tuple[float, float]]) -> None:
    accuracy, description = map(list, zip(*pairs, strict=True))
    group = [0] * len(pairs)
    texts = [TEXT] * len(pairs)
    found, _ = BySegment().assign(scored(accuracy, description), Batch(texts, group=group), characters(texts))
    within = GroupRelative(eps=1e-6)
    outer = 0.5 * within.advantages(np.array(accuracy), np.array(group))
    inner = 0.5 * within.advantages(np.array(description), np.array(group))
    last = TEXT.index("d", -1)
    np.testing.assert_allclose(found[:, 0], outer)
    np.testing.assert_allclose(found[:, last], outer)
    np.testing.assert_allclose(found[:, 1:last], np.repeat(inner[:, None], last - 1, 1))


def test_padding_and_unclosed_blocks() -> None:
    texts = ["<description>b", "<description>b</description>c"]
    found, _ = BySegment().assign(scored([1, 0], [0, 1]), Batch(texts, group=[0, 0]), characters(texts))
    assert (found[0, : len(texts[0])] > 0).all(), "no closed block: all tokens learn from the accuracy"
    assert (found[0, len(texts[0]) :] == 0).all()
    assert (found[1, :-1] > 0).all()
    assert found[1, -1] < 0


def test_says_what_is_missing() -> None:
    batch = Batch(["a", "b"], group=[0, 0])
    with pytest.raises(ShapeError, match="mask"):
        BySegment().assign(scored([1, 0], [0, 1]), batch)
    with pytest.raises(ColumnError, match="speed"):
        BySegment("speed").assign(scored([1, 0], [0, 1]), batch, characters(["a", "b"]))
