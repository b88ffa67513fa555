"""Rewards for saying of each of several statements whether it is true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sightline.core.batch import Batch
from sightline.core.missing import Missing
from sightline.core.scores import Score, Scores, abstain
from sightline.metrics.calibration import LateRise, calibrated, guessing
from sightline.parse.option_sets import SelectedOptions, selected_options
from sightline.rewards.gold import GoldReward, gold
from sightline.rewards.reward import Range, Reward


@dataclass(frozen=True)
class OptionSet(GoldReward):
    """The share of options about which a reply is right: selected if true, left out if false.

    value = 1 - (1/N) sum_i |y_i - said_i|;  y_i = 1 for true options, said_i = 1 for selected ones

    Args:
        column: for each option, in order, whether it is true.

    Reads: `column`. Range: 0..1. Low: 0 if nothing can be read; letters beyond the last option are ignored.
    Not applicable: a row without options.

    Raises:
        ColumnError: a gold value is no list of true and false, or has more than 26.

    Example:
        >>> said = ['{"answer": ["A", "C", "D"]}', "\\\\boxed{A,B,C,D,E}", '{"answer": []}']
        >>> OptionSet()(Batch(said, {"solution": [[1, 0, 1, 1, 0]] * 3})).values
        array([1. , 0.6, 0.4])

    References:
        Asking like Socrates, arXiv 2511.22396, second stage.
    """

    column: str = "solution"
    range: ClassVar[Range] = (0.0, 1.0)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(), option_rows()

    def right(self, batch: Batch) -> list[tuple[bool, ...]]:
        return gold(batch, self.column, type(self).__name__, gold_truths)

    def score(self, batch: Batch) -> Scores:
        truths = self.right(batch)
        return Scores.from_rows([self._one(*row) for row in zip(batch.parse(selected_options), truths, strict=True)])

    def _one(self, said: SelectedOptions | Missing, truths: tuple[bool, ...]) -> Score:
        if not truths:
            return abstain("the row has no options")
        if isinstance(said, Missing):
            return Score(0.0, said.why)
        right = sum(truth == (chr(65 + i) in said.letters) for i, truth in enumerate(truths))
        return Score(self.worth(right, len(truths)), f"{right} of {len(truths)} options")

    def worth(self, right: int, options: int) -> float:
        """What `right` decisions out of `options` earn."""
        return right / options


@dataclass(frozen=True)
class OptionSetAboveGuessing(OptionSet):
    """The same, graded late and above what coin flips earn.

    value = (r - E) / (1 - E);  r = (e^(k c/m) - 1) / (e^k - 1), c right of m;  E = mean of r over coin flips
    A reply that cannot be read earns as much as no right decision.

    Args:
        k: how late the grade rises; 0: the share itself, and E = 1/2.

    Range: below 0 where guessing would earn more, at least -1, at most 1.

    Example:
        >>> said = ['{"answer": ["A", "C", "D"]}', '{"answer": []}']
        >>> OptionSetAboveGuessing(k=0.0)(Batch(said, {"solution": [[1, 0, 1, 1, 0]] * 2})).values.round(6)
        array([ 1. , -0.2])
    """

    k: float = 5.0
    range: ClassVar[Range] = (-1.0, 1.0)

    def _one(self, said: SelectedOptions | Missing, truths: tuple[bool, ...]) -> Score:
        found = super()._one(said, truths)
        return Score(self.worth(0, len(truths)), found.why) if truths and isinstance(said, Missing) else found

    def worth(self, right: int, options: int) -> float:
        return float(calibrated(LateRise(self.k)(right / options), guessing(options, self.k)))


@dataclass(frozen=True)
class OptionSetForm(Reward):
    """Whether a reply thinks, and then lists option letters.

    value = (c + 1) / 2 if a list can be read, c: a closing think tag exists; 0 if none can

    Range: 0, 0.5 or 1.

    Example:
        >>> OptionSetForm()(Batch(["<think>t</think>Answer: A", "Answer: A", "<think>t</think>yes"])).values
        array([1. , 0.5, 0. ])
    """

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(), option_rows()

    def score(self, batch: Batch) -> Scores:
        found = batch.parse(selected_options)
        values = [0.0 if isinstance(one, Missing) else (1.0 + one.closed) / 2 for one in found]
        why = [one.why if isinstance(one, Missing) else "" if one.closed else "no closed think block" for one in found]
        return Scores.of(np.array(values), why)


def gold_truths(value: Any) -> tuple[bool, ...] | Missing:
    """Which options are true.

    Example:
        >>> gold_truths([1, 0, True]), gold_truths([2]).why
        ((True, False, True), 'it needs a list of at most 26 true and false')
    """
    listed = value.tolist() if isinstance(value, np.ndarray) else value
    if not isinstance(listed, Sequence) or isinstance(listed, str) or len(listed) > 26:
        return Missing("it needs a list of at most 26 true and false")
    if not all(isinstance(one, bool | int | float | np.bool_) and one in (0, 1) for one in listed):
        return Missing("it needs a list of at most 26 true and false")
    return tuple(bool(one) for one in listed)


def option_rows() -> list[dict[str, Any]]:
    """Rollouts of every kind that the rewards of this file meet."""
    said = (
        '<think>t</think>{"answer": ["A", "C", "D"]}',
        '{"answer": ["a", "Z", "a"]}',
        "<think>t</think>\\boxed{A,B,C,D,E}",
        "<think>t</think>Answer: none",
        "<think>t</think>I cannot tell",
    )
    return [{"completion": text, "solution": truths} for text in said for truths in ([1, 0, 1, 1, 0], [True], [])]
