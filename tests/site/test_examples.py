"""The examples that the documentation shows: they run, keep all promises, and its code blocks do what they say."""

from __future__ import annotations

import doctest
import importlib
import json
import re
import sys
from pathlib import Path

import pytest

import sightline
from sightline.check import keep_promises
from sightline.check.vectors import run

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
GUIDES = ("index", "concepts", "score", "train", "own-reward", "own-system", "own-judge")
MODULES = sorted(path.stem for path in EXAMPLES.glob("*.py"))
BLOCKS = [
    pytest.param(page, block, id=f"{page}-{number}")
    for page in GUIDES
    for number, block in enumerate(
        re.findall(r"```python\n(.*?)```", (ROOT / "docs" / f"{page}.md").read_text("utf-8"), re.DOTALL)
    )
    if "--8<--" not in block
]


@pytest.fixture(autouse=True)
def _found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    monkeypatch.chdir(tmp_path)
    for name in MODULES:
        monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.mark.parametrize("name", MODULES)
def test_doctests_of_examples(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert found.failed == 0


@pytest.mark.parametrize(("page", "block"), BLOCKS)
def test_code_of_the_guides_prints_what_it_says(page: str, block: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(block, page, "exec"), {})
    said = re.findall(r"^print\(.*\)  # (.*)$", block, re.MULTILINE)
    assert capsys.readouterr().out.splitlines() == said


@pytest.mark.parametrize(
    ("module", "name"),
    [("own_reward", "PointsAt"), ("own_judge", "Mentions"), ("pairs", "Brevity")],
)
def test_rewards_of_examples_keep_their_promises(module: str, name: str) -> None:
    keep_promises(*getattr(importlib.import_module(module), name).specimen())


def test_judges_that_know_different_things_have_different_ids() -> None:
    own = importlib.import_module("own_judge")
    first, second = own.TableJudge((("a", "b"),)), own.TableJudge((("a", "c"),))
    assert first.id == own.TableJudge((("a", "b"),)).id != second.id


def test_the_composed_reward_keeps_its_promises_and_pays_form_only_for_a_point() -> None:
    own = importlib.import_module("own_reward")
    keep_promises(own.reward, own.PointsAt.specimen()[1])
    said = ["<think>a</think><answer>(35, 20)</answer>", "<think>a</think><answer>(99, 20)</answer>"]
    assert own.reward(sightline.Batch(said, {"box": [[20, 10, 40, 30]] * 2})).values.tolist() == [1.0, 0.0]


def test_the_system_reproduces_its_vectors() -> None:
    own = importlib.import_module("own_system")
    keep_promises(own.SYSTEM.reward, own.SYSTEM.specimen)
    results = run(own.SYSTEM, own.VECTORS)
    assert len(results) == 2
    assert all(result.passed for result in results)


def test_the_function_for_trl_gives_the_number_of_the_system() -> None:
    own = importlib.import_module("trl_rewards")
    rows = [dict(row) for row in sightline.load("vlm-r1").specimen]
    columns = {name: [row.get(name) for row in rows] for name in {name for row in rows for name in row}}
    chats = [[{"role": "assistant", "content": text}] for text in columns.pop("completion")]
    got = own.referred_box(prompts=["?"] * len(rows), completions=chats, **columns)
    wanted = sightline.load("vlm-r1").reward(sightline.Batch.from_rows(rows)).values
    assert got == pytest.approx(wanted.tolist())
    assert own.referred_box.__name__ == "vlm_r1"


def test_the_rollouts_of_the_readme_show_where_official_pays_and_strict_does_not() -> None:
    rows = [json.loads(line) for line in (EXAMPLES / "rollouts.jsonl").read_text("utf-8").splitlines()]
    batch, system = sightline.Batch.from_rows(rows), sightline.load("vlm-r1")
    strict, official = system.reward(batch).values, system.variant("official")(batch).values
    assert [rows[row]["completion"] for row in (strict != official).nonzero()[0]] == [
        "<think>Hm.</think><answer>I know</answer>"
    ]
    assert len(set(batch.group)) == 3


def test_the_training_file_names_settings_and_columns_that_the_system_takes() -> None:
    from sightline.cli.train import resolved
    from sightline.train.config import load_config

    config = load_config(EXAMPLES / "train_vlm_r1.yaml", [])
    reward, _, stages = resolved(config)
    row = {"completion": '<think>a</think><answer>{"bbox_2d": [1, 2, 3, 4]}</answer>', "solution": [1, 2, 3, 4]}
    assert reward(sightline.Batch.from_rows([{**row, **config.columns}])).values.tolist() == [2.0]
    assert [stage.method for stage in stages] == ["grpo"]
