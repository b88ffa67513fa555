"""Picking by typicality and pruning while texts are written: the arithmetic of tokens, ties, and who may be picked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from sightline.core.errors import ConfigError, JudgeError
from sightline.judges import ScriptedJudge, Verdict
from sightline.judges.lexical import LexicalEmbedder
from sightline.search.prune import Halving, Piece
from sightline.search.typical import Bank, best, eligible


@dataclass
class Words:
    """A writer of texts that are known beforehand, a word a token; notes what it is asked to extend."""

    texts: tuple[str, ...]

    def __post_init__(self) -> None:
        self.asked: list[tuple[tuple[int, ...], int]] = []

    def extend(self, candidates: Sequence[int], tokens: int) -> list[Piece]:
        self.asked.append((tuple(candidates), tokens))
        split = [self.texts[i].split() for i in candidates]
        return [Piece(" ".join(w[:tokens]), min(tokens, len(w)), tokens >= len(w)) for w in split]


LONG = "aa bb cc. " * 40


@pytest.mark.parametrize(
    ("candidates", "budget", "shares", "tokens", "saving"),
    [
        (8, 100, (0.25, 0.5, 0.75), 375, 0.53125),
        (16, 120, (0.2, 0.4, 0.6, 0.8), 744, 0.6125),
        (4, 100, (0.5,), 300, 0.25),
    ],
)
def test_tokens_of_the_worked_examples(
    candidates: int, budget: int, shares: tuple[float, ...], tokens: int, saving: float
) -> None:
    found = Halving(shares)(Words((LONG,) * candidates), candidates, budget, lambda texts, ended: [0.0] * len(texts))
    assert found.tokens == tokens
    assert found.saving == pytest.approx(saving)
    assert found.chosen == 0


def test_the_better_half_goes_on_and_ties_go_to_the_first() -> None:
    writer = Words(tuple(f"x{i} aa. " * 50 for i in range(4)))
    score = {"x0": 0.0, "x1": 1.0, "x2": 1.0, "x3": 1.0}
    found = Halving((0.5,))(writer, 4, 100, lambda texts, ended: [score[text[:2]] for text in texts])
    assert writer.asked == [((0, 1, 2, 3), 50), ((1, 2), 100)]
    assert found.chosen == 1


def test_ended_candidates_cost_nothing_more_and_still_count() -> None:
    writer = Words(("aa. bb. cc. dd.", LONG, LONG, LONG))
    found = Halving((0.25, 0.5))(writer, 4, 100, lambda texts, ended: [float(end) for end in ended])
    assert writer.asked == [((0, 1, 2, 3), 25), ((1,), 50)]
    assert (found.tokens, found.chosen) == (4 + 50 + 25 + 25, 0)


def test_an_odd_number_is_halved_downwards() -> None:
    writer = Words((LONG,) * 5)
    found = Halving()(writer, 5, 80, lambda texts, ended: [0.0] * len(texts))
    assert writer.asked == [((0, 1, 2, 3, 4), 20), ((0, 1), 40), ((0,), 60), ((0,), 80)]
    assert found.tokens == 5 * 20 + 2 * 20 + 20 + 20


@pytest.mark.parametrize(("candidates", "budget"), [(0, 10), (3, 0)])
def test_nothing_to_write_is_the_callers_mistake(candidates: int, budget: int) -> None:
    with pytest.raises(ConfigError, match="both must be at least 1"):
        Halving()(Words((LONG,) * 3), candidates, budget, lambda texts, ended: [0.0] * len(texts))


def test_a_single_candidate_is_written_whole() -> None:
    found = Halving()(Words((LONG,)), 1, 100, lambda texts, ended: [0.0] * len(texts))
    assert (found.tokens, found.saving) == (100, 0.0)


def test_checkpoints_by_sentences() -> None:
    writer = Words(tuple(f"x{i} aa bb cc. " * 50 for i in range(4)))
    found = Halving(every=2, stride=4)(writer, 4, 100, lambda texts, ended: [float(text[1]) for text in texts])
    assert (found.chosen, found.tokens) == (3, 8 * 4 + 8 * 2 + 84)


def test_only_ended_sentences_are_judged_while_writing() -> None:
    bank = Bank.of(LexicalEmbedder(), ["Heart large. No effusion."])
    texts = ["Heart large. Pigs fl", "Heart large. Pigs fl", "No eff", ""]
    assert [round(v, 6) for v in bank.rate(texts, [False, True, False, True])] == [0, -0.5, -2, -2]


def test_short_texts_are_not_picked() -> None:
    bank = Bank.of(LexicalEmbedder(), ["Heart large. No effusion. Lungs clear."])
    assert bank.choose(["Heart large.", "Heart large. No effusion. Pigs fly. Lungs clear."]) == 1
    assert bank.choose(["Heart large.", "Pigs fly."]) == 0
    assert eligible([6, 6, 3, 2]) == [True, True, True, False]
    assert best([0.0, 0.0], [1, 1]) == 0


def test_whole_reports_as_neighbours() -> None:
    reports = ["Heart large. No effusion.", "Heart large. Lungs clear.", "Rib broken. Tube in place."]
    near, far = (Bank.of(LexicalEmbedder(), reports, k=k).scores([reports[0]])[0] for k in (1, 3))
    assert near == pytest.approx(0)
    assert far == pytest.approx(-(0 + 0.5 + 1) / 3)


def test_what_cannot_be_used_is_refused() -> None:
    with pytest.raises(ConfigError, match="needs sentences"):
        Bank.of(LexicalEmbedder(), ["", "..."])
    with pytest.raises(JudgeError, match="down"):
        Bank.of(ScriptedJudge((Verdict(error="down"),)), ["Heart large."])
    with pytest.raises(ConfigError, match="increase"):
        Halving((0.5, 0.25))


def test_a_rare_true_finding_looks_worse_than_a_common_one() -> None:
    """The bank prefers the typical report: report a clinical metric beside it."""
    bank = Bank.of(LexicalEmbedder(), ["Lungs are clear."] * 20 + ["Heart is normal."])
    common, rare = bank.scores(["Lungs are clear. Heart is normal.", "Lungs are clear. Dextrocardia."])
    assert common > rare
    assert np.isclose(rare, -0.5)
