"""Columns that the policy under training fills: what it writes when asked otherwise, how likely it holds a text.

A reward or a credit rule lists such columns in its attribute `fills`, and the trainer fills them before scoring,
without gradient. Anywhere else they are ordinary columns of the data. Knows nothing of models.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

from sightline.core.rollout import Rollout


class Asked(NamedTuple):
    """What the policy is asked.

    Args:
        prompt: text or chat messages; pictures are parts `{"type": "image"}` of a message.
        images: the pictures, in the order of their places.
    """

    prompt: Any
    images: Sequence[Any] = ()


class Continuation(NamedTuple):
    """A text behind the beginning of a rollout: own words [0, keep), then `opening`, then `text`, then `closing`.

    The pieces are tokenised apart, so that no token reaches over a border.

    Args:
        keep: characters of the rollout's own text that stay, as they were sampled.
        opening: what stands before the text, a tag.
        text: what is scored.
        closing: what stands behind it.
    """

    keep: int
    opening: str
    text: str
    closing: str = ""


Whose = Literal["policy", "reference"]
Continue: TypeAlias = Callable[[Rollout], "Continuation | None"]


@dataclass(frozen=True)
class PolicyWrites:
    """A column with what the policy writes for another prompt or other pictures; None where it is not asked.

    Args:
        column: its name.
        ask: rollout -> what is asked, or None. A module-level function or a frozen dataclass.
        greedy: the likeliest tokens; else sampled as rollouts are.
        max_tokens: at most so many; None: as many as a rollout may have.
        once: ask for the first rollout of a prompt only, and give its answer to all.
        of: whose: the policy is asked, or the reference, a copy of the policy as training began or one that follows it.
    """

    column: str
    ask: Callable[[Rollout], Asked | None]
    greedy: bool = True
    max_tokens: int | None = None
    once: bool = False
    of: Whose = "policy"


@dataclass(frozen=True)
class PolicyLoglik:
    """A column with the natural log-probabilities of the tokens of a text behind the beginning of each rollout.

    A list of floats per rollout, in the order of the tokens, behind the rollout's own prompt and pictures; an empty
    list for an empty text; None where nothing is to be scored.

    Args:
        column: its name.
        continues: rollout -> the text and what stands before it, or None.
        of: whose: that of the policy, or of the reference, a copy of the policy as training began.
    """

    column: str
    continues: Continue
    of: Whose = "policy"


@dataclass(frozen=True)
class SamePrompt:
    """The rollout's own prompt and pictures once more, or another prompt with the same pictures.

    Args:
        images: the column of pictures.
        prompt: the column of the other prompt, text or messages; None: the rollout's own.

    Example:
        >>> SamePrompt()(Rollout("", "Where?", {"images": ["a"]}))
        Asked(prompt='Where?', images=['a'])
    """

    images: str = "images"
    prompt: str | None = None

    def __call__(self, rollout: Rollout) -> Asked | None:
        prompt = rollout.prompt if self.prompt is None else rollout.columns.get(self.prompt)
        return None if prompt is None else Asked(prompt, rollout.columns.get(self.images) or ())


@dataclass(frozen=True)
class FollowUp:
    """Rollouts whose prompt is made of what another rollout wrote; they are rows of the batch and are trained too.

    The rows of a prompt are of two sides, told apart by a column. The k-th rollout of the second side is asked what
    `ask` makes of the k-th of the first. The trainer adds the column `pair` with k for both.

    Args:
        ask: rollout of the first side -> what the second is asked.
        first, second: the values of the column.
        column: its name.
    """

    ask: Callable[[Rollout], Asked]
    first: str
    second: str
    column: str = "side"


Filled: TypeAlias = PolicyWrites | PolicyLoglik
