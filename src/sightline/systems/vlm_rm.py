"""VLM-RM: a frozen image-text encoder and one sentence as the reward of an agent in a simulator.

    s = E_I(frame) / |E_I(frame)|;  g, b = mean over prompts of E_L(prompt) / |E_L(prompt)|;  d = g - b
    R = 1 - |M (s - g)|^2 / 2,   M = alpha d d^T / |d|^2 + (1 - alpha) I

At alpha 0 and with one prompt R is the cosine of frame and goal. Projection to the degree alpha onto the line from the
baseline (a neutral description) to the goal takes out what differs for other reasons. R is the only reward of a step;
the environment's own is for evaluation.

A row is one step of the environment. Its picture goes whole into the encoder's square, out of shape, by bicubic
resizing. Environments, agents and the choice of a checkpoint: `sightline.train.control`; how well a reward tells goal
states from others, before anything is trained: `sightline.metrics.reward_distance`.
"""

from __future__ import annotations

from sightline.credit.step_reward import StepReward
from sightline.judges.embedders import DualEncoder
from sightline.rewards.goal_baseline import GoalBaseline, GoalReturn
from sightline.system import Extra, Stage, System

ENCODER = DualEncoder("laion/CLIP-ViT-bigG-14-laion2B-39B-b160k", fit="square", batch_size=3200)

closeness = GoalBaseline(ENCODER).named("closeness")
official_closeness = GoalBaseline(ENCODER, guarded=False).named("closeness")

CARTPOLE = ("pole vertically upright on top of the cart", "pole and cart")
MOUNTAIN_CAR = ("a car at the peak of the mountain, next to the yellow flag", "a car in the mountain")
HUMANOID = (
    "a humanoid robot kneeling",
    "a humanoid robot seated down, meditating in the lotus position",
    "a humanoid robot standing up",
    "a humanoid robot standing up, with both arms raised",
    "a humanoid robot practicing gymnastics, doing the side splits",
    "a humanoid robot standing up with hands on hips",
    "a humanoid robot standing up, with its arms crossed",
    "a humanoid robot standing up on one leg",
)

SYSTEM = System(
    slug="vlm-rm",
    title="Vision-Language Models are Zero-Shot Reward Models for Reinforcement Learning",
    arxiv="2310.12921",
    year=2023,
    family="goal in words over a frozen encoder",
    formula=(
        "R = 1 - |M (s - g)|^2 / 2,  M = alpha d d^T / |d|^2 + (1 - alpha) I,  d = g - b;  s, g, b: directions of the "
        "frame, the goal texts (mean) and the baseline texts (mean)"
    ),
    reward=closeness,
    official=official_closeness,
    extras={
        "episode_return": Extra(
            GoalReturn(ENCODER),
            "sum over an episode's frames, by which a checkpoint is chosen",
            GoalReturn(ENCODER, guarded=False),
        ),
    },
    credit=StepReward(),
    recipe=(
        Stage(
            "CartPole",
            "dqn",
            {
                "environment": "CartPole",
                "goals": CARTPOLE[0],
                "baseline": CARTPOLE[1],
                "environment steps": 3_000_000,
                "episode steps": 200,
                "learning starts": 75_000,
                "train every": 200,
                "updates": 200,
                "agent learning rate": 2.3e-3,
                "layers": (256, 256),
                "checkpoint every": 64_000,
            },
        ),
        Stage(
            "MountainCar",
            "sac",
            {
                "environment": "MountainCar",
                "goals": MOUNTAIN_CAR[0],
                "baseline": MOUNTAIN_CAR[1],
                "environment steps": 3_000_000,
                "episode steps": 200,
                "agent learning rate": 1e-4,
                "target rate": 0.01,
                "discount": 0.9999,
                "entropy coefficient": 0.1,
                "layers": (64, 64),
            },
        ),
        Stage(
            "Humanoid",
            "sac",
            {
                "environment": "Humanoid",
                "goals": HUMANOID,
                "baseline": "a humanoid robot",
                "encoder": "ViT-bigG-14, laion2b_s39b_b160k",
                "goal-baseline strength": 0.0,
                "reward batch size": 3200,
                "environment steps": 10_000_000,
                "episode steps": 100,
                "learning starts": 50_000,
                "train every": 100,
                "updates": 100,
                "agent learning rate": 6e-4,
                "agent batch size": 512,
                "target rate": 0.005,
                "discount": 0.95,
                "camera": "distance 3.5, lookat (0, 0, 1), elevation -10, azimuth 180",
            },
        ),
    ),
    columns={
        "frame": "the picture after the step, or its embedding as a list of numbers",
        "goal": "the goal text, or several; embeddings may stand for them",
        "baseline": "as many neutral texts; needed where alpha is above 0, and always by official",
        "alpha": "goal-baseline strength from 0 to 1; 0 if there is none",
        "frames": "for the extra episode_return: the pictures of an episode, one a step",
    },
    departs=(
        "goal and baseline that coincide are scored as at alpha 0; official divides by zero",
        "a frame that is embedded as 0 earns 0; official divides by zero",
        "a goal or a baseline without length is an error, in both variants",
        "batches need not divide evenly, and a CPU will do",
        "environments forget a success at the reset, and episodes end by truncation; the released ones do neither",
        "the released configuration (alpha 0.5, ViT-g-14, discount 0.99, 100,000 steps) is not the paper's",
    ),
    specimen=(
        {"completion": "1", "frame": [0, 0, 1], "goal": [[1, 0, 0]], "baseline": [[0.6, 0.8, 0]], "alpha": 0.5},
        {"completion": "0", "frame": [0.8, 0.6, 0], "goal": [1, 0, 0], "baseline": [0.6, 0.8, 0], "alpha": 1.0},
        {"completion": "", "frame": [5.0, 0, 0], "goal": [2.0, 0, 0], "baseline": [3.0, 4.0, 0]},
        {
            "completion": "[0.1, -0.4]",
            "frame": [1, 0, 0],
            "goal": [[1, 0, 0], [0, 1, 0]],
            "baseline": [[0, 0, 1], [0, 0, 1]],
            "alpha": 0.0,
        },
        {"completion": "0", "frame": [0.0, 0.0, 0.0], "goal": [1, 0, 0], "baseline": [0.6, 0.8, 0], "alpha": 0.5},
        {"completion": "1", "frame": [0.0, 1.0, 0.0], "goal": [1, 0, 0], "baseline": [3, 0, 0], "alpha": 0.5},
    ),
)
