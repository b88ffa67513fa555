"""The report page of an audit, in the clothes of the other reports: one HTML file, no network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sightline.check.audits import Finding
from sightline.check.ledger import SystemAudit
from sightline.check.signals import Moved, Signal
from sightline.core.rollout import policy_text
from sightline.view.charts import shift

LONGEST = 600


def page(
    found: SystemAudit, signals: Mapping[str, Signal] | None = None, drift: Mapping[str, Moved] | None = None
) -> str:
    """The page as a text.

    Args:
        found: the audit.
        signals: by variant, and for the earlier file, what a file of rollouts can teach.
        drift: part -> what became of it from one file to the next.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("sightline.view"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("audit.html.j2").render(
        slug=found.slug,
        audits=found.audits,
        checks=found.checks,
        accepted=found.accepted,
        signals=signals or {},
        drift=drift or {},
        attacks=found.audits["strict"].findings,
        written=_written,
        shift=shift,
    )


def _written(found: Finding) -> str:
    """What the attack wrote, shortened."""
    plain = isinstance(found.completion, str)
    text = policy_text(found.completion) if plain else json.dumps(found.completion, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} … {len(text):,} characters"


def rounded(value: Any) -> str:
    """A number for a table; NaN is a dash.

    Example:
        >>> rounded(0.123456), rounded(float("nan"))
        ('0.1235', '–')
    """
    return "–" if value != value else f"{value:.4g}"
