"""Reports as unordered findings, each said in one of several ways, their exact truth known.

A finding is present, and then said, or absent, and then denied or passed over. There are no pictures: a row's
`cues` are what a weak detector says of each finding. Knows nothing of encoders.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.lab.worlds.splits import RowWorld, Split, row_number, row_seed

FINDINGS: dict[str, tuple[str, ...]] = {
    "cardiomegaly": ("The heart is enlarged", "Enlarged heart shadow", "The heart shadow is enlarged"),
    "effusion": ("There is a pleural effusion", "Pleural effusion is seen", "Small pleural effusion"),
    "pneumothorax": ("There is a pneumothorax", "A pneumothorax is present", "Small pneumothorax"),
    "consolidation": (
        "Consolidation in the lower lobe",
        "Lower lobe consolidation",
        "The lower lobe shows consolidation",
    ),
    "fracture": ("Old rib fracture", "A healed rib fracture is noted", "Rib fracture, old"),
    "catheter": ("A central catheter is in place", "Central catheter in place", "Catheter tip in central position"),
    "nodule": ("A calcified nodule", "Calcified nodule of 5 mm", "There is a calcified nodule"),
    "atelectasis": ("Basal atelectasis", "Atelectasis at the bases", "There is basal atelectasis"),
}
NAMES = tuple(FINDINGS)
COMMON = (0.45, 0.4, 0.15, 0.3, 0.2, 0.35, 0.25, 0.4)  # share of reports that have each finding


@dataclass(frozen=True)
class Reports(RowWorld):
    """Reports with a few of eight findings: rows have `findings`, `reference` and `cues`, one number a finding.

    Args:
        noise: of the detector's cues; 0 shows every finding.
        least: findings a report has at least.

    Example:
        >>> row = Reports().rows(1, seed=1)[0]
        >>> len(row["findings"]) == row["reference"].count(".") and row["findings"] == sorted(row["findings"])
        True
    """

    noise: float = 0.6
    least: int = 1

    def _row(self, split: Split, seed: int, index: int) -> dict[str, Any]:
        rng = row_seed(seed, split, index)
        present = rng.random(len(NAMES)) < COMMON
        while present.sum() < self.least:
            present = rng.random(len(NAMES)) < COMMON
        return {
            "reference": written([name for name, there in zip(NAMES, present, strict=True) if there], rng),
            "findings": sorted(name for name, there in zip(NAMES, present, strict=True) if there),
            "cues": (present + rng.normal(0, self.noise, len(NAMES))).tolist(),
            "world": "reports",
            "seed": seed,
            "row": row_number(seed, split, index),
        }


def written(findings: list[str], rng: np.random.Generator) -> str:
    """A report: the findings in any order, each in one of its ways."""
    order = rng.permutation(len(findings))
    return " ".join(f"{rng.choice(FINDINGS[findings[i]])}." for i in order)


def finding_f1(said: str, findings: list[str]) -> float:
    """F1 of the findings that a text names, by exact reading; a finding counts once. 1 if there are none on both sides.

    Example:
        >>> finding_f1("Old rib fracture. The heart is enlarged.", ["fracture"])
        0.6666666666666666
    """
    named = {name for name, ways in FINDINGS.items() if any(way.lower() in said.lower() for way in ways)}
    hits = len(named & set(findings))
    return 2 * hits / (len(named) + len(findings)) if named or findings else 1.0
