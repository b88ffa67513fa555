"""Visual-RFT: verifiable rewards for detection, grounding and classification with little data.

    detection       R = R_IoU + R_conf + R_fmt
                    R_IoU  = sum of matched IoU / max(gold boxes, predicted boxes)
                    R_conf = mean of c_i for matched boxes, 1 - c_i for the others
    grounding       R = GIoU + 1 + R_fmt
    classification  R = 1[class name is equal] + R_fmt

Boxes are 0..1000, repeats of a box count once, a match needs IoU > 0.5. The column `task` says which kind a row is.
"""

from __future__ import annotations

from sightline.credit import GroupRelative
from sightline.metrics.boxes import finite_boxes
from sightline.parse.boxes import Detections
from sightline.parse.tags import Block
from sightline.rewards import Switch
from sightline.rewards.answers import Answer, ClassName, contains_either_way
from sightline.rewards.format import Format
from sightline.rewards.matched_boxes import POSITIONS, BoxConfidence, BoxFit, ConfidentBoxes
from sightline.rewards.one_box import GeneralisedFit, two_first_corners
from sightline.system import Extra, Stage, System

# the released expression for the answer does not cross lines, one bad item voids the list, no confidence is clipped
ONE_LINE = Block("answer", lines="one", otherwise="text")
RELEASED = ConfidentBoxes(
    block=ONE_LINE,
    items=Detections("Position", None, "Confidence", POSITIONS.items, bad_item="fail"),
    nothing=None,
    clip=False,
)

detection = BoxFit().named("iou") + BoxConfidence().named("confidence")
official_detection = BoxFit(RELEASED).named("iou") + BoxConfidence(RELEASED).named("confidence")
grounding = GeneralisedFit(Block("answer", otherwise="text")).named("giou")
official_grounding = GeneralisedFit(ONE_LINE, two_first_corners, finite_boxes, equal_text=True).named("giou")
classification = ClassName().named("accuracy")
official_classification = Answer(contains_either_way, ONE_LINE, "solution").named("accuracy")
format_ = Format().named("format")

TWO_BOXES = (
    "<answer>[{'Position': [10, 10, 50, 50], 'Confidence': 1}, "
    "{'Position': [60, 60, 100, 100], 'Confidence': 1}]</answer>"
)

SYSTEM = System(
    slug="visual-rft",
    title="Visual-RFT: Visual Reinforcement Fine-Tuning",
    arxiv="2503.01785",
    year=2025,
    family="boxes and classes",
    formula=(
        "detection: sum IoU / max(|GT|, |P|) + mean(c or 1 - c) + R_fmt; grounding: GIoU + 1 + R_fmt; "
        "classification: 1[name equal] + R_fmt"
    ),
    reward=Switch("task", {"detection": detection, "grounding": grounding, "classification": classification}) + format_,
    official=Switch(
        "task",
        {
            "detection": official_detection,
            "grounding": official_grounding,
            "classification": official_classification,
        },
    )
    + format_,
    extras={
        "mean_iou": Extra(
            BoxFit(over="predicted"),
            "the paper's R_IoU: mean over predicted boxes, blind to missed objects",
            BoxFit(RELEASED, over="predicted"),
        ),
    },
    credit=GroupRelative(eps=1e-4),
    recipe=(
        Stage(
            "visual reinforcement fine-tuning",
            "grpo",
            {
                "group size": 8,
                "learning rate": 1e-6,
                "kl coefficient": 0.04,
                "temperature": 1.0,
                "epochs": 1,
                "loss": "grpo",
                "max prompt tokens": 1024,
                "max image pixels": 401408,
                "prompts per device": 1,
                "gradient accumulation": 2,
                "devices": 8,
            },
        ),
    ),
    columns={
        "task": "detection, grounding or classification",
        "solution": (
            "detection: list of {'Position': [x1, y1, x2, y2]} in 0..1000, or No Objects; "
            "grounding: (x1,y1),(x2,y2) in 0..1000; classification: the class name"
        ),
        "aliases": "other names of the class, if there are any",
    },
    departs=(
        "answers may span lines; official reads a single line only",
        "an item without four finite numbers or a confidence counts as an unmatched box; official voids the list",
        "confidences are clipped to 0..1 one by one; official clips only their mean",
        "No Objects is right where nothing is to be found, and earns 1 and 1; official always pays 0",
        "a class is named by its name or an alias and nothing else; official accepts any part of the name, also none",
        "a grounding box needs x1 < x2 and y1 < y2, and is the first of the answer; official checks nothing",
        "no maths parser looks at a list of boxes, in either variant: the released shortcut pays equal first numbers",
    ),
    specimen=(
        {
            "completion": (
                "<think>Two.</think><answer>[{'Position': [10, 10, 50, 50], 'Confidence': 0.9}, "
                "{'Position': [60, 60, 100, 100], 'Confidence': 0.8}]</answer>"
            ),
            "task": "detection",
            "solution": TWO_BOXES,
        },
        {
            "completion": (
                "<think>One.</think>\n<answer>[{'Position': [14, 10, 54, 50], 'Confidence': 0.9},\n"
                "{'Position': [14, 10, 54, 50], 'Confidence': 0.2}]</answer>"
            ),
            "task": "detection",
            "solution": TWO_BOXES,
        },
        {
            "completion": "<think>None.</think><answer>No Objects</answer>",
            "task": "detection",
            "solution": "<answer>No Objects</answer>",
        },
        {
            "completion": "<think>There.</think><answer>(100,100),(500,500)</answer>",
            "task": "grounding",
            "solution": "(300,300),(700,700)",
        },
        {
            "completion": "<think>Petals.</think><answer>Garden_Phlox</answer>",
            "task": "classification",
            "solution": "garden phlox",
        },
        {
            "completion": "<answer></answer>",
            "task": "classification",
            "solution": "garden phlox",
            "aliases": ["phlox paniculata"],
        },
    ),
)
