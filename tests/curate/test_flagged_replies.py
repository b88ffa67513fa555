"""Lessons for a verifier: three checks, one verdict, and nothing that is misquoted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sightline.core.missing import Missing
from sightline.curate.flagged_replies import FlagsReplies, listing
from sightline.judges import Question, Verdict
from sightline.parse.flagged import FlaggedPieces

ASKED: list[Question] = []


@dataclass(frozen=True)
class Teacher:
    """Checks by seed, merges by what it is told to say; None fails."""

    checks: tuple[str | None, str | None, str | None]
    merged: str | None
    id: str = "teacher"

    def generate(self, questions: Sequence[Question]) -> list[Verdict[str]]:
        ASKED.extend(questions)
        said = [self.merged if q.field("first") else self.checks[q.sampling.seed or 0] for q in questions]
        return [Verdict(error="down") if text is None else Verdict(text) for text in said]


ROW = {"problem": "What?", "response": "A red cup.", "images": ["a.png"]}


def test_three_checks_are_merged_into_a_lesson() -> None:
    ASKED.clear()
    teacher = Teacher(("one", "two", "three"), '<think>seen</think><answer>["red"]</answer>')
    (lesson,) = FlagsReplies(teacher)([ROW])
    assert not isinstance(lesson, Missing)
    assert lesson.pieces == ("red",)
    assert lesson.completion == '<think>seen</think><answer>["red"]</answer>'
    merging = ASKED[-1]
    assert [merging.field(name) for name in ("first", "second", "third")] == ["one", "two", "three"]
    assert set(merging.fenced) == {"response", "first", "second", "third"}
    assert merging.images == ("a.png",)
    assert len(ASKED) == 4


def test_what_cannot_be_a_lesson_says_why() -> None:
    good = ("one", "two", "three")
    cases = [
        (Teacher(("one", None, "three"), "x"), "a check failed: down"),
        (Teacher(good, None), "down"),
        (Teacher(good, "no tags"), "no closed <answer> block"),
        (Teacher(good, '<answer>["blue"]</answer>'), "not in the response: 'blue'"),
    ]
    for teacher, why in cases:
        (found,) = FlagsReplies(teacher)([ROW])
        assert isinstance(found, Missing)
        assert found.why == why


def test_a_listing_is_read_back() -> None:
    pieces = ['a "b"', "c\\d", "é"]
    assert FlaggedPieces()(f"<answer>{listing(pieces)}</answer>") == pieces
    assert FlaggedPieces()(f"<answer>{listing([])}</answer>") == []
