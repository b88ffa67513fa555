"""`sightline train --engine verl` against verl's own code on a CPU: configuration, data, reward loop, advantages.

Skipped where verl is not installed. What needs a GPU (rollout engines, FSDP workers, a run) is not run anywhere.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import shlex
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from composed import ALONE, GROUPS, SIZE, TOGETHER, expected, rows

from sightline import system
from sightline.adapters import verl_credit, verl_run
from sightline.adapters.export import Wanted, export
from sightline.adapters.verl import group_size
from sightline.core import Scores
from sightline.core.batch import Batch
from sightline.credit import BatchStd, GroupRelative, GroupStd, LeaveOneOut
from sightline.train import verl_recipe

pytestmark = pytest.mark.filterwarnings("ignore")
HERE = Path(__file__).parent
TIMES = 24  # 24 x 64 rollouts a step: more than one asynchronous actor of Ray holds
BASE = {"recipe": {"group size": SIZE, "batch size": GROUPS * TIMES}, "rows": 100_000}


def peer(module: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(module, reason=f"{module} is not installed here", exc_type=ImportError)


def composed_config(words: list[str]) -> Any:
    """verl's real configuration with the overrides of a command."""
    hydra = peer("hydra")
    folder = os.path.join(os.path.dirname(peer("verl").__file__), "trainer", "config")
    with hydra.initialize_config_dir(folder, version_base=None):
        return hydra.compose("ppo_trainer", overrides=[word for word in words[3:] if not word.startswith("hydra.")])


def run_of(output: Path, model: str = "Qwen/Qwen2.5-VL-3B-Instruct", **changes: Any) -> verl_run.Run:
    recipe = verl_recipe.translate(BASE["recipe"], BASE["rows"])
    given = {
        "wanted": Wanted("", own="composed:TOGETHER"),
        "reward": TOGETHER,
        "credit": GroupRelative(),
        "model": model,
        "output": output,
        "overrides": recipe.overrides,
    }
    return verl_run.Run(**{**given, **changes})


def test_every_recipe_passes_validate_config():
    peer("verl")
    from verl.trainer.ppo.utils import need_critic, need_reference_policy
    from verl.utils.config import validate_config

    odd = Path("/tmp/a b'c,d=e\\")
    for slug in system.names():
        found = system.load(slug)
        for stage in found.recipe:
            if stage.method != "grpo":
                continue
            recipe = verl_recipe.translate(stage.settings, 100_000, f"{slug} it's, a={stage.name}")
            own = {"actor_rollout_ref.rollout.name": "sglang"}  # vLLM is asked for its version where LoRA is on
            run = verl_run.Run(
                Wanted(slug), found.reward, GroupRelative(), "m", odd, recipe.overrides, own, "ray://head:10001", True
            )
            config = composed_config(verl_run.command(run, tested=50))
            assert config.trainer.default_local_dir == str(odd / "checkpoints")
            assert config.trainer.experiment_name == f"{slug} it's, a={stage.name}"
            assert config.ray_kwargs.ray_init.address == "ray://head:10001"
            assert config.trainer.resume_mode == "auto"
            validate_config(config, need_reference_policy(config), need_critic(config))
            assert not need_critic(config)


def test_an_exported_script_is_a_configuration_of_verl(tmp_path, monkeypatch):
    """In a folder with a space, with verl's default of 1024 prompts a step."""
    peer("verl")
    from verl.trainer.ppo.reward import resolve_reward_manager_cls

    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.chdir(HERE)
    for name, reward in (("TOGETHER", TOGETHER), ("ALONE", ALONE)):
        out = tmp_path / f"of it's {name}"
        wanted = Wanted("", own=f"composed:{name}", group_size=SIZE, data=str(out / "data.parquet"))
        export("verl", wanted, reward, out)
        words = [sys.executable, "-m", "main_ppo", *shlex.split((out / "verl.sh").read_text().partition("main_ppo")[2])]
        words = [word for word in words if word.strip() not in ("", "$@")]
        config = composed_config([*words, "actor_rollout_ref.rollout.name=vllm"])
        assert config.data.train_files == str(out / "data.parquet")
        assert resolve_reward_manager_cls(config).__name__ == "SightlineRewardManager"
        if reward is TOGETHER:
            assert config.reward.num_workers == 12
            assert group_size(config) == SIZE


def characters(folder: Path) -> Any:
    """A tokenizer whose tokens are bytes."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    names = ["<pad>", "<eos>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    made = Tokenizer(models.BPE({name: i for i, name in enumerate(names)}, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    found = PreTrainedTokenizerFast(tokenizer_object=made, pad_token="<pad>", eos_token="<eos>")
    found.chat_template = "{% for turn in messages %}{{ turn['content'] }}{% endfor %}"
    found.save_pretrained(folder)
    return found


def reads_pictures() -> bool:
    """Whether verl can open pictures to count the tokens of a prompt: its reader wants torchvision."""
    try:
        import qwen_vl_utils  # noqa: F401
    except ImportError:
        return False
    return True


def prepared(tmp_path: Path, monkeypatch: Any) -> tuple[verl_run.Run, Any, Any]:
    monkeypatch.chdir(HERE)  # where the module of the reward is
    tokenizer = characters(tmp_path / "model")
    run = run_of(tmp_path / "run", str(tmp_path / "model"), own={"data.filter_overlong_prompts": reads_pictures()})
    words = verl_run.prepare(run, [{name: v for name, v in row.items() if name != "group"} for row in rows()[::SIZE]])
    return run, composed_config(words), tokenizer


def data_set(config: Any, tokenizer: Any) -> Any:
    from verl.trainer.ppo.utils import create_rl_dataset

    return create_rl_dataset(config.data.train_files, config.data, tokenizer, Processor(tokenizer))


class Processor:
    """As much of a processor as verl's data set asks: a text for messages, and a token a picture."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer

    def apply_chat_template(self, messages: Any, **_: Any) -> str:
        parts = [part for turn in messages for part in turn["content"]]
        return "".join(part if isinstance(part, str) else part.get("text", "#") for part in parts)

    def __call__(self, text: list[str], images: Any = None, **_: Any) -> dict[str, Any]:
        assert all(image.mode == "RGB" for image in images or [])
        return {"input_ids": [self.tokenizer(text[0])["input_ids"]]}


def item(row: dict[str, Any], uid: str, held: dict[str, Any], tokenizer: Any) -> Any:
    """One rollout as `AgentLoopWorker._compute_score` of verl 0.9.1 sends it."""
    import torch
    from tensordict import TensorDict

    protocol = peer("verl.protocol")
    prompt, response = torch.tensor([1, 2, 3]), torch.tensor(tokenizer(row["completion"])["input_ids"])
    ids = torch.cat([prompt, response])[None]
    tensors = {"prompts": prompt[None], "responses": response[None], "input_ids": ids}
    batch = TensorDict({**tensors, "attention_mask": torch.ones_like(ids)}, batch_size=1)
    names = ("data_source", "reward_model", "extra_info", "raw_prompt")
    others = {name: np.array([held[name]]) for name in names} | {"response_len": np.array([len(response)])}
    return protocol.DataProto(
        batch=batch, non_tensor_batch={**others, "uid": np.array([uid]), "global_steps": np.array([3])}
    )


def test_data_set_brings_back_prompts_pictures_and_columns(tmp_path, monkeypatch):
    peer("verl")
    _, config, tokenizer = prepared(tmp_path, monkeypatch)
    found = data_set(config, tokenizer)
    assert len(found) == GROUPS, "verl leaves out rows that it cannot read"
    for one, row in zip(found, rows()[::SIZE], strict=True):
        content = one["raw_prompt"][0]["content"]
        kinds = [part["type"] for part in content] if row["images"] else []
        assert kinds == ["image", "text"] * bool(row["images"])
        if row["images"]:
            assert content[0]["bytes"] == row["images"][0]["bytes"]
        assert one["reward_model"]["ground_truth"] == row["answer"]


@pytest.mark.timeout(600)
def test_reward_loop_keeps_1536_rollouts_in_their_groups(tmp_path, monkeypatch):
    """All but the last rollout of every group come first, to workers drawn by chance, as verl draws them."""
    peer("verl")
    ray = peer("ray")
    run, config, tokenizer = prepared(tmp_path, monkeypatch)
    held = [data_set(config, tokenizer)[group] for group in range(GROUPS)]
    ray.init(num_cpus=16, include_dashboard=False, log_to_driver=False, configure_logging=False)
    try:
        from verl.experimental.reward_loop.reward_loop import RewardLoopManager

        handles = RewardLoopManager(config).reward_loop_worker_handles
        assert len(handles) == 3
        order = sorted(range(TIMES * GROUPS * SIZE), key=lambda at: at % SIZE == SIZE - 1)
        draw, said = random.Random(0), rows()
        calls = {}
        for at in order:
            row = said[at % len(said)]
            sent = item(row, f"u{at // SIZE}", held[row["group"]], tokenizer)
            calls[at] = draw.choice(handles).compute_score.remote(sent)
        found = ray.get([calls[at] for at in range(len(order))], timeout=500)
    finally:
        ray.shutdown()
    wanted = np.tile(expected(TOGETHER), TIMES)
    got = np.array([one["reward_score"] for one in found])
    np.testing.assert_allclose(got, np.where(np.isnan(wanted), 0, wanted), atol=1e-6)
    assert (np.signbit(got) == np.isnan(wanted)).all(), "what cannot be scored is told from a reward of 0"
    assert "agreement" in found[0]["reward_extra_info"]
    lines = [json.loads(line) for file in (run.folder / "scored").iterdir() for line in file.read_text().splitlines()]
    assert len(lines) == len(order)
    assert {line["step"] for line in lines} == {3}
    assert np.isclose(sum(line["reward"] or 0 for line in lines), np.nansum(wanted))


@pytest.mark.parametrize(
    "credit",
    [GroupRelative(), GroupRelative(eps=1e-6), GroupRelative(scale=BatchStd()), GroupRelative(None), LeaveOneOut()],
)
def test_advantages_are_those_of_the_credit_rule(credit):
    """Through verl's own `compute_advantage`, rollouts out of order, two of them without a score."""
    peer("verl.trainer.ppo.core_algos")
    torch = pytest.importorskip("torch")
    from verl.protocol import DataProto
    from verl.trainer.ppo import core_algos
    from verl.trainer.ppo.ray_trainer import compute_advantage

    core_algos.ADV_ESTIMATOR_REGISTRY.pop(verl_credit.NAME, None)
    verl_credit.register(credit)
    verl_credit.register(credit)  # the file is loaded more than once in a process
    values = expected(TOGETHER)
    order = np.random.default_rng(0).permutation(len(values))
    rewards = torch.zeros(len(values), 5)
    mask = torch.ones(len(values), 5, dtype=torch.int64)
    mask[:, 4] = 0
    rewards[:, 3] = torch.tensor(np.where(np.isnan(values), verl_credit.UNSCORED, values))[order]
    uid = np.array([f"u{row['group']}" for row in rows()], dtype=object)[order]
    data = DataProto.from_dict({"token_level_rewards": rewards, "response_mask": mask}, non_tensors={"uid": uid})
    config = composed_config(verl_run.command(run_of(Path("/tmp/run")))).algorithm
    found = compute_advantage(data, config.adv_estimator, config=config).batch["advantages"].numpy()
    why = ["abstain: no picture" if lost else "" for lost in np.isnan(values)]
    wanted, _ = credit.assign(Scores.of(values, why), Batch([""] * len(values), group=uid_numbers()))
    np.testing.assert_allclose(found[:, :4], np.repeat(wanted[order][:, None], 4, axis=1), atol=1e-5)
    assert (found[:, 4] == 0).all()
    core_algos.ADV_ESTIMATOR_REGISTRY.pop(verl_credit.NAME)


def uid_numbers() -> list[int]:
    return [row["group"] for row in rows()]


def test_verls_own_grpo_is_our_rule_with_its_numbers():
    """What stays if a user gives `verl.algorithm.adv_estimator=grpo`, where every rollout has a score."""
    core_algos = peer("verl.trainer.ppo.core_algos")
    torch = pytest.importorskip("torch")
    values = np.nan_to_num(expected(TOGETHER))
    group = np.array(uid_numbers())
    rewards = torch.tensor(values, dtype=torch.float64)[:, None]
    for credit, scaled in ((GroupRelative(GroupStd(1), 1e-6, keep_lone=True), True), (GroupRelative(None), False)):
        own, _ = core_algos.compute_grpo_outcome_advantage(
            rewards, torch.ones_like(rewards), group, norm_adv_by_std_in_grpo=scaled
        )
        np.testing.assert_allclose(own[:, 0].numpy(), credit.advantages(values, group), atol=1e-5)


def test_the_trainer_finds_the_rule_where_it_looks_for_the_manager(tmp_path, monkeypatch):
    """verl's trainer resolves the manager's class in its own process; that registers the rule there."""
    core_algos = peer("verl.trainer.ppo.core_algos")
    from verl.trainer.ppo.reward import resolve_reward_manager_cls

    core_algos.ADV_ESTIMATOR_REGISTRY.pop(verl_credit.NAME, None)
    monkeypatch.setattr(sys, "path", [*sys.path])
    _, config, _ = prepared(tmp_path, monkeypatch)
    made = resolve_reward_manager_cls(config)
    assert made.__name__ == config.reward.reward_manager.name
    assert core_algos.get_adv_estimator_fn(config.algorithm.adv_estimator).credit == GroupRelative()
    core_algos.ADV_ESTIMATOR_REGISTRY.pop(verl_credit.NAME)


def test_the_trainer_takes_its_advantages_from_its_queue(tmp_path, monkeypatch):
    """`PPOTrainer._compute_advantage` of the trainer itself, over a real TransferQueue; the rest of it is not made."""
    tq = peer("transfer_queue")
    peer("verl.trainer.ppo.v1")
    ray = peer("ray")
    torch = pytest.importorskip("torch")
    from verl.trainer.ppo.reward import resolve_reward_manager_cls
    from verl.trainer.ppo.v1 import PPOTrainerSync

    _, config, _ = prepared(tmp_path, monkeypatch)
    monkeypatch.setattr(sys, "path", [*sys.path])
    resolve_reward_manager_cls(config)
    ray.init(num_cpus=16, include_dashboard=False, log_to_driver=False, configure_logging=False)
    try:
        config.transfer_queue.backend.SimpleStorage.num_data_storage_units = 1
        tq.init(config.transfer_queue)
        from verl.utils.tensordict_utils import list_of_dict_to_tensordict

        values = expected(TOGETHER)
        made = [
            {
                "uid": f"u{row['group']}",
                "response_mask": torch.ones(3 + at % 4, dtype=torch.int64),
                "rm_scores": torch.tensor(
                    [0.0] * (2 + at % 4) + [verl_credit.UNSCORED if np.isnan(v) else float(v)], dtype=torch.float32
                ),
            }
            for at, (row, v) in enumerate(zip(rows(), values, strict=True))
        ]
        keys = [f"{row['uid']}_{at % SIZE}_0" for at, row in enumerate(made)]
        batch = tq.kv_batch_put(
            keys=keys, partition_id="train", fields=list_of_dict_to_tensordict(made), tags=[{} for _ in keys]
        )
        trainer = object.__new__(PPOTrainerSync)
        trainer.config = config
        trainer._compute_advantage(batch, {})
        data = tq.kv_batch_get(keys=keys, partition_id="train", select_fields=["advantages"])["advantages"]
        found = [row.tolist() for row in data.unbind()]
        tq.close()
    finally:
        ray.shutdown()
    wanted = GroupRelative().advantages(values, np.array(uid_numbers()))
    for at, row in enumerate(found):
        np.testing.assert_allclose(row, [wanted[at]] * (3 + at % 4), atol=1e-5)


def test_main_ppo_reads_the_command(tmp_path, monkeypatch):
    """`python -m verl.trainer.main_ppo` itself, as far as printing the configuration that it would run."""
    peer("verl")
    run, _, _ = prepared(tmp_path, monkeypatch)
    words = [*verl_run.command(run), "--cfg", "job"]
    said = subprocess.run(words, capture_output=True, text=True, timeout=300)
    assert said.returncode == 0, said.stderr[-2000:]
    assert "adv_estimator: sightline" in said.stdout
    assert str(run.folder / "sightline_reward.py") in said.stdout


def test_reward_loop_asks_a_server(tmp_path, monkeypatch):
    """`compute_score` of `sightline.serve.client` as verl loads and calls it, in its own reward loop's worker."""
    peer("verl")
    peer("fastapi")
    from verl.experimental.reward_loop.reward_loop import RewardLoopWorker

    run, _, tokenizer = prepared(tmp_path, monkeypatch)
    with served(tmp_path / "log") as url:
        own = {
            "reward.reward_manager.source": "register",
            "reward.reward_manager.name": "naive",
            "reward.custom_reward_function.path": "pkg://sightline.serve.client",  # verl cannot load its file
            "+reward.custom_reward_function.reward_kwargs.url": url,
        }
        config = composed_config(verl_run.command(replace(run, own=own)))

        async def all_of_them() -> list[dict[str, Any]]:
            worker = RewardLoopWorker(config)
            worker.reward_manager.loop = asyncio.get_running_loop()
            sent = [
                {
                    "data_source": "eels",
                    "raw_prompt": [{"role": "user", "content": "eels"}],
                    "reward_model": {"ground_truth": row["answer"]},
                    "extra_info": {"question": row["question"], "images": row["images"]},
                }
                for row in rows()
            ]
            return await asyncio.gather(
                *(worker.compute_score(item(row, "u", one, tokenizer)) for row, one in zip(rows(), sent, strict=True))
            )

        found = asyncio.run(all_of_them())
    wanted = expected(ALONE)
    np.testing.assert_allclose([one["reward_score"] for one in found], np.nan_to_num(wanted), atol=1e-6)
    assert [one["reward_extra_info"]["unscored"] for one in found] == np.isnan(wanted).astype(float).tolist()


@contextmanager
def served(log: Path) -> Iterator[str]:
    """A server of the composed reward; its address."""
    words = [sys.executable, "-m", "sightline.cli.main", "serve", "--reward", "composed:ALONE", "--port", "0"]
    with log.open("w") as file, subprocess.Popen(words, cwd=HERE, stdout=file, stderr=subprocess.STDOUT) as process:
        try:
            while not (found := re.search(r"http://127.0.0.1:\d+", log.read_text())):
                assert process.poll() is None, log.read_text()
                time.sleep(0.05)
            yield found[0]
        finally:
            process.terminate()
