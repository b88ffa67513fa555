"""The order of prompts, such that a resumed run goes on where it was.

TRL draws each epoch's order from one generator that starts anew with the process, so a run resumed in its third epoch
would skip rows in the order of the first: some prompts come twice, others never.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch.utils.data import Sampler
from trl.trainer.utils import RepeatSampler


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
