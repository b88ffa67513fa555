"""What does a caption reward do to faithfulness and to coverage: a rating of the whole, or listed differences?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

import sightline
from sightline.core.batch import Batch
from sightline.judges.judge import Question, Verdict
from sightline.lab.experiment import Claim, Experiment
from sightline.metrics.claim_rewards import TwoTerms
from sightline.rewards.claims import ByErrors, ClaimDifferences
from sightline.rewards.reward import Reward, with_judge

SYSTEM = "claimdiff-rl"
ARMS = {
    "start": "no training",
    "holistic": "a rating of the whole caption, 0 to 10",
    "relative": "the strict reward: errors against the reference's, per listed difference",
    "relative, not per difference": "the same without the division by D: 0.5 - 0.5 clip(n_A - n_B, -10, 10) / 10",
    "actor only": "the caption's own errors, smooth mode",
    "made up x 0.25": "two terms, lambda_h = 0.25, lambda_m = 1",
    "made up x 1": "two terms, lambda_h = 1, lambda_m = 1",
    "made up x 4": "two terms, lambda_h = 4, lambda_m = 1",
}
LAMBDAS = {"made up x 0.25": 0.25, "made up x 1": 1.0, "made up x 4": 4.0}
FACTS, VALUES, EASE = 12, 5, (0.95, 0.7, 0.4)  # how often a value is read right where it is plain, faint, hidden
REFERENCE_SAYS, REFERENCE_RIGHT = (1.0, 0.8, 0.5), 0.9
START, RATE, STEPS, PROMPTS, REPLIES, HELD_OUT = (2.0, 1.0, 0.5, 0.0), 0.6, 200, 16, 4, 400
BLIND = 0.7  # of what is read right without looking
Ints: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]
_FACT = re.compile(r"part (\d+) is (\d+)")


class Picture(NamedTuple):
    """True values of the facts, and how hard each is to see: 0 plain, 1 faint, 2 hidden."""

    values: Ints
    hardness: Ints


def picture(rng: np.random.Generator) -> Picture:
    return Picture(rng.integers(VALUES, size=FACTS), np.repeat(np.arange(3), FACTS // 3))


def caption(shown: Picture, says: Flags, right: Flags, rng: np.random.Generator) -> str:
    """The facts that are said, in words; a wrong one has another value."""
    other = (shown.values + rng.integers(1, VALUES, size=FACTS)) % VALUES
    value = np.where(right, shown.values, other)
    return ". ".join(f"part {i} is {value[i]}" for i in np.flatnonzero(says).tolist())


def read(text: str) -> dict[int, int]:
    """part -> value in a caption."""
    return {int(part): int(value) for part, value in _FACT.findall(text)}


@dataclass(frozen=True)
class Seeing:
    """A judge that knows the picture: lists true differences, or rates what is said, as prompts ask it to.

    A rating is the share of what is said that is right, in tenths: a reader of the whole notices what is false and
    hardly what is not there.
    """

    @property
    def id(self) -> str:
        return "seeing"

    def generate(self, questions: Sequence[Question]) -> list[Verdict[str]]:
        """A list of differences or a score per question."""
        return [Verdict(self._said(question)) for question in questions]

    def _said(self, question: Question) -> str:
        true = dict(enumerate(question.images[0]))
        a, b = read(str(question.field("caption"))), read(str(question.field("reference")))
        if question.field("asks") == "rating":
            return (
                f"SCORE: {round(10 * np.mean([value == true[part] for part, value in a.items()]))}" if a else "SCORE: 0"
            )
        parts = [part for part in sorted(a.keys() | b.keys()) if a.get(part) != b.get(part)]
        if not parts:
            return "[NO_DIFFERENCE]\n[OVERALL_WINNER]\nTie"
        blocks, lead = [], 0
        for number, part in enumerate(parts, 1):
            error_a, error_b = (_error(own.get(part), true[part]) for own in (a, b))
            wins = "both_wrong" if error_a and error_b else "B" if error_a else "A" if error_b else "both_supported"
            lead += (wins == "A") - (wins == "B")
            blocks.append(
                f"[DIFFERENCE {number}]\nASPECT: part {part}\nCAPTION_A_CLAIM: {_claim(part, a)}\n"
                f"CAPTION_B_CLAIM: {_claim(part, b)}\nJUDGMENT: {wins}\n"
                f"CAPTION_A_ERROR:\nERROR_TYPE: {error_a or 'NONE'}\nERROR_DETAIL: -\nSEVERITY_LEVEL: NA\n"
                f"CAPTION_B_ERROR:\nERROR_TYPE: {error_b or 'NONE'}\nERROR_DETAIL: -\nSEVERITY_LEVEL: NA"
            )
        return "\n".join([*blocks, "[OVERALL_WINNER]", "A" if lead > 0 else "B" if lead < 0 else "Tie"])


def measure(arm: str, seed: int) -> dict[str, float]:
    """Made-up and left-out facts per held-out caption after training."""
    rng = np.random.default_rng([seed, 3])
    logits = np.array(START)
    reward = None if arm == "start" else _reward(arm)
    credit = sightline.load(SYSTEM).credit
    for _ in range(STEPS if reward is not None else 0):
        batch, grads = _rollouts(logits, rng)
        scores = reward(batch)  # type: ignore[misc]
        advantages, _state = credit.assign(scores, batch)
        logits = logits + RATE * (advantages @ grads) / len(batch)
    return _figures(logits, np.random.default_rng([seed, 4]))


def _rollouts(logits: Floats, rng: np.random.Generator) -> tuple[Batch, Floats]:
    """Captions of PROMPTS pictures, and (B, 4) how the log-probability of each depends on the policy's numbers."""
    rows: list[dict[str, Any]] = []
    grads = []
    for number in range(PROMPTS):
        shown = picture(rng)
        said = rng.random(FACTS) < np.array(REFERENCE_SAYS)[shown.hardness]
        known = caption(shown, said, rng.random(FACTS) < REFERENCE_RIGHT, rng)
        for _ in range(REPLIES):
            says, looks, right = _written(logits, shown, rng)
            text = caption(shown, says, right, rng)
            images = [tuple(shown.values.tolist())]
            rows.append({"completion": text, "reference": known, "images": images, "group": number})
            # d log p / d logit = choice - p, summed over the facts concerned
            saying = says - _share(logits)[shown.hardness]
            looking = (looks - _share(logits)[3])[says].sum()
            grads.append([*(saying[shown.hardness == h].sum() for h in range(3)), looking])
    return Batch.from_rows(rows), np.array(grads)


def _written(logits: Floats, shown: Picture, rng: np.random.Generator) -> tuple[Flags, Flags, Flags]:
    """(FACTS,) whether each fact is said, looked at, and right if it is said."""
    share = _share(logits)
    says, looks = rng.random(FACTS) < share[shown.hardness], rng.random(FACTS) < share[3]
    right = rng.random(FACTS) < np.array(EASE)[shown.hardness] * np.where(looks, 1.0, BLIND)
    return says, looks, right


def _figures(logits: Floats, rng: np.random.Generator) -> dict[str, float]:
    counts = []
    for _ in range(HELD_OUT):
        says, _looks, right = _written(logits, picture(rng), rng)
        counts.append([np.sum(says & ~right), np.sum(~says), np.sum(says & right)])
    made_up, left_out, right_said = np.mean(counts, axis=0).tolist()
    return {"made up": made_up, "left out": left_out, "right": right_said, "both": made_up + left_out}


def _reward(arm: str) -> Reward:
    system = sightline.load(SYSTEM)
    if arm in LAMBDAS:
        two = system.extras["two_terms"].reward
        assert isinstance(two, ClaimDifferences)
        return with_judge(replace(two, mode=TwoTerms(LAMBDAS[arm], 1.0), read=ByErrors(weighted=True)), Seeing())
    chosen = {
        "holistic": system.extra("holistic_alone"),
        "relative, not per difference": system.extra("raw_diff"),
        "actor only": system.extra("normalized_a_only"),
    }
    return with_judge(chosen.get(arm, system.reward), Seeing())


def _share(logits: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-logits)))


def _error(said: int | None, true: int) -> str:
    return "fact_omission" if said is None else "" if said == true else "value_hallucination"


def _claim(part: int, own: dict[int, int]) -> str:
    return f"part {part} is {own[part]}" if part in own else ""


EXPERIMENT = Experiment(
    slug=SYSTEM,
    question="What becomes of made-up and of left-out facts when a caption policy is rewarded by listed differences "
    "instead of a rating of the whole, and can the two be traded?",
    setting=f"Pictures with {FACTS} facts of {VALUES} values, a third each plain, faint and hidden: read right in "
    f"{EASE[0]:.0%}, {EASE[1]:.0%} and {EASE[2]:.0%}. The policy has four numbers: how often it says a fact of each "
    f"kind, and how often it looks first; without looking it reads right {BLIND:g} times as often. "
    f"References say most facts, {REFERENCE_RIGHT:.0%} of them right. The judge knows the picture and writes lists and "
    f"ratings in the asked form. {STEPS} steps of {PROMPTS} pictures x {REPLIES} captions by the system's credit.",
    arms=ARMS,
    figures={
        "made up": "false facts per held-out caption of 12",
        "left out": "facts that are not said, per caption",
        "right": "true facts per caption",
        "both": "made up and left out together",
    },
    claims=(
        Claim("listed differences cut hallucination", "made up", "relative", "start", more=False),
        Claim("and omission", "left out", "relative", "start", more=False),
        Claim("a rating of the whole cuts hallucination", "made up", "holistic", "start", more=False),
        Claim("and does so by omitting more", "left out", "holistic", "start"),
        Claim("listed differences omit less than a rating", "left out", "relative", "holistic", more=False),
        Claim("and make fewer errors of both kinds together", "both", "relative", "holistic", more=False),
        Claim("the actor-only mode omits less than the rating too", "left out", "actor only", "holistic", more=False),
        Claim("lambda_h makes up less: 1 against 0.25", "made up", "made up x 1", "made up x 0.25", more=False),
        Claim("lambda_h makes up less: 4 against 1", "made up", "made up x 4", "made up x 1", more=False),
        Claim("lambda_h leaves out more: 1 against 0.25", "left out", "made up x 1", "made up x 0.25"),
        Claim("lambda_h leaves out more: 4 against 1", "left out", "made up x 4", "made up x 1"),
    ),
    measure=measure,
    seeds=(1, 2, 3),
    limits=(
        "That a holistic judge rates what is said and not what is missing is built into it, after the paper's figures.",
        "That the policy can look before it says something was added after a run with seed 0 in which it could only "
        "choose what to say; nothing else was changed.",
        "Counted errors cost the same made up or left out, so a fact that the reference says is never worth hiding.",
        "The judge always lists every difference, so the arm without division by D cannot show what the division is "
        "for: a policy that lives off few listed differences.",
        "Two captions agree in all twelve facts almost never, so what agreement pays makes no difference here.",
        "The judge makes no mistakes, and the policy chooses what to say, not how: style and hedging are not in it.",
    ),
)
