"""ViSurf: the gold answer as one more rollout of its group, so that one stage is fine-tuning and reinforcement at once.

    R     = R_think + R_items + R_fit + R_repeat                    at most 7 for a rollout, 6 for a label
    r(y)  := mean_j r(o_j) if max_j r(o_j) >= r(y)                  the label is switched off where a rollout reaches it
    A     = (r - mean) / (std + 1e-6) over {r(y)} and {r(o_j)}, sample std
    L     = -1/(G+1) [ sum_j min(rho_j A_j, clip(rho_j) A_j) + min(rho_y A_y, clip(rho_y) A_y) ]
    R_fit = sum of matched [IoU > 0.5] + [L1 < 10] + [point < 30 away, in its box] / max(predicted, gold), 0..3

The label is written as the policy writes (`sightline.curate.labels`), earns nothing for thinking, and stands in the
column `label`; the trainer puts it in the place beside the rollouts that the recipe asks for. Baselines are credit
rules in the same loop: `LabelApart(None)` is fine-tuning, `LabelApart(weight=0.0)` reinforcement, `LabelApart()` the
sum of both losses.
"""

from __future__ import annotations

from sightline.credit import GroupRelative, LabelInGroup
from sightline.rewards.format import Format
from sightline.rewards.pointed_boxes import PointedBoxFit, PointedBoxForm
from sightline.rewards.repeated_sentences import FewRepeats
from sightline.rewards.written import WrittenByPolicy
from sightline.system import Stage, System

thinking = Format().when(WrittenByPolicy()).named("thinking")
no_repeat = FewRepeats().named("no_repeat")

ITEM = '{"bbox_2d": [10, 10, 50, 50], "point_2d": [30, 30]}'
LABEL = [{"bbox_2d": [10, 10, 50, 50], "point_2d": [30, 30]}]

SYSTEM = System(
    slug="visurf",
    title="ViSurf: Visual Supervised-and-Reinforcement Fine-Tuning for Large Vision-and-Language Models",
    arxiv="2510.10606",
    year=2025,
    family="labels among the rollouts",
    formula=(
        "R = R_think + R_items + R_fit + R_repeat;  label: R_think = 0, r(y) := mean r(o) if max r(o) >= r(y);  "
        "A over rollouts and label together"
    ),
    reward=thinking + PointedBoxForm().named("items") + PointedBoxFit().named("fit") + no_repeat,
    official=(
        thinking + PointedBoxForm(empty=0.0).named("items") + PointedBoxFit(nothing=0.0).named("fit") + no_repeat
    ),
    credit=LabelInGroup(GroupRelative(eps=1e-6)),
    recipe=(
        Stage(
            "ViSurf",
            "grpo",
            {
                "group size": 8,
                "injected labels": 1,
                "temperature": 1.0,
                "learning rate": 1e-6,
                "kl coefficient": 0.005,
                "clip range": 0.2,
                "loss": "sequence mean",
                "batch size": 16,
                "base model": "Qwen2.5-VL-7B, with SAM2 for masks",
                "data": "gRefCOCO, ReasonSeg, OmniACT, RealIAD, ISIC 2018, MathVista-style maths",
            },
        ),
    ),
    columns={
        "solution": "list of {'bbox_2d': [x1, y1, x2, y2], 'point_2d': [x, y]} in pixels as the model sees them, or []",
        "injected": "whether the row is the label instead of a rollout; the trainer sets it",
    },
    departs=(
        "an empty list is a valid answer, and earns 2 and 3 where there is nothing; official pays it nothing anywhere",
        "numbers must be finite; nothing else is checked, since swapped corners fail two of three tests by themselves",
        "a label that is switched off gets advantage 0 exactly, not up to rounding",
        "eps, clip range, kl coefficient and batch size are those of the base project; the paper's are not known",
    ),
    specimen=(
        {"completion": f"<think>There.</think><answer>[{ITEM}]</answer>", "solution": LABEL},
        {
            "completion": '<think>t</think><answer>[{"bbox_2d": [14, 10, 54, 50], "point_2d": [30, 61]}]</answer>',
            "solution": LABEL,
        },
        {
            "completion": f'<think>t</think> <answer>[{ITEM}, {{"bbox_2d": [0, 0, 9, 9]}}]</answer>',
            "solution": LABEL,
        },
        {"completion": "<think>It is. It is. It is.</think><answer>[]</answer>", "solution": []},
        {"completion": f"<answer>[{ITEM}]</answer>", "solution": LABEL, "injected": True},
        {"completion": f"<think>x</think><answer>[{ITEM}]</answer>", "solution": [], "injected": True},
        {"completion": "a dog", "solution": "[]"},
    ),
)
