"""Training and reading the lab's tiny policy: the settings that every experiment shares."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sightline.credit.credit import Credit
from sightline.lab.models import reading, tiny_vlm
from sightline.lab.worlds import grounding
from sightline.rewards.reward import Reward

GROUP, COMPLETIONS = 8, 64
SETTINGS: dict[str, Any] = {
    "num_generations": GROUP,
    "per_device_train_batch_size": COMPLETIONS,
    "learning_rate": 1e-4,
    "lr_scheduler_type": "constant",
    "beta": 0.0,
    "temperature": 1.0,
    "top_k": 0,
    "loss_type": "grpo",
    "activation_checkpointing": False,
    "use_cpu": True,
    "bf16": False,
    "save_strategy": "no",
    "report_to": "none",
    "disable_tqdm": True,
    "logging_steps": 5,
}


def reinforce(
    start: str | Path,
    reward: Reward,
    credit: Credit,
    rows: Sequence[dict[str, Any]],
    seed: int,
    steps: int,
    output: Path | None = None,
    callbacks: Sequence[Any] = (),
    **settings: Any,
) -> tuple[Any, Any, list[dict[str, float]]]:
    """Train a shipped or saved policy with a reward, its vision tower frozen.

    Args:
        output: keeps scored rollouts there, for a report; None keeps nothing.
        callbacks: transformers callbacks.
        settings: arguments of TRL that differ from `SETTINGS`.

    Returns: model, processor and the log, one entry per logging step.
    """
    from sightline.train import grpo

    model, processor = tiny_vlm.load(start)
    tiny_vlm.freeze_vision(model)
    with tempfile.TemporaryDirectory() as scratch:
        folder = scratch if output is None else str(output)
        options = {**SETTINGS, **settings, "seed": seed, "max_steps": steps, "output_dir": folder}
        kept = None if output is None else output / "rollouts"
        trainer: Any = grpo(model, processor, reward, credit, list(rows), rollouts=kept, callbacks=callbacks, **options)
    return trainer.model.eval(), processor, trainer.state.log_history


def demonstrate(
    start: str | Path, rows: Sequence[dict[str, Any]], said: Sequence[str], seed: int, steps: int, **settings: Any
) -> tuple[Any, Any]:
    """Fine-tune a policy on demonstrations, its vision tower frozen."""
    from sightline.train import sft

    model, processor = tiny_vlm.load(start)
    tiny_vlm.freeze_vision(model)
    shown = [
        {"prompt": row["prompt"], "images": row["images"], "completion": text}
        for row, text in zip(rows, said, strict=True)
    ]
    same = ("learning_rate", "lr_scheduler_type", "activation_checkpointing", "use_cpu", "bf16", "save_strategy")
    shared = {name: SETTINGS[name] for name in (*same, "report_to", "disable_tqdm")}
    with tempfile.TemporaryDirectory() as scratch:
        options = {**shared, "max_length": None, **settings, "seed": seed, "max_steps": steps, "output_dir": scratch}
        trainer: Any = sft(model, processor, shown, **options)
    return trainer.model.eval(), processor


def asked(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of a world with the question as text, as judged rewards read it."""
    return [{**row, "question": row["prompt"][0]["content"][-1]["text"]} for row in rows]


def read(
    model: Any, processor: Any, rows: Sequence[dict[str, Any]], temperature: float = 1.0, tokens: int = 72
) -> list[str]:
    """One completion a row, sampled from the whole distribution, or greedy at temperature 0."""
    return reading.complete(model, processor, rows, temperature, tokens)


def grounded_accuracy(rows: Sequence[dict[str, Any]], said: Sequence[str]) -> dict[str, float]:
    """Share of right answers, and share of the right ones whose think block names the object, its digit and its box."""
    right = np.array([reading.right(row, text) for row, text in zip(rows, said, strict=True)]) > 0
    grounded = np.array([grounding.grounded(text, row["truth"]) for row, text in zip(rows, said, strict=True)])
    share = float(grounded[right].mean()) if right.any() else 0.0
    return {"accuracy": float(right.mean()), "grounded": share}
