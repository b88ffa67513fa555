"""What a policy cropped, as a set: which parts are shown to somebody else, and how much of the picture they cover."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sightline.core.batch import Batch
from sightline.core.boxes import Boxes, Frame
from sightline.core.errors import MediaError
from sightline.core.missing import Missing
from sightline.core.scores import Score, Scores, failed
from sightline.metrics.unions import Union
from sightline.parse.crop_calls import CropCalls
from sightline.rewards.pictures import pictures
from sightline.rewards.reward import Reward

Find = Callable[[str], "Boxes | Missing"]
MOST = 16


@dataclass(frozen=True)
class CroppedParts:
    """Only what the policy cropped: every part of the picture that lies inside one of its boxes, as pictures.

    Boxes are cut at the picture's edge; one without area there shows nothing. For a `Look`.

    Args:
        find: policy text -> `Boxes`, or `Missing` without a crop.
        column: the pictures; boxes are those of the first.
        most: a reply with more crops shows nothing: it would be the whole picture in pieces.
        but: the crop of this number is left out.
        only: the crop of this number is the only one.
    """

    find: Find = CropCalls()
    column: str = "images"
    most: int = MOST
    but: int | None = None
    only: int | None = None

    def reads(self) -> tuple[str, ...]:
        return (self.column,)

    def shown(self, batch: Batch, row: int) -> tuple[Any, ...] | Missing:
        from sightline.media import images

        boxes = few(batch.parse(self.find)[row], self.most)
        if isinstance(boxes, Missing):
            return boxes
        source = first_picture(batch, self.column, row)
        if isinstance(source, Missing):
            return source
        whole = images.load(source)
        parts = [_part(whole, box) for box in self._kept(inside(boxes, *whole.size))]
        there = tuple(part for part in parts if part is not None)
        return there or Missing("no crop has an area in the picture")

    def _kept(self, boxes: NDArray[np.float64]) -> NDArray[np.float64]:
        numbers = np.arange(len(boxes))
        kept = numbers != self.but if self.but is not None else numbers >= 0
        return boxes[kept if self.only is None else kept & (numbers == self.only)]


def few(boxes: Boxes | Missing, most: int) -> Boxes | Missing:
    """The boxes, or Missing if there are none or more than `most`."""
    if isinstance(boxes, Missing):
        return boxes
    return Missing(f"{len(boxes)} crops, more than {most}") if len(boxes) > most else boxes


def first_picture(batch: Batch, column: str, row: int) -> Any:
    """The first picture of a row, or Missing if there is none."""
    given = pictures(batch.column(column, "cropped parts")[row])
    return given[0] if given else Missing("no picture")


def inside(boxes: Boxes, width: float, height: float) -> NDArray[np.float64]:
    """(N, 4) boxes in pixels of a picture, cut at its edge; those outside have no area.

    Example:
        >>> inside(Boxes([[-0.5, 0, 0.5, 2]], Frame.unit()), 100, 50)
        array([[ 0.,  0., 50., 50.]])
    """
    own = Frame.pixels(width, height)
    xyxy = boxes.to(own).xyxy if boxes.frame.known else boxes.xyxy
    return np.clip(xyxy, 0.0, [width, height, width, height])


def _part(whole: Any, box: NDArray[np.float64]) -> Any:
    from sightline.media import regions

    part = regions.crop(whole, box)
    return None if isinstance(part, Missing) else part


@dataclass(frozen=True)
class UncroppedShare(Reward):
    """How small a part of the picture the crops cover together.

    value = 1 - area of the union of all crops / area of the picture; 0 without a crop or without any area

    Boxes are cut at the picture's edge; what several crops share counts once. It pays for slivers of nothing unless it
    is multiplied by what the crops are good for.

    Args:
        find: policy text -> `Boxes`, or `Missing` without a crop.
        column: the pictures; only the size of the first matters.
        most: a reply with more crops is worth 0.

    Reads: `column`. Range: [0, 1]. NaN: the picture cannot be read.

    Example:
        >>> call = '<tool_call>{"name": "image_zoom_in_tool", "arguments": {"bbox_2d": [0, 0, 5, 5]}}</tool_call>'
        >>> UncroppedShare()(Batch([call, "none"], {"images": [np.zeros((10, 10), np.uint8)] * 2})).values
        array([0.75, 0.  ])

    References:
        On the faithfulness of visual thinking, arXiv 2510.23482: minimality.
    """

    find: Find = CropCalls()
    column: str = "images"
    most: int = MOST

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        boxes = ([0, 0, 5, 5], [9, 9, 1, 1], [-9, -9, 30, 30], [3, 3, 3, 9])
        calls = [f'{{"name": "image_zoom_in_tool", "arguments": {{"bbox_2d": {box}}}}}' for box in boxes]
        texts = [
            *(f"<tool_call>{call}</tool_call>" for call in calls),
            "none",
            f"<tool_call>{calls[0]}</tool_call>" * 9,
        ]
        rows = [{"completion": text, "images": [np.zeros((10, 10), np.uint8)]} for text in texts]
        return cls(), [*rows, {**rows[0], "images": None}, {**rows[0], "images": ["/nowhere/a.png"]}]

    def needs(self) -> tuple[str, ...]:
        return (self.column,)

    def score(self, batch: Batch) -> Scores:
        found = batch.parse(self.find)
        return Scores.from_rows([self._one(batch, row, few(boxes, self.most)) for row, boxes in enumerate(found)])

    def _one(self, batch: Batch, row: int, boxes: Boxes | Missing) -> Score:
        source = boxes if isinstance(boxes, Missing) else first_picture(batch, self.column, row)
        if isinstance(boxes, Missing) or isinstance(source, Missing):
            return Score(0.0, source.why)
        try:
            width, height = _size(source)
        except MediaError as error:
            return failed(str(error))
        covered = Union.of(inside(boxes, width, height)).area / (width * height)
        if covered <= 0:
            return Score(0.0, "no crop has an area in the picture")
        return Score(1.0 - min(covered, 1.0), f"{covered:.1%} of the picture is cropped")


def _size(source: Any) -> tuple[int, int]:
    from sightline.media import images

    width, height = images.load(source).size
    return width, height
