"""How a moving teacher's weight falls."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tiny import DEPRECATED, QUIET, model, rows, tokenizer

from sightline.core import Batch
from sightline.core.missing import Missing
from sightline.rewards.agreement import TaughtAgreement
from sightline.train.teacher import teacher_weight


def test_it_falls_from_start_to_end_and_stays() -> None:
    weights = [teacher_weight(step, 0.5, 0.1, 10) for step in range(1, 20)]
    assert weights[0] == 0.5
    assert weights[5] == pytest.approx(0.3)
    assert weights[10:] == pytest.approx([0.1] * 9)
    assert weights == sorted(weights, reverse=True)


@pytest.mark.filterwarnings(DEPRECATED)
def test_the_teacher_answers_beside_every_rollout_and_follows(tmp_path: Path) -> None:
    """Variant II: a slowly moving average of the policy is asked the same question."""
    pytest.importorskip("trl")
    import torch

    from sightline.credit import GroupRelative
    from sightline.train import grpo

    torch.set_num_threads(1)
    seen: list[Batch] = []

    @dataclass(frozen=True)
    class Watched:
        def assign(self, scores: Any, batch: Batch, tokens: Any = None, state: Any = None) -> Any:
            seen.append(batch)
            return GroupRelative().advantages(scores.values, batch.group), state

    options = {**QUIET, "num_generations": 4, "per_device_train_batch_size": 8, "max_steps": 3}
    reward = TaughtAgreement(find=first_word).named("taught")
    trainer = grpo(
        model(), tokenizer(), reward, Watched(), rows(), output_dir=str(tmp_path), reference_weight=slowly, **options
    )
    replies = [reply for batch in seen for reply in batch.column("teacher_reply")]
    assert len(set(replies)) > 4, "sampled, one beside each rollout"
    trios = zip(model().parameters(), trainer.reference.model.parameters(), trainer.model.parameters(), strict=True)
    moved = [
        (float((mine - first).detach().abs().max()), float((own - first).detach().abs().max()))
        for first, mine, own in trios
    ]
    assert all(0 < mine < own for mine, own in moved if own > 0)
    assert any(own > 0 for _, own in moved)
    assert trainer.state.global_step == 3


def slowly(step: int) -> float:
    return 0.1 * teacher_weight(step, 1.0, 0.5)


def first_word(text: str) -> str | Missing:
    return text.split()[0] if text.split() else Missing("no word")
