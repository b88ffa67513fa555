"""Scores -> advantages, per rollout or per token."""

from sightline.credit.credit import Credit, Tokens, group_mean, group_size, group_spread
from sightline.credit.gates import DynamicSampling, informative
from sightline.credit.group_relative import BatchStd, GroupRelative, GroupStd, LeaveOneOut, NormaliseThenSum
from sightline.credit.injected_label import LabelApart, LabelInGroup
from sightline.credit.returns import WhitenedReturns
from sightline.credit.sides import PerSide

__all__ = [
    "BatchStd",
    "Credit",
    "DynamicSampling",
    "GroupRelative",
    "GroupStd",
    "LabelApart",
    "LabelInGroup",
    "LeaveOneOut",
    "NormaliseThenSum",
    "PerSide",
    "Tokens",
    "WhitenedReturns",
    "group_mean",
    "group_size",
    "group_spread",
    "informative",
]
