"""What a scored batch adds to TRL's metrics and to its table of completions."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from sightline.core.scores import Scores
from sightline.credit.credit import Tokens


def log_parts(metrics: dict[str, list[float]], scores: Scores) -> None:
    for name, part in scores.parts.items():
        known = part.values[~np.isnan(part.values)]
        metrics[f"rewards/{name}/mean"].append(float(known.mean()) if len(known) else float("nan"))
        metrics[f"rewards/{name}/std"].append(float(known.std(ddof=1)) if len(known) > 1 else float("nan"))
    errors = int(scores.errors.sum())
    metrics["unscorable/error"].append(errors)
    metrics["unscorable/abstain"].append(int(np.isnan(scores.values).sum()) - errors)


def log_columns(logs: dict[str, Any], scores: Scores) -> None:
    """Columns of TRL's table of completions: the total, every part, and why. All columns stay equally long."""
    columns: dict[str, deque[float]] = logs["rewards"]
    before = len(columns["reward"])
    columns["reward"].extend(scores.values.tolist())
    for name in dict.fromkeys([*columns, *scores.parts]):
        if name != "reward":
            part = scores.parts[name].values if name in scores.parts else np.full(len(scores), np.nan)
            columns[name].extend([float("nan")] * (before - len(columns[name])))
            columns[name].extend(part.tolist())
    logs["extra"]["why"].extend(scores.why)


def log_measures(metrics: dict[str, list[float]], tokens: Tokens) -> None:
    """The mean of every measure over the tokens that are trained on."""
    for name, values in tokens.measured.items():
        known = values[tokens.mask]
        metrics[f"tokens/{name}"].append(float(known.mean()) if len(known) else float("nan"))
