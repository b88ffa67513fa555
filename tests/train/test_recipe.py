"""Every plain name against TRL's, peft's and transformers' own arguments."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field, fields
from typing import Any

import pytest

from sightline.core.errors import ConfigError
from sightline.train import recipe
from sightline.train.recipe import SETTINGS, describe, merged, setting, translate


@dataclass(frozen=True)
class Paper:
    name: str = "GRPO"
    method: str = "grpo"
    settings: dict[str, Any] = field(default_factory=dict)


@pytest.mark.parametrize("known", [s for s in SETTINGS if s.target == "trl"], ids=lambda s: s.name)
def test_every_counterpart_is_an_argument_of_trl(known: recipe.Setting) -> None:
    pytest.importorskip("trl")
    from trl import GRPOConfig, SFTConfig

    values = {"loss": "gspo", "precision": "fp16"}
    for method in known.methods:
        taken = known.arguments(values.get(known.name, 1), {}, method)
        names = {f.name for f in fields(GRPOConfig if method == "grpo" else SFTConfig)}
        assert set(taken) <= names


def test_every_adapter_setting_is_an_argument_of_peft() -> None:
    peft = pytest.importorskip("peft")
    names = set(inspect.signature(peft.LoraConfig).parameters)
    assert {s.key for s in SETTINGS if s.target == "peft"} <= names


def test_every_loss_is_one_that_trl_knows() -> None:
    pytest.importorskip("trl")
    from trl.trainer import grpo_trainer

    source = inspect.getsource(grpo_trainer.GRPOTrainer._compute_loss)
    for arguments in recipe.LOSSES.values():
        assert f'"{arguments["loss_type"]}"' in source


def test_prompts_per_device_count_completions() -> None:
    assert translate({"prompts per device": 2, "group size": 4}, "grpo").trl["per_device_train_batch_size"] == 8
    assert translate({"prompts per device": 2}, "sft").trl["per_device_train_batch_size"] == 2


def test_settings_without_a_counterpart_are_told_not_dropped() -> None:
    paper = Paper(settings={"devices": 8, "frames": 16, "lora rank": 64, "freeze vision": True})
    translated = translate(paper.settings, "grpo")
    assert [note.partition(" =")[0] for note in translated.notes] == ["devices", "frames"]
    assert translated.peft == {"r": 64}
    assert translated.model == {"freeze_vision": True}
    rows = describe(paper)
    assert [row.name for row in rows] == list(paper.settings)
    assert all(row.counterpart for row in rows)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"grop size": 8}, "Did you mean `group size`"),
        ({"loss": "drgrpo"}, "Did you mean `dr_grpo`"),
        ({"max sequence tokens": 8}, "belongs to sft"),
        ({"prompts per device": 1, "completions per device": 3}, "per_device_train_batch_size"),
    ],
)
def test_what_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        translate(settings, "grpo")


def test_a_later_setting_replaces_an_earlier_one_also_under_another_name() -> None:
    paper = Paper(settings={"prompts per device": 1, "group size": 8})
    assert merged(paper, [{"completions_per_device": 16}, {"group-size": 4}]) == {
        "completions per device": 16,
        "group size": 4,
    }


def test_every_system_has_a_recipe_that_translates() -> None:
    system = pytest.importorskip("sightline.system")
    for slug in system.names():
        for stage in system.load(slug).recipe:
            translate(stage.settings, stage.method)


def test_names_may_be_written_with_underscores() -> None:
    assert setting("kl_coefficient", "grpo") is setting("kl coefficient", "grpo")
