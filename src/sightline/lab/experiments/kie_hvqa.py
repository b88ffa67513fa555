"""Does paying three strings apart stop a policy from completing characters that nobody can see?"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import sightline
from sightline.bench.legibility import legibility_report
from sightline.core.batch import Batch
from sightline.core.missing import Missing
from sightline.core.scores import Scores
from sightline.lab import policy, starts
from sightline.lab.experiment import Claim, Experiment
from sightline.lab.models.language_stage import Example, Recipe
from sightline.lab.worlds import pages
from sightline.metrics.characters import edit_similarity, without_blanks
from sightline.rewards.read_fields import LEGIBILITY, FieldSimilarity
from sightline.rewards.reward import Reward

ARMS = {
    "cold start": "no further training",
    "whole text": "similarity of the final text to the text as it was before it was spoilt, and the format",
    "clear only": "similarity of the clear characters, and the format",
    "final only": "similarity of the final text, and the format",
    "all": "all three similarities and the format, as published",
}
STEPS, ROWS, HELD_OUT, TOKENS = 50, 1500, 200, 18
COURSE = Recipe(steps=600, size=24)
SAID = re.compile(r"<answer>\(A\)([^()]*)\(B\)([^()]*)\(C\)([^()]*)</answer>")


def written(text: str) -> str:
    """The tiny model's words as the asked JSON: it knows (A), (B) and (C), and `nothing` for a blank.

    Example:
        >>> written("<think>look</think> <answer>(A) 1 (B) 3 (C) 1 nothing 3</answer>")
        '<think>look</think> <answer>{"clear": "1", "not_clear": "3", "final": "1 3"}</answer>'
    """
    found = SAID.search(text)
    if found is None:
        return text
    strings = ["".join(part.split()).replace("nothing", " ") for part in found.groups()]
    answer = json.dumps(dict(zip(LEGIBILITY.names, strings, strict=True)))
    return f"{text[: found.start()]}<answer>{answer}</answer>{text[found.end() :]}"


def spoken(strings: dict[str, str]) -> str:
    """Three strings in the tiny model's words."""
    parts = [" ".join("nothing" if letter == " " else letter for letter in strings[name]) for name in LEGIBILITY.names]
    marked = " ".join(f"({mark}) {part}".strip() for mark, part in zip("ABC", parts, strict=True))
    return f"<think>look</think> <answer>{marked}</answer>"


@dataclass(frozen=True)
class Written(Reward):
    """A reward of what the words stand for."""

    of: Reward

    def needs(self) -> tuple[str, ...]:
        return tuple({name for node in self.of.walk() for name in node.needs()})

    def score(self, batch: Batch) -> Scores:
        return self.of(Batch([written(text) for text in batch.texts], batch.columns, group=batch.group))


def reward(arm: str) -> Reward:
    """The system's reward or an ablation of it."""
    system = sightline.load("kie-hvqa")
    if arm == "all":
        return Written(system.reward)
    if arm == "whole text":
        return Written(FieldSimilarity("final") + system.variant("strict", minus=("ocr",)))
    return Written(system.variant("strict", plus=(arm,), minus=("ocr",)))


def examples() -> list[Example]:
    """Half of the pages answered with what can be read, half completed to the usual code."""
    rng = np.random.default_rng(5)
    rows = pages.CODES.rows(4000, seed=50)
    return [Example(row["images"], row["prompt"][0]["content"], spoken(_answer(row, rng))) for row in rows]


def _answer(row: dict[str, Any], rng: np.random.Generator) -> dict[str, str]:
    strings = {name: row[name] for name in LEGIBILITY.names}
    return strings if rng.random() < 0.5 else {**strings, "final": row["answer"]}


def measure(arm: str, seed: int) -> dict[str, float]:
    """Trains one arm and reads held-out pages, sampled at temperature 1."""
    from sightline.lab.models import tiny_vlm

    start = starts.taught("pages", examples, COURSE, __file__)
    if arm == "cold start":
        return figures(*tiny_vlm.load(start))
    rows = pages.CODES.rows(ROWS, "train", seed=100 + seed)
    if arm == "whole text":
        rows = [{**row, "final": row["answer"]} for row in rows]
    credit = sightline.load("kie-hvqa").credit
    model, processor, _ = policy.reinforce(start, reward(arm), credit, rows, seed, STEPS, max_completion_length=TOKENS)
    return figures(model, processor)


def figures(model: Any, processor: Any) -> dict[str, float]:
    """The report on spoilt pages with known and with unknown codes."""
    found: dict[str, float] = {}
    for name, split in (("known", "biased"), ("unknown", "reversed")):
        rows = pages.CODES.rows(HELD_OUT, split, seed=7000)
        said = strings(policy.read(model, processor, rows, tokens=TOKENS))
        report = legibility_report(said, rows, without_blanks)
        hidden = [i for i, row in enumerate(rows) if " " in row["final"]]
        found[f"{name}: invented"] = float(
            np.mean([len(without_blanks(said[i]["final"])) > len(without_blanks(rows[i]["final"])) for i in hidden])
        )
        found[f"{name}: average"] = report["average"]
        if name == "known":
            found.update({f"similarity {one}": report[one]["similarity"] for one in LEGIBILITY.names})
            clean = [i for i in range(len(rows)) if max(rows[i]["truth"]["covered"]) == 0]
            found["undamaged"] = float(
                np.mean([edit_similarity(without_blanks(said[i]["final"]), rows[i]["answer"]) for i in clean])
            )
    return found


def strings(said: Sequence[str]) -> list[dict[str, str]]:
    """What each completion holds under the three names; a missing one is empty."""
    fields = [LEGIBILITY(written(text)) for text in said]
    return [
        {name: text if isinstance(text := one[name], str) else "" for name in LEGIBILITY.names}
        if not isinstance(one, Missing)
        else dict.fromkeys(LEGIBILITY.names, "")
        for one in fields
    ]


EXPERIMENT = Experiment(
    slug="kie-hvqa",
    question="Does paying three strings apart stop a policy from completing characters that nobody can see?",
    setting=(
        f"Pages with a code of three handwritten digits; in training nine of ten codes are known ones, so that a "
        f"covered digit can be guessed. Each digit is wholly covered with chance 0.3, partly with 0.2, on three pages "
        f"of four. GRPO, groups of {policy.GROUP}, {policy.COMPLETIONS} completions a step, {STEPS} steps, from a cold "
        f"start that completes half of the pages; {HELD_OUT} held-out pages a split, sampled at temperature 1. The "
        f"tiny model's words are turned into the asked JSON before they are rewarded."
    ),
    arms=ARMS,
    figures={
        "known: invented": "share of pages with hidden digits whose final text has more digits than can be read",
        "known: average": "mean similarity of the three strings",
        "similarity clear": "of fully legible digits, known codes",
        "similarity not_clear": "of partly covered digits, known codes",
        "similarity final": "of the final text, known codes",
        "undamaged": "similarity of the final text on pages where nothing is covered",
        "unknown: invented": "as above on codes that the prior does not know",
        "unknown: average": "as above on such codes",
    },
    claims=(
        Claim("fewer hidden digits are invented", "known: invented", "all", "cold start", more=False),
        Claim("paying the whole text teaches invention", "known: invented", "whole text", "all"),
        Claim("all three beat the clear characters alone", "known: average", "all", "clear only"),
        Claim("all three beat the final text alone", "known: average", "all", "final only"),
        Claim("undamaged pages are read no worse than at the start", "undamaged", "all", "cold start"),
    ),
    measure=measure,
    limits=(
        "all seeds share one cold start and one test set.",
        "three digits a code: an invented one is a third of it.",
    ),
)
