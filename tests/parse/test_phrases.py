"""Phrases keep every word, in place, and cut where the rule says; hostile texts are cheap."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.missing import Missing
from sightline.parse.fact_list import FactList, says_yes
from sightline.parse.phrases import Phrases

WORDS = st.lists(
    st.sampled_from(["a", "dog,", "sits.", "Mr.", "B.", "what?", '"no!"', "red;", "(x)", "e.g."]), max_size=40
)


@given(WORDS, st.sampled_from([" ", "\n", "  \t"]))
def test_every_word_is_in_one_phrase_at_its_place(words: list[str], blank: str) -> None:
    text = blank.join(words)
    spans = Phrases()(text)
    assert " ".join(span.text for span in spans).split() == words
    assert [text[span.start : span.end].split() for span in spans] == [span.text.split() for span in spans]
    assert all(before.end <= after.start for before, after in pairwise(spans))


@given(WORDS)
def test_released_loses_at_most_one_word_at_the_end(words: list[str]) -> None:
    kept = [span.text for span in Phrases()(" ".join(words))]
    lost = [span.text for span in Phrases(keep_lone=False)(" ".join(words))]
    assert lost == kept or (lost == kept[:-1] and len(kept[-1].split()) == 1)


@given(WORDS)
def test_a_phrase_that_is_cut_at_a_comma_is_long_enough(words: list[str]) -> None:
    for span in Phrases(marks=",")(" ".join(word for word in words if word[-1] not in '.?"')):
        assert len(span.text.split()) >= 5 or span.text.split() == [w for w in words if w[-1] not in '.?"']


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("I see St. Paul.", 1),
        ("Cups, forks etc. stand here.", 1),
        ("It (e.g. a dog) barks.", 1),
        ('"Go." "Stay."', 2),
        ("A.B. went", 2),
        ("Yes... no", 2),
        ("plan B. then", 1),
        (".", 1),
        (", , , , , , , , , ,", 1),
    ],
)
def test_sentences(text: str, count: int) -> None:
    assert len(Phrases(marks="")(text)) == count


@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
@pytest.mark.parametrize("flood", ["a, ", ".", "a. ", '!"', ")" * 50 + " ", "\u3000"])
def test_floods_are_cheap(flood: str) -> None:
    Phrases()(flood * (200_000 // len(flood)))


def test_fact_lists() -> None:
    said = "**Objects:**\n1. There is a dog.\n2) There is a cat.\n\nAttributes: None.\nrelations:\n- A dog: on a cat"
    assert FactList()(said) == (("There is a dog.", "There is a cat."), (), ("A dog: on a cat",))
    assert FactList()("Attributes: The dog is red.") == ((), ("The dog is red.",), ())
    assert isinstance(FactList()("I cannot say."), Missing)
    assert says_yes("YES")
    assert not says_yes("no")
