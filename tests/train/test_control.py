"""Environments, frame rewards and agents, with an encoder that sees colours only and runs of a second."""

from __future__ import annotations

import math
import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sightline.core.errors import CompositionError, ConfigError, JudgeError, MissingExtra
from sightline.judges import ColourEmbedder, Question, Verdict
from sightline.rewards.goal_baseline import GoalBaseline

gymnasium = pytest.importorskip("gymnasium", reason="needs the extra `robotics`")
pytest.importorskip("stable_baselines3", reason="needs the extra `robotics`")
pytest.importorskip("pygame", reason="needs the extra `robotics`")

from sightline.train.control import (  # noqa: E402
    CartPole,
    Filmed,
    GoalFrames,
    GoalReward,
    MountainCar,
    agent,
    learn,
    play,
)
from sightline.train.control.episodes import hopeful  # noqa: E402
from sightline.train.recipe import translate  # noqa: E402

RED = GoalFrames(GoalBaseline(ColourEmbedder()), ("red",), ("white",))


class Lamp(gymnasium.Env):  # type: ignore[misc]
    """Ten steps; action 1 turns the picture red, 0 white; the true reward is 7."""

    action_space = gymnasium.spaces.Discrete(2)
    observation_space = gymnasium.spaces.Box(0.0, 10.0, (1,), np.float32)
    metadata: dict[str, Any] = {"render_modes": ["rgb_array"]}  # noqa: RUF012
    render_mode = "rgb_array"

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.taken, self.red = 0, False
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> Any:
        self.taken, self.red = self.taken + 1, bool(action)
        return np.full(1, self.taken, np.float32), 7.0, False, self.taken >= 10, {"success": self.red}

    def render(self) -> Any:
        return np.broadcast_to(np.array([255, 0, 0] if self.red else [255] * 3, np.uint8), (4, 6, 3))


@dataclass(frozen=True)
class Counted(ColourEmbedder):
    """Keeps the sizes of the batches it is asked."""

    sizes: Any = None

    def embed(self, questions: Sequence[Question]) -> list[Verdict[tuple[float, ...]]]:
        self.sizes.append(len(questions))
        return super().embed(questions)

    def __hash__(self) -> int:
        return id(self.sizes)


def test_cart_pole_goes_on_after_a_fall() -> None:
    world = CartPole(episode_steps=60)
    world.reset(seed=0)
    steps = [world.step(1) for _ in range(60)]
    assert not any(ended for _, _, ended, _, _ in steps)
    assert [cut for *_, cut, _ in steps] == [False] * 59 + [True]
    for seen, reward, _, _, info in steps:
        up = abs(float(seen[2])) <= math.radians(12) + 1e-6
        assert reward == float(info["success"]) == float(up)
        assert -math.pi <= seen[2] < math.pi
        assert abs(seen[0]) <= 2.4 + 1e-6
        assert world.observation_space.contains(seen)
    assert {reward for _, reward, *_ in steps} == {0.0, 1.0}
    assert world.reset(seed=0)[0][2] == pytest.approx(0, abs=0.05)


def test_cart_pole_angle_wraps_and_the_cart_stays_on_the_track() -> None:
    world = CartPole()
    world.reset(seed=0)
    world.state = np.array([2.39, 5.0, math.pi - 0.001, 3.0])
    seen = world.step(1)[0]
    assert seen[0] == pytest.approx(2.4)
    assert seen[2] < -3


def test_cart_pole_pictures() -> None:
    small, large = CartPole(size=(72, 48)), CartPole()
    for world in (small, large):
        world.reset(seed=0)
    assert large.render().shape == (400, 600, 3)
    picture = small.render()
    assert (picture.shape, picture.dtype) == ((48, 72, 3), np.uint8)
    small.state = np.array([0, 0, math.pi, 0])
    assert not np.array_equal(picture, small.render())


def test_mountain_car_is_held_at_the_flag_and_forgets_success_at_the_reset() -> None:
    """The released environment keeps its success flag: every later episode of an evaluation counts as a success."""
    world = MountainCar(episode_steps=30)
    world.reset(seed=0)
    world.state = np.array([0.44, 0.07])
    steps = [world.step(np.array([1.0])) for _ in range(30)]
    assert all(info["success"] for *_, info in steps)
    assert max(seen[0] for seen, *_ in steps) <= np.float32(0.45)
    assert not any(ended for _, _, ended, _, _ in steps)
    assert steps[-1][3]
    world.reset(seed=1)
    assert not world.step(np.array([0.0]))[4]["success"]


def test_mountain_car_textures() -> None:
    world, plain = MountainCar(size=(96, 64)), MountainCar(textured=False, size=(96, 64))
    for one in (world, plain):
        one.reset(seed=0)
    left = world.render()
    assert (left.shape, left.dtype) == ((64, 96, 3), np.uint8)
    red = (left[..., 0] > 150) & (left[..., 1] < 80) & (left[..., 2] < 90)
    world.state = np.array([0.45, 0.0])
    right = world.render()
    there = (right[..., 0] > 150) & (right[..., 1] < 80) & (right[..., 2] < 90)
    assert np.nonzero(there)[1].mean() > np.nonzero(red)[1].mean() + 20
    assert np.nonzero(there)[0].mean() < np.nonzero(red)[0].mean() - 10
    assert left.std() > 30 > plain.render().std()


@pytest.mark.filterwarnings("ignore:.*WARN")
def test_environments_keep_gymnasiums_rules() -> None:
    from gymnasium.utils.env_checker import check_env

    for world in (CartPole(20), MountainCar(20, size=(60, 40))):
        check_env(world, skip_render_check=True)


def test_frames_are_paid_in_either_layout_and_scaled() -> None:
    red = np.zeros((4, 6, 3), np.uint8)
    red[..., 0] = 255
    white = np.full((4, 6, 3), 255, np.uint8)
    assert RED([red, white]) == pytest.approx([1, 0])
    assert RED(np.stack([red, white]).transpose(0, 3, 1, 2)) == pytest.approx([1, 0])
    scaled = GoalFrames(RED.reward, ("red",), ("white",), scale=10, shift=-3)
    assert scaled([red, white]) == pytest.approx([7, -3])
    assert RED([]).shape == (0,)
    assert hopeful(RED, [red, white], [1, 0]).distance == pytest.approx(0, abs=1e-6)


def test_an_agent_is_never_paid_nan() -> None:
    with pytest.raises(JudgeError, match="no direction"):
        GoalFrames(GoalBaseline(ColourEmbedder()), ("goal",), ("white",))([np.zeros((2, 2, 3), np.uint8)])
    with pytest.raises(JudgeError, match="coincide"):
        GoalFrames(GoalBaseline(ColourEmbedder(), guarded=False), ("red",), ("red",))([np.zeros((2, 2, 3), np.uint8)])


def test_the_wrapper_pays_for_the_frame_after_the_step() -> None:
    world = GoalReward(Lamp(), RED)
    world.reset(seed=0)
    paid = [world.step(action) for action in (1, 0, 1)]
    assert [reward for _, reward, *_ in paid] == pytest.approx([1, 0, 1])
    assert [info["true_reward"] for *_, info in paid] == [7.0] * 3


def test_prompts_are_embedded_once() -> None:
    sizes: list[int] = []
    goal = GoalFrames(GoalBaseline(Counted(sizes=sizes)), ("red",), ("white",))
    for _ in range(3):
        goal([np.zeros((2, 2, 3), np.uint8)])
    assert sizes == [1, 1, 1, 1, 1]  # goal, baseline, then one frame three times


@pytest.mark.parametrize("buffer_size", [1000, 25])
def test_waiting_frames_are_paid_in_one_batch_where_they_lie(buffer_size: int) -> None:
    """Also if the ring comes round in the middle of an episode."""
    model = agent(
        "dqn", Filmed(Lamp()), RED, seed=0, device="cpu", buffer_size=buffer_size, learning_starts=5, train_freq=10
    )
    model.learn(40)
    replay = model.replay_buffer
    filled = min(buffer_size, 40)
    assert replay.rewards[:filled, 0] == pytest.approx(replay.actions[:filled, 0, 0])
    assert (replay.places, replay.frames_TE) == ([], [])
    assert len(model.goal_returns) == 4


def test_returns_of_episodes_are_logged_per_environment() -> None:
    from stable_baselines3.common.vec_env import DummyVecEnv

    worlds = DummyVecEnv([lambda: Filmed(Lamp()), lambda: Filmed(Lamp())])
    model = agent("dqn", worlds, RED, seed=0, device="cpu", learning_starts=1000, train_freq=7)
    model.learn(42)
    replay = model.replay_buffer
    by_hand = [float(replay.actions[start : start + 10, lamp, 0].sum()) for start in (0, 10) for lamp in (0, 1)]
    assert list(model.goal_returns) == pytest.approx(by_hand)


def test_what_is_learnt_is_what_the_frames_show() -> None:
    settings = {"agent learning rate": 5e-3, "learning starts": 50, "train every": 10, "updates": 20, "layers": (16,)}
    model = agent("dqn", Filmed(Lamp()), RED, settings, 1, "cpu", exploration_fraction=0.3, target_update_interval=20)
    best = learn(model, Lamp(), RED, steps=400, checkpoints=4, episodes=1)
    played = play(best.act, Lamp(), RED, episodes=2)
    assert played.goal_returns == pytest.approx([10, 10])
    assert played.true_returns == pytest.approx([70, 70])
    assert played.success_rate() == 1.0
    highest = max(float(one.goal_returns.mean()) for _, one in best.history)
    assert len(best.history) == 4
    assert dict(best.history)[best.step].goal_returns.mean() == highest


def test_the_best_checkpoint_is_kept_not_the_last() -> None:
    returns = iter([3.0, 9.0, 1.0])

    def falling(frames: Any) -> Any:
        return np.full(len(frames), next(returns) / len(frames))

    model = agent("dqn", Filmed(Lamp()), RED, seed=0, device="cpu", learning_starts=10, train_freq=10)
    best = learn(model, Lamp(), falling, steps=90, checkpoints=3, episodes=1)  # type: ignore[arg-type]
    assert best.step == 60


def test_soft_actor_critic_is_paid_too() -> None:
    settings = {"layers": (8,), "learning starts": 20, "train every": 20, "updates": 2, "entropy coefficient": 0.1}
    sky = GoalFrames(GoalBaseline(ColourEmbedder()), ("blue grey",), ("brown",))
    model = agent("sac", Filmed(MountainCar(20, size=(24, 16))), sky, settings, device="cpu")
    model.learn(60)
    assert np.isfinite(model.replay_buffer.rewards[:60]).all()
    assert model.ent_coef == 0.1


def test_unpaid_steps_cannot_be_learnt_from() -> None:
    with pytest.raises(CompositionError, match="Filmed"):
        agent("dqn", Lamp(), RED, device="cpu").learn(5)
    world = Filmed(Lamp())
    world.reset(seed=0)
    assert math.isnan(world.step(1)[1])
    with pytest.raises(ConfigError, match="no agent `dqm`"):
        agent("dqm", Lamp())  # type: ignore[arg-type]


def test_a_saved_agent_acts_alike(tmp_path: Path) -> None:
    model = agent("dqn", Filmed(Lamp()), RED, seed=0, device="cpu", learning_starts=5)
    model.learn(20)
    model.save(tmp_path / "agent.zip")
    again = type(model).load(tmp_path / "agent.zip", device="cpu")
    seen = np.ones((1,), np.float32)
    assert again.predict(seen, deterministic=True)[0] == model.predict(seen, deterministic=True)[0]
    assert pickle.loads(pickle.dumps(RED)) == RED


def test_recipe_settings_are_arguments_of_the_agents() -> None:
    import inspect

    from stable_baselines3 import DQN, SAC

    import sightline

    for stage in sightline.load("vlm-rm").recipe:
        taken = translate(stage.settings, stage.method).sb3
        assert taken
        assert set(taken) <= set(inspect.signature({"dqn": DQN, "sac": SAC}[stage.method]).parameters)


def test_without_the_extra_the_error_says_which() -> None:
    code = (
        "import sys; sys.modules['gymnasium'] = None\n"
        "import sightline.train.control as control\n"
        "try: control.CartPole\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(MissingExtra.__name__)
    assert "sightline[robotics]" in done.stdout


HUMANOID = """
import sys, numpy as np
from sightline.core.errors import MediaError
from sightline.train.control import Humanoid
try:
    pictures = []
    for textured in (True, False):
        world = Humanoid(3, textured, width=64, height=64)
        assert world.reset(seed=0)[0].shape == (376,) and world.action_space.shape == (17,)
        steps = [world.step(np.zeros(17)) for _ in range(3)]
        assert [(ended, cut) for _, _, ended, cut, _ in steps] == [(False, False), (False, False), (False, True)]
        world.reset(seed=0); world.data.qpos[2] = 0.3
        assert not world.step(np.zeros(17))[2]
        world.reset(seed=0)
        pictures.append(world.render().astype(float))
except MediaError as error:
    print("no graphics:", error); sys.exit()
metal, plain = pictures
assert metal.shape == (64, 64, 3)
assert metal[:10].mean() > plain[:10].mean() + 40  # a bright sky
print("fine")
"""


def test_humanoid() -> None:
    """In a process of its own, for the graphics library is chosen when mujoco is imported."""
    pytest.importorskip("mujoco", reason="needs the extra `robotics`")
    for library in ("egl", "osmesa"):
        setting = {**os.environ, "MUJOCO_GL": library, "PYOPENGL_PLATFORM": library}
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", HUMANOID], capture_output=True, text=True, check=False, env=setting
        )
        if "fine" in done.stdout:
            return
        if done.returncode and "AssertionError" in done.stderr:
            pytest.fail(done.stderr[-2000:])
    pytest.skip(f"no graphics library renders off screen here: {done.stdout} {done.stderr[-300:]}")
