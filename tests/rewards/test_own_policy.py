"""A reward that asks the policy itself, and the policy put in its place."""

from __future__ import annotations

from typing import Any

import pytest

from sightline.core.batch import Batch
from sightline.judges import LexicalJudge, OwnPolicy
from sightline.rewards.look import Column, Look, NoPictures
from sightline.rewards.own_policy import asks_the_policy, with_policy
from sightline.rewards.second_look import Echo

LOOK = Look("{q}", (("q", Column("q")),), NoPictures(), continuation=Column("answer"))


def test_an_expression_that_does_not_ask_stays_as_it_is() -> None:
    reward = Echo(LexicalJudge(), LOOK)
    assert asks_the_policy(reward) == ()
    assert with_policy(reward, None, None) is reward


def test_the_gain_over_the_start_grows_from_nothing() -> None:
    torch = pytest.importorskip("torch", reason="a policy needs the extra `train`")
    torch.set_num_threads(1)
    from sightline.lab.models import tiny_vlm

    model, processor = tiny_vlm.load("base")
    gain = Echo(OwnPolicy(), LOOK) - Echo(OwnPolicy("start"), LOOK)
    bound: Any = with_policy(gain, model, processor)
    batch = Batch([""], {"q": ["what is red ?"], "answer": ["red usually 3"]})
    assert gain(batch).errors.all()
    assert bound(batch).values.tolist() == [0.0]
    ids = processor.tokenizer("<user>what is red ?<assistant>red usually 3", return_tensors="pt")["input_ids"]
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    model(input_ids=ids, labels=ids).loss.backward()
    optimizer.step()
    assert bound(batch).values[0] > 0
