"""The trainer against TRL's own numbers, with broken judges, per-token credit and saved credit state."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("trl")

import pyarrow.parquet as pq
import torch
from tiny import DEPRECATED, QUIET, REWARD, Approved, BrokenJudge, Says, Short, model, rows, tokenizer

from sightline.core import Batch, Scores
from sightline.core.errors import ColumnError, CompositionError, ConfigError, ShapeError
from sightline.credit import GroupRelative, Tokens
from sightline.train import grpo
from sightline.train.checkpoints import last_whole

pytestmark = pytest.mark.filterwarnings(DEPRECATED)
LOSSES = ["grpo", "bnpo", "dr_grpo", "dapo", "cispo", "sapo", "luspo", "vespo"]


def run(folder: Path, reward: Any = REWARD, credit: Any = None, count: int = 4, **given: Any) -> Any:
    arguments = {"num_generations": 4, "per_device_train_batch_size": 8, "max_steps": 2, **QUIET, **given}
    return grpo(model(), tokenizer(), reward, credit, rows(count), output_dir=str(folder), **arguments)


@dataclass(frozen=True)
class Watched:
    """GRPO's credit that keeps what it saw and gave."""

    seen: list[tuple[Scores, Batch, Tokens, Any]] = field(default_factory=list, compare=False)
    per_token: str = ""

    def assign(self, scores: Scores, batch: Batch, tokens: Tokens | None = None, state: Any = None) -> Any:
        assert tokens is not None
        values = GroupRelative().advantages(scores.values, batch.group)
        if self.per_token == "same":
            values = values[:, None] * np.ones(tokens.mask.shape)
        if self.per_token == "falling":
            values = values[:, None] / (1.0 + np.arange(tokens.mask.shape[1]))
        self.seen.append((scores, batch, tokens, values))
        return values, (state or 0) + 1


def test_advantages_equal_those_of_trl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sightline.train import trainer as room

    pairs: list[tuple[list[float], list[float]]] = []
    replace = room._replace_last

    def watched(logged: Any, values: list[float]) -> None:
        pairs.append((list(logged)[-len(values) :], values))
        replace(logged, values)

    monkeypatch.setattr(room, "_replace_last", watched)
    run(tmp_path, max_steps=3)
    assert len(pairs) == 3
    for theirs, ours in pairs:
        assert any(ours)
        np.testing.assert_allclose(ours, theirs, atol=2e-5)  # theirs are float32, NaN rows included


def test_rows_that_cannot_be_scored_get_nothing_and_are_counted(tmp_path: Path) -> None:
    credit = Watched()
    trainer = run(tmp_path, credit=credit)
    for (scores, _, _, advantages), line in zip(credit.seen, trainer.state.log_history, strict=False):
        unknown = np.isnan(scores.values)
        assert line["unscorable/abstain"] == unknown.sum()
        assert line["unscorable/error"] == 0
        assert (advantages[unknown] == 0).all()
        assert line["rewards/short/mean"] == pytest.approx(np.nanmean(scores.parts["short"].values))
        assert line["reward"] == pytest.approx(np.nanmean(scores.values), abs=1e-6)
    assert any(np.isnan(scores.values).any() for scores, *_ in credit.seen)


def test_a_reward_sees_prompts_columns_lengths_and_step(tmp_path: Path) -> None:
    credit = Watched()
    run(tmp_path, credit=credit)
    _, batch, tokens, _ = credit.seen[1]
    assert batch.step == 1
    assert list(batch.group) == [0, 0, 0, 0, 1, 1, 1, 1]
    assert batch.prompts is not None
    assert all(prompt.startswith("what is") for prompt in batch.prompts)
    np.testing.assert_array_equal(batch.column("completion_tokens"), tokens.mask.sum(1))
    by_row = {row["row"]: row["answer"] for row in rows()}
    assert [by_row[i] for i in batch.column("row")] == list(batch.column("answer"))


def test_a_broken_judge_does_not_stop_training(tmp_path: Path) -> None:
    approved = Approved(BrokenJudge()).named("approved")
    trainer = run(tmp_path, reward=Says().named("says") + approved.fill(0.0) + approved.when(Says(), above=2.0))
    first = trainer.state.log_history[0]
    assert trainer.state.global_step == 2
    assert first["unscorable/error"] == 0, "the sum fills in for the judge"
    assert first["rewards/approved/mean"] is None
    alone = run(tmp_path / "alone", reward=approved)
    assert alone.state.log_history[0]["unscorable/error"] == 8


def test_a_judge_without_the_ability_stops_training(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Mute:
        id: str = "mute"

    with pytest.raises(CompositionError, match="cannot `generate`"):
        run(tmp_path, reward=Approved(Mute()))


@pytest.mark.parametrize("loss", LOSSES)
def test_equal_advantages_per_token_train_as_those_per_rollout(tmp_path: Path, loss: str) -> None:
    whole = run(tmp_path / "whole", credit=Watched(), loss_type=loss)
    spread = run(tmp_path / "spread", credit=Watched(per_token="same"), loss_type=loss)
    for left, right in zip(whole.model.parameters(), spread.model.parameters(), strict=True):
        torch.testing.assert_close(left, right)
    assert whole.state.log_history[1]["loss"] == pytest.approx(spread.state.log_history[1]["loss"], abs=1e-6)


@pytest.mark.parametrize("level", ["token", "sequence"])
@pytest.mark.parametrize("loss", ["grpo", "bnpo", "dr_grpo", "dapo", "sapo", "luspo"])
def test_the_loss_of_per_token_advantages(tmp_path: Path, loss: str, level: str) -> None:
    """On policy the ratio is 1, so each loss is a known mean of the advantages."""
    credit = Watched(per_token="falling")
    trainer = run(tmp_path, credit=credit, loss_type=loss, importance_sampling_level=level, max_steps=1)
    _, _, tokens, advantages = credit.seen[0]
    mask = tokens.mask.astype(float)
    weighed = advantages * mask
    expected = {
        "grpo": -(weighed.sum(1) / mask.sum(1)).mean(),
        "sapo": -((weighed * np.where(advantages > 0, 2.0, 2.0 / 1.05)).sum(1) / mask.sum(1)).mean(),
        "bnpo": -weighed.sum() / mask.sum(),
        "dapo": -weighed.sum() / mask.sum(),
        "dr_grpo": -weighed.sum() / (len(mask) * QUIET["max_completion_length"]),
        "luspo": -weighed.sum(1).mean(),
    }[loss]
    assert abs(expected) > 1e-4
    assert trainer.state.log_history[0]["loss"] == pytest.approx(expected, abs=1e-5)


def test_an_advantage_on_one_token_moves_only_through_that_token(tmp_path: Path) -> None:
    """With cispo the loss is -A logp: an advantage that is 0 everywhere leaves the model as it was."""

    @dataclass(frozen=True)
    class Nothing:
        def assign(self, scores: Any, batch: Any, tokens: Any = None, state: Any = None) -> Any:
            return np.zeros(tokens.mask.shape), state

    for loss in ("cispo", "vespo"):
        still = run(tmp_path / loss, credit=Nothing(), loss_type=loss)
        for left, right in zip(still.model.parameters(), model().parameters(), strict=True):
            torch.testing.assert_close(left, right)
        moved = run(tmp_path / f"{loss}2", credit=Watched(per_token="falling"), loss_type=loss)
        assert not torch.allclose(moved.model.lm_head.weight, model().lm_head.weight)


def test_completions_table_has_parts_reasons_and_our_advantages(tmp_path: Path) -> None:
    credit = Watched()
    run(tmp_path, credit=credit, log_completions=True, num_completions_to_print=0)
    table = pq.read_table(tmp_path / "completions" / "completions_00002.parquet").to_pandas()
    scores, batch, _, advantages = credit.seen[1]
    np.testing.assert_allclose(table["advantage"], advantages, atol=1e-6)
    np.testing.assert_allclose(table["reward"], scores.values, atol=1e-6)
    np.testing.assert_allclose(table["short"], scores.parts["short"].values, atol=1e-6)
    assert list(table["why"]) == list(scores.why)
    assert list(table["completion"]) == list(batch.texts)


def test_rollouts_are_written_at_logging_steps(tmp_path: Path) -> None:
    credit = Watched(per_token="falling")
    run(tmp_path, credit=credit, rollouts=tmp_path / "rollouts", logging_steps=2, max_steps=4)
    assert [path.name for path in sorted((tmp_path / "rollouts").glob("*.parquet"))] == [
        "train-000002.parquet",
        "train-000004.parquet",
    ]
    table = pq.read_table(tmp_path / "rollouts" / "train-000004.parquet").to_pandas()
    scores, batch, tokens, advantages = credit.seen[3]
    np.testing.assert_allclose(table["advantage"], (advantages * tokens.mask).sum(1) / tokens.mask.sum(1))
    assert list(table["why_short"]) == list(scores.parts["short"].why)
    assert set(table["step"]) == {4}
    assert list(table["group"]) == ["train-4-0"] * 4 + ["train-4-1"] * 4, "groups of several files stay apart"
    assert list(table["answer"]) == list(batch.column("answer"))


def test_evaluation_scores_groups_and_leaves_credit_state_alone(tmp_path: Path) -> None:
    credit = Watched()
    trainer = run(
        tmp_path,
        credit=credit,
        eval_dataset=rows(4),
        num_generations_eval=2,
        per_device_eval_batch_size=4,
        rollouts=tmp_path / "rollouts",
    )
    assert trainer.credit_state == 2
    assert list(credit.seen[-1][1].group) == [0, 0, 1, 1]
    line = trainer.state.log_history[-1]
    assert {"eval_reward", "eval_rewards/says/mean", "eval_unscorable/abstain"} <= set(line)
    assert (tmp_path / "rollouts" / "eval-000002.parquet").exists()


def test_credit_state_is_saved_and_restored(tmp_path: Path) -> None:
    run(tmp_path, credit=Watched(), save_strategy="steps", save_steps=2, max_steps=2)
    resumed = run(tmp_path, credit=Watched(), save_strategy="steps", save_steps=2, max_steps=5, resume=True)
    assert resumed.state.global_step == 5
    assert resumed.credit_state == 5


def test_a_checkpoint_that_was_cut_short_is_passed_over(tmp_path: Path) -> None:
    run(tmp_path, save_strategy="steps", save_steps=1, max_steps=3)
    (tmp_path / "checkpoint-3" / "trainer_state.json").write_text('{"epoch": ')
    (tmp_path / "checkpoint-4").mkdir()
    found = last_whole(tmp_path)
    assert found is not None
    assert found.name == "checkpoint-2"
    assert run(tmp_path, max_steps=4, resume=True).state.global_step == 4


def test_kl_penalty_on_a_model_from_no_folder(tmp_path: Path) -> None:
    trainer = run(tmp_path, beta=0.1, max_steps=3)
    kl = [line["kl"] for line in trainer.state.log_history[:3]]
    assert kl[0] == pytest.approx(0, abs=1e-6), "the reference is the model as it was given"
    assert kl[2] > 0
    trained = trainer.model.lm_head.weight
    assert not torch.allclose(trainer.ref_model.lm_head.weight, trained)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scale_rewards": "batch"}, "scale_rewards"),
        ({"reward_weights": [1.0]}, "reward_weights"),
        ({"multi_objective_aggregation": "normalize_then_sum"}, "NormaliseThenSum"),
        ({"num_generation": 4}, "Did you mean `num_generations`"),
        ({"num_generations": 3}, "divisible"),
    ],
)
def test_arguments_that_are_refused(tmp_path: Path, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        run(tmp_path, **arguments)


def test_a_missing_column_is_named_before_anything_is_built(tmp_path: Path) -> None:
    data = [{"prompt": "what is one", "answers": "red"}]
    with pytest.raises(ColumnError, match="Did you mean `answers`"):
        grpo(None, None, REWARD, None, data, output_dir=str(tmp_path))


def test_a_part_named_like_a_column_of_the_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`why`"):
        run(tmp_path, reward=Short().named("why"))


def test_advantages_of_a_wrong_shape_are_refused(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Wrong:
        def assign(self, scores: Any, batch: Any, tokens: Any = None, state: Any = None) -> Any:
            return np.zeros((len(scores), 1)), state

    with pytest.raises(ShapeError, match=r"Wrong gave advantages \(8, 1\)"):
        run(tmp_path, credit=Wrong())
