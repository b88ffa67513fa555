"""The nouns: rollout, batch, scores, marks, boxes, missing, errors. Needs numpy only."""

from sightline.core.batch import Batch
from sightline.core.boxes import Boxes, Frame
from sightline.core.marks import Mark
from sightline.core.missing import Missing
from sightline.core.rollout import Rollout, Turn
from sightline.core.scores import NA, Score, Scores, abstain, failed

__all__ = [
    "NA",
    "Batch",
    "Boxes",
    "Frame",
    "Mark",
    "Missing",
    "Rollout",
    "Score",
    "Scores",
    "Turn",
    "abstain",
    "failed",
]
