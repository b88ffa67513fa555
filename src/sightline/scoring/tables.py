"""Scores as Arrow columns: one per part, reasons, and marks as lists of structures.

NaN becomes null, so that means over a column are means over what could be scored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sightline.core.boxes import Frame
from sightline.core.marks import BoxMarks, ChainedMarks, DeferredMarks, Mark, Marks, NoMarks, PickedMarks
from sightline.core.scores import Scores
from sightline.rewards.algebra import NOT_EVALUATED, Named
from sightline.rewards.reward import Reward
from sightline.scoring.blocks import text_column

FRAME = pa.struct([("width", pa.float64()), ("height", pa.float64()), ("kind", pa.string()), ("image", pa.int64())])
MARK = pa.struct(
    [
        ("unit", pa.string()),
        ("place", pa.list_(pa.float64())),
        ("value", pa.float64()),
        ("why", pa.string()),
        ("frame", FRAME),
    ]
)
Rows = NDArray[np.int64]
Flat = tuple[Rows, pa.StructArray]  # row of every mark, rows never falling, and the marks


def part_names(reward: Reward) -> list[str]:
    """Names of all parts an expression can have, in reading order."""
    return list(dict.fromkeys(node.name for node in reward.walk() if isinstance(node, Named)))


def score_columns(scores: Scores, parts: Sequence[str]) -> dict[str, pa.Array]:
    """`reward`, one column per part, `why`, `why_<part>`, `marks`.

    Args:
        parts: names that are there in any case; a part that no rollout of this batch has is null, with that reason.
    """
    names = list(dict.fromkeys([*parts, *scores.parts]))
    values = {"reward": _numbers(scores)}
    reasons = {"why": text_column(list(scores.why))}
    for name in names:
        part = scores.parts.get(name)
        values[name] = pa.nulls(len(scores), pa.float64()) if part is None else _numbers(part)
        reasons[f"why_{name}"] = text_column([NOT_EVALUATED] * len(scores) if part is None else list(part.why))
    return {**values, **reasons, "marks": marks_column(scores.marks)}


def marks_column(marks: Marks) -> pa.ListArray:
    """Marks of B rollouts as a list column, without making a `Mark` where arrays are at hand."""
    rows, table = _flat(marks)
    offsets = np.searchsorted(rows, np.arange(len(marks) + 1)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), table)


def _numbers(scores: Scores) -> pa.Array:
    return pa.array(np.asarray(scores.values, np.float64), pa.float64(), from_pandas=True)


def _flat(marks: Marks) -> Flat:
    if isinstance(marks, NoMarks):
        return np.zeros(0, np.int64), pa.array([], MARK)
    if isinstance(marks, BoxMarks):
        return _flat_boxes(marks)
    if isinstance(marks, DeferredMarks):
        return _flat(marks.made)
    if isinstance(marks, ChainedMarks):
        found = [_flat(term) for term in marks.terms]
        rows = np.concatenate([rows for rows, _ in found])
        order = np.argsort(rows, kind="stable")
        return rows[order], pa.concat_arrays([table for _, table in found]).take(pa.array(order))
    if isinstance(marks, PickedMarks):
        return _flat_picked(marks)
    rows = np.repeat(np.arange(len(marks)), [len(of_row) for of_row in marks])
    return rows, _structures([mark for of_row in marks for mark in of_row])


def _flat_picked(marks: PickedMarks) -> Flat:
    rows, table = _flat(marks.source)
    known = np.flatnonzero(marks.rows >= 0)
    first = np.searchsorted(rows, marks.rows[known])
    counts = np.searchsorted(rows, marks.rows[known], side="right") - first
    starts = np.cumsum(counts) - counts
    index = np.repeat(first - starts, counts) + np.arange(counts.sum())
    return np.repeat(known, counts), table.take(pa.array(index))


def _flat_boxes(marks: BoxMarks) -> Flat:
    first, stop = int(marks.offsets[0]), int(marks.offsets[-1])
    rows = np.repeat(np.arange(len(marks)), np.diff(marks.offsets))
    places = np.ascontiguousarray(marks.xyxy[first:stop], np.float64)
    values = np.asarray(marks.values[first:stop], np.float64)
    why = text_column(marks.reasons(first, stop))
    there = ~np.isnan(places[:, 0])
    if not there.all():  # an item without a box has no mark
        rows, places, values, why = rows[there], places[there], values[there], why.filter(pa.array(there))
    size = len(rows)
    place = pa.ListArray.from_arrays(pa.array(np.arange(0, 4 * size + 1, 4, dtype=np.int32)), pa.array(places.ravel()))
    frames = pa.repeat(pa.scalar(_frame(marks.frame), FRAME), size)
    columns = [pa.repeat(pa.scalar("box"), size), place, pa.array(values), why, frames]
    return rows, pa.StructArray.from_arrays(columns, fields=list(MARK))


def _structures(marks: Sequence[Mark]) -> pa.StructArray:
    columns = [
        text_column([mark.unit for mark in marks]),
        pa.array([[float(number) for number in mark.place] for mark in marks], pa.list_(pa.float64())),
        pa.array([float(mark.value) for mark in marks], pa.float64()),
        text_column([mark.why for mark in marks]),
        pa.array([None if mark.frame is None else _frame(mark.frame) for mark in marks], FRAME),
    ]
    return pa.StructArray.from_arrays(columns, fields=list(MARK))


def _frame(frame: Frame) -> Mapping[str, float | str]:
    return {"width": frame.width, "height": frame.height, "kind": frame.kind, "image": frame.image}
