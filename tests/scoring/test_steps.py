"""Rollout files tell schedules which training step a rollout belongs to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pyarrow.parquet as pq
import pytest

from sightline.core import Batch, Scores
from sightline.core.errors import ColumnError
from sightline.rewards import Constant, Reward
from sightline.rewards.staged import Staged
from sightline.scoring.run import score_file

STAGES = Staged(((0, Constant(1.0)), (100, Constant(2.0)))).named("stage")


def scored(tmp_path: Path, rows: list[dict[str, Any]], reward: Reward) -> list[float]:
    file = tmp_path / "rollouts.jsonl"
    file.write_text("".join(json.dumps({"completion": "a", **row}) + "\n" for row in rows))
    score_file(file, reward, tmp_path / "scored.parquet")
    table = pq.read_table(tmp_path / "scored.parquet")
    assert table["row"].to_pylist() == list(range(len(rows))), "rows keep the order of the file"
    found: list[float] = table["reward"].to_pylist()
    return found


def test_each_row_is_scored_at_its_own_step(tmp_path: Path) -> None:
    rows = [{"step": step} for step in (100, 0, None, 99, 500.0, 0, float("nan"))]
    assert scored(tmp_path, rows, STAGES) == [2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0]


def test_without_the_column_a_schedule_is_at_its_end(tmp_path: Path) -> None:
    assert scored(tmp_path, [{}, {}], STAGES) == [2.0, 2.0]


@dataclass(frozen=True)
class GroupSize(Reward):
    scope: ClassVar[Any] = "group"
    range: ClassVar = (0.0, 10.0)

    def score(self, batch: Batch) -> Scores:
        return Scores.of([float((batch.group == group).sum()) for group in batch.group])


def test_groups_stay_whole_at_the_step_of_their_first_row(tmp_path: Path) -> None:
    rows = [{"group": g, "step": step} for g, step in ((0, 5), (0, 200), (0, 5), (1, 200), (1, 5))]
    found = scored(tmp_path, rows, Staged(((0, GroupSize()), (100, 0.5 * GroupSize()))))
    assert found == [3.0, 3.0, 3.0, 1.0, 1.0]


def test_a_step_that_is_no_whole_number_is_the_callers_mistake(tmp_path: Path) -> None:
    with pytest.raises(ColumnError, match="`step`; row 1 has 'late'"):
        scored(tmp_path, [{"step": 1}, {"step": "late"}], STAGES)


def test_other_rewards_do_not_look_at_the_column(tmp_path: Path) -> None:
    assert scored(tmp_path, [{"step": "late"}], Constant(1.0)) == [1.0]
