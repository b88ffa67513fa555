"""Dumps whose rows are not rollouts yet: a step, an episode, a sample, a server's reply. One function per program.

Every function maps a row of the file to rows with `prompt`, `completion`, `group` and `images` where the dump has them,
and the free columns of the data. What no model wrote keeps another role than `assistant`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sightline.media.messages import message_images

Row = dict[str, Any]
# how a text ends that asks the model to go on, in the chat templates of common models
ASKS = re.compile(
    r"(?:<\|im_start\|>assistant|<\|start_header_id\|>assistant<\|end_header_id\|>|<start_of_turn>model|\[/INST\]"
    r"|<\|assistant\|>|ASSISTANT:)"
    r"\s*(?:<think>\s*)?(?:</think>\s*)?\Z"
)
TASK_SETTINGS = frozenset(
    [
        "idx",
        "name",
        "description",
        "prompt",
        "system_prompt",
        "image",
        "workdir",
        "agent_user",
        "skills",
        "network_allow",
        "network_block",
        "artifacts",
        "artifact_max_bytes",
        "timeout",
        "resources",
    ]
)
SAMPLE_INTERNALS = frozenset(
    [
        "tokens",
        "multimodal_inputs",
        "multimodal_train_inputs",
        "response",
        "response_length",
        "label",
        "loss_mask",
        "weight_versions",
        "rollout_log_probs",
        "rollout_routed_experts",
        "teacher_log_probs",
        "mopd_teacher_log_probs",
        "metadata",
        "train_metadata",
        "group_index",
        "spec_info",
        "prefix_cache_info",
        "generate_function_path",
        "session_id",
    ]
)


def swift_rows(row: Mapping[str, Any]) -> list[Row]:
    """ms-swift: a line is a step, each of its columns a list.

    Example:
        >>> swift_rows({"step": ["1", "1"], "completion": ["a", "b"]})
        [{'step': 1, 'completion': 'a'}, {'step': 1, 'completion': 'b'}]
    """
    said = row.get("completion")
    if not isinstance(said, list):
        return [dict(row)]
    whole = {name: values for name, values in row.items() if isinstance(values, list) and len(values) == len(said)}
    if all(isinstance(step, str) and step.isdecimal() for step in whole.get("step", [None])):
        whole["step"] = [int(step) for step in whole["step"]]
    return [{name: values[at] for name, values in whole.items()} for at in range(len(said))]


def nemo_rl_rows(row: Mapping[str, Any]) -> list[Row]:
    """NeMo-RL: `content` holds the texts of the turns without their roles: prompt, reply, environment, reply, ...

    The prompt goes as far as the first turn that ends by asking the assistant to go on, since a system prompt is a turn
    of its own; it is the first turn where none does.

    A dump whose `content` is one text does not tell prompt and reply apart; its rows have no completion.
    """
    content = row.get("content")
    free = {name: value for name, value in row.items() if name not in ("content", "token_ids", "token_loss_mask")}
    if not isinstance(content, list) or not content:
        return [{**free, "completion": None, "content": content}]
    asked = next((at for at, text in enumerate(content[:-1]) if ASKS.search(str(text)[-80:])), 0) + 1
    turns = [_turn("assistant" if at % 2 == 0 else "environment", text) for at, text in enumerate(content[asked:])]
    return [{**free, "prompt": content[0] if asked == 1 else content[:asked], "completion": turns}]


def nemo_gym_rows(row: Mapping[str, Any]) -> list[Row]:
    """NeMo-Gym: `responses_create_params` is what was asked, `response` what came, in the shape of OpenAI Responses.

    A row without a response, as in the file of failures, is no rollout.
    """
    if not _came(row.get("response")):
        return []
    asked = row.get("responses_create_params") or {}
    given = asked.get("input") or ""
    free = {name: value for name, value in row.items() if name not in ("responses_create_params", "response")}
    found = {**free, **_shown(given), "completion": _output(row.get("response") or {})}
    if row.get("_ng_task_index") is not None:
        found["group"] = row["_ng_task_index"]
    return [found]


def verifiers_rows(row: Mapping[str, Any]) -> list[Row]:
    """verifiers: a line is an episode; every trace of it is a rollout, read along its last branch.

    A trace in which no model said anything, since it failed before, is no rollout.
    """
    found = []
    for trace in row.get("traces") or []:
        nodes = _branch(trace.get("nodes") or [])
        if not any(node.get("sampled") for node in nodes):
            continue
        first = next((at for at, node in enumerate(nodes) if node.get("sampled")), len(nodes))
        task = trace.get("task") or row.get("task") or {}
        data = task.get("data") or {}
        columns = {name: value for name, value in data.items() if name not in TASK_SETTINGS}
        prompt = [_plain(node["message"]) for node in nodes[:first]]
        said = [_said(node) for node in nodes[first:]]
        group = (row.get("group") or {}).get("id") or task.get("key") or task.get("hash") or row.get("id")
        found.append({**columns, **_shown(prompt), "completion": said, "group": group, "rewards": trace.get("rewards")})
    return found


def slime_rows(row: Mapping[str, Any]) -> list[Row]:
    """slime: a sample of a debug rollout dump; the columns of the data stand in `metadata`."""
    held = row.get("multimodal_inputs") or {}
    free = {name: value for name, value in row.items() if name not in SAMPLE_INTERNALS}
    found = {**(row.get("metadata") or {}), **free, "completion": row.get("response")}
    if row.get("label") is not None:
        found["answer"] = row["label"]
    found["group"] = row.get("group_index")
    for name in ("images", "videos"):
        if held.get(name) is not None:
            found[name] = held[name]
    return [found]


def openai_rows(row: Mapping[str, Any]) -> list[Row]:
    """OpenAI batch output: every choice is a rollout, the request its group. A request that failed has none."""
    body = (row.get("response") or {}).get("body") or {}
    if row.get("error") or (row.get("response") or {}).get("status_code", 200) != 200:
        return []
    said: list[Any] = [
        [_plain(choice["message"])] if choice.get("message") else choice.get("text") or ""
        for choice in body.get("choices") or []
    ]
    if not said and body.get("output") is not None and _came(body):
        said = [_output(body)]
    held = {"custom_id": row.get("custom_id"), "group": row.get("custom_id"), "model": body.get("model")}
    return [{**held, "completion": one} for one in said]


def request_columns(row: Mapping[str, Any]) -> Row:
    """A row of an OpenAI batch input file as columns: prompt and pictures; other rows as they are.

    Example:
        >>> request_columns({"custom_id": "7", "body": {"messages": [{"role": "user", "content": "Hi"}]}})
        {'custom_id': '7', 'prompt': [{'role': 'user', 'content': 'Hi'}]}
    """
    body = row.get("body")
    if not isinstance(body, Mapping) or "custom_id" not in row:
        return dict(row)
    asked = body.get("messages") or body.get("input") or body.get("prompt") or []
    return {"custom_id": row.get("custom_id"), **_shown(asked), **(body.get("metadata") or {})}


def _shown(asked: Any) -> Row:
    if isinstance(asked, str):
        return {"prompt": asked}
    images = message_images(asked)
    return {"prompt": [_plain(turn) for turn in asked], **({"images": images} if images else {})}


def _came(response: Any) -> bool:
    """Whether a reply of OpenAI Responses is one: it may have been cut short, but did not fail."""
    return isinstance(response, Mapping) and not response.get("error") and response.get("status") != "failed"


def _output(response: Mapping[str, Any]) -> list[Row]:
    """The turns of a reply of OpenAI Responses: messages are the policy's, what tools gave back is not."""
    turns = []
    for item in response.get("output") or []:
        kind = item.get("type", "message")
        if kind == "message":
            turns.append(_plain({"role": "assistant", **item}))
        elif kind.endswith("_output"):
            turns.append(_turn("tool", item.get("output")))
    return turns


def _branch(nodes: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """From the root to the last leaf of a message graph."""
    parents = {node.get("parent") for node in nodes}
    at = next((number for number in range(len(nodes) - 1, -1, -1) if number not in parents), None)
    path: list[Mapping[str, Any]] = []
    while at is not None and len(path) <= len(nodes):
        path.append(nodes[at])
        at = nodes[at].get("parent")
    return path[::-1]


def _said(node: Mapping[str, Any]) -> Row:
    turn = _plain(node["message"])
    quoted = turn["role"] == "assistant" and not node.get("sampled")
    return {**turn, "role": "context"} if quoted else turn


def _plain(turn: Mapping[str, Any]) -> Row:
    """Role and content; parts of every kind of text are text."""
    content = turn.get("content")
    if isinstance(content, list):
        texts = ("text", "input_text", "output_text")
        content = [
            {"type": "text", "text": part.get("text")} if part.get("type") in texts else part for part in content
        ]
    return _turn(str(turn.get("role") or "user"), content)


def _turn(role: str, content: Any) -> Row:
    return {"role": role, "content": "" if content is None else content}
