"""Truncate and regenerate: where it cuts, when it stops, and that it works in batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from sightline.core.errors import ConfigError, ShapeError
from sightline.core.missing import Missing
from sightline.judges.word_flags import WordFlags
from sightline.search.truncate import JudgeVerifies, TruncateAndRegenerate, doubt


@dataclass
class Writes:
    """Writes the next of some endings, and remembers what it went on from."""

    endings: list[str]
    begun: list[list[str]] = field(default_factory=list)

    def __call__(self, rows: Sequence[int], beginnings: Sequence[str]) -> list[str]:
        self.begun.append(list(beginnings))
        return [self.endings[len(self.begun) - 1]] * len(rows)


def flags(*words: str):
    def verify(rows: Sequence[int], texts: Sequence[str]) -> list[list[str] | Missing]:
        return [[word for word in words if word in text] for text in texts]

    return verify


def test_it_cuts_before_the_first_piece_in_the_text_not_in_the_list() -> None:
    writer = Writes(["fine"])
    (found,) = TruncateAndRegenerate()(["a bad then a worse end"], flags("worse", "bad"), writer)
    assert writer.begun == [["a "]]
    assert found.text == "a fine"
    assert (found.cuts, found.stopped, found.written) == (1, "nothing flagged", 4)


def test_rounds_are_bounded() -> None:
    writer = Writes(["bad 1", "bad 2", "bad 3"])
    (found,) = TruncateAndRegenerate(3)(["so bad"], flags("bad"), writer)
    assert (found.text, found.cuts, found.stopped) == ("so bad 3", 3, "out of rounds")
    (kept,) = TruncateAndRegenerate(0)(["so bad"], flags("bad"), writer)
    assert kept.text == "so bad"
    assert kept.cuts == 0


def test_what_cannot_be_found_stops_it() -> None:
    writer = Writes([])
    (found,) = TruncateAndRegenerate()(["a cup"], lambda rows, texts: [["A cup", ""]], writer)
    assert (found.text, found.stopped, found.flagged) == ("a cup", "not found", ("A cup", ""))
    assert not writer.begun


def test_a_verifier_that_fails_keeps_the_reply() -> None:
    (found,) = TruncateAndRegenerate()(["a"], lambda rows, texts: [Missing("down")], Writes([]))
    assert (found.text, found.stopped) == ("a", "not verified")


def test_a_nudge_stands_behind_the_cut() -> None:
    writer = Writes(["a cat."])
    (found,) = TruncateAndRegenerate(nudge=doubt)(["I see bad dogs."], flags("bad dogs"), writer)
    assert found.text == 'I see Wait, I should look again before I say "bad dogs". a cat.'
    assert (found.cuts, found.stopped) == (1, "not found")  # all that is flagged is the nudge's own quotation


def test_a_piece_behind_its_nudge_is_cut_again() -> None:
    writer = Writes(["bad dogs again", "a cat"])
    (found,) = TruncateAndRegenerate(nudge=doubt)(["I see bad dogs."], flags("bad dogs"), writer)
    assert found.text == f"I see {doubt('bad dogs')}{doubt('bad dogs')}a cat"
    assert found.cuts == 2


def test_only_rows_that_need_it_go_on() -> None:
    writer = Writes(["bad", "good"])
    found = TruncateAndRegenerate()(["fine", "x bad", "y bad"], flags("bad"), writer)
    assert [one.text for one in found] == ["fine", "x good", "y good"]
    assert writer.begun == [["x ", "y "], ["x ", "y "]]
    assert TruncateAndRegenerate()([], flags("bad"), writer) == []


def test_a_judge_verifies() -> None:
    verify = JudgeVerifies(WordFlags(), ["?", "?"])
    found = TruncateAndRegenerate()(["A cup. A unicorn.", "A cup."], verify, Writes(["A mug."]))
    assert [one.text for one in found] == ["A cup. A mug.", "A cup."]
    assert isinstance(JudgeVerifies(Silent(), ["?"])([0], ["a"])[0], Missing)


@dataclass(frozen=True)
class Silent:
    id: str = "silent"

    def generate(self, questions):
        raise TimeoutError("no answer")


def test_partners_must_answer_for_every_reply() -> None:
    with pytest.raises(ShapeError, match="verifier answered 0 times for 1"):
        TruncateAndRegenerate()(["a"], lambda rows, texts: [], Writes([]))
    with pytest.raises(ShapeError, match="writer answered 0 times for 1"):
        TruncateAndRegenerate()(["bad"], flags("bad"), lambda rows, texts: [])
    with pytest.raises(ConfigError, match="at least 0"):
        TruncateAndRegenerate(-1)
