"""Agents that learn in an environment from what a frozen encoder sees in rendered frames; the extra `robotics`.

    from sightline.train.control import CartPole, Filmed, GoalFrames, agent, learn
    goal = GoalFrames(GoalBaseline(encoder), ("pole vertically upright on top of the cart",), ("pole and cart",))
    best = learn(agent("dqn", Filmed(CartPole()), goal, {"discount": 0.98}), CartPole(), goal, steps=100_000)

- classic: cart-pole and mountain car, without early ends
- humanoid: the MuJoCo humanoid, with textures; textures: the pictures on it
- goals: frames to rewards, and the gymnasium wrappers
- agents: DQN and SAC that are paid for frames in batches, before they learn; choosing a checkpoint

Nothing here knows an encoder: `sightline.judges.DualEncoder` is one.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sightline.core.errors import MissingExtra

if TYPE_CHECKING:
    from sightline.train.control.agents import Best, GoalReplay, agent, learn
    from sightline.train.control.classic import CartPole, MountainCar
    from sightline.train.control.episodes import Episodes, play
    from sightline.train.control.goals import Filmed, GoalFrames, GoalReward
    from sightline.train.control.humanoid import Humanoid

_FILE_OF = {
    "Best": "agents",
    "CartPole": "classic",
    "Episodes": "episodes",
    "Filmed": "goals",
    "GoalFrames": "goals",
    "GoalReplay": "agents",
    "GoalReward": "goals",
    "Humanoid": "humanoid",
    "MountainCar": "classic",
    "agent": "agents",
    "learn": "agents",
    "play": "episodes",
}

__all__ = [
    "Best",
    "CartPole",
    "Episodes",
    "Filmed",
    "GoalFrames",
    "GoalReplay",
    "GoalReward",
    "Humanoid",
    "MountainCar",
    "agent",
    "learn",
    "play",
]


def __getattr__(name: str) -> Any:
    if name not in _FILE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f"{__name__}.{_FILE_OF[name]}"), name)
    except ImportError as error:
        raise MissingExtra.of(f"sightline.train.control.{name} ({error})", "robotics") from error
