"""The MuJoCo humanoid with textures and a camera that an encoder trained on photographs can read.

Rendering needs a graphics library: with no screen set MUJOCO_GL=egl (Mesa or a GPU driver) or MUJOCO_GL=osmesa before
anything imports mujoco.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias
from xml.etree import ElementTree

import gymnasium.envs.mujoco as assets
import mujoco
import numpy as np
from gymnasium.envs.mujoco.humanoid_v4 import HumanoidEnv
from gymnasium.envs.mujoco.mujoco_rendering import MujocoRenderer
from gymnasium.error import Error as GymnasiumError
from numpy.typing import NDArray

from sightline.core.errors import MediaError
from sightline.train.control import textures

Step: TypeAlias = "tuple[NDArray[np.float64], float, bool, bool, dict[str, Any]]"
CAMERA: dict[str, Any] = {"distance": 3.5, "lookat": (0.0, 0.0, 1.0), "elevation": -10.0, "azimuth": 180.0}
FREE_CAMERA = -1


class Humanoid(HumanoidEnv):
    """The humanoid (17 joints, 376 numbers), which is not stopped when it falls.

    Args:
        episode_steps: length of an episode.
        textured: sky, floor tiles and a metal body, instead of gymnasium's plain colours.
        camera: `distance` (m), `lookat` (point), `elevation` and `azimuth` (degrees).
        width, height: of the picture in pixels.

    Reward: gymnasium's, for running; it says nothing of a pose.

    Raises:
        MediaError: on `render`, if there is no graphics library.

    References:
        Rocamonde et al., arXiv 2310.12921, appendix. Departs: textures are drawn, not theirs; an episode ends by
        truncation.
    """

    def __init__(
        self,
        episode_steps: int = 100,
        textured: bool = True,
        camera: dict[str, Any] | None = None,
        width: int = 480,
        height: int = 480,
        render_mode: str = "rgb_array",
    ) -> None:
        self.textured, self.episode_steps, self.taken = textured, episode_steps, 0
        super().__init__(
            terminate_when_unhealthy=False, render_mode=render_mode, width=width, height=height, camera_id=FREE_CAMERA
        )
        seen = {**CAMERA, **(camera or {})}
        seen["lookat"] = np.array(seen["lookat"])
        self.mujoco_renderer = MujocoRenderer(self.model, self.data, seen, width, height, camera_id=FREE_CAMERA)

    def _initialize_simulation(self) -> tuple[Any, Any]:
        if not self.textured:
            return super()._initialize_simulation()
        pictures = {"sky.png": textures.sky(), "tiles.png": textures.tiles(), "metal.png": textures.metal()}
        files = {name: textures.png(picture) for name, picture in pictures.items()}
        plain = (Path(assets.__file__).parent / "assets" / "humanoid.xml").read_text(encoding="utf-8")
        model = mujoco.MjModel.from_xml_string(textured_xml(plain), files)
        model.vis.global_.offwidth = max(model.vis.global_.offwidth, self.width)
        model.vis.global_.offheight = max(model.vis.global_.offheight, self.height)
        return model, mujoco.MjData(model)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        self.taken = 0
        return super().reset(seed=seed, options=options)

    def step(self, action: Any) -> Step:  # type: ignore[override]
        seen, reward, _, _, info = super().step(action)
        self.taken += 1
        return seen, float(reward), False, self.taken >= self.episode_steps, info

    def render(self) -> Any:
        try:
            return super().render()
        except (mujoco.FatalError, GymnasiumError, ImportError, AttributeError, RuntimeError) as error:
            raise MediaError(f"the humanoid cannot be rendered: {error}; set MUJOCO_GL to egl or osmesa") from error


def textured_xml(plain: str) -> str:
    """The humanoid's model file with pictures for sky, floor and body; bodies, joints and motors stay as they are.

    Example:
        >>> scene = "<mujoco><default><geom rgba='1 0 0 1'/></default><asset/><worldbody><light/></worldbody></mujoco>"
        >>> textured_xml(scene).count("file=")
        3
    """
    root = ElementTree.fromstring(plain)
    asset, floor = root.find("asset"), root.find("worldbody/geom[@name='floor']")
    assert asset is not None, "a model file of gymnasium has assets"
    asset.clear()
    for name, kind, file in (("sky", "skybox", "sky.png"), ("floor", "2d", "tiles.png"), ("body", "cube", "metal.png")):
        ElementTree.SubElement(asset, "texture", name=name, type=kind, file=file)
    dull: Any = {"reflectance": "0", "shininess": "0", "specular": "0"}
    shiny: Any = {"texuniform": "true", "shininess": "1", "specular": "1"}
    ElementTree.SubElement(asset, "material", name="MatPlane", texture="floor", texrepeat="60 60", **dull)
    ElementTree.SubElement(asset, "material", name="geom", texture="body", **shiny)
    # a colour would tint the pictures
    for geom in (root.find("default/geom"), floor):
        if geom is not None:
            geom.set("rgba", "1 1 1 1")
    return ElementTree.tostring(root, encoding="unicode")
