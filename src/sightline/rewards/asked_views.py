"""What a policy under training is asked about changed copies of its picture, so that `self_views` can be scored.

Pictures are changed when the question is asked. Knows nothing of models; the trainer asks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sightline.core.missing import Missing
from sightline.core.rollout import Rollout
from sightline.media import images
from sightline.media.ghosts import blurred_region
from sightline.media.warps import Warp
from sightline.metrics.view_agreement import PixelBox, in_order, pixel_box
from sightline.parse.referring import GENERIC, FourNumbers
from sightline.rewards.policy_columns import Asked

if TYPE_CHECKING:
    from PIL.Image import Image

GROUND = "Where is {query}? Reply with <box>x1,y1,x2,y2</box>, each 0 to 1000; <box>0,0,0,0</box> if it is not there."
VISIBLE = "Is {query} visible in this picture? Reply with <visible>yes</visible> or <visible>no</visible>."
Hidden = Literal["nothing", "box", "elsewhere"]
Matrix = tuple[tuple[float, float, float], ...]
LARGEST, FLAT = 1e9, 1e-9  # of a matrix's entries, of its determinant


@dataclass(frozen=True)
class InMovedView:
    """The query again, on the picture moved by the row's `view_matrix`; nothing where the row has no picture.

    Args:
        template: the prompt, with a place `query`, filled by the column `query`.
    """

    template: str = GROUND

    def __call__(self, rollout: Rollout) -> Asked | None:
        picture, matrix = _picture(rollout), view_matrix(rollout.columns.get("view_matrix"))
        if picture is None or isinstance(matrix, Missing):
            return None
        return _asked(self.template, rollout, Warp("affine", matrix)(picture))


@dataclass(frozen=True)
class WithHidden:
    """Whether the object is seen in the picture, with nothing hidden, its box, or a box of equal size elsewhere.

    Nothing is asked where the row has no picture, or the rollout no box and one is to be hidden.

    Args:
        hidden: what is made unrecognisable.
        template: the prompt, with a place `query`.
        find: text -> box in thousandths.
    """

    hidden: Hidden = "nothing"
    template: str = VISIBLE
    find: FourNumbers = FourNumbers()

    def __call__(self, rollout: Rollout) -> Asked | None:
        from PIL import Image

        picture = _picture(rollout)
        if picture is None or self.hidden == "nothing":
            return None if picture is None else _asked(self.template, rollout, picture)
        found = self.find(rollout.text)
        if isinstance(found, Missing):
            return None
        box = pixel_box(in_order(np.clip(found, 0.0, 1000.0)), *picture.size)
        place = elsewhere(box, *picture.size) if self.hidden == "elsewhere" else box
        return _asked(self.template, rollout, Image.fromarray(blurred_region(np.asarray(picture), place)))


def elsewhere(box: PixelBox, width: int, height: int) -> PixelBox:
    """A box of the same size, half a picture away and wrapped round; the whole picture has no elsewhere.

    Example:
        >>> elsewhere(PixelBox(0, 0, 20, 10), 100, 80), elsewhere(PixelBox(0, 0, 100, 80), 100, 80)
        (PixelBox(left=50, top=40, right=70, bottom=50), PixelBox(left=0, top=0, right=100, bottom=80))
    """
    wide, high = box.right - box.left, box.bottom - box.top
    left = (box.left + width // 2) % max(1, width - wide + 1)
    top = (box.top + height // 2) % max(1, height - high + 1)
    return PixelBox(left, top, left + wide, top + high)


def view_matrix(value: Any) -> Matrix | Missing:
    """A 3x3 matrix of finite numbers.

    Example:
        >>> view_matrix([[1, 0, 2], [0, 1, 0], [0, 0, 1]])[0], view_matrix([[1, 0, 2]]).why
        ((1.0, 0.0, 2.0), 'it needs a 3x3 matrix of finite numbers')
    """
    try:
        array = np.array(value.tolist() if isinstance(value, np.ndarray) else value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        array = np.zeros(0)
    if array.shape != (3, 3) or not (np.abs(array) <= LARGEST).all():
        return Missing("it needs a 3x3 matrix of finite numbers")
    if abs(np.linalg.det(array)) < FLAT:
        return Missing("it maps the picture to nothing: it needs a matrix with an inverse")
    return tuple((a, b, c) for a, b, c in array.tolist())


def _asked(template: str, rollout: Rollout, picture: Image) -> Asked:
    query = str(rollout.columns.get("query") or GENERIC)
    content = [{"type": "image"}, {"type": "text", "text": template.replace("{query}", query)}]
    return Asked([{"role": "user", "content": content}], (picture,))


def _picture(rollout: Rollout) -> Image | None:
    """The first picture of the row."""
    shown: Any = rollout.columns.get("images")
    if shown is None or not len(shown):
        return None
    return images.load(shown[0]).convert("RGB")
