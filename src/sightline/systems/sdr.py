"""SDR: a report is a set of findings, rewarded by how near its sentences lie to those of the reference.

    d(X, Y) = Chamfer = (1/m sum_i min_j c_ij + 1/n sum_j min_i c_ij) / 2,  c_ij = 1 - cos(x_i, y_j)
    R       = exp(-d / tau), tau = 1;  1 if neither report has a sentence, 0 if one has none
    A       = (R - mean) / (std + 1e-4) over the group

X and Y are the sentence vectors of a frozen encoder (the default counts words; give `SentenceEmbedder` or your own).
The same distance, taken to a bank of training sentences, picks the best of N reports (`sightline.search.typical`) and
prunes weak candidates while they are being written (`sightline.search.prune`).
"""

from __future__ import annotations

from sightline.credit import GroupRelative
from sightline.judges.lexical import LexicalEmbedder
from sightline.metrics.set_distances import (
    Weighted,
    centroid,
    earth_movers,
    energy,
    hausdorff,
    hungarian,
    mmd,
    modified_hausdorff,
    sinkhorn,
)
from sightline.parse.sentences import ANSWER_OR_TEXT, Section, Sections, Sentences
from sightline.rewards.answers import Answer, same_clean_text
from sightline.rewards.format import Format
from sightline.rewards.set_distance import StatementClash, StatementSetFit
from sightline.system import Extra, Stage, System

ENCODER = LexicalEmbedder()
MODELS, DATA = "Qwen3-VL-2B, 4B; Gemma3-4B", "two sets of chest X-rays with reports"
REFERENCE = "Findings: Heart is large. No effusion. Lungs are clear. Impression: Cardiomegaly."

SYSTEM = System(
    slug="sdr",
    title="SDR: Set-Distance Rewards for Radiology Report Generation",
    arxiv="2606.00440",
    year=2026,
    family="sets of statements",
    formula="R = exp(-d / tau),  d = (mean_i min_j c_ij + mean_j min_i c_ij) / 2,  c_ij = 1 - cos(x_i, y_j)",
    reward=StatementSetFit(ENCODER).named("set distance"),
    extras={
        "hungarian": Extra(StatementSetFit(ENCODER, distance=hungarian), "one-to-one assignment: copies are punished"),
        "earth_movers": Extra(StatementSetFit(ENCODER, distance=earth_movers), "optimal transport, uniform masses"),
        "sinkhorn": Extra(StatementSetFit(ENCODER, distance=sinkhorn), "optimal transport with entropy 0.1"),
        "hausdorff": Extra(StatementSetFit(ENCODER, distance=hausdorff), "the worst statement of either side"),
        "modified_hausdorff": Extra(
            StatementSetFit(ENCODER, distance=modified_hausdorff), "the worse of precision and recall"
        ),
        "energy": Extra(StatementSetFit(ENCODER, distance=energy), "energy distance: compares means only"),
        "mmd": Extra(StatementSetFit(ENCODER, distance=mmd), "squared maximum mean discrepancy"),
        "centroid": Extra(StatementSetFit(ENCODER, distance=centroid), "cosine of the mean vectors"),
        "precision": Extra(StatementSetFit(ENCODER, distance=Weighted(1.0)), "is what is written supported?"),
        "recall": Extra(StatementSetFit(ENCODER, distance=Weighted(0.0)), "is every finding of the reference covered?"),
        "findings": Extra(
            StatementSetFit(ENCODER, sentences=Sentences(block=Section("findings"))), "the section findings alone"
        ),
        "impression": Extra(
            StatementSetFit(ENCODER, sentences=Sentences(block=Section("impression"))), "the section impression alone"
        ),
        "exact_match": Extra(
            Answer(same_clean_text, ANSWER_OR_TEXT, "reference"), "1 for the reference word for word: the baseline"
        ),
        "contradiction": Extra(StatementClash(ENCODER), "minus the share of sentences that deny their nearest one"),
        "format": Extra(Format(Sections()), "findings and impression are there"),
    },
    credit=GroupRelative(eps=1e-4),
    recipe=(
        Stage("supervised", "sft", {"base model": MODELS, "data": DATA}),
        Stage(
            "GRPO with set distance",
            "grpo",
            {
                "group size": 8,
                "temperature": 1.0,
                "kl coefficient": 0.01,
                "learning rate": 1e-6,
                "loss": "grpo",
                "data": DATA,
            },
        ),
    ),
    columns={"reference": "the reference report, with or without answer tags, section headers, bullets"},
    departs=(
        "the paper's code is not published: definitions, constants and edge cases follow our reading of its abstract",
        "a report without a sentence earns exactly 0, not exp(-2)",
        "findings and impression are scored together; extras score each section alone",
    ),
    specimen=(
        {"completion": REFERENCE, "reference": REFERENCE, "group": 0},
        {"completion": "Lungs are clear; no effusion; heart is large.", "reference": REFERENCE, "group": 0},
        {"completion": "<answer>- Heart is large.\n- Heart is large.</answer>", "reference": REFERENCE, "group": 0},
        {"completion": "Effusion. Heart is normal. Rib broken.", "reference": REFERENCE, "group": 0},
        {"completion": "", "reference": REFERENCE, "group": 0},
        {"completion": "", "reference": "", "group": 1},
        {"completion": "A 1.5 cm nodule.", "reference": "", "group": 1},
    ),
)
