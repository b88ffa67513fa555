"""Boxes and the coordinate frame they are written in.

A frame is the extent that a whole image has in some coordinates: its pixels, 0..1, 0..1000, or a patch grid. Converting
is a change of extent. Boxes are xyxy; swapped corners are kept as they were written, `Boxes.valid` tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sightline.core.errors import FrameError, ShapeError


@dataclass(frozen=True, slots=True)
class Frame:
    """The coordinates a box is written in: the width and height that the whole image has in them.

    Args:
        width, height: extent of the image. 0 stands for "not known": such boxes can be compared with each other, but
            not converted.
        kind: `pixels`, `unit` (0..1), `thousand` (0..1000) or `patches`.
        image: which image of the rollout.

    Example:
        >>> Frame.pixels(640, 480).scale_to(Frame.thousand())
        (1.5625, 2.0833333333333335)
    """

    width: float
    height: float
    kind: str = "pixels"
    image: int = 0

    @classmethod
    def pixels(cls, width: float = 0, height: float = 0, image: int = 0) -> Frame:
        """Pixels of image number `image`, which is `width` x `height`."""
        return cls(float(width), float(height), "pixels", image)

    @classmethod
    def unit(cls, image: int = 0) -> Frame:
        """Fractions 0..1 of the image."""
        return cls(1.0, 1.0, "unit", image)

    @classmethod
    def thousand(cls, image: int = 0) -> Frame:
        """Integers 0..1000, whatever the image's size."""
        return cls(1000.0, 1000.0, "thousand", image)

    @classmethod
    def patches(cls, columns: int, rows: int, image: int = 0) -> Frame:
        """Cells of a patch grid."""
        return cls(float(columns), float(rows), "patches", image)

    @property
    def known(self) -> bool:
        return self.width > 0 and self.height > 0

    def scale_to(self, other: Frame) -> tuple[float, float]:
        """Factors (x, y) that turn coordinates of this frame into those of `other`."""
        if self == other:
            return 1.0, 1.0
        if self.image != other.image:
            raise FrameError(f"boxes of image {self.image} cannot be compared with boxes of image {other.image}")
        if not (self.known and other.known):
            raise FrameError(f"cannot convert {self} to {other}: give the image size of both frames")
        return other.width / self.width, other.height / self.height


@dataclass(frozen=True, eq=False)
class Boxes:
    """Boxes of one image with their frame, and optionally labels and scores.

    Args:
        xyxy: (N, 4) x1, y1, x2, y2.
        frame: the coordinates they are written in.
        labels: N names, or None.
        scores: (N,) confidences, or None.

    Raises:
        ShapeError: `xyxy` is not (N, 4), or labels or scores are not N.

    Example:
        >>> Boxes([[0, 0, 320, 240]], Frame.pixels(640, 480)).to(Frame.unit()).xyxy
        array([[0. , 0. , 0.5, 0.5]])
    """

    xyxy: NDArray[np.float64]
    frame: Frame
    labels: tuple[str, ...] | None = None
    scores: NDArray[np.float64] | None = None

    def __init__(
        self,
        xyxy: ArrayLike,
        frame: Frame,
        labels: Sequence[str] | None = None,
        scores: ArrayLike | None = None,
    ) -> None:
        array = as_xyxy(xyxy, "Boxes")
        object.__setattr__(self, "xyxy", array)
        object.__setattr__(self, "frame", frame)
        object.__setattr__(self, "labels", None if labels is None else tuple(labels))
        object.__setattr__(self, "scores", None if scores is None else np.asarray(scores, dtype=np.float64))
        for name, given in (("labels", self.labels), ("scores", self.scores)):
            if given is not None and len(given) != len(array):
                raise ShapeError(f"Boxes: {len(given)} {name} for {len(array)} boxes")

    def __len__(self) -> int:
        return len(self.xyxy)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Boxes):
            return NotImplemented
        same_scores = (self.scores is None) == (other.scores is None) and (
            self.scores is None or np.array_equal(self.scores, np.asarray(other.scores))
        )
        same = self.frame == other.frame and self.labels == other.labels and np.array_equal(self.xyxy, other.xyxy)
        return same and bool(same_scores)

    __hash__ = None  # type: ignore[assignment]  # holds arrays

    @property
    def valid(self) -> NDArray[np.bool_]:
        """(N,) True where x1 < x2 and y1 < y2 and all four numbers are finite."""
        x1, y1, x2, y2 = self.xyxy.T
        ordered: NDArray[np.bool_] = (x1 < x2) & (y1 < y2)
        return ordered & np.isfinite(self.xyxy).all(axis=1)

    def to(self, frame: Frame) -> Boxes:
        """The same boxes in another frame of the same image."""
        scale_x, scale_y = self.frame.scale_to(frame)
        return Boxes(self.xyxy * [scale_x, scale_y, scale_x, scale_y], frame, self.labels, self.scores)


def as_xyxy(value: Any, who: str) -> NDArray[np.float64]:
    """`value` as an (N, 4) float array; an empty list is (0, 4).

    Raises:
        ShapeError: naming `who`, what was given and what is needed.
    """
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ShapeError(f"{who}: needs N boxes [x1, y1, x2, y2] of numbers, got {value!r:.80}") from error
    if array.size == 0:
        return np.zeros((0, 4))
    if array.ndim == 1 and array.shape == (4,):
        array = array[None]
    if array.ndim != 2 or array.shape[1] != 4:
        raise ShapeError(f"{who}: needs shape (N, 4) of x1, y1, x2, y2, got {array.shape}")
    return array
