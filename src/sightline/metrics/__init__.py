"""Metrics: arrays in, arrays out; numpy at import, scipy and rapidfuzz where they are needed."""

from sightline.metrics.boxes import (
    Validity,
    as_boxes,
    box_area,
    box_giou,
    box_iou,
    finite_boxes,
    paired_giou,
    paired_iou,
    proper_boxes,
)
from sightline.metrics.detection import (
    AveragePrecision,
    average_precision,
    average_precision_batch,
    nms_average_precision,
    nms_keep,
    pooled_average_precision,
)
from sightline.metrics.matching import Matcher, Matches, greedy_by_score, greedy_global, hungarian, match_boxes
from sightline.metrics.numbers import equal_rounded, relative_closeness, relative_error
from sightline.metrics.precision_recall import precision_over_recalls, ranked_hits
from sightline.metrics.ragged import Ragged, buckets
from sightline.metrics.stems import porter_stem
from sightline.metrics.text import (
    Rouge,
    edit_distance,
    indel_ratio,
    repeated_ngram_share,
    repeated_share,
    rouge,
    word_error_rate,
)

__all__ = [
    "AveragePrecision",
    "Matcher",
    "Matches",
    "Ragged",
    "Rouge",
    "Validity",
    "as_boxes",
    "average_precision",
    "average_precision_batch",
    "box_area",
    "box_giou",
    "box_iou",
    "buckets",
    "edit_distance",
    "equal_rounded",
    "finite_boxes",
    "greedy_by_score",
    "greedy_global",
    "hungarian",
    "indel_ratio",
    "match_boxes",
    "nms_average_precision",
    "nms_keep",
    "paired_giou",
    "paired_iou",
    "pooled_average_precision",
    "porter_stem",
    "precision_over_recalls",
    "proper_boxes",
    "ranked_hits",
    "relative_closeness",
    "relative_error",
    "repeated_ngram_share",
    "repeated_share",
    "rouge",
    "word_error_rate",
]
