"""Porter's stemmer, with the extensions of NLTK that ROUGE scores are computed with.

Written out here because importing nltk for it costs more than a second. Only for lower-case words of a-z and 0-9.
Notation of the paper: C a consonant, V a vowel, m the number of VC in the form [C](VC)^m[V] of a stem.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

Condition: TypeAlias = Callable[[str], bool]
Rule: TypeAlias = tuple[str, str, Condition]

# Words whose stem is not cut from them; NLTK's list.
IRREGULAR = {
    "skies": "sky",
    "dying": "die",
    "lying": "lie",
    "tying": "tie",
    "innings": "inning",
    "outings": "outing",
    "cannings": "canning",
} | {word: word for word in ("sky", "news", "inning", "outing", "canning", "howe", "proceed", "exceed", "succeed")}

_LAST = frozenset("sdgylirnmetcu")  # what the suffixes that are cut end with


@lru_cache(maxsize=1 << 16)
def porter_stem(word: str) -> str:
    """The stem of a lower-case English word.

    Example:
        >>> [porter_stem(word) for word in ("relational", "hopping", "flies", "dies", "generalizations")]
        ['relat', 'hop', 'fli', 'die', 'gener']

    References:
        Porter, An algorithm for suffix stripping, 1980; equal to `nltk.stem.porter.PorterStemmer().stem`.
    """
    if word in IRREGULAR:
        return IRREGULAR[word]
    if len(word) <= 2 or word[-1] not in _LAST:
        return word
    for step in (_plural, _past, _final_y, _double_suffix, _single_suffix, _bare_suffix, _final_e, _final_ll):
        word = step(word)
    return word


def _shape(stem: str) -> str:
    """The stem spelled in c and v; y is a vowel after a consonant."""
    kinds = ""
    for letter in stem:
        vowel = letter in "aeiou" or (letter == "y" and kinds.endswith("c"))
        kinds += "v" if vowel else "c"
    return kinds


def _measure(stem: str) -> int:
    return _shape(stem).count("vc")


def _some(stem: str) -> bool:
    return _measure(stem) > 0


def _several(stem: str) -> bool:
    return _measure(stem) > 1


def _short(stem: str) -> bool:
    """Ends consonant, vowel, consonant other than w, x, y; or is vowel, consonant."""
    shape = _shape(stem)
    return (shape.endswith("cvc") and stem[-1] not in "wxy") or shape == "vc"


def _replaced(word: str, rules: tuple[Rule, ...]) -> str:
    """The first rule whose suffix fits decides, also when its condition then fails."""
    for suffix, replacement, condition in rules:
        if word.endswith(suffix):
            stem = word.removesuffix(suffix)
            return stem + replacement if condition(stem) else word
    return word


def _plural(word: str) -> str:
    if word.endswith("ies") and len(word) == 4:
        return word[:-1]
    for suffix, kept in (("sses", "ss"), ("ies", "i"), ("ss", "ss"), ("s", "")):
        if word.endswith(suffix):
            return word.removesuffix(suffix) + kept
    return word


def _past(word: str) -> str:
    if word.endswith("ied"):
        return word[:-1] if len(word) == 4 else word[:-2]
    if word.endswith("eed"):
        return word[:-1] if _some(word[:-3]) else word
    for suffix in ("ed", "ing"):
        stem = word.removesuffix(suffix)
        if stem != word and "v" in _shape(stem):
            return _mended(stem)
    return word


def _mended(stem: str) -> str:
    """What is left of a word without -ed or -ing, made a word again."""
    if stem.endswith(("at", "bl", "iz")):
        return stem + "e"
    if len(stem) > 1 and stem[-1] == stem[-2] and _shape(stem)[-1] == "c":
        return stem if stem[-1] in "lsz" else stem[:-1]
    return stem + "e" if _measure(stem) == 1 and _short(stem) else stem


def _final_y(word: str) -> str:
    stem = word.removesuffix("y")
    return stem + "i" if stem != word and len(stem) > 1 and _shape(stem)[-1] == "c" else word


def _rules(condition: Condition, table: str) -> tuple[Rule, ...]:
    """Rules from `suffix>replacement` words."""
    return tuple(
        (suffix, replacement, condition) for suffix, _, replacement in (r.partition(">") for r in table.split())
    )


_DOUBLE = (
    *_rules(_some, "ational>ate tional>tion enci>ence anci>ance izer>ize bli>ble alli>al entli>ent eli>e ousli>ous"),
    *_rules(_some, "ization>ize ation>ate ator>ate alism>al iveness>ive fulness>ful ousness>ous aliti>al iviti>ive"),
    *_rules(_some, "biliti>ble fulli>ful"),
    ("logi", "log", lambda stem: _some(stem + "l")),
)
_SINGLE = _rules(_some, "icate>ic ative> alize>al iciti>ic ical>ic ful> ness>")
_BARE = (
    *_rules(_several, "al> ance> ence> er> ic> able> ible> ant> ement> ment> ent>"),
    ("ion", "", lambda stem: _several(stem) and stem[-1] in "st"),
    *_rules(_several, "ou> ism> ate> iti> ous> ive> ize>"),
)


def _double_suffix(word: str) -> str:
    if word.endswith("alli") and _some(word[:-4]):
        return _double_suffix(word[:-2])
    return _replaced(word, _DOUBLE)


def _single_suffix(word: str) -> str:
    return _replaced(word, _SINGLE)


def _bare_suffix(word: str) -> str:
    return _replaced(word, _BARE)


def _final_e(word: str) -> str:
    stem = word.removesuffix("e")
    if stem != word and (_several(stem) or (_measure(stem) == 1 and not _short(stem))):
        return stem
    return word


def _final_ll(word: str) -> str:
    return word[:-1] if word.endswith("ll") and _several(word[:-1]) else word
