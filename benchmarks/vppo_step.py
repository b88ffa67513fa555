"""What a step costs that measures how much each token depends on the picture, relative to a plain GRPO step.

    python benchmarks/vppo_step.py [--steps 12] [--tokens 48]
    python benchmarks/vppo_step.py --width 2048 --layers 16 --bf16     a larger model with random weights, on a GPU

Prints medians over steps, arms alternating in one process: plain GRPO, VPPO (two more forward passes without gradient:
the true picture and the spoiled one), and VPPO with the divergence over the whole vocabulary. Every arm generates the
same number of tokens. Aim: VPPO at most 1.35 of plain. One thread on a CPU, whose time is that of the process.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
import warnings
from dataclasses import replace
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import sightline
from sightline.core import Rollout, Score
from sightline.credit import GroupRelative
from sightline.credit.credit import Credit
from sightline.rewards import RowReward

FIRST = 2  # steps left out: caches fill
AIM = 1.35


class Varied(RowReward):
    """Something that differs between rollouts."""

    def row(self, rollout: Rollout) -> Score:
        return Score(len(set(rollout.text)) / (1 + len(set(rollout.text))))


def rules() -> dict[str, Credit]:
    vppo: Any = sightline.load("vppo").credit
    return {"plain": GroupRelative(eps=1e-6), "vppo": vppo, "vppo, full divergence": replace(vppo, estimator="full_kl")}


def policy(width: int, layers: int, bf16: bool) -> tuple[Any, Any]:
    """The lab's architecture, at its own size or wider and deeper."""
    import torch

    from sightline.lab.models import tiny_vlm

    if not width:
        return tiny_vlm.load("base")
    from transformers import LlavaConfig, LlavaForConditionalGeneration

    config = tiny_vlm.build().config.to_dict()
    config["text_config"] |= {
        "hidden_size": width,
        "intermediate_size": 4 * width,
        "num_hidden_layers": layers,
        "num_attention_heads": width // 128,
        "num_key_value_heads": width // 128,
        "head_dim": 128,
    }
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        model = LlavaForConditionalGeneration(LlavaConfig(**config))
    return model.to(torch.bfloat16 if bf16 else torch.float32), tiny_vlm.processor()


def seconds(rule: Credit, given: argparse.Namespace) -> float:
    """The median of a step."""
    import torch
    from transformers import TrainerCallback

    from sightline.lab.models import tiny_vlm
    from sightline.lab.worlds import digits
    from sightline.train import grpo

    spent: list[float] = []
    # on a processor that others use too, its own time says more than the wall's
    clock = time.perf_counter if torch.cuda.is_available() else time.process_time

    class Clock(TrainerCallback):
        def on_step_begin(self, *_: Any, **__: Any) -> None:
            self.begun = clock()

        def on_step_end(self, *_: Any, **__: Any) -> None:
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            spent.append(clock() - self.begun)

    model, processor = policy(given.width, given.layers, given.bf16)
    if not given.width:
        tiny_vlm.freeze_vision(model)
    model.generation_config.min_new_tokens = given.tokens
    with tempfile.TemporaryDirectory() as folder:
        grpo(
            model,
            processor,
            Varied().named("varied"),
            rule,
            digits.PLAIN.rows(256, "neutral", seed=0),
            callbacks=[Clock()],
            output_dir=folder,
            num_generations=8,
            per_device_train_batch_size=given.batch,
            max_steps=given.steps + FIRST,
            max_completion_length=given.tokens,
            generation_kwargs={"min_new_tokens": given.tokens},
            learning_rate=1e-6,
            loss_type="dapo",
            bf16=given.bf16,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            gradient_checkpointing=False,
        )
    return statistics.median(spent[FIRST:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("steps", 12), ("tokens", 48), ("batch", 64), ("width", 0), ("layers", 16), ("repeats", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--bf16", action="store_true")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    import torch

    torch.set_num_threads(1)
    found: dict[str, list[float]] = {name: [] for name in rules()}
    for _ in range(given.repeats):
        for name, rule in rules().items():
            found[name].append(seconds(rule, given))
    plain = statistics.median(found["plain"])
    for name, several in found.items():
        took = statistics.median(several)
        print(f"{name:24} {1e3 * took:9.1f} ms a step   {took / plain:.2f} of plain   aim for vppo {AIM}")


if __name__ == "__main__":
    main()
