"""From a teacher's reply to a list of evidence: reading, and what must not be in it. Knows no model."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from sightline.judges.verdicts import json_values

Options: TypeAlias = Sequence[str] | Mapping[str, str]
MOST_ITEMS = 8
_BULLET = re.compile(r"[ \t]*(?:[-*•‣◦–—]|\(?\d{1,2}[.)])[ \t]+(.*)")
_LABEL = re.compile(r"\s*\(?([A-Za-z])[.):]\s*(.*)", re.DOTALL)


def evidence_items(reply: str, answer: str = "", options: Options = (), most: int = MOST_ITEMS) -> list[str]:
    """The evidence in a teacher's reply, in this order: read a JSON list or bullet lines, strip, drop what is empty,
    drop what equals the answer's letter or text (case folded, punctuation removed), drop repeats (case folded, the
    first stays), cut to `most`.

    Args:
        reply: the teacher's words.
        answer: the right answer, as a text or an option's letter.
        options: the options, in the order of their letters or by letter; their labels ("A. ...") may be written out.
        most: how many items stay.

    Returns:
        An empty list if nothing is left, or if the reply holds neither a list nor bullet lines.

    Example:
        >>> evidence_items('["A dog runs ", "", "b", "a dog runs", "The cat."]', "B", ["a dog", "the cat"])
        ['A dog runs']
        >>> evidence_items("Seen:\\n- a red ball\\n2) it rolls left")
        ['a red ball', 'it rolls left']

    References:
        arXiv 2510.06077 gives the purpose; the order of the steps is ours.
    """
    items = [stripped for item in listed_items(reply) if (stripped := item.strip())]
    given_away = {_bare(form) for form in answer_forms(answer, options)} - {""}
    kept = [item for item in items if _bare(item) not in given_away]
    return list({item.casefold(): item for item in reversed(kept)}.values())[::-1][:most]


def listed_items(reply: str) -> list[str]:
    """The texts of the first JSON list of texts in a reply; without one, its bullet or numbered lines.

    Example:
        >>> listed_items('Frame [1] shows it: ["a", "b"]'), listed_items("1. a\\n2. b"), listed_items("I see a cat.")
        (['a', 'b'], ['a', 'b'], [])
    """
    for value in json_values(reply, "["):
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return value
    return [match.group(1) for line in reply.splitlines() if (match := _BULLET.match(line))]


def answer_forms(answer: str, options: Options = ()) -> list[str]:
    """Everything that gives the answer away: as it stands, its letter, its option's text, and both.

    Example:
        >>> answer_forms("B", ["a dog", "the cat"]), answer_forms("the cat", {"A": "a dog", "B": "the cat"})
        (['B', 'the cat', 'B. the cat'], ['the cat', 'B', 'B. the cat'])
        >>> answer_forms("B. the cat"), answer_forms("12")
        (['B. the cat', 'B', 'the cat'], ['12'])
    """
    forms = [answer]
    labelled = _LABEL.fullmatch(answer)
    if labelled and labelled.group(2):
        forms += labelled.groups()
    for letter, text in lettered(options).items():
        if _bare(answer) in (_bare(letter), _bare(text), _bare(f"{letter} {text}")):
            forms += [letter, text, f"{letter}. {text}"]
    return list(dict.fromkeys(forms))


def lettered(options: Options) -> dict[str, str]:
    """Options by letter, without their labels.

    Example:
        >>> lettered(["A. a dog", "B. the cat"]), lettered(["3", "4"])
        ({'A': 'a dog', 'B': 'the cat'}, {'A': '3', 'B': '4'})
    """
    if isinstance(options, Mapping):
        return {str(letter): str(text) for letter, text in options.items()}
    letters = [chr(ord("A") + number) for number in range(len(options))]
    labels = [_LABEL.fullmatch(option) for option in options]
    if all(label and label.group(1).upper() == letter for label, letter in zip(labels, letters, strict=True)):
        options = [label.group(2) for label in labels if label]
    return dict(zip(letters, options, strict=True))


def _bare(text: str) -> str:
    """Case folded, punctuation removed, blanks in one run as one."""
    letters = (c for c in text.casefold() if not unicodedata.category(c).startswith("P"))
    return " ".join("".join(letters).split())
