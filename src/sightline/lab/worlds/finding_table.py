"""Pictures as noisy signals of findings, diagnoses by a table, and a policy that writes findings and then a label.

A picture of a label shows its required findings mostly, its supportive ones at times, strangers rarely; each finding is
seen as its presence plus noise. Axes: B pictures or rollouts, L labels, F findings.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sightline.rewards.knowledge import Entry, Finding, Knowledge

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]
KIND = "CFP"
LETTERS = "bcdfghjklmnprstvwxyz"


@dataclass(frozen=True)
class FindingTable:
    """10 labels of two required and two supportive findings each, out of 20; one label is healthy.

    Args:
        seed: of the table.
        labels, findings: L and F.
        noise: deviation of a finding's signal, whose presence adds 1.
    """

    seed: int = 0
    labels: int = 10
    findings: int = 20
    noise: float = 0.6

    @cached_property
    def parts(self) -> Numbers:
        """(L, 4) two required, then two supportive findings; the last label has none."""
        rng = np.random.default_rng([self.seed, 0])
        return np.array([rng.permutation(self.findings)[:4] for _ in range(self.labels)])

    @cached_property
    def knowledge(self) -> Knowledge:
        names = self.names
        entries = [
            Entry(self.label(k), KIND, (names[p[0]], names[p[1]]), (names[p[2]], names[p[3]]))
            for k, p in enumerate(self.parts[:-1].tolist())
        ]
        return Knowledge(tuple(map(Finding, names)), (*entries, Entry(self.label(self.labels - 1), KIND)))

    @property
    def names(self) -> list[str]:
        return [f"{LETTERS[k % len(LETTERS)]}ame sign" for k in range(self.findings)]

    def label(self, number: int) -> str:
        return f"state {number}"

    def pictures(self, label_B: Numbers, rng: np.random.Generator) -> tuple[Flags, Floats]:
        """(B, F) findings that are there, and how each is seen."""
        chance = np.full((self.labels, self.findings), 0.03)
        for k, parts in enumerate(self.parts[:-1].tolist()):
            chance[k, parts[:2]], chance[k, parts[2:]] = 0.95, 0.5
        there = rng.random((len(label_B), self.findings)) < chance[label_B]
        return there, there + self.noise * rng.normal(size=there.shape)


@dataclass
class Reader:
    """A policy: findings are written one by one, then a label from what was written and from what was seen.

    P(write f) = sigmoid(slope_f x_f + bias_f);  P(label) = softmax(written @ link + x @ glance + prior)
    """

    slope: Floats
    bias: Floats
    link: Floats
    glance: Floats
    prior: Floats

    @classmethod
    def new(cls, findings: int, labels: int) -> Reader:
        """Writes a finding in one of eight cases, whatever is seen, and every label alike."""
        zeros = np.zeros((findings, labels))
        return cls(np.zeros(findings), np.full(findings, -2.0), zeros.copy(), zeros.copy(), np.zeros(labels))

    def writes(self, x_BF: Floats) -> Floats:
        return np.asarray(1.0 / (1.0 + np.exp(-(self.slope * x_BF + self.bias))))

    def labels(self, written_BF: Flags, x_BF: Floats) -> Floats:
        logits = written_BF @ self.link + x_BF @ self.glance + self.prior
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=1, keepdims=True))

    def sample(self, x_BF: Floats, rng: np.random.Generator) -> tuple[Flags, Numbers]:
        written = rng.random(x_BF.shape) < self.writes(x_BF)
        ladder = self.labels(written, x_BF).cumsum(axis=1)
        return written, (rng.random(len(x_BF))[:, None] > ladder).sum(axis=1).clip(max=ladder.shape[1] - 1)

    def push(self, x_BF: Floats, written: Flags, label: Numbers, weight: Floats, rate: float, wrote: Flags) -> None:
        """One step up the weighted log-probability of what was written; where `wrote` is False only of the label."""
        of_text = (rate * weight * wrote / len(weight))[:, None] * (written - self.writes(x_BF))
        of_label = -self.labels(written, x_BF)
        of_label[np.arange(len(label)), label] += 1.0
        of_label *= (rate * weight / len(weight))[:, None]
        self.slope += (of_text * x_BF).sum(axis=0)
        self.bias += of_text.sum(axis=0)
        self.link += written.astype(float).T @ of_label
        self.glance += x_BF.T @ of_label
        self.prior += of_label.sum(axis=0)


@dataclass(frozen=True)
class Said:
    """Written findings and labels as texts."""

    table: FindingTable = field(default_factory=FindingTable)

    def __call__(self, written: Flags, label: Numbers) -> list[str]:
        names = self.table.names
        return [
            f"<think>{', '.join(names[f] for f in np.flatnonzero(row))}</think><answer>{self.table.label(k)}</answer>"
            for row, k in zip(written, label.tolist(), strict=True)
        ]
