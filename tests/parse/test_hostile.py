"""No text makes a parser raise, hang, or take time beyond its length."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline import parse
from sightline.core import Missing
from sightline.parse.maths import is_formula, quickly_equal

MB = 1_000_000


def many(piece):
    return piece * (MB // len(piece))


HOSTILE = [
    "",
    "\x00" * 1000,
    "\u202e\u200f<answer>\u202e</answer>",
    "\ud800<answer>[\ud800]</answer>",
    '[{"bbox_2d": [1, 2, 3, 4], "label": "\\ud800"}]',
    "[1e999, NaN, -Infinity, 1e-999]",
    "9" * 100_000,
    f'[{{"bbox_2d": [{"9" * 100_000}, 1, 2, 3]}}]',
    f"[{'1' * 100_000}, [{'1' * 100_000},",
    f"({'1' * 100_000},1),({'1' * 100_000}",
    "[" + ",".join(['{"bbox_2d":[1,2,3,4],"label":"a"}'] * 100_000) + "]",
    "[" + ",".join(["[1,2,3,4]"] * 99_000) + "]",
    "[" + ",".join(["[1,2,3,4]"] * 39_000) + "]",
    "<answer>[" + ",".join(["{'Position':[1,2,3,4],'Confidence':1}"] * 2_000),
    many("["),
    many('{"a":'),
    many("]]"),
    many("[[1],"),
    many("<think>"),
    many("</think>"),
    many("<answer>"),
    many("<answer>\n"),
    many("<answer>") + "\n</answer>",
    many("<think></think> <answer>"),
    "<think>" + many("</think> <answer>{[1,2,3,4]") + "</answer>",
    "<think>" + many("</think> <answer>{</answer>"),
    "<think>" + many("</think> "),
    "<think></think>" + many(" ") + "<answer></answer>.",
    many("```json"),
    many("```json ``` "),
    many("```\n"),
    many('"\\'),
    "[" + many('\\"'),
    many("'\""),
    many("'") + "[",
    many("A. "),
    many("A,"),
    many("(A) "),
    many("答案A."),
    many(" "),
    many("\n"),
    many("\r\n"),
    "[1," + many(" "),
    many("(1,1),"),
    many("( "),
    many("\\boxed{"),
    many("\\boxed{}"),
    "\\boxed{" + many("{"),
    "\\boxed{" + many("\\"),
    many("."),
    many("ß"),
    many("İ"),
    many("yesno"),
    many("-"),
    many(","),
]

NESTED = [parse.Block(nested="inner"), parse.Block(lines="one", which="last"), parse.Block("think", which="last")]
ORIGINAL = parse.JsonList((parse.collapse_brackets, parse.drop_newlines, parse.double_quotes), (parse.close_list,))
PARSERS = [
    parse.ANSWER,
    parse.THINK,
    *NESTED,
    parse.THINK_ANSWER,
    parse.FullMatch(once=True),
    parse.FormWith((r"\{", r"\[\d+,\s*\d+,\s*\d+,\s*\d+\]", r"\}")),
    parse.FormWith((r"\{", r"\[\d+,\s*\d+,\s*\d+,\s*\d+\]", r"\}"), across=True),
    parse.Fence(),
    parse.Fence(None, "last"),
    parse.JsonList(),
    parse.LENIENT_LIST,
    ORIGINAL,
    parse.Detections(),
    parse.LENIENT_DETECTIONS,
    parse.Detections("Position", None, "Confidence", ORIGINAL, "fail"),
    parse.Inside(parse.ANSWER, parse.Inside(parse.Fence(otherwise="text"), parse.Detections())),
    parse.first_int_box,
    parse.first_point_pair,
    parse.point_pairs,
    parse.OptionLetter(),
    parse.OptionLetter("first", brackets=False),
    parse.lone_letter,
    parse.YesNo(),
    parse.YesNo("part"),
    parse.Number(),
    parse.Boxed(),
    parse.Boxed("first"),
    parse.clean_text,
    parse.one_line_lower,
    parse.squeezed,
]


NAMES = [f"{number} {getattr(parser, '__name__', type(parser).__name__)}" for number, parser in enumerate(PARSERS)]


@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
@pytest.mark.parametrize("parser", PARSERS, ids=NAMES)
def test_hostile_texts_cost_no_more_than_their_length(parser):
    for text in HOSTILE:
        parser(text)


@pytest.mark.parametrize("parser", PARSERS, ids=NAMES)
def test_parsers_are_hashable_and_pickle_to_an_equal(parser):
    again = pickle.loads(pickle.dumps(parser))
    assert (again, hash(again)) == (parser, hash(parser))


PIECES = ["<answer>", "</answer>", "<think>", "</think>", "```json", "```", "[", "]", "{", "}", '"bbox_2d":', "'", '"']
fragments = st.one_of(st.sampled_from([*PIECES, ",", "\\", "1", "-", "1e999", "\ud83d", "(", ")", "A.", "\\boxed{"]))
soup = st.lists(fragments | st.text(st.characters(), max_size=3), max_size=30).map("".join)


@given(soup)
def test_nothing_raises(text):
    for parser in PARSERS:
        found = parser(text)
        assert not isinstance(found, Missing) or found.why
    assert quickly_equal(text, text) in (True, False)
    assert quickly_equal(text, "1") in (True, False, None)
    assert is_formula(text) in (True, False)


@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
def test_quick_maths_is_linear_up_to_its_limit():
    for piece in (" ", "\\", "{", "$", "x+", "1,", "\\frac{", "\\left", "\\boxed{", "1/", "~", "a "):
        text = piece * (10_000 // len(piece))
        quickly_equal(text, "1")
        quickly_equal(text, text + "1")
