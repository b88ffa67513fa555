"""Rewards for a diagram that was seen and kept to."""

import numpy as np
import pytest

from sightline.core import Batch
from sightline.judges import ScriptedJudge
from sightline.judges.judge import Question, Verdict
from sightline.rewards.faithful_steps import FaithfulSteps
from sightline.rewards.primitives import DrawnAlike, PrimitiveFit

GOLD = "Point: (0, 0) (10, 0)"


class Counting:
    """Embeds every picture by its ink, and counts."""

    id = "counting"

    def __init__(self) -> None:
        self.asked = 0

    def embed(self, questions: list[Question]) -> list[Verdict[tuple[float, ...]]]:
        self.asked += len(questions)
        return [Verdict((float((255 - np.asarray(q.images[0], float)).sum()), 1.0)) for q in questions]


def seen(text: str) -> str:
    return f"<WATCHING>{text}</WATCHING>"


def test_leaving_out_and_inventing_never_pay() -> None:
    said = [seen(GOLD), seen("Point: (0, 0)"), seen(f"{GOLD} (5, 5)"), seen(f"{GOLD} Circle: (0, 0, 1)")]
    strict, printed = (PrimitiveFit(complete=c)(Batch(said, {"primitives": [GOLD] * 4})).values for c in (True, False))
    assert strict.tolist() == pytest.approx([1, 2 / 3, 0.8, 0.8])
    assert printed.tolist() == [1, 1, 1, 1]


def test_reasons_count_what_was_missed() -> None:
    scores = PrimitiveFit()(Batch([seen("Point: (0, 0)")], {"primitives": [GOLD]}))
    assert scores.why[0] == "cost 0, 1 missed, 0 invented"


def test_the_logged_cost_has_prices_and_the_value_has_none() -> None:
    batch = Batch([seen("Circle: (0, 0, 1)")], {"primitives": [GOLD]})
    for reward, cost in ((PrimitiveFit(), "cost 3"), (PrimitiveFit(missed=0.5, invented=3.0), "cost 4")):
        scores = reward(batch)
        assert (scores.values[0], scores.why[0].split(",")[0]) == (0, cost)


def test_equal_diagrams_are_drawn_and_asked_once() -> None:
    judge = Counting()
    said = [seen(GOLD), seen("Point: (0, 0)"), seen("Point:  (0,0)"), seen("nothing")]
    values = DrawnAlike(judge)(Batch(said, {"primitives": [GOLD] * 4})).values  # type: ignore[arg-type]
    assert judge.asked == 2
    assert values[0] == pytest.approx(1)
    assert values[3] == 0


def test_the_picture_itself_can_be_compared_with() -> None:
    white = np.full((8, 8, 3), 255, np.uint8)
    judge = ScriptedJudge(((1.0, 0.0), (0.0, 1.0)))
    batch = Batch([seen(GOLD)] * 2, {"picture": [[white], None]})
    scores = DrawnAlike(judge, picture="picture")(batch)
    assert scores.values[0] == 0.5
    assert scores.abstained[1]


@pytest.mark.parametrize("vector", [(0.0, 0.0), (1.0, 0.0, 0.0)])
def test_embeddings_without_direction_are_the_judges_fault(vector: tuple[float, ...]) -> None:
    judge = ScriptedJudge((vector, (1.0, 0.0)))
    assert DrawnAlike(judge)(Batch([seen("Point: (1, 1)")], {"primitives": [GOLD]})).errors[0]


def test_a_long_reasoning_is_judged_to_the_end() -> None:
    text = seen("x") + "<THINKING>" + "\n".join(f"step {n}" for n in range(10)) + "</THINKING>"
    reward = FaithfulSteps(ScriptedJudge(((1.0, 0.0),) * 3), most=3)
    scores = reward(Batch([text]))
    assert scores.values[0] == 1.0
    assert text[slice(*scores.marks[0][2].place)].endswith("step 9")


def test_steps_are_asked_with_what_came_before() -> None:
    text = seen("P") + "<THINKING>first\nsecond</THINKING>"
    first, second = FaithfulSteps(ScriptedJudge(()))._asked(text)
    assert (first.field("before"), second.field("before")) == ("", "first\n")
    assert second.field("step") == "second"
    assert "P" in second.text()


@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
def test_a_flood_of_primitives_is_scored_quickly() -> None:
    flood = seen("Point: " + "(1, 2) " * 3000 + "Line: " + "(0, 0) -- (1, 2) " * 2000)
    PrimitiveFit()(Batch([flood] * 4, {"primitives": [GOLD + " Line: (0, 0) -- (5, 1)"] * 4}))
