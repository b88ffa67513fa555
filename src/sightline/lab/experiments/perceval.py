"""Do penalties on the tokens of false sightings, and writing on from before them, make replies truer?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import sightline
from sightline.credit.credit import Credit
from sightline.credit.span_penalty import SpanPenalty
from sightline.lab import policy
from sightline.lab.experiment import Claim, Experiment
from sightline.lab.models import reading, tiny_vlm
from sightline.lab.span_oracle import SpanOracle
from sightline.lab.step_oracle import told
from sightline.lab.worlds import digits
from sightline.lab.worlds.grounding import claims
from sightline.rewards.answers import Answer, same_text
from sightline.rewards.flagged import Unflagged
from sightline.rewards.reward import Reward
from sightline.search.truncate import JudgeVerifies, TruncateAndRegenerate

WORLD = digits.Digits(kinds=("identify", "compare", "relation"), look=digits.Look(contrast=0.6, noise=20.0))
STEPS, ROWS, HELD_OUT, TOKENS, RATE, TRIES = 50, 400, 200, 48, 2e-4, 4
TRAINED = {
    "GRPO": "the right answer alone: alpha 0",
    "spans 0.1": "the system's credit: the advantage lowered by a tenth of its size on flagged tokens",
    "spans 0.5": "lowered by half of its size",
    "sequence": "the right answer, and 0.5 for a reply without flags, the same for all tokens",
}
UNTRAINED = {
    "one reply": "the start, one reply",
    "vote": f"the start, the most frequent answer of {TRIES} replies; truth is that of the first reply with it",
    "regenerate": f"the start, one reply, cut before its first flagged piece and written on, up to {TRIES} times",
}
JUDGE = SpanOracle()
accuracy, unflagged = Answer(same_text).named("accuracy"), Unflagged(JUDGE, "all").named("unflagged")


def rule(arm: str) -> Credit:
    """The credit rule of an arm; those of the system differ from it in alpha alone."""
    system: Any = sightline.load("perceval").credit
    assert isinstance(system, SpanPenalty)
    return replace(system, alpha={"spans 0.1": system.alpha, "spans 0.5": 0.5}.get(arm, 0.0))


def paid(arm: str) -> Reward:
    """The reward of an arm; the verifier is asked in all."""
    return accuracy + (0.5 if arm == "sequence" else 0.0) * unflagged


def measure(arm: str, seed: int) -> dict[str, float]:
    """Trains one arm, or lets the start try several times, and reads held-out rows, sampled at temperature 1."""
    rows = [told(row) for row in WORLD.rows(HELD_OUT, "neutral", seed=7000)]
    if arm in UNTRAINED:
        return truth(rows, tried(arm, *tiny_vlm.load("base"), rows, seed))
    learnt = [told(row) for row in WORLD.rows(ROWS, "train", seed=100 + seed)]
    model, processor, log = policy.reinforce(
        "base", paid(arm), rule(arm), learnt, seed, STEPS,
        max_completion_length=TOKENS, learning_rate=RATE, loss_type="dapo",
    )  # fmt: skip
    told_true = [line["rewards/unflagged/mean"] for line in log if "rewards/unflagged/mean" in line]
    found = truth(rows, policy.read(model, processor, rows, tokens=TOKENS))
    return {**found, "flagged while training": 1.0 - float(np.mean(told_true)) if told_true else float("nan")}


def truth(rows: Sequence[dict[str, Any]], said: Sequence[str]) -> dict[str, float]:
    """What replies say that is true."""
    false = [len(JUDGE.false(row["problem"], text)) for row, text in zip(rows, said, strict=True)]
    every = [len(claims(text)) for text in said]
    return {
        "accuracy": float(np.mean([reading.right(row, text) for row, text in zip(rows, said, strict=True)])),
        "flagged": float(np.mean(np.array(false) > 0)),
        "false sightings": float(np.sum(false) / max(np.sum(every), 1)),
        "sightings": float(np.mean(every)),
        "flagged while training": float("nan"),
    }


@dataclass(frozen=True, eq=False)
class GoesOn:
    """A policy that writes on from beginnings of its replies, sampled at temperature 1."""

    model: Any
    processor: Any
    rows: Sequence[dict[str, Any]]
    seed: int

    def __call__(self, numbers: Sequence[int], beginnings: Sequence[str]) -> list[str]:
        """What is written behind each beginning; another call draws anew, since beginnings differ."""
        import torch

        asked = [self.rows[i] for i in numbers]
        texts = [
            self.processor.apply_chat_template(row["prompt"], add_generation_prompt=True) + begun
            for row, begun in zip(asked, beginnings, strict=True)
        ]
        images = [row["images"] for row in asked]
        inputs = self.processor(text=texts, images=images, padding=True, return_tensors="pt")
        with torch.random.fork_rng(), torch.no_grad():
            torch.manual_seed(self.seed + 1000 + len(numbers))
            ids = self.model.generate(**inputs, max_new_tokens=TOKENS, do_sample=True, temperature=1.0, top_k=0)
        written: list[str] = self.processor.batch_decode(
            ids[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True
        )
        return [" " + text if begun else text for text, begun in zip(written, beginnings, strict=True)]


def tried(arm: str, model: Any, processor: Any, rows: Sequence[dict[str, Any]], seed: int) -> list[str]:
    """The replies that an untrained arm settles on."""
    times = TRIES if arm == "vote" else 1
    said = [reading.complete(model, processor, rows, 1.0, TOKENS, seed=100 * seed + i) for i in range(times)]
    if arm == "vote":
        return [most_frequent(replies) for replies in zip(*said, strict=True)]
    if arm == "one reply":
        return said[0]
    verify = JudgeVerifies(JUDGE, [row["problem"] for row in rows])
    correct = TruncateAndRegenerate(TRIES)
    return [found.text for found in correct(said[0], verify, GoesOn(model, processor, rows, seed))]


def most_frequent(replies: Sequence[str]) -> str:
    """The first reply with the most frequent answer.

    Example:
        >>> most_frequent(["<answer>A</answer>", "<answer>B</answer>", "so <answer>B</answer>"])
        '<answer>B</answer>'
    """
    answers = [reading.answer_text(reply) for reply in replies]
    winner = Counter(answers).most_common(1)[0][0]
    return replies[answers.index(winner)]


EXPERIMENT = Experiment(
    slug="perceval",
    question=(
        "Do penalties on the tokens of false sightings make a policy say fewer of them at equal accuracy, and does "
        "writing on from before the first false sighting beat a vote?"
    ),
    setting=(
        "Questions on noisy pictures of 48 x 48 pixels (contrast 0.6, noise 20), of which many need no names; the "
        f"shipped policy; groups of {policy.GROUP}, {policy.COMPLETIONS} completions a step, {STEPS} steps, learning "
        f"rate {RATE:g}; {HELD_OUT} held-out rows, sampled at temperature 1. The verifier knows the truth."
    ),
    arms={**TRAINED, **UNTRAINED},
    figures={
        "accuracy": "right answers",
        "flagged": "replies with a false sighting",
        "false sightings": "share of all sightings",
        "sightings": "per reply",
        "flagged while training": "replies with a false sighting, mean over all steps",
    },
    claims=(
        Claim(
            "span penalties of 0.1 lower the share of false sightings", "false sightings", "spans 0.1", "GRPO", False
        ),
        Claim(
            "span penalties of 0.5 lower the share of false sightings", "false sightings", "spans 0.5", "GRPO", False
        ),
        Claim("and faster", "flagged while training", "spans 0.5", "GRPO", False),
        Claim("at no lower accuracy", "accuracy", "spans 0.5", "GRPO"),
        Claim("a reward of the whole reply lowers them less", "false sightings", "spans 0.5", "sequence", False),
        Claim("a reward of the whole reply costs more accuracy", "accuracy", "spans 0.5", "sequence"),
        Claim("cutting and writing on is more accurate than one reply", "accuracy", "regenerate", "one reply"),
        Claim("cutting and writing on is more accurate than a vote", "accuracy", "regenerate", "vote"),
        Claim("and says less that is false", "flagged", "regenerate", "vote", False),
    ),
    measure=measure,
    limits=(
        "a verifier that knows the truth, which its cuts tell the writer; a learned one misses and misquotes.",
        "a policy of one million parameters; sightings are its only statements.",
        "the accuracy of a vote of replies that are sampled anew, the truth of one of them.",
        "all seeds share the start and the test set.",
    ),
)
