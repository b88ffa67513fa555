"""A run of verl: the files that it needs, its command, and verl itself in a process of its own.

    output/
      sightline_reward.py   the reward manager and the credit rule, as verl loads them in its workers and its trainer
      train.parquet, val.parquet
      verl.sh               the whole command
      run.json              what was launched, and what of the recipe verl could not carry
      verl-metrics-N.jsonl  verl's metrics of the N-th launch
      scored/               scored rollouts with their parts and reasons, a file of JSON lines per reward worker
      rollouts/, validation/   verl's own dumps
      checkpoints/

Paths are absolute: on a cluster they are on a disk that all nodes share. Knows nothing of recipes.
"""

from __future__ import annotations

import importlib.util
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

from sightline.adapters import verl_credit, verl_data
from sightline.adapters.export import FILE, Wanted, reward_lines
from sightline.adapters.outcomes import compares
from sightline.adapters.verl import WORKERS, at_once, group_size, workers_for
from sightline.adapters.verl_words import MAIN, WORKERS_ALONE, arguments, managed, script, validated
from sightline.core.errors import ConfigError, MissingExtra
from sightline.credit.credit import Credit
from sightline.rewards.reward import Reward

TESTED = "0.9.1"
CREDIT = """
CREDIT = verl_credit.register($credit)
"""
MANAGER = """
SightlineRewardManager = verl.reward_manager(REWARD, unscorable=$unscored, log=$log)
"""

Rows = Iterable[Mapping[str, Any]]


@dataclass(frozen=True)
class Run:
    """What is to be run.

    Args:
        wanted: the reward as its file loads it.
        reward: the same reward, to see what it needs.
        credit: the rule; None leaves the advantage to verl's own estimator.
        model: folder or name.
        output: folder for everything.
        overrides: of the recipe.
        own: overrides of the user, which come last.
        address: of a Ray cluster; empty: one is started here.
        resume: go on from the last checkpoint.
        notes: what verl cannot carry, and what was chosen; they go into `run.json`.
        constants: of the record, for example the configuration.
    """

    wanted: Wanted
    reward: Reward
    credit: Credit | None
    model: str
    output: Path
    overrides: Mapping[str, Any]
    own: Mapping[str, Any] = field(default_factory=dict)
    address: str = ""
    resume: bool = False
    notes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return self.output.absolute()

    @property
    def record(self) -> Path:
        return self.folder / "run.json"


def prepare(
    run: Run,
    train: Rows,
    evaluation: Rows | None = None,
    pixels: Mapping[str, int] | None = None,
    test_pixels: Mapping[str, int] | None = None,
) -> list[str]:
    """Write the reward, the data and the command.

    Args:
        train, evaluation: rows; without the second, verl's validation file is the first row and is never asked about.
        pixels, test_pixels: see `verl_data.write`.

    Returns: the command.

    Raises:
        ConfigError: the folder holds a run already, or see `overrides`.
        ColumnError, MediaError: see `verl_data.write`.
    """
    check_free(run)
    overrides(run)  # raises before anything is written
    run.folder.mkdir(parents=True, exist_ok=True)
    (run.folder / FILE).write_text(reward_file(run), "utf-8")
    verl_data.write(train, run.folder / "train.parquet", "train", pixels)
    held = _first(train) if evaluation is None else evaluation
    tested = verl_data.write(held, run.folder / "val.parquet", "val", test_pixels)
    tested = 0 if evaluation is None else tested
    (run.folder / "verl.sh").write_text(script(overrides(run, tested)), "utf-8")
    return command(run, tested)


def check_free(run: Run) -> None:
    """Raise a ConfigError if the folder holds a run that is not to be resumed."""
    if run.record.exists() and not run.resume:
        raise ConfigError(f"{run.output} holds a run already: give --resume to go on with it, or another output")


def reward_file(run: Run) -> str:
    """The Python file that verl loads, as `reward.reward_manager.module.path`, in its workers and in its trainer."""
    places = {
        "credit": 'load("' + run.wanted.slug + '").credit' if run.wanted.own == "" else "GroupRelative()",
        "unscored": "0.0" if run.credit is None else "verl_credit.UNSCORED",
        "log": repr(str(run.folder / "scored")),
    }
    head = reward_lines("verl", "verl" if run.credit is None else "verl, verl_credit", run.wanted)
    if run.credit is not None and run.wanted.own:
        head += "\nfrom sightline.credit import GroupRelative\n"
    return head + Template((CREDIT if run.credit is not None else "") + MANAGER).substitute(places)


def overrides(run: Run, tested: int = 0) -> dict[str, Any]:
    """Those of the recipe, then those of the files here, then the user's own.

    Args:
        tested: rows of the validation data; 0: verl does not validate.

    Raises:
        ConfigError: with the user's own no group could come together.
    """
    given = {**run.overrides, **run.own}
    found = {**run.overrides, **_wiring(run), **_validation(given, tested), **validated(run.reward, given)}
    found = {**found, WORKERS: _workers(run.reward, {**found, **run.own}, tested), **run.own}
    if compares(run.reward):
        group_size(found, tested)
    return found


def command(run: Run, tested: int = 0) -> list[str]:
    """The words of the command, see `overrides`."""
    return [sys.executable, "-m", MAIN, *arguments(overrides(run, tested))]


def launch(run: Run, words: Sequence[str]) -> int:
    """Run verl here; its output goes where ours goes, and so do signals.

    Returns: its exit status; of a process that a signal ended 128 and the signal, as shells count.

    Raises:
        MissingExtra: verl is not installed.
    """
    needs_verl()
    record = {
        **run.constants,
        "engine": "verl",
        "command": list(words),
        "reward": repr(run.reward),
        "credit": "verl's own" if run.credit is None else repr(run.credit),
        "started": time.time(),
        **run.notes,
    }
    run.record.write_text(json.dumps(record, indent=2, default=str), "utf-8")
    with subprocess.Popen(words) as process:
        before = _forwarding(process)
        try:
            status = process.wait()
        except KeyboardInterrupt:
            process.wait()  # Ctrl-C reached it too
            raise
        finally:
            if before is not None:
                signal.signal(signal.SIGTERM, before)
    return status if status >= 0 else 128 - status


def needs_verl() -> None:
    """Raise a MissingExtra if this environment has no verl."""
    if importlib.util.find_spec("verl") is None:
        raise MissingExtra(
            f"verl is not installed here: pip install 'verl[vllm]=={TESTED}' (or verl[sglang]) where sightline is "
            "installed; --dry-run writes the files and prints the command without it"
        )


def _wiring(run: Run) -> dict[str, Any]:
    folder = run.folder
    metrics = folder / f"verl-metrics-{1 + len(list(folder.glob('verl-metrics-*.jsonl')))}.jsonl"
    return {
        "actor_rollout_ref.model.path": str(Path(run.model).absolute()) if Path(run.model).exists() else run.model,
        "algorithm.adv_estimator": "grpo" if run.credit is None else verl_credit.NAME,
        "algorithm.norm_adv_by_std_in_grpo": getattr(run.credit, "scale", True) is not None,
        "data.train_files": str(folder / "train.parquet"),
        "data.val_files": str(folder / "val.parquet"),
        **managed(folder / FILE),
        "trainer.default_local_dir": str(folder / "checkpoints"),
        "trainer.rollout_data_dir": str(folder / "rollouts"),
        "trainer.validation_data_dir": str(folder / "validation"),
        "trainer.resume_mode": "auto" if run.resume else "disable",
        "hydra.run.dir": str(folder / "hydra"),
        "+ray_kwargs.ray_init.runtime_env.env_vars.VERL_FILE_LOGGER_PATH": str(metrics),
        **({"+ray_kwargs.ray_init.address": run.address} if run.address else {}),
    }


def _validation(given: Mapping[str, Any], tested: int) -> dict[str, Any]:
    if not tested:
        return {"trainer.test_freq": -1}
    return {} if "trainer.test_freq" in given else {"trainer.test_freq": given["trainer.save_freq"]}


def _workers(reward: Reward, given: Mapping[str, Any], tested: int) -> int:
    """As many reward workers as hold all rollouts of a step at once, if they wait for their groups."""
    return workers_for(at_once(given, tested)) if compares(reward) else WORKERS_ALONE


def _first(rows: Rows) -> list[Mapping[str, Any]]:
    return [next(iter(rows))]


def _forwarding(process: subprocess.Popen[bytes]) -> Any:
    """Hand SIGTERM on to verl; only the main thread can."""
    if threading.current_thread() is not threading.main_thread():
        return None
    return signal.signal(signal.SIGTERM, lambda number, frame: process.send_signal(number))
