"""Motion tags put into written reasoning: each object's true motion behind its last sighting.

For supervised cold starts. Objects that are tracked in one frame only are tagged too, at rest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from sightline.core.motion import Motion
from sightline.metrics.tracks import describe
from sightline.parse.motion import object_key

_SIGHTED = re.compile(r"<obj>([^<]*+)</obj>(?:<box>\[[^\]<]*+\]</box>)++at<t>[^<]*+</t>s")
Track = Sequence[tuple[float, Sequence[float]]]


def motion_of(track: Track, size: tuple[float, float]) -> Motion:
    """The motion of a track in the pixels of a picture.

    Args:
        track: (seconds, xyxy box in 0..1) in the order of time.
        size: width and height in pixels: in 0..1 the aspect ratio would turn angles.

    Example:
        >>> motion_of([(0.0, [0.1, 0.1, 0.2, 0.2]), (1.0, [0.2, 0.2, 0.3, 0.3])], (400, 100)).direction
        'E'
    """
    width, height = size
    boxes = [[x1 * width, y1 * height, x2 * width, y2 * height] for _, (x1, y1, x2, y2) in track]
    return describe(boxes, [seconds for seconds, _ in track], tolerance=0.005 * max(size))


def motion_tag(name: str, motion: Motion) -> str:
    """One tag.

    Example:
        >>> motion_tag("dog", Motion("E", "slow", "stable"))
        '<motion obj="dog" dir="E" speed="slow" scale="stable"/>'
    """
    direction, speed, scale, shape, phase = motion
    said = f'<motion obj="{name}" dir="{direction}" speed="{speed}" scale="{scale}"'
    return said + (f' shape="{shape}"' if shape else "") + (f' phase="{phase}"' if phase else "") + "/>"


def with_motion_tags(text: str, motions: Mapping[str, Motion]) -> str:
    """The text with each object's tag behind its last sighting; objects without a known motion get none.

    Args:
        text: reasoning with sightings.
        motions: name -> motion, names compared as rewards do.

    Example:
        >>> said = "<obj>Dog</obj><box>[1, 2, 3, 4]</box>at<t>0</t>s, then gone."
        >>> with_motion_tags(said, {"dog": Motion("E", "slow", "stable")})  # doctest: +ELLIPSIS
        '<obj>Dog</obj><box>[1, 2, 3, 4]</box>at<t>0</t>s<motion obj="Dog" .../>, then gone.'
    """
    known = {object_key(name): motion for name, motion in motions.items()}
    last = {object_key(found[1]): found for found in _SIGHTED.finditer(text)}
    for found in sorted(last.values(), key=lambda found: -found.end()):
        key = object_key(found[1])
        if key in known:
            text = text[: found.end()] + motion_tag(found[1], known[key]) + text[found.end() :]
    return text
