"""How a reward and a system are written for a reader."""

from __future__ import annotations

import pytest

import sightline
from sightline import Constant, Switch
from sightline.core.errors import CompositionError
from sightline.rewards.answers import Answer, same_letter
from sightline.rewards.format import Format
from sightline.rewards.formula import expression

A, B = Constant(1.0).named("a"), Constant(2.0).named("b")


@pytest.mark.parametrize(
    ("reward", "written"),
    [
        (A + 0.1 * B, "a + 0.1 * b"),
        (A - B, "a - b"),
        ((A + B) / 2, "0.5 * (a + b)"),
        (A * (A + B), "a * (a + b)"),
        ((0.3 * B).when(A, above=0.5), "(0.3 * b).when(a, above=0.5)"),
        (B.when(A).clip(0, 1).fill(0), "b.when(a).clip(0, 1).fill(0)"),
        (A.group_count(above=0.5), "a.group_count(above=0.5)"),
        (Answer(same_letter, column="key"), "Answer(same_letter, column='key')"),
        (Switch("kind", {"x": A, "y": B}), "Switch(kind: x → a, y → b)"),
    ],
)
def test_an_expression_reads_as_it_is_typed(reward, written):
    assert expression(reward) == written


def test_print_says_what_each_name_stands_for():
    reward = Answer(same_letter).named("accuracy") + 0.1 * Format().named("format")
    assert str(reward) == "accuracy + 0.1 * format\n  accuracy = Answer(same_letter)\n  format   = Format()"
    assert repr(reward).startswith("Sum(terms=(Named(")  # exact: results are continued by it


@pytest.mark.parametrize("slug", sightline.names())
def test_a_system_is_one_line_in_lists_and_a_page_in_print(slug):
    system = sightline.load(slug)
    assert repr(system) == f"System({slug!r}, {system.title!r}, arXiv {system.arxiv})"
    assert system.formula in str(system)
    assert " at 0x" not in str(system)
    assert ("official = " in str(system)) == (system.official is not None)


def test_notebooks_show_the_same():
    class Printer:
        said = ""

        def text(self, words):
            self.said += words

    printer = Printer()
    A._repr_pretty_(printer, cycle=False)
    assert printer.said == str(A)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: A([{"completion": "a"}]), "scores a Batch, not list"),
        (lambda: A * "x", "weighted by a number or a reward, not by str"),
        (lambda: A / "x", "weighted by a number"),
        (lambda: A.when(0.5), "the gate of `when` is a reward, not 0.5"),
        (lambda: A.named(3), "needs a text"),
    ],
)
def test_what_does_not_fit_is_said_at_once(make, message):
    with pytest.raises(CompositionError, match=message):
        make()
