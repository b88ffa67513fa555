"""Does paying for a described video help, and does it matter that only right answers are paid for it?"""

from __future__ import annotations

from typing import Any

import numpy as np

import sightline
from sightline.core.batch import Batch
from sightline.judges.colours import COLOURS, ColourEmbedder
from sightline.judges.judge import Question
from sightline.lab import slots
from sightline.lab.experiment import Claim, Experiment
from sightline.rewards.reward import Reward
from sightline.rewards.video_text import DescribesPictures

ARMS = {
    "no semantic": "format and accuracy",
    "ungated": "the same and the semantic reward for every rollout",
    "gated": "the same and the semantic reward for right answers",
}
WORDS = ("red", "green", "blue", "yellow")
THINGS = ("small", "large")
STEPS, ROWS, HELD_OUT = 300, 400, 600
LARGE, SMALL, FRAMES = 0.20, 0.10, 4


def clip(large: str, small: str, rng: np.random.Generator) -> list[np.ndarray]:
    """Frames of 20x20 pixels: grey ground, a large object of one colour, a small one of another."""
    shown = []
    for _ in range(FRAMES):
        order = rng.permutation(400)
        frame = np.full((400, 3), COLOURS["grey"], dtype=np.uint8)
        frame[order[: int(400 * LARGE)]] = COLOURS[large]
        frame[order[int(400 * LARGE) : int(400 * (LARGE + SMALL))]] = COLOURS[small]
        shown.append(frame.reshape(20, 20, 3))
    return shown


def rows_of(n: int, seed: int) -> list[dict[str, Any]]:
    """Clips, the question always being for the colour of the small object; frames are embedded once."""
    rng = np.random.default_rng([seed, 5])
    made = []
    for number in range(n):
        large, small = (str(word) for word in rng.choice(WORDS, 2, replace=False))
        found = ColourEmbedder().embed([Question("", images=(frame,)) for frame in clip(large, small, rng)])
        guess = str(rng.choice(WORDS))
        made.append(
            {
                "problem_type": "multiple choice",
                "answer": "ABCD"[WORDS.index(small)],
                "images": [list(one.value or ()) for one in found],
                "completion_tokens": 20,
                "small": small,
                "large": large,
                "guess": guess,
                "row": number,
                "cue": rng.normal(0, 1.6, len(WORDS)) + np.eye(len(WORDS))[WORDS.index(small)],
                "glare": rng.normal(0, 0.3, len(WORDS)) + np.eye(len(WORDS))[WORDS.index(large)],
            }
        )
    return made


def see(row: dict[str, Any], said: Any) -> np.ndarray:
    """To describe: the object it turned to. To answer: what the question suggests, and what it said of the small one.

    The answer is written from words alone, as by a policy that reasons in words.
    """
    nothing = np.zeros(len(WORDS))
    seen = nothing if len(said) != 1 else row["cue"] if said[0] == "small" else row["glare"]
    told = np.eye(len(WORDS))[WORDS.index(said[1])] if len(said) == 2 and said[0] == "small" else nothing
    guess = np.eye(len(WORDS))[WORDS.index(row["guess"])] if len(said) == 2 else nothing
    return np.array([1.0, *seen, *guess, *told])


def render(row: dict[str, Any], words: Any) -> str:
    return f"<think>Let me look. The {words[0]} thing there is {words[1]} I think.</think><answer>{words[2]}</answer>"


def reward(arm: str) -> Reward:
    """The system's own reward; the length bonus is off, for completions here are a dozen words long."""
    system = sightline.load("videorft")
    if arm == "gated":
        return system.variant("strict", minus=("length",))
    return system.variant("strict", plus=("ungated_semantic",) * (arm == "ungated"), minus=("length", "semantic"))


def measure(arm: str, seed: int) -> dict[str, float]:
    """Cold start that half follows the picture, group-relative training, figures on new clips."""
    rng = np.random.default_rng(seed)
    rows = rows_of(ROWS, 100 + seed)
    policy = slots.Slots.blank((THINGS, WORDS, tuple("ABCD")), len(see(rows[0], ())), see, render)
    turned = [str(rng.choice(THINGS)) for _ in rows]
    answers = [row["small" if thing == "small" else "guess"] for thing, row in zip(turned, rows, strict=True)]
    shown = [
        (thing, row[thing], "ABCD"[WORDS.index(answer)])
        for thing, row, answer in zip(turned, rows, answers, strict=True)
    ]
    policy.imitate(rows, shown, steps=100, rate=2.0)
    slots.reinforce(policy, reward(arm), sightline.load("videorft").credit, rows, rng, STEPS)
    return figures(policy, rng)


def figures(policy: slots.Slots, rng: np.random.Generator) -> dict[str, float]:
    rows = rows_of(HELD_OUT, 7000)
    choice = policy.choose(rows, rng)
    words = [policy.words(c) for c in choice]
    said = [render(row, w) for row, w in zip(rows, words, strict=True)]
    batch = Batch(said, {"images": [row["images"] for row in rows]})
    return {
        "accuracy": float(np.mean([w[2] == row["answer"] for w, row in zip(words, rows, strict=True)])),
        "describes what is asked": float(np.mean([w[0] == "small" for w in words])),
        "semantic": float(np.mean(DescribesPictures(ColourEmbedder())(batch).values)),
    }


EXPERIMENT = Experiment(
    slug="videorft",
    question="Does paying for a described video help, and does it matter that only right answers are paid for it?",
    setting=(
        f"Clips of {FRAMES} frames, grey ground, a large and a small coloured object; the colour of the small one is "
        f"asked for. A log-linear policy describes one of the two (the large one it sees clearly, the small one dimly),"
        f" then answers from its words and from a suggestion that is right by chance. {STEPS} steps of 16 "
        f"prompts x 8 completions; {HELD_OUT} held-out clips, sampled; the encoder counts colours."
    ),
    arms=ARMS,
    figures={
        "accuracy": "share of right answers",
        "describes what is asked": "share of descriptions that turn to the small object",
        "semantic": "mean semantic reward, gate or not",
    },
    claims=(
        Claim("gated beats ungated", "accuracy", "gated", "ungated"),
        Claim("gated beats none", "accuracy", "gated", "no semantic"),
        Claim("with it the reasoning lies nearer to the video", "semantic", "gated", "no semantic"),
        Claim("without the gate the reasoning turns to what is largest", "semantic", "ungated", "gated"),
    ),
    measure=measure,
    limits=(
        "the conflict between what is large and what is asked is built in; questions are hard, so many groups hold "
        "no right answer: there the ungated reward is the only signal, which group standard deviations blow up.",
        "with questions that a guess settles (62 % tried) the gated arm turned to the large object as well.",
        "an encoder that counts colours stands for one that sees.",
        "the policy is log-linear: it shows what the rewards pay for, not that a model learns to see.",
    ),
)
