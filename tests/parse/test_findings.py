from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.check.hostile import TEXTS
from sightline.parse.findings import Mentions, asserted
from sightline.parse.listed import MOST, ListedNames
from sightline.rewards.knowledge import retina

NAMES = (("hemorrhage", "haemorrhage"), ("disc hemorrhage",), ("drusen",), ("cotton wool spot",), ("mass",))
FIND = Mentions(NAMES)


def found(text: str) -> list[str]:
    return sorted(asserted(FIND(text)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a disc hemorrhage", ["disc hemorrhage"]),
        ("hemorrhage at the disc", ["hemorrhage"]),
        ("disc hemorrhages, hemorrhage", ["disc hemorrhage", "hemorrhage"]),
        ("masses", ["mass"]),
        ("massive", []),
        ("cotton wool; spot", []),
        ("cotton-wool-spots", ["cotton wool spot"]),
        ("no drusen; drusen", ["drusen"]),
        ("drusen possibly", ["drusen"]),
        ("cannot, exclude drusen", ["drusen"]),
        ("no evidence: of drusen", ["drusen"]),
        ("<answer>drusen</answer>", ["drusen"]),
        ("<think></think><answer>drusen</answer>", []),
        ("<think>drusen</think><think>mass</think>", ["drusen"]),
    ],
)
def test_what_is_asserted(text, expected) -> None:
    assert found(text) == expected


def plain_reading(text: str) -> set[str]:
    """The rules once more, by brute force over all spans."""
    import re

    spellings = {
        tuple((name + ending).split()): names[0] for names in NAMES for name in names for ending in ("es", "s", "")
    }
    cues = ["no", "not", "without", "absence of", "possible", "cannot exclude", "no evidence of", "free of"]
    kept = set()
    for clause in re.split(r"[.;,:]|\bbut\b|\bhowever\b", text.lower().replace("-", " ")):
        words = re.findall(r"[a-z]+", clause)
        ends = [
            k + len(c.split()) - 1 for c in cues for k in range(len(words)) if words[k:][: len(c.split())] == c.split()
        ]
        k = 0
        while k < len(words):
            size = max((n for n in (1, 2, 3) if tuple(words[k : k + n]) in spellings), default=0)
            if size and not any(1 <= k - end <= 6 for end in ends):
                kept.add(spellings[tuple(words[k : k + size])])
            k += size or 1
    return kept


PIECES = [
    "no",
    "not",
    "without",
    "absence",
    "of",
    "evidence",
    "possible",
    "cannot",
    "exclude",
    "free",
    "and",
    "but",
    "a",
]
PIECES += [
    "hemorrhage",
    "haemorrhages",
    "disc",
    "drusen",
    "cotton",
    "wool",
    "spots",
    "mass",
    "masses",
    ",",
    ".",
    ";",
    "-",
]


@given(st.lists(st.sampled_from(PIECES), max_size=25).map(" ".join))
def test_agrees_with_a_plain_reading_of_the_rules(text) -> None:
    assert set(found(text)) == plain_reading(text)


@given(st.text(max_size=60), st.text(max_size=60))
def test_mentions_lie_where_they_say(before, after) -> None:
    text = f"{before} drusen {after}"
    for mention in FIND(text):
        assert text[mention.start : mention.end].lower().startswith(mention.name.split()[0][:1])


@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
@pytest.mark.parametrize("text", [*TEXTS, "no " * 50_000, "cotton wool " * 20_000, "no evidence of " * 20_000])
def test_hostile_text_is_quick(text) -> None:
    find = Mentions(retina().names)
    find(f"<think>{text}</think>")


def test_lists_are_bounded() -> None:
    assert len(ListedNames()(f"<answer>{'a,' * MOST}</answer>")) == MOST
    assert not isinstance(ListedNames()(f"<answer>{'a,' * (MOST + 1)}</answer>"), tuple)
    assert ListedNames()("<answer>,, ,</answer>") == ()
