"""verifiers v1: a task whose reward is a composed reward.

verifiers brings a trace: the row of the data and the graph of messages with what the model wrote told apart. It asks
about one trace at a time. Pictures stand in the messages of the prompt, as data URLs.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pydantic

from sightline.adapters.outcomes import Outcome, as_columns, one_at_a_time, outcomes
from sightline.media.messages import message_images
from sightline.rewards.reward import Reward

REMEDY = "leave that part out, or train with TRL, verl, ms-swift or EasyR1"


def task(reward: Reward, name: str = "sightline", unscorable: float = 0.0) -> type:
    """A `vf.Task` with one reward, `name`, its parts as metrics, and its reason in `trace.info`.

    Args:
        reward: any reward expression that compares no rollouts.
        name: what the reward is called in a trace.
        unscorable: the number where there is nothing to judge or the judge failed; verifiers has no other word for it.

    Raises:
        CompositionError: the reward compares the rollouts of a prompt.
        MissingExtra: verifiers is not installed.
    """
    from sightline.adapters.peers import needed

    one_at_a_time(reward, "verifiers", REMEDY)
    vf = needed("verifiers.v1", "verifiers")

    class Data(vf.TaskData):  # type: ignore[name-defined,misc]
        """The row of the data with all of its columns."""

        model_config = pydantic.ConfigDict(frozen=True, extra="allow")

    async def scored(self: Any, trace: Any) -> float:
        one = await asyncio.to_thread(outcome, reward, trace)
        trace.record_metrics({**one.numbers(), "unscorable": float(not one.scored)})
        trace.info["sightline"] = one.why
        return one.number(unscorable)

    class SightlineTask(vf.Task[Data, vf.State, vf.TaskConfig]):  # type: ignore[name-defined,misc]
        """One row of the data and its reward."""

        row = Data

    scored.__name__ = name
    setattr(SightlineTask, name, vf.reward(weight=1.0)(scored))
    return SightlineTask


def outcome(reward: Reward, trace: Any) -> Outcome:
    """The outcome of one trace: its last branch, from the first message that the model wrote.

    Messages that no model call produced are context, whatever role they claim.
    """
    nodes = trace.branches[-1].nodes if trace.branches else []
    first = next((at for at, node in enumerate(nodes) if node.sampled), len(nodes))
    prompt = [_message(node.message) for node in nodes[:first]]
    said = [
        {**_message(node.message), **({} if node.sampled else {"role": _context(node.message.role)})}
        for node in nodes[first:]
    ]
    data = trace.task.data
    row = dict(data.model_extra or {})
    row.update({name: getattr(data, name) for name in type(data).model_fields if name not in _plain_fields(data)})
    row.setdefault("images", message_images(prompt))
    return outcomes(reward, [said], as_columns([row]), prompts=[prompt])[0]


def _plain_fields(data: Any) -> set[str]:
    """Fields that every task has: limits, runtimes and the like, and a Docker image called `image`."""
    plain = [kind for kind in type(data).__mro__ if kind.__name__ == "TaskData"]
    fields: dict[str, Any] = getattr(plain[-1], "model_fields", {}) if plain else {}
    return set(fields)


def _message(message: Any) -> dict[str, Any]:
    held: dict[str, Any] = message.model_dump(mode="python")
    return {"role": held["role"], "content": held.get("content") or ""}


def _context(role: str) -> str:
    return "context" if role == "assistant" else role
