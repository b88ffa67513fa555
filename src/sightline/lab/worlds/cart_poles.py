"""Pictures of a cart with a pole, as gymnasium draws them, each with a caption of what it shows.

Captions name the pole's posture, the place of the cart, both or neither. The sentence that an agent is later given as
its goal is never among them, only its words.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sightline.train.control import CartPole

SIZE = (72, 48)  # pixels of a picture, width and height
GOAL, BASELINE = "pole vertically upright on top of the cart", "pole and cart"
UPRIGHT = math.radians(12)
# rounding finer than a pixel: a picture shows it nowhere, and equal pictures need drawing once
X_STEP, ANGLE_STEP = 0.05, math.radians(1)

POSTURES = {
    "upright": ("pole standing vertically upright", "upright pole on top of the cart", "vertically standing pole"),
    "leaning left": ("pole leaning to the left", "pole tilted left on the cart"),
    "leaning right": ("pole leaning to the right", "pole tilted right on the cart"),
    "lying left": ("pole lying flat to the left", "horizontal pole left of the cart"),
    "lying right": ("pole lying flat to the right", "horizontal pole right of the cart"),
    "hanging": ("pole hanging down below the cart", "pole upside down under the cart"),
}
NEUTRAL = ("cart and pole", "cart with a pole", "pole and cart")
SIDES = ("on the left", "in the middle", "on the right")


class Scene(NamedTuple):
    """One picture: (48, 72, 3), its caption, whether the pole is within 12 degrees of upright, and the state."""

    picture: NDArray[np.uint8]
    caption: str
    upright: bool
    x: float
    angle: float


class SeenCartPole(CartPole):
    """The cart-pole whose pictures are drawn from the state rounded below a pixel, each distinct one once."""

    def __init__(self, episode_steps: int = 200) -> None:
        super().__init__(episode_steps, SIZE)

    def render(self) -> Any:
        x, _, angle, _ = np.asarray(self.state)
        return drawn(round(float(x) / X_STEP), round(float(angle) / ANGLE_STEP))


@lru_cache(maxsize=20_000)
def drawn(x: int, angle: int) -> NDArray[np.uint8]:
    """The picture of a rounded state, in steps of `X_STEP` and `ANGLE_STEP`."""
    world = _canvas()
    world.state = np.array([x * X_STEP, 0.0, angle * ANGLE_STEP, 0.0])
    return np.asarray(CartPole.render(world))


@lru_cache(maxsize=1)
def _canvas() -> CartPole:
    return CartPole(size=SIZE)


def posture(angle: float) -> str:
    """How the pole stands, from its angle to the vertical in radians, positive to the right.

    Example:
        >>> [posture(math.radians(degrees)) for degrees in (5, -30, 90, 170)]
        ['upright', 'leaning left', 'lying right', 'hanging']
    """
    side, lean = ("right" if angle > 0 else "left"), abs(angle)
    if lean <= UPRIGHT:
        return "upright"
    if lean > math.radians(120):
        return "hanging"
    return f"{'leaning' if lean < math.radians(60) else 'lying'} {side}"


def scenes(n: int, seed: int) -> list[Scene]:
    """`n` scenes: a third near upright, the others at any angle; carts anywhere on the track.

    Example:
        >>> [scene.caption for scene in scenes(3, seed=0)] == [scene.caption for scene in scenes(3, seed=0)]
        True
    """
    rng = np.random.default_rng([seed, 5])
    return [_scene(rng) for _ in range(n)]


def _scene(rng: np.random.Generator) -> Scene:
    near = rng.random() < 1 / 3
    angle = rng.uniform(-0.35, 0.35) if near else rng.uniform(-math.pi, math.pi)
    x = rng.uniform(-2.4, 2.4)
    cells = round(x / X_STEP), round(angle / ANGLE_STEP)
    x, angle = cells[0] * X_STEP, cells[1] * ANGLE_STEP
    return Scene(drawn(*cells), _caption(rng, x, angle), abs(angle) <= UPRIGHT, x, angle)


def _caption(rng: np.random.Generator, x: float, angle: float) -> str:
    place = SIDES[int(np.digitize(x, (-0.8, 0.8)))]
    form = rng.random()
    what = POSTURES[posture(angle)] if form < 0.7 else NEUTRAL
    said = str(what[int(rng.integers(len(what)))])
    return f"{said} {place}" if rng.random() < 0.5 else said
