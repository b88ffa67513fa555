"""Checklists, and what they tell the reasoning about a prompt."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core import Batch
from sightline.core.errors import ColumnError
from sightline.rewards import Constant
from sightline.rewards.checklist import ByOrder, Checklist, answer_key
from sightline.rewards.of_branch import OfBranch, Within
from sightline.rewards.whole_answer import WholeAnswer

KEY = "<a1>4</a1><a2>AB</a2><a3>60</a3>"


def earned(said: str, key: object = KEY, **options: object) -> float:
    return float(Checklist(**options)(Batch([said], {"probe_answer": [key]})).values[0])  # type: ignore[arg-type]


@given(st.permutations(["<a1>4</a1>", "<a2>AB</a2>", "<a3>60</a3>", "<a9>1</a9>"]))
def test_order_and_extra_blocks_do_not_count(blocks: list[str]) -> None:
    assert earned("".join(blocks)) == 1.0


@given(st.sets(st.sampled_from([1, 2, 3])))
def test_leaving_questions_out_never_pays(numbers: set[int]) -> None:
    right = {1: "4", 2: "AB", 3: "60"}
    assert earned("".join(f"<a{n}>{right[n]}</a{n}>" for n in numbers)) == pytest.approx(len(numbers) / 3)


def test_official_pays_the_easiest_question_alone() -> None:
    assert (earned("<a1>4</a1>"), earned("<a1>4</a1>", pairing=ByOrder())) == (pytest.approx(1 / 3), 1.0)


def test_the_first_guess_counts() -> None:
    assert earned("<a1>5</a1><a1>4</a1>", ["4"]) == 0.0


def test_reasons_name_what_was_wrong() -> None:
    scores = Checklist()(Batch(["<a1>5</a1><a2>AB</a2>"], {"probe_answer": [KEY]}))
    assert scores.why[0] == "2 of 3 wrong: 1: '5' for '4'; no block <a3>"


@pytest.mark.parametrize("key", ["<a1>4", "<a1></a1>", "<a1>4</a1><a1>5</a1>", {"a": 1}, [None], True])
def test_unreadable_keys_are_the_callers(key: object) -> None:
    with pytest.raises(ColumnError, match="`probe_answer` of row 0"):
        earned("", key)


def test_keys_are_read_alike_as_text_and_list() -> None:
    assert answer_key(KEY) == answer_key(["4", "AB", 60]) == answer_key(np.array(["4", "AB", "60"]))


@pytest.mark.parametrize(
    ("said", "right", "value"),
    [
        ("4 or 5", "5", 0), ("4, 5", "5", 0), ("2", "1, 2", 0), ("The answer is 5", "5", 0), ("5 = 4", "4", 0),
        ("x = 5", "5", 1), ("(1, 2)", "(1,2)", 1), ("1,200", "1200", 1), ("12 cm", "12", 1), ("12", "12 cm", 1),
        ("60cm", "60", 1), ("60", "60cm", 1), ("60 70cm", "70", 0), ("2ab", "2", 0), ("1e3", "1000", 1),
        ("1.5e-2", "0.015", 1), ("1e999", "1000", 0), ("4|5", "4", 0), ("4>5", "4", 0), (r"4 \to 5", "5", 0),
        (r"4\mid 5", "4", 0), ("4(5)", "4", 0), ("4_5", "4", 0), ("4!", "4", 0), ("x<4", "4>x", 1),
        ("2(x+1)", "2x+2", 1), (r"3\times 10^2", "300", 1), (r"\left(1,2\right)", "(1,2)", 1),
        (r"2\sqrt{3}", r"\sqrt{12}", 1), (r"\text{Evelyn}", "evelyn", 1), ("-3", "3", 0), ("50%", "50", 1),
    ],
)  # fmt: skip
def test_whole_answers(said: str, right: str, value: float) -> None:
    assert WholeAnswer()(said, right) == value


@pytest.mark.parametrize("said", ["", "  ", "9" * 400])
def test_answers_that_cannot_be_compared_say_so(said: str) -> None:
    assert getattr(WholeAnswer()(said, "9"), "why", "")


def branches(sides: str, **columns: list[object]) -> Batch:
    said = ["<a1>4</a1>" if letter == "p" else "<a1>5</a1>" for letter in sides]
    names = ["reason" if letter == "r" else "checklist" for letter in sides]
    return Batch(said, {"side": names, "probe_answer": ["4"] * len(sides), **columns}, group=[0] * len(sides))


SEEN = OfBranch(Checklist(), "checklist")


def test_a_rollout_hears_the_mean_of_the_other_branch() -> None:
    assert SEEN(branches("rrpx")).values == pytest.approx(0.5)  # x: a wrong checklist


def test_or_that_of_its_pair() -> None:
    found = SEEN(branches("rrrpx", pair=[0, 1, 2, 0, 1])).values
    assert found[:2].tolist() == [1.0, 0.0]
    assert np.isnan(found[2])


def test_without_the_branch_there_is_nothing_to_go_by() -> None:
    scores = SEEN(branches("rr"))
    assert scores.abstained.all()


def test_within_keeps_both_ends() -> None:
    assert Constant(1.0).map(Within(0.0, 1.0))(Batch(["a"])).values[0] == 1.0
