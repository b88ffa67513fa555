"""Closeness of frames to a goal: asking an encoder, knowing embeddings, and every kind of failure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import sightline
from sightline.core import Batch
from sightline.core.errors import ColumnError, ConfigError
from sightline.judges import ColourEmbedder, Question, Verdict
from sightline.rewards.goal_baseline import GoalBaseline, GoalReturn

RED = np.full((4, 4, 3), (255, 0, 0), dtype=np.uint8)
BLUE = np.full((4, 4, 3), (0, 0, 255), dtype=np.uint8)
SEEN: dict[str, Any] = {"goal": "red", "baseline": "blue"}


@dataclass(frozen=True)
class Odd:
    """An encoder whose vector for every picture is given; texts get (1, 0)."""

    shown: tuple[float, ...] | None
    said: tuple[float, ...] = (1.0, 0.0)
    id: str = "odd"

    def embed(self, questions: Sequence[Question]) -> list[Verdict[tuple[float, ...]]]:
        given = [self.shown if question.images else self.said for question in questions]
        return [Verdict(one) if one is not None else Verdict(error="out of memory") for one in given]


@dataclass(frozen=True)
class Counting(ColourEmbedder):
    """Counts what it is asked."""

    asked: Any = None

    def embed(self, questions: Sequence[Question]) -> list[Verdict[tuple[float, ...]]]:
        self.asked.extend(questions)
        return super().embed(questions)

    def __hash__(self) -> int:
        return 0


def scored(reward: Any, *rows: dict[str, Any]) -> Any:
    return reward(Batch.from_rows([{"completion": "", **row} for row in rows]))


def test_pictures_and_texts_are_embedded_by_the_judge() -> None:
    half = np.concatenate([RED, BLUE])
    values = scored(GoalBaseline(ColourEmbedder()), *({"frame": frame, **SEEN} for frame in (RED, half, BLUE))).values
    assert values == pytest.approx([1, np.sqrt(0.5), 0])


def test_equal_prompts_and_frames_are_asked_once() -> None:
    asked: list[Question] = []
    scored(GoalBaseline(Counting(asked=asked), 0.5), *[{"frame": RED, **SEEN}] * 5, {"frame": BLUE, **SEEN})
    assert len(asked) == 4


def test_known_embeddings_cost_no_call() -> None:
    asked: list[Question] = []
    reward = GoalBaseline(Counting(asked=asked))
    row = {"frame": np.array([0.6, 0.8]), "goal": np.array([[1.0, 0.0]]), "baseline": [[0.0, 1.0]]}
    assert scored(reward, row).values == pytest.approx([0.6])
    assert asked == []


def test_rows_with_other_goals_and_strengths_share_a_batch() -> None:
    rows = [{"frame": [0.0, 0.0, 1.0], "goal": [1, 0, 0], "baseline": [0.6, 0.8, 0], "alpha": a} for a in (0, 0.5, 1)]
    rows += [{"frame": [3.0, 4.0], "goal": [0, 1], "baseline": [1, 0]}]
    assert scored(GoalBaseline(ColourEmbedder()), *rows).values == pytest.approx([0, 0.675, 0.9, 0.8])


@pytest.mark.parametrize(
    ("judge", "why"),
    [
        (Odd(None), "out of memory"),
        (Odd((1.0, 0.0, 0.0)), "do not fit"),
        (Odd((1.0, float("nan"))), "not finite"),
        (Odd((1.0, 0.0), (0.0, 0.0)), "no direction"),
    ],
)
def test_a_failing_encoder_is_nan_with_its_words(judge: Odd, why: str) -> None:
    scores = scored(GoalBaseline(judge), {"frame": RED, **SEEN}, {"frame": [1, 0], "goal": [1, 0]})
    assert np.isnan(scores.values[0])
    assert scores.errors.tolist() == [True, False]
    assert why in scores.why[0]
    assert scores.values[1] == 1.0


def test_no_direction_strict_and_official() -> None:
    rows = [{"frame": RED, "goal": "red", "baseline": "red"}, {"frame": RED, **SEEN}]
    strict, official = (scored(GoalBaseline(Odd((0.0, 1.0)), 0.5, g), *rows) for g in (True, False))
    assert strict.values.tolist() == [0.0, 0.0]
    assert "coincide" in strict.why[0]
    assert np.isnan(official.values).all()
    assert official.abstained.all()
    blind = scored(GoalBaseline(Odd((0.0, 0.0))), {"frame": RED, **SEEN})
    assert blind.values.tolist() == [0.0]
    assert "embedding is 0" in blind.why[0]


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ({"frame": None, **SEEN}, "frame"),
        ({"frame": [], **SEEN}, "frame"),
        ({"frame": [[1, 0]], **SEEN}, "frame"),
        ({"frame": [1.0, float("nan")], "goal": [1, 0], "baseline": [0, 1]}, "frame"),
        ({"frame": RED, "goal": [], "baseline": []}, "goal"),
        ({"frame": RED, "goal": None, "baseline": "red"}, "goal"),
        ({"frame": RED, "goal": " ", "baseline": "red"}, "goal"),
        ({"frame": RED, "goal": ["a", "b"], "baseline": "red"}, "baseline"),
        ({"frame": RED, "goal": 7, "baseline": "red"}, "goal"),
        ({"frame": RED, "goal": [0.0, 0.0], "baseline": "red"}, "goal"),
        ({"frame": RED, **SEEN, "alpha": -0.1}, "alpha"),
        ({"frame": RED, **SEEN, "alpha": "0.5"}, "alpha"),
        ({"frame": RED, **SEEN, "alpha": float("nan")}, "alpha"),
    ],
)
def test_the_callers_mistakes_are_named(row: dict[str, Any], column: str) -> None:
    with pytest.raises(ColumnError, match=rf"row 1: column `{column}`"):
        scored(GoalBaseline(ColourEmbedder(), 0.5), {"frame": RED, **SEEN}, row)


def test_baseline_is_needed_where_it_counts() -> None:
    assert scored(GoalBaseline(ColourEmbedder()), {"frame": RED, "goal": "red"}).values == [1.0]
    with pytest.raises(ColumnError, match="`baseline`"):
        scored(GoalBaseline(ColourEmbedder(), 0.1), {"frame": RED, "goal": "red"})
    with pytest.raises(ColumnError, match="`baseline`"):
        scored(GoalBaseline(ColourEmbedder()), {"frame": RED, "goal": "red", "alpha": 0.1})
    with pytest.raises(ConfigError, match="alpha is 2"):
        GoalBaseline(ColourEmbedder(), 2)


def test_pictures_with_channels_first() -> None:
    first = np.moveaxis(RED, -1, 0)
    assert scored(GoalBaseline(ColourEmbedder()), {"frame": first, "goal": "red"}).values == [1.0]
    returned = scored(GoalReturn(ColourEmbedder()), {"frames": np.stack([first, first]), "goal": "red"})
    assert returned.values == [2.0]


def test_numbers_of_numpy_are_strengths() -> None:
    row = {"frame": [0.0, 0.0, 1.0], "goal": [1.0, 0.0, 0.0], "baseline": [0.6, 0.8, 0.0]}
    for alpha in (np.float32(0.5), np.float64(0.5)):
        assert scored(GoalBaseline(ColourEmbedder()), {**row, "alpha": alpha}).values == pytest.approx([0.675])
    with pytest.raises(ColumnError, match="`alpha` is True"):
        scored(GoalBaseline(ColourEmbedder()), {**row, "alpha": True})


def test_a_return_is_the_sum_and_says_where() -> None:
    scores = scored(GoalReturn(ColourEmbedder()), {"frames": [RED, BLUE, RED], **SEEN}, {"frames": [], **SEEN})
    assert scores.values[0] == pytest.approx(2)
    assert [mark.place for mark in scores.marks[0]] == [(0, 1), (1, 2), (2, 3)]
    assert scores.abstained.tolist() == [False, True]


def test_the_systems_encoder_can_be_exchanged() -> None:
    system = sightline.load("vlm-rm").with_judge(ColourEmbedder())
    assert scored(system.reward, {"frame": RED, **SEEN}).parts["closeness"].values == pytest.approx([1])
    assert scored(system.extra("episode_return"), {"frames": [RED, RED], **SEEN}).values == pytest.approx([2])


@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
def test_many_steps_are_scored_fast() -> None:

    rng = np.random.default_rng(0)
    goal, baseline = rng.normal(size=(2, 1, 512)).tolist()
    rows = [{"frame": frame, "goal": goal, "baseline": baseline} for frame in rng.normal(size=(3200, 512))]
    scored(GoalBaseline(ColourEmbedder(), 0.5), *rows)


def test_prompts_may_stand_in_arrays() -> None:
    rows = [{"completion": "", "frame": [1.0, 0.0], "goal": np.array([[1.0, 0.0], [0.0, 1.0]]), "alpha": 0.0}]
    told = [{**rows[0], "goal": np.array(["a red ball", "a ball"])}]
    assert GoalBaseline(ColourEmbedder())(Batch.from_rows(rows)).values == pytest.approx([0.75])
    GoalBaseline(ColourEmbedder()).check(Batch.from_rows(told))
