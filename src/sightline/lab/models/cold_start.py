"""Trains the shipped models: one base that reads pictures, and short cold starts on top of it.

`python -m sightline.lab.models.cold_start --seed S --out DIR` writes `base`, then every cold start, each as weights in
half precision with a JSON record (command, seeds, settings, seconds, held-out figures after rounding).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sightline.lab.models import language_stage, reading, tiny_vlm, vision_stage
from sightline.lab.models.language_stage import Example, Lessons, Recipe
from sightline.lab.worlds import clips, demonstrations, digits, grounding
from sightline.lab.worlds.canvas import Look

VISION_STEPS = 4000
BASE_ROWS = 10_000
BASE_STEPS = 1800
# Looks the base meets in its second stage, from clean to as poor as the prior world's.
LOOKS = (Look(), Look(contrast=0.8, noise=14.0), Look(contrast=0.65, noise=20.0), Look(contrast=0.55, noise=27.0))


@dataclass(frozen=True)
class ColdStart:
    """A short course on one world: how its examples are made and how it is judged.

    Args:
        world: rows to learn from (split `train`).
        teach: rows to examples; gets a random stream.
        recipe: steps and rates.
        rows: number of training rows.
        judged: splits that are read greedily after rounding.
    """

    world: digits.Digits | clips.Clips
    teach: Callable[[Sequence[dict[str, Any]], np.random.Generator], list[Example]]
    recipe: Recipe
    rows: int
    judged: tuple[str, ...]


def example(row: dict[str, Any], completion: str) -> Example:
    """One row with what is to be written on it."""
    return Example(row["images"], row["prompt"][0]["content"], completion)


def looking(rows: Sequence[dict[str, Any]], rng: np.random.Generator) -> list[Example]:
    """Every row answered by looking; lists get varied confidences."""
    said = [
        demonstrations.taught_detections(row, rng, error=0.0) if row["kind"] == "find" else demonstrations.look(row)
        for row in rows
    ]
    return [example(row, text) for row, text in zip(rows, said, strict=True)]


def half_guessing(rows: Sequence[dict[str, Any]], rng: np.random.Generator) -> list[Example]:
    """Half of the rows answered by looking, half by the wording's usual answer, right or wrong."""
    pupils = [demonstrations.look, demonstrations.guess]
    return [example(row, pupils[int(rng.integers(2))](row)) for row in rows]


def flawed(rows: Sequence[dict[str, Any]], rng: np.random.Generator) -> list[Example]:
    """Lists by a teacher who drops or adds a box in 30 % of them."""
    return [example(row, demonstrations.taught_detections(row, rng)) for row in rows]


# AdamW alone and sharp targets: sampled answers must be as good as the demonstrations, not near them.
GENTLE = Recipe(steps=250, size=32, lr=1e-3, muon=None, blur=0.0)
COLD_STARTS = {
    "prior": ColdStart(digits.PRIOR, half_guessing, GENTLE, 5000, ("biased", "reversed")),
    "crowd": ColdStart(digits.CROWD, flawed, GENTLE, 5000, ("neutral", "shifted")),
    "search": ColdStart(digits.SEARCH, flawed, GENTLE, 5000, ("neutral", "shifted")),
    "clips": ColdStart(clips.FOUR, looking, Recipe(steps=700), 6000, ("neutral", "shifted")),
}


def base_rows(n: int, seed: int) -> list[dict[str, Any]]:
    """Rows of every kind of question on pictures, in every look, without a prior; a third show small crowds."""
    worlds = [replace(world, look=look) for look in LOOKS for world in (digits.PLAIN, digits.PLAIN, _SMALL)]
    share = -(-n // len(worlds))
    return [row for i, world in enumerate(worlds) for row in world.rows(share, seed=seed * 100 + i)]


_SMALL = replace(digits.PLAIN, objects=(2, 4), sizes=(9, 14))


def train_base(seed: int, vision_steps: int = VISION_STEPS, rows: int = BASE_ROWS, recipe: Recipe | None = None):
    """A model that reads pictures, and the record of how it came about."""
    recipe = recipe or Recipe(steps=BASE_STEPS)
    model = tiny_vlm.build(seed)
    readers = vision_stage.heads(model.config.vision_config.hidden_size, seed)
    begun = time.perf_counter()
    report(vision_stage.teach(model.model.vision_tower, readers, steps=vision_steps, seed=seed), "vision")
    seen = time.perf_counter()
    dense = vision_stage.read(model.model.vision_tower, readers, vision_stage.Scenes(), 400, seed)
    rng = np.random.default_rng([seed, 4])
    lessons = Lessons(looking(base_rows(rows, seed), rng), model.model.vision_tower)
    report(language_stage.teach(model, lessons, recipe, seed), "language")
    ended = time.perf_counter()
    tiny_vlm.rounded(model)
    worlds = {"plain": digits.PLAIN, "dim": replace(digits.PLAIN, look=digits.PRIOR.look), "crowd": _SMALL}
    figures = {name: judge(model, world, "neutral", 800) for name, world in worlds.items()}
    record = {
        "what": "reads pictures of digits and shapes; no language prior",
        "seed": seed,
        "settings": {"vision_steps": vision_steps, "rows": rows, **asdict(recipe)},
        "seconds": {"vision": round(seen - begun), "language": round(ended - seen)},
        "patches": dense,
        "held_out": figures,
    }
    return model, record


def train_cold_start(name: str, model: Any, seed: int) -> dict[str, Any]:
    """Teaches the model one world in place and returns the record."""
    course = COLD_STARTS[name]
    begun = time.perf_counter()
    rng = np.random.default_rng([seed, 5])
    examples = course.teach(course.world.rows(course.rows, seed=seed), rng)
    report(language_stage.teach(model, Lessons(examples, model.model.vision_tower), course.recipe, seed), name)
    ended = time.perf_counter()
    tiny_vlm.rounded(model)
    return {
        "what": f"cold start on {course.world}",
        "starts_from": "base",
        "seed": seed,
        "settings": {"rows": course.rows, "demonstrations": course.teach.__name__, **asdict(course.recipe)},
        "seconds": round(ended - begun),
        "held_out": {split: judge(model, course.world, split, 300) for split in course.judged},
        "sampled": {split: judge(model, course.world, split, 300, temperature=1.0) for split in course.judged},
        **({"margin": margin(model, course.world)} if course.teach is half_guessing else {}),
    }


def margin(model: Any, world: digits.Digits | clips.Clips, n: int = 1000) -> dict[str, float]:
    """How often the two ways of answering occur and are right on biased held-out rows, sampled at temperature 1.

    Reward for accuracy alone drives looking out only where looking is right less often than guessing.
    """
    rows = world.rows(n, split="biased", seed=2000)
    pairs = list(zip(rows, reading.complete(model, tiny_vlm.processor(), rows, temperature=1.0), strict=True))
    looked = [reading.right(row, text) for row, text in pairs if grounding.has_form(text)]
    guessed = [reading.right(row, text) for row, text in pairs if "usually" in grounding.think_text(text)]
    return {
        "look share": len(looked) / n,
        "look right": float(np.mean(looked)),
        "guess share": len(guessed) / n,
        "guess right": float(np.mean(guessed)),
    }


def judge(model, world, split: str, n: int, temperature: float = 0.0) -> dict[str, Any]:
    """Figures on fresh rows (seed 1000), read greedily or sampled; clips also with one frame repeated."""
    rows = world.rows(n, split=split, seed=1000)
    pupil = tiny_vlm.processor()
    figures = reading.measure(rows, reading.complete(model, pupil, rows, temperature))
    if isinstance(world, clips.Clips):
        still = [clips.frozen(row) for row in rows]
        control = reading.measure(still, reading.complete(model, pupil, still, temperature))
        for kind, values in figures.items():
            values["right, one frame repeated"] = control[kind]["right"]
    return figures


def report(progress, what: str) -> None:
    """Runs a course and prints its loss now and then."""
    for step, loss in progress:
        if step % 500 == 0:
            print(f"{what} step {step}: loss {loss:.3f}", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", nargs="*", default=["base", *COLD_STARTS], help="base and names of cold starts")
    options = parser.parse_args(arguments)
    import torch

    torch.set_num_threads(options.threads)
    command = f"python -m sightline.lab.models.cold_start --seed {options.seed} --threads {options.threads}"
    if "base" in options.only:
        model, record = train_base(options.seed)
        tiny_vlm.ship(model, "base", options.out, {"command": command, **record})
    for name in (name for name in options.only if name != "base"):
        model = tiny_vlm.from_shipped("base", options.out)
        record = train_cold_start(name, model, options.seed)
        tiny_vlm.ship(model, name, options.out, {"command": command, **record})


if __name__ == "__main__":
    main()
