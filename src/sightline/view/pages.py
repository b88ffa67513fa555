"""Templates: what turns cards and counts into HTML. Everything is escaped; hosts only put the pieces on a page."""

from __future__ import annotations

from functools import lru_cache
from typing import Any


def render(template: str, **context: Any) -> str:
    """A template as text."""
    return str(_environment().get_template(template).render(**context))


def piece(name: str, *arguments: Any) -> str:
    """What a macro of the components makes of its arguments."""
    return str(getattr(_environment().get_template("components.html.j2").module, name)(*arguments))


def asset(name: str) -> str:
    """A style sheet or a script, as it stands beside the templates."""
    environment = _environment()
    assert environment.loader is not None
    return str(environment.loader.get_source(environment, name)[0])


@lru_cache(maxsize=1)
def _environment() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("sightline.view"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
