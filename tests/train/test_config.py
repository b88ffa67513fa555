"""Configurations from YAML and words, and what is said of wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from sightline.core.errors import ConfigError
from sightline.train import json_schema, load_config
from sightline.train.config import of_method

YAML = """
system: vlm-r1
model: base
data: {grpo: rows.jsonl, template: "{prompt} Answer."}
output: out
recipe: {group size: 4, learning rate: 1e-6, sft: {epochs: 2}}
trl: {use_vllm: true, vllm_mode: colocate, deepspeed: ds.json}
columns: {task: rec}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "run.yaml"
    file.write_text(YAML)
    return file


def test_words_override_names_override_the_file(path: Path) -> None:
    config = load_config(path, ["recipe.group size=2", "trl.fsdp=full_shard", "output=elsewhere"], output="named")
    assert config.recipe["group size"] == 2
    assert config.recipe["learning rate"] == 1e-6, "YAML 1.1 would read a string"
    assert config.output == "elsewhere"
    assert config.trl == {"use_vllm": True, "vllm_mode": "colocate", "deepspeed": "ds.json", "fsdp": "full_shard"}
    assert config.columns == {"task": "rec"}


def test_blocks_of_a_method() -> None:
    assert of_method({"seed": 1, "sft": {"epochs": 2}}, "sft") == [{"seed": 1}, {"epochs": 2}]
    assert of_method({"seed": 1, "sft": {"epochs": 2}}, "grpo") == [{"seed": 1}, {}]


def test_a_single_path_is_for_the_stage_that_runs() -> None:
    given = {"system": "s", "model": "m", "data": "d", "output": "o"}
    assert load_config(**given).data.grpo == "d"
    assert load_config(**given, stage="sft").data.sft == "d"


def test_numbers_in_words() -> None:
    words = ["trl.learning_rate=3e-5", "trl.max_steps=10", "trl.run_name=a-1"]
    config = load_config(None, words, system="s", model="m", data="d", output="o")
    assert config.trl == {"learning_rate": 3e-5, "max_steps": 10, "run_name": "a-1"}


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("modle=x", "unknown key `modle`. Did you mean `model`"),
        ("data.grop=x", "unknown key `data.grop`. Did you mean `grpo`"),
        ("variant=loose", "`variant`: Input should be 'strict' or 'official'"),
        ("data.template=plain", r"needs the place \{prompt\}"),
        ("reward=a.b:C", "either `system` or `reward`"),
        ("model.name=x", "`model` is 'base' and holds no settings"),
        ("lonely", "not of the form key=value"),
        ("recipe=[", "is not YAML"),
    ],
)
def test_what_is_refused(path: Path, word: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(path, [word])


def test_a_missing_key_and_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`output` is missing"):
        load_config(None, system="s", model="m", data="d")
    with pytest.raises(ConfigError, match="cannot read"):
        load_config(tmp_path / "none.yaml")


def test_the_schema_names_every_key() -> None:
    schema = json_schema()
    assert {"system", "model", "data", "output", "recipe", "trl", "resume"} <= set(schema["properties"])
    assert schema["additionalProperties"] is False


def test_the_example_is_a_configuration() -> None:
    config = load_config(Path(__file__).parents[2] / "examples" / "train_vlm_r1.yaml")
    assert config.system == "vlm-r1"
