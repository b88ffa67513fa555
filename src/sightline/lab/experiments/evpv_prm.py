"""Does gating steps by independently checked premises choose better solutions, and does that rest on the facts?"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import sightline
from sightline.core.batch import Batch
from sightline.curate.fact_corruption import dropped, flipped
from sightline.judges.judge import Question, Verdict
from sightline.judges.premise_words import PremiseWords
from sightline.lab.experiment import Claim, Experiment
from sightline.metrics.step_aggregates import PASSES
from sightline.parse.constraints import Constraints
from sightline.rewards.reward import Reward, with_judge
from sightline.search.best_of_n import BestOfN

RATIOS = (0.2, 0.4, 0.6, 0.8, 1.0)
ARMS = {
    "first candidate": "no choice at all",
    "ungated": "best of 8 by the step judge alone, as the released script ranks",
    "gated": "best of 8 by the strict reward, descriptions as the extractor made them",
    **{f"drop {q:g}": f"gated; every fact of the description left out with probability {q:g}" for q in RATIOS},
    **{f"flip {q:g}": f"gated; every fact's number turned with probability {q:g}" for q in RATIOS},
}
COLOURS = ("red", "green", "blue", "yellow", "cyan", "magenta")
QUESTIONS, CANDIDATES, SIDE = 400, 8, 8
TEMPERATURE, SLIP, JUDGE_ERROR, BELIEVED = 1.2, 0.05, 0.05, 0.05
Floats = NDArray[np.float64]


class Eyes(NamedTuple):
    """Three readers of digits: the policy's, the step judge's and the extractor's, and pictures none of them knows."""

    policy: Any
    judge: Any
    extractor: Any
    pictures: Floats
    names: NDArray[np.int64]


@cache
def eyes(seed: int) -> Eyes:
    """Readers that learn from 150, 150 (other) and 700 digits; all pictures carry noise."""
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import SVC

    rng = np.random.default_rng([seed, 1])
    digits = load_digits()
    order = rng.permutation(len(digits.data))
    pixels, names = digits.data[order] / 16 + rng.normal(0, 0.25, digits.data.shape), digits.target[order]
    small = [LogisticRegression(C=1.0, max_iter=300).fit(pixels[a : a + 150], names[a : a + 150]) for a in (0, 150)]
    large = SVC(gamma=0.02).fit(pixels[300:1000], names[300:1000])
    return Eyes(small[0], small[1], large, pixels[1000:], names[1000:])


@dataclass(frozen=True)
class StepReader:
    """A step judge that sees: a stated digit is right if its eye holds it possible, a sum if it comes out.

    A share of the verdicts on sums is turned round, which ones depends on the step alone. Reports on checklists come
    from the judge without a model, which compares the premises with the description.
    """

    seed: int

    @property
    def id(self) -> str:
        return f"step reader {self.seed}"

    def generate(self, questions: Sequence[Question]) -> list[Verdict[str]]:
        """A report or a sign per question."""
        seen = [number for number, question in enumerate(questions) if _reading(question) is not None]
        found = dict(zip(seen, self._possible([questions[number] for number in seen]), strict=True))
        words = PremiseWords().generate(questions)
        return [
            Verdict("1" if found[n] else "-1") if n in found else self._slipping(questions[n], word)
            for n, word in enumerate(words)
        ]

    def _possible(self, questions: Sequence[Question]) -> list[bool]:
        readings = [_reading(question) for question in questions]
        known = [reading for reading in readings if reading is not None]
        if not known:
            return []
        crops = [_crop(q.images[0], at) for q, (at, _) in zip(questions, known, strict=True)]
        shares = eyes(self.seed).judge.predict_proba(np.stack(crops))
        return [bool(row[name] > BELIEVED) for row, (_, name) in zip(shares, known, strict=True)]

    def _slipping(self, question: Question, word: Verdict[str]) -> Verdict[str]:
        step = question.field("step")
        if step is None:
            return word
        draw = hashlib.blake2b(f"{self.seed}|{step}|{question.field('question')}".encode(), digest_size=4).digest()
        wrong = int.from_bytes(draw, "big") / 2**32 < JUDGE_ERROR
        return Verdict({"1": "-1", "-1": "1"}[str(word.value)]) if wrong else word


class Study(NamedTuple):
    """Candidates of one seed, with what is true: rows, answers right, and per step whether its premise holds."""

    rows: list[dict[str, Any]]
    right: list[bool]
    holds: list[list[bool | None]]


@cache
def study(seed: int) -> Study:
    """Solutions by a policy that misreads and miscalculates, each picture described once by the extractor."""
    rng = np.random.default_rng([seed, 2])
    found, rows, right, holds = eyes(seed), [], [], []
    for number in range(QUESTIONS):
        picked = rng.integers(len(found.names), size=len(COLOURS))
        picture, truth = found.pictures[picked], found.names[picked].tolist()
        told = found.extractor.predict(picture).tolist()
        facts = Constraints("Six digits.", tuple(f"{c} is {n}" for c, n in zip(COLOURS, told, strict=True)))
        asked = rng.choice(len(COLOURS), size=3, replace=False).tolist()
        x, y, z = (COLOURS[i] for i in asked)
        shares = _sharpened(found.policy.predict_proba(picture[asked]))
        for _ in range(CANDIDATES):
            read = [int(rng.choice(10, p=share)) for share in shares]
            text, answer = _solution(read, [COLOURS[i] for i in asked], rng)
            question = f"What is ({x} + {y}) * {z}?"
            rows.append(
                {"completion": text, "question": question, "images": [picture], "constraints": facts, "group": number}
            )
            right.append(answer == (truth[asked[0]] + truth[asked[1]]) * truth[asked[2]])
            holds.append([*(r == truth[i] for r, i in zip(read, asked, strict=True)), None, None])
    return Study(rows, right, holds)


def measure(arm: str, seed: int) -> dict[str, float]:
    """How often the chosen solution is right, and what becomes of false and true visual steps."""
    found = study(seed)
    first = np.arange(0, len(found.rows), CANDIDATES)
    base = float(np.mean([found.right[i] for i in first]))
    if arm == "first candidate":
        return {"right": base, "gain": 0.0, "false kept": float("nan"), "true kept": float("nan")}
    batch = Batch.from_rows([{**row, "constraints": _spoiled(row["constraints"], arm, seed)} for row in found.rows])
    reward = _reward(arm, seed)
    scores = reward(batch)
    right = float(np.mean([found.right[choice.row] for choice in BestOfN(reward).among(batch, scores)]))
    kept: dict[bool, list[bool]] = {True: [], False: []}
    for marks, holds in zip(scores.marks, found.holds, strict=True):
        for mark, one in zip(marks, holds, strict=True):
            if one is not None:
                kept[one].append(mark.value >= PASSES)
    return {
        "right": right,
        "gain": right - base,
        "false kept": float(np.mean(kept[False])),
        "true kept": float(np.mean(kept[True])),
    }


def _reward(arm: str, seed: int) -> Reward:
    system = sightline.load("evpv-prm")
    reward = system.reward.children()[0] if arm == "ungated" else system.reward  # type: ignore[attr-defined]
    return with_judge(reward, StepReader(seed))


def _spoiled(facts: Constraints, arm: str, seed: int) -> Constraints:
    kind, _, ratio = arm.partition(" ")
    change = {"drop": dropped, "flip": flipped}.get(kind)
    return facts if change is None else change(facts, float(ratio), seed)


def _solution(read: list[int], colours: list[str], rng: np.random.Generator) -> tuple[str, int]:
    steps: list[tuple[str, str | None]] = [
        (f"I see that {colour} is {name}", f"{colour} is {name}") for colour, name in zip(colours, read, strict=True)
    ]
    total = read[0] + read[1] + _slip(rng)
    answer = total * read[2] + _slip(rng)
    steps += [(f"{read[0]} + {read[1]} = {total}", None), (f"{total} * {read[2]} = {answer}", None)]
    listed = [{"steptext": text, "visualdependency": premise} for text, premise in steps]
    return json.dumps({"reasoningprocess": listed, "finalanswer": str(answer)}), answer


def _slip(rng: np.random.Generator) -> int:
    return int(rng.integers(1, 4)) if rng.random() < SLIP else 0


def _sharpened(shares: Floats) -> Floats:
    warm = shares ** (1 / TEMPERATURE)
    return np.asarray(warm / warm.sum(axis=1, keepdims=True))


def _reading(question: Question) -> tuple[int, int] | None:
    """(place, digit) that a step claims to see."""
    words = str(question.field("step", "")).split()
    return (COLOURS.index(words[-3]), int(words[-1])) if words[:3] == ["I", "see", "that"] else None


def _crop(picture: Floats, at: int) -> Floats:
    return np.asarray(picture[at])


EXPERIMENT = Experiment(
    slug="evpv-prm",
    question="Does holding steps to the reliability of their visual premises choose better solutions, and does the "
    "gain rest on the facts it is checked against?",
    setting=f"{QUESTIONS} questions (x + y) * z over six noisy handwritten digits, {CANDIDATES} candidates each: "
    f"digits read by a classifier trained on 150 pictures, sampled at temperature {TEMPERATURE}; sums that slip in "
    f"{SLIP:.0%}. The step judge has an eye of its own, trained on 150 other pictures, believes any digit it gives "
    f"more than {BELIEVED:.0%}, and errs on {JUDGE_ERROR:.0%} of the sums. The extractor is trained on 700 pictures. "
    "Premises are compared with the description word by word.",
    arms=ARMS,
    figures={
        "right": "share of questions whose chosen solution has the right answer",
        "gain": "that share minus the first candidate's",
        "false kept": "share of steps with a false premise whose final score is at least 0.5",
        "true kept": "the same of steps with a true premise",
    },
    claims=(
        Claim("best of 8 by the step judge beats the first candidate", "right", "ungated", "first candidate"),
        Claim("the gate adds to that", "right", "gated", "ungated"),
        Claim("the gate lowers false positives on hallucinated premises", "false kept", "gated", "ungated", more=False),
        Claim("right facts help more than none", "gain", "gated", "drop 1"),
        Claim("the gain falls with dropped facts: 0 to 0.4", "gain", "gated", "drop 0.4"),
        Claim("the gain falls with dropped facts: 0.4 to 0.8", "gain", "drop 0.4", "drop 0.8"),
        Claim("the gain falls with dropped facts: 0.8 to 1", "gain", "drop 0.8", "drop 1"),
        Claim("the gain falls with turned facts: 0 to 0.4", "gain", "gated", "flip 0.4"),
        Claim("the gain falls with turned facts: 0.4 to 0.8", "gain", "flip 0.4", "flip 0.8"),
        Claim("the gain falls with turned facts: 0.8 to 1", "gain", "flip 0.8", "flip 1"),
        Claim("turned facts do more harm than missing ones", "gain", "drop 1", "flip 1"),
    ),
    measure=measure,
    seeds=(1, 2, 3),
    limits=(
        "Noise and the readers' regularisation were set after a look at seed 0, which is not among the seeds.",
        "Readers are small classifiers and the auditor compares words: how well a language model audits is not shown.",
        "Every premise is stated honestly; a policy that learns to hide its premises escapes the gate.",
    ),
)
