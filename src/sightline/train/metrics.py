"""What a run leaves behind beside its model: one line of metrics a logging step, and `run.json`.

Both survive a kill: lines are appended, the record is replaced as a whole, and a resumed run first drops the lines of
steps that it will do again.
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from sightline.train.checkpoints import write_whole
from sightline.train.rollouts import RolloutLog


class MetricsLog(TrainerCallback):
    """Writes what the trainer logs to a file of JSON lines: `stage`, `step`, `time` (Unix seconds), and every metric.

    Args:
        path: the file.
        stage: name of the stage, for files that hold several.
        rollouts: rollouts of the same stage, of which later steps are dropped on resuming too.
    """

    def __init__(self, path: Path, stage: str, rollouts: RolloutLog | None = None) -> None:
        self.path, self.stage, self.rollouts = path, stage, rollouts

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if not state.is_world_process_zero:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        kept = [line for line in read_metrics(self.path) if self._stays(line, state.global_step)]
        write_whole(self.path, "".join(_line(line) for line in kept).encode())
        if self.rollouts is not None:
            self.rollouts.forget_after(state.global_step)

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        if state.is_world_process_zero and logs:
            with self.path.open("a") as file:
                file.write(_line({"stage": self.stage, "step": state.global_step, "time": time.time(), **logs}))

    def _stays(self, line: dict[str, Any], step: int) -> bool:
        return bool(line["stage"] != self.stage or line["step"] <= step)


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The lines of a metrics file; one that a kill cut short is left out."""
    if not path.exists():
        return []
    lines = []
    for text in path.read_text().splitlines():
        try:
            lines.append(json.loads(text))
        except ValueError:
            continue
    return lines


@dataclass
class RunRecord:
    """`run.json`: what was run with which settings and versions, and how far each stage came."""

    path: Path
    content: dict[str, Any]

    @classmethod
    def open(cls, path: Path, content: dict[str, Any], resume: bool) -> RunRecord:
        """A new record, or with `resume` the stages of the old one under the new content."""
        stages = json.loads(path.read_text()).get("stages", {}) if resume and path.exists() else {}
        return cls(path, {**content, "stages": stages})

    def finished(self, stage: str) -> bool:
        return bool(self.content["stages"].get(stage, {}).get("status") == "finished")

    def note(self, stage: str, **facts: Any) -> None:
        """Add facts about a stage."""
        self.content["stages"].setdefault(stage, {}).update(facts)

    def write(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(self.path, json.dumps(_plain(self.content), indent=2, default=str).encode() + b"\n")


def _line(values: dict[str, Any]) -> str:
    return json.dumps(_plain(values), default=float) + "\n"


def _plain(value: Any) -> Any:
    """JSON has no NaN: it becomes null."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
