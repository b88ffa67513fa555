"""Splits of a world: which scans they draw and whether answers follow the language prior.

The prior is a fixed answer for each question text (`truth["prior"]`). Knows nothing of pictures.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, Self, TypeVar

import numpy as np

T = TypeVar("T")


@dataclass(frozen=True)
class Split:
    """One split: its number (part of every row's seed), its scans and its relation to the prior.

    Args:
        number: distinct for every split, so that no two splits share a random stream.
        held_out: draws digits from the scans that training never shows.
        prior: `follow` (the world's share of rows gives the prior's answer), `never`, or `free` (as the scene falls).
        shifted: uses the world's out-of-distribution sizes and look.
    """

    number: int
    held_out: bool
    prior: str
    shifted: bool = False


SPLITS = {
    "train": Split(0, held_out=False, prior="follow"),
    "biased": Split(1, held_out=True, prior="follow"),
    "neutral": Split(2, held_out=True, prior="free"),
    "reversed": Split(3, held_out=True, prior="never"),
    "shifted": Split(4, held_out=True, prior="free", shifted=True),
}
STREAM = 1_000_000


@dataclass(frozen=True)
class RowWorld(ABC):
    """A world that draws each row by itself: define `_row`. Its arguments `shifted_X` are X in the split `shifted`."""

    def rows(self, n: int, split: str = "train", seed: int = 0) -> list[dict[str, Any]]:
        """The first `n` rows of a split; row i depends on the seed, the split and i alone."""
        part = split_named(split)
        world = self._shifted() if part.shifted else self
        return [world._row(part, seed, i) for i in range(n)]

    def _shifted(self) -> Self:
        other = {one.name: getattr(self, one.name) for one in fields(self) if one.name.startswith("shifted_")}
        return replace(self, **{name.removeprefix("shifted_"): value for name, value in other.items()})

    @abstractmethod
    def _row(self, split: Split, seed: int, index: int) -> dict[str, Any]:
        """The row of that number."""


def split_named(name: str) -> Split:
    """The split of that name.

    Raises:
        ValueError: no split has that name.
    """
    if name not in SPLITS:
        raise ValueError(f"unknown split {name!r}; a world has {', '.join(SPLITS)}")
    return SPLITS[name]


def row_seed(seed: int, split: Split, index: int) -> np.random.Generator:
    """The random stream of one row: row `index` is the same whatever the number of rows drawn."""
    return np.random.default_rng([seed, split.number, index])


def row_number(seed: int, split: Split, index: int) -> int:
    """A number no other row of the same world has: seed, split and index written one after the other."""
    return (seed * len(SPLITS) + split.number) * STREAM + index


def accept(
    sample: Callable[[], T | None],
    follows_prior: Callable[[T], bool | None],
    split: Split,
    share: float | None,
    rng: np.random.Generator,
    tries: int = 2000,
) -> T:
    """The first sampled scene that stands to the prior as the split asks.

    With probability `share` the scene must give the prior's answer, else it must give another one. `None` from
    `sample` is a scene that did not fit; `None` from `follows_prior` is a question without a prior.

    Raises:
        ValueError: no scene in `tries` fits, so the world's options contradict each other.
    """
    free = split.prior == "free" or (share is None and split.prior == "follow")
    wanted = split.prior == "follow" and share is not None and rng.random() < share
    for _ in range(tries):
        scene = sample()
        if scene is None:
            continue
        follows = follows_prior(scene)
        if free or follows is None or follows == wanted:
            return scene
    raise ValueError(f"no scene in {tries} fits split {split} with share {share}: widen the world's options")
