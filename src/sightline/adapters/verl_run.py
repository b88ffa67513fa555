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
import re
import shlex
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
from sightline.adapters.verl import workers_for
from sightline.core.errors import ConfigError, MissingExtra
from sightline.credit.credit import Credit
from sightline.rewards.reward import Reward

MAIN = "verl.trainer.main_ppo"
TESTED = "0.9.1"
WORKERS = 8
PLAIN = re.compile(r"[A-Za-z_/.~][A-Za-z0-9_/.:@+~-]*")  # what Hydra takes for a text without quotes
WORDS = ("null", "true", "false", "nan", "inf")
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
        ConfigError: the folder holds a run already.
        ColumnError, MediaError: see `verl_data.write`.
    """
    check_free(run)
    run.folder.mkdir(parents=True, exist_ok=True)
    (run.folder / FILE).write_text(reward_file(run), "utf-8")
    verl_data.write(train, run.folder / "train.parquet", "train", pixels)
    held = _first(train) if evaluation is None else evaluation
    tested = verl_data.write(held, run.folder / "val.parquet", "val", test_pixels)
    words = command(run, 0 if evaluation is None else tested)
    lines = " \\\n  ".join(shlex.quote(word) for word in words[3:])
    script = run.folder / "verl.sh"
    script.write_text(f"#!/bin/sh\nexec python -m {MAIN} \\\n  {lines}\n", "utf-8")
    return words


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


def command(run: Run, tested: int = 0) -> list[str]:
    """The words of the command: the recipe's overrides, then those of the files here, then the user's own.

    Args:
        tested: rows of the validation data; 0: verl does not validate.
    """
    overrides = {**run.overrides, **_wiring(run), **_validation(run, tested)}
    overrides = {**overrides, **_workers(run, overrides, tested), **run.own}
    return [sys.executable, "-m", MAIN, *(f"{key}={word(value)}" for key, value in overrides.items())]


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


def word(value: Any) -> str:
    """A value in the grammar of Hydra's overrides.

    Example:
        >>> [word(one) for one in (1e-6, True, None, [1, "a b"], "/data/x=1", "vllm", "8", "it's")]
        ['1e-06', 'true', 'null', "[1,'a b']", "'/data/x=1'", 'vllm', "'8'", "'it\\\\'s'"]
    """
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return "[" + ",".join(word(one) for one in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{word(one)}" for key, one in value.items()) + "}"
    text = str(value)
    if PLAIN.fullmatch(text) and text.lower() not in WORDS:
        return text
    # a backslash is one, unless quotes follow: Hydra's grammar
    escaped = re.sub(r"(\\*)'", lambda found: found[1] * 2 + "\\'", text)
    tail = len(escaped) - len(escaped.rstrip("\\"))
    return f"'{escaped}{escaped[len(escaped) - tail :]}'"


def flat(nested: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Nested settings as dotted keys; empty blocks vanish.

    Example:
        >>> flat({"trainer": {"nnodes": 2}, "data.seed": 1})
        {'trainer.nnodes': 2, 'data.seed': 1}
    """
    found: dict[str, Any] = {}
    for key, value in nested.items():
        found.update(flat(value, f"{before}{key}.") if isinstance(value, Mapping) else {f"{before}{key}": value})
    return found


def _wiring(run: Run) -> dict[str, Any]:
    folder = run.folder
    metrics = folder / f"verl-metrics-{1 + len(list(folder.glob('verl-metrics-*.jsonl')))}.jsonl"
    return {
        "actor_rollout_ref.model.path": str(Path(run.model).absolute()) if Path(run.model).exists() else run.model,
        "algorithm.adv_estimator": "grpo" if run.credit is None else verl_credit.NAME,
        "algorithm.norm_adv_by_std_in_grpo": getattr(run.credit, "scale", True) is not None,
        "data.train_files": str(folder / "train.parquet"),
        "data.val_files": str(folder / "val.parquet"),
        "reward.reward_manager.source": "importlib",
        "reward.reward_manager.name": "SightlineRewardManager",
        "reward.reward_manager.module.path": str(folder / FILE),
        "trainer.default_local_dir": str(folder / "checkpoints"),
        "trainer.rollout_data_dir": str(folder / "rollouts"),
        "trainer.validation_data_dir": str(folder / "validation"),
        "trainer.resume_mode": "auto" if run.resume else "disable",
        "hydra.run.dir": str(folder / "hydra"),
        "+ray_kwargs.ray_init.runtime_env.env_vars.VERL_FILE_LOGGER_PATH": str(metrics),
        **({"+ray_kwargs.ray_init.address": run.address} if run.address else {}),
    }


def _validation(run: Run, tested: int) -> dict[str, Any]:
    """Validation samples as training does where the reward compares rollouts: it needs whole groups there too."""
    given = {**run.overrides, **run.own}
    at = "actor_rollout_ref.rollout.val_kwargs"
    found: dict[str, Any] = {} if tested else {"trainer.test_freq": -1}
    if tested and "trainer.test_freq" not in given:
        found["trainer.test_freq"] = given["trainer.save_freq"]
    if compares(run.reward):
        found[f"{at}.n"] = _size(given)
        if _size(given) > 1 and not given.get(f"{at}.temperature"):
            found |= {f"{at}.temperature": given.get("actor_rollout_ref.rollout.temperature", 1.0)}
            found |= {f"{at}.do_sample": True}
    return found


def _workers(run: Run, overrides: Mapping[str, Any], tested: int) -> dict[str, Any]:
    """As many reward workers as hold all rollouts of a step at once, if they wait for their groups."""
    if not compares(run.reward):
        return {"reward.num_workers": WORKERS}
    given = {**overrides, **run.own}
    prompts = max(int(given["data.train_batch_size"]), tested)
    return {"reward.num_workers": workers_for(prompts * _size(given))}


def _size(given: Mapping[str, Any]) -> int:
    return int(given["actor_rollout_ref.rollout.n"])


def _first(rows: Rows) -> list[Mapping[str, Any]]:
    return [next(iter(rows))]


def _forwarding(process: subprocess.Popen[bytes]) -> Any:
    """Hand SIGTERM on to verl; only the main thread can."""
    if threading.current_thread() is not threading.main_thread():
        return None
    return signal.signal(signal.SIGTERM, lambda number, frame: process.send_signal(number))
