"""A policy trained on pictures alone: the trainer asks it about changed copies and the reward reads what it says."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("trl")
pytest.importorskip("sklearn")

from sightline.core import Batch, Scores
from sightline.credit.moving_baseline import MovingBaseline
from sightline.lab import policy
from sightline.lab.worlds.digits import Digits
from sightline.media.warps import RandomWarp
from sightline.rewards.self_views import Vanishes, ViewsAgree

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


@dataclass(frozen=True)
class Watched:
    """A moving baseline that keeps what it saw."""

    rule: MovingBaseline = MovingBaseline()
    seen: list[tuple[Scores, Batch]] = field(default_factory=list, compare=False)

    def assign(self, scores: Scores, batch: Batch, tokens: Any = None, state: Any = None) -> Any:
        self.seen.append((scores, batch))
        return self.rule.assign(scores, batch, tokens, state)


def test_replies_about_changed_copies_reach_the_reward(tmp_path: Path) -> None:
    warp, rng = RandomWarp(shift=(-4, 4)), np.random.default_rng(0)
    rows = [
        {
            "prompt": row["prompt"],
            "images": row["images"],
            "query": f"the {row['labels'][0].split()[0]} object",
            "view_matrix": [list(line) for line in warp(*row["truth"]["size"], rng).matrix],
            "image_size": row["truth"]["size"],
        }
        for row in Digits(kinds=("locate",)).rows(4, "train", seed=1)
    ]
    credit = Watched()
    reward = 0.5 * ViewsAgree() + 0.5 * Vanishes(control=True)
    policy.reinforce(
        "base", reward, credit, rows, 0, 1, per_device_train_batch_size=8, num_generations=4, max_completion_length=8
    )
    scores, batch = credit.seen[0]
    assert not np.isnan(scores.values).any()
    assert all(isinstance(text, str) for text in batch.column("moved_completion"))
    before = batch.column("seen_before")
    assert len(set(before[:4])) == len(set(before[4:])) == 1, "asked once for a prompt"
    hidden = zip(batch.texts, batch.column("seen_after"), strict=True)
    assert all((said is None) == ("<box>" not in text) for text, said in hidden), "nothing to hide without a box"
    json.dumps([list(batch.column(name)) for name in ("moved_completion", "seen_control")])
