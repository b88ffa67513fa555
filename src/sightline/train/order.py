"""The order of prompts, such that a resumed run goes on where it was, and rows that belong together stay together.

TRL draws each epoch's order from one generator that starts anew with the process, so a run resumed in its third epoch
would skip rows in the order of the first: some prompts come twice, others never.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch.utils.data import Sampler
from trl.trainer.utils import RepeatSampler

from sightline.core.errors import ConfigError


class EpochOrder(Sampler[int]):
    """The same indices as TRL's sampler gives in an uninterrupted run, whatever epoch the process starts in.

    Args:
        sampler: TRL's sampler.
        epoch: which epoch begins, asked whenever one does.
    """

    def __init__(self, sampler: RepeatSampler, epoch: Callable[[], int]) -> None:
        self.sampler, self.epoch = sampler, epoch

    def __iter__(self) -> Iterator[int]:
        if self.sampler.shuffle and self.sampler.seed is not None:
            self.sampler.generator.manual_seed(self.sampler.seed)
            for _ in range(self.epoch()):
                torch.randperm(self.sampler.num_samples, generator=self.sampler.generator)
        return iter(self.sampler)

    def __len__(self) -> int:
        return len(self.sampler)


def blocks(sampler: RepeatSampler, prompts: int) -> RepeatSampler:
    """TRL's sampler over blocks of `prompts` neighbouring rows instead of single rows.

    Raises:
        ConfigError: the rows, or the prompts of a batch, do not divide into whole blocks.

    Example:
        >>> list(blocks(RepeatSampler("abcd", 2, batch_size=2, shuffle=False), 2))
        [0, 0, 0, 0, 1, 1, 1, 1]
    """
    rows, batch = len(sampler.data_source), sampler.batch_size
    for count, what in ((rows, "rows of the data"), (batch, "prompts of a batch")):
        if count % prompts:
            raise ConfigError(f"the reward compares {prompts} neighbouring rows; the {count} {what} do not divide so")
    return RepeatSampler(
        range(rows // prompts),
        sampler.mini_repeat_count * prompts,
        batch // prompts,
        sampler.repeat_count,
        sampler.shuffle,
        sampler.seed,
    )


class Neighbours(Sampler[int]):
    """Rows of the data from blocks of neighbours: every row of a block `group_size` times, one row after the other.

    Args:
        blocks: yields each block as often as its rows are sampled in all.
        prompts: rows in a block.
        group_size: rollouts per row.

    Example:
        >>> list(Neighbours(blocks(RepeatSampler("abcd", 2, batch_size=2, shuffle=False), 2), 2, 2))
        [0, 0, 1, 1, 2, 2, 3, 3]
    """

    def __init__(self, blocks: Sampler[int], prompts: int, group_size: int) -> None:
        self.blocks, self.prompts, self.group_size = blocks, prompts, group_size

    def __iter__(self) -> Iterator[int]:
        for place, block in enumerate(self.blocks):
            yield block * self.prompts + place // self.group_size % self.prompts

    def __len__(self) -> int:
        return len(self.blocks)  # type: ignore[arg-type]
