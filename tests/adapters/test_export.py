"""What `sightline export` writes runs, says what it needs, and its data bring back every column with the pictures."""

from __future__ import annotations

import importlib.util
import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from composed import ALONE, SIZE, TOGETHER, expected, rows
from test_same_number import LOST
from typer.testing import CliRunner

from sightline.adapters import easyr1, openrlhf, swift, trl, verl
from sightline.adapters.export import TARGETS, Wanted, export
from sightline.adapters.rows import WAYS
from sightline.cli.main import app
from sightline.core.errors import CompositionError, ConfigError
from sightline.media.messages import message_images
from sightline.system import load

RUNS_ALONE = ("trl", "easyr1", "openrlhf")


def made(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"exported_{path.parent.name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_is_written(tmp_path, target):
    reply = CliRunner().invoke(app, ["export", target, "--system", "visual-rft", "-o", str(tmp_path / target)])
    assert reply.exit_code == 0, reply.output
    file = tmp_path / target / "sightline_reward.py"
    compile(file.read_text(), str(file), "exec")
    config = tmp_path / target / TARGETS[target].config
    if config.suffix == ".yaml":
        assert yaml.safe_load(config.read_text())
    else:
        assert "$" not in config.read_text()
        assert shlex.split(config.read_text(), comments=True)
    if target in RUNS_ALONE:
        assert load("visual-rft").reward == made(file).REWARD


def test_trl_takes_the_file_by_its_dotted_path(tmp_path):
    export("trl", Wanted("visual-rft"), load("visual-rft").reward, tmp_path)
    path = yaml.safe_load((tmp_path / "trl.yaml").read_text())["reward_funcs"][0]
    module, _, name = path.rpartition(".")  # as `trl grpo` takes a dotted path apart
    code = f"import {module}; print({module}.{name}.__name__)"
    said = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "visual_rft"


def test_a_group_reward_is_refused_before_anything_is_written(tmp_path):
    for target in ("openrlhf", "verifiers"):
        with pytest.raises(CompositionError, match="one rollout at a time"):
            export(target, Wanted("co-reward"), TOGETHER, tmp_path / "no")
    assert not (tmp_path / "no").exists()
    export("verl", Wanted("co-reward", group_size=4), TOGETHER, tmp_path)
    assert "reward.num_workers=1 actor_rollout_ref.rollout.val_kwargs.n=4" in (tmp_path / "verl.sh").read_text()
    assert "compute_score" not in (tmp_path / "sightline_reward.py").read_text()
    with pytest.raises(ConfigError, match="Did you mean `verl`"):
        export("verll", Wanted("co-reward"), ALONE, tmp_path)


def test_a_judge_is_written_into_the_file(tmp_path):
    call = ["export", "trl", "--system", "video-ver", "--judge", "openai:http://localhost:1/v1#m", "-o", str(tmp_path)]
    assert CliRunner().invoke(app, call).exit_code == 0
    assert "remote:m@http://localhost:1/v1" in {
        node.judge.id for node in made(tmp_path / "sightline_reward.py").REWARD.walk() if hasattr(node, "judge")
    }


@pytest.fixture
def exported(tmp_path):
    """The data of the 64 rollouts, one row a prompt, through the command."""
    (tmp_path / "p").mkdir()
    source = tmp_path / "rows.jsonl"
    with source.open("w") as file:
        for row in rows()[::SIZE]:
            names = [f"p/{row['group']}.png"] if row["images"] else []
            for name in names:
                (tmp_path / name).write_bytes(row["images"][0]["bytes"])
            held = {"prompt": row["prompt"], "question": row["question"], "answer": row["answer"], "images": names}
            file.write(json.dumps(held) + "\n")

    def run(target: str) -> list[dict[str, Any]]:
        out = tmp_path / target
        call = ["export", target, "--system", "visual-rft", "--data", str(source), "-o", str(out)]
        reply = CliRunner().invoke(app, call)
        assert reply.exit_code == 0, reply.output
        if (out / "data.parquet").exists():
            return pq.read_table(out / "data.parquet").to_pylist()
        return [json.loads(line) for line in (out / "data.jsonl").read_text().splitlines()]

    return run


def test_data_bring_the_pictures_to_the_reward(exported):
    said = [row["completion"] for row in rows()]
    found: dict[str, Any] = {}
    data = [row for row in exported("trl") for _ in range(SIZE)]
    columns = {name: [row[name] for row in data] for name in data[0] if name != "prompt"}
    found["trl"] = trl.RewardFunction(TOGETHER, group_size=SIZE)([row["prompt"] for row in data], said, **columns)
    data = [row for row in exported("swift") for _ in range(SIZE)]
    columns = {name: [row[name] for row in data] for name in data[0]}
    found["swift"] = swift.Outcomes(TOGETHER, SIZE)(said, columns)
    data = [row for row in exported("easyr1") for _ in range(SIZE)]
    given = [
        {"response": s, "response_length": 1, "ground_truth": r["answer"]} for s, r in zip(said, data, strict=True)
    ]
    found["easyr1"] = [one["overall"] for one in easyr1.RewardFunction(TOGETHER, np.nan, SIZE)(given)]
    for name, values in found.items():
        got = np.array([np.nan if one is None else one for one in values])
        np.testing.assert_allclose(got, expected(TOGETHER), atol=1e-6, err_msg=name)
    alone: dict[str, Any] = {}
    data = [row for row in exported("verl") for _ in range(SIZE)]
    alone["verl"] = [
        verl.RewardFunction(ALONE)(r["data_source"], s, r["reward_model"]["ground_truth"], r["extra_info"])["score"]
        for s, r in zip(said, data, strict=True)
    ]
    data = [row for row in exported("openrlhf") for _ in range(SIZE)]
    alone["openrlhf"] = [
        openrlhf.RewardFunction(ALONE)([s], [""], [r["label"]])["rewards"] for s, r in zip(said, data, strict=True)
    ]
    for name, values in alone.items():
        wanted = expected(ALONE)
        np.testing.assert_allclose(values, np.where(np.isnan(wanted), LOST, wanted), atol=1e-6, err_msg=name)


@pytest.mark.parametrize("target", ["nemo-rl", "verifiers"])
def test_chats_hold_the_pictures(exported, target):
    first = exported(target)[0]
    assert len(message_images(first.get("prompt") or first["messages"])) == 1
    assert set(WAYS) == set(TARGETS)
