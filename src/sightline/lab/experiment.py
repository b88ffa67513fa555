"""Experiments: a paper's claim as a comparison of arms, run with the same seeds and the same budget.

An experiment measures each arm with each seed once, keeps every result in a file as soon as it is there, and judges its
claims by paired differences over seeds with a 95 % confidence interval (t distribution). A claim is supported if the
interval lies above 0, not supported if it lies below 0 or on it, and inconclusive if it holds both signs.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

Figures = Mapping[str, float]
Measure = Callable[[str, int], dict[str, float]]


@dataclass(frozen=True)
class Claim:
    """One sentence that the figures can contradict.

    Args:
        says: the claim in words.
        figure: the figure compared.
        treatment, control: names of two arms.
        more: whether the treatment should have more of it.
    """

    says: str
    figure: str
    treatment: str
    control: str
    more: bool = True


@dataclass(frozen=True)
class Judged:
    """What the figures say of a claim: mean paired difference in the claimed direction, and its interval."""

    claim: Claim
    difference: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        if self.low > 0:
            return "supported"
        return "not supported" if self.high <= 0 else "inconclusive"


@dataclass(frozen=True)
class Experiment:
    """A paper's claims on a world.

    Args:
        slug: the system.
        question: what is asked, in one sentence.
        setting: world, model, budget: what a reader needs to repeat or doubt it.
        arms: name -> what it does differently.
        figures: name -> what it measures.
        claims: what the paper leads one to expect.
        measure: (arm, seed) -> figures. A module-level function: arms run in processes of their own.
        seeds: used by the command unless others are asked for.
        limits: what the result does not show.
    """

    slug: str
    question: str
    setting: str
    arms: Mapping[str, str]
    figures: Mapping[str, str]
    claims: tuple[Claim, ...]
    measure: Measure
    seeds: tuple[int, ...] = (0, 1, 2)
    limits: tuple[str, ...] = field(default=())

    def jobs(self, seeds: Sequence[int]) -> list[tuple[str, int]]:
        return [(arm, seed) for seed in seeds for arm in self.arms]


def conduct(
    experiment: Experiment, seeds: Sequence[int], folder: Path, processes: int = 2
) -> Iterator[tuple[str, int, dict[str, float]]]:
    """Measure every arm with every seed; yields each result as it comes.

    What is in `folder` is not measured again, unless the file of the experiment has changed since.
    """
    folder = folder / fingerprint(experiment)
    folder.mkdir(parents=True, exist_ok=True)
    waiting = []
    for arm, seed in experiment.jobs(seeds):
        kept = _path(folder, arm, seed)
        if kept.exists():
            yield arm, seed, json.loads(kept.read_text())
        else:
            waiting.append((arm, seed))
    if not waiting:
        return
    # a fresh interpreter for each process: torch's threads do not survive a fork
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(processes, len(waiting)), context, initializer=_one_thread) as pool:
        running = {pool.submit(_measured, experiment.measure, arm, seed, folder): (arm, seed) for arm, seed in waiting}
        for done in as_completed(running):
            yield (*running[done], done.result())


def fingerprint(experiment: Experiment) -> str:
    """8 hex digits that change with the file that measures."""
    file = inspect.getsourcefile(experiment.measure)
    source = Path(file).read_bytes() if file is not None else b""
    return hashlib.blake2b(source, digest_size=4).hexdigest()


def judge(experiment: Experiment, results: Mapping[tuple[str, int], Figures]) -> list[Judged]:
    """The claims in the light of paired results.

    Example:
        >>> claim = Claim("more is more", "x", "b", "a")
        >>> study = Experiment("s", "?", "", {"a": "", "b": ""}, {"x": ""}, (claim,), dict)
        >>> results = {(arm, seed): {"x": seed + (arm == "b")} for arm in "ab" for seed in range(3)}
        >>> judge(study, results)[0].verdict
        'supported'
    """
    seeds = sorted({seed for _, seed in results})
    judged = []
    for claim in experiment.claims:
        pairs = [
            results[claim.treatment, seed][claim.figure] - results[claim.control, seed][claim.figure] for seed in seeds
        ]
        signed = np.array(pairs) * (1 if claim.more else -1)
        judged.append(Judged(claim, *interval(signed)))
    return judged


def interval(values: np.ndarray) -> tuple[float, float, float]:
    """Mean and 95 % confidence interval of the mean; one value alone has an infinite one.

    Example:
        >>> [round(v, 3) for v in interval(np.array([1.0, 2.0, 3.0]))]
        [2.0, -0.484, 4.484]
    """
    from scipy.stats import t

    known = values[~np.isnan(values)]
    if len(known) < 2:
        return (float(known.mean()) if len(known) else float("nan")), -float("inf"), float("inf")
    mean = float(known.mean())
    half = float(t.ppf(0.975, len(known) - 1) * known.std(ddof=1) / np.sqrt(len(known)))
    return mean, mean - half, mean + half


def document(experiment: Experiment, results: Mapping[tuple[str, int], Figures], command: str) -> str:
    """The experiment as a page: question, setting, table of means with intervals, verdicts, limits."""
    seeds = sorted({seed for _, seed in results})
    lines = [
        f"# {experiment.slug}",
        "",
        experiment.question,
        "",
        f"{experiment.setting} Seeds {', '.join(map(str, seeds))}. Means over seeds with 95 % confidence intervals.",
        "",
        f"Produced by `{command}`.",
        "",
        "| arm | " + " | ".join(experiment.figures) + " |",
        "|---" * (len(experiment.figures) + 1) + "|",
    ]
    for arm in experiment.arms:
        cells = [_cell(np.array([results[arm, seed][name] for seed in seeds])) for name in experiment.figures]
        lines.append(f"| {arm} | " + " | ".join(cells) + " |")
    lines += ["", *(f"- **{arm}**: {what}" for arm, what in experiment.arms.items())]
    lines += ["", *(f"- *{name}*: {what}" for name, what in experiment.figures.items())]
    lines += ["", "| claim | difference | verdict |", "|---|---|---|"]
    for found in judge(experiment, results):
        span = f"{found.difference:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"
        lines.append(f"| {found.claim.says} | {span} | **{found.verdict}** |")
    lines += ["", *(f"Limit: {limit}" + "\n" for limit in experiment.limits)]
    lines += ["Single results:", "", "| arm | seed | " + " | ".join(experiment.figures) + " |"]
    lines.append("|---" * (len(experiment.figures) + 2) + "|")
    for (arm, seed), figures in sorted(
        results.items(), key=lambda item: (list(experiment.arms).index(item[0][0]), item[0][1])
    ):
        lines.append(f"| {arm} | {seed} | " + " | ".join(_single(figures[name]) for name in experiment.figures) + " |")
    return "\n".join(lines) + "\n"


def _cell(values: np.ndarray) -> str:
    mean, low, high = interval(values)
    if np.isnan(mean):
        return "–"  # the figure is not measured in this arm
    return f"{mean:.3f}" if not np.isfinite(low) else f"{mean:.3f} ± {(high - low) / 2:.3f}"


def _single(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.3f}"


def _path(folder: Path, arm: str, seed: int) -> Path:
    name = "".join(letter if letter.isalnum() else "-" for letter in arm)
    return folder / f"{name}.{seed}.json"


def _measured(measure: Measure, arm: str, seed: int, folder: Path) -> dict[str, float]:
    figures = measure(arm, seed)
    draft = _path(folder, arm, seed).with_suffix(".draft")
    draft.write_text(json.dumps(figures))
    draft.replace(_path(folder, arm, seed))
    return figures


def _one_thread() -> None:
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    import torch

    torch.set_num_threads(1)


def load(slug: str) -> Experiment:
    """The experiment of a system.

    Raises:
        UnknownSystem: it has none.
    """
    import importlib
    import pkgutil

    from sightline.core.errors import UnknownSystem, did_you_mean
    from sightline.lab import experiments
    from sightline.system import module_name

    known = [module.name for module in pkgutil.iter_modules(experiments.__path__)]
    if module_name(slug) not in known:
        close = did_you_mean(module_name(slug), known).replace("_", "-")
        raise UnknownSystem(
            f"the lab has no experiment for `{slug}`.{close} It has {[n.replace('_', '-') for n in known]}"
        )
    experiment: Experiment = importlib.import_module(f"sightline.lab.experiments.{module_name(slug)}").EXPERIMENT
    return experiment
