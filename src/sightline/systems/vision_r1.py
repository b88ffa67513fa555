"""Vision-R1: localisation rewarded by criteria of the annotation, sharpened and made harder as training goes on.

    R       = R_DF + R_recall + R_prec
    R_DF    = 1 if the completion is a list of labelled boxes and all of it is possible, else 0
    R_recall = f(found gold boxes / gold boxes), found: quality >= the match threshold
    R_prec  = sum over pairs f(quality) / predicted boxes
    quality = max(0, GIoU) of a pair with equal labels, else 0
    f(x; lo, hi) = 0 below lo, 1 from hi on, x between

Pairs come from a Hungarian matching that goes by place. From training step 1500 on the match threshold and the bars of
the precision rise. Rows in which nothing is to be found ask for silence.
"""

from __future__ import annotations

from sightline.credit import GroupRelative
from sightline.metrics.sharpening import Sharpened
from sightline.rewards.box_criteria import BoxPairing, BoxPrecision, BoxRecall
from sightline.rewards.box_lists import BoxList, LoadedList
from sightline.rewards.staged import Staged
from sightline.system import Extra, Stage, System

STEP = 1500
RELEASED = BoxPairing(labels_count=False)
EASY, HARD = Sharpened(0.5, 0.75), Sharpened(0.75, 0.9)
RELEASED_EASY, RELEASED_HARD = Sharpened(0.5, 0.75, closed=False), Sharpened(0.75, 0.9, closed=False)

format_ = BoxList().named("format")
recall = Staged(((0, BoxRecall(at=0.5, shape=EASY)), (STEP, BoxRecall(at=0.75, shape=EASY)))).named("recall")
precision = Staged(((0, BoxPrecision(shape=EASY)), (STEP, BoxPrecision(shape=HARD)))).named("precision")

official_format = LoadedList().named("format")
official_recall = Staged(
    (
        (0, BoxRecall(RELEASED, at=0.5, shape=RELEASED_EASY, tie="value")),
        (STEP, BoxRecall(RELEASED, at=0.75, shape=RELEASED_EASY, tie="value")),
    )
).named("recall")
official_precision = Staged(
    (
        (0, BoxPrecision(RELEASED, RELEASED_EASY, over="paired")),
        (STEP, BoxPrecision(RELEASED, RELEASED_HARD, over="paired")),
    )
).named("precision")

plain = format_ + BoxRecall().named("recall") + BoxPrecision().named("precision")
official_plain = (
    official_format
    + BoxRecall(RELEASED, shape=Sharpened(closed=False), tie="value").named("recall")
    + BoxPrecision(RELEASED, Sharpened(closed=False), over="paired").named("precision")
)

CAT, DOG = '{"bbox_2d": [4, 0, 44, 40], "label": "cat"}', '{"bbox_2d": [50, 50, 90, 90], "label": "dog"}'
GOLD = [["cat", [0, 0, 40, 40]], ["dog", [50, 50, 90, 90]]]
SIZE = {"width": 100, "height": 100}

SYSTEM = System(
    slug="vision-r1",
    title=(
        "Vision-R1: Evolving Human-Free Alignment in Large Vision-Language Models via Vision-Guided Reinforcement "
        "Learning"
    ),
    arxiv="2503.18013",
    year=2025,
    family="boxes",
    formula="R = R_DF + f(TP / GT) + sum f(x_m) / |P|,  f(x; lo, hi) = 0 if x < lo, 1 if x >= hi, else x; bars by step",
    reward=format_ + recall + precision,
    official=official_format + official_recall + official_precision,
    extras={
        "unrefined": Extra(
            plain,
            "the whole reward without differentiation and stages, which is what the released Qwen script trains with",
            official_plain,
        ),
    },
    credit=GroupRelative(eps=1e-4),
    recipe=(
        Stage(
            "vision-guided reinforcement learning",
            "grpo",
            {
                "group size": 4,
                "learning rate": 1e-6,
                "kl coefficient": 0.2,
                "epochs": 1,
                "loss": "grpo",
                "max completion tokens": 512,
                "max image pixels": 401408,
                "prompts per device": 1,
                "devices": 16,
            },
        ),
    ),
    columns={
        "solution": "list of [category, [x1, y1, x2, y2]] in original pixels, or JSON of it; empty: nothing to find",
        "width": "of the original picture, in pixels",
        "height": "of the original picture, in pixels",
        "model_size": "width and height of the picture as the model sees it (patch grid times 14); else the original",
        "target_id_maps": "category -> id from 1 on, or JSON of it; names of one id are equal, others are background",
        "num_instances": "how many boxes `solution` has; checked if given",
    },
    departs=(
        "precision divides by all predicted boxes; official by the matched pairs, so that boxes too many are free",
        "a pair with different labels has quality 0; official pays wrong and unknown classes in full",
        "an item must be an object with label and a box of ordered corners inside the picture; official passes [1, 2]",
        "a pair exactly at the match threshold is a find; official adds its quality, 0.5 or 0.75",
        "f is 1 at its upper bar as in the paper; official only beyond it",
        "quality is GIoU as in the code; the paper says IoU: BoxPairing(quality=paired_iou)",
        "only the match threshold of the recall rises, not its bars, as in the code; the paper raises all three",
        "a prediction where nothing is to be found earns 0; official raises an error there",
        "coordinates written as texts are not numbers; released code converts them",
        "a batch without a training step is scored as in the last stage",
        "kl coefficient of the paper; the released script leaves it at 0.04",
    ),
    specimen=(
        {"completion": f"```json\n[{CAT}, {DOG}]\n```", "solution": GOLD, **SIZE, "num_instances": 2},
        {"completion": f"[{CAT}, {CAT}, {CAT}]", "solution": '[["cat", [0, 0, 40, 40]]]', **SIZE},
        {"completion": f"[{DOG}, {CAT[:30]}", "solution": GOLD, **SIZE},
        {
            "completion": '[{"bbox_2d": [0, 0, 80, 40], "label": "Puppy"}, {"bbox_2d": [0, 0, 9, 9]}]',
            "solution": GOLD,
            **SIZE,
            "model_size": [196, 196],
            "target_id_maps": {"cat": 1, "dog": 2, "puppy": 2},
        },
        {"completion": "There is nothing of that kind.", "solution": [], **SIZE, "num_instances": 0},
        {"completion": f"[{CAT}]", "solution": [], **SIZE},
        {"completion": "[]", "solution": [], **SIZE},
        {"completion": '[{"bbox_2d": [40, 40, 0, 0], "label": "cat"}, 7]', "solution": GOLD, **SIZE},
    ),
)
