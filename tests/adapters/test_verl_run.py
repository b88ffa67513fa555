"""What `sightline train --engine verl` writes and runs, without verl: its data, its command, its process."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from composed import ALONE, GROUPS, SIZE, TOGETHER, rows
from test_same_number import close
from typer.testing import CliRunner

from sightline.adapters import verl, verl_data, verl_run
from sightline.adapters.export import Wanted
from sightline.adapters.meeting import Hall, Meeting
from sightline.adapters.outcomes import Outcome
from sightline.adapters.verl import group_size, workers_for
from sightline.cli.main import app
from sightline.core.errors import ColumnError, CompositionError, ConfigError, MissingExtra
from sightline.credit import GroupRelative, PerSide
from sightline.media import images
from sightline.train.verl_recipe import translate

PROMPTS = [{name: value for name, value in row.items() if name != "group"} for row in rows()[::SIZE]]
ODD = {"boxes": [[1, 2.5], []], "facts": {"a": None, "b": {"c": 1}}, "maybe": None, "group": "g"}


def run_of(output: Path, reward: Any = TOGETHER, recipe: dict[str, Any] | None = None, **changes: Any) -> verl_run.Run:
    found = translate(recipe or {"group size": SIZE, "batch size": 8}, rows=1000)
    given = {"wanted": Wanted("vlm-r1"), "credit": GroupRelative(), "model": "org/model", **changes}
    return verl_run.Run(reward=reward, output=output, overrides=found.overrides, **given)


def overrides(words: list[str]) -> dict[str, str]:
    return dict(word.split("=", 1) for word in words[3:])


def test_data_hold_every_column_as_it_was(tmp_path):
    path = tmp_path / "train.parquet"
    assert verl_data.write([{**row, **ODD} for row in PROMPTS], path, "train", {"max_pixels": 3136}) == GROUPS
    found = pq.read_table(path).to_pylist()
    for one, row in zip(found, PROMPTS, strict=True):
        given = [{**image, "max_pixels": 3136} for image in row["images"]]
        assert one["images"] == given, "pictures are the bytes that were given"
        assert one["prompt"][0]["content"].count("<image>") == len(given)
        assert one["reward_model"] == {"style": "rule", "ground_truth": row["answer"]}
        assert one["extra_info"]["split"] == "train"
        held = verl._row("said", row["answer"], "eels", one["extra_info"])
        assert {name: held[name] for name in (*ODD, "question")} == {**ODD, "question": row["question"]}
        assert ("images" in held) == (not given), "others come with the prompt"
        (bare,) = pq.read_table(_written(tmp_path, {"prompt": "a", "kind": "x"})).to_pylist()
        held = verl._row("said", bare["reward_model"]["ground_truth"], "eels", bare["extra_info"])
        assert not {"answer", "ground_truth"} & held.keys(), "verl's empty text is no gold answer"


def _written(folder: Path, row: dict[str, Any]) -> Path:
    verl_data.write([row], folder / "one.parquet")
    return folder / "one.parquet"


def test_a_picture_of_any_kind_becomes_its_bytes(tmp_path):
    file = tmp_path / "p.png"
    file.write_bytes(rows()[0]["images"][0]["bytes"])
    for given in (str(file), {"bytes": None, "path": str(file)}, file.read_bytes(), images.data_url(file)):
        for name, value in (("images", [given]), ("image", given)):
            made = verl_data.row_of({"prompt": "Where?", name: value}, 0, "train", {})
            assert images.load(made["images"][0]).size == (4, 3)
            assert made["prompt"] == [{"role": "user", "content": "<image>Where?"}]
    other = verl_data.row_of({"prompt": "Where?", "before": {"bytes": file.read_bytes(), "path": None}}, 0, "train", {})
    held = verl._row("", "", "", other["extra_info"])
    assert images.load(held["before"]).size == (4, 3)


def test_rows_that_verl_would_misread_are_refused():
    shown = rows()[0]["images"]
    with pytest.raises(ColumnError, match="<video>, which verl takes for a place"):
        verl_data.row_of({"prompt": "What is <video>?", "images": shown}, 7, "train", {})
    with pytest.raises(ColumnError, match="row 7"):
        verl_data.row_of({"prompt": "<image> and <image>", "images": shown}, 7, "train", {})
    with pytest.raises(ColumnError, match="column `when`"):
        verl_data.row_of({"prompt": "a", "when": object()}, 7, "train", {})
    assert verl_data.row_of({"prompt": "What is <video>?"}, 7, "train", {})["images"] == []
    film = [{"role": "user", "content": [{"type": "video", "video": "a.mp4"}, {"type": "text", "text": "What?"}]}]
    with pytest.raises(ColumnError, match="row 7: the prompt shows a video"):
        verl_data.row_of({"prompt": film}, 7, "train", {})


def test_a_row_that_fails_leaves_the_file_as_it_was(tmp_path):
    path = _written(tmp_path, {"prompt": "a"})
    before = path.read_bytes()
    with pytest.raises(ColumnError, match="row 300 has no column `prompt`"):
        verl_data.write([*[{"prompt": "a"}] * 300, {}], path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_parts_never_take_verls_names():
    found = verl._logged(Outcome(0.5, "", {"reward": 1.0, "score": 2.0, "box": 3.0}), 0.0)
    assert (found["score"], found["part_score"], found["part_reward"], found["box"]) == (0.5, 2.0, 1.0, 3.0)
    assert "reward" not in found, "verl's validation would count it twice"


def test_the_last_sequence_of_a_trajectory_is_read_to_its_end():
    """verl pads the mask of all sequences at its end, so a mask does not say where a shorter prompt's response ends."""
    batch = {"responses": np.arange(6), "attention_mask": np.array([1] * 7 + [0] * 5)}
    assert verl._length(batch, {"response_len": 4}) == 4
    assert verl._length({**batch, "attention_mask": np.array([1] * 3 + [1] * 4 + [0] * 2)}, {}) == 4


def test_groups_meet_across_workers():
    hall = Hall(SIZE)  # as an actor of Ray, which all workers reach
    score = lambda given: verl._outcomes(TOGETHER, given)  # noqa: E731
    workers = [Meeting(score, hall.enter, hall.leave, 5.0) for _ in range(3)]
    draw = random.Random(0)

    async def all_of_them() -> Any:
        given = [{name: v for name, v in row.items() if name != "group"} for row in rows()]
        return await asyncio.gather(
            *(draw.choice(workers).outcome(row["group"], one) for row, one in zip(rows(), given, strict=True))
        )

    close([one.value for one in asyncio.run(all_of_them())], TOGETHER)
    assert hall.waiting == hall.scoring == {}


def test_enough_workers_for_a_step():
    def config(prompts: int, workers: int) -> dict[str, Any]:
        rollout = {"n": 8, "val_kwargs": {"n": 8}}
        held = {"actor_rollout_ref": {"rollout": rollout}, "data": {"train_batch_size": prompts}}
        return {**held, "reward": {"num_workers": workers}}

    for prompts in (1, 125, 126, 512, 4096):
        enough = workers_for(prompts * 8)
        assert group_size(config(prompts, enough)) == 8
        assert prompts * 8 / enough <= 1000
    with pytest.raises(ConfigError, match=r"4096 rollouts at once and 5 reward workers.*set reward.num_workers=6"):
        group_size(config(512, 5))
    with pytest.raises(ConfigError, match=r"4096 rollouts at once"):
        group_size(config(16, 1), tested=512)
    found = overrides(verl_run.command(run_of(Path("o"), recipe={"group size": 8, "batch size": 16}), tested=512))
    assert found["reward.num_workers"] == "6", "validation sends all its rollouts at once"
    assert overrides(verl_run.command(run_of(Path("o"), ALONE)))["reward.num_workers"] == "8"
    big = {"recipe": {"group size": 8, "batch size": 512}}
    for own in (
        {"algorithm.filter_groups.enable": True, "algorithm.filter_groups.max_inflight_gen_batches": 2},
        {"trainer.v1.trainer_mode": "colocate_async"},
    ):
        found = overrides(verl_run.command(run_of(Path("o"), own=own, **big)))
        assert found["reward.num_workers"] == "12", "two batches are on their way at once"


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"reward.num_workers": 1, "data.train_batch_size": 512}, "set reward.num_workers=6"),
        ({"actor_rollout_ref.rollout.val_kwargs.n": 1}, "8 rollouts in training and 1 in validation"),
    ],
)
def test_what_would_tear_groups_is_refused_before_verl_starts(own, message):
    with pytest.raises(ConfigError, match=message):
        verl_run.command(run_of(Path("o"), own=own))
    verl_run.command(run_of(Path("o"), ALONE, own=own))


def test_the_command_says_everything(tmp_path):
    recipe = {"group size": 4, "batch size": 8, "learning rate": 5e-7, "temperature": 0.7}
    run = run_of(tmp_path, recipe=recipe, own={"trainer.nnodes": 2}, address="auto", resume=True)
    found = overrides(verl_run.command(run, tested=10))
    at = "actor_rollout_ref.rollout"
    wanted = {
        "algorithm.adv_estimator": "sightline",
        "actor_rollout_ref.model.path": "org/model",
        f"{at}.n": "4",
        f"{at}.val_kwargs.n": "4",
        f"{at}.val_kwargs.temperature": "0.7",
        f"{at}.val_kwargs.do_sample": "true",
        "actor_rollout_ref.actor.optim.lr": "5e-07",
        "trainer.resume_mode": "auto",
        "trainer.test_freq": "50",
        "trainer.nnodes": "2",
        "+ray_kwargs.ray_init.address": "auto",
        "reward.reward_manager.source": "importlib",
    }
    assert {name: found[name] for name in wanted} == wanted
    plain = overrides(verl_run.command(run_of(tmp_path, ALONE)))
    assert (plain["trainer.resume_mode"], plain["trainer.test_freq"]) == ("disable", "-1")
    assert "+ray_kwargs.ray_init.address" not in plain
    assert f"{at}.val_kwargs.n" not in plain
    own = overrides(verl_run.command(run_of(tmp_path, own={"trainer.save_freq": 5, "algorithm.adv_estimator": "grpo"})))
    assert (own["trainer.save_freq"], own["algorithm.adv_estimator"]) == ("5", "grpo")


def test_the_reward_file_loads_as_verl_loads_it(tmp_path, fake_verl):
    run = run_of(tmp_path / "o")
    verl_run.prepare(run, PROMPTS)
    names: dict[str, Any] = {}
    exec(compile((run.folder / "sightline_reward.py").read_text(), "reward", "exec"), names)
    assert fake_verl["sightline"].credit == names["CREDIT"].credit
    assert np.signbit(names["verl_credit"].UNSCORED)
    assert names["SightlineRewardManager"].__name__ == "SightlineRewardManager"
    own = run_of(tmp_path / "p", wanted=Wanted("", own="composed:TOGETHER", judge=("stub", "", "")))
    assert "from composed import TOGETHER as REWARD" in verl_run.reward_file(own)
    assert "REWARD = with_judge(REWARD, judge_named('stub', '', ''))" in verl_run.reward_file(own)


@pytest.fixture
def fake_verl(monkeypatch):
    """As much of verl as the reward file imports; the registry of advantage estimators."""
    from types import ModuleType

    known: dict[str, Any] = {}
    base, core = "verl.experimental.reward_loop.reward_manager.base", "verl.trainer.ppo.core_algos"
    for name in (base, core):
        parts = name.split(".")
        for count in range(1, len(parts) + 1):
            monkeypatch.setitem(sys.modules, ".".join(parts[:count]), ModuleType(".".join(parts[:count])))
    sys.modules[base].RewardManagerBase = type("RewardManagerBase", (), {})
    sys.modules[core].register_adv_est = lambda name: lambda made: known.setdefault(name, made)
    return known


MAIN = """
import json, os, pathlib, signal, sys, time
words = dict(word.split("=", 1) for word in sys.argv[1:])
print("verl says", len(words), flush=True)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
if os.environ.get("WAITS"):
    pathlib.Path(os.environ["WAITS"]).write_text("here")
    time.sleep(300)
sys.exit(int(os.environ.get("ENDS", "0")))
"""


@pytest.fixture
def standing_in(tmp_path, monkeypatch):
    """A `verl.trainer.main_ppo` of our own on the path of this process and its children."""
    folder = tmp_path / "peers" / "verl" / "trainer"
    folder.mkdir(parents=True)
    for file in (folder.parent / "__init__.py", folder / "__init__.py"):
        file.write_text("")
    (folder / "main_ppo.py").write_text(MAIN)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder.parents[1]), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.syspath_prepend(str(folder.parents[1]))
    return tmp_path


@pytest.mark.parametrize("status", [0, 3])
def test_verls_exit_status_and_output_pass_through(standing_in, monkeypatch, capfd, status):
    monkeypatch.setenv("ENDS", str(status))
    run = run_of(standing_in / "o", notes={"lost": ["seed = 1: gone"]})
    words = verl_run.prepare(run, PROMPTS)
    assert verl_run.launch(run, words) == status
    assert "verl says" in capfd.readouterr().out
    assert json.loads(run.record.read_text())["lost"] == ["seed = 1: gone"]
    with pytest.raises(ConfigError, match="holds a run already: give --resume"):
        verl_run.prepare(run, PROMPTS)
    again = run_of(standing_in / "o", resume=True)
    assert overrides(verl_run.prepare(again, PROMPTS))["trainer.resume_mode"] == "auto"


@pytest.mark.timeout(120)
def test_sigterm_reaches_verl(standing_in, monkeypatch):
    there = standing_in / "there"
    code = (
        "import sys; from pathlib import Path; from sightline.adapters import verl_run\n"
        "from sightline.adapters.export import Wanted; from sightline.system import load\n"
        f"run = verl_run.Run(Wanted('vlm-r1'), load('vlm-r1').reward, None, 'm', Path({str(standing_in)!r}), "
        "{'actor_rollout_ref.rollout.n': 1, 'data.train_batch_size': 1})\n"
        "sys.exit(verl_run.launch(run, verl_run.command(run)))\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "WAITS": str(there)}) as process:
        while not there.exists():
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 7


def called(tmp_path: Path, *words: str, slug: str = "vlm-r1") -> Any:
    (tmp_path / "p.png").write_bytes(rows()[0]["images"][0]["bytes"])
    row = {"prompt": "Where is it?", "images": ["p.png"], "solution": "[1, 2, 3, 4]", "answer": "4"}
    (tmp_path / "rows.jsonl").write_text((json.dumps(row) + "\n") * 20)
    given = ["--system", slug, "--model", "org/model", "--data", str(tmp_path / "rows.jsonl")]
    out = ["--output", str(tmp_path / "out")]
    return CliRunner().invoke(
        app, ["train", "--engine", "verl", *given, *out, "recipe.batch_size=4", "recipe.rollout_batch_size=4", *words]
    )


def test_dry_run_writes_everything_and_needs_no_verl(tmp_path):
    pytest.importorskip("datasets")
    reply = called(tmp_path, "--dry-run", "--judge", "stub", "verl.trainer.n_gpus_per_node=2")
    assert reply.exit_code == 0, reply.output
    assert "python -m verl.trainer.main_ppo" in reply.stdout
    assert "trainer.n_gpus_per_node=2" in reply.stdout
    names = {file.name for file in (tmp_path / "out").iterdir()}
    assert names == {"sightline_reward.py", "train.parquet", "val.parquet", "verl.sh"}
    assert len(pq.read_table(tmp_path / "out" / "train.parquet")) == 20
    assert len(pq.read_table(tmp_path / "out" / "val.parquet")) == 1
    evaluated = called(tmp_path, "--dry-run", f"data.eval={tmp_path / 'rows.jsonl'}")
    assert evaluated.exit_code == 0, evaluated.output
    assert "trainer.test_freq=50" in evaluated.stdout
    assert {row["split"] for row in pq.read_table(tmp_path / "out" / "val.parquet")["extra_info"].to_pylist()} == {
        "val"
    }


def test_workers_find_the_judges_files(tmp_path, monkeypatch):
    pytest.importorskip("datasets")
    monkeypatch.chdir(tmp_path)
    Path("verdicts.jsonl").write_text("")
    reply = called(tmp_path, "--dry-run", "--judge", "replay:verdicts.jsonl", "--judge-cache", "c.sqlite")
    assert reply.exit_code == 0, reply.output
    said = (tmp_path / "out" / "sightline_reward.py").read_text()
    assert f"judge_named('replay:{tmp_path}/verdicts.jsonl', '{tmp_path}/c.sqlite', '')" in said


def test_evaluation_rows_are_checked_and_counted(tmp_path):
    pytest.importorskip("datasets")
    (tmp_path / "eval.jsonl").write_text('{"prompt": "Where?"}\n' * 3)
    refused = called(tmp_path, "--dry-run", f"data.eval={tmp_path / 'eval.jsonl'}")
    assert refused.exit_code == 2, refused.output
    assert "reads column" in refused.stderr
    assert "trainer.test_freq=50" in called(tmp_path, "--plan", f"data.eval={tmp_path / 'rows.jsonl'}").stdout


def test_plan_writes_nothing(tmp_path):
    pytest.importorskip("datasets")
    reply = called(tmp_path, "--plan")
    assert reply.exit_code == 0, reply.output
    assert "algorithm.adv_estimator=sightline" in reply.stdout
    assert not (tmp_path / "out").exists()


def test_what_verl_cannot_carry_is_refused_or_told(tmp_path):
    pytest.importorskip("datasets")
    refused = called(tmp_path, "--dry-run", "recipe.freeze_vision=true")
    assert refused.exit_code == 2
    assert "freeze vision = True: verl 0.9.1 has" in refused.stderr
    loose = called(tmp_path, "--dry-run", "--loose", "recipe.freeze_vision=true")
    assert loose.exit_code == 0, loose.output
    assert "not carried: freeze vision" in loose.stderr
    tokens = called(tmp_path, "--dry-run", slug="vppo")
    assert tokens.exit_code == 2
    assert "TokenPerception needs what is measured of every token" in tokens.stderr
    own = called(tmp_path, "--dry-run", "--loose", slug="vppo")
    assert own.exit_code == 0, own.output
    assert "algorithm.adv_estimator=grpo" in own.stdout
    filled = called(tmp_path, "--dry-run", "--loose", slug="likelihood-reward")
    assert filled.exit_code == 2


def test_without_verl_the_message_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(verl_run.importlib.util, "find_spec", lambda name: None)
    reply = called(tmp_path)
    assert reply.exit_code == 2
    assert "verl is not installed here: pip install 'verl[vllm]==" in reply.stderr
    with pytest.raises(MissingExtra):
        verl_run.needs_verl()
    assert CliRunner().invoke(app, ["train", "--dry-run", "a=b"]).exit_code == 2


def test_a_rule_that_reads_more_is_refused():
    from sightline.adapters.verl_credit import AdvantageEstimator

    with pytest.raises(CompositionError, match="PerSide reads more than scores and groups"):
        AdvantageEstimator(PerSide())
