"""One rollout: what was asked, what the policy wrote, and what rewards may read about it.

A completion is a transcript with roles. Only turns with role `assistant` are the policy's own words; text that a tool
or an environment answered is context and can never earn anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

POLICY_ROLE = "assistant"
RESERVED = ("prompt", "completion", "group")


class Turn(NamedTuple):
    """One turn of a transcript: who spoke, and what."""

    role: str
    text: str


Transcript: TypeAlias = tuple[Turn, ...]
Completion: TypeAlias = "str | Sequence[Mapping[str, Any]] | Transcript"


@dataclass(frozen=True)
class Rollout:
    """One row of a batch, as a row reward sees it.

    Args:
        text: the policy's own words, turns joined by newlines. Marks of unit `char` count in it.
        prompt: what was asked, text or chat messages.
        columns: everything else the data brought: answer, boxes, evidence, images, ...
        transcript: the completion with its roles.
    """

    text: str
    prompt: Any = None
    columns: Mapping[str, Any] = field(default_factory=dict)
    transcript: Transcript = ()

    def __getitem__(self, column: str) -> Any:
        return self.columns[column]


def transcript(completion: Completion) -> Transcript:
    """A completion of any accepted shape as turns.

    Example:
        >>> transcript("hello")
        (Turn(role='assistant', text='hello'),)
        >>> parts = [{"type": "text", "text": "a"}]
        >>> transcript([{"role": "assistant", "content": parts}, {"role": "tool", "content": "b"}])
        (Turn(role='assistant', text='a'), Turn(role='tool', text='b'))
    """
    if isinstance(completion, str):
        return (Turn(POLICY_ROLE, completion),)
    return tuple(
        turn if isinstance(turn, Turn) else Turn(str(turn.get("role", POLICY_ROLE)), content_text(turn.get("content")))
        for turn in completion
    )


def policy_text(completion: Completion) -> str:
    """The policy's own words in a completion, its turns joined by newlines."""
    if isinstance(completion, str):
        return completion
    return "\n".join(turn.text for turn in transcript(completion) if turn.role == POLICY_ROLE)


def content_text(content: Any) -> str:
    """The text of a message's content: a string, or a list of parts of which only text parts count."""
    if isinstance(content, str):
        return content
    if not isinstance(content, Sequence):
        return ""
    return "".join(
        part if isinstance(part, str) else str(part.get("text") or "")
        for part in content
        if isinstance(part, str) or (isinstance(part, Mapping) and part.get("type", "text") == "text")
    )
