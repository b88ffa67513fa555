"""Recipes in verl's names: nothing vanishes without a word."""

from __future__ import annotations

import pytest

from sightline import system
from sightline.core.errors import ConfigError
from sightline.train import verl_recipe
from sightline.train.recipe import SETTINGS
from sightline.train.verl_recipe import ACTOR, MODEL, OPTIMIZER, ROLLOUT, not_carried, translate

GRPO = {one.name for one in SETTINGS if "grpo" in one.methods}


def test_every_setting_of_a_grpo_stage_has_its_way():
    known = [verl_recipe.WORDS, verl_recipe.WAYS, verl_recipe.NEVER, verl_recipe.ELSEWHERE, verl_recipe.YOURS]
    for name in GRPO:
        assert sum(name in one for one in known) == 1, name


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({"kl coefficient": 0.0}, {f"{ACTOR}.use_kl_loss": False}),
        ({"kl coefficient": 0.01}, {f"{ACTOR}.use_kl_loss": True, f"{ACTOR}.kl_loss_coef": 0.01}),
        ({"clip range": 0.1}, {f"{ACTOR}.clip_ratio_low": 0.1, f"{ACTOR}.clip_ratio_high": 0.1}),
        (
            {"clip range": 0.2, "clip range high": 0.28},
            {f"{ACTOR}.clip_ratio_low": 0.2, f"{ACTOR}.clip_ratio_high": 0.28},
        ),
        (
            {"clip range high": 0.3, "clip range": 0.2},
            {f"{ACTOR}.clip_ratio_low": 0.2, f"{ACTOR}.clip_ratio_high": 0.3},
        ),
        ({"dual clip": 3.0}, {f"{ACTOR}.clip_ratio_c": 3.0}),
        ({"loss": "token mean"}, {f"{ACTOR}.loss_agg_mode": "token-mean"}),
        ({"loss": "sequence mean"}, {f"{ACTOR}.loss_agg_mode": "seq-mean-token-mean"}),
        (
            {"loss": "constant length", "max completion tokens": 768},
            {f"{ACTOR}.loss_agg_mode": "seq-mean-token-sum-norm", f"{ACTOR}.loss_scale_factor": 768},
        ),
        ({"loss": "gspo"}, {f"{ACTOR}.policy_loss.loss_mode": "gspo", f"{ACTOR}.loss_agg_mode": "seq-mean-token-mean"}),
        ({"warmup": 0.05}, {f"{OPTIMIZER}.lr_warmup_steps_ratio": 0.05}),
        ({"warmup": 20}, {f"{OPTIMIZER}.lr_warmup_steps": 20}),
        (
            {"warmup": 5, "steps": 300, "batch size": 64, "rollout batch size": 128, "updates per batch": 2},
            {f"{OPTIMIZER}.lr_warmup_steps": 2, "trainer.total_training_steps": 75},
        ),
        (
            {"warmup": 0.1, "save every": 10, "batch size": 64, "rollout batch size": 128},
            {f"{OPTIMIZER}.lr_warmup_steps_ratio": 0.1, "trainer.save_freq": 5},
        ),
        ({"top-k": 0}, {f"{ROLLOUT}.top_k": -1}),
        ({"steps": 300}, {"trainer.total_training_steps": 300, "trainer.total_epochs": 300}),
        ({"steps": 300, "epochs": 2}, {"trainer.total_training_steps": 300, "trainer.total_epochs": 2}),
        ({"lora rank": 64, "lora alpha": 128}, {f"{MODEL}.lora_rank": 64, f"{MODEL}.lora_alpha": 128}),
        (
            {"batch size": 128, "rollout batch size": 512},
            {"data.train_batch_size": 512, f"{ACTOR}.ppo_mini_batch_size": 128},
        ),
        (
            {"prompts per device": 1, "gradient accumulation": 2, "devices": 8},
            {"data.train_batch_size": 16, f"{ACTOR}.ppo_mini_batch_size": 16},
        ),
        (
            {"completions per device": 4, "group size": 8, "devices": 16},
            {"data.train_batch_size": 8, f"{ROLLOUT}.n": 8},
        ),
        (
            {"max prompt tokens": 20000, "max completion tokens": 2048},
            {"data.max_prompt_length": 20000, f"{ACTOR}.ppo_max_token_len_per_gpu": 22048},
        ),
        ({"test temperature": 0.0}, {f"{ROLLOUT}.val_kwargs.do_sample": False}),
    ],
)
def test_settings_in_verls_names(settings, wanted):
    found = translate(settings, rows=10_000)
    assert {key: found.overrides.get(key) for key in wanted} == wanted
    assert found.lost == ()


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("freeze vision", True, "reads it nowhere"),
        ("lora dropout", 0.05, "without dropout"),
        ("repetition penalty", 1.1, "always samples with 1.0"),
        ("schedule", "linear", "only constant and cosine"),
        ("loss", "vespo", "no loss that is the same"),
        ("min-p", 0.1, "no such sampling"),
        ("mask truncated", True, "trains on truncated"),
        ("injected labels", 1, "from the policy"),
        ("optimizer", "lion_8bit", "a class that stands for it"),
    ],
)
def test_what_is_lost_is_named_with_its_reason(name, value, reason):
    (line,) = translate({name: value}, rows=1000).lost
    assert line.startswith(f"{name} = {value}: ")
    assert reason in line


def test_what_does_no_harm_is_not_called_lost():
    quiet = {"freeze vision": False, "lora dropout": 0.0, "repetition penalty": 1.0, "mask truncated": False}
    found = translate({**quiet, "devices": 8, "base model": "a 7B", "log every": 1, "batch size": 8}, rows=8)
    assert found.lost == ()
    assert [line.partition(" =")[0] for line in found.told] == ["devices", "base model"]


def test_updates_in_verls_steps_are_told():
    found = translate({"steps": 300, "batch size": 64, "rollout batch size": 256}, rows=1000)
    assert found.told == ("steps = 300: 75 of verl's steps, of 4 updates each",)


def test_batches_that_cannot_be():
    with pytest.raises(ConfigError, match=r"512 prompts a step and leaves out what is over; the data have 100"):
        translate({"batch size": 128, "rollout batch size": 512}, rows=100)
    with pytest.raises(ConfigError, match="must be no smaller"):
        translate({"batch size": 128, "rollout batch size": 64}, rows=1000)
    assert "64 prompts an update" in translate({}, rows=1000).told[-1]
    assert translate({}, rows=5).overrides["data.train_batch_size"] == 5


def test_pictures_keep_their_limits():
    found = translate({"max image pixels": 401408, "min image pixels": 3136, "test image pixels": 200704}, rows=100)
    assert found.pixels == {"max_pixels": 401408, "min_pixels": 3136}
    assert found.test_pixels == {"max_pixels": 200704, "min_pixels": 3136}


def test_every_system_is_translated():
    for slug in system.names():
        for stage in system.load(slug).recipe:
            if stage.method == "grpo":
                assert translate(stage.settings, rows=10_000).overrides[f"{ROLLOUT}.n"]


def test_a_reward_that_needs_the_trainer_is_refused():
    filled = [slug for slug in system.names() if not_carried(system.load(slug).reward)]
    assert filled
    assert "vlm-r1" not in filled
