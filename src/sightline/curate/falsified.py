"""Question-answer pairs of one picture as statements, some of them made false: what is true is known exactly.

Everything depends on the pairs and the seed. A statement that is called false says something else than the answer:
texts are rewritten, never only their label.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from sightline.core.missing import Missing
from sightline.parse.numbers import Number

Pair: TypeAlias = tuple[str, str]
_FLIPPED = {"yes": "no", "no": "yes", "true": "false", "false": "true"}


@dataclass(frozen=True)
class OptionSetItems:
    """Pairs of one picture as an item with several options.

    Args:
        fewest, most: how many pairs make an item.
        share: of statements that are falsified.

    Returns a row with `prompt`, `options`, `solution` (for each option whether it is true), `task` and `seed`, or
    `Missing` where there are too few pairs or a pair that is needed cannot be falsified.

    Example:
        >>> pairs = [("Is there a ship?", "yes"), ("How many planes?", "10"), ("Colour of the roof?", "red"),
        ...          ("Colour of the road?", "grey"), ("Is it night?", "no")]
        >>> row = OptionSetItems()(pairs, seed=1)
        >>> for option, true in zip(row["options"], row["solution"]): print(option, true)
        Is there a ship? -> no False
        How many planes? -> 12 False
        Colour of the roof? -> red True
        Colour of the road? -> red False
        Is it night? -> no True

    References:
        Asking like Socrates, arXiv 2511.22396, second stage. Departs: the released repair of an item without a false
        (or without a true) statement changes the label of the first one and not its text.
    """

    fewest: int = 5
    most: int = 12
    share: float = 0.5

    def __call__(self, pairs: Sequence[Pair], seed: int) -> dict[str, Any] | Missing:
        if len(pairs) < self.fewest:
            return Missing(f"{len(pairs)} pairs: an item needs {self.fewest}")
        rng = np.random.default_rng(seed)
        chosen = [pairs[i] for i in sorted(rng.permutation(len(pairs))[: self.most].tolist())]
        others = [answer for _, answer in pairs]
        wrong = [falsified(answer, others, rng) for _, answer in chosen]
        possible = [not isinstance(text, Missing) for text in wrong]
        if not any(possible):
            return Missing("no answer can be falsified")
        true = [bool(rng.random() >= self.share) or not can for can in possible]
        if all(true):
            true[int(rng.choice(np.flatnonzero(possible)))] = False
        if not any(true):
            true[int(rng.integers(len(true)))] = True
        said = [answer if kept else str(text) for (_, answer), text, kept in zip(chosen, wrong, true, strict=True)]
        options = [f"{question} -> {answer}" for (question, _), answer in zip(chosen, said, strict=True)]
        lines = [f"({chr(65 + i)}) {option}" for i, option in enumerate(options)]
        asked = "\n".join(["Which of these statements are correct?", *lines, 'End with {"answer": [letters]}.'])
        content = [{"type": "image"}, {"type": "text", "text": asked}]
        prompt = [{"role": "user", "content": content}]
        return {"prompt": prompt, "options": options, "solution": true, "task": "vqa", "seed": seed}


def falsified(answer: str, others: Sequence[str], rng: np.random.Generator) -> str | Missing:
    """Another answer than the right one: yes and no exchanged, numbers moved by 20 %, else an answer of another pair.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> falsified("Yes", [], rng), falsified("red", ["Red", "grey"], rng), falsified("red", ["red."], rng).why
        ('No', 'grey', 'no other answer to take')
    """
    bare = answer.strip()
    flipped = _FLIPPED.get(bare.lower())
    if flipped is not None:
        return flipped.capitalize() if bare[:1].isupper() else flipped
    if not isinstance(Number()(bare), Missing):
        return falsified_number(bare, int(rng.choice([-1, 1])))
    different = sorted({other for other in others if _bare(other) != _bare(bare)})
    # a number or a yes in the place of words would give itself away
    different = [o for o in different if o.lower() not in _FLIPPED and isinstance(Number()(o), Missing)]
    return different[int(rng.integers(len(different)))] if different else Missing("no other answer to take")


def falsified_number(text: str, way: int) -> str:
    """A number moved by 20 %, whole numbers by 1 at least and to whole ones; never below 0 if it was not.

    Args:
        way: 1 up, -1 down.

    Raises:
        ValueError: the text is no finite number.

    Example:
        >>> [falsified_number(text, 1) for text in ("10", "2", "0", "1e3", "0.5", "1,000")]
        ['12', '3', '1', '1200', '0.6', '1200']
        >>> [falsified_number(text, -1) for text in ("10", "2", "0", "-10", "0.50")]
        ['8', '1', '1', '-12', '0.4']
    """
    value = Number()(text)
    if isinstance(value, Missing):
        raise ValueError(f"{text!r} is {value.why}")
    whole = value == int(value) and "." not in text
    step = max(1.0, round(abs(value) * 0.2)) if whole else abs(value) * 0.2
    found = value + way * (step or 0.1)
    if value >= 0 > found:
        found = value + (step or 0.1)
    return f"{found:.0f}" if whole else f"{found:.6g}"


def _bare(text: str) -> str:
    return text.strip().rstrip(".").lower()
