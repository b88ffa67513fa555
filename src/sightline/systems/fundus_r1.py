"""Fundus-R1: reading retinal pictures, with a reward for reasoning whose findings bear out its own answer.

    R      = r_acc + 0.5 r_fmt + 0.5 r_proc
    r_acc  = 1 for the right label in a single choice, else F1 of the label sets
    r_fmt  = 1 if every tag is there once, in order
    r_proc = 2 cov prec / (cov + prec) of the findings F asserted in the think block, against the predicted labels
             cov = |F & Req| / |Req|,  prec = |F & (Req | Sup)| / |F|
    A      = (R - mean) / (std + 1e-6) over the group

Req and Sup come from a table of findings by label and kind of picture (`rewards.knowledge.retina`); traces for the
first stage are made from it in `curate.finding_traces`. r_proc looks at the trace and the answer, not at the picture: a
wrong answer with its textbook findings earns all of it. So its weight lies below that of accuracy; `process_if_right`
pays it for right answers only, and `findings_seen` reports whether the findings are those of the picture. For research:
no clinical measure.
"""

from __future__ import annotations

from sightline.credit import GroupRelative
from sightline.parse.tags_once import TagsOnce
from sightline.rewards.findings import FindingsFitAnswer, FindingsSeen
from sightline.rewards.format import Format
from sightline.rewards.knowledge import retina
from sightline.rewards.label_sets import LabelAnswer
from sightline.system import Extra, Stage, System

accuracy = LabelAnswer(retina()).named("accuracy")
format_ = Format(TagsOnce()).named("format")
process = FindingsFitAnswer(retina())
RIGHT = 1.0 - 1e-9

SYSTEM = System(
    slug="fundus-r1",
    title="Fundus-R1: Training a Fundus-Reading MLLM with Knowledge-Aware Reasoning on Public Data",
    arxiv="2604.08322",
    year=2026,
    family="consistency of reasoning and answer",
    formula="R = r_acc + 0.5 r_fmt + 0.5 r_proc,  r_proc = 2 cov prec / (cov + prec) against the own answer",
    reward=accuracy + 0.5 * format_ + 0.5 * process.named("process"),
    extras={
        "process_if_right": Extra(
            (0.5 * process).when(accuracy, above=RIGHT),
            "r_proc for right answers only, in the place of `process`: consistent but wrong stories earn nothing",
        ),
        "process_with_negatives": Extra(
            0.5 * FindingsFitAnswer(retina(), negatives=True),
            "in the place of `process`: a healthy eye must be reasoned for, nothing without a denied finding",
        ),
        "findings_seen": Extra(FindingsSeen(retina()), "F1 of the asserted findings and those of the picture"),
    },
    credit=GroupRelative(eps=1e-6),
    recipe=(
        Stage(
            "traces",
            "sft",
            {
                "learning rate": 1e-5,
                "epochs": 2,
                "base model": "Qwen2.5-VL-3B, also 7B",
                "data": "public labels with traces composed of retrieved knowledge and findings seen by a model",
            },
        ),
        Stage(
            "verifiable rewards",
            "grpo",
            {
                "group size": 8,
                "learning rate": 1e-6,
                "kl coefficient": 0.01,
                "clip range": 0.2,
                "temperature": 1.0,
                "loss": "grpo",
            },
        ),
    ),
    columns={
        "answer": "gold labels: names or option letters, as a list or between commas",
        "options": "labels to choose from, listed (A, B, ...) or by letter; None: the answer names labels",
        "task": "single choice, multi choice or label list; None: a single choice if there is one gold label",
        "modality": "CFP, OCT or UWF; None or another: all together count",
        "findings_seen": "findings of the picture, for the extra of that name",
    },
    departs=(
        "the formula of the process reward, weights and cues of negation are ours: no code is published",
        "text around the blocks does not break the format",
        "an answer naming a label that the table does not have for this kind of picture has r_proc = 0",
    ),
    specimen=(
        {
            "completion": "<think>Microaneurysms and a few hemorrhages, no drusen.</think><answer>B</answer>",
            "modality": "CFP",
            "options": ["glaucoma", "NPDR"],
            "answer": "B",
            "task": "single choice",
        },
        {
            "completion": "<think>Drusen; possible subretinal fluid.</think><answer>dry AMD, glaucoma</answer>",
            "modality": "OCT",
            "answer": ["dry AMD"],
            "task": "label list",
        },
        {"completion": "<think></think><answer>normal</answer>", "modality": "UWF", "answer": "normal"},
        {"completion": "hemorrhage <answer>PDR</answer>", "modality": None, "answer": ["pdr", "dme"]},
        {"completion": "<think>cupping</think><answer>glaucoma, measles</answer>", "modality": "cfp", "answer": []},
        {"completion": "<think>cupping</think>", "modality": "MRI", "answer": "glaucoma"},
    ),
)
