"""A mistake put into a reasoning, for asking whether the answer follows it. Depends on the text alone."""

from __future__ import annotations

import re

from sightline.core.missing import Missing

COLOURS = ("red", "green", "blue", "yellow", "black", "white", "orange", "purple", "brown", "pink", "gray")
_OPPOSITE = (("left", "right"), ("top", "bottom"), ("up", "down"), ("above", "below"), ("front", "behind"))
_PARTNER = {a: b for pair in _OPPOSITE for a, b in (pair, pair[::-1])}
_NEXT = dict(zip(COLOURS, (*COLOURS[1:], COLOURS[0]), strict=True))
_WORDS = "|".join([*_NEXT, *_PARTNER])
# a digit group of a decimal is no integer, nor is a digit inside a word
_FIRST = re.compile(rf"(?<![\w.])(?P<number>\d{{1,1000}})(?!\w|\.\d)|(?<!\w)(?P<word>{_WORDS})(?!\w)", re.IGNORECASE)


def with_mistake(thought: str) -> str | Missing:
    """The thought with its first integer, colour or direction changed, whichever stands leftmost.

    An integer grows by one, a colour becomes the next of `COLOURS` (the last the first), a direction its opposite;
    whole words in any case, replaced in lower case.

    Returns: the text, or Missing if there is nothing of the kind.

    Example:
        >>> with_mistake("The Red cup is left of 3 plates."), with_mistake("A cup behind 2 men")
        ('The green cup is left of 3 plates.', 'A cup front 2 men')
        >>> with_mistake("nothing here").why
        'no integer, colour or direction'

    References:
        On the faithfulness of visual thinking, arXiv 2510.23482, has mistakes written by a language model; this is the
        rule for work without one.
    """
    found = _FIRST.search(thought)
    if found is None:
        return Missing("no integer, colour or direction")
    word = found[0].lower()
    new = str(int(word) + 1) if found["number"] else _NEXT.get(word) or _PARTNER[word]
    return thought[: found.start()] + new + thought[found.end() :]
