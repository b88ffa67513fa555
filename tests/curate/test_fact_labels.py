"""Descriptions labelled by two judges: labels, failures, alignment."""

import pytest

from sightline.core.errors import ColumnError, ConfigError
from sightline.curate.fact_labels import FactLabels, ProbablyYes, SaidYes, classes
from sightline.judges import Record, ReplayJudge, ScriptedJudge

FACTS = {
    "A red dog.": "Objects:\n- There is a dog.\nAttributes:\n- The dog is red.\nRelations:",
    "How nice.": "Objects: None",
    "A cat on a mat.": "Objects:\n- There is a cat.\n- There is a mat.\nRelations:\n- The cat is on the mat.",
}
TRUE = {"There is a dog.": "Yes.", "The dog is red.": "no", "There is a cat.": "yes", "There is a mat.": "hm"}
WRITER = ReplayJudge(tuple(Record(said, fields=(("phrase", phrase),)) for phrase, said in FACTS.items()))
CHECKER = ReplayJudge(tuple(Record(said, fields=(("fact", fact),)) for fact, said in TRUE.items()))


def labelled(text: str, **more):
    return next(FactLabels(WRITER, CHECKER, **more)([{"image": None, "text": text}]))


def test_labels() -> None:
    row = labelled("A red dog. How nice.")
    assert row["sub"] == ["A red dog.", "How nice."]
    assert row["labels"] == [[0, 1, -1], [-1, -1, -1]]
    assert classes(row) == [(1, 2, 0), (0, 0, 0)]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("A cat on a mat.", "the checker failed on a fact"),
        ("Something else.", "the writer failed"),
    ],
)
def test_failures_leave_no_labels(text: str, why: str) -> None:
    row = labelled(text)
    assert row["labels"] is None
    assert row["labels_error"].startswith(why)
    with pytest.raises(ConfigError):
        classes(row)


def test_failures_do_not_move_the_labels_of_others() -> None:
    rows = [{"image": None, "text": text} for text in ("A cat on a mat. A red dog.", "Else.", "A red dog.")]
    found = list(FactLabels(WRITER, CHECKER)(rows))
    assert [row["labels"] for row in found] == [None, None, [[0, 1, -1]]]


def test_a_separator_in_a_phrase_spoils_the_row() -> None:
    assert labelled("A red dog.", separator="red")["labels_error"] == "phrase 0 holds the separator red"


def test_two_phrasings_must_both_be_answered_yes() -> None:
    check = SaidYes(("Is it so? {fact}", "Do you see it? {fact}"))
    assert check(ScriptedJudge(("yes", "yes", "yes", "no")), [("a", None), ("b", None)]) == [True, False]


def test_threshold_for_judges_that_like_to_say_yes() -> None:
    judge = ScriptedJudge((), {"choose": ((0.8, 0.2), (0.9, 0.1))})
    assert ProbablyYes(0.8)(judge, [("a", None), ("b", None)]) == [False, True]


def test_wrong_rows() -> None:
    with pytest.raises(ColumnError):
        list(FactLabels(WRITER, CHECKER)([{"text": "a"}]))
    with pytest.raises(ConfigError):
        classes({"sub": ["a"], "labels": [[0, 2, 0]]})
