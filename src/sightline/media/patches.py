"""The grid of patches that a vision tokenizer cuts an image into, and places written as its rows and columns.

A patch box is (row1, column1, row2, column2), row first, both ends included: the only boxes of this library that are
not x first. Knows no text and no rewards.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sightline.core.boxes import Frame
from sightline.core.errors import ShapeError

PATCH = 28


@dataclass(frozen=True, slots=True)
class PatchGrid:
    """Rows and columns of patches of one image.

    Args:
        rows, columns: how many.
        patch: side of a patch in pixels: 28 for Qwen2-VL and Qwen2.5-VL (patch size times merge size).

    Example:
        >>> grid = PatchGrid.of_size(1120, 560)
        >>> grid.rows, grid.columns, grid.cover([30, 60, 100, 120])
        (20, 40, array([2., 1., 4., 3.]))

    References:
        PatchCue, arXiv 2603.05869, equation 1. Departs: indices are clamped to the grid, for x2 = width lies outside.
    """

    rows: int
    columns: int
    patch: int = PATCH

    @classmethod
    def of_size(cls, width: float, height: float, patch: int = PATCH) -> PatchGrid:
        """The grid of an image that has been resized to whole patches.

        Raises:
            ShapeError: a side is no positive multiple of the patch.
        """
        if width <= 0 or height <= 0 or width % patch or height % patch:
            raise ShapeError(f"an image of {width} x {height} pixels has no whole patches of {patch}: resize it first")
        return cls(int(height // patch), int(width // patch), patch)

    @property
    def frame(self) -> Frame:
        return Frame.patches(self.columns, self.rows)

    def cover(self, xyxy: ArrayLike, unit: bool = False) -> NDArray[np.float64]:
        """The patches that a pixel box touches: (..., 4) xyxy to (..., 4) row1, column1, row2, column2.

        floor(y / patch), floor(x / patch), clamped to the grid; swapped corners stay swapped.

        Args:
            unit: the box is in 0..1 of the image instead of pixels.

        Example:
            >>> PatchGrid(2, 2).cover([0, 0, 56, 56]), PatchGrid(2, 2).cover([0.5, 0, 1, 0.25], unit=True)
            (array([0., 0., 1., 1.]), array([0., 1., 0., 1.]))
        """
        boxes = np.asarray(xyxy, dtype=np.float64)
        if boxes.shape[-1:] != (4,):
            raise ShapeError(f"cover needs boxes (..., 4) of x1, y1, x2, y2, got shape {boxes.shape}")
        if unit:
            side = np.array([self.columns, self.rows] * 2) * self.patch
            boxes = boxes * side
        return self.clamp(np.floor(boxes[..., [1, 0, 3, 2]] / self.patch))

    def clamp(self, patches: ArrayLike) -> NDArray[np.float64]:
        """Patch boxes (..., 4) with every index moved into the grid.

        Example:
            >>> PatchGrid(2, 3).clamp([0, 0, 5, 5])
            array([0., 0., 1., 2.])
        """
        last = np.array([self.rows - 1, self.columns - 1] * 2, dtype=np.float64)
        return np.asarray(np.clip(np.asarray(patches, dtype=np.float64), 0.0, last))
