"""Groups whose rows lie apart: scoring that is killed at any moment ends with the bytes of a run that was not."""

import json
import random
import signal
import subprocess
import sys
import time

import pyarrow.parquet as pq

COUNT = 48  # rollouts
SCRIPT = """
import sys, time
from pathlib import Path
from dataclasses import dataclass
import numpy as np
from sightline import Reward, RowReward, Score
from sightline.core.scores import Scores
from sightline.scoring import Options, Source, score_file
from sightline.scoring.groups import Pace

@dataclass(frozen=True)
class Slow(RowReward):
    reads = ("answer",)
    def row(self, rollout):
        time.sleep(float(sys.argv[3]))
        with open(sys.argv[4], "a") as log:
            log.write(f"{rollout['answer']}\\n")
        return Score(rollout["answer"] % 7 / 7, f"number {rollout['answer']}")

@dataclass(frozen=True)
class GroupSize(Reward):
    scope = "group"
    range = (0.0, float("inf"))
    def score(self, batch):
        return Scores.of(np.bincount(batch.group)[batch.group].astype(float))

if __name__ == "__main__":
    reward = Slow().named("slow") + GroupSize()
    source = Source(Path(sys.argv[1]), gather=True)
    score_file(source, reward, sys.argv[2], options=Options(pace=Pace(8, 8, 8)))
"""


def scoring(tmp_path, rows, out, seconds):
    command = [sys.executable, tmp_path / "script.py", rows, tmp_path / out, str(seconds), tmp_path / f"{out}.log"]
    return subprocess.Popen([str(word) for word in command])


def test_killed_runs_end_with_the_same_file(tmp_path):
    name, seed = "scattered.jsonl", random.Random(0)
    (tmp_path / "script.py").write_text(SCRIPT)
    rows = [{"completion": f"text {i}", "answer": i, "group": i // 3} for i in range(COUNT)]
    seed.shuffle(rows)
    (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert scoring(tmp_path, tmp_path / name, "whole.parquet", 0).wait() == 0

    out, kills, finished = tmp_path / "killed.parquet", 0, False
    while not finished:
        process = scoring(tmp_path, tmp_path / name, "killed.parquet", 0.004)
        parts, before = tmp_path / "killed.parquet.parts", _shards(tmp_path)
        while process.poll() is None and _shards(tmp_path) <= before and not out.exists():
            time.sleep(0.005)
        time.sleep(seed.uniform(0, 0.15))
        if process.poll() is None and not out.exists():
            process.send_signal(signal.SIGKILL)
            kills += 1
        finished = process.wait() == 0
        assert kills < 100
    assert kills >= 2
    assert not parts.exists()
    assert out.read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    assert sorted(pq.read_table(out)["row"].to_pylist()) == list(range(COUNT))
    again = [int(line) for line in (tmp_path / "killed.parquet.log").read_text().split()]
    assert set(again) == set(range(COUNT))
    assert len(again) <= COUNT + kills * 9  # at most the batch under way is lost by a kill


def _shards(tmp_path) -> int:
    return len(list((tmp_path / "killed.parquet.parts").glob("*.parquet")))
