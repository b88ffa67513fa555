"""Two advantages for one reply: its description learns from one part of the reward, the rest from another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError
from sightline.core.missing import Missing
from sightline.core.scores import Scores, Values
from sightline.credit.credit import Advantages, Tokens, known
from sightline.credit.group_relative import GroupRelative
from sightline.credit.placement import Placed, span_mask
from sightline.parse.tags import Block


@dataclass(frozen=True)
class BySegment:
    """The tokens of one block have the advantage of one part of the reward, all others that of another part.

    A_it = weight * A^inside_i for tokens of the block, weight * A^outside_i for the other tokens of the policy
    A^k_i = (r^k_i - mean r^k) / (std r^k + eps) over the group, sample std

    The block's tags belong to it; of several blocks it is the first. A reply without a closed block has the outer
    advantage throughout. The loss that goes with it sums over tokens and divides by rollouts: a constant length in its
    denominator (TRL: dr_grpo) keeps that, a mean over tokens does not.

    Args:
        inside: part of the scores for the tokens of the block.
        outside: part for the others.
        block: the block.
        weight: of both.
        within: how a part is normalised inside its group.

    Raises:
        ColumnError: a part is not among the parts of the scores.
        ShapeError: the characters of the tokens are not known.

    Example:
        >>> parts = {"description": Scores.of([1, 0]), "accuracy": Scores.of([0, 1])}
        >>> scores = Scores(np.array([1.0, 1.0]), ["", ""], [(), ()], parts)
        >>> offsets = np.array([[[0, 1], [1, 4]], [[0, 1], [-1, -1]]])
        >>> tokens = Tokens(offsets[:, :, 0] >= 0, offsets=offsets)
        >>> rule = BySegment(block=Block("d"), within=GroupRelative(scale=None))
        >>> rule.assign(scores, Batch(["<d>1</d>2", "3"], group=[0, 0]), tokens)[0]
        array([[0.25, 0.25],
               [0.25, 0.  ]])

    References:
        Self-rewarding vision-language model via reasoning decomposition, arXiv 2508.19652, multi-reward policy
        optimisation.
    """

    inside: str = "description"
    outside: str = "accuracy"
    block: Block = Block("description")
    weight: float = 0.5
    within: GroupRelative = GroupRelative(eps=1e-6)
    places: ClassVar[bool] = True

    def assign(
        self, scores: Scores, batch: Batch, tokens: Tokens | None = None, state: Any = None
    ) -> tuple[Advantages, Any]:
        who = type(self).__name__
        tokens = known(tokens, who)
        inner = span_mask(tokens.places(who), [self._places(text) for text in batch.texts])
        mine, others = self._advantages(scores, batch, self.inside), self._advantages(scores, batch, self.outside)
        return np.where(tokens.mask, self.weight * np.where(inner, mine[:, None], others[:, None]), 0.0), state

    def _places(self, text: str) -> list[Placed]:
        found = Block(self.block.tag, strip=False).span(text)
        tag = len(self.block.tag)
        return [] if isinstance(found, Missing) else [Placed(found.start - tag - 2, found.end + tag + 3)]

    def _advantages(self, scores: Scores, batch: Batch, part: str) -> Values:
        if part not in scores.parts:
            raise ColumnError(f"BySegment weighs part `{part}`; the scores have {sorted(scores.parts)}")
        return self.within.advantages(scores.parts[part].values, batch.group)
