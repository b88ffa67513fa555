"""Less credit for the tokens of a rollout that a verifier flagged; the others keep theirs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sightline.core.batch import Batch
from sightline.core.scores import Scores
from sightline.credit.credit import Advantages, Credit, Tokens, known
from sightline.credit.group_relative import GroupRelative
from sightline.credit.placement import span_mask, spans_of


@dataclass(frozen=True)
class SpanPenalty:
    """Advantages lowered on flagged tokens, in proportion to their size.

    A'_it = A_i - m_it * max(alpha * |A_i|, floor),   m_it = 1 on tokens that a flagged span covers

    A right rollout learns its flagged tokens less, a wrong one unlearns them more. A span is a mark of characters with
    a negative value on the part `flags`; a token that several spans cover is penalised once.

    Args:
        alpha: share of the advantage that is taken off; 0 is the inner rule exactly.
        credit: the rule that gives A, per rollout or per token.
        flags: the part whose marks are the spans; the marks of the whole reward where there is no such part.
        floor: least penalty. 0: where A is 0, as in groups whose rewards are all equal, flags have no effect.

    Raises:
        ShapeError: the tokens' characters are not given.

    Example:
        >>> from sightline.core.marks import Mark
        >>> tokens = Tokens(np.ones((2, 3), bool), offsets=np.array([[[0, 1], [2, 5], [6, 9]]] * 2))
        >>> scores = Scores(np.array([1.0, 0.0]), ["", ""], [(Mark("char", (2, 4), -1.0),)] * 2)
        >>> SpanPenalty(0.1, GroupRelative(scale=None)).assign(scores, Batch(["", ""], group=[0, 0]), tokens)[0]
        array([[ 0.5 ,  0.45,  0.5 ],
               [-0.5 , -0.55, -0.5 ]])

    References:
        Perceval, arXiv 2604.24583, token-level advantage.
    """

    alpha: float = 0.1
    credit: Credit = GroupRelative(eps=1e-6, keep_lone=True)
    flags: str = "unflagged"
    floor: float = 0.0
    places: ClassVar[bool] = True

    def assign(
        self, scores: Scores, batch: Batch, tokens: Tokens | None = None, state: Any = None
    ) -> tuple[Advantages, Any]:
        who = type(self).__name__
        tokens = known(tokens, who)
        advantages, state = self.credit.assign(scores, batch, tokens, state)
        wide = advantages if advantages.ndim == 2 else np.repeat(advantages[:, None], tokens.mask.shape[1], 1)
        marks = scores.parts[self.flags].marks if self.flags in scores.parts else scores.marks
        spans = [[span for span in own if span.value < 0] for own in spans_of(marks)]
        scored = ~np.isnan(scores.values)[:, None]
        flagged = span_mask(tokens.places(who), spans) & tokens.mask & scored
        return np.where(flagged, wide - np.maximum(self.alpha * np.abs(wide), self.floor), wide), state
