r"""Boxes that a policy wrote: lists of objects with a box, `[x1, y1, x2, y2]`, `(x1,y1),(x2,y2)`.

Boxes are returned as they were written, corners unsorted, in whatever frame the prompt asked for: this module does not
know it. Results are light: one `FoundBoxes` a rollout, and `box_table` turns a batch of them into arrays at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, chain, islice
from math import isfinite
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sightline.core.missing import Missing
from sightline.parse.json import JSON_LIST, LENIENT_LIST

MOST_ITEMS = 4096
_INF, _NAN = float("inf"), float("nan")
_NO_KEYS: dict[str, Any] = {}
_LISTS, _FOUR, _NUMERIC, _TEXTS = {list}, {4}, {int, float}, {str}
_NEAR = (256, 16)  # lists that are looked at in one go; fewer where one of them is bad
_NOWHERE = (_NAN, _NAN, _NAN, _NAN)


def is_number(value: Any) -> bool:
    """A finite int or float; a bool is none.

    Example:
        >>> is_number(3), is_number(True), is_number(float("nan")), is_number("3")
        (True, False, False, False)
    """
    return (type(value) is int or type(value) is float) and -_INF < value < _INF


def is_box(value: Any) -> bool:
    """A list of exactly four finite numbers."""
    if type(value) is not list or len(value) != 4:
        return False
    a, b, c, d = value
    if type(a) is type(b) is type(c) is type(d) is int:
        return True
    return is_number(a) and is_number(b) and is_number(c) and is_number(d)


@dataclass(slots=True, eq=False)  # not frozen: a frozen one takes four times as long to make
class FoundBoxes:
    """The items of one list, in the order they were written.

    Args:
        count: how many items the list has, those without a box included.
        xyxy: a box for each item that was read; four NaN where an item has none.
        labels: the item's label; None where it has none or it is no text.
        scores: the item's confidence; NaN where it has none or it is no finite number.
        valid: True where an item has a box, and a confidence if one was asked for. Corners may be swapped.

    There are `min(count, limit of the parser)` entries in each of the four lists.
    """

    count: int
    xyxy: list[Sequence[float]]
    labels: list[str | None]
    scores: list[float]
    valid: list[bool]


@dataclass(frozen=True, slots=True)
class Detections:
    """A list of objects with a box, and optionally a label and a confidence.

    Args:
        box: the key of the box.
        label: the key of the label, or None: labels are not read.
        score: the key of the confidence, or None: confidences are not read. If read, an item without one is invalid.
        items: text -> list; says what is forgiven.
        bad_item: an invalid item is kept and marked, or makes the whole list Missing.
        limit: only so many items are read; the others are counted. Lists this long are floods, not answers.

    Example:
        >>> found = Detections()('[{"bbox_2d": [1, 2, 3, 4], "label": "cat"}, {"label": "dog"}, 7]')
        >>> found.count, found.valid, found.labels
        (3, [True, False, False], ['cat', 'dog', None])
        >>> Detections("Position", None, "Confidence", bad_item="fail")('[{"Position": [1, 2, 3, 4]}]').why
        'item 0 has no box of 4 finite numbers with a confidence'
    """

    box: str = "bbox_2d"
    label: str | None = "label"
    score: str | None = None
    items: Callable[[str], list[Any] | Missing] = JSON_LIST
    bad_item: Literal["keep", "fail"] = "keep"
    limit: int = MOST_ITEMS

    def __call__(self, text: str) -> FoundBoxes | Missing:
        return self._found(self.items(text))

    def many(self, texts: Sequence[str]) -> list[FoundBoxes | Missing]:
        """What is found in each text, the numbers of neighbouring texts looked at in one go."""
        return self._together([self.items(text) for text in texts], _NEAR)

    def read(self, items: list[Any], count: int | None = None) -> FoundBoxes:
        """The boxes of a list that is loaded already; `count` items if it was cut."""
        whole = self._whole([items]) or [self._read_each(items)]
        return whole[0] if count is None else replace(whole[0], count=count)

    def read_many(self, lists: Sequence[list[Any] | Missing]) -> list[FoundBoxes | Missing]:
        """The boxes of lists that are loaded already."""
        return self._together(lists, _NEAR)

    def _together(self, lists: Sequence[list[Any] | Missing], near: tuple[int, ...]) -> list[FoundBoxes | Missing]:
        """Lists some hundred at a time; where one of them is not as it should be, in smaller steps."""
        if not near:
            return [self._found(items) for items in lists]
        found: list[FoundBoxes | Missing] = []
        for start in range(0, len(lists), near[0]):
            part = lists[start : start + near[0]]
            read = [items for items in part if not isinstance(items, Missing)]
            whole = self._whole(read) if all(len(items) <= self.limit for items in read) else None
            if whole is None:
                found += self._together(part, near[1:])
            else:
                rows = iter(whole)
                found += [items if isinstance(items, Missing) else next(rows) for items in part]
        return found

    def _found(self, items: list[Any] | Missing) -> FoundBoxes | Missing:
        if isinstance(items, Missing):
            return items
        found = self.read(items if len(items) <= self.limit else items[: self.limit], len(items))
        if self.bad_item == "fail" and not all(found.valid):
            wanted = "4 finite numbers" + (" with a confidence" if self.score is not None else "")
            return Missing(f"item {found.valid.index(False)} has no box of {wanted}")
        return found

    def _whole(self, lists: Sequence[list[Any]]) -> list[FoundBoxes] | None:
        """Lists in which every item is as it should be, without looking at each number; None if one is not."""
        label_key, score_key = self.label, self.score
        items = list(chain.from_iterable(lists))
        try:
            xyxy = [item[self.box] for item in items]
            labels = [None] * len(items) if label_key is None else [item[label_key] for item in items]
            scores = [_NAN] * len(items) if score_key is None else [item[score_key] for item in items]
            read = [*chain.from_iterable(xyxy), *(scores if score_key is not None else ())]
            good = (
                _LISTS.issuperset(map(type, xyxy))
                and _FOUR.issuperset(map(len, xyxy))
                and _NUMERIC.issuperset(map(type, read))
                and (label_key is None or _TEXTS.issuperset(map(type, labels)))
                and isfinite(sum(read))
            )
        except (TypeError, KeyError, OverflowError):
            return None
        if not good:
            return None
        ends = list(accumulate(map(len, lists)))
        cuts = [(end - len(one), end) for one, end in zip(lists, ends, strict=True)]
        return [FoundBoxes(e - s, xyxy[s:e], labels[s:e], scores[s:e], [True] * (e - s)) for s, e in cuts]

    def _read_each(self, items: list[Any]) -> FoundBoxes:
        box_key, label_key, score_key = self.box, self.label, self.score
        labels: list[str | None] = []
        scores: list[float] = []
        xyxy: list[Sequence[float]] = []
        valid: list[bool] = []
        for item in items:
            if type(item) is not dict:
                item = _NO_KEYS
            box: Any = item.get(box_key)
            whole = is_box(box)
            xyxy.append(box if whole else _NOWHERE)
            if label_key is not None:
                label = item.get(label_key)
                labels.append(label if type(label) is str else None)
            if score_key is not None:
                score: Any = item.get(score_key)
                numeric = is_number(score)
                scores.append(score if numeric else _NAN)
                whole = whole and numeric
            valid.append(whole)
        size = len(items)
        return FoundBoxes(size, xyxy, labels or [None] * size, scores or [_NAN] * size, valid)


LENIENT_DETECTIONS = Detections(items=LENIENT_LIST)


class BoxTable(NamedTuple):
    """The boxes of B rollouts as arrays; N = all items of all rollouts, invalid ones included.

    Rollout `i` owns rows `offsets[i]:offsets[i + 1]`.
    """

    offsets: NDArray[np.int64]  # (B + 1,)
    xyxy: NDArray[np.float64]  # (N, 4), NaN where an item has no box
    scores: NDArray[np.float64]  # (N,), NaN where an item has none
    valid: NDArray[np.bool_]  # (N,)
    labels: list[str | None]  # N
    counts: NDArray[np.int64]  # (B,) items written, -1 where nothing could be parsed


def box_table(found: Sequence[FoundBoxes | Missing]) -> BoxTable:
    """What `Detections` found in a batch, as arrays.

    Example:
        >>> table = box_table([Detections()('[{"bbox_2d": [1, 2, 3, 4]}]'), Missing("not JSON")])
        >>> table.offsets, table.xyxy, table.counts
        (array([0, 1, 1]), array([[1., 2., 3., 4.]]), array([ 1, -1]))
    """
    offsets = np.zeros(len(found) + 1, dtype=np.int64)
    counts = np.full(len(found), -1, dtype=np.int64)
    xyxy: list[float] = []
    labels: list[str | None] = []
    scores: list[float] = []
    valid: list[bool] = []
    for row, one in enumerate(found):
        if isinstance(one, FoundBoxes):
            counts[row] = one.count
            for box in one.xyxy:
                xyxy += box
            labels += one.labels
            scores += one.scores
            valid += one.valid
        offsets[row + 1] = len(valid)
    boxes = np.array(xyxy, dtype=np.float64).reshape(-1, 4)
    return BoxTable(offsets, boxes, np.array(scores, dtype=np.float64), np.array(valid, dtype=np.bool_), labels, counts)


_BRACKETED = re.compile(r"\[(\d++),\s*+(\d++),\s*+(\d++),\s*+(\d++)\]")
_POINTS = re.compile(r"\(\s*+(\d++)\s*+,\s*+(\d++)\s*+\)\s*+,\s*+\(\s*+(\d++)\s*+,\s*+(\d++)\s*+\)")
IntBox = tuple[float, float, float, float]


def first_int_box(text: str) -> IntBox | Missing:
    """The first `[x1, y1, x2, y2]` of non-negative integers anywhere in the text; floats and signs do not match.

    Example:
        >>> first_int_box('{"bbox_2d": [10, 20, 30, 40]}'), first_int_box("[1, 2, 3.5, 4]").why
        ((10.0, 20.0, 30.0, 40.0), 'no [int, int, int, int]')
    """
    found = _BRACKETED.search(text)
    return Missing("no [int, int, int, int]") if found is None else _finite(found)


def first_point_pair(text: str) -> IntBox | Missing:
    """The first box written as two points, `(x1,y1),(x2,y2)`, non-negative integers, blanks allowed.

    Example:
        >>> first_point_pair("(10,20), (30, 40)"), first_point_pair("(10,20)").why
        ((10.0, 20.0, 30.0, 40.0), 'no (int,int),(int,int)')
    """
    found = _POINTS.search(text)
    return Missing("no (int,int),(int,int)") if found is None else _finite(found)


def point_pairs(text: str) -> list[IntBox] | Missing:
    """The boxes written as two points, from left to right, at most 4,096 of them.

    Example:
        >>> point_pairs("(1,2),(3,4) and (5,6),(7,8)")
        [(1.0, 2.0, 3.0, 4.0), (5.0, 6.0, 7.0, 8.0)]
    """
    boxes = [_finite(found) for found in islice(_POINTS.finditer(text), MOST_ITEMS)]
    if any(isinstance(box, Missing) for box in boxes):
        return Missing("a coordinate is not finite")
    return [box for box in boxes if not isinstance(box, Missing)] or Missing("no (int,int),(int,int)")


def _finite(found: re.Match[str]) -> IntBox | Missing:
    a, b, c, d = map(float, found.groups())
    return (a, b, c, d) if max(a, b, c, d) < _INF else Missing("a coordinate is not finite")
