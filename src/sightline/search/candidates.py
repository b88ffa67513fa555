"""Several attempts at one question that differ: other temperatures, another number and mark in the prompt."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sightline.core.errors import ConfigError
from sightline.judges.judge import Question, Sampling
from sightline.judges.prompts import prompt

TEMPERATURE, TOP_P = (1.05, 1.45), (0.9, 1.0)
TEMPLATE = prompt("premise_policy").text


def varied(
    question: str,
    images: Sequence[Any] = (),
    choices: Sequence[str] | Mapping[str, str] = (),
    n: int = 8,
    seed: int = 0,
    template: str = TEMPLATE,
) -> list[Question]:
    """The questions that ask a policy for `n` solutions with stated premises.

    Temperatures are drawn from 1.05..1.45, top-p from 0.9..1, by the seed, the question and the attempt; every prompt
    carries its number and a mark.

    Args:
        choices: texts in order, or letter -> text.
        template: with places `question`, `choices`, `variant` and `nonce`.

    Raises:
        ConfigError: fewer than one candidate.

    Example:
        >>> asked = varied("How long is AB?", n=3)
        >>> len({one.text() for one in asked}), all(1.05 <= one.sampling.temperature <= 1.45 for one in asked)
        (3, True)

    References:
        Explicit visual premise verification, arXiv 2603.16253.
    """
    if n < 1:
        raise ConfigError(f"varied: needs at least 1 candidate, got {n}")
    lettered = choices.items() if isinstance(choices, Mapping) else zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", choices)  # noqa: B905
    told = "\n".join(f"{letter}. {text}" for letter, text in lettered)
    return [_attempt(question, tuple(images), told, attempt, seed, template) for attempt in range(1, n + 1)]


def _attempt(question: str, images: tuple[Any, ...], told: str, attempt: int, seed: int, template: str) -> Question:
    key = hashlib.blake2b(f"{seed}|{attempt}|{question}".encode("utf-8", "replace"), digest_size=8)
    rng = np.random.default_rng(int.from_bytes(key.digest(), "big"))
    sampling = Sampling(float(rng.uniform(*TEMPERATURE)), float(rng.uniform(*TOP_P)), 4096, seed + attempt)
    fields = (("question", question), ("choices", told), ("variant", str(attempt)), ("nonce", key.hexdigest()[:8]))
    return Question(template, fields, images=images, sampling=sampling)
