"""PromptEcho: the picture is best that lets a frozen vision-language model repeat the prompt it was made for.

    R_j = (1/m) sum_t log p(c_t | X_j, q, c_<t),   each log p at least -100
    A_j = R_j - mean(R_1..R_K)                      no division by the standard deviation

C is the prompt, of m tokens; X_j the j-th picture made for it; q a fixed query. The prompt stands in the judge's own
turn, without template tokens and without the end of the turn. R is a likelihood of the prompt's words: only differences
between pictures of one prompt mean anything.

A row is one picture; what the policy wrote as text does not count. `infer_score` is the comparison method, a number
that the judge writes; `design_text` the variant for text in posters. Advantages that are divided by the standard
deviation as well: `GroupRelative()`. The benchmark of dense captions is `sightline.bench.caption_duels`, from folders
of pictures with `sightline.bench.rendered`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from sightline.core.missing import Missing
from sightline.credit import GroupRelative
from sightline.judges.colours import ColourJudge
from sightline.judges.prompts import prompt
from sightline.rewards.look import Column, Look, Shown
from sightline.rewards.rated_fit import BLUE, RED, RatedFit
from sightline.rewards.second_look import Echo, total_logp
from sightline.system import Extra, Stage, System

TEXT_PARTS = ("main_title", "subtitle", "selling_points", "other")
JUDGE = ColourJudge()


def design_label(parts: Any) -> str | Missing:
    """The text of a design as JSON, keys and separators always the same; a part that is not there, or None, is empty.

    Missing: not an object of texts or lists of texts, another part than these four, or no text at all.

    Example:
        >>> design_label({"subtitle": "today only", "main_title": "SALE"})
        '{"main_title": "SALE", "subtitle": "today only", "selling_points": "", "other": ""}'
    """
    if not isinstance(parts, Mapping) or not set(parts) <= set(TEXT_PARTS):
        return Missing(f"it needs an object with no other keys than {', '.join(TEXT_PARTS)}")
    given = {name: "" if parts.get(name) is None else parts[name] for name in TEXT_PARTS}
    # Parquet gives lists as arrays
    label = {name: part.tolist() if isinstance(part, np.ndarray) else part for name, part in given.items()}
    words = [word for part in label.values() for word in (part if isinstance(part, list | tuple) else (part,))]
    if not all(isinstance(word, str) for word in words):
        return Missing("a part is neither a text nor a list of texts")
    return json.dumps(label, ensure_ascii=False) if any(word.strip() for word in words) else Missing("it has no text")


MADE = Shown(least=1)
CAPTION, DESIGN = Column("caption"), Column("design_text", write=design_label)
echo = Echo(JUDGE, Look(prompt("image_description").text, pictures=MADE, continuation=CAPTION))
read_text = Echo(JUDGE, Look(prompt("design_text").text, pictures=MADE, continuation=DESIGN))
summed = Echo(JUDGE, echo.look, reduce=total_logp)

HALF = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIA"
    "AAB7QOjdAAAAD0lEQVR4nGP4z8DAwPAfAAcAAf9+CLHQAAAAAElFTkSuQmCC"
)
TEXT = {"main_title": "Red sale"}

SYSTEM = System(
    slug="promptecho",
    title="PromptEcho: Annotation-Free Reward from Vision-Language Models for Text-to-Image Reinforcement Learning",
    arxiv="2604.12652",
    year=2026,
    family="likelihood of the prompt given the picture",
    formula="R_j = mean_t log p(c_t | X_j, q, c_<t);  A_j = R_j - mean(R)",
    reward=echo.named("echo"),
    extras={
        "total": Extra(summed, "the sum over the caption's tokens instead of the mean"),
        "infer_score": Extra(RatedFit(JUDGE), "comparison: the number from 0 to 10 that the judge writes; often a tie"),
        "design_text": Extra(
            read_text, "poster text: the design's words as JSON, under a query that asks to read them"
        ),
    },
    credit=GroupRelative(scale=None),
    recipe=(
        Stage(
            "flow policy",
            "grpo",
            {
                "group size": 8,
                "base model": "Z-Image or QwenImage-2512",
                "data": "100,000 dense captions of 200 to 400 words",
                "adapter": "LoRA",
                "lora rank": 64,
                "lora alpha": 128,
            },
        ),
    ),
    columns={
        "images": "the picture that was made, or a list of one; without one there is nothing to judge",
        "caption": "the prompt it was made for; an empty one is an error",
        "design_text": "for the extra design_text: the words of the design by part, main_title, subtitle, "
        "selling_points, other, each a text or a list of texts",
    },
    departs=(
        "reward and training code are not released; mean over tokens, bound of -100 and JSON keys are assumed",
        "the paper's judge is Qwen3-VL-32B, or 8B in its ablation; at evaluation pictures take 30 sampling steps at a "
        "guidance of 4, which is up to the generator and no setting here",
        "a judge in process scores a caption whole: one that is longer than its context is not cut but fails, NaN",
        "the judge is a value; without one set, colours are counted (`ColourJudge`), which needs no model",
    ),
    specimen=(
        {"completion": "", "images": [RED], "caption": "a red ball", "design_text": TEXT, "group": 0},
        {"completion": "", "images": [BLUE], "caption": "a red ball", "design_text": TEXT, "group": 0},
        {"completion": "", "images": HALF, "caption": "a red ball", "design_text": TEXT, "group": 0},
        {"completion": "", "images": ["none.png"], "caption": "a blue box", "design_text": TEXT, "group": 1},
        {"completion": "a blue box", "images": [BLUE], "caption": "a blue box", "design_text": TEXT, "group": 1},
    ),
)
