"""What two questions must share to deserve one verdict: a hash of their content.

Caches and recordings key on it. Pictures count by what they show, not by where they lie.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any

from sightline.core.errors import MediaError
from sightline.judges.judge import Ability, Question


def fingerprints(ability: Ability, questions: Sequence[Question]) -> list[str | None]:
    """One 32-digit hash per question; a picture that many questions show is hashed once.

    Prompt text, fields, options, continuation, opening, sampling and the content of the pictures count: fields too,
    for some judges look at facts instead of prose.

    Returns:
        None for a question whose pictures cannot be read.

    Example:
        >>> red = Question("Is it {colour}?", (("colour", "red"),))
        >>> blue = Question("Is it {colour}?", (("colour", "blue"),))
        >>> first, second, third = fingerprints("generate", [red, blue, red])
        >>> first == third, first == second, len(first)
        (True, False, 32)
    """
    picture = _Remembered(_picture_hash)
    return [_fingerprint(ability, question, picture) for question in questions]


def _fingerprint(ability: Ability, question: Question, picture: Callable[[Any], str]) -> str | None:
    try:
        pictures = [picture(image) for image in question.images]
    except MediaError:
        return None
    facts = [
        ability,
        question.text(),
        [[name, _plain(value)] for name, value in question.fields],
        list(question.options),
        question.continuation,
        [question.sampling.temperature, question.sampling.top_p, question.sampling.max_tokens, question.sampling.seed],
        pictures,
        *([question.opening] if question.opening else []),  # without one, keys are those of older caches
    ]
    return hashlib.blake2b(json.dumps(facts).encode(), digest_size=16).hexdigest()


def _plain(value: Any) -> Any:
    """A field as JSON; what JSON does not know counts by its repr."""
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else repr(value)


def _picture_hash(image: Any) -> str:
    from sightline.media import images

    return images.content_hash(image)


class _Remembered:
    """A function of pictures that looks at each object once."""

    def __init__(self, of: Callable[[Any], str]) -> None:
        self.of = of
        self.known: dict[int, tuple[Any, str]] = {}  # the picture is kept, or its address could be given to another

    def __call__(self, image: Any) -> str:
        if id(image) not in self.known:
            self.known[id(image)] = (image, self.of(image))
        return self.known[id(image)][1]
