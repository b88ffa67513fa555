"""VISE: a model that evolves on pictures alone, paid for saying the same of an object when only the picture changes.

    R     = 0.5 R_geo + 0.5 R_sem
    R_geo = (GIoU(project(box, M), box in the moved view) + 1) / 2
    R_sem = 1 if visible(picture) and not visible(picture with the box blurred), else 0
    A     = R - b;  b <- 0.9 b + 0.1 R
    loss  = -A logp + beta (logp - logp_ref);  beta * 1.1 if |logp - logp_ref| > 0.02, else * 0.9, at least 1e-6

The policy names an object (`<query>`), grounds it (the rollout, `<box>`, thousandths), grounds it again in a moved view
(`sightline.media.warps`), and says twice whether it sees it (`<visible>`): before and after its box is made
unrecognisable (`sightline.media.ghosts`). In training it is asked by the trainer: rows need `images`, `image_size`,
`query` and `view_matrix`; elsewhere the replies are columns of the data. Log box area, the share of yes, and how many
queries differ.
"""

from __future__ import annotations

from sightline.credit.moving_baseline import KlWeight, MovingBaseline
from sightline.metrics.view_agreement import released_agreement
from sightline.parse.referring import FourNumbers, Visibility
from sightline.rewards.self_views import Vanishes, ViewsAgree
from sightline.system import Extra, Stage, System

geometric = ViewsAgree().named("geometric")
semantic = Vanishes().named("semantic")
guarded = Vanishes(max_area=0.7, control=True).named("semantic")

RELEASED = FourNumbers("blanks")
official_geometric = ViewsAgree(RELEASED, released_agreement, raw=True, unreadable="skip").named("geometric")
official_semantic = Vanishes(RELEASED, Visibility("no"), unreadable="skip").named("semantic")

kl_weight, paper_kl_weight = KlWeight(), KlWeight(shrink=1 / 1.1)

FLIP = {"view_matrix": [[-1, 0, 640], [0, 1, 0], [0, 0, 1]], "image_size": [640, 480]}
CROP = {"view_matrix": [[1.25, 0, -80], [0, 1.25, -60], [0, 0, 1]], "image_size": [640, 480]}
YES, NO = "<visible>yes</visible>", "<visible>no</visible>"

SYSTEM = System(
    slug="vise",
    title="VISE: Paying More Attention to Visual Tokens in Self-Evolving Large Multimodal Models",
    arxiv="2606.27373",
    year=2026,
    family="visual consistency without labels",
    formula=(
        "R = 0.5 (GIoU(project(box), box in the moved view) + 1) / 2 + 0.5 [seen, and not once the box is hidden]"
    ),
    reward=0.5 * geometric + 0.5 * semantic,
    official=0.5 * official_geometric + 0.5 * official_semantic,
    extras={
        "guarded": Extra(
            0.5 * geometric + 0.5 * guarded,
            "the whole reward with two guards: boxes over 70 % of the picture earn no R_sem, and hiding a box of equal "
            "size elsewhere must leave the object visible",
        ),
    },
    credit=MovingBaseline(),
    recipe=(
        Stage(
            "self-evolution",
            "grpo",
            {
                "steps": 4000,
                "batch size": 1,
                "learning rate": 1e-6,
                "weight decay": 0.01,
                "max gradient norm": 1.0,
                "temperature": 1.0,
                "top-p": 1.0,
                "kl coefficient": kl_weight.value,
                "max completion tokens": 64,
                "lora rank": 16,
                "lora alpha": 32,
                "lora dropout": 0.05,
                "lora targets": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
                "freeze vision": True,
                "base model": "Qwen3-VL-2B, 4B, 8B, 32B",
                "data": "4,000 COCO pictures without labels",
            },
        ),
    ),
    columns={
        "moved_completion": "the policy's reply that grounds the same query in the moved view; null: none",
        "view_matrix": "3x3 matrix from pixels of the picture to pixels of the moved view, x to the right, y down",
        "image_size": "width and height of the picture in pixels",
        "seen_before": "the policy's greedy reply whether it sees the object in the picture",
        "seen_after": "the same for the picture with the box made unrecognisable",
        "seen_control": "guarded: the same for a box of equal size elsewhere",
    },
    departs=(
        "the union of the penalty is the union; official takes (A1 + A2)(1 - IoU), so that equal boxes score 0.5",
        "the view's matrix is brought to thousandths; official applies the pixel matrix to them as it is",
        "boxes are clamped and their corners put in order; official leaves signed areas and rewards swapped corners",
        "a box without area agrees with nothing; official gives two of them 0.5",
        "a visibility reply that is neither yes nor no earns 0; official takes all but yes for no",
        "a reply without a box earns 0, for what is skipped, as in official, is better for a policy than a wrong box",
        "log-probabilities are those of the completion; released ones also cover picture tokens and the prompt",
        "training through TRL keeps the first KL weight and estimates KL by k3; the rule by itself is `KlWeight`, here "
        "`kl_weight` and, with the paper's 1 / 1.1, `paper_kl_weight`",
        "LoRA leaves the projector between picture and text as it is, whose layers have other names in each model; the "
        "released one trains it too",
        "both guards are ours and off; with groups, `GroupRelative` can take the place of the moving baseline",
    ),
    specimen=(
        {
            "completion": "<box>100,200,300,400</box>",
            "moved_completion": "<box>700,200,900,400</box>",
            "seen_before": YES,
            "seen_after": NO,
            "seen_control": YES,
            **FLIP,
        },
        {
            "completion": "<box>100, 200, 300, 400</box>",
            "moved_completion": "<box>0 125 250 375</box>",
            "seen_before": YES,
            "seen_after": "<visible>hardly</visible>",
            "seen_control": YES,
            **CROP,
        },
        {
            "completion": "<box>0,0,1000,1000</box>",
            "moved_completion": "<box>0,0,1000,1000</box>",
            "seen_before": YES,
            "seen_after": NO,
            "seen_control": NO,
            **FLIP,
        },
        {
            "completion": "<box>0,0,0,0</box>",
            "moved_completion": "<box>0,0,0,0</box>",
            "seen_before": NO,
            "seen_after": NO,
            "seen_control": NO,
            **FLIP,
        },
        {
            "completion": "<box>300,400,100,200</box>",
            "moved_completion": "<box>900,400,700,200</box>",
            "seen_before": "<visible>1</visible>",
            "seen_after": YES,
            "seen_control": YES,
            **FLIP,
        },
        {
            "completion": "It is in the middle.",
            "moved_completion": "<box>[1, 2, 3, 4]</box>",
            "seen_before": YES,
            "seen_after": None,
            "seen_control": None,
            **CROP,
        },
    ),
)
