"""Checklists that a teacher writes, and the rows made of them."""

import json

import pytest

from sightline.core.errors import ColumnError
from sightline.curate.checklists import ChecklistWriter, checklist_rows
from sightline.judges import ScriptedJudge
from sightline.judges.judge import Verdict

ROW = {"problem": "<image>Twice the dots?", "answer": "8", "images": ["a.png"]}


def written(*items: object, reply: object = None) -> dict[str, object]:
    return ChecklistWriter(ScriptedJudge((json.dumps(items) if reply is None else reply,)))([ROW])[0]


def test_what_cannot_be_checked_by_rule_is_dropped() -> None:
    good = {"question": "How many dots?", "answer": 4}
    bad = [
        {"question": "Why?", "answer": "because " * 9},
        {"question": "twice the DOTS?", "answer": "8"},
        "x",
        {"question": "", "answer": "1"},
    ]
    made = written(*bad, good, {"question": "Tags?", "answer": "</a1><a2>9"}, {"question": "Is it?", "answer": True})
    assert (made["probe_problem"], made["probe_answer"]) == ("<q1>How many dots?</q1>", "<a1>4</a1>")


@pytest.mark.parametrize("reply", ["no list", "[]", "[1, 2]", Verdict(error="busy")])
def test_a_row_without_a_checklist_says_why(reply: object) -> None:
    made = written(reply=reply)
    assert made["probe_answer"] == ""
    assert made["probe_error"]


def test_rows_need_question_and_answer() -> None:
    with pytest.raises(ColumnError, match="row 0 needs column `answer`"):
        ChecklistWriter(ScriptedJudge(()))([{"problem": "?"}])


def test_two_neighbouring_rows_with_the_pictures_on_both() -> None:
    rows = list(checklist_rows([{**ROW, "probe_problem": "<q1>How many?</q1>", "probe_answer": "<a1>4</a1>"}] * 2))
    assert [row["side"] for row in rows] == ["reason", "checklist"] * 2
    assert all(row["prompt"][0]["content"][0] == {"type": "image"} and row["images"] == ["a.png"] for row in rows)
    assert "<a" in rows[1]["prompt"][0]["content"][1]["text"]
    assert "\\boxed" in rows[0]["prompt"][0]["content"][1]["text"]


def test_places_of_pictures_are_not_shown_as_words() -> None:
    given = {**ROW, "probe_problem": "<image><q1>How many?</q1>", "probe_answer": "<a1>4</a1>"}
    asked = [row["prompt"][0]["content"][1]["text"] for row in checklist_rows([given])]
    assert [text.splitlines()[0] for text in asked] == ["Twice the dots?", "<q1>How many?</q1>"]


def test_the_question_may_have_another_name() -> None:
    row = {"question": "Twice the dots?", "probe_problem": "", "probe_answer": ""}
    assert next(checklist_rows([row], "question"))["prompt"][0]["content"].startswith("Twice")
    with pytest.raises(ColumnError, match="needs a text in column `problem`"):
        next(checklist_rows([row]))


def test_a_bare_question_is_answered_in_a_box() -> None:
    row = list(checklist_rows([{**ROW, "probe_problem": "How many?", "probe_answer": "4"}]))[1]
    assert "\\boxed" in row["prompt"][0]["content"][1]["text"]


def test_an_empty_checklist_keeps_the_sides_aligned() -> None:
    rows = list(checklist_rows([{**ROW, "probe_problem": "", "probe_answer": ""}]))
    assert [row["side"] for row in rows] == ["reason", "checklist"]
