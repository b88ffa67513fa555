"""What a tiny model says on rows of a world, and how much of it is right.

Figures are shares in 0..1. Reads rows, completions and truth; knows no rewards.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sightline.lab.worlds.grounding import grounded, overlap

ANSWER = re.compile(r"<answer>(.*?)</answer>", re.DOTALL)
BOX = re.compile(r"\[(\d+), (\d+), (\d+), (\d+)\](?:, \"label\": \"([^\"]*)\")?")


def complete(
    model: Any,
    processor: Any,
    rows: Sequence[dict[str, Any]],
    temperature: float = 0.0,
    max_new_tokens: int = 72,
    seed: int = 0,
) -> list[str]:
    """One completion a row: greedy at temperature 0, else sampled from the whole distribution (no top-k, no top-p)."""
    import torch

    said: list[str] = []
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(seed)
        for start in range(0, len(rows), 150):
            part = rows[start : start + 150]
            prompts = [processor.apply_chat_template(row["prompt"], add_generation_prompt=True) for row in part]
            inputs = processor(text=prompts, images=[row["images"] for row in part], padding=True, return_tensors="pt")
            sampling = (
                {"do_sample": True, "temperature": temperature, "top_k": 0} if temperature else {"do_sample": False}
            )
            ids = model.generate(**inputs, max_new_tokens=max_new_tokens, **sampling)
            new = ids[:, inputs["input_ids"].shape[1] :]
            said += processor.batch_decode(new, skip_special_tokens=True)
    return said


def answer_text(completion: str) -> str:
    """The first answer block, stripped, or nothing.

    >>> answer_text("<think>a</think> <answer>3</answer>")
    '3'
    """
    found = ANSWER.search(completion)
    return found.group(1).strip() if found else ""


def answer_boxes(completion: str) -> list[tuple[list[int], str]]:
    """Boxes of the answer block with their labels, or with an empty label.

    >>> answer_boxes('<answer>{"bbox_2d": [1, 2, 9, 12]}</answer>')
    [([1, 2, 9, 12], '')]
    """
    return [([int(v) for v in found.groups()[:4]], found[5] or "") for found in BOX.finditer(answer_text(completion))]


def right(row: dict[str, Any], completion: str) -> float:
    """1 for the right answer; for boxes the share of true boxes that some box of the answer fits (IoU >= 0.5).

    Labels must be equal where the answer gives any. A picture with nothing to find counts the answer's text.
    """
    if row["problem_type"] not in ("grounding", "detection") or not row["boxes"]:
        return float(answer_text(completion) == row["answer"])
    said = answer_boxes(completion)
    if row["kind"] == "find":
        said = [([v * row["truth"]["size"][0] / 1000 for v in box], name) for box, name in said]
    fits = [
        any(overlap(box, gold) >= 0.5 and name in ("", label) for box, name in said)
        for gold, label in zip(row["boxes"], row["labels"], strict=True)
    ]
    return sum(fits) / len(fits)


def measure(rows: Sequence[dict[str, Any]], completions: Sequence[str]) -> dict[str, dict[str, float]]:
    """Per kind of question: share right, share of think blocks that are wholly grounded, and the number of rows."""
    figures: dict[str, dict[str, float]] = {}
    for kind in sorted({row["kind"] for row in rows}):
        pairs = [(row, text) for row, text in zip(rows, completions, strict=True) if row["kind"] == kind]
        figures[kind] = {
            "right": sum(right(row, text) for row, text in pairs) / len(pairs),
            "grounded": sum(grounded(text, row["truth"]) for row, text in pairs) / len(pairs),
            "rows": len(pairs),
        }
    return figures
