"""Is the cart-pole learnt from one sentence, and does the goal-baseline projection help?"""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from sightline.judges.embedders import DualEncoder
from sightline.lab.experiment import Claim, Experiment
from sightline.lab.worlds import cart_poles
from sightline.metrics.reward_distance import epic_distance
from sightline.rewards.goal_baseline import GoalBaseline
from sightline.train.control import Filmed, GoalFrames, agent, learn, play

ALPHAS = {"text, alpha 0": 0.0, "text, alpha 0.25": 0.25, "text, alpha 0.5": 0.5, "text, alpha 1": 1.0}
ARMS = {
    "true reward": "1 while the pole is within 12 degrees of upright and the cart on the track",
    "random reward": "a random number from 0 to 1 each step",
    **{
        arm: f"closeness of the frame to the goal text, goal-baseline strength {alpha}" for arm, alpha in ALPHAS.items()
    },
}
EPISODE, STEPS, CHECKPOINTS, TESTED = 200, 6_000, 4, 10
SCENES, HELD_OUT, ENCODER_STEPS = 4_000, 500, 700
# the paper's agent, for 500 times fewer steps: a smaller net that starts and updates earlier and forgets faster
AGENT = {
    "agent learning rate": 2.3e-3,
    "learning starts": 800,
    "train every": EPISODE,
    "updates": 100,
    "agent batch size": 64,
    "discount": 0.98,
    "layers": (64, 64),
}
MORE: dict[str, Any] = {"target_update_interval": 10, "exploration_fraction": 0.4, "exploration_final_eps": 0.04}
FOLDER = Path("runs/lab/starts")


class RandomReward(gymnasium.Wrapper[Any, Any, Any, Any]):
    """An environment that pays random numbers."""

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        seen, _, ended, cut, info = self.env.step(action)
        return seen, float(self.unwrapped.np_random.random()), ended, cut, info


def encoder(folder: Path = FOLDER) -> DualEncoder:
    """The encoder of all arms and seeds: trained if it is not there; of two that train it, one is kept."""
    from sightline.lab.models import frame_encoder

    made_of = b"".join(Path(str(module.__file__)).read_bytes() for module in (frame_encoder, cart_poles))
    name = hashlib.blake2b(made_of + f"{SCENES}|{ENCODER_STEPS}".encode(), digest_size=4).hexdigest()
    place = folder / f"cart-pole-encoder-{name}"
    if not place.exists():
        shown = cart_poles.scenes(SCENES, seed=0)
        folder.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f"{place.name}.", dir=folder))
        pictures, captions = [scene.picture for scene in shown], [scene.caption for scene in shown]
        frame_encoder.train(pictures, captions, draft, steps=ENCODER_STEPS)
        try:
            draft.replace(place)
        except OSError:
            if not place.exists():
                raise
    return DualEncoder(str(place), fit="square", device="cpu")


def goal_frames(alpha: float) -> GoalFrames:
    """The paper's goal and baseline texts over the encoder."""
    return GoalFrames(GoalBaseline(encoder(), alpha), (cart_poles.GOAL,), (cart_poles.BASELINE,))


def measure(arm: str, seed: int) -> dict[str, float]:
    """Trains one agent, and plays its best checkpoint in fresh episodes."""
    goal = goal_frames(ALPHAS[arm]) if arm in ALPHAS else None
    wrap = RandomReward if arm == "random reward" else Filmed if goal is not None else gymnasium.Wrapper
    model = agent("dqn", wrap(_world()), goal, AGENT, seed, device="cpu", **MORE)
    played_in = _world() if goal is not None else wrap(_world())
    best = learn(model, played_in, goal, STEPS, CHECKPOINTS, episodes=3, seed=50_000)
    shown = play(best.act, _world(), None, TESTED, seed=90_000)
    return {
        "success rate": shown.success_rate(),
        "time upright": float(np.mean(shown.percents)) / 100,
        **_told_apart(goal, seed),
    }


def _world() -> cart_poles.SeenCartPole:
    return cart_poles.SeenCartPole(EPISODE)


def _told_apart(goal: GoalFrames | None, seed: int) -> dict[str, float]:
    """How well the reward tells upright poles from others on held-out pictures."""
    shown = cart_poles.scenes(HELD_OUT, 1_000 + seed)
    upright = [scene.upright for scene in shown]
    if goal is None:
        return {"EPIC distance": float("nan"), "reward spread": float("nan")}
    rewards = goal([scene.picture for scene in shown])
    return {"EPIC distance": epic_distance(rewards, upright).distance, "reward spread": float(np.std(rewards))}


EXPERIMENT = Experiment(
    slug="vlm-rm",
    question="Is the cart-pole learnt from one sentence, and does the goal-baseline projection help?",
    setting=(
        f"gymnasium's cart-pole without early ends, episodes of {EPISODE} steps; DQN of stable-baselines3 on the four "
        f"numbers of the state, {STEPS} steps; its reward is that of the frame, 72 x 48 pixels, by a tiny CLIP trained "
        f"on {SCENES} pictures with captions ({ENCODER_STEPS} steps, one for all arms and seeds). Goal: "
        f'"{cart_poles.GOAL}", a sentence that no caption is; baseline: "{cart_poles.BASELINE}". Of {CHECKPOINTS} '
        f"checkpoints the one with the highest return by its own reward is kept, and played in {TESTED} fresh episodes."
    ),
    arms=ARMS,
    figures={
        "success rate": "share of episodes with the pole up in at least half of the steps",
        "time upright": "share of steps with the pole up",
        "EPIC distance": "0 to 1, between the frame reward and an ideal one, on held-out pictures, before training",
        "reward spread": "standard deviation of the frame reward on those pictures",
    },
    claims=(
        Claim("a sentence alone teaches more than a random reward", "success rate", "text, alpha 0", "random reward"),
        Claim("so does a projected one", "success rate", "text, alpha 0.5", "random reward"),
        Claim(
            "projection makes the reward fit the goal better",
            "EPIC distance",
            "text, alpha 0.5",
            "text, alpha 0",
            more=False,
        ),
        Claim("the agent keeps the pole up longer with projection", "time upright", "text, alpha 0.5", "text, alpha 0"),
    ),
    measure=measure,
    limits=(
        "the encoder has seen this simulator with captions; what the paper shows, transfer from photographs, needs a "
        "large encoder and is not tested.",
        "all seeds share one encoder: intervals of the EPIC distance are over held-out pictures only.",
        "one easy task: the pole starts upright.",
    ),
)
