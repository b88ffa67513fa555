"""Going on with what was scored: after a kill at any place, on a file that has changed, beside another process."""

import json
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scored_members import Down, GroupSize, noted

from sightline import Constant, RowReward, Score
from sightline.core.errors import ConfigError
from sightline.scoring import Options, Source, run, score_file, shards
from sightline.scoring.groups import Pace, batches, read_pieces
from sightline.scoring.shards import Shards

SMALL = Pace(16, 16, 16)
GROWN = Options(input_changed=True, pace=SMALL)


def made(count, size=4):
    return [{"completion": f"text {i}", "number": i, "group": i // size} for i in range(count)]


def jsonl(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


class Killed(BaseException):
    """The process ends here, and nothing after it happens."""


@pytest.mark.parametrize("place", ["_note", "_scored", "add"])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_result_of_a_file_that_grew_is_not_lost_by_a_kill(tmp_path, monkeypatch, place, nth):
    path, out = jsonl(tmp_path / "r.jsonl", made(40)), tmp_path / "o"
    score_file(path, noted, out, options=Options(pace=SMALL))
    jsonl(path, made(80))
    calls, real = [], getattr(Shards, place)

    def dies(*words):
        calls.append(words)
        if len(calls) == nth:
            raise Killed
        return real(*words)

    with monkeypatch.context() as patched:
        patched.setattr(Shards, place, dies)
        patched.setattr(shards.shutil, "rmtree", lambda *words, **more: None)
        try:
            score_file(path, noted, out, options=GROWN)
        except Killed:
            assert len(calls) == nth
    if not out.exists():
        with pytest.raises(ConfigError, match="results of other settings"):
            score_file(path, Constant(1.0), out, options=GROWN)
    summary = score_file(path, noted, out, options=GROWN)
    assert summary.scored <= 40, "what was scored is scored again"
    score_file(path, noted, tmp_path / "whole", options=Options(pace=SMALL))
    assert pq.read_table(out).equals(pq.read_table(tmp_path / "whole"))
    assert not list(tmp_path.glob("*.parts"))


def test_a_retry_that_was_killed_at_its_end_is_no_obstacle(tmp_path, monkeypatch):
    (tmp_path / "down").touch()
    path, reward = jsonl(tmp_path / "r.jsonl", made(40)), Down(str(tmp_path / "down")).named("down")
    retry = Options(retry_errors=True, pace=SMALL)
    assert score_file(path, reward, tmp_path / "o", options=Options(pace=SMALL)).parts[1].errors == 8
    real = run.write_result

    def dies(*words):
        real(*words)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(run, "write_result", dies)
        with pytest.raises(Killed):
            score_file(path, reward, tmp_path / "o", options=retry)
    (tmp_path / "down").unlink()
    for changed in (made(40), made(48)):
        jsonl(path, changed)
        options = Options(retry_errors=True, input_changed=True, pace=SMALL)
        assert score_file(path, reward, tmp_path / "o", options=options).parts[1].errors == 0
    assert {file.name for file in tmp_path.iterdir()} == {"r.jsonl", "o"}


def test_a_retry_that_was_killed_on_the_way_goes_on(tmp_path, monkeypatch):
    (tmp_path / "down").touch()
    path, reward = jsonl(tmp_path / "r.jsonl", made(400)), Down(str(tmp_path / "down")).named("down")
    retry, real = Options(retry_errors=True, pace=SMALL), Shards.add
    score_file(path, reward, tmp_path / "o", options=Options(pace=SMALL))
    (tmp_path / "down").unlink()

    def dies(shards, start, file):
        if start >= 32:
            raise Killed
        return real(shards, start, file)

    with monkeypatch.context() as patched:
        patched.setattr(Shards, "add", dies)
        with pytest.raises(Killed):
            score_file(path, reward, tmp_path / "o", options=retry)
    summary = score_file(path, reward, tmp_path / "o", options=retry)
    assert (summary.scored, summary.parts[1].errors) == (80 - 32, 0)
    assert pq.read_table(tmp_path / "o")["row"].to_pylist() == list(range(400))


def test_fresh_leaves_another_process_alone(tmp_path):
    path, out = jsonl(tmp_path / "r.jsonl", made(8)), tmp_path / "o"
    score_file(path, noted, out)
    with Shards(tmp_path / "o.parts", {}):
        for options in (Options(fresh=True), Options(input_changed=True), Options()):
            with pytest.raises(ConfigError, match="another process is scoring"):
                score_file(path, noted, out, options=options)
    assert out.exists()


def test_a_lock_on_a_folder_that_is_gone_is_none(tmp_path):
    first = Shards(tmp_path / "parts", {}).__enter__()
    stale = (tmp_path / "parts" / ".lock").open("ab")
    first.__exit__(None)
    with Shards(tmp_path / "parts", {}) as second:
        assert second._locked(stale) is None
        assert stale.closed


def test_a_group_that_has_grown_is_not_scored_in_two_parts(tmp_path):
    path, out = jsonl(tmp_path / "r.jsonl", made(38)), tmp_path / "o"
    score_file(path, noted, out, options=Options(pace=SMALL))
    score_file(path, Constant(1.0), tmp_path / "alone", options=Options(pace=SMALL))
    jsonl(path, made(60))
    with pytest.raises(ConfigError, match=r"group of which some rollouts were scored has others now.*--fresh"):
        score_file(path, noted, out, options=GROWN)
    assert score_file(path, Constant(1.0), tmp_path / "alone", options=GROWN).scored == 22
    assert score_file(path, noted, out, options=Options(fresh=True)).rollouts == 60


def test_rollouts_in_another_order_are_no_continuation(tmp_path):
    rows = made(40)
    source, out = Source(jsonl(tmp_path / "r.jsonl", rows), gather=True), tmp_path / "o"
    score_file(source, GroupSize(), out, options=Options(pace=SMALL))
    jsonl(tmp_path / "r.jsonl", [*rows, *made(44)[40:], {**rows[0], "number": 44}])  # the first group goes on
    with pytest.raises(ConfigError, match="come in another order"):
        score_file(source, GroupSize(), out, options=GROWN)


def test_a_file_that_shrank_is_no_continuation(tmp_path):
    path = jsonl(tmp_path / "r.jsonl", made(40))
    score_file(path, noted, tmp_path / "o", options=Options(pace=SMALL))
    jsonl(path, made(24))
    with pytest.raises(ConfigError, match="it has fewer rollouts"):
        score_file(path, noted, tmp_path / "o", options=GROWN)


def test_what_any_error_leaves_is_said(tmp_path):
    @dataclass(frozen=True)
    class Wrong(RowReward):
        reads: ClassVar[tuple[str, ...]] = ("number",)

        def row(self, rollout):
            return Score(1 / (rollout["number"] - 20))

    path = jsonl(tmp_path / "r.jsonl", made(40))
    with pytest.raises(ZeroDivisionError) as caught:
        score_file(path, Wrong().named("wrong"), tmp_path / "o", options=Options(pace=SMALL))
    assert "16 rollouts are scored and kept" in caught.value.__notes__[0]


def pictures(folder, count=64):
    rows = [
        {"completion": f"text {i}", "image": bytes(np.full(4096, i, np.uint8)), "group": i // 2} for i in range(count)
    ]
    pq.write_table(pa.Table.from_pylist(rows), folder / "r.parquet", row_group_size=8)
    return folder / "r.parquet"


def test_large_rows_make_small_batches_and_small_row_groups(tmp_path, monkeypatch):
    path = pictures(tmp_path)
    monkeypatch.setattr("sightline.scoring.groups.PIECE_BYTES", 40_000)
    monkeypatch.setattr("sightline.scoring.shards.GROUP_BYTES", 400_000)
    sizes = [len(piece) for piece in batches(read_pieces(Source(path)), Pace(64, 64, 64))]
    assert (sum(sizes), max(sizes)) == (64, 8)
    for name, pace in (("one", Pace(64, 64, 64)), ("two", Pace(4, 4, 4))):
        score_file(path, Constant(1.0), tmp_path / name, options=Options(pace=pace))
        assert pq.ParquetFile(tmp_path / name).metadata.row_group(0).num_rows == 16
    assert pq.read_table(tmp_path / "one")["image"].to_pylist() == pq.read_table(path)["image"].to_pylist()


def test_a_whole_result_that_goes_on_is_read_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "ROW_GROUP", 16)
    path, out = jsonl(tmp_path / "r.jsonl", made(40)), tmp_path / "o"
    score_file(path, noted, out, options=Options(pace=SMALL))
    with Shards(tmp_path / "o.parts", {}) as grown:
        grown.adopt(out)
        assert [table.num_rows for table in grown.tables()] == [16, 16, 8]
        assert np.concatenate(list(grown.rows())).tolist() == list(range(40))
