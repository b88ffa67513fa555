"""Small charts as inline SVG: histograms, one or two on an axis, and curves with bands.

Colours come from the page's style sheet. Knows numbers and labels only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

WIDTH, HEIGHT = 320.0, 130.0
LEFT, RIGHT, TOP, BOTTOM = 10.0, 10.0, 8.0, 22.0
GUTTER = 44.0  # room for the labels of the vertical axis
SPOTS = 60  # places along a curve that say what it is there
FEW = 9  # so many different values get a bar each


@dataclass(frozen=True)
class Curve:
    """Values over steps, with a band of one standard deviation if there is one.

    Args:
        name: what is drawn.
        steps: (N,) training steps.
        values: (N,) the curve; NaN is a gap.
        spread: (N,) half the height of the band, or None.
    """

    name: str
    steps: NDArray[np.float64]
    values: NDArray[np.float64]
    spread: NDArray[np.float64] | None = None


def histogram(values: NDArray[np.float64], bins: int = 28) -> Markup:
    """How often which value occurs; NaN is left out. A bar each for few different values, else bins of equal width.

    Example:
        >>> "no value" in histogram(np.array([np.nan])), histogram(np.array([0.0, 1.0, 1.0])).count("<rect")
        (True, 2)
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return _svg('<text x="160" y="65" text-anchor="middle" class="axis">no value</text>', "no value")
    different, counts = np.unique(known, return_counts=True)
    if len(different) <= FEW:
        return _bars([f"{value:.3g}" for value in different], counts, float(known.mean()), different)
    counts, edges = np.histogram(known, bins=bins)
    return _binned(counts, edges, float(known.mean()))


def shift(before: NDArray[np.float64], after: NDArray[np.float64], bins: int = 24) -> Markup:
    """Two distributions on one axis, as shares: grey what was, coloured what is; dashed their means.

    Example:
        >>> "no value" in shift(np.zeros(0), np.zeros(3)), shift(np.zeros(2), np.array([0.0, 1.0])).count("<rect")
        (True, 3)
    """
    was, now = before[np.isfinite(before)], after[np.isfinite(after)]
    if not len(was) or not len(now):
        return _svg('<text x="160" y="65" text-anchor="middle" class="axis">no value</text>', "no value")
    different = np.unique(np.concatenate([was, now]))
    label = f"mean {was.mean():.3g} before, {now.mean():.3g} after"
    if len(different) <= FEW:
        shares = [[float((values == one).mean()) for one in different] for values in (was, now)]
        return _svg(_pairs([f"{one:.3g}" for one in different], *shares), label)
    edges = np.histogram_bin_edges(np.concatenate([was, now]), bins)
    both = [np.histogram(values, edges)[0] / len(values) for values in (was, now)]
    return _svg(_overlaid(both[0], both[1], edges, (float(was.mean()), float(now.mean()))), label)


def curve(line: Curve) -> Markup:
    """One curve over steps with its band."""
    known = np.isfinite(line.values)
    if not known.any():
        return _svg('<text x="160" y="65" text-anchor="middle" class="axis">no value</text>', line.name)
    spread = np.zeros(len(line.values)) if line.spread is None else np.nan_to_num(line.spread)
    low, high = float(np.min((line.values - spread)[known])), float(np.max((line.values + spread)[known]))
    if high - low <= 1e-9 * abs(high):
        room = abs(low) / 2 or 0.5
        low, high = low - room, high + room
    first, last = float(line.steps.min()), float(line.steps.max())
    x = LEFT + GUTTER + (line.steps - first) / max(last - first, 1e-9) * (WIDTH - LEFT - RIGHT - GUTTER)
    scale = (HEIGHT - TOP - BOTTOM) / (high - low)

    def y(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return HEIGHT - BOTTOM - (values - low) * scale

    parts = [_grid(low, high), _axis_label(LEFT + GUTTER, "start", first), _axis_label(WIDTH - RIGHT, "end", last)]
    if line.spread is not None:
        upper, lower = y(line.values + spread)[known], y(line.values - spread)[known]
        outline = [*zip(x[known], upper, strict=True), *zip(x[known][::-1], lower[::-1], strict=True)]
        parts.append(f'<polygon class="band" points="{_points(outline)}"/>')
    runs = np.split(np.arange(len(known)), np.flatnonzero(np.diff(known.astype(int))) + 1)
    for run in runs:
        if known[run[0]]:
            parts.append(f'<polyline class="line" points="{_points(zip(x[run], y(line.values[run]), strict=True))}"/>')
    parts.append(_spots(line, x, known))
    end = int(np.flatnonzero(known)[-1])
    parts.append(f'<circle class="dot" cx="{x[end]:.1f}" cy="{y(line.values)[end]:.1f}" r="3"/>')
    return _svg("".join(parts), f"{line.name}: {line.values[end]:.4g} at step {line.steps[end]:.0f}")


def _spots(line: Curve, x: NDArray[np.float64], known: NDArray[np.bool_]) -> str:
    """What the curve says, where the pointer is: a strip for each of its points, or for some of very many."""
    there = np.flatnonzero(known)
    there = there[np.unique(np.linspace(0, len(there) - 1, min(len(there), SPOTS)).round().astype(int))]
    middles = (x[there][1:] + x[there][:-1]) / 2
    edges = np.concatenate([[LEFT + GUTTER], middles, [WIDTH - RIGHT]])
    strips = []
    for at, left, right in zip(there.tolist(), edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        spread = float("nan") if line.spread is None else float(line.spread[at])
        around = "" if math.isnan(spread) else f" ± {number(spread)}"
        strips.append(
            f'<rect class="spot" x="{left:.1f}" y="{TOP}" width="{right - left:.1f}" height="{HEIGHT - TOP - BOTTOM}" '
            f'data-tip="step {line.steps[at]:.0f}: {number(float(line.values[at]))}{around}"/>'
        )
    return "".join(strips)


def number(value: float | None, digits: int = 3) -> str:
    """A number for reading; a dash if there is none.

    Example:
        >>> number(0.12345), number(1234567.0), number(None), number(2.0)
        ('0.123', '1,234,567', '–', '2')
    """
    if value is None or math.isnan(value):
        return "–"
    if abs(value) >= 1000 and math.isfinite(value):
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"


def _bars(labels: Sequence[str], counts: NDArray[np.int64], mean: float, values: NDArray[np.float64]) -> Markup:
    room = (WIDTH - LEFT - RIGHT) / len(labels)
    width = min(44.0, room * 0.7)
    parts = [_floor()]
    total = counts.sum()
    for index, (label, count) in enumerate(zip(labels, counts.tolist(), strict=True)):
        centre = LEFT + room * (index + 0.5)
        height = max(1.0, (HEIGHT - TOP - BOTTOM - 14) * count / counts.max())
        top = HEIGHT - BOTTOM - height
        parts.append(
            f'<rect class="bar" x="{centre - width / 2:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" '
            f'rx="2"><title>{escape(label)}: {count} rollouts</title></rect>'
            f'<text class="axis" x="{centre:.1f}" y="{HEIGHT - 7}" text-anchor="middle">{escape(label)}</text>'
            f'<text class="count" x="{centre:.1f}" y="{top - 4:.1f}" text-anchor="middle">'
            f"{_share(count / total)}</text>"
        )
    return _svg("".join(parts), f"mean {mean:.3g} over {len(values)} different values")


def _binned(counts: NDArray[np.int64], edges: NDArray[np.float64], mean: float) -> Markup:
    room = (WIDTH - LEFT - RIGHT) / len(counts)
    parts = [_floor()]
    for index, count in enumerate(counts.tolist()):
        if count:
            height = max(1.0, (HEIGHT - TOP - BOTTOM) * count / counts.max())
            parts.append(
                f'<rect class="bar" x="{LEFT + index * room + 0.5:.1f}" y="{HEIGHT - BOTTOM - height:.1f}" '
                f'width="{room - 1:.1f}" height="{height:.1f}">'
                f"<title>{edges[index]:.3g} to {edges[index + 1]:.3g}: {count} rollouts</title></rect>"
            )
    at = LEFT + (mean - edges[0]) / (edges[-1] - edges[0]) * (WIDTH - LEFT - RIGHT)
    parts.append(f'<line class="mean" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
    parts += [_axis_label(LEFT, "start", float(edges[0])), _axis_label(WIDTH - RIGHT, "end", float(edges[-1]))]
    return _svg("".join(parts), f"mean {mean:.3g}")


def _pairs(labels: Sequence[str], was: Sequence[float], now: Sequence[float]) -> str:
    room = (WIDTH - LEFT - RIGHT) / len(labels)
    width, most = min(26.0, room * 0.4), max(*was, *now)
    parts = [_floor()]
    for index, label in enumerate(labels):
        centre = LEFT + room * (index + 0.5)
        parts.append(_word("axis", centre, HEIGHT - 7, str(escape(label))))
        for kind, share, x in (("was", was[index], centre - width), ("bar", now[index], centre)):
            if share:
                parts.append(_bar(kind, x, width - 1, share / most, f"{label}: {share:.1%}", 14))
                top = HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM - 14) * share / most - 4
                parts.append(_word("count", x + width / 2, top, _share(share)))
    return "".join(parts)


def _word(kind: str, x: float, y: float, word: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="middle">{word}</text>'


def _overlaid(
    was: NDArray[np.float64], now: NDArray[np.float64], edges: NDArray[np.float64], means: tuple[float, float]
) -> str:
    room = (WIDTH - LEFT - RIGHT) / len(was)
    most = float(max(was.max(), now.max()))
    parts = [_floor()]
    for kind, shares in (("was", was), ("bar over", now)):
        for index in np.flatnonzero(shares).tolist():
            title = f"{edges[index]:.3g} to {edges[index + 1]:.3g}: {shares[index]:.1%}"
            parts.append(_bar(kind, LEFT + index * room + 0.5, room - 1, float(shares[index]) / most, title))
    for kind, mean in zip(("mean was", "mean"), means, strict=True):
        at = LEFT + (mean - edges[0]) / (edges[-1] - edges[0]) * (WIDTH - LEFT - RIGHT)
        parts.append(f'<line class="{kind}" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
    parts += [_axis_label(LEFT, "start", float(edges[0])), _axis_label(WIDTH - RIGHT, "end", float(edges[-1]))]
    return "".join(parts)


def _bar(kind: str, x: float, width: float, share: float, title: str, above: float = 0.0) -> str:
    height = max(1.0, (HEIGHT - TOP - BOTTOM - above) * share)
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{HEIGHT - BOTTOM - height:.1f}" width="{width:.1f}" '
        f'height="{height:.1f}"><title>{escape(title)}</title></rect>'
    )


def _grid(low: float, high: float) -> str:
    lines = []
    for share in (0.0, 0.5, 1.0):
        y = HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
        label = number(low + share * (high - low), 2)
        lines.append(f'<line class="grid" x1="{LEFT + GUTTER}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        lines.append(f'<text class="axis" x="{LEFT + GUTTER - 6}" y="{y + 3.5:.1f}" text-anchor="end">{label}</text>')
    return "".join(lines)


def _floor() -> str:
    y = HEIGHT - BOTTOM
    return f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'


def _axis_label(x: float, anchor: str, value: float) -> str:
    return f'<text class="axis" x="{x}" y="{HEIGHT - 7}" text-anchor="{anchor}">{number(value)}</text>'


def _share(share: float) -> str:
    return f"{share:.0%}" if share >= 0.01 else "<1%".replace("<", "&lt;")


def _points(pairs: object) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in pairs)  # type: ignore[attr-defined]


def _svg(inside: str, title: str) -> Markup:
    label = escape(title)
    return Markup(f'<svg viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" role="img" aria-label="{label}">{inside}</svg>')
