"""Adds the generated pages when mkdocs builds the site; none of them is committed.

mkdocs calls the `on_...` functions: `on_config` completes the navigation, `on_files` adds pages, `on_page_markdown`
fills the overview of the lab.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel

ROOT = Path(__file__).parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

PACKAGE = ROOT / "src" / "sightline"
LAB = ROOT / "docs" / "lab"
GUIDES = "How to"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """The navigation: guides that lie in docs but are not listed, systems, lab tables, rooms."""
    from sightline.system import names
    from site_pages import api_pages, lab_tables

    nav: list[Any] = list(config.nav or [])
    listed = set(_listed(nav))
    for entry in nav:
        if GUIDES in entry:
            found = sorted(path.name for path in (ROOT / "docs").glob("*.md"))
            entry[GUIDES] = [*entry[GUIDES], *(name for name in found if name not in listed)]
    nav.append({"Systems": ["systems/index.md", *({slug: f"systems/{slug}.md"} for slug in names())]})
    nav.append({"Lab": ["lab/index.md", *({one.name: f"lab/{one.name}.md"} for one in lab_tables.read(LAB))]})
    nav.append({"API": ["api/index.md", *({room: f"api/{room}.md"} for room in api_pages.rooms(PACKAGE))]})
    nav.append({"Command line": "commands.md"})
    config.nav = nav
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """All generated pages."""
    for path, text in pages().items():
        file = File.generated(config, path, content=text)
        if path.count("/") == 2:  # the page of a module: reached from its room
            file.inclusion = InclusionLevel.NOT_IN_NAV
        files.append(file)
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """The lab's overview behind the words of its page; figures of its tables stay on one line."""
    if page.file.src_uri != "lab/index.md":
        return markdown.replace(" ± ", "\u00a0±\u00a0") if page.file.src_uri.startswith("lab/") else markdown
    from site_pages import lab_tables

    return f"{markdown}\n\n## Tables\n\n{lab_tables.overview(lab_tables.read(LAB))}"


def pages() -> dict[str, str]:
    """Path under docs -> Markdown of every page that is generated."""
    from sightline.system import load, names
    from site_pages import api_pages, command_page, lab_tables, paper_index, system_page

    lab = lab_tables.read(LAB)
    systems = [load(slug) for slug in names()]
    made = {f"systems/{system.slug}.md": system_page.page(system, ROOT, lab) for system in systems}
    made["systems/index.md"] = paper_index.page(systems, lab, PACKAGE)
    made["commands.md"] = command_page.page()
    return made | api_pages.pages(PACKAGE)


def _listed(nav: Any) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    return [path for entry in (nav.values() if isinstance(nav, dict) else nav) for path in _listed(entry)]
