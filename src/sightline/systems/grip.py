"""GRiP: reasoning with boxes, paid for finding what the question hinges on and for any valid way of reasoning.

    R    = R_acc + 0.5 R_fmt + R_sw + 0.5 R_mh;  without R_mh in the first third of training
    R_acc = 1 if the answer is the right option letter
    R_fmt = 1 for a think block and an answer block, with a box of ordered corners where there are targets
    R_sw = min(1, |G| / |P|) * sum_k s_k IoU_k / sum_k s_k, one to one, s_k the salience of target k
    R_mh = v * (1 + delta * (1 - f_h)) / (1 + delta) for a right answer, f_h the share of the group's right rollouts
           that take the same way, delta = 0.5

Only the abstract of the paper is public: formulas, weights and schedule are ours. Validity v and the way h come from
words and boxes; the extra `judged` asks a judge for them.
"""

from __future__ import annotations

from sightline.credit import GroupRelative
from sightline.judges.pathway_words import PathwayWords
from sightline.rewards import Constant
from sightline.rewards.answers import Answer
from sightline.rewards.format import Format
from sightline.rewards.pathways import JudgedPathways, Pathways
from sightline.rewards.plain_answers import same_option
from sightline.rewards.staged import Staged
from sightline.rewards.target_boxes import DualOverlap, HasBox, SalientBoxes
from sightline.system import Extra, Stage, System

STEPS = 1000
NOT_YET = Constant(0.0, "perception comes first")

accuracy = Answer(same_option).named("accuracy")
format_ = (Format() * HasBox()).named("format")
salient = SalientBoxes().named("salient boxes")
pathways = Staged(((0, NOT_YET), (1 / 3, Pathways())), total=STEPS).named("pathways")
judged_pathways = Staged(((0, NOT_YET), (1 / 3, JudgedPathways(PathwayWords()))), total=STEPS).named("pathways")

TARGETS = {"targets": [[0, 0, 40, 40], [50, 50, 90, 90]], "salience": [1.0, 0.1], "answer": "B"}
CAT, DOG = "<box>[0, 0, 40, 40]</box>", "<box>[50,50,90,90]</box>"

SYSTEM = System(
    slug="grip",
    title="Guiding the Inner Eye: A Framework for Hierarchical and Flexible Visual Grounded Reasoning",
    arxiv="2511.22172",
    year=2025,
    family="boxes in the reasoning",
    formula=(
        "R = R_acc + 0.5 R_fmt + min(1, |G| / |P|) * sum s_k IoU_k / sum s_k + 0.5 v (1 + d (1 - f_h)) / (1 + d), "
        "d = 0.5; the last term from a third of training on"
    ),
    reward=accuracy + 0.5 * format_ + salient + 0.5 * pathways,
    extras={
        "judged": Extra(
            accuracy + 0.5 * format_ + salient + 0.5 * judged_pathways,
            "the whole reward with way and validity from a judge, asked about right answers only",
        ),
        "dual_overlap": Extra(
            DualOverlap(), "for comparison: mean best IoU of targets and of boxes, blind to salience"
        ),
    },
    credit=GroupRelative(eps=1e-4),
    recipe=(
        Stage("interleaved boxes", "sft", {}),
        Stage(
            "guided reinforcement",
            "grpo",
            {
                "group size": 8,
                "steps": STEPS,
                "learning rate": 1e-6,
                "clip range": 0.2,
                "kl coefficient": 0.01,
                "temperature": 1.0,
                "loss": "grpo",
                "max completion tokens": 2048,
            },
        ),
    ),
    columns={
        "answer": "letter of the right option",
        "targets": "boxes [x1, y1, x2, y2] in absolute pixels of what the question hinges on; empty: nothing",
        "salience": "a number in (0, 1] for each target: 1 critical, 0.5 supporting, 0.1 context; missing: 1",
        "heuristics": "admissible ways of reasoning, names or {name: description}; missing: all five",
        "problem": "judged: the question",
        "target_labels": "judged: what each target is, in words",
    },
    departs=(
        "only the abstract is public, so nothing here is checked against the authors' formulas or code",
        f"training is taken to last {STEPS} steps; a batch without a step is scored with the full sum",
        "the pathway term needs no judge by default",
        "a judge's reply that cannot be read earns 0 with the reason; a judge that fails leaves NaN",
    ),
    specimen=(
        {"completion": f"<think>Left of {CAT}, not {DOG}.</think><answer>B</answer>", **TARGETS, "group": 0},
        {"completion": f"<think>{CAT} is the larger one.</think>\n<answer>(b).</answer>", **TARGETS, "group": 0},
        {"completion": f"<think>{CAT}{CAT}<box>?</box>, option A is ruled out</think><answer>B</answer>", **TARGETS},
        {"completion": "<think>left, I guess</think><answer>B</answer>", **TARGETS, "group": 0},
        {"completion": f"<think>left of {DOG}</think><answer>A or B</answer>", **TARGETS, "group": 0},
        {"completion": "<box>[40, 40, 0, 0]</box> B", **TARGETS, "group": 1},
        {
            "completion": "<think>first, second: the total is two</think><answer>C</answer>",
            "targets": [],
            "answer": "C",
            "heuristics": {"ordering": "counting or putting in order"},
            "problem": "How many are there?",
            "group": 2,
        },
        {
            "completion": f"<think>{DOG} is hidden</think><answer>C</answer>",
            "targets": [[50, 50, 90, 92]],
            "target_labels": ["dog"],
            "answer": "C",
            "heuristics": ["spatial"],
            "group": 3,
        },
    ),
)
