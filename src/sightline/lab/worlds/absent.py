"""Questions about an object that may not be there: the right answer is then `None`.

Made from the world of digits by asking for a colour that the picture does not show. Knows no models.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sightline.lab.worlds.canvas import COLOURS
from sightline.lab.worlds.digits import Digits

NOTHING = "None"


@dataclass(frozen=True)
class Absent:
    """What the object of a colour is, in pictures of digits and shapes.

    Args:
        share: of rows that ask for a colour which is not there.
        pictures: the world they are drawn from; it must ask `identify` only.

    A row has the columns of its world; `absent` says which kind it is. Rows without the object have no `boxes`,
    `labels`, `evidence` or asked objects.

    Example:
        >>> row = Absent(share=1.0).rows(1, "neutral", seed=3)[0]
        >>> row["answer"], row["absent"], row["truth"]["asked"]
        ('None', True, [])
    """

    share: float = 0.4
    pictures: Digits = field(default_factory=lambda: Digits(kinds=("identify",)))

    def rows(self, n: int, split: str = "train", seed: int = 0) -> list[dict[str, Any]]:
        """The first `n` rows of a split; row i depends on the seed, the split and i alone."""
        return [self._asked(row) for row in self.pictures.rows(n, split, seed=seed)]

    def _asked(self, row: dict[str, Any]) -> dict[str, Any]:
        rng = np.random.default_rng([row["row"], 17])
        if rng.random() >= self.share:
            return {**row, "absent": False}
        seen = {thing["colour"] for thing in row["truth"]["objects"]}
        colour = str(rng.choice([name for name in COLOURS if name not in seen]))
        content = [{"type": "image"}, {"type": "text", "text": f"what is the {colour} object?"}]
        return {
            **row,
            "prompt": [{"role": "user", "content": content}],
            "answer": NOTHING,
            "problem_type": "free-form",
            "boxes": [],
            "labels": [],
            "evidence": [],
            "truth": {**row["truth"], "asked": [], "prior": None},
            "absent": True,
        }
