"""SSL4RL: self-supervised tasks on unlabelled pictures as verifiable rewards.

    rotation, position, contrastive, graph    R = 1[answer is one of the accepted ones]
    jigsaw N x N                              R = patches in their right place / N^2
    maximise E_{x,c} E_{y ~ pi(. | context)} [r(y, target)] - beta KL(pi || pi_ref)

A picture is changed in a known way and the policy is asked what was done; items are made by `sightline.curate.pretext`
and `sightline.curate.graph_pretext`. The column `task` says which reward a row has; tasks can be mixed. Pick a setting
whose accuracy before training lies clearly between chance and 1 (`goldilocks`).
"""

from __future__ import annotations

from sightline.credit import GroupRelative
from sightline.rewards import Switch
from sightline.rewards.accepted import AcceptedAnswer
from sightline.rewards.patch_order import PatchOrder
from sightline.system import Stage, System

exact = AcceptedAnswer()
EXACT = dict.fromkeys(("rotation", "position", "contrastive", "graph"), exact)

SYSTEM = System(
    slug="ssl4rl",
    title="SSL4RL: Self-supervised Learning as Intrinsic Reward for Visual-Language Reasoning",
    arxiv="2510.16416",
    year=2025,
    family="self-supervised tasks",
    formula="rotation, position, contrastive, graph: 1[answer accepted]; jigsaw: matches / N^2",
    reward=Switch("task", {**EXACT, "jigsaw": PatchOrder()}).named("intrinsic"),
    official=Switch("task", {**EXACT, "jigsaw": PatchOrder(permutation=False)}).named("intrinsic"),
    credit=GroupRelative(eps=1e-6),
    recipe=(
        Stage(
            "intrinsic reward",
            "grpo",
            {
                "group size": 5,
                "rollout batch size": 512,
                "batch size": 128,
                "learning rate": 1e-6,
                "kl coefficient": 0.01,
                "max prompt tokens": 1024,
                "max completion tokens": 2048,
                "epochs": 20,
                "devices": 8,
                "base model": "Qwen2.5-VL-3B, 7B",
                "data": "pictures of the target domain, without questions; checkpoints around step 300 were used",
            },
        ),
    ),
    columns={
        "task": "rotation, position, contrastive, jigsaw or graph",
        "answer": "what was done; several accepted answers are separated by commas, except for jigsaw",
    },
    departs=(
        "a jigsaw answer must be a permutation; official looks at each position for itself, pays constant answers "
        "1/N^2 and ignores what follows",
        "both variants read the reply behind the last line `assistant`, so that such a line in a reply cuts it",
        "items leak nothing: square pictures, exact sizes, no metadata; look-alikes are left out",
        "an unknown task is an error that names the row; official knows tasks by a part of the data's name",
    ),
    specimen=(
        {"completion": "<think>t</think> <answer>90</answer>", "task": "rotation", "answer": "90"},
        {"completion": "<think>t</think> <answer>90 degrees</answer>", "task": "rotation", "answer": "90"},
        {"completion": "<answer>Top-Left</answer>", "task": "position", "answer": "top-left"},
        {
            "completion": "<answer>positive</answer><answer>negative</answer>",
            "task": "contrastive",
            "answer": "positive",
        },
        {"completion": "<answer>3,2,4,1</answer>", "task": "jigsaw", "answer": "3,2,1,4"},
        {"completion": "<answer>1,1,1,1</answer>", "task": "jigsaw", "answer": "3,2,1,4"},
        {"completion": "yes", "task": "graph", "answer": "yes, linked"},
    ),
)
