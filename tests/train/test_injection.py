"""Labels as rollouts, and rows that are scored together: what reaches the reward, the credit rule and the model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

pytest.importorskip("trl")

import torch
from tiny import DEPRECATED, QUIET, Says, model, rows, tokenizer

from sightline.core import Batch, Scores
from sightline.core.errors import ColumnError, ConfigError
from sightline.credit import GroupRelative, LabelApart, LabelInGroup
from sightline.rewards import Reward
from sightline.train import grpo
from sightline.train.exchange import Layout
from sightline.train.injection import Injection

pytestmark = pytest.mark.filterwarnings(DEPRECATED)


@dataclass(frozen=True)
class Watching:
    """A credit rule that keeps what it saw."""

    inner: Any
    seen: list[Any]
    injects: str = "label"

    def assign(self, scores: Scores, batch: Batch, tokens: Any = None, state: Any = None) -> Any:
        found = self.inner.assign(scores, batch, tokens, state)
        self.seen.append((scores, batch, tokens, found[0]))
        return found


def labelled(count: int = 4) -> list[dict[str, Any]]:
    return [{**row, "label": f"{row['answer']} {row['answer']}"} for row in rows(count)]


def run(folder: Path, credit: Any, data: list[dict[str, Any]], reward: Reward | None = None, **given: Any) -> Any:
    arguments = {"num_generations": 4, "per_device_train_batch_size": 8, "max_steps": 2, **QUIET, **given}
    chosen = Says().named("says") if reward is None else reward
    return grpo(model(), tokenizer(), chosen, credit, data, output_dir=str(folder), **arguments)


def test_the_label_is_the_last_rollout_of_every_group(tmp_path: Path) -> None:
    seen: list[Any] = []
    trainer = run(tmp_path, Watching(LabelInGroup(), seen), labelled())
    for scores, batch, tokens, advantages in seen:
        assert batch.column("injected") == [False, False, False, True] * 2
        for row in (3, 7):
            assert batch.texts[row] == batch.column("label")[row]
            assert scores.values[row] == 1.0
            assert tokens.mask[row].sum() == 3, "two words and the end of the text"
        assert advantages[3] > 0 or scores.values[:3].max() == 1.0
    assert {"label/advantage", "label/off"} <= set(trainer.state.log_history[0])


def test_a_label_with_advantage_1_alone_is_supervised_fine_tuning(tmp_path: Path) -> None:
    """One step of the loss -(1 / G) mean_t log p(label) moves the weights as TRL does."""
    data = [labelled(1)[0]] * 2
    settings = {"learning_rate": 1e-2, "optim": "sgd", "max_grad_norm": 1e9, "max_steps": 1, "loss_type": "grpo"}
    trainer = run(tmp_path, LabelApart(None), data, num_generations=2, per_device_train_batch_size=2, **settings)
    own, reader = model(), tokenizer()
    prompt, label = reader.encode(data[0]["prompt"]), [*reader.encode(data[0]["label"]), reader.eos_token_id]
    logp = own(torch.tensor([prompt + label])).logits[0, len(prompt) - 1 : -1].log_softmax(-1)
    (-logp[range(len(label)), label].mean() / 2).backward()
    with torch.no_grad():
        for parameter in own.parameters():
            parameter -= 1e-2 * parameter.grad
    for theirs, ours in zip(trainer.model.parameters(), own.parameters(), strict=True):
        torch.testing.assert_close(theirs, ours, atol=1e-6, rtol=1e-4)


def test_injection_teaches_what_is_never_sampled(tmp_path: Path) -> None:
    """The label `no` is worth 1; the policy's chance of finding it is small, and grows."""
    data = [{"prompt": "what is one", "answer": "no", "label": "no"}] * 4

    def chance(policy: Any) -> float:
        reader = tokenizer()
        with torch.no_grad():
            logits = policy(torch.tensor([reader.encode("what is one")])).logits[0, -1]
        return float(logits.softmax(-1)[reader.encode("no")[0]])

    trained = run(tmp_path, LabelInGroup(), data, max_steps=15).model
    assert chance(trained) > 3 * chance(model())


def test_evaluation_has_no_labels(tmp_path: Path) -> None:
    seen: list[Any] = []
    run(
        tmp_path,
        Watching(LabelInGroup(), seen),
        labelled(),
        eval_dataset=labelled(2),
        num_generations_eval=2,
        per_device_eval_batch_size=4,
    )
    assert not seen[-1][1].has("injected")


def test_rows_without_a_label_keep_their_rollouts(tmp_path: Path) -> None:
    seen: list[Any] = []
    run(tmp_path, Watching(LabelInGroup(), seen), [{**row, "label": ""} for row in rows(4)])
    assert not any(seen[0][1].column("injected"))


def test_a_missing_or_wrong_label_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(ColumnError, match="LabelInGroup injects column `label`"):
        run(tmp_path, LabelInGroup(), rows(4))
    with pytest.raises(ColumnError, match="an injected label is a text"):
        Injection("label", None).labels([{}, {"label": 7}], Layout(0, 1, 2, 2), 2)
    with pytest.raises(ConfigError, match="at least 2"):
        Injection("label", None).labels([{"label": "a"}], Layout(0, 1, 1, 1), 1)


def test_places_on_several_processes() -> None:
    """Groups of 3 over two processes with 3 rows each, group borders at 3 and 6; then 4 rows of groups of 3."""
    texts = [{"label": "a"}] * 4
    assert Injection("label", None).labels(texts[:3], Layout(1, 2, 3, 3), 3) == [None, None, "a"]
    assert Injection("label", None).labels(texts, Layout(1, 3, 4, 3), 3) == [None, "a", None, None]


def test_log_probabilities_of_a_label_are_unknown() -> None:
    ids, logprobs = Injection("label", tokenizer()).injected([[5], [6]], [[-1.0], [-2.0]], [None, "one two"])
    assert ids == [[5], [*tokenizer().encode("one two"), tokenizer().eos_token_id]]
    assert logprobs[0] == [-1.0]
    assert np.isnan(logprobs[1]).all()
    assert len(logprobs[1]) == 3


@dataclass(frozen=True)
class SameAnswerTwice(Reward):
    """1 where both rows of a group have the same answer column."""

    scope: ClassVar[Any] = "group"
    prompts: ClassVar[int] = 2
    reads: ClassVar = ("pair",)

    def score(self, batch: Batch) -> Scores:
        values = np.zeros(len(batch))
        for group in batch.groups():
            values[group] = float(len({batch.column("pair")[i] for i in group}) == 1)
        return Scores.of(values)


@dataclass(frozen=True)
class Seen:
    seen: list[Any]

    def assign(self, scores: Scores, batch: Batch, tokens: Any = None, state: Any = None) -> Any:
        self.seen.append((scores, batch))
        return GroupRelative().advantages(scores.values, batch.group), state


def test_rows_that_are_compared_stay_together(tmp_path: Path) -> None:
    seen: list[Any] = []
    data = [{**row, "pair": i // 2} for i, row in enumerate(rows(8))]
    run(
        tmp_path,
        Seen(seen),
        data,
        SameAnswerTwice(),
        num_generations=2,
        max_steps=4,
        eval_dataset=data[:4],
        num_generations_eval=2,
        per_device_eval_batch_size=8,
    )
    assert len(seen) == 5
    for scores, batch in seen:
        assert scores.values.tolist() == [1.0] * 8
        assert batch.group.tolist() == [0] * 4 + [1] * 4
        assert list(batch.column("row")) == [r for i in batch.column("row")[::4] for r in (i, i, i + 1, i + 1)]


def test_rows_that_do_not_divide_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="7 rows of the data do not divide"):
        run(tmp_path, Seen([]), [{**row, "pair": 0} for row in rows(7)], SameAnswerTwice(), num_generations=2)
    with pytest.raises(ConfigError, match="prompts of a batch"):
        run(
            tmp_path,
            Seen([]),
            [{**row, "pair": 0} for row in rows(6)],
            SameAnswerTwice(),
            per_device_train_batch_size=4,
        )
