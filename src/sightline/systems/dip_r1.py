"""DIP-R1: think about a crowded scene, look at what is unsure, then list every instance.

    R = R_format + R_look + R_acc
    R_format = 1 for a think, a look and an answer block, of which look and answer are JSON lists of boxes
    R_look   = q * min(1, 0.5 / f), q = sum_k u_k cov_k / sum_k u_k; u_k the variance over the group of the best IoU
               with instance k, cov_k the share of it that is looked at, f the share of the picture that is
    R_acc    = 0.5 TP / |P| + 0.5 TP / |GT| at IoU >= 0.5

The authors' exact formulas could not be read: look and accuracy are a construction after their description. R_look
needs the whole group; a rollout alone is scored without it.
"""

from __future__ import annotations

from sightline.credit import GroupRelative
from sightline.parse.regions import ReadableBlocks
from sightline.parse.tags import FullMatch
from sightline.rewards.crowds import Crowd, CrowdFound
from sightline.rewards.format import Format
from sightline.rewards.looking import LookCalibration, LookRegions, LooksWhereUnsure
from sightline.system import Extra, Stage, System

BLOCKS = FullMatch(("think", "look", "answer"))

format_ = Format(ReadableBlocks(BLOCKS, (LookRegions().find, Crowd().find))).named("format")
look = LooksWhereUnsure().named("look")
accuracy = CrowdFound().named("accuracy")

ONE, TWO = '{"bbox_2d": [0, 0, 40, 40], "label": "person"}', '{"bbox_2d": [50, 50, 90, 90], "label": "person"}'
SCENE = {"boxes": [[0, 0, 40, 40], [50, 50, 90, 90]], "query": "person", "image_size": [100, 100], "group": 0}
EMPTY = {"boxes": [], "query": "car", "image_size": [640, 480], "group": 1}

SYSTEM = System(
    slug="dip-r1",
    title="DIP-R1: Deep Inspection and Perception with RL Looking Through and Understanding Complex Scenes",
    arxiv="2505.23179",
    year=2025,
    family="boxes and looking",
    formula=(
        "R = R_format + R_look + R_acc;  R_look = sum u_k cov_k / sum u_k * min(1, 0.5 / f), u_k = var_i max IoU_ik;  "
        "R_acc = 0.5 TP / |P| + 0.5 TP / |GT|"
    ),
    reward=format_ + look.fill(0.0) + accuracy,
    extras={
        "calibration": Extra(
            LookCalibration(), "how well the uncertainty stated with a region agrees with the disagreement of the group"
        ),
        "unweighted_look": Extra(LooksWhereUnsure(weigh="equal"), "ablation: all instances weigh the same"),
        "precision_only": Extra(CrowdFound(precision=1.0, recall=0.0), "ablation: TP / |P|"),
        "recall_only": Extra(CrowdFound(precision=0.0, recall=1.0), "ablation: TP / |GT|"),
        "soft_accuracy": Extra(CrowdFound(soft=True), "each hit is worth its IoU"),
    },
    credit=GroupRelative(eps=1e-4),
    recipe=(
        Stage(
            "deep inspection",
            "grpo",
            {
                "group size": 8,
                "learning rate": 1e-6,
                "clip range": 0.2,
                "kl coefficient": 0.04,
                "temperature": 1.0,
                "loss": "token mean",
                "max completion tokens": 2048,
            },
        ),
    ),
    columns={
        "boxes": "gold boxes [x1, y1, x2, y2] in pixels of the picture, the same for all rollouts of a group",
        "query": "the class asked for",
        "image_size": "width and height of the picture that the gold boxes belong to, in pixels",
        "model_size": "width and height of the picture as the model sees it and writes boxes in; missing: the same",
    },
    departs=(
        "no released code, and formulas of look and accuracy are ours after the paper's words",
        "look regions beyond the first 256 are not read",
        "a label that is no text counts as missing, and passes",
        "IoU of exactly 0.5 is a hit",
    ),
    specimen=(
        {"completion": f"<think>t</think><look>[{TWO}]</look><answer>[{ONE}]</answer>", **SCENE},
        {"completion": f"<think>t</think>\n<look>[{TWO}]</look>\n<answer>[{ONE}, {TWO}]</answer>", **SCENE},
        {
            "completion": (
                '<think>t</think><look>[{"bbox_2d": [50, 50, 90, 70], "uncertainty": 0.6}]</look>'
                f'<answer>[{ONE}, {{"bbox_2d": [50, 50, 90, 70], "label": "Person"}}]</answer>'
            ),
            **SCENE,
        },
        {"completion": f"<think>t</think><look>[]</look><answer>[{ONE}, {ONE}]</answer>", **SCENE},
        {"completion": f"<look>everywhere</look><answer>[{ONE}</answer>", **SCENE},
        {"completion": "<think>t</think><look>[]</look><answer>[]</answer>", **EMPTY},
        {"completion": f"<think>t</think><look>[{ONE}]</look><answer>[{ONE}]</answer>", **EMPTY},
        {
            "completion": f"<think>t</think><look>[{ONE}]</look><answer>[{ONE}]</answer>",
            "boxes": [[0, 0, 80, 80]],
            "query": "person",
            "image_size": [200, 200],
            "model_size": [100, 100],
            "group": 2,
        },
    ),
)
