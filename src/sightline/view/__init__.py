"""Pages to look at: what was scored, why, and how training went; one file, or live in a browser."""

from sightline.view.report import report

__all__ = ["report"]
