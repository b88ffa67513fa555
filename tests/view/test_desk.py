"""Files that grow, shrink or vanish while pages are open; results that are not finished; scored JSON lines."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sightline.core.errors import RolloutFileError
from sightline.view import overview
from sightline.view.desk import READINGS, Desk
from sightline.view.inspector import Inspector
from sightline.view.lines import as_parquet
from sightline.view.live import _own
from sightline.view.overview import read_source
from sightline.view.results import read_results
from sightline.view.selection import KEPT, Selection, Wanted


def write(path: Path, rewards, **more) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = {"reward": rewards, "why": [f"why {i}" for i in range(len(rewards))], **more}
    pq.write_table(pa.table(columns), path)
    return path


def desk(path: Path) -> Desk:
    return Desk(lambda: Inspector.of(path), [path])


def test_a_run_that_goes_on_is_read_again_when_a_page_is_opened(tmp_path):
    run = tmp_path / "run"
    write(run / "rollouts" / "train-1.parquet", [0.1, 0.2])
    answers = desk(run)
    assert 'data-read="0"' in answers.page()
    assert "of 2 rollouts" in answers.find({"read": "0"})["listing"]
    for step in range(2, 3 + READINGS):
        write(run / "rollouts" / f"train-{step}.parquet", [0.3])
        assert f'data-read="{step - 1}"' in answers.page()
    assert f"of {READINGS + 3} rollouts" in answers.find({"read": str(READINGS + 1)})["listing"]
    assert (
        f"of {READINGS + 2} rollouts" in answers.find({"read": str(READINGS)})["listing"]
    )  # a page that is still open
    assert "load the page again" in answers.find({"read": "0"})["rollout"]
    assert f'data-read="{READINGS + 1}"' in answers.page()  # nothing new, nothing read


def test_files_that_vanish_are_said_to(tmp_path):
    path = write(tmp_path / "scored.parquet", [0.1])
    answers = desk(path)
    path.unlink()
    assert "cannot be read any more" in answers.find({})["rollout"]
    assert "there is no such file" in answers.page()
    path.write_bytes(b"PAR1")
    assert "not a complete Parquet file" in answers.page()


def test_half_a_character_can_be_sent(tmp_path):
    odd = pa.field("odd", pa.string(), metadata={"sightline.json": "1"})
    schema = pa.schema([("reward", pa.float64()), ("why", pa.string()), odd])
    table = pa.table({"reward": [1.0], "why": [""], "odd": ['"\\ud800"']}, schema=schema)
    pq.write_table(table, tmp_path / "odd.parquet")
    assert "?" in desk(tmp_path / "odd.parquet").find({})["rollout"].encode("utf-8").decode()


def test_a_result_is_seen_while_it_is_written(tmp_path):
    path, parts = tmp_path / "scored.parquet", tmp_path / "scored.parquet.parts"
    parts.mkdir()
    with pytest.raises(RolloutFileError, match="nothing is finished yet"):
        read_source(path, 1)
    write(parts / f"{0:015d}.parquet", [0.1, 0.2])
    (parts / "facts.json").write_text(json.dumps({"folder": str(tmp_path)}))
    answers = desk(path)
    assert "still being scored" in answers.page()
    assert answers.latest.results.facts == {"folder": str(tmp_path)}
    write(parts / f"{2:015d}.parquet", [0.3])
    assert answers.page()
    assert len(answers.latest.results) == 3
    shutil.rmtree(parts)
    write(path, [0.1, 0.2, 0.3, 0.4])
    assert "still being scored" not in answers.page()
    assert len(answers.latest.results) == 4


def test_a_file_without_rollouts(tmp_path):
    path = tmp_path / "none.parquet"
    pq.write_table(pa.table({"reward": pa.array([], pa.float64()), "why": pa.array([], pa.string())}), path)
    answers = desk(path)
    assert "<h2>Counts</h2>" in answers.page()
    assert "The file holds no rollout" in answers.find({})["listing"]


def test_scores_that_are_no_numbers(tmp_path):
    with pytest.raises(RolloutFileError, match="column `reward` has values of type string"):
        read_results([write(tmp_path / "text.parquet", ["x"])])


@pytest.mark.parametrize(
    "marks",
    [
        ["not a mark"],
        [{"unit": "char", "place": [float("nan"), 1.0], "value": 1.0, "why": "", "frame": None}],
        [{"unit": "char", "place": [0.0, 1e999], "value": None, "why": None, "frame": None}],
        [{"unit": "box", "place": [0.0, 0.0, 1.0, 1.0], "value": 1.0, "why": "", "frame": "none"}],
    ],
)
def test_a_row_that_score_would_not_write(tmp_path, marks):
    path = write(tmp_path / "scored.parquet", [1.0, 0.5], completion=["xy", "z"], marks=[marks, None])
    answer = desk(path).find({})
    assert "Row 0 cannot be shown" in answer["rollout"]
    assert "of 2 rollouts" in answer["listing"]
    assert 'data-card="1"' in desk(path).find({"row": 1})["rollout"]


@pytest.mark.parametrize("completions", [[1, 2], [b"x\xff", b"y"], [["x"], ["y"]]])
def test_completions_that_are_none(tmp_path, completions):
    answer = desk(write(tmp_path / "scored.parquet", [1.0, 0.5], completion=completions)).find({})
    assert "Row 0 cannot be shown" in answer["rollout"]
    assert 'data-row="1"' in answer["listing"]


def line(**more) -> str:
    return json.dumps({"step": 1, "mode": "train", "group": "a", "completion": "x", "why": "", "reward": 1.0, **more})


def test_the_log_of_reward_workers(tmp_path):
    folder = tmp_path / "run" / "scored"
    folder.mkdir(parents=True)
    (folder / "host-1.jsonl").write_text(
        f"{line(step=2, iou=0.5)}\n{line(reward=None, why='error: 503', tool=['a'])}\n"
    )
    (folder / "host-2.jsonl").write_text(f"{line(step=1, group='b', iou=0.25)}\n" + '{"step": 3, "re')
    source = read_source(tmp_path / "run", 1)
    results = source.results
    assert [part.name for part in results.parts] == ["reward", "iou"]
    np.testing.assert_array_equal(results.numbers("step").values, [1, 1, 2])
    np.testing.assert_array_equal(results.reward.failing, [True, False, False])
    assert results.numbers("iou").nothing.tolist() == [True, False, False]
    assert results.rows([0])[0]["tool"] == '["a"]'
    (temporary,) = results.files
    assert temporary.exists()
    del source, results
    assert not temporary.exists()


def test_json_lines_that_are_not_scored(tmp_path):
    (tmp_path / "rollouts.jsonl").write_text('{"completion": "x"}\n')
    with pytest.raises(RolloutFileError, match="score it first"):
        read_source(tmp_path / "rollouts.jsonl", 1)
    (tmp_path / "torn.jsonl").write_text(f'{{"re\n{line()}\n')
    with pytest.raises(RolloutFileError, match="line 1 is not JSON"):
        as_parquet([tmp_path / "torn.jsonl"], tmp_path / "out.parquet")


def test_nothing_is_left_behind_when_lines_cannot_be_read(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(overview.tempfile, "mkdtemp", lambda prefix: made.append(tmp_path / "made") or str(made[0]))
    (tmp_path / "made").mkdir()
    (tmp_path / "x.jsonl").write_text("{}\n")
    with pytest.raises(RolloutFileError):
        read_source(tmp_path / "x.jsonl", 1)
    assert not made[0].exists()


def test_tabs_ask_at_once(tmp_path):
    rewards = np.linspace(0, 1, 200)
    selection = Selection(read_results([write(tmp_path / "scored.parquet", rewards)]))

    def count(number: int) -> int:
        return len(selection.rows(Wanted(low=number % 50 / 50)))

    with ThreadPoolExecutor(8) as tabs:
        found = list(tabs.map(count, range(400)))
    assert found == [int((rewards >= number % 50 / 50).sum()) for number in range(400)]
    assert len(selection.known) <= KEPT


@pytest.mark.parametrize(
    ("method", "headers", "may"),
    [
        ("GET", {}, True),
        ("POST", {"origin": "http://127.0.0.1:7870", "sec-fetch-site": "same-origin"}, True),
        ("POST", {"origin": "http://127.0.0.1:8888", "sec-fetch-site": "same-site"}, False),
        ("POST", {"origin": "null"}, False),
        ("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, False),
        ("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, True),
    ],
)
def test_who_may_ask(method, headers, may):
    held = {name.encode(): value.encode() for name, value in {"host": "127.0.0.1:7870", **headers}.items()}
    assert _own(held, method, "/") is may
    assert not _own(held, method, "/gradio_api/upload")
