"""A penalty for saying the same thing again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sightline.core.batch import Batch
from sightline.core.missing import Missing
from sightline.core.scores import Scores
from sightline.metrics.text import repeated_ngram_share, repeated_share
from sightline.parse.boxes import Detections, FoundBoxes
from sightline.parse.json import Fence
from sightline.parse.tags import Inside
from sightline.rewards.reward import Range, Reward


@dataclass(frozen=True)
class Repetition(Reward):
    """Minus the share of items, or of words, that occurred before.

    value = -(1 - distinct / all) over the (box, label) pairs of the first fenced list; without a list that can be
    read, over the word n-grams of the whole completion

    Args:
        n: words in an n-gram.

    Range: -1..0. Items without box or label do not count; a list without any that counts earns 0.

    Example:
        >>> cat, dog = '{"bbox_2d": [1, 2, 3, 4], "label": "cat"}', '{"bbox_2d": [5, 6, 7, 8], "label": "dog"}'
        >>> Repetition()(Batch([f"```json\\n[{cat}, {cat}, {dog}]\\n```"])).values.round(6)
        array([-0.333333])

    References:
        Shen et al., VLM-R1, arXiv 2504.07615, repetition reward.
    """

    n: int = 6
    range: ClassVar[Range] = (-1.0, 0.0)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        from sightline.rewards.labelled_boxes import labelled_rows

        rows = [{"completion": row["completion"]} for row in labelled_rows()]
        return cls(), [*rows, {"completion": "a b " * 20}, {"completion": "one two"}]

    def score(self, batch: Batch) -> Scores:
        found = batch.parse(Inside(Fence("json"), Detections()))
        shares = [self._share(text, one) for text, one in zip(batch.texts, found, strict=True)]
        return Scores.of(-np.array(shares) + 0.0, [f"{share:.0%} repeated" if share else "" for share in shares])

    def _share(self, text: str, found: FoundBoxes | Missing) -> float:
        if isinstance(found, Missing):
            return repeated_ngram_share(text, self.n)
        rows = zip(found.xyxy, found.labels, found.valid, strict=True)
        return repeated_share((tuple(box), label) for box, label, valid in rows if valid and label is not None)
