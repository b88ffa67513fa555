"""Video-VER: a bonus for reasoning that cites what the video shows, and only when the answer is right.

    R   = R_acc + R_fmt + R_len + 0.3 * 1[R_acc > 0.1] * e
    e   = 1 if a judge finds that the think block refers to the listed visual evidence, else 0
    R_acc by `problem_type`: option letter, equal number, 1 - WER, mean ROUGE, or 1 - relative error
    R_fmt = 1 if the completion is a think block and an answer block and nothing else
    R_len = 0.2 if right, 320 to 512 tokens long, and not the only right one of its group
    A   = (R - mean) / (std + 1e-4) over the group, sample std

Evidence is written once, offline, by a teacher that sees the video and the right answer (`sightline.curate.evidence`).
There is no penalty for missing evidence, so a wrong item can only withhold a bonus. A judge that fails or cannot be
read counts as e = 0: the bonus is optional, and a group must not be lost for it.
"""

from __future__ import annotations

from sightline.credit import GroupRelative
from sightline.judges.overlap import OverlapJudge
from sightline.rewards import Constant, Switch
from sightline.rewards.answers import (
    Answer,
    SameNumber,
    number_closeness,
    rouge_mean,
    same_letter,
    same_text,
    word_accuracy,
)
from sightline.rewards.evidence import CitesEvidence
from sightline.rewards.format import Format
from sightline.rewards.length import TokensWithin
from sightline.system import Stage, System

GRADED = {
    "OCR": Answer(word_accuracy, absent=""),
    "free-form": Answer(rouge_mean, absent=""),
    "regression": Answer(number_closeness, absent=""),
}
UNKNOWN = Constant(0.0, "unknown problem type")

accuracy = Switch(
    "problem_type",
    {"multiple choice": Answer(same_letter, absent=""), "numerical": Answer(SameNumber(), absent=""), **GRADED},
    otherwise=UNKNOWN,
).named("accuracy")
official_accuracy = Switch(
    "problem_type",
    {
        "multiple choice": Answer(same_text, absent=""),
        "numerical": Answer(SameNumber(same_style=True), absent=""),
        **GRADED,
    },
    otherwise=UNKNOWN,
).named("accuracy")

format_ = Format().named("format")
short = 0.2 * TokensWithin(320, 512)
evidence = CitesEvidence(OverlapJudge()).fill(0.0).named("evidence")


SYSTEM = System(
    slug="video-ver",
    title="When Thinking Drifts: Evidential Grounding for Robust Video Reasoning",
    arxiv="2510.06077",
    year=2025,
    family="evidence in the reasoning",
    formula="R = R_acc + R_fmt + R_len + 0.3 * 1[R_acc > 0.1] * e,  e = 1 if the think block cites listed evidence",
    reward=(
        accuracy
        + format_
        + short.when(accuracy, above=0.1).when(accuracy.group_count(above=0.1), above=1).named("length")
        + (0.3 * evidence).when(accuracy, above=0.1)
    ),
    official=(
        official_accuracy
        + format_
        + short.when(official_accuracy, above=0.1)
        .when(official_accuracy.group_count(above=0.1), above=1)
        .named("length")
        + (0.3 * evidence).when(official_accuracy, above=0.1)
    ),
    credit=GroupRelative(eps=1e-4),
    recipe=(
        Stage("cold start", "sft", {"epochs": 1, "learning rate": 1e-6}),
        Stage(
            "evid-GRPO",
            "grpo",
            {
                "group size": 8,
                "steps": 2000,
                "learning rate": 1e-6,
                "kl coefficient": 0.04,
                "clip range": 0.2,
                "loss": "grpo",
                "max completion tokens": 1024,
                "prompts per device": 1,
                "devices": 8,
                "frames": 16,
            },
        ),
    ),
    columns={
        "problem_type": "multiple choice, numerical, OCR, free-form or regression; anything else earns no accuracy",
        "answer": "the right answer, with or without answer tags",
        "question": "what was asked, for the judge",
        "evidence": "list of short checkable statements about this video; an empty list means no bonus can be earned",
        "completion_tokens": "length of the completion in tokens",
    },
    departs=(
        'multiple choice accepts "B.", "(b)" and "B) dog" beside "B"; official compares strings',
        "numerical ignores whether both texts contain a point or comma; official asks for it",
    ),
    specimen=(
        {
            "completion": "<think>The red ball enters the basket.</think><answer>B</answer>",
            "problem_type": "multiple choice",
            "question": "What happens first?",
            "answer": "B",
            "evidence": ["a red ball enters the basket"],
            "completion_tokens": 400,
            "group": 0,
        },
        {
            "completion": "<think>Usually it is the second.</think><answer>B.</answer>",
            "problem_type": "multiple choice",
            "question": "What happens first?",
            "answer": "B",
            "evidence": ["a red ball enters the basket"],
            "completion_tokens": 320,
            "group": 0,
        },
        {
            "completion": "<answer>1,000</answer>",
            "problem_type": "numerical",
            "question": "How many?",
            "answer": "1000.00",
            "evidence": [],
            "completion_tokens": 12,
            "group": 1,
        },
        {
            "completion": "<think>a sign</think><answer>exit on the left</answer>",
            "problem_type": "OCR",
            "question": "What does the sign say?",
            "answer": "exit on left",
            "evidence": ["a sign over the door"],
            "completion_tokens": 513,
            "group": 2,
        },
        {
            "completion": "<think>walks</think><answer>the man is walking</answer>",
            "problem_type": "free-form",
            "question": "What does he do?",
            "answer": "a man walks",
            "evidence": ["a man walks"],
            "completion_tokens": 512,
            "group": 2,
        },
        {
            "completion": "<think>far</think><answer>9.5</answer>",
            "problem_type": "regression",
            "question": "How far?",
            "answer": "10",
            "evidence": ["ten steps"],
            "completion_tokens": 330,
            "group": 3,
        },
    ),
)
