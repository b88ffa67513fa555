"""What a whole result or run looks like: counts, distributions, curves, the spread inside groups."""

from __future__ import annotations

import json
import shutil
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from sightline.core.errors import RolloutFileError
from sightline.view.charts import Curve, curve, histogram, number
from sightline.view.lines import as_parquet
from sightline.view.results import Part, Results, read_results
from sightline.view.runs import is_run, run_curves, run_lines, run_rollouts


@dataclass(frozen=True)
class Source:
    """What a page is about.

    Args:
        path: a scored file, Parquet or JSON lines, or the folder of a run.
        results: its rollouts; None for a run that has none yet.
        curves: stage -> curves of a run.
        left_out: rollout files of a run that are older than the ones shown.
        unfinished: whether `score` is still at work, or was killed: these are the rollouts scored by now.
    """

    path: Path
    results: Results | None
    curves: Mapping[str, list[Curve]]
    left_out: int = 0
    unfinished: bool = False


@dataclass(frozen=True)
class Groups:
    """How far the rollouts of a prompt differ: without a difference a group teaches nothing.

    Args:
        several: groups with at least two scorable rollouts.
        dead: those of them whose rewards are all equal.
        spread: (several,) sample standard deviation of the reward inside each.
    """

    several: int
    dead: int
    spread: NDArray[np.float64]


def read_source(path: Path | str, last: int) -> Source:
    """A scored file, one that is being written, or a run.

    Args:
        last: of a run's rollout files, so many of the latest are read.

    Raises:
        RolloutFileError: there is nothing to show.
    """
    path = Path(path)
    if path.suffix == ".jsonl":
        return _of_lines(path, [path], {})
    if not path.is_dir():
        return _of_file(path)
    if not is_run(path):
        raise RolloutFileError(
            f"{path}: not a training run: it has neither `metrics.jsonl` nor `rollouts/` or `scored/`"
        )
    curves, files, lines = run_curves(path), run_rollouts(path), run_lines(path)
    if not files and lines:
        return _of_lines(path, lines, curves)
    if not curves and not files:
        raise RolloutFileError(f"{path}: the run has logged nothing yet; try again after its first step")
    return Source(path, read_results(files[-last:]) if files else None, curves, max(0, len(files) - last))


def _of_file(path: Path) -> Source:
    """A result, or as much of it as is scored by now."""
    parts = path.with_name(f"{path.name}.parts")
    if path.exists() or not parts.is_dir():
        return Source(path, read_results([path]), {})
    files = sorted(parts.glob("*.parquet"))
    if not files:
        raise RolloutFileError(f"{path}: is being scored, and nothing is finished yet; try again in a while")
    results, facts = read_results(files), parts / "facts.json"
    if facts.exists() and not results.facts:
        results = replace(results, facts=json.loads(facts.read_bytes()))
    return Source(path, results, {}, unfinished=True)


def _of_lines(path: Path, files: Sequence[Path], curves: Mapping[str, list[Curve]]) -> Source:
    """Scored rollouts as JSON lines, by way of a Parquet file that lives as long as the source does."""
    folder = Path(tempfile.mkdtemp(prefix="sightline-view-"))
    try:
        source = Source(path, read_results([as_parquet(files, folder / "lines.parquet")]), curves)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    weakref.finalize(source, shutil.rmtree, folder, True)
    return source


def group_spread(results: Results) -> Groups:
    """Statistics of the groups of a result."""
    values, known = results.reward.values, np.isfinite(results.reward.values)
    order = np.argsort(results.group[known], kind="stable")
    group, value = results.group[known][order], values[known][order]
    if not len(group):
        return Groups(0, 0, np.zeros(0))
    first = np.flatnonzero(np.diff(group, prepend=group[0] - 1))
    size = np.diff(first, append=len(group))
    mean = np.add.reduceat(value, first) / size
    squares = np.add.reduceat((value - np.repeat(mean, size)) ** 2, first)
    # equal numbers can have a standard deviation of rounding noise
    flat = np.maximum.reduceat(value, first) == np.minimum.reduceat(value, first)
    spread = np.where(flat, 0.0, np.sqrt(squares / np.maximum(size - 1, 1)))[size > 1]
    return Groups(len(spread), int((spread == 0).sum()), spread)


def overview(source: Source) -> dict[str, Any]:
    """What the templates of a page's figures, curves and distributions read."""
    results = source.results
    groups = None if results is None else group_spread(results)
    return {
        "facts": {} if results is None else results.facts,
        "stages": [
            (stage, [(line.name, _latest(line), curve(line)) for line in lines])
            for stage, lines in source.curves.items()
        ],
        "parts": [] if results is None else [_part(part) for part in results.parts],
        "rollouts": 0 if results is None else len(results),
        "failed": 0 if results is None else int(results.failed.sum()),
        "group_count": 0 if results is None else len(results.labels),
        "groups": groups,
        "spread": Markup("") if groups is None else histogram(groups.spread),
        "left_out": source.left_out,
        "unfinished": source.unfinished,
    }


def names(parts: Sequence[Part]) -> tuple[str, ...]:
    """The names of some parts."""
    return tuple(part.name for part in parts)


def _part(part: Part) -> dict[str, Any]:
    known = part.known
    return {
        "name": part.name,
        "mean": number(part.mean),
        "std": number(part.std),
        "low": number(float(known.min()) if len(known) else None),
        "high": number(float(known.max()) if len(known) else None),
        "count": len(known),
        "abstained": part.abstained,
        "errors": part.errors,
        "chart": histogram(part.values),
    }


def _latest(line: Curve) -> str:
    return number(float(line.values[np.isfinite(line.values)][-1]))
