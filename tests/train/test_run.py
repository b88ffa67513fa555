"""Whole runs: stages in order, adapters, pictures, records, the command."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("trl")

import pyarrow.parquet as pq
import torch
from tiny import DEPRECATED, QUIET, REWARD, model, rows, tokenizer
from typer.testing import CliRunner

import sightline
from sightline.core import Rollout, Score
from sightline.core.errors import ColumnError, ConfigError
from sightline.credit import GroupRelative
from sightline.rewards import JudgedReward, RowReward
from sightline.system import Stage
from sightline.train import grpo, load_config, sft, train
from sightline.train.metrics import read_metrics
from sightline.train.model import freeze_vision
from sightline.train.run import planned

pytestmark = pytest.mark.filterwarnings(DEPRECATED)
STAGES = (
    Stage("cold start", "sft", {"epochs": 1, "learning rate": 1e-2}),
    Stage("GRPO", "grpo", {"group size": 4, "prompts per device": 2, "steps": 2, "devices": 8}),
)
DEMONSTRATIONS = [{"prompt": row["prompt"], "completion": row["answer"]} for row in rows()]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    folder = tmp_path / "base"
    model().save_pretrained(folder)
    tokenizer(chat=True).save_pretrained(folder)
    return folder


def config(base: Path, *words: str, **given: Any) -> Any:
    quiet = {key: value for key, value in QUIET.items() if key not in ("max_completion_length", "learning_rate")}
    values = {"model": str(base), "output": str(base.parent / "out"), "reward": "tiny:REWARD"}
    trl = {**quiet, "grpo": {"max_completion_length": 4, "learning_rate": 1e-2}}
    return load_config(None, words, **{**values, "trl": trl, **given})


def test_stages_run_in_order_each_from_the_weights_of_the_last(base: Path) -> None:
    done = train(
        config(base, "recipe.lora_rank=4", "recipe.kl_coefficient=0.1", "peft.lora_alpha=8"),
        REWARD,
        GroupRelative(),
        STAGES,
        {"sft": DEMONSTRATIONS, "grpo": rows()},
    )
    record = json.loads(done.record.read_text())
    out = base.parent / "out"
    assert list(record["stages"]) == ["cold start", "GRPO"]
    assert {stage["status"] for stage in record["stages"].values()} == {"finished"}
    assert record["stages"]["cold start"]["model"] == str(base)
    merged = out / "GRPO" / "start"
    assert record["stages"]["GRPO"]["model"] == str(merged), "the cold start's adapter is merged"
    assert record["stages"]["GRPO"]["trl"]["beta"] == 0.1
    assert record["stages"]["GRPO"]["trl"]["per_device_train_batch_size"] == 8
    assert any(note.startswith("devices = 8") for note in record["stages"]["GRPO"]["notes"])
    assert record["versions"]["trl"] != "not installed"
    adapter = json.loads((done.model / "adapter_config.json").read_text())
    assert adapter["base_model_name_or_path"] == str(merged)
    assert (adapter["r"], adapter["lora_alpha"]) == (4, 8)
    kl = [line["kl"] for line in read_metrics(done.metrics) if "kl" in line]
    assert kl[0] == pytest.approx(0, abs=1e-6), "the reference is the model after the cold start"
    stages = [line["stage"] for line in read_metrics(done.metrics)]
    assert list(dict.fromkeys(stages)) == ["cold start", "GRPO"]
    assert pq.read_table(done.rollouts / "train-000002.parquet").num_rows == 8


def test_two_stages_of_one_method_have_rows_and_rollouts_of_their_own(base: Path) -> None:
    stages = (*STAGES, Stage("more", "grpo", {"group size": 4, "prompts per device": 2, "steps": 2}))
    given = {"grpo": rows(), "more": [{**row, "prompt": "what is two"} for row in rows()]}
    done = train(config(base), REWARD, GroupRelative(), stages, given)
    record = json.loads(done.record.read_text())
    assert [(name, stage["status"]) for name, stage in record["stages"].items()] == [
        ("GRPO", "finished"),
        ("more", "finished"),
    ]
    for stage, prompts in (("GRPO", {"what is one", "what is two", "what is three"}), ("more", {"what is two"})):
        table = pq.read_table(done.rollouts / stage / "train-000002.parquet")
        assert set(table["prompt"].to_pylist()) <= prompts
    only = config(base, **{"data": {"grpo": "a.jsonl", "stages": {"mor": "b.jsonl"}}, "output": str(base.parent / "o")})
    with pytest.raises(ConfigError, match=r"no stage `mor`; .* Did you mean `more`"):
        train(only, REWARD, GroupRelative(), stages)


def test_stages_take_their_rows_of_one_file_in_the_recipes_order(base: Path, caplog: pytest.LogCaptureFixture) -> None:
    kinds = ("planning", "TorF1", "Counting2", "TorF2", "Counting3")
    given = [{**row, "prompt": f"{kind} {row['prompt']}", "type": kind} for kind in kinds for row in rows()]
    recipe = sightline.load("rewardmap").recipe
    words = ("recipe.completions per device=8", "recipe.steps=2", "recipe.kl coefficient=0", "recipe.epochs=1")
    done = train(config(base, *words), REWARD, GroupRelative(), recipe, {"grpo": given})
    assert "stage counting options is skipped" in caplog.text
    assert [line.name for line in sorted(done.rollouts.iterdir())] == ["counting", "planning", "yes-or-no"]
    assert list(json.loads(done.record.read_text())["stages"]) == ["yes or no", "counting", "planning"]
    for stage, own in (("yes-or-no", {"TorF1", "TorF2"}), ("counting", {"Counting2", "Counting3"})):
        table = pq.read_table(done.rollouts / stage / "train-000002.parquet")
        assert {prompt.split()[0] for prompt in table["prompt"].to_pylist()} <= own
    plans, _ = planned(config(base, *words), recipe, {"grpo": given})
    assert [sorted(set(plan.rows["type"])) for plan in plans] == [
        ["TorF1", "TorF2"],
        ["Counting2", "Counting3"],
        [kinds[0]],
    ]
    with pytest.raises(ColumnError, match="takes its rows by column `type`"):
        planned(config(base, *words), recipe, {"grpo": rows()})


def test_a_run_goes_on_from_an_adapter(base: Path) -> None:
    first = train(config(base, "recipe.lora_rank=4"), REWARD, GroupRelative(), STAGES, {"grpo": rows()})
    second = config(base, f"model={first.model}", f"output={base.parent / 'second'}", "recipe.kl_coefficient=0.1")
    done = train(second, REWARD, GroupRelative(), STAGES, {"grpo": rows()})
    assert (done.model / "model.safetensors").exists()
    kl = [line["kl"] for line in read_metrics(done.metrics) if "kl" in line]
    assert kl[0] == pytest.approx(0, abs=1e-6), "the reference is base and adapter together"


def test_a_finished_stage_is_not_run_again(base: Path) -> None:
    given = {"sft": DEMONSTRATIONS, "grpo": rows()}
    train(config(base), REWARD, GroupRelative(), STAGES, given)
    before = (base.parent / "out" / "model" / "model.safetensors").stat().st_mtime_ns
    with pytest.raises(ConfigError, match="holds a run already"):
        train(config(base), REWARD, GroupRelative(), STAGES, given)
    train(config(base, resume=True), REWARD, GroupRelative(), STAGES, given)
    assert (base.parent / "out" / "model" / "model.safetensors").stat().st_mtime_ns == before


def test_a_stage_without_data_is_skipped_and_said_so(base: Path, caplog: pytest.LogCaptureFixture) -> None:
    done = train(config(base), REWARD, GroupRelative(), STAGES, {"grpo": rows()})
    assert "stage cold start is skipped" in caplog.text
    assert json.loads(done.record.read_text())["skipped"] == ["cold start"]
    with pytest.raises(ConfigError, match=r"cold start has no data: give data\.sft"):
        train(config(base, stage="sft"), REWARD, GroupRelative(), STAGES, {"grpo": rows()})


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("trl.learning_rat=1", "no argument `learning_rat`"),
        ("trl.sft.num_generations=1", "SFTConfig has no argument `num_generations`"),
        ("recipe.grup_size=1", "Did you mean `group size`"),
        ("stage=warmup", "no stage `warmup`"),
        ("model=/none/such", "cannot load model"),
        ("recipe.freeze_vision=true", "no module called vision_tower"),
    ],
)
def test_wrong_settings(base: Path, word: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        train(config(base, word), REWARD, GroupRelative(), STAGES, {"sft": DEMONSTRATIONS, "grpo": rows()})


def test_a_missing_column_is_told_before_the_model_is_looked_for(base: Path) -> None:
    with pytest.raises(ColumnError, match="reads column `answer`"):
        train(config(base, "model=/none/such"), REWARD, GroupRelative(), STAGES, {"grpo": [{"prompt": "p"}]})


def test_rows_for_evaluation_are_checked_like_the_others(base: Path) -> None:
    given = {"grpo": rows(), "eval": [{"prompt": "p"}]}
    with pytest.raises(ColumnError, match="reads column `answer`"):
        train(config(base, "model=/none/such"), REWARD, GroupRelative(), STAGES, given)


def test_evaluation_at_the_end(base: Path) -> None:
    done = train(config(base), REWARD, GroupRelative(), STAGES, {"grpo": rows(), "eval": rows(2)})
    assert any("eval_reward" in line for line in read_metrics(done.metrics))


def test_supervised_fine_tuning_learns(tmp_path: Path) -> None:
    arguments = {key: value for key, value in QUIET.items() if key != "max_completion_length"}
    many = DEMONSTRATIONS * 4
    trainer = sft(model(), tokenizer(), many, output_dir=str(tmp_path), max_steps=20, **arguments)
    losses = [line["loss"] for line in trainer.state.log_history if "loss" in line]
    assert losses[-1] < 0.5 * losses[0]


@dataclass(frozen=True)
class Looks(RowReward):
    """Mean brightness of the picture, and the length of the text."""

    reads = ("images", "answer")

    def row(self, rollout: Rollout) -> Score:
        (picture,) = rollout["images"]
        return Score(float(np.asarray(picture).mean()) / 255 + len(rollout.text) / 100)


@pytest.fixture(scope="module")
def digits() -> list[dict[str, Any]]:
    world = pytest.importorskip("sightline.lab.worlds.digits")
    return list(world.PLAIN.rows(4, split="neutral", seed=0))


def test_a_vision_language_model_with_pictures(tmp_path: Path, digits: list[dict[str, Any]]) -> None:
    lab = pytest.importorskip("sightline.lab.models.tiny_vlm")
    policy = lab.build()
    before = {name: parameter.clone() for name, parameter in policy.named_parameters()}
    assert freeze_vision(policy) > 0
    trainer = grpo(
        policy,
        lab.processor(),
        Looks().named("looks"),
        None,
        digits,
        output_dir=str(tmp_path),
        rollouts=tmp_path / "rollouts",
        num_generations=4,
        per_device_train_batch_size=8,
        max_steps=2,
        **QUIET,
    )
    assert trainer.state.log_history[0]["rewards/looks/mean"] > 0
    changed = {name for name, p in trainer.model.named_parameters() if not torch.equal(p.cpu(), before[name])}
    assert changed
    assert not any("vision_tower" in name for name in changed)
    table = pq.read_table(tmp_path / "rollouts" / "train-000002.parquet").to_pylist()
    for row in table:
        assert (tmp_path / "rollouts" / row["images"][0]).exists()
    assert len({row["images"][0] for row in table}) == 2, "a picture is stored once"
    assert table[0]["prompt"]


def test_an_adapter_leaves_a_frozen_vision_tower_alone() -> None:
    from peft import get_peft_model

    from sightline.train.model import lora

    lab = pytest.importorskip("sightline.lab.models.tiny_vlm")
    everywhere = get_peft_model(lab.build(), lora({"r": 2}))
    assert any("vision_tower" in name for name, p in everywhere.named_parameters() if p.requires_grad)
    language = get_peft_model(lab.build(), lora({"r": 2}, freeze_vision=True))
    trained = [name for name, p in language.named_parameters() if p.requires_grad]
    assert trained
    assert not any("vision_tower" in name for name in trained)


def test_the_command_plans_and_trains(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sightline.cli.main import app

    file = base.parent / "rows.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows()))
    settings = {"reward": "tiny:REWARD", "model": str(base), "recipe": {"steps": 2}}
    (base.parent / "run.yaml").write_text(json.dumps(settings))
    words = ["train", str(base.parent / "run.yaml"), f"data={file}", "trl.report_to=none", "recipe.group_size=4"]
    words += ["recipe.completions per device=8", "recipe.max completion tokens=4"]
    output = ["--output", str(base.parent / "out")]
    shown = CliRunner().invoke(app, [*words, *output, "--plan"])
    assert shown.exit_code == 0, shown.output
    assert "num_generations = 4" in shown.output
    assert not (base.parent / "out").exists()
    trained = CliRunner().invoke(app, [*words, *output])
    assert trained.exit_code == 0, trained.output
    assert (base.parent / "out" / "model" / "config.json").exists()
    wrong = CliRunner().invoke(app, [*words, *output, "modle=x"])
    assert wrong.exit_code == 2
    assert "Did you mean `model`?" in wrong.output
    assert '"properties"' in CliRunner().invoke(app, ["train", "--schema"]).output


def test_names_become_values() -> None:
    from sightline.cli.train import resolved

    given = load_config(None, system="vlm-r1", model="m", data="d", output="o", variant="official")
    reward, _, stages = resolved(given)
    from sightline import system

    assert reward == system.load("vlm-r1").variant("official")
    assert [stage.method for stage in stages] == ["grpo"]
    judged = load_config(None, system="video-ver", model="m", data="d", output="o", judge="stub")
    judges = {node.judge.id for node in resolved(judged)[0].walk() if isinstance(node, JudgedReward)}
    assert len(judges) == 1
    own = load_config(None, reward="tiny:REWARD", model="m", data="d", output="o")
    assert resolved(own)[0] == REWARD
    with pytest.raises(ConfigError, match="not a Reward"):
        resolved(load_config(None, reward="tiny:rows", model="m", data="d", output="o"))
