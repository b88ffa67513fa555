"""How much of a shuffled picture is put back in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sightline.core.batch import Batch
from sightline.core.missing import Missing
from sightline.core.scores import Score, Scores
from sightline.rewards.accepted import REPLY
from sightline.rewards.gold import GoldReward, gold, gold_text
from sightline.rewards.reward import Reward

MOST = 1000  # numbers that are looked at


@dataclass(frozen=True)
class PatchOrder(GoldReward):
    """The share of patches whose number is right.

    value = positions with the right number / all positions of the gold answer

    Args:
        permutation: the answer must be a permutation of 1..n, else it earns 0; without it, as released, every position
            is looked at for itself, so that a constant answer earns 1/n and anything may follow.
        find: text -> answer, numbers separated by commas.
        column: the gold answer, a permutation of 1..n.

    Reads: `column`. Range: 0..1. Low: 0 without an answer block.

    Raises:
        ColumnError: a gold answer is no permutation.

    Example:
        >>> said = ["<answer>3,2,4,1</answer>", "<answer>1,1,1,1</answer>"]
        >>> batch = Batch(said, {"answer": ["3,2,1,4"] * 2})
        >>> PatchOrder()(batch).values, PatchOrder(permutation=False)(batch).values
        (array([0.5, 0. ]), array([0.5 , 0.25]))

    References:
        SSL4RL, arXiv 2510.16416, jigsaw reward; asking for a permutation is ours.
    """

    permutation: bool = True
    find: Callable[[str], str | Missing] = REPLY
    column: str = "answer"

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        said = ("3,2,1,4", "3, 2, 4, 1", "1,1,1,1", "3 2 1 4", "3,2", "3,2,1,4,9", "[3,2,1,4]", "x")
        return cls(), [{"completion": f"<answer>{text}</answer>", "answer": "3,2,1,4"} for text in said]

    def right(self, batch: Batch) -> list[tuple[int, ...]]:
        return gold(batch, self.column, type(self).__name__, gold_order)

    def score(self, batch: Batch) -> Scores:
        rows = zip(batch.parse(self.find), self.right(batch), strict=True)
        return Scores.from_rows([self._one(*row) for row in rows])

    def _one(self, said: str | Missing, right: tuple[int, ...]) -> Score:
        if isinstance(said, Missing):
            return Score(0.0, said.why)
        numbers = whole_numbers(said)
        if self.permutation and (None in numbers or sorted(n or 0 for n in numbers) != list(range(1, len(right) + 1))):
            return Score(0.0, f"not a permutation of 1 to {len(right)}")
        hits = sum(mine == gold for mine, gold in zip(numbers, right, strict=False))
        return Score(hits / len(right), f"{hits} of {len(right)} patches")


def whole_numbers(text: str) -> list[int | None]:
    """The pieces between commas as whole numbers, None for what is none; at most 1,000 of them.

    Example:
        >>> whole_numbers("3, 2,x,4.0")
        [3, 2, None, None]
    """
    return [_whole(piece) for piece in text.split(",", MOST)[:MOST]]


def gold_order(value: Any) -> tuple[int, ...] | Missing:
    """A gold answer: a permutation of 1..n, as text."""
    text = gold_text(value)
    numbers = whole_numbers(text) if isinstance(text, str) else []
    order = tuple(n for n in numbers if n is not None)
    whole = len(order) == len(numbers) and sorted(order) == list(range(1, len(order) + 1)) and order
    return order if whole else Missing("it needs the numbers 1 to n in some order, separated by commas")


def _whole(piece: str) -> int | None:
    piece = piece.strip()
    try:
        return int(piece) if len(piece) <= 40 else None
    except ValueError:
        return None
