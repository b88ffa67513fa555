"""Descriptions spoiled on purpose, to see what rests on them: facts dropped, or numbers and relations turned.

Seeded by the text and a number, so runs repeat on any machine. Knows nothing of what is true.
"""

from __future__ import annotations

import hashlib
import re

import numpy as np

from sightline.core.errors import ConfigError
from sightline.parse.constraints import Constraints

RATIOS = (0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
_NUMBER = re.compile(r"(?<![\w.])-?\d{1,15}(?:\.\d{1,15})?(?![\w.]*\d)")
_RELATION = re.compile(r"<=|>=|!=|[<>=]")
_FACTORS, _SHIFTS, _FROM_ZERO = (0.5, 0.8, 1.2, 1.5, 2.0), (-2, -1, 1, 2), (1, 2, 3, 5, 10)
_RELATIONS = ("<", ">", "<=", ">=", "=", "!=")


def dropped(facts: Constraints, ratio: float, seed: int = 0) -> Constraints:
    """Caption and key facts, each left out with probability `ratio`.

    Raises:
        ConfigError: the ratio is outside [0, 1].

    Example:
        >>> dropped(Constraints("A line.", ("AB = 7", "BC = 3")), 1.0)
        Constraints(caption='', key_facts=(), uncertain=())
    """
    rng = _generator(facts, ratio, seed)
    keep = rng.random(1 + len(facts.key_facts)) >= ratio
    kept = tuple(fact for fact, stays in zip(facts.key_facts, keep[1:], strict=True) if stays)
    return facts._replace(caption=facts.caption if keep[0] else "", key_facts=kept)


def flipped(facts: Constraints, ratio: float, seed: int = 0) -> Constraints:
    """Caption and key facts, each with one number or relation turned with probability `ratio`.

    Raises:
        ConfigError: the ratio is outside [0, 1].

    Example:
        >>> flipped(Constraints("", ("AB = 7",)), 1.0).key_facts[0] != "AB = 7"
        True
    """
    rng = _generator(facts, ratio, seed)
    turned = [turn(text, rng) if rng.random() < ratio else text for text in (facts.caption, *facts.key_facts)]
    return facts._replace(caption=turned[0], key_facts=tuple(turned[1:]))


def turn(text: str, rng: np.random.Generator) -> str:
    """The text with one number x as x f + d, or 0 as one of 1, 2, 3, 5, 10; without a number, another relation sign.

    f is one of 0.5, 0.8, 1.2, 1.5, 2 and d one of -2, -1, 1, 2, drawn again while the number stays what it is. A text
    with neither is left alone.

    Example:
        >>> turn("AB", np.random.default_rng(0)), turn("x < y", np.random.default_rng(0)) != "x < y"
        ('AB', True)
    """
    found = list(_NUMBER.finditer(text))
    if found:
        at = found[int(rng.integers(len(found)))]
        return text[: at.start()] + _other_number(at[0], rng) + text[at.end() :]
    signs = list(_RELATION.finditer(text))
    if not signs:
        return text
    at = signs[int(rng.integers(len(signs)))]
    others = [sign for sign in _RELATIONS if sign != at[0]]
    return text[: at.start()] + others[int(rng.integers(len(others)))] + text[at.end() :]


def with_errors(facts: Constraints, errors: tuple[int, int] = (3, 5), seed: int = 0) -> Constraints:
    """The description with some facts turned: as many as drawn between both ends, at most all that can be.

    Example:
        >>> with_errors(Constraints("", ("a = 1", "b = 2")), seed=3).key_facts == ("a = 1", "b = 2")
        False
    """
    rng = _generator(facts, 1.0, seed)
    texts = [facts.caption, *facts.key_facts]
    can = [i for i, text in enumerate(texts) if _NUMBER.search(text) or _RELATION.search(text)]
    count = min(int(rng.integers(errors[0], errors[1] + 1)), len(can))
    for i in rng.permutation(can)[:count].tolist():
        texts[i] = turn(texts[i], rng)
    return facts._replace(caption=texts[0], key_facts=tuple(texts[1:]))


def _other_number(text: str, rng: np.random.Generator) -> str:
    value = float(text)
    if value == 0:
        return str(rng.choice(_FROM_ZERO))
    while True:
        changed = value * float(rng.choice(_FACTORS)) + float(rng.choice(_SHIFTS))
        if changed != value:
            return f"{round(changed, 6):.15g}"


def _generator(facts: Constraints, ratio: float, seed: int) -> np.random.Generator:
    if not 0 <= ratio <= 1:
        raise ConfigError(f"corruption: the ratio is {ratio}; it must be in [0, 1]")
    key = f"{seed}|{ratio:g}|{facts!r}".encode("utf-8", "replace")
    return np.random.default_rng(int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "big"))
