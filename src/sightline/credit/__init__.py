"""Scores -> advantages, per rollout or per token."""

from sightline.credit.branches import Branches, PromptWeight
from sightline.credit.credit import Credit, Tokens, group_mean, group_size, group_spread
from sightline.credit.gates import DynamicSampling, informative
from sightline.credit.group_relative import BatchStd, GroupRelative, GroupStd, LeaveOneOut, NormaliseThenSum
from sightline.credit.injected_label import LabelApart, LabelInGroup
from sightline.credit.measures import Entropy, ImageDependency, Logp
from sightline.credit.moving_baseline import KlWeight, MovingBaseline
from sightline.credit.placement import Placed, at_ends, at_last, locate, span_mask, span_sum, spans_of
from sightline.credit.returns import WhitenedReturns
from sightline.credit.returns_to_go import gae, returns_to_go, whiten
from sightline.credit.sides import PerSide

__all__ = [
    "BatchStd",
    "Branches",
    "Credit",
    "DynamicSampling",
    "Entropy",
    "GroupRelative",
    "GroupStd",
    "ImageDependency",
    "KlWeight",
    "LabelApart",
    "LabelInGroup",
    "LeaveOneOut",
    "Logp",
    "MovingBaseline",
    "NormaliseThenSum",
    "PerSide",
    "Placed",
    "PromptWeight",
    "Tokens",
    "WhitenedReturns",
    "at_ends",
    "at_last",
    "gae",
    "group_mean",
    "group_size",
    "group_spread",
    "informative",
    "locate",
    "returns_to_go",
    "span_mask",
    "span_sum",
    "spans_of",
    "whiten",
]
