"""Likelihood rewards in training: both terms of the gradient, RLPR's columns, and frozen videos."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("trl")

import torch
from tiny import DEPRECATED, QUIET, model, tokenizer

import sightline
from sightline.core import Batch, Scores
from sightline.core.missing import Missing
from sightline.core.rollout import Rollout
from sightline.credit import GroupRelative, Tokens
from sightline.credit.likelihood_credit import LikelihoodCredit
from sightline.metrics.likelihoods import mean_probability
from sightline.rewards.answer_slot import AnswerSlot
from sightline.rewards.motion import MotionGrounding
from sightline.rewards.policy_columns import Continuation
from sightline.rewards.reference_likelihood import Likelihood
from sightline.train import grpo

pytestmark = pytest.mark.filterwarnings(DEPRECATED)


@dataclass(frozen=True)
class AfterTheFirstWord(AnswerSlot):
    """The tiny model writes no tags: its answer is put behind its first word."""

    def __call__(self, rollout: Rollout) -> Continuation | None:
        words = rollout.text.split()
        return Continuation(len(words[0]), "", rollout["answer"]) if words else None


@dataclass(frozen=True)
class Watched:
    """The rule, with what it saw; what it gives is multiplied by nothing."""

    rule: Any
    seen: list[Any] = field(default_factory=list, compare=False)

    def assign(self, scores: Scores, batch: Batch, tokens: Tokens | None = None, state: Any = None) -> Any:
        found, state = self.rule.assign(scores, batch, tokens, state)
        self.seen.append((batch, tokens, found))
        return found, state


def test_the_step_is_the_gradient_of_both_terms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One step of plain gradient descent on -(A log pi(z) + R), R the mean probability of the reference."""
    from sightline.credit import likelihood_credit
    from sightline.rewards import reference_likelihood

    # every rollout counts as one with an answer: this model has no tags
    monkeypatch.setattr(likelihood_credit, "answer_begins", lambda text: 0)
    monkeypatch.setattr(reference_likelihood, "answer_begins", lambda text: 0)
    slot, size, steps = AfterTheFirstWord(), 4, 5
    rule = Watched(LikelihoodCredit("avgprob", slot=slot))
    data = [{"prompt": "what is one", "answer": "red blue"}] * 2
    settings = {"learning_rate": 0.1, "optim": "sgd", "max_grad_norm": 1e9, "max_steps": 1, "loss_type": "dr_grpo"}
    options = {**QUIET, **settings, "num_generations": size, "per_device_train_batch_size": size}
    reward = Likelihood(mean_probability, slot=slot).named("avgprob")
    trainer = grpo(model(), tokenizer(), reward, rule, data, output_dir=str(tmp_path), **options)
    batch, tokens, _ = rule.seen[0]
    own, reader = model(), tokenizer()
    before, answer = reader.encode("what is one"), reader.encode("red blue")
    terms, rewards = [], []
    for row in range(size):
        ids = tokens.ids[row, tokens.mask[row]].tolist()
        at = int(np.argmax(tokens.spliced[row])) if tokens.spliced[row].any() else len(ids)
        logp = own(torch.tensor([before + ids])).logits[0, len(before) - 1 : -1].log_softmax(-1)
        logp = logp[range(len(ids)), ids]
        there = at < len(ids)
        assert not there or ids[at : at + 2] == answer
        rewards.append(logp[at : at + 2].exp().mean() if there else torch.tensor(0.0))
        # the end of the text learns with the weight of the answer's last token
        end = logp[at + 2 :].sum() * (logp[at + 1].exp() / 2).detach() if there else torch.tensor(0.0)
        terms.append((logp[:at].sum(), end))
    found = torch.stack([r.detach() for r in rewards])
    advantages = size / (size - 1) * (found - found.mean())
    loss = -sum(a * z + r + end for a, r, (z, end) in zip(advantages, rewards, terms, strict=True)) / (size * steps)
    loss.backward()
    with torch.no_grad():
        for parameter in own.parameters():
            parameter -= 0.1 * parameter.grad
    for theirs, ours in zip(trainer.model.parameters(), own.parameters(), strict=True):
        torch.testing.assert_close(theirs, ours, atol=1e-6, rtol=1e-4)
    np.testing.assert_allclose(rewards_of(batch), found, atol=1e-5)


def rewards_of(batch: Batch) -> list[float]:
    return [0.0 if own is None else mean_probability(own) for own in batch.column("reference_logps")]


def test_rlpr_asks_the_start_for_the_answer_without_reasoning(tmp_path: Path) -> None:
    reward = sightline.load("likelihood-reward").extra("rlpr")
    rule = Watched(GroupRelative())
    data = [{"prompt": f"what is {word}", "answer": "red"} for word in ("one", "two", "three", "yes")]
    options = {**QUIET, "num_generations": 4, "per_device_train_batch_size": 4, "max_steps": 4, "learning_rate": 5e-2}
    grpo(model(), tokenizer(), reward, rule, data, output_dir=str(tmp_path), **options)
    reader, start = tokenizer(), model()
    for batch, _, _ in rule.seen:
        for prompt, found in zip(batch.prompts, batch.column("direct_logps"), strict=True):
            ids = [*reader.encode(prompt), *reader.encode("<answer>")]
            with torch.no_grad():
                logp = start(torch.tensor([ids])).logits[0, -1].log_softmax(-1)[reader.encode("red")[0]]
            assert found == pytest.approx([float(logp)], abs=1e-5)


def test_frozen_videos_are_shown_to_the_policy_once_a_prompt(tmp_path: Path) -> None:
    from sightline.lab import policy
    from sightline.lab.models import tiny_vlm
    from sightline.lab.worlds import clips

    rows = [
        {**row, "frame_times": [0.0, 1.0, 2.0, 3.0], "key_frames": [{"idx": 0, "time": 1.1}]}
        for row in clips.FOUR.rows(8, "neutral", seed=3)
    ]
    rule = Watched(GroupRelative())
    policy.reinforce("clips", MotionGrounding().named("grounding"), rule, rows, 0, 1, max_completion_length=12)
    batch, _, _ = rule.seen[0]
    still, processor = tiny_vlm.load("clips")
    by_prompt: dict[Any, set[Any]] = {}
    for group, said in zip(batch.group.tolist(), batch.column("masked_completion"), strict=True):
        by_prompt.setdefault(group, set()).add(said)
    assert all(len(said) == 1 for said in by_prompt.values())
    row = rows[int(np.argmax([r["row"] == batch.column("row")[0] for r in rows]))]
    frames = [row["images"][0], *[row["images"][1]] * 3]
    expected = policy.read(still, processor, [{**row, "images": frames}], temperature=0.0, tokens=12)
    assert by_prompt[0] == {expected[0]}
    assert not isinstance(expected[0], Missing)
