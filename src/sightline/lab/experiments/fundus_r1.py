"""Do composed traces, and a reward for traces that bear out their own answer, make a better reader of findings?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.core.batch import Batch
from sightline.core.missing import Missing
from sightline.credit import GroupRelative
from sightline.curate.finding_traces import compatible
from sightline.lab.experiment import Claim, Experiment
from sightline.lab.worlds.finding_table import KIND, FindingTable, Flags, Floats, Numbers, Reader, Said
from sightline.parse.tags_once import TagsOnce
from sightline.rewards.findings import FindingsFitAnswer, FindingsSeen
from sightline.rewards.format import Format
from sightline.rewards.label_sets import LabelAnswer, SaidLabels
from sightline.rewards.reward import Reward

CREDIT, GROUP, PROMPTS, STEPS, RATE, RUNS = GroupRelative(eps=1e-6), 8, 16, 200, 1.5, 3
RECORDS, SFT_STEPS, SFT_RATE, MISSED, INVENTED = 200, 150, 4.0, 0.15, 0.03


@dataclass(frozen=True)
class Arm:
    """What an arm trains with: traces or labels alone first, and which process reward then."""

    traces: bool
    process: str = "none"


LEARNERS = {
    "labels + RL": Arm(traces=False),
    "labels + RL + process": Arm(traces=False, process="always"),
    "traces + RL": Arm(traces=True),
    "traces + RL + process": Arm(traces=True, process="always"),
    "traces + RL + gated process": Arm(traces=True, process="if right"),
}
ARMS = {
    "labels + RL": "fine-tuned on the labels of the records alone, then RL with accuracy and format",
    "labels + RL + process": "the same, RL with the process reward too",
    "traces + RL": "fine-tuned on traces of seen findings and labels, then RL with accuracy and format",
    "traces + RL + process": "the same, RL with the process reward too",
    "traces + RL + gated process": "the same, the process reward for right answers only",
}
FIGURES = {
    "accuracy": "of the label on 2000 new pictures",
    "process": "r_proc: whether the written findings bear out the own answer",
    "faithful": "F1 of the written findings and those of the picture",
    "wrong but consistent": "share of wrong answers with r_proc above .9",
    "kept": "share of the records that kept a trace",
}


def measure(arm: str, seed: int) -> dict[str, float]:
    """Means over runs with tables of their own."""
    runs = [_run(LEARNERS[arm], 100 * seed + run) for run in range(RUNS)]
    return {name: float(np.mean([run[name] for run in runs])) for name in FIGURES}


def _run(arm: Arm, seed: int) -> dict[str, float]:
    table, rng = FindingTable(seed), np.random.default_rng([seed, 1])
    reader = Reader.new(table.findings, table.labels)
    kept = _fine_tune(reader, table, arm.traces, rng)
    reward, said = _reward(table, arm.process), Said(table)
    for _ in range(STEPS):
        truth = np.repeat(rng.integers(table.labels, size=PROMPTS), GROUP)
        _, x = table.pictures(truth[::GROUP], rng)
        x = np.repeat(x, GROUP, axis=0)
        written, label = reader.sample(x, rng)
        batch = _batch(table, said(written, label), truth, np.arange(len(truth)) // GROUP)
        advantage, _ = CREDIT.assign(reward(batch), batch)
        reader.push(x, written, label, np.asarray(advantage), RATE, np.ones(len(truth), bool))
    return {**_read(reader, table, rng), "kept": kept}


def _fine_tune(reader: Reader, table: FindingTable, traces: bool, rng: np.random.Generator) -> float:
    """On records with labels and findings that a fallible model has seen; returns the share that keep a trace."""
    truth = rng.integers(table.labels, size=RECORDS)
    there, x = table.pictures(truth, rng)
    seen = np.where(there, rng.random(there.shape) > MISSED, rng.random(there.shape) < INVENTED)
    filtered = [_compatible(table, row, int(label)) for row, label in zip(seen, truth, strict=True)]
    wrote = np.array([one is not None for one in filtered]) & traces
    written = np.array([np.zeros(table.findings, bool) if one is None else one for one in filtered]) & wrote[:, None]
    for _ in range(SFT_STEPS):
        reader.push(x, written, truth, np.ones(len(truth)), SFT_RATE, wrote)
    return float(np.mean([one is not None for one in filtered]))


def _compatible(table: FindingTable, seen: Flags, label: int) -> Flags | None:
    names = table.names
    entry = table.knowledge.entry(table.label(label), KIND)
    assert entry is not None, "every label of the table has an entry"
    found = compatible([names[k] for k in np.flatnonzero(seen)], entry)
    return None if isinstance(found, Missing) else np.isin(names, found)


def _reward(table: FindingTable, process: str) -> Reward:
    labels = SaidLabels(table.knowledge)
    accuracy = LabelAnswer(table.knowledge)
    fits = 0.5 * FindingsFitAnswer(table.knowledge, labels)
    plain = accuracy + 0.5 * Format(TagsOnce())
    return {"none": plain, "always": plain + fits, "if right": plain + fits.when(accuracy, above=1 - 1e-9)}[process]


def _batch(table: FindingTable, texts: list[str], truth: Numbers, group: Any = None) -> Batch:
    columns = {"answer": [table.label(k) for k in truth.tolist()], "modality": [KIND] * len(texts)}
    return Batch(texts, columns, group=group)


def _read(reader: Reader, table: FindingTable, rng: np.random.Generator) -> dict[str, float]:
    truth = rng.integers(table.labels, size=2000)
    there, x = table.pictures(truth, rng)
    texts = Said(table)(*reader.sample(x, rng))
    batch = _batch(table, texts, truth)
    names = np.array(table.names)
    seen = Batch(texts, {"findings_seen": [names[row].tolist() for row in there]})
    right: Floats = LabelAnswer(table.knowledge)(batch).values
    process: Floats = FindingsFitAnswer(table.knowledge)(batch).values
    return {
        "accuracy": float(right.mean()),
        "process": float(process.mean()),
        "faithful": float(FindingsSeen(table.knowledge)(seen).values.mean()),
        "wrong but consistent": float((process[right == 0] > 0.9).mean()) if (right == 0).any() else 0.0,
    }


EXPERIMENT = Experiment(
    slug="fundus-r1",
    question="What do traces from labels, and a reward for consistent traces, add to learning from labels?",
    setting=(
        "10 labels, 20 findings seen through noise, 200 records whose findings a fallible model has seen (15 % missed, "
        "3 % invented); a policy that writes findings and then a label; 200 steps of 16 pictures x 8 rollouts; the "
        "reward reads the written texts; means over 3 tables per seed."
    ),
    arms=ARMS,
    figures=FIGURES,
    claims=(
        Claim("traces make answers better", "accuracy", "traces + RL", "labels + RL"),
        Claim("the process reward makes them better still", "accuracy", "traces + RL + process", "traces + RL"),
        Claim("the process reward makes traces consistent", "process", "traces + RL + process", "traces + RL"),
        Claim("and more faithful to the picture", "faithful", "traces + RL + process", "traces + RL"),
        Claim(
            "without traces the process reward makes no faithful reader",
            "faithful",
            "traces + RL",
            "labels + RL + process",
        ),
        Claim(
            "ungated, it also makes wrong answers more consistent",
            "wrong but consistent",
            "traces + RL + process",
            "traces + RL + gated process",
        ),
    ),
    measure=measure,
    seeds=(1, 2, 3),
    limits=(
        "findings are numbers, not icons in a picture, and the policy is a small table, not a language model",
        "the policy can read the label past the findings, so that traces are not needed for accuracy here",
        "after a look at seed 0 both kinds of fine-tuning were given equal numbers of steps; default seeds are others",
    ),
)
