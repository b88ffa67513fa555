"""`sightline score` under kill -9 and Ctrl-C: one process, a pool, Ray. The result is that of a run left alone.

A few kills each; with SIGHTLINE_KILLS=20 the long series, whose figures `-s` shows.
"""

import importlib.util
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from loopback_judge import answer
from loopback_server import serving
from scored_members import noted
from session import alive, descendants, kill, listening

from sightline.scoring import score_file

HERE = Path(__file__).parent
KILLS = int(os.environ.get("SIGHTLINE_KILLS", "0"))
LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}
IN_FLIGHT = 32  # requests to a judge at once
RAY = pytest.param(
    "ray",
    marks=[
        pytest.mark.xdist_group("ray"),
        pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs the extra `ray`"),
    ],
)
pytestmark = pytest.mark.timeout(600 + 60 * KILLS)
WORDS = {"plain": ["--workers", "1"], "pool": ["--workers", "2"], "ray": ["--engine", "ray", "--workers", "2"]}


@dataclass
class Series:
    """Runs of one command, each in a session of its own."""

    folder: Path
    words: list[str]
    pause: float = 0.003
    runs: int = 0
    killed: list[int] = field(default_factory=list)

    @property
    def out(self) -> Path:
        return self.folder / "scored.parquet"

    def start(self) -> subprocess.Popen:
        self.runs += 1
        command = [sys.executable, "-m", "sightline.cli.main", "score", str(self.folder / "r.jsonl")]
        settings = {"PAUSE": str(self.pause), "NOTED": str(self.noted(self.runs)), "OMP_NUM_THREADS": "1"}
        with open(self.folder / "said.log", "a") as said:
            return subprocess.Popen(
                [*command, "-o", str(self.out), *self.words],
                cwd=HERE,
                env={**os.environ, **settings},
                start_new_session=True,
                stdout=said,
                stderr=said,
            )

    def noted(self, run: int) -> Path:
        return self.folder / f"noted.{run}"

    def written(self) -> set[int]:
        """Rollouts whose shards are on disk."""
        files = sorted(self.out.with_name(self.out.name + ".parts").glob("*.parquet"))
        return {row for file in files for row in pq.read_table(file, columns=["row"])["row"].to_pylist()}

    def shards(self) -> int:
        return len(list(self.out.with_name(self.out.name + ".parts").glob("*.parquet")))

    def until_a_shard(self, process: subprocess.Popen, seconds: float = 240) -> None:
        """Wait until this run has written, or has ended."""
        before, deadline = self.shards(), time.monotonic() + seconds
        while process.poll() is None and self.shards() <= before and not self.out.exists():
            assert time.monotonic() < deadline, (self.folder / "said.log").read_text()
            time.sleep(0.01)


def file_of(folder: Path, count: int) -> None:
    rows = [{"completion": f"t {i}", "number": i, "fact": i % (count // 2), "group": i // 3} for i in range(count)]
    (folder / "r.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def killed_series(series: Series, kills: int, engine: str, rng: random.Random) -> list[set[int]]:
    """Kill the run `kills` times at random moments, then let it end; what was on disk when each run began."""
    on_disk = []
    while True:
        on_disk.append(series.written())
        process = series.start()
        last = len(series.killed) == kills
        if last:
            assert process.wait(600) == 0, (series.folder / "said.log").read_text()
            return on_disk
        if rng.random() < 0.8:
            series.until_a_shard(process)
        time.sleep(rng.uniform(0, 0.6))
        assert process.poll() is None, (
            "the file is too small for so many kills: " + (series.folder / "said.log").read_text()
        )
        below = descendants(process.pid)
        whole_tree = rng.random() < 0.5  # or the driver alone, which the others must follow
        kill([process.pid, *(below if whole_tree else [])])
        process.wait()
        if engine == "ray" and not whole_tree:
            time.sleep(rng.uniform(0, 1))
        series.killed.append(len(below))
        kill(below)  # the last of Ray leave on their own, but only after a minute


@pytest.mark.parametrize("engine", ["plain", "pool", RAY])
def test_killed_at_random_moments(tmp_path, engine):
    kills = KILLS or (1 if engine == "ray" else 2)
    count = 384 + 192 * kills
    file_of(tmp_path, count)
    rng = random.Random(f"{engine} {kills}")
    judged = engine != "pool"
    with serving(answer) as server:
        server.pause = 0.02
        words = [*WORDS[engine], "--reward", f"scored_members:{'asked' if judged else 'noted'}"]
        cache = ["--judge", f"openai:{server.url}#m", "--judge-cache", str(tmp_path / "verdicts.sqlite")]
        series = Series(tmp_path, words + (cache if judged else []))
        on_disk = killed_series(series, kills, engine, rng)
        calls = Counter(server.calls)
        whole = Series(tmp_path / "whole", [*WORDS["plain"], *series.words[len(WORDS[engine]) :]], pause=0)
        whole.folder.mkdir()
        file_of(whole.folder, count)
        assert whole.start().wait(600) == 0, (whole.folder / "said.log").read_text()
        assert server.calls == calls, "the cache lacks verdicts"
    assert table(series.out) == table(whole.out)
    scored = [
        Counter(map(int, series.noted(run).read_text().split() if series.noted(run).exists() else []))
        for run in range(1, series.runs + 1)
    ]
    for run, before in zip(scored, on_disk, strict=True):
        assert not set(run) & before, "what was on disk was scored again"
        assert max(run.values(), default=1) == 1
    assert set().union(*scored) == set(range(count))
    again = sum(map(len, scored)) - count
    asked_again = sum(calls.values()) - len(calls)
    print(
        f"\n{engine}: {len(series.killed)} kills, {count} rollouts, {again} lost with their batches and scored again, "
        f"0 of what was written; judge: {len(calls)} questions, {sum(calls.values())} calls, {asked_again} asked again"
    )
    assert len(calls) == (count // 2 if judged else 0)
    assert asked_again <= IN_FLIGHT * kills


def table(path: Path):
    """Columns of a result, without its facts, which name the folder."""
    return pq.read_table(path).replace_schema_metadata(None)


@pytest.mark.xdist_group("ray")
def test_ctrl_c_leaves_no_ray_behind_and_one_process_goes_on(tmp_path, hears_ctrl_c):
    pytest.importorskip("ray", reason="needs the extra `ray`")
    file_of(tmp_path, 3000)
    series = Series(tmp_path, [*WORDS["ray"], "--reward", "scored_members:noted"], pause=0.01)
    process, below = series.start(), []
    try:
        series.until_a_shard(process)
        below = descendants(process.pid)
        assert len(below) >= 5
        assert listening([process.pid, *below]) <= LOOPBACK, "others on the network can reach this Ray"
        os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to all
        assert process.wait(120) != 0, (tmp_path / "said.log").read_text()
        deadline = time.monotonic() + 60
        while alive(below):
            assert time.monotonic() < deadline, [Path(f"/proc/{pid}/cmdline").read_text()[:80] for pid in alive(below)]
            time.sleep(0.1)
    finally:
        kill([process.pid, *below])
        process.wait()
    before = series.written()
    assert 0 < len(before) < 3000
    summary = score_file(tmp_path / "r.jsonl", noted, series.out)
    assert (summary.scored, summary.rollouts) == (3000 - len(before), 3000)
    score_file(tmp_path / "r.jsonl", noted, tmp_path / "whole.parquet")
    assert series.out.read_bytes() == (tmp_path / "whole.parquet").read_bytes()
