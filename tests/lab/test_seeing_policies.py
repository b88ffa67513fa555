"""The small policies that see: their replies, their chances, and their gradients."""

import numpy as np
import pytest

from sightline.core import Batch
from sightline.lab.worlds import diagrams, glances
from sightline.metrics.primitives import match_primitives
from sightline.parse.boxed import FinalBoxed
from sightline.parse.primitives import PrimitiveText
from sightline.rewards.checklist import Checklist

RNG = np.random.default_rng


def questions() -> glances.Questions:
    return glances.Questions.drawn(400, 0.45, 1.0, RNG(1))


def test_replies_earn_what_was_seen() -> None:
    asked, policy, rng = questions(), glances.Glancer(), RNG(2)
    for question in range(40):
        glance = policy.glance(asked, question, rng)
        row = glances.row(asked, glance, "checklist", 0)
        assert Checklist()(Batch.from_rows([row])).values[0] == pytest.approx(glance.seen.mean())
        reply = policy.reply(asked, question, rng)
        right = bool(reply.seen.all()) if reply.looked else bool(asked.lucky[question])
        assert (FinalBoxed()(reply.text) == asked.answer(question)) == right


def test_expected_shares_are_those_of_sampled_replies() -> None:
    asked, policy, rng = questions(), glances.Glancer(habit=0.5), RNG(3)
    right = [
        FinalBoxed()(policy.reply(asked, question, rng).text) == asked.answer(question)
        for question in range(400)
        for _ in range(20)
    ]
    assert np.mean(right) == pytest.approx(glances.figures(policy, asked)["accuracy"], abs=0.02)


def test_a_step_along_the_advantage_makes_a_reply_likelier() -> None:
    asked = questions()
    policy = glances.Glancer()
    before = policy.sees(asked)[7].copy(), policy.looks(asked)[7]
    policy.learn(asked, [glances.Reply(7, np.array([True, True, True]), 1.0, "")], np.array([0.1]))
    assert (policy.sees(asked)[7] > before[0]).all()
    assert policy.looks(asked)[7] > before[1]


def test_a_guess_teaches_nothing_about_seeing() -> None:
    asked, policy = questions(), glances.Glancer()
    policy.learn(asked, [glances.Reply(0, np.zeros(3, bool), 0.0, "")], np.array([0.1]))
    assert policy.skill.tolist() == [-0.5] * glances.KINDS
    assert policy.habit < 0


def test_a_diagram_in_words_is_read_as_it_is() -> None:
    true = diagrams.Diagram.drawn(RNG(4))
    found = match_primitives(PrimitiveText()(true.text()), PrimitiveText()(true.text()))
    assert found.nearness == 1
    assert len(found.distances) == len(true.points) + len(true.lines) + len(true.circles)


def test_a_steady_hand_that_keeps_everything_finds_everything() -> None:
    true = diagrams.Diagram.drawn(RNG(5))
    seen = diagrams.Draughtsman(spread=-9.0, keep=50.0, invent=-50.0).see(true, RNG(6))
    hits, listed, there = diagrams.found(seen.listed, true)
    assert hits == listed == there


def test_its_noise_has_a_floor() -> None:
    policy, true = diagrams.Draughtsman(), diagrams.Diagram.drawn(RNG(7))
    reply = policy.reason(true, policy.see(true, RNG(8)), RNG(9))
    policy.learn([reply] * 5, np.full(5, 100.0) * np.sign(1 - np.mean(reply.seen.noise**2)))
    assert np.exp(policy.spread) == pytest.approx(diagrams.STEADIEST)
