"""Cart-pole and mountain car as a frame reward needs them: no early end that tells success from failure.

The states are gymnasium's, and so are the pictures unless textures are asked for. `info["success"]` and the returned
reward are the truth, which an agent paid for frames never sees.
"""

from __future__ import annotations

import math
import os
from typing import Any, TypeAlias

import numpy as np
from gymnasium import spaces
from gymnasium.envs.classic_control.cartpole import CartPoleEnv
from gymnasium.envs.classic_control.continuous_mountain_car import Continuous_MountainCarEnv
from numpy.typing import NDArray
from PIL import Image

from sightline.train.control import textures

Size: TypeAlias = "tuple[int, int]"
Step: TypeAlias = "tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]"

# pictures without a screen: the drawing library asks for one unless told otherwise
os.environ.setdefault("SDL_VIDEODRIVER", "dummy")


class CartPole(CartPoleEnv):
    """The cart-pole, which goes on after the pole has fallen.

    The angle is kept in [-pi, pi) and the cart within the track (+-2.4 m). An episode is cut after `episode_steps`.

    Args:
        episode_steps: length of an episode.
        size: (width, height) of the picture in pixels; None: 600 x 400.

    Reward: 1 while the pole is within 12 degrees of upright and the cart on the track, else 0; so is
    `info["success"]`.

    References:
        Rocamonde et al., arXiv 2310.12921, appendix. Departs: an episode ends by truncation, not as a failure.
    """

    def __init__(self, episode_steps: int = 200, size: Size | None = None, render_mode: str = "rgb_array") -> None:
        super().__init__(render_mode=render_mode)
        high = np.array([2 * self.x_threshold, np.inf, math.pi, np.inf], dtype=np.float32)
        self.observation_space = spaces.Box(-high, high, dtype=np.float32)
        self.episode_steps, self.size, self.taken = episode_steps, size, 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        self.taken = 0
        return super().reset(seed=seed, options=options)

    def step(self, action: Any) -> Step:
        self.steps_beyond_terminated = None  # the base class warns of steps after a fall
        super().step(action)
        x, speed, angle, spin = np.asarray(self.state)
        angle = (angle + math.pi) % (2 * math.pi) - math.pi
        up = abs(angle) <= self.theta_threshold_radians and abs(x) <= self.x_threshold
        self.state = np.array([np.clip(x, -self.x_threshold, self.x_threshold), speed, angle, spin])
        self.taken += 1
        seen = self.state.astype(np.float32)
        return seen, float(up), False, self.taken >= self.episode_steps, {"success": bool(up)}

    def render(self) -> Any:
        picture = super().render()
        return picture if self.size is None or picture is None else _shrunk(picture, self.size)


class MountainCar(Continuous_MountainCarEnv):
    """The mountain car with continuous force, whose goal does not end the episode.

    Once the car has reached the flag (x >= 0.45) it is held from passing it: x is clipped at 0.45 until the reset.

    Args:
        episode_steps: length of an episode.
        textured: sky, grass, soil and a red car, instead of black lines on white.
        size: (width, height) of the picture in pixels; None: 600 x 400.

    Reward: gymnasium's, the price of force and 100 for each step at the flag. `info["success"]`: the flag has been
    reached in this episode.

    References:
        Rocamonde et al., arXiv 2310.12921, appendix. Departs: `success` is forgotten at the reset, an episode ends by
        truncation; textures are drawn, not theirs.
    """

    def __init__(
        self,
        episode_steps: int = 200,
        textured: bool = True,
        size: Size | None = None,
        render_mode: str = "rgb_array",
    ) -> None:
        super().__init__(render_mode=render_mode)
        self.episode_steps, self.textured, self.size, self.taken = episode_steps, textured, size, 0
        self.success = False
        self._scene: Image.Image | None = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        self.taken, self.success = 0, False
        return super().reset(seed=seed, options=options)

    def step(self, action: Any) -> Step:
        _, reward, *_ = super().step(np.asarray(action, dtype=np.float64))
        x, speed = self.state
        self.success = self.success or bool(x >= self.goal_position)
        if self.success:
            x = min(x, self.goal_position)
        self.state = np.array([x, speed], dtype=np.float32)
        self.taken += 1
        return self.state.copy(), float(reward), False, self.taken >= self.episode_steps, {"success": self.success}

    def render(self) -> Any:
        if self.textured:
            return self._painted()
        picture = super().render()
        return picture if self.size is None or picture is None else _shrunk(picture, self.size)

    def _painted(self) -> NDArray[np.uint8]:
        width, height = self.size or (self.screen_width, self.screen_height)
        scale = width / (self.max_position - self.min_position)
        if self._scene is None:
            xs = np.linspace(self.min_position, self.max_position, width)
            flag = (self.goal_position - self.min_position) * scale
            self._scene = textures.valley(width, height, self._height(xs) * scale, flag)
            self._car = textures.car(max(width // 12, 4), max(width // 22, 3))
        x = float(self.state[0])
        slope = math.atan(1.35 * math.cos(3 * x))
        body = self._car.rotate(math.degrees(slope), expand=True, resample=Image.Resampling.BICUBIC)
        # the wheels stand on the ground: the middle of the car is half its height above it, along the normal
        lift = self._car.height / 2
        left = (x - self.min_position) * scale - math.sin(slope) * lift - body.width / 2
        top = height - float(self._height(x)) * scale - math.cos(slope) * lift - body.height / 2
        scene = self._scene.copy()
        scene.paste(body, (round(left), round(top)), body)
        return np.asarray(scene)


def _shrunk(picture: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    """A smaller picture, each pixel the mean of what it covers."""
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX))
