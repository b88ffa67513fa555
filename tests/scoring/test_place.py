"""Results never take the place of anything else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sightline import Constant
from sightline.core.errors import ConfigError, RolloutFileError
from sightline.scoring import Options, score_file

ROW = json.dumps({"completion": "a"}) + "\n"


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    folder = tmp_path / "rollouts"
    folder.mkdir()
    (folder / "r.jsonl").write_text(ROW)
    return folder / "r.jsonl"


@pytest.mark.parametrize("fresh", [False, True])
def test_the_file_that_is_read_is_left_alone(rows: Path, fresh: bool) -> None:
    with pytest.raises(ConfigError, match="is the file that is read"):
        score_file(rows, Constant(1.0), rows.parent / ".." / "rollouts" / "r.jsonl", options=Options(fresh=fresh))
    assert rows.read_text() == ROW


@pytest.mark.parametrize("fresh", [False, True])
def test_a_file_of_something_else_is_left_alone(rows: Path, fresh: bool) -> None:
    notes = rows.with_name("notes.txt")
    notes.write_text("mine")
    with pytest.raises(RolloutFileError, match="left as it is"):
        score_file(rows, Constant(1.0), notes, options=Options(fresh=fresh))
    assert notes.read_text() == "mine"


def test_a_folder_is_no_place(rows: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"is a folder; results need the name of a file, for example .*scored.parquet"
    ):
        score_file(rows, Constant(1.0), rows.parent)


def test_results_do_not_lie_among_the_rollouts(rows: Path) -> None:
    with pytest.raises(ConfigError, match="would be read as rollouts the next time"):
        score_file(rows.parent, Constant(1.0), rows.parent / "scored.parquet")
    assert score_file(rows.parent, Constant(1.0), rows.parent / "out" / "scored.parquet").rollouts == 1


def test_a_result_may_be_forgotten(rows: Path, tmp_path: Path) -> None:
    out = tmp_path / "s.parquet"
    score_file(rows, Constant(1.0), out)
    assert score_file(rows, Constant(2.0), out, options=Options(fresh=True)).parts[0].mean == 2.0
