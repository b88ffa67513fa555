"""Blocks and full matches against the regular expressions they stand for."""

import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core import Batch, Missing
from sightline.core.errors import ConfigError
from sightline.parse import THINK_ANSWER, Block, Detections, FormWith, FullMatch, Inside

PIECES = ["<think>", "</think>", "<answer>", "</answer>", " ", "\n", "\x1c", "x", "[1, 2, 3, 4]", "{", "}", "<", "</"]
tag_soup = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)
REC_FORM = FormWith((r"\{", r"\[\d+,\s*\d+,\s*\d+,\s*\d+\]", r"\}"), across=True)


@given(tag_soup)
def test_first_and_last_block_are_what_the_expression_finds(text):
    found = re.findall("<answer>(.*?)</answer>", text, re.DOTALL)
    first, last = Block(strip=False)(text), Block(which="last", strip=False)(text)
    assert (first, last) == (found[0], found[-1]) if found else first == last == Missing("no closed <answer> block")


@given(tag_soup)
def test_one_line_blocks_are_what_a_dot_without_newline_finds(text):
    found = re.search("<answer>(.*?)</answer>", text)
    assert Block(lines="one", strip=False, otherwise="text")(text) == (found[1] if found else text)


@given(tag_soup)
def test_spans_point_into_the_text(text):
    for parser in (Block(), Block(which="last"), Block(nested="inner"), Block("think", otherwise="text")):
        span = parser.span(text)
        if not isinstance(span, Missing):
            assert text[span.start : span.end] == span.text == span.text.strip()


@given(st.one_of(tag_soup, tag_soup.map(lambda soup: f"<think>{soup}</think> <answer>{soup}</answer>")))
def test_full_match_is_the_full_match_of_the_expression(text):
    expected = re.fullmatch(r"<think>(.*?)</think>\s*<answer>(.*?)</answer>", text, re.DOTALL)
    found = THINK_ANSWER(text)
    assert bool(found) == bool(expected)
    if found and expected:
        assert tuple(span.text for span in found) == expected.groups()
        assert all(text[span.start : span.end] == span.text for span in found)


@given(tag_soup.map(lambda soup: f"<think>{soup}</think><answer>{soup}</answer>{soup}"))
def test_form_across_blocks_is_the_search_of_the_expression(text):
    expected = r"<think>.*?</think>\s*<answer>.*?\{.*\[\d+,\s*\d+,\s*\d+,\s*\d+\].*\}.*?</answer>"
    assert bool(REC_FORM(text)) == bool(re.search(expected, text, re.DOTALL))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<think>a</think><answer>{[1, 2, 3, 4]}</answer>", True),
        ("say <think>a</think>\n<answer>x {..[1,2,3,4]..} y</answer> more", True),
        ("<think>a</think><answer>no</answer><think>b</think><answer>{[1,2,3,4]}</answer>", True),
        ("<think>a</think><answer>no</answer> {[1,2,3,4]} </answer>", False),
        ("<think>a</think><answer>[1,2,3,4]</answer>", False),
        ("<think>a</think><answer>{[1.5,2,3,4]}</answer>", False),
        ("<think>a</think><answer>{[-1,2,3,4]}</answer>", False),
        ("<think>a</think> so <answer>{[1,2,3,4]}</answer>", False),
        ("<answer>{[1,2,3,4]}</answer>", False),
    ],
)
def test_form_within_one_block(text, found):
    assert bool(FormWith(REC_FORM.pieces)(text)) is found


def test_nested_blocks_have_a_policy():
    text = "<answer>draft <answer>final</answer> rest</answer>"
    assert Block()(text) == "draft <answer>final"
    assert Block(nested="inner")(text) == "final"


def test_full_match_says_why():
    assert FullMatch()("x").why == "does not begin with <think>"
    assert FullMatch()("<think>a</think><answer>b").why == "no </answer>"
    assert FullMatch()("<think>a</think>so<answer>b</answer>").why == "no </think> followed by <answer>"
    twice = "<think>a</think><answer>b</answer><answer>c</answer>"
    assert FullMatch()(twice)
    assert FullMatch(once=True)(twice).why == "<answer> occurs more than once"
    assert FullMatch(("a", "b", "c"))("<a>1</a><b>2</b> <c>3</c>")
    with pytest.raises(ConfigError, match="at least one tag"):
        FullMatch(())


def test_parsers_are_values():
    parser = Inside(Block("answer", "last"), Detections())
    again = pickle.loads(pickle.dumps(parser))
    assert again == parser
    assert hash(again) == hash(parser)
    batch = Batch(["<answer>[]</answer>", "none"])
    assert batch.parse(parser) is batch.parse(again)
