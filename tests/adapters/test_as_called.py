"""What trainers really pass: columns not ours, prompts that repeat, pictures in other places, names that clash."""

from __future__ import annotations

import json
import logging
import struct
import sys
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
from composed import ALONE, GROUPS, SIZE, TOGETHER, accuracy, bright, expected, letters, rows
from test_same_number import LOST, close, columns, packed_row

from sightline.adapters import easyr1, nemo_rl, openrlhf, swift, trl, verifiers
from sightline.adapters.outcomes import as_columns, blocks, one_prompt, outcomes, same, unsuited
from sightline.adapters.packed import pack, unwrapped, wrap
from sightline.core.errors import ColumnError, CompositionError, ShapeError
from sightline.rewards import Switch
from sightline.system import load

SAID = [row["completion"] for row in rows()]
PROMPTS = [row["prompt"] for row in rows()]


def nan() -> float:
    """Another object every time, as a reader of a file makes them."""
    return struct.unpack("d", struct.pack("d", float("nan")))[0]


@pytest.mark.parametrize("size", [0, SIZE])
def test_trl_numbers_that_are_missing_do_not_tear_groups(size):
    held = columns("prompt", "group") | {"score": [nan() for _ in SAID], "box": [np.array([nan(), 1.0]) for _ in SAID]}
    close(trl.RewardFunction(TOGETHER, group_size=size)(PROMPTS, SAID, **held), TOGETHER)


def test_trl_fields_of_a_rollout_function_do_not_tear_groups():
    held = columns("prompt", "group") | {"env_mask": [[1] * number for number in range(len(SAID))]}
    close(trl.RewardFunction(TOGETHER, group_size=SIZE)(PROMPTS, SAID, **held), TOGETHER)
    with pytest.raises(ShapeError, match="say group_size=num_generations"):
        trl.RewardFunction(TOGETHER)(PROMPTS, SAID, **held)


@pytest.mark.parametrize("grouped", [True, False])
def test_trl_the_same_prompt_twice_in_a_batch_is_two_groups(grouped):
    twice = [*range(SIZE), *range(SIZE)]
    held = {name: [values[at] for at in twice] for name, values in columns("prompt").items()}
    if not grouped:
        held["group"] = [None] * len(twice)
    found = trl.RewardFunction(TOGETHER, group_size=SIZE)([PROMPTS[0]] * 2 * SIZE, [SAID[at] for at in twice], **held)
    np.testing.assert_allclose(found, np.tile(expected(TOGETHER)[:SIZE], 2), atol=1e-6)


def test_trl_other_generations_in_evaluation_are_an_error():
    with pytest.raises(ShapeError, match="rollouts 0 and 8 have different prompts where 16 rollouts of one"):
        trl.RewardFunction(TOGETHER, group_size=16)(PROMPTS, SAID, **columns("prompt", "group"))


def test_trl_environments_write_into_the_prompts_of_a_group():
    asked = [[*prompt, {"role": "user", "content": f"you are at {at}"}] for at, prompt in enumerate(PROMPTS)]
    held = columns("prompt", "group") | {"environments": [object()] * len(SAID)}
    close(trl.RewardFunction(TOGETHER, group_size=SIZE)(asked, SAID, **held), TOGETHER)


def test_trl_columns_may_have_any_name_and_what_is_no_column_is_left_out():
    held = {name: values for name, values in columns("prompt").items() if name != "group"}
    held |= {"self": [1] * len(SAID), "name": ["a"] * len(SAID), "temperature": 0.7, "more": None}
    close(trl.RewardFunction(ALONE)(prompts=PROMPTS, completions=SAID, **held), ALONE)


def test_two_rewards_of_one_trl_trainer_log_columns_of_their_own():
    extra: dict[str, list[Any]] = {}

    def log(name: str, values: list[Any]) -> None:
        extra.setdefault(name, []).extend(values)

    for name in ("one", "two"):
        trl.RewardFunction(ALONE, name)(PROMPTS, SAID, log_extra=log, **columns("prompt"))
    assert {len(values) for values in extra.values()} == {len(SAID)}
    assert "one/why" in extra
    assert "two/why" in extra


def swift_columns(**more: Any) -> dict[str, Any]:
    """As ms-swift 4.6 makes them: the id of a prompt is that of its text, pictures are paths that may be data URLs."""
    ids: dict[str, str] = {}
    held: dict[str, Any] = columns("prompt", "group", "images")
    held["images"] = [
        [{"bytes": None, "path": url} for url in json.loads(packed_row(row))["sightline"]["images"]] or None
        for row in rows()
    ]
    held["messages"] = [[*row["prompt"], {"role": "assistant", "content": row["completion"]}] for row in rows()]
    held["prompt_id"] = [ids.setdefault(json.dumps(prompt), f"prompt_{len(ids)}") for prompt in PROMPTS]
    assert len(ids) == GROUPS - 1
    return held | {"trainer_state": SimpleNamespace(global_step=1), "self": [0] * len(SAID)} | more


@pytest.mark.parametrize("size", [0, SIZE])
def test_swift_gives_one_id_to_prompts_that_read_alike(size):
    close(swift.Outcomes(TOGETHER, size)(SAID, swift_columns()), TOGETHER)


def test_swift_turns_before_the_last_differ_within_a_group():
    held = swift_columns()
    held["messages"] = [
        [*m[:-1], {"role": "assistant", "content": f"turn {at}"}, {"role": "user", "content": "go"}, m[-1]]
        for at, m in enumerate(held["messages"])
    ]
    close(swift.Outcomes(TOGETHER, SIZE)(SAID, held), TOGETHER)
    with pytest.raises(ShapeError, match="per_device_train_batch_size"):
        swift.Outcomes(TOGETHER, SIZE)(SAID[:12], {name: v[:12] for name, v in held.items() if isinstance(v, list)})


def test_swift_leaves_out_pictures_that_no_row_of_a_batch_has():
    held = {name: values for name, values in swift_columns().items() if name != "images"}
    assert swift.Outcomes(bright)(SAID, held) == [None] * len(SAID)


def test_nemo_rl_pictures_may_stand_in_the_messages():
    logs = [
        [
            {"role": "system", "content": "S"},
            {
                "role": "user",
                "content": [
                    *({"type": "image", "image": one} for one in row["images"]),
                    {"type": "text", "text": row["question"]},
                ],
            },
            {"role": "assistant", "content": row["completion"]},
        ]
        for row in rows()
    ]
    held = [{"ground_truth": row["answer"], "question": row["question"]} for row in rows()]
    close([one.value for one in nemo_rl.Step(TOGETHER, SIZE)(logs, held)], TOGETHER)


def test_nemo_rl_is_told_of_the_environment_and_its_interpreter(monkeypatch):
    registered: dict[str, str] = {}
    held = {
        "nemo_rl.distributed.virtual_cluster": {"PY_EXECUTABLES": SimpleNamespace(SYSTEM="python")},
        "nemo_rl.distributed.ray_actor_environment_registry": {"ACTOR_ENVIRONMENT_REGISTRY": {}},
        "nemo_rl.environments.utils": {"register_env": registered.__setitem__},
    }
    for name, values in held.items():
        parts = name.split(".")
        for count in range(1, len(parts) + 1):
            made = sys.modules.get(".".join(parts[:count])) or ModuleType(".".join(parts[:count]))
            monkeypatch.setitem(sys.modules, ".".join(parts[:count]), made)
        sys.modules[name].__dict__.update(values)
    nemo_rl.register("sightline_reward.SightlineEnvironment")
    assert registered == {"sightline": "sightline_reward.SightlineEnvironment"}
    known = sys.modules["nemo_rl.distributed.ray_actor_environment_registry"].ACTOR_ENVIRONMENT_REGISTRY
    assert known == {"sightline_reward.SightlineEnvironment": "python"}


def test_every_rollout_has_the_same_finite_curves():
    """OpenRLHF stops where logs differ; EasyR1 filters by a list of one of them beside its rollouts."""
    logs = [
        openrlhf.RewardFunction(ALONE)(["p" + row["completion"]], ["p"], [packed_row(row)])["extra_logs"]
        for row in rows()
    ]
    assert len({tuple(one) for one in logs}) == 1
    given = [{"response": row["completion"], "response_length": 9, "ground_truth": packed_row(row)} for row in rows()]
    found = easyr1.RewardFunction(TOGETHER, LOST, SIZE)(given)
    assert len({tuple(sorted(one)) for one in found}) == 1
    values = np.array([[*one.values()] for one in logs])
    assert np.isfinite(values).all()
    asked = np.array([one["reward/letters_scored"] for one in logs])
    assert asked.tolist() == [one["reward/accuracy"] for one in logs], "letters are asked where the answer is right"
    wanted = outcomes(ALONE, SAID, as_columns(rows()))
    assert sum(one["reward/letters"] for one in logs) / asked.sum() == pytest.approx(
        np.nanmean([one.parts["letters"] for one in wanted])
    )


def test_a_part_may_be_called_like_the_sum():
    made = (accuracy + 0.5 * bright.named("overall")).named("all")
    given = [{"response": row["completion"], "response_length": 9, "ground_truth": packed_row(row)} for row in rows()]
    close([one["overall"] for one in easyr1.RewardFunction(made, LOST)(given)], made, LOST)


def test_parts_that_a_single_rollout_does_not_have_are_there():
    made = Switch("kind", {"a": accuracy, "b": letters})
    (one,) = outcomes(made, SAID[:1], {"kind": ["a"], "answer": ["0"]})
    assert list(one.parts) == ["accuracy", "letters"]
    assert one.curves() == {
        "accuracy": 1.0,
        "letters": 0.0,
        "accuracy_scored": 1.0,
        "letters_scored": 0.0,
        "unscorable": 0.0,
    }


@pytest.mark.parametrize(
    ("prompt", "query", "wanted"),
    [
        ("Q<|im_start|>assistant\n", "Q<|im_start|>assistant\nA</s> is struck<|im_end|>", "A</s> is struck"),
        ("Q<|im_start|>assistant\n", "Q<|im_start|>assistant\nA <eos> B</s></s>\n", "A <eos> B"),
        # the model repeats how its own turn begins
        (
            "<image>Q?<|im_start|>assistant\n",
            "<pad><pad>Q?<|im_start|>assistant\nbad<|im_start|>assistant\ngood<|im_end|>",
            "bad<|im_start|>assistant\ngood",
        ),
        # the beginning of a long prompt was cut off
        ("long long prompt. Answer:", "prompt. Answer: 7\n", " 7\n"),
        ("another", "[INST] Q [/INST] A</s>", " A"),
        ("Q", "Q", ""),
    ],
)
def test_openrlhf_response_is_what_the_model_wrote(prompt, query, wanted):
    assert openrlhf.RewardFunction(ALONE).response(query, prompt) == wanted


@pytest.mark.timeout(60)
def test_openrlhf_takes_long_and_hostile_queries():
    prompt, said = "<image>" + "where? " * 20_000, "</s>" * 50_000 + "x" + "</s>" * 5_000
    found = openrlhf.RewardFunction(ALONE).response("<pad>" + prompt.removeprefix("<image>") + said, prompt)
    assert found == "</s>" * 50_000 + "x"


def test_openrlhf_logs_every_failure(caplog):
    with caplog.at_level(logging.ERROR), pytest.raises(ColumnError):
        openrlhf.RewardFunction(ALONE)(["pA"], ["p"], ["7"])
    with caplog.at_level(logging.ERROR), pytest.raises(AttributeError):
        openrlhf.RewardFunction(ALONE)([7], ["p"], ["7"])
    assert [record.message for record in caplog.records] == ["sightline: these rollouts have no reward"] * 2


def test_verifiers_prompt_without_pictures_is_nothing_to_judge():
    row = rows()[0]

    class Data:
        model_fields: ClassVar = {}
        model_extra: ClassVar = {"answer": row["answer"], "question": row["question"]}

    message = SimpleNamespace(model_dump=lambda mode: row["prompt"][0], role="user")
    reply = SimpleNamespace(
        model_dump=lambda mode: {"role": "assistant", "content": row["completion"]}, role="assistant"
    )
    nodes = [SimpleNamespace(message=message, sampled=False), SimpleNamespace(message=reply, sampled=True)]
    trace = SimpleNamespace(branches=[SimpleNamespace(nodes=nodes)], task=SimpleNamespace(data=Data()))
    assert "no picture" in verifiers.outcome(ALONE, trace).why


def test_groups_over_several_prompts_are_refused():
    reward = load("co-reward").reward
    for made in (trl.RewardFunction, swift.Outcomes, easyr1.RewardFunction, nemo_rl.Step):
        with pytest.raises(CompositionError, match="several neighbouring rows of the data"):
            made(reward)
    assert one_prompt(TOGETHER, "X") is TOGETHER


def test_values_of_any_shape_come_back():
    values = [{"total": 3}, {"date": "x"}, [[1, 2], "a"], None, 1, 1.5, "text", '{"sightline": 1}', [], {}]
    assert [*unwrapped([wrap(one) for one in values])] == values
    (one,) = outcomes(accuracy, [r"\boxed{7}"], {"solution": [wrap("7")]})
    assert one.value == 1.0
    with pytest.raises(ColumnError, match="column `when` holds"):
        pack({"when": object()})


def test_same_knows_arrays_pictures_and_missing_numbers():
    assert same(nan(), nan())
    assert same([{"a": np.array([nan(), 1.0])}], [{"a": np.array([nan(), 1.0])}])
    assert not same(np.arange(3000), np.arange(3000) % 1500)
    assert same(np.array(["a", None], object), np.array(["a", None], object))
    assert not same(nan(), 1.0)
    torch = pytest.importorskip("torch")
    assert same(torch.tensor([1, 2]), torch.tensor([1, 2]))
    assert not same({"a": torch.tensor([1, 2])}, {"a": torch.tensor([1, 3])})


def test_blocks_are_whole():
    assert blocks([], 4, "X", "") == []
    with pytest.raises(ShapeError, match=r"X: groups of \[1, 2\] rollouts where 2 were expected; do this"):
        blocks(["a"] * 3, 2, "X", "do this")


def test_data_that_a_reward_cannot_read_are_told_before_training():
    held = [{"answer": "7", "question": "?"}]
    assert unsuited(ALONE, held) == ""
    assert "reads column `question`" in unsuited(ALONE, [{"solution": "7"}])
