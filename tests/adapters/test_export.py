"""What `sightline export` writes runs, says what it needs, and its data bring back every column with the pictures."""

from __future__ import annotations

import importlib.util
import json
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from composed import ALONE, SIZE, TOGETHER, expected, picture, rows
from test_same_number import LOST
from typer.testing import CliRunner

from sightline.adapters import easyr1, openrlhf, swift, trl, verl
from sightline.adapters.export import TARGETS, Wanted, export
from sightline.adapters.outcomes import as_columns, outcomes
from sightline.adapters.packed import unpack
from sightline.adapters.rows import WAYS, row_for
from sightline.cli.main import app
from sightline.core import Rollout, Score
from sightline.core.errors import ColumnError, CompositionError, ConfigError
from sightline.media import images
from sightline.media.messages import message_images
from sightline.rewards import RowReward
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
        assert "$" not in config.read_text().replace('"$@"', "")
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
    made = verl_words(tmp_path / "verl.sh")
    assert made["reward.num_workers"] == "8"
    assert made["actor_rollout_ref.rollout.n"] == made["actor_rollout_ref.rollout.val_kwargs.n"] == "4"
    assert made["actor_rollout_ref.rollout.val_kwargs.do_sample"] == "true"
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


ODD = [
    {
        "prompt": [{"role": "system", "content": "S"}, {"role": "user", "content": "A <image> B <image> which?"}],
        "images": ["p/1.png", "p/2.png"],
        "answer": {"total": 3},
        "kind": 1,
    },
    {"prompt": "text only", "answer": {"date": "x"}, "kind": "one", "sometimes": "here", "group": "mine"},
    {
        "prompt": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": ""}}, "Q?"]}],
        "answer": [[1, 2], "a"],
        "kind": {},
    },
]


@pytest.fixture
def odd(tmp_path):
    """Rows whose columns hold values of several types, with pictures in several places, in a folder with a space."""
    folder = tmp_path / "of mine"
    (folder / "p").mkdir(parents=True)
    for number in (1, 2):
        (folder / "p" / f"{number}.png").write_bytes(picture(number))
    found = json.loads(json.dumps(ODD))
    found[2]["prompt"][0]["content"][0]["image_url"]["url"] = images.data_url(picture(3))
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in found))

    def run(target: str, *more: str) -> tuple[Path, list[dict[str, Any]]]:
        out = folder / target
        call = ["export", target, "--system", "visual-rft", "--data", str(folder / "rows.jsonl"), "-o", str(out), *more]
        reply = CliRunner().invoke(app, call)
        assert reply.exit_code == 0, reply.output
        assert "note: the trainer will stop at these data" in reply.output, "they have no column `task`"
        if (out / "data.parquet").exists():
            return out, pq.read_table(out / "data.parquet").to_pylist()
        return out, [json.loads(line) for line in (out / "data.jsonl").read_text().splitlines()]

    return run


@dataclass(frozen=True)
class Copy(RowReward):
    """Says in its reason what it was given."""

    reads: ClassVar = ("answer", "kind", "images")

    def row(self, rollout: Rollout) -> Score:
        shown = [round(float(np.asarray(images.load(one)).mean())) for one in rollout["images"] or ()]
        return Score(1.0, json.dumps([rollout["answer"], rollout["kind"], shown]))


def test_values_of_any_type_reach_the_reward(odd):
    shades = [round(float(np.asarray(images.load(picture(number))).mean())) for number in (1, 2, 3)]
    found: dict[str, Any] = {}
    wanted = [[{"total": 3}, 1, shades[:2]], [{"date": "x"}, "one", []], [[[1, 2], "a"], {}, shades[2:]]]
    for target in ("trl", "swift"):
        data = datasets_of(odd(target)[0])
        columns = {name: [row[name] for row in data] for name in ("answer", "kind", "images")}
        found[target] = outcomes(Copy(), ["", "", ""], columns)
    data = odd("nemo-rl")[1]
    found["nemo-rl"] = outcomes(Copy(), ["", "", ""], as_columns([row["extra_env_info"] for row in data]))
    for target, name in (("easyr1", "answer"), ("openrlhf", "label")):
        found[target] = outcomes(Copy(), ["", "", ""], as_columns([unpack(row[name]) for row in odd(target)[1]]))
    found["verifiers"] = outcomes(
        Copy(),
        ["", "", ""],
        as_columns([{"images": message_images(row["prompt"]), **row} for row in odd("verifiers")[1]]),
    )
    for target, got in found.items():
        assert [json.loads(one.why) for one in got] == wanted, target
    assert [unpack(row["label"])["sometimes"] for row in odd("openrlhf")[1]] == [None, "here", None]
    assert [unpack(row["label"])["group"] for row in odd("openrlhf")[1]] == [0, "mine", 2]
    function = verl.RewardFunction(Copy())
    said = [
        function(row["data_source"], "", row["reward_model"]["ground_truth"], row["extra_info"])["why"]
        for row in odd("verl")[1]
    ]
    assert [json.loads(one) for one in said] == wanted


def datasets_of(folder: Path) -> list[dict[str, Any]]:
    """The data as `datasets` reads them, which TRL and ms-swift do."""
    datasets = pytest.importorskip("datasets")
    (file,) = folder.glob("data.*")
    kind = "parquet" if file.suffix == ".parquet" else "json"
    held = datasets.load_dataset(kind, data_files=str(file), split="train", cache_dir=str(folder / "cache"))
    return list(held)


def test_pictures_stand_where_the_prompt_has_them(odd):
    texts = ["A <image> B <image> which?", "text only", "<image>Q?"]
    for target, name in (("verl", "prompt"), ("swift", "messages"), ("openrlhf", "input")):
        assert [row[name][-1]["content"] for row in odd(target)[1]] == texts, target
    assert [row["problem"] for row in odd("easyr1")[1]] == ["S\n" + texts[0], *texts[1:]]
    kinds = [["text", "image", "text", "image", "text"], ["text"], ["image", "text"]]
    assert [[part["type"] for part in row["prompt"][-1]["content"]] for row in odd("trl")[1]] == kinds
    for target, name in (("nemo-rl", "messages"), ("verifiers", "prompt")):
        contents = [row[name][-1]["content"] for row in odd(target)[1]]
        assert contents[1] == "text only"
        assert [[part["type"].removesuffix("_url") for part in contents[at]] for at in (0, 2)] == [kinds[0], kinds[2]]


def test_configurations_name_files_in_folders_with_spaces(odd):
    out, data = odd("openrlhf", "--group-size", "4")
    made = words(out / "openrlhf.sh")
    assert made["--reward.remote_url"] == str(out / "sightline_reward.py")
    assert made["--data.prompt_dataset"] == str(out / "data.jsonl")
    assert made["--data.max_images_per_prompt"] == str(max(len(row["images"]) for row in data))
    assert made["--rollout.n_samples_per_prompt"] == "4"
    assert "--data.apply_chat_template" in made, "without it OpenRLHF takes messages for a text"
    out = odd("verl")[0]
    made = verl_words(out / "verl.sh", "trainer.nnodes=2")
    assert made["reward.reward_manager.module.path"] == f"'{out / 'sightline_reward.py'}'", "as Hydra reads it"
    assert made["data.train_files"] == f"'{out / 'data.parquet'}'"
    assert [*made][-1] == "trainer.nnodes"
    out = odd("swift")[0]
    made = words(out / "swift.sh")
    assert made["--external_plugins"] == str(out / "sightline_reward.py")
    assert made["--dataset"] == str(out / "data.jsonl")
    out = odd("easyr1")[0]
    made = yaml.safe_load((out / "easyr1.yaml").read_text())
    assert made["worker"]["reward"]["reward_function"] == f"{out / 'sightline_reward.py'}:main"
    assert made["data"]["train_files"] == str(out / "data.parquet")
    out = odd("trl")[0]
    made = yaml.safe_load((out / "trl.yaml").read_text())
    assert made["datasets"] == [{"path": "parquet", "data_files": str(out / "data.parquet")}]


def words(path: Path) -> dict[str, str]:
    """The options in the bash array that a script makes."""
    said = f"source {shlex.quote(str(path))}; printf '%s\\n' \"${{OPTIONS[@]}}\""
    found = subprocess.run(["bash", "-c", said], capture_output=True, text=True, check=True).stdout.splitlines()
    return dict(zip(found, [*found[1:], ""], strict=True))


def verl_words(path: Path, *own: str) -> dict[str, str]:
    """What a script that runs verl says to it."""
    stand_in = path.parent / "python"
    stand_in.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
    stand_in.chmod(0o755)
    given = {"env": {"PATH": f"{path.parent}:/usr/bin:/bin"}, "capture_output": True, "text": True, "check": True}
    found = subprocess.run(["sh", str(path), *own], **given).stdout.splitlines()
    assert found[:2] == ["-m", "verl.trainer.main_ppo"]
    return dict(one.split("=", 1) for one in found[2:])


def test_what_a_trainer_does_not_do_is_told(tmp_path):
    def said(target: str, slug: str) -> Any:
        return CliRunner().invoke(app, ["export", target, "--system", slug, "-o", str(tmp_path / target)])

    assert "the policy fills" in said("trl", "motion-o").output
    assert any(node.scheduled for node in load("vision-r1").reward.walk())
    assert "stands at the end of its schedule" in said("easyr1", "vision-r1").output
    assert "stands at the end of its schedule" not in said("swift", "vision-r1").output
    reply = said("nemo-rl", "co-reward")
    assert reply.exit_code != 0
    assert "several neighbouring rows of the data" in reply.output + str(reply.exception)
    assert not (tmp_path / "nemo-rl").exists()


def test_a_group_reward_needs_as_many_rollouts_in_validation(tmp_path):
    export("easyr1", Wanted("co-reward", group_size=4), TOGETHER, tmp_path)
    rollout = yaml.safe_load((tmp_path / "easyr1.yaml").read_text())["worker"]["rollout"]
    assert rollout == {"n": 4, "val_override_config": {"n": 4}}


def test_rows_say_what_is_wrong_with_them(tmp_path):
    with pytest.raises(ColumnError, match="row 3: its prompt has places for 2 pictures, and it has 1 `images`"):
        row_for("verl", {"prompt": "<image> or <image>?", "images": [picture(1)]}, 3)
    with pytest.raises(ColumnError, match="row 3: its prompt has places for 0 pictures, and it has 1 `images`"):
        row_for("verl", {"prompt": [{"role": "system", "content": "S"}], "images": [picture(1)]}, 3)
    with pytest.raises(ColumnError, match="row 3 has no column `prompt`"):
        row_for("trl", {"question": "?"}, 3)
    with pytest.raises(ColumnError, match="column `when` holds"):
        row_for("openrlhf", {"prompt": "?", "when": object()}, 3)
    assert row_for("swift", {"prompt": "?", "videos": ["a.mp4"]}, 3, tmp_path)["videos"] == [str(tmp_path / "a.mp4")]
    assert row_for("swift", {"prompt": "?", "image": picture(1)}, 3)["messages"][0]["content"] == "<image>?"


def test_paths_of_a_judge_stand_on_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "verdicts.jsonl").write_text("")
    call = ["export", "trl", "--system", "video-ver", "--judge", "replay:verdicts.jsonl", "--judge-cache", "c.sqlite"]
    assert CliRunner().invoke(app, [*call, "-o", "out"]).exit_code == 0
    text = (tmp_path / "out" / "sightline_reward.py").read_text()
    assert f"judge_named('replay:{tmp_path}/verdicts.jsonl', '{tmp_path}/c.sqlite', '')" in text
