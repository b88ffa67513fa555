"""The demonstration: post-train a tiny vision-language model with a published reward, and look at what it learnt.

From one cold start that looks at the picture half of the time and guesses from the question the other half, two
policies are trained: one paid for right answers, one paid a bonus when its reasoning cites what the picture shows.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np

STEPS, ROWS, HELD_OUT, SEED = 60, 2000, 200, 0
COLUMNS = {
    "accuracy": "right answers on held-out pictures where the question gives the answer away, as in training",
    "grounded": "share of those whose reasoning names the true digit and its box (IoU >= 0.5)",
    "accuracy, reversed": "right answers where what the question suggests is always wrong",
    "format": "completions of the asked form",
}


def demo(folder: Path, steps: int = STEPS) -> dict[str, dict[str, float]]:
    """Run it; prints the table and writes `folder/report.html`.

    Args:
        folder: runs, rollouts and reports go there; what is there is replaced.
        steps: updates of each policy.

    Returns: arm -> figure -> value, as printed.
    """
    _quiet()
    import torch
    from rich.console import Console

    from sightline.lab.experiments import video_ver
    from sightline.lab.models import tiny_vlm

    console = Console(highlight=False)
    torch.set_num_threads(1)  # two threads gain little at this size and stall when other work shares the cores
    begun = time.perf_counter()
    console.print("A cold-started vision-language model of 0.9 M parameters; pictures of two digits, one is asked for.")
    table = {"before (cold start)": figures(*tiny_vlm.load("prior"))}
    for arm in ("accuracy only", "evidence"):
        console.print(f"Training {steps} steps of GRPO: {video_ver.ARMS[arm]}")
        table[f"after: {arm}"] = figures(*trained(arm, folder / arm.replace(" ", "-"), steps, console))
    _show(console, table)
    page = _report(folder)
    (folder / "table.json").write_text(json.dumps(table, indent=2))
    console.print(f"\n{time.perf_counter() - begun:.0f} s. Rollouts, reasons, boxes and curves: {page}")
    return table


def figures(model: Any, processor: Any) -> dict[str, float]:
    """What a policy does on held-out rows, sampled at temperature 1."""
    from sightline.core.batch import Batch
    from sightline.lab import policy
    from sightline.lab.worlds import digits
    from sightline.rewards.format import Format

    found: dict[str, float] = {}
    said: list[str] = []
    for split, suffix in (("biased", ""), ("reversed", ", reversed")):
        rows = digits.PRIOR.rows(HELD_OUT, split, seed=7000)
        texts = policy.read(model, processor, rows, tokens=16)
        measured = policy.grounded_accuracy(rows, texts)
        found[f"accuracy{suffix}"] = measured["accuracy"]
        found.setdefault("grounded", measured["grounded"])
        said += texts
    return {**found, "format": float(np.mean(Format()(Batch(said)).values))}


def trained(arm: str, folder: Path, steps: int, console: Any) -> tuple[Any, Any]:
    """Train one arm of the demonstration from its cold start.

    Args:
        arm: of `lab.experiments.video_ver`.
        folder: becomes the folder of the run; what is there is replaced.
        steps: updates of the policy.
        console: where a bar over the steps goes.

    Returns: (model, processor).
    """
    import shutil

    import sightline
    from sightline.lab import policy
    from sightline.lab.experiments import video_ver
    from sightline.lab.worlds import digits
    from sightline.train.metrics import MetricsLog, RunRecord

    shutil.rmtree(folder, ignore_errors=True)
    system = sightline.load("video-ver")
    rows = policy.asked(digits.PRIOR.rows(ROWS, "train", seed=100 + SEED))
    reward = video_ver.reward(arm)
    about = {"system": system.slug, "arm": arm, "reward": repr(reward), "credit": repr(system.credit), "steps": steps}
    RunRecord.open(folder / "run.json", about, resume=False).write()
    callbacks = [MetricsLog(folder / "metrics.jsonl", "grpo"), _progress(console)]
    options: dict[str, Any] = {"max_completion_length": 16, "logging_steps": 2, "callbacks": callbacks}
    model, processor, _ = policy.reinforce("prior", reward, system.credit, rows, SEED, steps, output=folder, **options)
    return model, processor


def _progress(console: Any) -> Any:
    """A bar over the steps of a run, with the reward so far."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from transformers import TrainerCallback

    columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=console, transient=False)

    class Shown(TrainerCallback):
        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            bar.start()
            self.task = bar.add_task("reward  ....", total=state.max_steps)

        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
            if logs and "reward" in logs:
                bar.update(self.task, description=f"reward {logs['reward']:5.2f}")

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            bar.update(self.task, completed=state.global_step)

        def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            bar.stop()

    return Shown()


def _show(console: Any, table: dict[str, dict[str, float]]) -> None:
    from rich.table import Table

    shown = Table(title=f"{HELD_OUT} held-out pictures a split, sampled at temperature 1")
    shown.add_column("")
    for name in COLUMNS:
        shown.add_column(name, justify="right")
    for arm, values in table.items():
        shown.add_row(arm, *(f"{values[name]:.2f}" for name in COLUMNS))
    console.print(shown)
    for name, what in COLUMNS.items():
        console.print(f"  {name}: {what}")


def _report(folder: Path) -> Path:
    from sightline.view import report

    report(folder / "accuracy-only", folder / "accuracy-only.html", title="Paid for right answers only")
    return report(folder / "evidence", folder / "report.html", title="Paid for right answers that cite what is seen")


def _quiet() -> None:
    """Other libraries' progress bars and notices off: this command shows its own."""
    import warnings

    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TQDM_DISABLE", "1")
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")
