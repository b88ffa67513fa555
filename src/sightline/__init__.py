"""sightline: multimodal reward systems, faithful to the papers, strict by default.

import sightline
system = sightline.load("video-ver")
scores = system.reward(sightline.Batch.from_rows(rows))
scores.values, scores.why, scores.marks, scores.parts
"""

from sightline.core import NA, Batch, Boxes, Frame, Mark, Missing, Rollout, Score, Scores, abstain, failed
from sightline.core.errors import SightlineError
from sightline.core.version import __version__
from sightline.rewards import Constant, JudgedReward, Reward, RowReward, Switch
from sightline.system import Stage, System, load, names

__all__ = [
    "NA",
    "Batch",
    "Boxes",
    "Constant",
    "Frame",
    "JudgedReward",
    "Mark",
    "Missing",
    "Reward",
    "Rollout",
    "RowReward",
    "Score",
    "Scores",
    "SightlineError",
    "Stage",
    "Switch",
    "System",
    "__version__",
    "abstain",
    "failed",
    "load",
    "names",
]
