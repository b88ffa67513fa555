"""The curves of a training run, from its `metrics.jsonl`: a line per logging step with `stage`, `step` and metrics."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sightline.view.charts import Curve
from sightline.view.lines import lines_of

# what stands beside the rewards, in this order, where a run has it
OTHERS = (
    "frac_reward_zero_std",
    "completions/mean_length",
    "completions/clipped_ratio",
    "unscorable/error",
    "unscorable/abstain",
    "kl",
    "entropy",
    "loss",
    "mean_token_accuracy",
    "grad_norm",
    "learning_rate",
)


def is_run(path: Path) -> bool:
    """Whether a folder is what a training run left behind."""
    return path.is_dir() and any((path / name).exists() for name in ("metrics.jsonl", "rollouts", "scored"))


def run_rollouts(path: Path) -> list[Path]:
    """Files of scored rollouts of a run, in the order of steps."""
    return sorted((path / "rollouts").rglob("*.parquet"), key=lambda file: (_step(file), file.name))


def run_lines(path: Path) -> list[Path]:
    """Files of scored rollouts that a trainer's own reward workers log, each worker one (`adapters.verl`)."""
    return sorted((path / "scored").rglob("*.jsonl"))


def run_curves(path: Path) -> dict[str, list[Curve]]:
    """Stage -> curves: the reward and its parts with bands, then what else tells how training went.

    Raises:
        RolloutFileError: a line of the metrics, other than the last, is not JSON.
    """
    stages: dict[str, list[dict[str, Any]]] = {}
    for line in lines_of(path / "metrics.jsonl"):
        stages.setdefault(str(line.get("stage", "training")), []).append(line)
    return {stage: curves for stage, lines in stages.items() if (curves := _curves(lines))}


def _step(file: Path) -> int:
    number = file.stem.rpartition("-")[2]
    return int(number) if number.isdigit() else 0


def _curves(lines: Sequence[dict[str, Any]]) -> list[Curve]:
    names = list(dict.fromkeys(name for line in lines for name in line))
    rewards = [("reward", "reward", "reward_std")] if "reward" in names else []
    for prefix in ("", "eval_"):
        for name in names:
            if name.startswith(f"{prefix}rewards/") and name.endswith("/mean"):
                short = name.removesuffix("/mean")
                rewards.append((short.replace("rewards/", ""), name, f"{short}/std"))
    if "eval_reward" in names:
        rewards.append(("eval_reward", "eval_reward", "eval_reward_std"))
    others = [(name, name, "") for name in OTHERS if name in names]
    curves = [_curve(lines, *names) for names in (*rewards, *others)]
    return [curve for curve in curves if np.isfinite(curve.values).any()]


def _curve(lines: Sequence[dict[str, Any]], label: str, name: str, spread: str) -> Curve:
    mine = [line for line in lines if name in line and "step" in line]
    steps = np.array([line["step"] for line in mine], np.float64)
    band = np.array([_float(line.get(spread)) for line in mine]) if any(spread in line for line in mine) else None
    return Curve(label, steps, np.array([_float(line[name]) for line in mine]), band)


def _float(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")
