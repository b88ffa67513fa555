"""What our layer costs in a TRL training step of 64 completions (8 prompts x 8).

    python benchmarks/train_step.py [--steps 20]

Prints, as medians over steps: the whole step, our layer without the reward itself (rows to columns, scoring's
bookkeeping, credit, logging), the same for TRL's own way with one Python function per part, the reward, and, apart, one
write of the rollouts' Parquet file. The model is the lab's (about one million parameters), so the share is an upper
bound: real models take longer for a step, our layer does not. One thread.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from sightline.core import Rollout, Score
from sightline.rewards import RowReward


@dataclass(frozen=True)
class Mentions(RowReward):
    """1 if the text holds a word."""

    word: str = "<answer>"

    def row(self, rollout: Rollout) -> Score:
        return Score(float(self.word in rollout.text), "looked")


REWARD = Mentions().named("answered") + 0.5 * Mentions("<think>").named("thought")


class Clock:
    """Sums the time of wrapped calls, per name and step."""

    def __init__(self) -> None:
        self.spent: defaultdict[str, list[float]] = defaultdict(list)

    def wrap(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **given: Any) -> Any:
            begun = time.perf_counter()
            result = function(*args, **given)
            self.spent[name].append(time.perf_counter() - begun)
            return result

        return timed

    def median(self, name: str) -> float:
        """Milliseconds, the first three steps left out."""
        return 1e3 * statistics.median(self.spent[name][3:])


def arguments(folder: str, steps: int) -> dict[str, Any]:
    return {
        "output_dir": folder,
        "num_generations": 8,
        "per_device_train_batch_size": 64,
        "max_steps": steps,
        "max_completion_length": 16,
        "learning_rate": 1e-6,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "gradient_checkpointing": False,
    }


def ours(steps: int, rows: list[dict[str, Any]]) -> Clock:
    from sightline.credit import GroupRelative
    from sightline.lab.models import tiny_vlm
    from sightline.train import grpo, rollouts, trainer

    clock = Clock()
    scored = trainer.score_groups
    trainer.score_groups = lambda reward, *rest: scored(clock.wrap("reward", reward), *rest)  # type: ignore[arg-type]
    kind = trainer.ScoredGRPOTrainer
    before = kind._calculate_rewards, kind._generate_and_score_completions, kind.training_step
    kind._calculate_rewards = clock.wrap("rewards and columns", before[0])  # type: ignore[method-assign]
    kind._generate_and_score_completions = clock.wrap("ours", before[1])  # type: ignore[method-assign]
    kind.training_step = clock.wrap("step", before[2])
    base = kind.__mro__[1]
    theirs = base._generate_and_score_completions
    base._generate_and_score_completions = clock.wrap("theirs", theirs)
    rollouts.RolloutLog.write = clock.wrap("write", rollouts.RolloutLog.write)  # type: ignore[method-assign]
    with tempfile.TemporaryDirectory() as folder:
        given = arguments(folder, steps)
        grpo(tiny_vlm.build(), tiny_vlm.processor(), REWARD, GroupRelative(), rows, rollouts=folder, **given)
    base._generate_and_score_completions = theirs
    # credit and advantages are what our method adds around TRL's; scoring happens inside TRL's
    clock.spent["credit"] = [a - b for a, b in zip(clock.spent["ours"], clock.spent["theirs"], strict=True)]
    scoring = zip(clock.spent["rewards and columns"], clock.spent["reward"], clock.spent["credit"], strict=True)
    clock.spent["layer"] = [whole - reward + credit for whole, reward, credit in scoring]
    return clock


def trl_own(steps: int, rows: list[dict[str, Any]]) -> Clock:
    from trl import GRPOConfig, GRPOTrainer

    from sightline.lab.models import tiny_vlm
    from sightline.train import data

    clock = Clock()

    def answered(completions: list[Any], **_: Any) -> list[float]:
        return [float("<answer>" in turns[0]["content"]) for turns in completions]

    def thought(completions: list[Any], **_: Any) -> list[float]:
        return [float("<think>" in turns[0]["content"]) for turns in completions]

    with tempfile.TemporaryDirectory() as folder:
        args = GRPOConfig(**arguments(folder, steps), bf16=False, use_cpu=True, reward_weights=[1.0, 0.5])
        trainer = GRPOTrainer(
            tiny_vlm.build(),
            [answered, thought],
            args=args,
            train_dataset=data.asked(data.load(rows)),
            processing_class=tiny_vlm.processor(),
        )
        trainer._calculate_rewards = clock.wrap("rewards", trainer._calculate_rewards)
        trainer.training_step = clock.wrap("step", trainer.training_step)
        trainer.train()
    return clock


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=20)
    steps = parser.parse_args().steps
    warnings.simplefilter("ignore")
    import torch

    from sightline.lab.worlds import digits

    torch.set_num_threads(1)
    rows = list(digits.PLAIN.rows(64, split="neutral", seed=0))
    clock, plain = ours(steps, rows), trl_own(steps, rows)
    layer, step = clock.median("layer"), clock.median("step")
    print(f"step                         {step:8.2f} ms   (TRL with two functions {plain.median('step'):.2f} ms)")
    print(f"our layer without the reward {layer:8.3f} ms   {layer / step:.2%} of the step; aim < 1 ms and < 3 %")
    print(f"  of which credit            {clock.median('credit'):8.3f} ms")
    print(f"the reward itself            {clock.median('reward'):8.3f} ms   two row rewards on 64 rollouts")
    print(f"TRL's way, functions and all {plain.median('rewards'):8.3f} ms")
    print(f"writing rollouts             {clock.median('write'):8.2f} ms   once per logging step")


if __name__ == "__main__":
    main()
