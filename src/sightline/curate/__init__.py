"""Making data: what a reward reads is written down before training starts."""

from sightline.curate.evidence import (
    GENERIC_CAPTION,
    NO_EVIDENCE,
    QUESTION_DEPENDENT,
    SOURCES,
    EvidenceSource,
    EvidenceWriter,
    Tally,
)
from sightline.curate.items import evidence_items

__all__ = [
    "GENERIC_CAPTION",
    "NO_EVIDENCE",
    "QUESTION_DEPENDENT",
    "SOURCES",
    "EvidenceSource",
    "EvidenceWriter",
    "Tally",
    "evidence_items",
]
