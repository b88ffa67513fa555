"""The same 64 rollouts through every adapter, called as its trainer calls: the same numbers as without a trainer."""

from __future__ import annotations

import asyncio
import pickle
import random
import sys
from collections import namedtuple
from dataclasses import replace
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from composed import ALONE, GROUPS, SIZE, TOGETHER, expected, rows

from sightline.adapters import easyr1, nemo_rl, openrlhf, swift, trl, verl
from sightline.adapters.meeting import meeting
from sightline.adapters.outcomes import Outcome, as_columns
from sightline.adapters.packed import pack
from sightline.core.errors import ColumnError, CompositionError, ConfigError, ShapeError
from sightline.core.scores import ERROR

LOST = 0.0


def close(found: Any, reward: Any, unscorable: float = float("nan")) -> None:
    wanted = expected(reward)
    assert np.isnan(wanted).sum() == SIZE, "one group of eight has nothing to look at"
    got = np.array([np.nan if one is None else one for one in found], np.float64)
    np.testing.assert_allclose(got, np.where(np.isnan(wanted), unscorable, wanted), atol=1e-6)


def columns(*without: str) -> dict[str, list[Any]]:
    return {name: values for name, values in as_columns(rows()).items() if name not in ("completion", *without)}


def chat(texts: list[str]) -> list[list[dict[str, str]]]:
    return [[{"role": "assistant", "content": text}] for text in texts]


@pytest.mark.parametrize("conversational", [True, False])
@pytest.mark.parametrize("grouped", [True, False])
def test_trl_calls_with_columns(conversational, grouped):
    held = columns("prompt", *(() if grouped else ("group",)))
    said = [row["completion"] for row in rows()]
    extra, metrics = {}, {}
    function = trl.RewardFunction(TOGETHER, "eels", SIZE)
    found = function(
        prompts=columns()["prompt"],
        completions=chat(said) if conversational else said,
        completion_ids=[[1, 2]] * len(said),
        trainer_state=SimpleNamespace(global_step=3),
        log_extra=extra.__setitem__,
        log_metric=metrics.__setitem__,
        **held,
    )
    close(found, TOGETHER)
    assert function.__name__ == "eels"
    assert pickle.loads(pickle.dumps(function)) == function
    assert set(extra) == {f"eels/{name}" for name in ("why", "group", "accuracy", "letters", "bright", "agreement")}
    assert len(set(extra["eels/group"])) == GROUPS
    assert metrics["eels/accuracy"] == pytest.approx(np.mean(extra["eels/accuracy"]))


def test_a_group_torn_between_processes_is_an_error():
    held = {name: values[:12] for name, values in columns("prompt", "group").items()}
    said = [row["completion"] for row in rows()][:12]
    with pytest.raises(ShapeError, match=r"groups of \[4, 8\] rollouts where 8 were expected; let per_device"):
        trl.RewardFunction(TOGETHER, group_size=SIZE)(columns()["prompt"][:12], said, **held)


def test_easyr1_calls_with_packed_columns_in_any_order():
    order = list(range(GROUPS * SIZE))
    random.Random(0).shuffle(order)
    given = [
        {"response": row["completion"], "response_length": 9, "ground_truth": packed_row(row)}
        for row in (rows()[at] for at in order)
    ]
    found = easyr1.RewardFunction(TOGETHER, LOST, SIZE)(given)
    back = dict(zip(order, found, strict=True))
    close([back[at]["overall"] for at in range(len(order))], TOGETHER, LOST)
    assert {"overall", "accuracy", "agreement"} <= set(found[0])
    with pytest.raises(ColumnError, match="EasyR1 does not say which rollouts belong together"):
        easyr1.RewardFunction(TOGETHER)([{"response": "a", "response_length": 1, "ground_truth": "7"}])


def packed_row(row: dict[str, Any]) -> str:
    return pack({name: row[name] for name in ("answer", "question", "images", "group")})


@pytest.mark.parametrize("known", [True, False])
def test_swift_calls_with_messages_and_prompt_ids(known):
    held = columns("prompt", "group")
    held["messages"] = [[*row["prompt"], {"role": "assistant", "content": row["completion"]}] for row in rows()]
    held["prompt_id"] = [f"p{row['group']}" if known else None for row in rows()]
    held["response_token_ids"] = [[[1, 2], [3]] for _ in rows()]
    said = [row["completion"] for row in rows()]
    close(swift.Outcomes(TOGETHER, SIZE)(said, {"trainer_state": None, **held}), TOGETHER)


def test_openrlhf_calls_with_one_query():
    function = openrlhf.RewardFunction(ALONE, LOST)
    found = []
    for row in rows():
        prompt = f"<|im_start|>user\n<image>{row['question']}<|im_end|>\n<|im_start|>assistant\n"
        query = prompt.replace("<image>", "<|image_pad|>" * 5) + row["completion"] + "<|im_end|>\n"
        reply = function([query], [prompt], [packed_row(row)])
        assert reply["rewards"] == reply["scores"]
        assert all(isinstance(value, float) for value in reply["extra_logs"].values())
        found.append(reply["rewards"])
    close(found, ALONE, LOST)


def test_verl_calls_a_function_with_one_rollout():
    function = verl.RewardFunction(ALONE, LOST)
    found = [
        function(
            data_source="eels",
            solution_str=row["completion"],
            ground_truth=row["answer"],
            extra_info={"question": row["question"], "images": row["images"], "num_turns": 2},
        )
        for row in rows()
    ]
    close([one["score"] for one in found], ALONE, LOST)
    assert len({tuple(one) for one in found}) == 1, "verl takes the names of the first rollout for all"
    assert {one["unscorable"] for one in found} == {0.0, 1.0}


@pytest.mark.parametrize(
    "refusing", [lambda: openrlhf.RewardFunction(TOGETHER), lambda: verl.RewardFunction(TOGETHER)], ids=["rlhf", "verl"]
)
def test_who_sees_one_rollout_refuses_a_group_reward(refusing):
    with pytest.raises(CompositionError, match="SideStatistic compares the rollouts of a prompt"):
        refusing()


class FakeManager:
    """As verl 0.9 makes its managers."""

    def __init__(self, config: Any, tokenizer: Any, compute_score: Any) -> None:
        self.config, self.tokenizer, self.compute_score = config, tokenizer, compute_score


class Letters:
    """A tokenizer whose tokens are characters."""

    def decode(self, ids: Any, skip_special_tokens: bool) -> str:
        return "".join(map(chr, ids))


def verl_item(row: dict[str, Any]) -> Any:
    """One rollout as the agent loop of verl 0.9.1 sends it, with three padded positions."""
    ids = np.array([*map(ord, row["completion"]), 0, 0, 0])
    said = len(ids) - 3
    content = [{"type": "image", **image} for image in row["images"]] + [{"type": "text", "text": row["question"]}]
    tensors = {"responses": ids, "attention_mask": np.array([1] * 5 + [1] * said + [0] * 3)}
    others = {
        "data_source": "eels",
        "reward_model": {"style": "rule", "ground_truth": row["answer"]},
        "extra_info": {"question": row["question"], **({} if row["images"] else {"images": []})},
        "raw_prompt": [{"role": "user", "content": content}],
        "uid": f"u{row['group']}",
    }
    return [SimpleNamespace(batch=tensors, non_tensor_batch=others)]


def config(**changes: Any) -> dict[str, Any]:
    rollout = {"n": SIZE, "val_kwargs": {"n": changes.pop("val", SIZE)}}
    held = {"num_workers": changes.pop("workers", 1)}
    return {
        "actor_rollout_ref": {"rollout": rollout},
        "reward": held,
        "data": {"train_batch_size": changes.pop("prompts", GROUPS)},
    }


@pytest.fixture
def fake_verl(monkeypatch):
    name = "verl.experimental.reward_loop.reward_manager.base"
    parts = name.split(".")
    for count in range(1, len(parts) + 1):
        monkeypatch.setitem(sys.modules, ".".join(parts[:count]), ModuleType(".".join(parts[:count])))
    sys.modules[name].RewardManagerBase = FakeManager


@pytest.mark.usefixtures("fake_verl")
def test_verl_manager_keeps_groups_whole():
    order = list(range(GROUPS * SIZE))
    random.Random(1).shuffle(order)
    manager = verl.reward_manager(TOGETHER, LOST)(config(), Letters(), None)

    async def all_of_them() -> list[dict[str, Any]]:
        return await asyncio.gather(*(manager.run_single(verl_item(rows()[at])) for at in order))

    back = dict(zip(order, asyncio.run(all_of_them()), strict=True))
    close([back[at]["reward_score"] for at in range(len(order))], TOGETHER, LOST)
    hall = manager.meeting.enter.__self__
    assert hall.waiting == hall.scoring == {}


@pytest.mark.usefixtures("fake_verl")
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"val": 1}, "8 rollouts in training and 1 in validation"),
        ({"prompts": 512}, "4096 rollouts at once"),
    ],
)
def test_verl_manager_refuses_a_configuration_that_tears_groups(changes, message):
    made = verl.reward_manager(TOGETHER)
    with pytest.raises(ConfigError, match=message):
        made(config(**changes), Letters())
    verl.reward_manager(ALONE)(config(**changes), Letters())


def test_a_group_that_never_completes_leaves_unscored_and_a_failure_reaches_all():
    async def short() -> Any:
        three = meeting(3, list, 0.05)
        return await asyncio.gather(*(three.outcome("g", {}) for _ in range(2)))

    assert [one.why for one in asyncio.run(short())] == [
        f"{ERROR}after 0.05 s 2 of 3 rollouts of the group had come, and they have no scores"
    ] * 2

    def fails(_: Any) -> Any:
        raise ColumnError("no such column")

    async def broken() -> Any:
        two = meeting(2, fails, 5)
        return await asyncio.gather(*(two.outcome("g", {}) for _ in range(2)), return_exceptions=True)

    waited, scored = asyncio.run(broken())
    assert (type(scored), type(waited)) == (ColumnError, RuntimeError)
    assert str(waited) == "ColumnError: no such column"


def test_rollouts_of_a_reward_that_compares_none_wait_for_nobody():
    """Those of one prompt have one name, and come while others of it are being scored."""

    async def all_of_them() -> Any:
        one = meeting(1, lambda held: [Outcome(held[0]["at"])], 60.0)
        return await asyncio.gather(*(one.outcome("g", {"at": float(at)}) for at in range(8)))

    assert [one.value for one in asyncio.run(all_of_them())] == [*range(8)]


def test_one_who_leaves_early_holds_up_nobody():
    """A rollout that loses its patience takes those that came after it with it; one that is cancelled stays counted."""

    async def late() -> Any:
        three = meeting(3, list, 0.2)
        first = asyncio.create_task(three.outcome("g", {}))
        await asyncio.sleep(0)
        patient = replace(three, patience=60.0)
        return await asyncio.gather(first, patient.outcome("g", {}))

    assert all(one.why.startswith(ERROR) for one in asyncio.run(late()))

    async def cancelled() -> Any:
        three = meeting(3, lambda held: [Outcome(float(at)) for at in range(len(held))], 60.0)
        calls = [asyncio.create_task(three.outcome("g", {})) for _ in range(2)]
        await asyncio.sleep(0)
        calls[0].cancel()
        found = [(await three.outcome("g", {})).value, (await calls[1]).value]
        return found, three.enter.__self__.waiting

    assert asyncio.run(cancelled()) == ([2.0, 1.0], {})


@pytest.mark.parametrize("named", [True, False])
def test_nemo_rl_calls_step_with_logs_and_metadata(named):
    logs = [[*row["prompt"], {"role": "assistant", "content": row["completion"], "token_ids": [1]}] for row in rows()]
    held = ("answer", "question", "images", *(("group",) if named else ()))
    step = nemo_rl.Step(TOGETHER, SIZE)
    close([one.value for one in step(logs, [{name: row[name] for name in held} for row in rows()])], TOGETHER)
    with pytest.raises(ShapeError, match=r"NeMo-RL: groups of \[1\]"):  # as asynchronous rollouts call
        step(logs[:1], [{name: rows()[0][name] for name in held}])


def test_nemo_rl_environment_returns_what_its_interface_says(monkeypatch):
    torch = pytest.importorskip("torch")
    name = "nemo_rl.environments.interfaces"
    parts = name.split(".")
    for count in range(1, len(parts) + 1):
        monkeypatch.setitem(sys.modules, ".".join(parts[:count]), ModuleType(".".join(parts[:count])))
    sys.modules[name].EnvironmentInterface = type("EnvironmentInterface", (), {})
    fields = ["observations", "metadata", "next_stop_strings", "rewards", "terminateds", "answers"]
    sys.modules[name].EnvironmentReturn = namedtuple("EnvironmentReturn", fields)
    logs = [[*row["prompt"], {"role": "assistant", "content": row["completion"]}] for row in rows()]
    held = [{name: row[name] for name in ("answer", "question", "images", "group")} for row in rows()]
    found = nemo_rl.environment(TOGETHER, group_size=SIZE, unscorable=LOST)({}).step(logs, held)
    close(found.rewards.tolist(), TOGETHER, LOST)
    assert found.metadata is held
    assert torch.equal(found.terminateds, torch.ones(len(logs)))
    assert found.next_stop_strings == [None] * len(logs)
