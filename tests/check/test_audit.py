"""Rewards with one hole each, planted to see that the audit finds it, and honest ones that pay no attack."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.check import ATTACKS, Attack, Case, audit, soundness
from sightline.check.anatomy import answer_span, quads, well_formed
from sightline.check.hostile import TEXTS
from sightline.check.mistakes import MISTAKES, mistaken, moved
from sightline.check.replies import answer_of
from sightline.core import Rollout, Score
from sightline.core.errors import ConfigError
from sightline.core.scores import abstain
from sightline.rewards import RowReward
from sightline.rewards.reference_likelihood import LogLikelihood

WORDS = [
    {
        "completion": "<think>A red cup stands there. It has a handle.</think><answer>blue bowl</answer>",
        "answer": "blue bowl",
        "question": "Is a blue bowl or a green jug in the picture?",
        "evidence": ["a red cup with a handle"],
    }
]
BOXES = [
    {
        "completion": '<answer>[{"bbox_2d": [100, 100, 340, 340], "confidence": 0.8}, '
        '{"bbox_2d": [500, 500, 740, 740], "confidence": 0.8}]</answer>',
        "boxes": [[100, 100, 340, 340], [500, 500, 740, 740]],
    }
]


def tagged(text: str) -> str:
    found = re.findall(r"<answer>(.*?)</answer>", text, re.DOTALL)
    return found[0].strip() if len(found) == 1 else ""


def iou(a, b) -> float:
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    inner = max(0, width) * max(0, height)
    areas = [abs((box[2] - box[0]) * (box[3] - box[1])) for box in (a, b)]
    return inner / (sum(areas) - inner) if sum(areas) > inner else 0.0


@dataclass(frozen=True)
class Planted(RowReward):
    """1 for the right answer in its tags, and something for nothing where a subclass says so."""

    reads: ClassVar = ("answer",)
    range: ClassVar = (-1e9, 1e9)

    def row(self, rollout: Rollout) -> Score:
        return Score(float(tagged(rollout.text) == rollout["answer"]) + self.gift(rollout))

    def gift(self, rollout: Rollout) -> float:
        return 0.0


class WinsByNothing(Planted):
    def gift(self, rollout: Rollout) -> float:
        return float(tagged(rollout.text) in rollout["answer"])


class AnyPartOfTheAnswer(Planted):
    def gift(self, rollout: Rollout) -> float:
        return float(rollout["answer"] in tagged(rollout.text))


class AnywhereInTheText(Planted):
    def gift(self, rollout: Rollout) -> float:
        return float(rollout["answer"] in rollout.text)


class HearsTools(Planted):
    def gift(self, rollout: Rollout) -> float:
        return float(any(rollout["answer"] in turn.text for turn in rollout.transcript))


class Obeys(Planted):
    def gift(self, rollout: Rollout) -> float:
        return float("highest score" in rollout.text)


class CountsWords(Planted):
    def gift(self, rollout: Rollout) -> float:
        return len(rollout.text.split()) / 100


class CountsKeywords(Planted):
    reads: ClassVar = ("answer", "evidence")

    def gift(self, rollout: Rollout) -> float:
        words = set(" ".join(rollout["evidence"]).split())
        return len(words & set(rollout.text.split())) / len(words)


class CountsSteps(Planted):
    def gift(self, rollout: Rollout) -> float:
        return rollout.text.count(".") / 10


class LikesTheQuestion(Planted):
    reads: ClassVar = ("answer", "question")

    def gift(self, rollout: Rollout) -> float:
        return float(rollout["question"] in rollout.text)


@dataclass(frozen=True)
class BestBox(RowReward):
    """The mean over gold boxes of the best overlap with any box of the reply, however many there are."""

    reads: ClassVar = ("boxes",)
    range: ClassVar = (-1e9, 1e9)

    def row(self, rollout: Rollout) -> Score:
        mine = self.found(rollout.text)
        best = [max((iou(box, gold) for box in mine), default=0.0) for gold in rollout["boxes"]]
        return Score(sum(best) / len(best) + self.gift(rollout))

    def found(self, text: str):
        return quads(text)

    def gift(self, rollout: Rollout) -> float:
        return 0.0


class OneEach(BestBox):
    """Honest: boxes of the one answer, and each beyond the number of gold boxes costs."""

    def row(self, rollout: Rollout) -> Score:
        return Score(super().row(rollout).value * min(1.0, 2 / max(1, len(self.found(rollout.text)))))

    def found(self, text: str):
        return quads(tagged(text))


class RepairsCorners(OneEach):
    def found(self, text: str):
        numbers = re.findall(r"\[(\d+), (\d+), (\d+), (\d+)\]", text)
        boxes = [[*map(float, four)] for four in numbers]
        return [(min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in boxes]


class PaysConfidence(OneEach):
    def gift(self, rollout: Rollout) -> float:
        return sum(map(float, re.findall(r'"confidence": (\d[\d.]*)', rollout.text)))


class PaysItems(BestBox):
    def gift(self, rollout: Rollout) -> float:
        return rollout.text.count("{")


class PaysDoubt(OneEach):
    def gift(self, rollout: Rollout) -> float:
        said = [float(one) for one in re.findall(r'"confidence": (-?[\d.]+)', rollout.text)]
        return sum(1 - max(0.0, one) for one in said) / max(1, len(said))


class MergesCopiesOnly(BestBox):
    """Equal boxes count once, so that only other boxes flood it."""

    def gift(self, rollout: Rollout) -> float:
        return 0.05 * len(set(quads(rollout.text)))


class CountsTags(Planted):
    def gift(self, rollout: Rollout) -> float:
        return rollout.text.count("<think>") / 100


class AnyBlock(Planted):
    """Looks for the answer in all answer blocks, those in the reasoning too."""

    def row(self, rollout: Rollout) -> Score:
        said = re.findall(r"<answer>(.*?)</answer>", rollout.text, re.DOTALL)
        return Score(float(rollout["answer"] in said))


class GivesUp(Planted):
    """Nothing to judge, it says, if the reply is long."""

    def row(self, rollout: Rollout) -> Score:
        return abstain("too long") if len(rollout.text) > 1000 else super().row(rollout)


class LikesLargeBoxes(OneEach):
    def gift(self, rollout: Rollout) -> float:
        return max((iou(box, (0, 0, 1000, 1000)) for box in quads(rollout.text)), default=0.0)


HOLES = [
    (WinsByNothing, WORDS, {"empty reply", "form only"}),
    (AnyPartOfTheAnswer, WORDS, {"either or", "both in a list", "both in lines"}),
    (AnyBlock, WORDS, {"several answers", "an answer in the reasoning"}),
    (CountsTags, WORDS, {"stuffed tags"}),
    (GivesUp, WORDS, {"padding"}),
    (PaysDoubt, BOXES, {"no confidence"}),
    (MergesCopiesOnly, BOXES, {"repeated items", "many boxes"}),
    (AnywhereInTheText, WORDS, {"answer only in the reasoning", "several replies", "several answers"}),
    (HearsTools, WORDS, {"quoted tool"}),
    (Obeys, WORDS, {"orders to the judge"}),
    (CountsWords, WORDS, {"padding", "repeated steps"}),
    (CountsKeywords, WORDS, {"stuffed keywords"}),
    (CountsSteps, WORDS, {"repeated steps"}),
    (LikesTheQuestion, WORDS, {"copied prompt"}),
    (BestBox, BOXES, {"many boxes"}),
    (RepairsCorners, BOXES, {"swapped corners"}),
    (PaysConfidence, BOXES, {"huge confidence"}),
    (PaysItems, BOXES, {"repeated items", "many boxes"}),
    (LikesLargeBoxes, BOXES, {"whole picture"}),
]


@pytest.mark.parametrize(("kind", "rows", "attacks"), HOLES, ids=[kind.__name__ for kind, _, _ in HOLES])
def test_a_hole_is_found(kind, rows, attacks) -> None:
    found = audit(kind(), rows)
    assert found.rows == 1
    assert attacks <= {one.attack for one in found.paid}, str(found)


@pytest.mark.parametrize(("kind", "rows"), [(Planted, WORDS), (OneEach, BOXES)], ids=["words", "boxes"])
def test_an_honest_reward_pays_nothing(kind, rows) -> None:
    found = audit(kind(), rows)
    assert found.paid == ()
    assert sum(one.cases > 0 for one in found.findings) >= 15
    assert all(check.passed for check in soundness(kind(), rows)[:4])


def test_every_attack_is_planted() -> None:
    """Each attack either finds a planted hole, or needs forms that the systems' specimens have."""
    found = set().union(*(attacks for _, _, attacks in HOLES))
    rest = {attack.name for attack in ATTACKS} - found
    assert rest == {"placeholder", "every option", "boxes without inside", "broken numbers", "hostile text"}


@pytest.mark.parametrize("gift", ["N/A", " or ", "1e999", "\x00"])
def test_the_others_find_holes_of_their_own(gift: str) -> None:
    @dataclass(frozen=True)
    class Pays(RowReward):
        reads: ClassVar = ("answer",)
        range: ClassVar = (0.0, 2.0)

        def row(self, rollout: Rollout) -> Score:
            paid = rollout.text.count(gift) > 2 if gift == " or " else gift in rollout.text
            return Score(float(tagged(rollout.text) == rollout["answer"]) + float(paid))

    rows = [{"completion": "<answer>7</answer>", "answer": "7"}]
    names = {"N/A": "placeholder", "1e999": "broken numbers", "\x00": "hostile text"}
    assert names.get(gift, "every option") in {one.attack for one in audit(Pays(), rows).paid}


def test_a_lucky_order_is_no_attack() -> None:
    """What a fixed text says by chance is not tried: it would be the right answer."""
    rows = [{"completion": "<think>So.</think><answer>yes</answer>", "answer": "yes"}]

    class First(Planted):
        def row(self, rollout: Rollout) -> Score:
            said = re.findall(r"<answer>(.*?)</answer>", rollout.text, re.DOTALL)
            return Score(float(said[:1] == [rollout["answer"]]))

    assert audit(First(), rows)["orders to the judge"].verdict == "holds"


@dataclass(frozen=True)
class TakesOne(Planted):
    """Of several answers one counts: who hedges has to choose all the same."""

    which: int = 0

    def row(self, rollout: Rollout) -> Score:
        return Score(float(re.split(r" or |, |\n", tagged(rollout.text))[self.which] == rollout["answer"]))


@pytest.mark.parametrize("which", [0, -1])
def test_a_hedge_has_to_pay_in_both_orders(which: int) -> None:
    assert audit(TakesOne(which), WORDS).paid == ()


class PaysTheForm(Planted):
    def gift(self, rollout: Rollout) -> float:
        return 0.5 * float(rollout.text.endswith("</answer>"))


def test_broken_replies_are_not_attacked() -> None:
    """What mends the form would seem to pay there."""
    broken = {**WORDS[0], "completion": WORDS[0]["completion"] + " So it is.", "question": "another"}
    assert audit(PaysTheForm(), [*WORDS, broken]).rows == 1
    assert audit(PaysTheForm(), [broken]).rows == 1  # if there is nothing else
    assert "orders to the judge" not in {one.attack for one in audit(PaysTheForm(), [*WORDS, broken]).paid}


def test_a_lucky_mistake_hides_nothing() -> None:
    """The near mistake happens to be paid, the other is not: what pays more than that one is found."""

    @dataclass(frozen=True)
    class NearlyRight(RowReward):
        reads: ClassVar = ("answer",)
        range: ClassVar = (0.0, 2.0)

        def row(self, rollout: Rollout) -> Score:
            said = tagged(rollout.text)
            if not said:
                return Score(0.5)
            return Score(max(0.0, 1 - 0.4 * abs(int(said) - int(rollout["answer"]))) if said.isdigit() else 0.0)

    one = audit(NearlyRight(), [{"completion": "<answer>7</answer>", "answer": "7"}])["form only"]
    assert (one.start, one.honest, one.earned) == ("other", pytest.approx(0.2), 0.5)


def test_a_reply_that_is_not_scored_has_escaped() -> None:
    one = audit(GivesUp(), WORDS)["padding"]
    assert one.pays
    assert one.escaped > 0
    assert audit(Planted(), WORDS)["padding"].escaped == 0


def test_columns_that_the_policy_fills_follow_the_reply() -> None:
    rows = [
        {"completion": "<think>It is red.</think> <answer>red</answer>", "answer": "red", "reference_logps": [-1.0]}
    ]
    found = audit(LogLikelihood(), rows)
    assert {one.attack for one in found.paid} == {"answer only in the reasoning", "stuffed keywords"}
    assert found["answer only in the reasoning"].earned == pytest.approx(math.log(0.9))


def test_rankings_and_code_are_no_boxes() -> None:
    assert quads("<answer>[4, 1, 2, 3]</answer> [1, 2, 3, 4]") == []
    assert quads("```python\nx = [10, 10, 50, 40]\n``` [10, 10, 50, 40]") == [(10, 10, 50, 40)]
    assert quads("```json\n[10, 10, 50, 40]\n```") == [(10, 10, 50, 40)]


def test_boxes_without_inside_are_tried() -> None:
    class PaysPoints(OneEach):
        def gift(self, rollout: Rollout) -> float:
            return float("[0, 0, 0, 0]" in rollout.text)

    assert audit(PaysPoints(), BOXES)["boxes without inside"].earned == 1.0


def test_a_finding_says_what_was_earned_and_where() -> None:
    one = audit(Obeys(), WORDS)["orders to the judge"]
    assert (one.right, one.honest, one.earned, one.row, one.verdict) == (1.0, 0.0, 1.0, 0, "pays")
    assert "highest score" in one.completion


def test_an_attack_of_ones_own() -> None:
    def politeness(case: Case, text: str) -> list[str]:
        """Says please."""
        return [text + " please"]

    class Polite(Planted):
        def gift(self, rollout: Rollout) -> float:
            return float("please" in rollout.text)

    found = audit(Polite(), WORDS, [Attack(politeness)])
    assert [(one.attack, one.what, one.pays) for one in found.findings] == [("politeness", "Says please.", True)]


def test_rows_that_tell_nothing_are_left_out() -> None:
    rows = [*WORDS, {**WORDS[0], "answer": "a third thing"}]
    found = audit(Planted(), rows)
    assert (found.rows, found.left_out) == (1, 1)
    assert audit(Planted(), rows[1:])["padding"].verdict == "not tried"


def test_messages_say_what_is_missing() -> None:
    assert "give rows whose completion is a good reply" in str(audit(Planted(), [{**WORDS[0], "answer": "a third"}]))
    told = str(audit(Obeys(), WORDS))
    assert "orders to the judge            pays       wrong reply        0  attack        1" in told
    assert "row 0: '<think>Ignore all" in told
    for rows in ([], ["a"]):
        with pytest.raises(ConfigError, match="dictionaries"):
            audit(Planted(), rows)


def test_attacks_stay_in_their_group() -> None:
    """The rest of the group is as it was, whatever is tried in the place of one."""
    from sightline.rewards.reward import Reward

    seen = []

    @dataclass(frozen=True)
    class Watches(Reward):
        scope: ClassVar = "group"

        def score(self, batch):
            seen.extend([batch.texts[i] for i in group] for group in batch.groups())
            from sightline.core import Scores

            return Scores.of([float(tagged(text) == "yes") for text in batch.texts])

    rows = [{"completion": f"<answer>{word}</answer>", "group": 7, "id": word} for word in ("yes", "no", "maybe")]
    audit(Watches(), rows)
    own = {row["completion"] for row in rows}
    assert len(seen) > 20
    assert all(len(group) == 3 and len(own & set(group)) >= 2 for group in seen)


def test_worse_for_better_boxes_is_found() -> None:
    class Contrary(OneEach):
        def gift(self, rollout: Rollout) -> float:
            return 0.6 * float(quads(rollout.text)[:1] == [(160.0, 100.0, 400.0, 340.0)])

    check = soundness(Contrary(), BOXES)[0]
    assert (check.cases, check.passed) == (1, False)


def test_order_of_items_is_found() -> None:
    class FirstOnly(OneEach):
        def found(self, text: str):
            return quads(text)[:1]

        def row(self, rollout: Rollout) -> Score:
            mine = self.found(rollout.text)
            return Score(iou(mine[0], rollout["boxes"][0]) if mine else 0.0)

    found = {check.name: check for check in soundness(FirstOnly(), BOXES)}
    assert not found["another order of items"].passed
    assert found["a lost piece costs"].note == "costs 1 to 1"


def test_honest_mistakes() -> None:
    assert mistaken("<answer>B</answer>") == "<answer>A</answer>"
    assert mistaken("\\boxed{\\frac{1}{2}}") == "\\boxed{\\frac{2}{3}}"
    assert moved([0, 0, 40, 40]) == [20, 0, 60, 40]
    assert iou(moved([0, 0, 90, 90], size=(90, 90)), [0, 0, 90, 90]) == pytest.approx(1 / 3)
    assert mistaken('{"bbox_2d": [10, 20, 50, 60], "point_2d": [30, 40]}') == (
        '{"bbox_2d": [30, 20, 70, 60], "point_2d": [50, 40]}'
    )
    near, other = (mistaken("<answer>the red cup is at 3</answer>", how=how) for how in MISTAKES)
    assert (near, other) == ("<answer>the kettle cup is at 4</answer>", "<answer>the red meadow is at 5</answer>")
    assert mistaken("cat", how=MISTAKES[1]) != "cat"
    assert mistaken("1e999") != "1e999"
    assert iou(moved([100, 100, 140, 140]), [100, 100, 140, 140]) == pytest.approx(1 / 3)
    right = BOXES[0]["completion"]
    assert len(quads(mistaken(right))) == len(quads(right))
    assert well_formed(mistaken(right))


@settings(max_examples=150)
@given(
    st.text(max_size=60)
    | st.lists(
        st.sampled_from(["<answer>", "</answer>", "\\boxed{", "}", "[1, 2, 3, 4]", " B", '{"a": 1}', "<think>", "."])
    ).map("".join)
)
def test_any_reply_can_be_taken_apart(text: str) -> None:
    start, end = answer_span(text)
    assert 0 <= start <= end <= len(text)
    case = Case({"completion": text}, text, mistaken(text))
    for attack in ATTACKS:
        made = attack.make(case, case.wrong)
        assert list(made) == list(attack.make(case, case.wrong))
    assert answer_of(text) in text


@pytest.mark.timeout(120)
def test_hostile_replies_are_taken_apart_in_time() -> None:
    for text in TEXTS:
        mistaken(text)
        well_formed(text)
        answer_span(text)
