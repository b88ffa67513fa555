"""One self-contained HTML page about a scored file or a training run: no server, no network, no JavaScript library."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sightline.view.cards import Scales, cards
from sightline.view.overview import overview, read_source
from sightline.view.pages import render
from sightline.view.results import Results

LAST_FILES = 40  # of a run's rollout files, so many of the latest are looked at


def report(path: Path | str, out: Path | str, *, title: str = "", shown: int = 12) -> Path:
    """Write the page.

    Args:
        path: a file that `sightline score` wrote, or the folder of a training run.
        out: the HTML file.
        title: of the page; by default the name of what it shows.
        shown: how many of the worst and of the best rollouts are shown.

    Raises:
        RolloutFileError: there is nothing to show.
    """
    source, out = read_source(path, LAST_FILES), Path(out)
    results = source.results
    found = [] if results is None else cards(results, list(picked(results, shown)), Scales.of(results))
    page = render("report.html.j2", title=title or source.path.name, path=str(path), cards=found, **overview(source))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(page, "utf-8", errors="replace")
    return out


def picked(results: Results, shown: int) -> Iterator[tuple[str, int]]:
    """(kind, row) of the rollouts to show: worst, best, and failed ones; of a group one of each kind."""
    values = results.reward.values
    order = np.argsort(values, kind="stable")
    order = order[np.isfinite(values[order])]
    taken: set[int] = set()
    for kind, rows in (("worst", order), ("best", order[::-1])):
        groups: set[int] = set()
        for row in rows.tolist():
            group = int(results.group[row])
            if row not in taken and group not in groups:
                taken.add(row)
                groups.add(group)
                yield kind, row
            if len(groups) == shown:
                break
    unscored = [row for row in np.flatnonzero(results.failed | ~np.isfinite(values)).tolist() if row not in taken]
    yield from (("unscored", row) for row in unscored[: shown // 2])
