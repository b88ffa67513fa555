"""What the lab found, read from the tables that `sightline lab` wrote to docs/lab."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from site_pages.markdown import plain, table

_CLAIM = re.compile(r"^\| (?P<claim>.+?) \| (?P<difference>[^|]+) \| \*\*(?P<verdict>[^*|]+)\*\* \|$", re.MULTILINE)


@dataclass(frozen=True)
class LabTable:
    """One page of docs/lab.

    Args:
        name: its file name without ending.
        question: what the experiment asks.
        claims: (claim, difference, verdict), in order.
    """

    name: str
    question: str
    claims: tuple[tuple[str, str, str], ...]

    @property
    def verdicts(self) -> str:
        """How many claims have which verdict.

        Example:
            >>> LabTable("a", "?", (("x", "+1", "supported"), ("y", "0", "inconclusive"))).verdicts
            '1 supported, 1 inconclusive'
        """
        counts = Counter(verdict for _, _, verdict in self.claims)
        order = ("supported", "not supported", "inconclusive")
        return ", ".join(f"{counts[verdict]} {verdict}" for verdict in order if counts[verdict])

    def is_of(self, slug: str) -> bool:
        """Whether this is a table of a system; `slug-second-base` is one of `slug`."""
        return self.name == slug or self.name == f"{slug}-second-base"


def read(folder: Path) -> list[LabTable]:
    """All tables of a folder, by name."""
    return [_read(path) for path in sorted(folder.glob("*.md"), key=lambda path: path.stem) if path.stem != "index"]


def _read(path: Path) -> LabTable:
    text = path.read_text("utf-8")
    paragraphs = [part.strip() for part in text.split("\n\n")]
    question = next((part for part in paragraphs if part and not part.startswith("#")), "")
    claims = ((match["claim"], match["difference"], match["verdict"]) for match in _CLAIM.finditer(text))
    return LabTable(path.stem, question, tuple(claims))


def overview(tables: Iterable[LabTable]) -> str:
    """Every experiment with its question and verdicts."""
    rows = [(f"[{plain(one.name)}]({one.name}.md)", plain(one.question), one.verdicts) for one in tables]
    return table(["experiment", "asks", "claims"], rows)


def section(tables: Iterable[LabTable], slug: str, up: str) -> str:
    """The part of a system's page: its claims and where to read on."""
    found = sorted((one for one in tables if one.is_of(slug)), key=lambda one: one.name)
    if not found:
        return f"There is no table over several seeds yet; `sightline lab {slug}` runs the experiment.\n"
    pieces = []
    for one in found:
        rows = [(plain(claim), plain(difference), _shown(verdict)) for claim, difference, verdict in one.claims]
        claims = table(["claim", "difference", "verdict"], rows)
        pieces.append(
            f"{plain(one.question)} [The whole table of {plain(one.name)}]({up}lab/{one.name}.md).\n\n{claims}"
        )
    return "\n".join(pieces)


def _shown(verdict: str) -> str:
    return f"**{verdict}**" if verdict == "supported" else verdict
