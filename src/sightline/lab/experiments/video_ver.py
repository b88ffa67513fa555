"""Does a bonus for cited visual evidence keep a policy looking, where accuracy alone lets it guess?"""

from __future__ import annotations

import sightline
from sightline.lab import policy
from sightline.lab.experiment import Claim, Experiment
from sightline.lab.oracle import FormJudge, TruthOracle
from sightline.lab.worlds import digits
from sightline.rewards.reward import Reward

ARMS = {
    "accuracy only": "accuracy and format",
    "evidence": "the same and 0.3 for right answers whose reasoning cites question-dependent evidence (truth oracle)",
    "form": "the same and 0.3 for right answers whose reasoning has the form of evidence, true or not",
    "captions": "the same as evidence, but a caption made without the question, which names one of the two digits",
}
STEPS, ROWS, HELD_OUT = 60, 2000, 200


def reward(arm: str) -> Reward:
    """The system's own reward; the length bonus is off, for completions here are a dozen tokens long."""
    system = sightline.load("video-ver")
    if arm == "accuracy only":
        return system.variant("strict", minus=("length", "evidence"))
    judge = FormJudge() if arm == "form" else TruthOracle()
    return system.with_judge(judge).variant("strict", minus=("length",))


def measure(arm: str, seed: int) -> dict[str, float]:
    """Trains one arm and reads held-out rows, sampled at temperature 1."""
    rows = policy.asked(digits.PRIOR.rows(ROWS, "train", seed=100 + seed))
    if arm == "captions":
        # the number of objects, and one of them: as long as the evidence, and as likely as not about the other digit
        rows = [{**row, "evidence": row["captions"][:2]} for row in rows]
    credit = sightline.load("video-ver").credit
    model, processor, _ = policy.reinforce("prior", reward(arm), credit, rows, seed, STEPS, max_completion_length=16)
    return figures(model, processor)


def figures(model, processor) -> dict[str, float]:
    """The figures of one policy on the biased and the reversed held-out split."""
    found = {}
    for split in ("biased", "reversed"):
        rows = digits.PRIOR.rows(HELD_OUT, split, seed=7000)
        for name, value in policy.grounded_accuracy(rows, policy.read(model, processor, rows, tokens=16)).items():
            found[f"{split} {name}"] = value
    return found


EXPERIMENT = Experiment(
    slug="video-ver",
    question="Does a bonus for cited visual evidence keep a policy looking, where accuracy alone lets it guess?",
    setting=(
        f"Two digits in a dim, noisy picture, one is asked for by its colour; in training the colour gives the digit "
        f"away in 90 % of the rows, in the reversed split never. GRPO, groups of {policy.GROUP}, {policy.COMPLETIONS} "
        f"completions a step, {STEPS} steps, from a cold start that looks half of the time and guesses the other half; "
        f"{HELD_OUT} held-out rows a split, sampled at temperature 1."
    ),
    arms=ARMS,
    figures={
        "biased accuracy": "share of right answers where the prior holds as in training",
        "biased grounded": "share of those right answers whose reasoning names the digit and its box (IoU >= 0.5)",
        "reversed accuracy": "share of right answers where the prior's answer is always wrong",
        "reversed grounded": "grounded share of the right answers there",
    },
    claims=(
        Claim("right answers are grounded more often with the bonus", "biased grounded", "evidence", "accuracy only"),
        Claim("answers hold better where the prior fails", "reversed accuracy", "evidence", "accuracy only"),
        Claim("truth of the evidence matters beyond its form", "reversed accuracy", "evidence", "form"),
        Claim("question-dependent evidence beats captions", "biased grounded", "evidence", "captions"),
    ),
    measure=measure,
    limits=(
        "the effect needs a cold start in which looking is right less often than guessing, but by less than the bonus "
        "is worth; clear pictures show none, for then looking wins without a bonus.",
        "all seeds share one cold start and one test set.",
    ),
)
