"""PatchCue: reasoning that points at patches, and a reward for pointing at the right ones.

    R        = R_acc + R_format + R_cue
    R_cue    = k / n_ref, k matched pairs with patch-set F1 >= 0.5; 0 with more cues than references, 1 without both
    F1       = 2 TP / (|S_p| + |S_g|) over the patches of the predicted and the reference cue
    R_acc    = 1 if the answer is the reference: same letter, same text or same number
    R_format = 1 for one think block with all cues, readable, then one answer block

A cue is `<cue>[r1, c1, r2, c2]</cue>`: rows and columns of the vision tokenizer's patches, both ends included. Pairs
come from the assignment of least total 1 - F1.
"""

from __future__ import annotations

from sightline.credit import GroupRelative
from sightline.metrics.patches import box_f1, point_inside
from sightline.parse.cues import CueForm, Cues, patch_point, pixel_box, pixel_point
from sightline.parse.tags import Block
from sightline.rewards.answers import Answer
from sightline.rewards.format import Format
from sightline.rewards.plain_answers import SamePlain
from sightline.rewards.visual_cues import VisualCues
from sightline.system import Extra, Stage, System

accuracy = Answer(SamePlain(), Block("answer", which="last")).named("accuracy")
format_ = Format(CueForm()).named("format")
cue = VisualCues().named("cue")

ONE, TWO = "<cue>[1, 1, 2, 2]</cue>", "<cue>(5,5),(6,6)</cue>"
CUES = [{"box": [1, 1, 2, 2], "label": "cat"}, {"box": [5, 5, 6, 9], "label": "dog"}]
PIXELS = [[0.1, 0.1, 0.3, 0.3], [0.6, 0.6, 0.9, 0.9]]

SYSTEM = System(
    slug="patchcue",
    title="PatchCue: Enhancing Vision-Language Model Reasoning with Patch-Based Visual Cues",
    arxiv="2603.05869",
    year=2026,
    family="cues in the reasoning",
    formula="R = R_acc + R_format + R_cue;  R_cue = k / n_ref if n_pred <= n_ref else 0, k pairs with patch F1 >= 0.5",
    reward=accuracy + format_ + cue,
    extras={
        "soft": Extra(VisualCues(soft=True), "cue reward with the F1 of each pair in place of 0 or 1"),
        "most": Extra(VisualCues(finds_first=True), "cue reward with the assignment that has most pairs above the bar"),
        "patch_points": Extra(
            VisualCues(Cues(patch_point), point_inside), "cues are single patches, right inside the reference box"
        ),
        "pixel_points": Extra(
            VisualCues(Cues(pixel_point), point_inside, "pixel_cues", patch=None),
            "cues are points in 0..1 of the picture, right inside the reference box",
        ),
        "pixel_boxes": Extra(
            VisualCues(Cues(pixel_box), box_f1, "pixel_cues", patch=None),
            "cues are boxes in 0..1 of the picture, compared by the F1 of their areas",
        ),
    },
    credit=GroupRelative(eps=1e-4),
    recipe=(
        Stage(
            "cues in the reasoning",
            "sft",
            {
                "epochs": 1,
                "learning rate": 1e-5,
                "schedule": "cosine",
                "warmup": 0.05,
                "precision": "bf16",
                "max image pixels": 1003520,
                "freeze vision": True,
                "prompts per device": 4,
                "devices": 32,
            },
        ),
        Stage(
            "cue reward",
            "grpo",
            {
                "group size": 8,
                "epochs": 3,
                "learning rate": 1e-6,
                "warmup": 0.05,
                "kl coefficient": 0.001,
                "clip range": 0.1,
                "temperature": 1.0,
                "top-p": 1.0,
                "top-k": 80,
                "repetition penalty": 1.1,
                "loss": "grpo",
                "max completion tokens": 2048,
                "prompts per device": 4,
                "devices": 32,
            },
        ),
    ),
    columns={
        "answer": "the right answer: option letter, short text or number",
        "cues": "reference cues: patch boxes [r1, c1, r2, c2], or {'box': .., 'label': ..}; empty: none are needed",
        "model_size": "width and height of the picture as the model sees it, in whole patches of 28; clamps references",
        "pixel_cues": "pixel_points, pixel_boxes: reference boxes [x1, y1, x2, y2] in 0..1 of the picture",
    },
    departs=(
        "no released code: the syntax of a cue and the matching of answers are ours",
        "references reaching beyond the grid (known from `model_size`) are clamped, predicted cues are not: what lies "
        "outside is wrong",
        "references without any predicted cue earn 0; the printed cases begin at one prediction",
        "completions without a cue are well formed, for the reward has a case without cues",
        "the batch of 128 is spread over 32 devices; how the authors spread it is not stated",
    ),
    specimen=(
        {
            "completion": f"<think>{ONE} and {TWO}</think><answer>B.</answer>",
            "answer": "B",
            "cues": CUES,
            "pixel_cues": PIXELS,
            "model_size": [224, 196],
        },
        {
            "completion": "<think><cue>[1, 1, 3, 3]</cue></think>\n<answer>two cats</answer>",
            "answer": "Two cats.",
            "cues": CUES,
            "pixel_cues": PIXELS,
            "model_size": [224, 196],
        },
        {
            "completion": f"<think>{ONE}{ONE}{ONE}</think><answer>1,200%</answer>",
            "answer": "1200",
            "cues": CUES,
            "pixel_cues": PIXELS,
            "model_size": None,
        },
        {"completion": "<think>No need.</think><answer>A</answer>", "answer": "A", "cues": [], "pixel_cues": []},
        {"completion": f"<think>{ONE}</think><answer>A</answer>", "answer": "C", "cues": [], "pixel_cues": []},
        {
            "completion": "<think><cue>[0.2, 0.2]</cue> <cue>[0.6, 0.6, 0.8, 0.9]</cue></think><answer>A</answer>",
            "answer": "A",
            "cues": CUES,
            "pixel_cues": PIXELS,
        },
    ),
)
