"""The judge without a model, case by case."""

from __future__ import annotations

import pytest

from sightline.judges import OverlapJudge, Question


def says(reasoning: str, *evidence: str, threshold: float = 0.6) -> str | None:
    question = Question("", (("evidence", evidence), ("reasoning", reasoning)))
    return OverlapJudge(threshold).generate([question])[0].value


BALL = "a red ball enters the basket"


@pytest.mark.parametrize(
    ("reasoning", "evidence", "expected"),
    [
        ("I can see the red ball going into the basket", [BALL], "1"),  # 3 of 4
        ("sports videos usually end with a score", [BALL], "0"),
        ("red ball", [BALL], "0"),  # 2 of 4
        ("one two three", ["one two three four five"], "1"),  # exactly 0.6
        ("RED_BALL, Basket!", [BALL], "1"),  # case, punctuation and underscores separate
        ("redball basket enters", [BALL], "0"),  # no parts of words
        ("red balls enter baskets", [BALL], "0"),  # no stems
        ("nothing of it", ["green grass", BALL.upper(), "red ball"], "0"),
        ("the ball was red", ["green grass", "red ball"], "1"),  # any item is enough
        ("it is what it is", ["it is", "the of", ""], "0"),  # items without content words
        ("ball", ["ball ball ball red"], "0"),  # each word counts once: 1 of 2
        ("ball 3", ["ball 3"], "1"),  # digits are words
        ("мяч красный", ["Красный мяч"], "1"),
        ("", [BALL], "0"),
        ("red ball", [], "0"),
    ],
)
def test_share_of_content_words(reasoning: str, evidence: list[str], expected: str) -> None:
    assert says(reasoning, *evidence) == expected


def test_threshold() -> None:
    assert says("red ball", BALL, threshold=0.5) == "1"
    assert says("red ball basket", BALL, threshold=0.8) == "0"


def test_question_without_its_fields_is_an_error() -> None:
    verdicts = OverlapJudge().generate([Question("q"), Question("q", (("evidence", ["a"]), ("reasoning", None)))])
    assert all(verdict.value is None and "`evidence` and `reasoning`" in verdict.error for verdict in verdicts)
