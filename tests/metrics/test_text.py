import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.stem.porter import PorterStemmer
from rouge_score import rouge_scorer

from sightline.metrics import (
    Rouge,
    edit_distance,
    indel_ratio,
    porter_stem,
    repeated_ngram_share,
    repeated_share,
    rouge,
    word_error_rate,
)

SUFFIXES = [
    "ational", "tional", "enci", "anci", "izer", "bli", "abli", "alli", "entli", "eli", "ousli", "ization",
    "ation", "ator", "alism", "iveness", "fulness", "ousness", "aliti", "iviti", "biliti", "fulli", "logi",
    "icate", "ative", "alize", "iciti", "ical", "ful", "ness", "al", "ance", "ence", "er", "ic", "able", "ible",
    "ant", "ement", "ment", "ent", "ion", "sion", "tion", "ou", "ism", "ate", "iti", "ous", "ive", "ize", "e",
    "ll", "ies", "ied", "eed", "ed", "ing", "y", "s", "ss", "sses", "ying", "yed",
]  # fmt: skip
WORDS = [
    "the", "a", "red", "ball", "balls", "rolled", "rolling", "over", "lazily", "skies", "dying", "7", "12",
    "I'm", "café", "well-known", "University", "generalised",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join)


def distance_by_hand(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        row, above = [i], row
        for j, y in enumerate(b, start=1):
            row.append(min(row[-1] + 1, above[j] + 1, above[j - 1] + (x != y)))
    return row[-1]


def lcs_by_hand(a, b):
    row = [0] * (len(b) + 1)
    for x in a:
        above, row = row, [0]
        for j, y in enumerate(b, start=1):
            row.append(above[j - 1] + 1 if x == y else max(above[j], row[-1]))
    return row[-1]


@given(st.text("abc", max_size=9), st.text("abc", max_size=9))
def test_edit_distance_and_indel_ratio_are_their_definitions(a, b):
    assert edit_distance(a, b) == distance_by_hand(a, b)
    total = len(a) + len(b)
    assert indel_ratio(a, b) == pytest.approx(2 * lcs_by_hand(a, b) / total if total else 1.0)


@given(TEXTS, TEXTS)
def test_word_error_rate_is_its_definition(prediction, reference):
    words = reference.split()
    assert word_error_rate(prediction, reference) == distance_by_hand(prediction.split(), words) / max(1, len(words))


@pytest.mark.parametrize("stem", [True, False])
@given(prediction=TEXTS, reference=TEXTS)
def test_rouge_equals_the_rouge_score_package(stem, prediction, reference):
    scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=stem)
    wanted = [score.fmeasure for score in scorer.score(reference, prediction).values()]
    assert list(rouge(prediction, reference, stem)) == wanted


@given(st.text(max_size=40), st.text(max_size=40))
def test_rouge_equals_the_rouge_score_package_on_any_characters(prediction, reference):
    scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True)
    wanted = [score.fmeasure for score in scorer.score(reference, prediction).values()]
    assert list(rouge(prediction, reference)) == wanted


def test_the_stemmer_equals_nltk_on_every_pair_of_suffixes():
    oracle, chance = PorterStemmer(), random.Random(0)
    stems = ["", "b", "ab", "by", "abb", "trac", "hop", "fail", "sky", "bow", "quiz", "controll", "x9"]
    words = {stem + first + second for stem in stems for first in SUFFIXES for second in ("", *SUFFIXES)}
    words |= {"".join(chance.choices("aeiouybcdlstzxw0", k=chance.randint(1, 9))) for _ in range(5000)}
    words |= {"sky", "skies", "dying", "news", "innings", "howe", "proceed", "succeed", "i", "as"}
    assert {word: porter_stem(word) for word in words} == {word: oracle.stem(word) for word in words}


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_is_measured_and_stays_in_range(a, b):
    assert word_error_rate(a, b) >= 0
    assert all(0 <= value <= 1 for value in (*rouge(a, b), indel_ratio(a, b)))
    assert 0 <= repeated_ngram_share(a) < 1
    assert word_error_rate(a, a) == 0
    assert indel_ratio(a, a) == 1


def test_repetition():
    assert repeated_share([]) == 0
    assert repeated_share([("cat", 1), ("cat", 1), ("dog", 2)]) == pytest.approx(1 / 3)
    assert repeated_ngram_share("one two three four five") == 0
    assert repeated_ngram_share("a b c d e f A B C D E F") == pytest.approx(1 - 6 / 7)


def test_rouge_of_nothing_and_its_mean():
    assert rouge("", "") == rouge("猫", "猫") == Rouge(0.0, 0.0, 0.0)
    assert rouge("cat", "cat") == Rouge(1.0, 0.0, 1.0)
    assert rouge("a b", "a b").mean == 1.0
