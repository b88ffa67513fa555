"""Reports to look at: what was scored, why, and how training went."""

from sightline.view.report import report

__all__ = ["report"]
