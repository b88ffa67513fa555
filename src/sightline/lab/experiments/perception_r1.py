"""Does paying for stated facts change what is seen, where paying for answers does not; is a weak judge exploited?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

import sightline
from sightline.core.batch import Batch
from sightline.judges.judge import Question, Verdict
from sightline.lab import slots
from sightline.lab.experiment import Claim, Experiment
from sightline.metrics.paired_tests import mcnemar
from sightline.parse.numbered_facts import as_numbered, numbered_facts
from sightline.rewards.reward import Reward
from sightline.rewards.stated_facts import WordsStated
from sightline.system import System

ARMS = {
    "start": "no training",
    "answer only": "format and accuracy, and the repetition penalty",
    "perception": "the system, with a judge that looks for the stated fact",
    "weak judge": "the same, with a judge that is content with the numbers of a fact",
    "no penalty": "the system without the repetition penalty",
}
SIDES = ("AB", "BC", "CD")
FACT = ("look", "glance", "nothing", "numbers")
ANSWER = ("from the facts", "by habit")
TAIL = ("stop", "go on")
STEPS, PROMPTS, RATE, ROWS, HELD_OUT, HABIT, GLANCE = 150, 16, 1.0, 400, 600, 0.7, 0.5
SYSTEM: System = sightline.load("perception-r1")
REPLY = "<think>\n{}\n</think>\n<answer>\nso \\boxed{{{}}}\n</answer>"
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class NumbersStated:
    """A weak judge: a fact is stated if its numbers occur anywhere in the response."""

    @property
    def id(self) -> str:
        return "numbers anywhere"

    def generate(self, questions: Sequence[Question]) -> list[Verdict[str]]:
        return [Verdict(self._said(question)) for question in questions]

    def _said(self, question: Question) -> str:
        there = set(_NUMBER.findall(str(question.field("response"))))
        facts = numbered_facts(str(question.field("facts")))
        return as_numbered(tuple(str(int(set(_NUMBER.findall(fact)) <= there)) for fact in facts))


def problems(n: int, seed: int) -> list[slots.Row]:
    """Three sides of a figure, drawn; asked is their sum, which habit knows in most cases without looking."""
    rng = np.random.default_rng([seed, 43])
    rows = []
    for _ in range(n):
        sides = [int(side) for side in rng.integers(2, 10, 3)]
        glanced = [side if rng.random() < GLANCE else side % 9 + 1 for side in sides]
        total = sum(sides)
        rows.append({
            "answer": str(total),
            "visual_key_info": as_numbered(tuple(map(_fact, SIDES, sides))),
            "sides": sides,
            "glanced": glanced,
            "habit": str(total if rng.random() < HABIT else total + 1),
        })  # fmt: skip
    return rows


def _fact(name: str, value: int) -> str:
    return f"{name} is {value}"


def write(row: slots.Row, words: Sequence[str]) -> str:
    """The reply that the words stand for. What is looked at is right, what is glanced at half of the time."""
    said, known = [], []
    for name, seen, true, word in zip(SIDES, row["glanced"], row["sides"], words, strict=False):
        value = true if word == "look" else seen
        if word in ("look", "glance"):
            said.append(_fact(name, value))
            known.append(value)
        elif word == "numbers":
            said.append("perhaps 2 3 4 5 6 7 8 9")
    tail = " We go on." * 40 if words[4] == "go on" else ""
    from_facts = str(sum(known)) if len(known) == len(SIDES) else "unknown"
    return REPLY.format("; ".join(said) + tail, from_facts if words[3] == "from the facts" else row["habit"])


def see(row: slots.Row, words: Sequence[str]) -> np.ndarray:
    """A constant, and how many facts so far were looked at."""
    return np.array([1.0, words[:3].count("look") / 3])


def reward(arm: str) -> Reward:
    """The system with the arm's judge, or what the arm leaves of it."""
    system = SYSTEM.with_judge(NumbersStated() if arm == "weak judge" else WordsStated())
    minus = {"answer only": ("perception",), "no penalty": ("repetition",)}.get(arm, ())
    return system.variant("strict", minus=minus)


def measure(arm: str, seed: int) -> dict[str, float]:
    """Trains one arm; perception is measured on held-out problems against the untrained policy."""
    rng = np.random.default_rng([seed, 8])
    start = slots.Slots.blank((FACT, FACT, FACT, ANSWER, TAIL), 2, see, write)
    policy = slots.Slots.blank((FACT, FACT, FACT, ANSWER, TAIL), 2, see, write)
    if arm != "start":
        slots.reinforce(policy, reward(arm), SYSTEM.credit, problems(ROWS, seed), rng, STEPS, PROMPTS, rate=RATE)
    return figures(start, policy)


def figures(start: slots.Slots, policy: slots.Slots) -> dict[str, float]:
    """Sampled replies: answers, facts, and the test whether perception changed."""
    rows = problems(HELD_OUT, 10_000)
    before, after = (one.say(rows, np.random.default_rng(seed)) for one, seed in ((start, 5), (policy, 6)))
    seen_before, seen = (
        [perceived(row, text) for row, text in zip(rows, said, strict=True)] for said in (before, after)
    )
    columns = {name: [row[name] for row in rows] for name in ("answer", "visual_key_info")}
    scores = SYSTEM.reward(Batch(after, columns))
    lost = sum(a and not b for a, b in zip(seen_before, seen, strict=True))
    won = sum(b and not a for a, b in zip(seen_before, seen, strict=True))
    return {
        "accuracy": float(scores.parts["accuracy"].values.mean()),
        "facts stated": float(scores.parts["perception"].values.mean()),
        "all seen": float(np.mean(seen)),
        "p of a change": mcnemar(lost, won),
        "repeated": float(-scores.parts["repetition"].values.mean() / 2),
        "numbers without facts": float(np.mean(["perhaps" in text for text in after])),
    }


def perceived(row: slots.Row, text: str) -> bool:
    """Whether all facts are stated and no side is given another length."""
    said = re.findall(r"(\w\w) is (\d+)", text)
    return sorted(said) == sorted((name, str(side)) for name, side in zip(SIDES, row["sides"], strict=True))


EXPERIMENT = Experiment(
    slug="perception-r1",
    question="Does paying for stated facts change what is seen, where paying for answers does not?",
    setting=(
        f"Problems whose answer is the sum of three sides of a figure. A policy of five choices: each side is looked "
        f"at (right), glanced at (right in {GLANCE:.0%}), passed over, or hidden in a list of all numbers; the answer "
        f"comes from the stated sides, or from habit (right in {HABIT:.0%}); the reasoning stops or goes on in "
        f"circles. It starts uniform. {STEPS} steps of {PROMPTS} prompts x 8, rate {RATE:g}; {HELD_OUT} held-out "
        f"problems, sampled."
    ),
    arms=ARMS,
    figures={
        "accuracy": "right answers",
        "facts stated": "the perception reward, by the judge that looks for the fact",
        "all seen": "share of replies that state all sides rightly and none wrongly",
        "p of a change": "exact McNemar test of `all seen` against the untrained policy",
        "repeated": "repeated share of 20-grams of words",
        "numbers without facts": "share of replies with a list of all numbers",
    },
    claims=(
        Claim("the perception reward makes replies state the facts", "facts stated", "perception", "answer only"),
        Claim("more problems are seen rightly", "all seen", "perception", "answer only"),
        Claim("and more answers are right", "accuracy", "perception", "answer only"),
        Claim("a weak judge is exploited", "numbers without facts", "weak judge", "perception"),
        Claim("without the penalty replies go round in circles", "repeated", "no penalty", "perception"),
    ),
    measure=measure,
    limits=(
        "a log-linear policy: looking is a choice that always succeeds, so only the incentive is studied.",
        "nothing pays for going round in circles here: without the penalty its share drifts from the uniform start.",
        "facts beside their opposites are not among the choices; the reward would pay for them.",
    ),
)
