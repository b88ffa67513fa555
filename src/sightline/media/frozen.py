"""Videos without motion: what remains to be seen when a clip stops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from sightline.core.errors import ShapeError

T = TypeVar("T")


def frozen(frames: Sequence[T], start: int = 0) -> list[T]:
    """The clip with every frame from `start` on replaced by frame `start`.

    Args:
        frames: pictures in order.
        start: number of the frame at which the clip stops; the first key frame shows the object, but no motion.

    Raises:
        ShapeError: there is no such frame.

    Example:
        >>> frozen(["a", "b", "c", "d"], 1)
        ['a', 'b', 'b', 'b']
    """
    if not 0 <= start < len(frames):
        raise ShapeError(f"cannot freeze at frame {start} of {len(frames)}")
    return [*frames[:start], *[frames[start]] * (len(frames) - start)]
