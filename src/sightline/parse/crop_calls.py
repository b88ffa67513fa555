"""The regions that a policy asks a crop tool for."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

import numpy as np

from sightline.core.boxes import Boxes, Frame
from sightline.core.missing import Missing
from sightline.parse.boxes import is_number
from sightline.parse.json import load
from sightline.parse.tags import Block

Coords = Literal["pixel", "unit", "thousand"]
_FRAMES = {"pixel": Frame.pixels(), "unit": Frame.unit(), "thousand": Frame.thousand()}
_MOST = 256
_TOO_FAR = 1e9  # coordinates: a picture has fewer pixels


@dataclass(frozen=True, slots=True)
class CropCalls:
    """The boxes of all crop calls, `<tool_call>{"name": .., "arguments": {"bbox_2d": [x1, y1, x2, y2]}}</tool_call>`.

    A call of another tool, or whose JSON or four finite numbers cannot be read, is no crop. Repeats count. The first
    256 calls are read.

    Args:
        coords: what the numbers are: pixels of the first picture, 0..1 or 0..1000. Never guessed.
        tool: the tool's name.
        key: the argument that holds the box.
        sort: corners are put in order on each axis, which the tool does as well; otherwise they stay as written.
        block: where a call stands.

    Returns:
        `Boxes`, or Missing without any crop.

    Example:
        >>> call = '<tool_call>{"name": "image_zoom_in_tool", "arguments": {"bbox_2d": [9, 8, 1, 2]}}</tool_call>'
        >>> CropCalls()(call).xyxy, CropCalls()("no call").why
        (array([[1., 2., 9., 8.]]), 'no crop')
    """

    coords: Coords = "pixel"
    tool: str = "image_zoom_in_tool"
    key: str = "bbox_2d"
    sort: bool = True
    block: Block = Block("tool_call")

    def __call__(self, text: str) -> Boxes | Missing:
        found = [
            box for span in islice(self.block.spans(text), _MOST) if (box := self._box(load(span.text))) is not None
        ]
        if not found:
            return Missing("no crop")
        corners = np.array(found, dtype=np.float64)
        if self.sort:
            corners = np.hstack([np.sort(corners[:, [0, 2]], axis=1), np.sort(corners[:, [1, 3]], axis=1)])
            corners = corners[:, [0, 2, 1, 3]]
        return Boxes(corners, _FRAMES[self.coords])

    def _box(self, call: Any) -> list[float] | None:
        arguments = call.get("arguments") if isinstance(call, dict) and call.get("name") == self.tool else None
        box = arguments.get(self.key) if isinstance(arguments, dict) else None
        if not isinstance(box, list) or len(box) != 4 or not all(is_number(edge) for edge in box):
            return None
        return [float(min(max(edge, -_TOO_FAR), _TOO_FAR)) for edge in box]
