"""How many processes a file deserves, and what happens where it deserves several."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scored_members import Deadly, Refusing, Surroundings, asked, noted
from session import alive, descendants
from typer.testing import CliRunner

from sightline import RowReward, Score
from sightline.cli.main import app
from sightline.core.errors import ConfigError, RolloutFileError
from sightline.judges import RemoteJudge
from sightline.rewards.reward import with_judge
from sightline.scoring import Options, Source, engines, score_file
from sightline.scoring.groups import Pace, whole_groups
from sightline.scoring.piece import Job
from sightline.scoring.processes import NEW_OBJECTS

SMALL = Pace(16, 16, 16)
HERE = Path(__file__).parent


def rows(count):
    return [{"completion": f"text {i}", "number": i, "fact": i % 5, "group": i // 4} for i in range(count)]


def jsonl(path, count):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows(count)))
    return path


def test_small_files_stay_in_one_process(tmp_path):
    summary = score_file(jsonl(tmp_path / "r.jsonl", 200), noted, tmp_path / "o", options=Options(workers=0))
    assert summary.how.startswith("one process")
    again = score_file(tmp_path / "r.jsonl", noted, tmp_path / "o", options=Options(workers=0))
    assert (again.scored, again.how) == (0, "")


def test_long_work_goes_to_a_pool_and_the_result_is_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(engines, "TRIAL", 0.0)
    monkeypatch.setattr(engines, "SECONDS_EACH", 1e-9)
    monkeypatch.setattr(engines, "cores", lambda: 2)
    path = jsonl(tmp_path / "r.jsonl", 400)
    summary = score_file(path, noted, tmp_path / "many", options=Options(workers=0, pace=SMALL))
    assert summary.how.startswith("2 processes for about ")
    assert "after 32 rollouts in one" in summary.how
    assert score_file(path, noted, tmp_path / "one", options=Options(pace=SMALL)).how == "one process"
    assert (tmp_path / "many").read_bytes() == (tmp_path / "one").read_bytes()


@dataclass(frozen=True)
class Bound(RowReward):
    """Holds what cannot be packed."""

    function: object

    def row(self, rollout):
        return Score(1.0)


def test_what_cannot_be_shared_out_is_said(tmp_path):
    path = jsonl(tmp_path / "r.jsonl", 8)
    asking = with_judge(asked, RemoteJudge("http://127.0.0.1:9/v1", "m"))
    with pytest.raises(ConfigError, match=r"--workers 2: a reward that asks a judge .*--engine ray"):
        score_file(path, asking, tmp_path / "o", options=Options(workers=2))
    bound = Bound(lambda: None)
    with pytest.raises(ConfigError, match=r"--workers 2: the reward cannot be sent to other processes .*leave out"):
        score_file(path, bound, tmp_path / "o", options=Options(workers=2))
    with pytest.raises(ConfigError, match=r"--workers -1"):
        score_file(path, noted, tmp_path / "o", options=Options(workers=-1))
    assert "asks a judge" in engines.chosen(Job(Source(path), asking), 0).how
    assert not engines.obstacle(Job(Source(path), asked)), "a judge that looks at words asks nobody"
    assert "cannot be sent" in engines.chosen(Job(Source(path), bound), 0).how


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--workers", "two"], "needs a number, or auto"),
        (["--engine", "spark"], "needs local or ray"),
        (["--judges", "2"], "--judges belongs to --engine ray"),
        (["--ray-address", "a:1"], "--ray-address belongs to --engine ray"),
    ],
)
def test_wrong_options_are_one_message(tmp_path, words, message):
    path = jsonl(tmp_path / "r.jsonl", 8)
    command = ["score", str(path), "-o", str(tmp_path / "o"), "--system", "visual-rft", *words]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


def test_cores_are_those_of_the_container(tmp_path):
    at_hand = len(os.sched_getaffinity(0))
    for text, expected in (("max 100000", at_hand), ("50000 100000", 1), ("150000 100000", min(2, at_hand))):
        (tmp_path / "cpu.max").write_text(text)
        assert engines.cores(tmp_path / "cpu.max") == expected
    assert engines.cores(tmp_path / "absent") == at_hand


def test_the_size_of_files_is_estimated(tmp_path):
    lists = [{"answers": ["a", "b", "c"], "text": f"row {i:05}"} for i in range(2000)]
    (tmp_path / "lists.jsonl").write_text("".join(json.dumps(row) + "\n" for row in lists))
    (tmp_path / "rows.json").write_text(json.dumps(rows(3000)))
    pq.write_table(pa.Table.from_pylist(lists), tmp_path / "lists.parquet")
    exploded = {"rename": (("completion", "answers"),), "explode": ("answers",)}
    for name, more, expected in (
        ("lists.jsonl", exploded, 6000),
        ("lists.parquet", exploded, 6000),
        ("rows.json", {}, 3000),
    ):
        source = Source(tmp_path / name, **more)
        piece = next(whole_groups(source, strict=False))
        assert engines.estimated(source.path, piece) == pytest.approx(expected, rel=0.2)


def test_nothing_stands_in_the_place_of_what_failed(tmp_path):
    good, path = rows(200), tmp_path / "r.jsonl"
    bad = [{**row, "completion": None} if row["number"] == 40 else row for row in good]
    path.write_text("".join(json.dumps(row) + "\n" for row in bad))
    with pytest.raises(RolloutFileError, match="row 40 has no completion") as caught:
        score_file(path, noted, tmp_path / "o", options=Options(workers=2, pace=SMALL))
    assert "32 rollouts are scored and kept" in caught.value.__notes__[0]
    path.write_text("".join(json.dumps(row) + "\n" for row in good))
    options = Options(workers=2, input_changed=True, pace=SMALL)
    assert score_file(path, noted, tmp_path / "o", options=options).scored == 168
    assert pq.read_table(tmp_path / "o")["number"].to_pylist() == list(range(200))


def test_a_worker_that_dies_is_one_message_and_what_is_written_is_kept(tmp_path):
    path = jsonl(tmp_path / "r.jsonl", 200)
    with pytest.raises(ConfigError, match=r"a worker process died while it scored.*--workers 1 shows") as caught:
        score_file(path, Deadly().named("deadly"), tmp_path / "o", options=Options(workers=2, pace=Pace(8, 8, 8)))
    notes = getattr(caught.value, "__notes__", [])
    assert all("rollouts are scored and kept" in note for note in notes)
    assert (tmp_path / "o.parts").exists() == bool(notes)


def test_an_error_that_cannot_travel_arrives_in_words(tmp_path):
    path = jsonl(tmp_path / "r.jsonl", 64)
    with pytest.raises(RuntimeError, match="RefusedError: not today") as caught:
        score_file(path, Refusing(), tmp_path / "o", options=Options(workers=2, pace=SMALL))
    assert "16 rollouts are scored and kept" in caught.value.__notes__[0]


def test_workers_are_set_up(tmp_path, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    path = jsonl(tmp_path / "r.jsonl", 32)
    score_file(path, Surroundings(), tmp_path / "o", options=Options(workers=2, pace=SMALL))
    assert set(pq.read_table(tmp_path / "o")["why"].to_pylist()) == {f"gc {NEW_OBJECTS}, threads 1, Ctrl-C blocked"}
    assert "OMP_NUM_THREADS" not in os.environ


SCRIPT = """
from dataclasses import dataclass
from sightline import RowReward, Score
from sightline.scoring import Options, Source, engines
from sightline.scoring.piece import Job
from pathlib import Path

@dataclass(frozen=True)
class Mine(RowReward):
    def row(self, rollout):
        return Score(1.0)

if __name__ == "__main__":
    print(engines.obstacle(Job(Source(Path("r.jsonl")), Mine())))
"""


def test_a_reward_of_a_notebook_is_not_sent_to_processes_that_cannot_find_it(tmp_path):
    said = subprocess.run([sys.executable, "-"], input=SCRIPT, capture_output=True, text=True, check=True).stdout
    assert "defined where other processes cannot find it" in said
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, str(tmp_path / "script.py")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "\n"


@contextmanager
def scoring(path, out, pause):
    """The command with a pool, in a session of its own, as from a terminal."""
    command = [sys.executable, "-m", "sightline.cli.main", "score", str(path), "-o", str(out), "--workers", "2"]
    process = subprocess.Popen(
        [*command, "--reward", "scored_members:noted"],
        cwd=HERE,
        env={**os.environ, "PAUSE": str(pause)},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def until(process, condition):
    deadline = time.monotonic() + 120
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_ctrl_c_ends_the_pool_and_the_same_command_goes_on(tmp_path, hears_ctrl_c):
    path, out, parts = jsonl(tmp_path / "r.jsonl", 600), tmp_path / "o", tmp_path / "o.parts"
    with scoring(path, out, 0.01) as process:
        until(process, lambda: list(parts.glob("*.parquet")))
        os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to all
        said = process.communicate(timeout=120)[1]
    assert process.returncode == 130
    assert "stopped" in said
    assert "Traceback" not in said
    kept = pq.read_metadata(sorted(parts.glob("*.parquet"))[0]).num_rows
    summary = score_file(path, noted, out)
    assert kept <= 600 - summary.scored < 600
    score_file(path, noted, tmp_path / "whole")
    assert out.read_bytes() == (tmp_path / "whole").read_bytes()


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_waits_for_nobody(tmp_path, hears_ctrl_c, times):
    path, started = jsonl(tmp_path / "r.jsonl", 600), []
    with scoring(path, tmp_path / "o", 1000) as process:
        until(process, lambda: started.extend(descendants(process.pid)) or len(set(started)) >= 3)  # and the tracker
        for _ in range(times):
            os.killpg(process.pid, signal.SIGINT)
            time.sleep(0.1)
        said = process.communicate(timeout=120)[1]  # a rollout takes longer
    assert process.returncode != 0
    assert "SpawnProcess" not in said
    deadline = time.monotonic() + 60
    while alive(started):
        assert time.monotonic() < deadline
        time.sleep(0.02)
