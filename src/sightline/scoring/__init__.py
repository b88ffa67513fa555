"""Rollout files in, scored files out: streaming, resumable, in the dialects of several trainers."""

from sightline.scoring.cluster import Cluster
from sightline.scoring.dialects import Source
from sightline.scoring.run import Options, score_file
from sightline.scoring.summary import PartSummary, Summary

__all__ = ["Cluster", "Options", "PartSummary", "Source", "Summary", "score_file"]
