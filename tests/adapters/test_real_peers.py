"""The same 64 rollouts through the trainers' own calling code, where the trainer is installed.

TRL is part of `test`. The others want versions that exclude each other: install verl, ms-swift, OpenRLHF or verifiers
into an environment of its own and run this file there; without them these tests are skipped. NeMo-RL and EasyR1 are not
on the package index: `test_same_number.py` imitates their calls.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from composed import ALONE, GROUPS, SIZE, TOGETHER, letters, rows
from test_same_number import LOST, close, columns, config, packed_row

from sightline.adapters import openrlhf, swift, trl, verifiers, verl
from sightline.adapters.rows import row_for
from sightline.core.batch import Batch
from sightline.media import images
from sightline.rewards.vote_statistics import SideStatistic

pytestmark = pytest.mark.filterwarnings("ignore")


def peer(module: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(module, reason=f"{module} is not installed here", exc_type=ImportError)


def test_trl_through_its_trainer():
    grpo = peer("trl.trainer.grpo_trainer")
    torch = pytest.importorskip("torch")
    peer("accelerate").PartialState(cpu=True)  # its log needs it
    function = trl.RewardFunction(TOGETHER, "eels", SIZE)
    extra: dict[str, list[Any]] = {}
    metrics: dict[str, float] = {}
    trainer = SimpleNamespace(
        accelerator=SimpleNamespace(device="cpu", is_main_process=True, gather=lambda value: value),
        reward_funcs=[function],
        reward_func_names=[function.__name__],
        reward_processing_classes=[None],
        state=SimpleNamespace(global_step=1),
        environments=None,
        _log_completion_extra=extra.__setitem__,
        _log_metric=metrics.__setitem__,
        args=SimpleNamespace(report_to=[]),
        model=SimpleNamespace(training=True),
    )
    inputs = [{name: row[name] for name in ("prompt", "question", "answer", "images")} for row in rows()]
    said = [[{"role": "assistant", "content": row["completion"]}] for row in rows()]
    asked = [row["prompt"] for row in rows()]
    undecorated = inspect.unwrap(grpo.GRPOTrainer._calculate_rewards)
    found = undecorated(trainer, inputs, asked, said, [[1, 2]] * len(said))
    assert found.shape == (GROUPS * SIZE, 1)
    assert found.dtype == torch.float32
    close(found[:, 0].tolist(), TOGETHER)
    assert "eels/agreement" in metrics
    assert "eels/why" in extra


@pytest.mark.parametrize("asynchronous", [False, True])
def test_swift_through_its_own_scoring(asynchronous):
    core = peer("swift.rl_core.grpo_algorithm")
    data = peer("swift.rl_core.data")
    made = swift.plugin(TOGETHER, f"eels_{asynchronous}", group_size=SIZE, asynchronous=asynchronous)
    assert peer("swift.rewards").orms[f"eels_{asynchronous}"] is made
    samples = [
        data.GRPOSample.from_row(
            {
                "messages": [*row["prompt"], {"role": "assistant", "content": row["completion"]}],
                **{name: row[name] for name in ("question", "answer", "images")},
            }
        )
        for row in rows()
    ]
    ids: dict[str, str] = {}
    for sample, row in zip(samples, rows(), strict=True):  # as `_add_prompt_id_to_inputs` of ms-swift 4.6 gives them
        sample.prompt_id = ids.setdefault(json.dumps(row["prompt"]), f"prompt_{len(ids)}")
    assert len({sample.prompt_id for sample in samples}) == GROUPS - 1, "two prompts differ in their pictures only"
    found = core.compute_rewards_per_func(samples, [made(args=None)], None, "cpu")
    close(found[:, 0].tolist(), TOGETHER)


def test_verl_manager_through_its_own_data():
    base = peer("verl.experimental.reward_loop.reward_manager.base")
    protocol = peer("verl.protocol")
    torch = pytest.importorskip("torch")
    from tensordict import TensorDict

    class Characters:
        def decode(self, ids: Any, skip_special_tokens: bool) -> str:
            return "".join(chr(int(one)) for one in ids)

    def item(row: dict[str, Any]) -> Any:
        """As `AgentLoopWorker._compute_score` of verl 0.9.1 builds it."""
        prompt, response = torch.tensor([1, 2, 3]), torch.tensor([*map(ord, row["completion"])])
        ids = torch.cat([prompt, response])
        tensors = {"prompts": prompt, "responses": response, "attention_mask": torch.ones_like(ids), "input_ids": ids}
        content = [{"type": "image", **image} for image in row["images"]] + [{"type": "text", "text": "eels"}]
        extra = {"question": row["question"], **({} if row["images"] else {"images": []})}
        held = {
            "data_source": "eels",
            "reward_model": {"style": "rule", "ground_truth": row["answer"]},
            "extra_info": extra,
            "raw_prompt": [{"role": "user", "content": content}],
            "uid": f"u{row['group']}",
        }
        others = {name: np.array([value] * 1, dtype=object) for name, value in held.items() if name != "raw_prompt"}
        others["raw_prompt"] = np.array([held["raw_prompt"]])
        batch = TensorDict({name: value[None] for name, value in tensors.items()}, batch_size=1)
        return protocol.DataProto(batch=batch, non_tensor_batch=others)

    async def all_of_them() -> list[dict[str, Any]]:
        manager = verl.reward_manager(TOGETHER, LOST)(config(), Characters())
        assert isinstance(manager, base.RewardManagerBase)
        return await asyncio.gather(*(manager.run_single(item(row)) for row in rows()))

    close([one["reward_score"] for one in asyncio.run(all_of_them())], TOGETHER, LOST)


def test_verl_function_through_its_own_manager():
    naive = peer("verl.experimental.reward_loop.reward_manager.naive")
    protocol = peer("verl.protocol")
    torch = pytest.importorskip("torch")
    from tensordict import TensorDict

    class Characters:
        def decode(self, ids: Any, skip_special_tokens: bool) -> str:
            return "".join(chr(int(one)) for one in ids)

    def item(row: dict[str, Any]) -> Any:
        ids = torch.tensor([*map(ord, row["completion"])])[None]
        held = {
            "data_source": "eels",
            "reward_model": {"ground_truth": row["answer"]},
            "extra_info": {"question": row["question"], "images": row["images"]},
        }
        others = {name: np.array([value], dtype=object) for name, value in held.items()}
        batch = TensorDict({"responses": ids, "attention_mask": torch.ones_like(ids)}, batch_size=1)
        return protocol.DataProto(batch=batch, non_tensor_batch=others)

    async def all_of_them() -> list[dict[str, Any]]:
        manager = naive.NaiveRewardManager(None, Characters(), verl.RewardFunction(ALONE, LOST))
        manager.loop = asyncio.get_running_loop()
        return await asyncio.gather(*(manager.run_single(item(row)) for row in rows()))

    close([one["reward_score"] for one in asyncio.run(all_of_them())], ALONE, LOST)


def test_openrlhf_through_its_executor(tmp_path):
    agent = peer("openrlhf.utils.agent")
    file = tmp_path / "reward.py"
    file.write_text(
        f"import sys; sys.path.insert(0, {str(__file__.rpartition('/')[0])!r})\nfrom composed import ALONE\n"
        "from sightline.adapters.openrlhf import RewardFunction\nreward_func = RewardFunction(ALONE)\n"
    )
    executor = agent.SingleTurnAgentExecutor(str(file))
    assert executor.reward_func == openrlhf.RewardFunction(ALONE)

    async def ask(row: dict[str, Any]) -> Any:
        prompt = f"<|im_start|>user\n{row['question']}<|im_end|>\n<|im_start|>assistant\n"
        query = prompt + row["completion"] + "<|im_end|>"
        return (await executor._fetch_rewards_via_func([query], [prompt], [packed_row(row)]))[0]["rewards"]

    async def all_of_them() -> list[float]:
        return [await ask(row) for row in rows()]

    close(asyncio.run(all_of_them()), ALONE, LOST)


def test_openrlhf_batches_what_is_logged():
    """Its replay buffer stops where one rollout has other logs than the next."""
    experience = peer("openrlhf.trainer.ppo_utils.experience")
    torch = pytest.importorskip("torch")
    function = openrlhf.RewardFunction(ALONE)
    held = []
    for row in rows():
        reply = function(["p" + row["completion"]], ["p"], [packed_row(row)])
        info = {name: torch.tensor([value]) for name, value in reply["extra_logs"].items()}
        lists = {name: [None] for name in ("prompts", "labels", "images", "mm_train_inputs")}
        held.append(
            experience.Experience(
                sequences=torch.ones(1, 2), rewards=torch.tensor([reply["rewards"]]), info=info, index=[0], **lists
            )
        )
    together = experience.Experience.concat_experiences(held, 0)
    batch = experience.make_experience_batch(experience.split_experience_batch(together))
    close(torch.stack(list(batch.rewards)).flatten().tolist(), ALONE, LOST)
    assert torch.stack(list(batch.info["reward/letters_scored"])).mean() == 0.25


def test_openrlhf_reads_the_data_that_are_exported():
    prompts = peer("openrlhf.datasets.prompts_dataset")
    row = rows()[0]
    made = row_for("openrlhf", {**row, "prompt": "<image>How many?"}, 0)
    asked: list[Any] = []

    def template(chat: Any, **_: Any) -> str:
        asked.append(chat)
        return "templated"

    found = prompts.preprocess_data(made, None, "input", "label", template)
    assert found == ("templated", made["label"])
    assert [part["type"] for part in asked[0][0]["content"]] == ["image", "text"]
    assert np.asarray(peer("openrlhf.utils.vlm_utils").load_images(made["images"])[0]).tolist() == (
        np.asarray(images.load(row["images"][0])).tolist()
    )


def test_trl_takes_two_rewards_and_writes_their_groups(tmp_path):
    """What it writes at two steps of one generation comes back in its groups."""
    peer("trl.trainer.grpo_trainer")
    datasets = peer("datasets")
    from trl import GRPOConfig, GRPOTrainer

    from sightline.scoring import Source
    from sightline.scoring.groups import read_pieces

    sys.path.insert(0, str(Path(__file__).parents[1] / "train"))
    from tiny import QUIET, model, tokenizer

    compared = SideStatistic(find=str).named("agreement")
    data = datasets.Dataset.from_list([{"prompt": "what is", "question": n, "w": float("nan")} for n in "abcd"])
    settings = GRPOConfig(
        output_dir=str(tmp_path),
        per_device_train_batch_size=8,
        steps_per_generation=2,
        num_generations=4,
        max_steps=2,
        log_completions=True,
        **QUIET,
    )
    functions = [trl.RewardFunction(compared, "eels", 4), trl.RewardFunction(letters, "more", 4)]
    GRPOTrainer(model(), functions, args=settings, train_dataset=data, processing_class=tokenizer()).train()
    source = Source(tmp_path / "completions")
    pieces = list(read_pieces(source))
    groups = [group for piece in pieces for group in piece.group.tolist()]
    assert groups == [at // 4 for at in range(32)], "equal prompts, and every rollout twice"
    said, logged = ([one for piece in pieces for one in piece.block.column(name)] for name in ("completion", "eels"))
    np.testing.assert_allclose(compared(Batch(said, group=groups)).values, logged, atol=1e-6)


def test_verifiers_through_its_own_scoring():
    peer("verifiers.v1")
    from verifiers.v1.configs.agent import AgentConfig
    from verifiers.v1.graph import MessageNode
    from verifiers.v1.trace import AgentInfo, Trace, TraceTask
    from verifiers.v1.types import AssistantMessage, UserMessage

    made = verifiers.task(ALONE, "eels", LOST)

    async def ask(row: dict[str, Any]) -> Any:
        shown = [{"type": "image_url", "image_url": {"url": images.data_url(image)}} for image in row["images"]]
        content = [*shown, {"type": "text", "text": row["question"]}]
        extra = {} if shown else {"images": []}
        data = made.row(prompt=[UserMessage(content=content)], question=row["question"], answer=row["answer"], **extra)
        task = made(data)
        trace = Trace(task=TraceTask(type="T", data=data), agent=AgentInfo(config=AgentConfig()))
        trace.nodes.append(MessageNode(message=UserMessage(content=content)))
        trace.nodes.append(MessageNode(parent=0, message=AssistantMessage(content=row["completion"]), sampled=True))
        await task.score(trace)
        assert trace.metrics["unscorable"] == float(not shown)
        return trace.reward

    async def all_of_them() -> list[float]:
        return [await ask(row) for row in rows()]

    close(asyncio.run(all_of_them()), ALONE, LOST)
    assert columns()["question"][0]


def test_trl_trains_with_it(tmp_path):
    """A whole `GRPOTrainer` on a tiny model: the rewards in its own log are those of the completions it wrote."""
    peer("trl.trainer.grpo_trainer")
    datasets = peer("datasets")
    import pyarrow.parquet as pq
    from trl import GRPOConfig, GRPOTrainer

    sys.path.insert(0, str(Path(__file__).parents[1] / "train"))
    from tiny import QUIET, model, tokenizer

    rewarded = letters + 0.5 * SideStatistic(find=str).named("agreement")
    data = datasets.Dataset.from_list([{"prompt": f"what is {n}", "question": n} for n in ("one", "two", "three")] * 4)
    settings = GRPOConfig(
        output_dir=str(tmp_path),
        per_device_train_batch_size=8,
        num_generations=4,
        max_steps=2,
        log_completions=True,
        **QUIET,
    )
    function = trl.RewardFunction(rewarded, "eels", 4)
    GRPOTrainer(model(), function, args=settings, train_dataset=data, processing_class=tokenizer()).train()
    files = sorted((tmp_path / "completions").glob("*.parquet"))
    assert len(files) == 2
    for file in files:
        table = pq.read_table(file).to_pydict()
        group = [at // 4 for at in range(len(table["prompt"]))]
        asked = {"question": [prompt.rpartition(" ")[2] for prompt in table["prompt"]]}
        wanted = rewarded(Batch(table["completion"], asked, group=group)).values
        np.testing.assert_allclose(table["eels"], wanted, atol=1e-6)
        assert table["eels/agreement"]
        assert len(set(table["eels/group"])) == max(group) + 1


def test_verifiers_traces_are_read(tmp_path):
    """What its own writer puts into `traces.jsonl`."""
    peer("verifiers.v1")
    from verifiers.v1.configs.agent import AgentConfig
    from verifiers.v1.episode import Episode
    from verifiers.v1.graph import MessageNode
    from verifiers.v1.trace import AgentInfo, Trace, TraceTask
    from verifiers.v1.types import AssistantMessage, UserMessage
    from verifiers.v1.utils.trace_store import write_episode

    from sightline.scoring import Source
    from sightline.scoring.groups import read_pieces

    made = verifiers.task(ALONE, "eels", LOST)
    for row in rows():
        shown = [{"type": "image_url", "image_url": {"url": images.data_url(image)}} for image in row["images"]]
        content = [*shown, {"type": "text", "text": row["question"]}]
        extra = {} if shown else {"images": []}
        data = made.row(prompt=[UserMessage(content=content)], question=row["question"], answer=row["answer"], **extra)
        task = TraceTask(type="T", data=data, key=f"k{row['group']}")
        trace = Trace(task=task, agent=AgentInfo(config=AgentConfig()))
        trace.nodes.append(MessageNode(message=UserMessage(content=content)))
        trace.nodes.append(MessageNode(parent=0, message=AssistantMessage(content=row["completion"]), sampled=True))
        write_episode(tmp_path, Episode(task=task, traces=[trace]))
    (piece,) = read_pieces(Source(tmp_path / "traces.jsonl"))
    batch = Batch.from_columns(piece.columns.values(piece.block, Source(tmp_path / "traces.jsonl")))
    close(TOGETHER(batch).values, TOGETHER)
