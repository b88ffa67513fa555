"""Real processes: two that share prompt groups, and one that is killed and resumed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("trl")

import pyarrow.parquet as pq
from tiny import QUIET, REWARD, model, tokenizer

from sightline.core import Batch
from sightline.credit import GroupRelative
from sightline.train.metrics import read_metrics

pytestmark = pytest.mark.slow
SILENT: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
HERE = Path(__file__).parent
TWO = """
import json, sys
sys.path.insert(0, {here!r})
import torch; torch.set_num_threads(1)
import tiny
from accelerate.utils import gather_object
from sightline.credit import GroupRelative
from sightline.train import grpo, trainer as room

local = []
cut = room._local_part
room._local_part = lambda scored, mask: local.append(cut(scored, mask)) or local[-1]
seen = []

class Watched(GroupRelative):
    def assign(self, scores, batch, tokens=None, state=None):
        values, state = super().assign(scores, batch, tokens, state)
        seen.append(dict(texts=list(batch.texts), answer=list(batch.column("answer")), mask=tokens.mask.sum(1).tolist(),
                         tokens=list(batch.column("completion_tokens")), group=batch.group.tolist(),
                         advantages=values.tolist()))
        return values, state

done = grpo(tiny.model(), tiny.tokenizer(), tiny.REWARD, Watched(), tiny.rows(), output_dir=sys.argv[1],
            eval_dataset=tiny.rows(3), num_generations=2, per_device_train_batch_size=3, per_device_eval_batch_size=3,
            rollouts=sys.argv[1] + "/rollouts", max_steps=2, **tiny.QUIET)
facts = gather_object([dict(seen=seen, local=[part.tolist() for part in local])])
if done.accelerator.is_main_process:
    json.dump(facts, open(sys.argv[1] + "/facts.json", "w"))
"""
LONG = """
import sys
sys.path.insert(0, {here!r})
import torch; torch.set_num_threads(1)
import tiny
from sightline.credit import GroupRelative
from sightline.system import Stage
from sightline.train import load_config, train

config = load_config(None, sys.argv[1:], reward="tiny:REWARD")
train(config, tiny.REWARD, GroupRelative(), [Stage("GRPO", "grpo", {{"group size": 4}})], {{"grpo": tiny.rows()}})
"""


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}


def test_groups_that_straddle_two_processes_get_the_advantages_of_one(tmp_path: Path) -> None:
    script = tmp_path / "two.py"
    script.write_text(TWO.format(here=str(HERE)))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    done = subprocess.run([*command, str(script), str(tmp_path)], env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    facts = json.loads((tmp_path / "facts.json").read_text())
    assert facts[0]["seen"] == facts[1]["seen"], "both processes compute the same"
    assert len(facts[0]["seen"]) == 3, "two steps and one evaluation"
    for number, step in enumerate(facts[0]["seen"]):
        assert step["group"] == [0, 0, 1, 1, 2, 2], "the second group lies on both"
        columns = {"answer": step["answer"], "completion_tokens": step["tokens"]}
        alone = REWARD(Batch(step["texts"], columns, group=step["group"]))
        expected = GroupRelative().advantages(alone.values, np.array(step["group"]))
        np.testing.assert_allclose(step["advantages"], expected)
        np.testing.assert_allclose([*facts[0]["local"][number], *facts[1]["local"][number]], expected, atol=1e-6)
        assert step["mask"] == step["tokens"]
    assert any(any(step["advantages"]) for step in facts[0]["seen"])
    assert pq.read_table(tmp_path / "rollouts" / "train-000002.parquet").num_rows == 6


def test_a_killed_run_resumes_and_ends_as_if_nothing_had_been(tmp_path: Path) -> None:
    model().save_pretrained(tmp_path / "base")
    tokenizer().save_pretrained(tmp_path / "base")
    script = tmp_path / "long.py"
    script.write_text(LONG.format(here=str(HERE)))
    words = [f"model={tmp_path / 'base'}", "trl.per_device_train_batch_size=8", "trl.save_steps=5"]
    quiet = {**QUIET, "save_strategy": "steps"}
    words += [f"trl.{key}={json.dumps(value)}" for key, value in quiet.items()]

    killed = tmp_path / "killed"
    arguments = [sys.executable, str(script), *words, f"output={killed}"]
    process = subprocess.Popen([*arguments, "trl.max_steps=3000"], env=environment(), **SILENT)
    waited = time.time()
    while not (killed / "GRPO" / "checkpoint-15").exists():
        assert process.poll() is None
        assert time.time() - waited < 100
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert json.loads((killed / "run.json").read_text())["stages"]["GRPO"]["status"] == "running"
    newest = max(int(path.name.split("-")[1]) for path in (killed / "GRPO").glob("checkpoint-*"))
    end = newest + 4
    # a checkpoint that the kill cut short
    half = killed / "GRPO" / f"checkpoint-{newest + 5}"
    half.mkdir(exist_ok=True)

    refused = subprocess.run(arguments, env=environment(), capture_output=True, text=True)
    assert "resume=true" in refused.stderr
    resumed = subprocess.run(
        [*arguments, f"trl.max_steps={end}", "resume=true"], env=environment(), capture_output=True, text=True
    )
    assert resumed.returncode == 0, resumed.stderr[-3000:]
    whole = [*arguments[:-1], f"output={tmp_path / 'whole'}", f"trl.max_steps={end}"]
    assert subprocess.run(whole, env=environment(), **SILENT).returncode == 0

    lines = [line for line in read_metrics(killed / "metrics.jsonl") if "reward" in line]
    assert [line["step"] for line in lines] == list(range(1, end + 1)), "no step is lost or done twice"
    straight = [line for line in read_metrics(tmp_path / "whole" / "metrics.jsonl") if "reward" in line]
    assert [line["reward"] for line in lines] == [line["reward"] for line in straight]
    steps = sorted(int(path.stem.split("-")[1]) for path in (killed / "rollouts").glob("*.parquet"))
    assert steps == list(range(1, end + 1))
    assert json.loads((killed / "run.json").read_text())["stages"]["GRPO"]["status"] == "finished"
    assert (killed / "model" / "config.json").exists()
    assert (killed / "model" / "tokenizer.json").exists()
