"""Multiple-choice questions with boxes to be found: accuracy by category, and how well the boxes fit.

Scores as the public scorer does: boxes may serve several targets, and an output without an answer block is compared as
a whole. Rewards assign one to one; the two must not be mixed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.core.errors import ShapeError
from sightline.core.missing import Missing
from sightline.metrics.ragged import Ragged
from sightline.parse.tagged_boxes import TaggedBoxes
from sightline.parse.tags import Block
from sightline.rewards.plain_answers import same_option
from sightline.rewards.target_boxes import best_overlaps, mentioned, target_boxes

SCORER = TaggedBoxes("tight")
ANSWER_OR_ALL = Block("answer", otherwise="text")


@dataclass(frozen=True)
class GroundedChoices:
    """What a model did on such questions.

    Args:
        overall: right answers / questions.
        by_category: category -> right answers / its questions.
        mean_iou: mean over questions of the mean over targets of the best IoU; 0 for a question without targets.
        questions: how many.
    """

    overall: float
    by_category: dict[str, float]
    mean_iou: float
    questions: int


def grounded_choices(
    outputs: Sequence[str],
    answers: Sequence[str],
    targets: Sequence[Any],
    categories: Sequence[str],
    find: TaggedBoxes = SCORER,
) -> GroundedChoices:
    """Score outputs of the form `<think>.. <box>[x1,y1,x2,y2]</box> ..</think><answer>B</answer>`.

    Args:
        outputs: Q texts.
        answers: Q option letters.
        targets: Q lists of xyxy boxes.
        categories: Q names.
        find: how boxes are read; the default is that of the public scorer.

    Raises:
        ShapeError: the lists differ in length, are empty, or a target is no box.

    Example:
        >>> said = ["<box>[0,0,4,4]</box><answer>B</answer>", "C"]
        >>> grounded_choices(said, ["B", "A"], [[[0, 0, 4, 4], [0, 0, 4, 8]], []], ["color", "order"])
        GroundedChoices(overall=0.5, by_category={'color': 1.0, 'order': 0.0}, mean_iou=0.375, questions=2)

    References:
        TreeBench, Wang et al., TreeVGR, arXiv 2507.07999.
    """
    if not outputs or len({len(outputs), len(answers), len(targets), len(categories)}) > 1:
        raise ShapeError("grounded_choices: needs as many answers, targets and categories as outputs, at least one")
    boxes = [target_boxes(one) for one in targets]
    for number, one in enumerate(boxes):
        if isinstance(one, Missing):
            raise ShapeError(f"grounded_choices: question {number}: {one.why}")
    right = np.array([same_option(str(ANSWER_OR_ALL(o)), a) for o, a in zip(outputs, answers, strict=True)])
    goals = Ragged.of_boxes([one for one in boxes if not isinstance(one, Missing)])
    best, _ = best_overlaps(mentioned([find(output) for output in outputs]), goals)
    fit = goals.sum(best) / np.maximum(goals.counts, 1)
    names = np.array(categories, dtype=object)
    shares = {name: float(right[names == name].mean()) for name in dict.fromkeys(categories)}
    return GroundedChoices(float(right.mean()), shares, float(fit.mean()), len(outputs))
