"""What a reward and a credit rule ask of the trainer arrives: measures, places, columns, splices, follow-ups."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

pytest.importorskip("trl")

import torch
from tiny import DEPRECATED, QUIET, Says, model, rows, tokenizer

from sightline.core import Batch, Rollout, Score, Scores
from sightline.core.errors import ColumnError, ConfigError
from sightline.credit import DynamicSampling, Entropy, GroupRelative, ImageDependency, Logp, Tokens
from sightline.judges.held import OwnPolicy
from sightline.judges.judge import Question, Verdict
from sightline.rewards import JudgedReward, Reward, RowReward
from sightline.rewards.policy_columns import Asked, Continuation, FollowUp, PolicyLoglik, PolicyWrites
from sightline.rewards.two_sides import TwoSides
from sightline.train import grpo
from sightline.train.data import sides
from sightline.train.wishes import Wishes

pytestmark = pytest.mark.filterwarnings(DEPRECATED)


@dataclass(frozen=True)
class Watching:
    """GRPO's credit that keeps what it saw, and asks for what it is told to ask."""

    measures: tuple[Any, ...] = ()
    places: bool = False
    splices: Any = None
    follows: Any = None
    seen: list[tuple[Scores, Batch, Tokens]] = field(default_factory=list, compare=False)

    def assign(self, scores: Scores, batch: Batch, tokens: Tokens | None = None, state: Any = None) -> Any:
        assert tokens is not None
        self.seen.append((scores, batch, tokens))
        return GroupRelative().advantages(scores.values, batch.group), state


def run(folder: Path, credit: Any, reward: Reward | None = None, data: Any = None, **given: Any) -> Any:
    arguments = {"num_generations": 4, "per_device_train_batch_size": 8, "max_steps": 1, **QUIET, **given}
    chosen = Says().named("says") if reward is None else reward
    made = model()
    return grpo(made, tokenizer(), chosen, credit, data or rows(), output_dir=str(folder), **arguments)


def logp_by_hand(policy: Any, prompt: str, ids: list[int]) -> tuple[np.ndarray, np.ndarray]:
    before = tokenizer().encode(prompt)
    with torch.no_grad():
        logits = policy(torch.tensor([before + ids])).logits[0, len(before) - 1 : -1].log_softmax(-1)
    entropy = -(logits.exp() * logits).sum(-1)
    return logits[range(len(ids)), ids].numpy(), entropy.numpy()


def test_ids_places_and_log_probabilities(tmp_path: Path) -> None:
    credit = Watching((Logp(), Entropy()), places=True)
    trainer = run(tmp_path, DynamicSampling(credit))
    _, batch, tokens = credit.seen[0]
    assert tokens.ids is not None
    assert tokens.offsets is not None
    assert tokens.logp is not None
    fresh = model()
    for row, (text, prompt) in enumerate(zip(batch.texts, batch.prompts or [], strict=True)):
        own = tokens.ids[row, tokens.mask[row]].tolist()
        assert (tokens.ids[row, ~tokens.mask[row]] == -1).all()
        logp, entropy = logp_by_hand(fresh, prompt, own)
        np.testing.assert_allclose(tokens.logp[row, tokens.mask[row]], logp, atol=1e-5)
        np.testing.assert_allclose(tokens.measured["entropy"][row, tokens.mask[row]], entropy, atol=1e-5)
        words = [text[a:b].strip() for a, b in tokens.offsets[row, tokens.mask[row]]]
        assert [word for word in words if word] == text.split()
    assert {"tokens/logp", "tokens/entropy"} <= set(trainer.state.log_history[0])


def test_the_reference_stays_while_the_policy_moves(tmp_path: Path) -> None:
    for more in ({}, {"beta": 0.1}):
        credit = Watching((Logp(), Logp("before", of="reference")))
        run(tmp_path / str(len(more)), credit, max_steps=3, **more)
        gaps = [np.abs(t.measured["logp"] - t.measured["before"])[t.mask].max() for _, _, t in credit.seen]
        assert gaps[0] < 1e-6
        assert gaps[2] > 1e-3


def test_a_reference_that_follows_at_once_is_the_policy(tmp_path: Path) -> None:
    credit = Watching((Logp(), Logp("before", of="reference")))
    trainer = run(tmp_path, credit, max_steps=3, reference_weight=_at_once, save_strategy="steps", save_steps=1)
    for _, _, tokens in credit.seen:
        np.testing.assert_allclose(tokens.measured["logp"], tokens.measured["before"], atol=1e-6)
    assert (tmp_path / "checkpoint-3" / "reference.pt").exists()
    for mine, theirs in zip(trainer.reference.model.parameters(), trainer.model.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs)


def _at_once(step: int) -> float:
    return 1.0


@dataclass(frozen=True)
class GoldBehindTheFirstWord:
    """The answer behind the first word that was written; nothing for texts that begin with `no`."""

    def __call__(self, rollout: Rollout) -> Continuation | None:
        if rollout.text.startswith("no"):
            return None
        return Continuation(len((rollout.text.split() or [""])[0]), " yes ", rollout["answer"])


@dataclass(frozen=True)
class Likely(RowReward):
    """Probability of the gold answer, as a test."""

    reads = ("logps",)
    fills: ClassVar = (PolicyLoglik("logps", GoldBehindTheFirstWord()),)

    def row(self, rollout: Rollout) -> Score:
        found = rollout["logps"]
        return Score(0.0, "not asked") if found is None else Score(float(np.exp(sum(found))))


def test_log_likelihood_of_a_text_behind_the_own_words(tmp_path: Path) -> None:
    credit = Watching()
    run(tmp_path, credit, Likely().named("likely"))
    _, batch, tokens = credit.seen[0]
    assert tokens.ids is not None
    fresh, reader = model(), tokenizer()
    some = 0
    for text, prompt, answer, found, ids in zip(
        batch.texts, batch.prompts or [], batch.column("answer"), batch.column("logps"), tokens.ids, strict=True
    ):
        if text.startswith("no"):
            assert found is None
            continue
        if ids[0] in reader.all_special_ids:  # stays, though it is no text
            continue
        some += 1
        own = [*reader.encode((text.split() or [""])[0]), *reader.encode("yes"), *reader.encode(answer)]
        np.testing.assert_allclose(found, logp_by_hand(fresh, prompt, own)[0][-1:], atol=1e-5)
    assert some > 2


def test_a_spliced_answer_is_trained_on_and_not_scored(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class OnlySpliced(Watching):
        def assign(self, scores: Scores, batch: Batch, tokens: Tokens | None = None, state: Any = None) -> Any:
            super().assign(scores, batch, tokens, state)
            assert tokens is not None
            assert tokens.spliced is not None
            return tokens.spliced.astype(float), state

    credit = OnlySpliced((Logp(),), places=True, splices=GoldBehindTheFirstWord())
    run(tmp_path, credit, max_steps=30, learning_rate=2e-2)
    _, batch, tokens = credit.seen[0]
    assert tokens.ids is not None
    assert tokens.spliced is not None
    assert tokens.offsets is not None
    reader = tokenizer()
    for row, text in enumerate(batch.texts):
        if text.startswith("no"):
            assert not tokens.spliced[row].any()
            continue
        put = tokens.ids[row, tokens.spliced[row]].tolist()
        assert put == [*reader.encode(batch.column("answer")[row]), reader.eos_token_id]
        assert (tokens.offsets[row, tokens.spliced[row]] == -1).all()
        assert batch.column("completion_tokens")[row] == len(reader.encode(text)) + (tokens.mask[row].sum() < 0) or True
    before, after = (
        np.mean([t.measured["logp"][t.spliced].mean() for _, _, t in some])
        for some in (credit.seen[:2], credit.seen[-2:])
    )
    assert after > before + 1.0, "advantage 1 on the spliced tokens alone is fine-tuning on them"


@dataclass(frozen=True)
class AskColour:
    def __call__(self, rollout: Rollout) -> Asked | None:
        return Asked(f"is {rollout.text.split()[0]}") if rollout.text.split() else None


@dataclass(frozen=True)
class ReadsAnother(RowReward):
    reads = ("second",)
    fills: ClassVar = (PolicyWrites("second", AskColour(), max_tokens=2),)

    def row(self, rollout: Rollout) -> Score:
        return Score(float(rollout["second"] is not None))


def test_what_the_policy_writes_when_asked_again(tmp_path: Path) -> None:
    credit = Watching()
    run(tmp_path, credit, ReadsAnother().named("again"))
    _, batch, _ = credit.seen[0]
    fresh, reader = model(), tokenizer()
    for text, second in zip(batch.texts, batch.column("second"), strict=True):
        if not text.split():
            assert second is None
            continue
        ids = reader.encode(f"is {text.split()[0]}")
        whole = fresh.generate(torch.tensor([ids]), max_new_tokens=2, do_sample=False)[0, len(ids) :]
        assert second == reader.decode(whole, skip_special_tokens=True)


@dataclass(frozen=True)
class Second:
    """What the second side is asked."""

    def __call__(self, rollout: Rollout) -> Asked:
        return Asked(f"yes {rollout.text}".strip())


def test_rollouts_that_are_asked_what_others_make_of_it(tmp_path: Path) -> None:
    follows = FollowUp(Second(), "see", "read")
    credit = Watching((Logp(),), follows=follows)
    data = sides(rows(), {"see": dict, "read": dict})
    data = [{**row, "side": side} for row, side in zip(data, ["see", "read"] * len(rows()), strict=True)]
    run(tmp_path, credit, TwoSides(Says()).named("says"), data, num_generations=2)
    _, batch, tokens = credit.seen[0]
    assert batch.column("side") == ["see", "see", "read", "read"] * 2
    pair = batch.column("pair")
    assert batch.prompts is not None
    assert tokens.ids is not None
    for row, side in enumerate(batch.column("side")):
        if side == "read":
            first = next(r for r in range(row) if pair[r] == pair[row])
            assert batch.prompts[row] == f"yes {batch.texts[first]}".strip()
        logp, _ = logp_by_hand(model(), batch.prompts[row], tokens.ids[row, tokens.mask[row]].tolist())
        np.testing.assert_allclose(tokens.measured["logp"][row, tokens.mask[row]], logp, atol=1e-5)


def test_follow_ups_need_both_sides_as_neighbours(tmp_path: Path) -> None:
    credit = Watching(follows=FollowUp(Second(), "see", "read"))
    data = [{**row, "side": "see"} for row in rows()]
    with pytest.raises(ColumnError, match="'see' and 'read' in turn"):
        run(tmp_path, credit, TwoSides(Says()).named("says"), data, num_generations=2)


@dataclass(frozen=True)
class Liked(JudgedReward):
    """What the policy says of its own text."""

    def questions(self, batch: Batch) -> list[tuple[Question, ...]]:
        return [(Question("is {said}", (("said", text),)),) for text in batch.texts]

    def judged(self, batch: Batch, verdicts: list[tuple[Verdict[Any], ...]]) -> Scores:
        return Scores.of(np.array([float(v.error == "") for (v,) in verdicts]))


@pytest.mark.parametrize("which", ["current", "start"])
def test_the_policy_judges_itself(tmp_path: Path, which: Any) -> None:
    credit = Watching()
    run(tmp_path, credit, Liked(OwnPolicy(which)).named("liked"), max_steps=2)
    assert (credit.seen[0][0].values == 1).all()


def test_wishes_that_contradict_are_refused() -> None:
    twice = Watching((Logp(), Logp("logp", of="reference")))
    with pytest.raises(ConfigError, match="two different wishes for `logp`"):
        Wishes.of(Says(), twice)
    with pytest.raises(ConfigError, match="`splices` is declared twice"):
        Wishes.of(Says(), _Both(Watching(splices=Second()), Watching(splices=AskColour())))


@dataclass(frozen=True)
class _Both:
    left: Watching
    right: Watching

    def assign(self, scores: Scores, batch: Batch, tokens: Any = None, state: Any = None) -> Any:
        return scores.values, state


def blackened(picture: Any, rng: np.random.Generator) -> Any:
    return np.zeros_like(picture)


def unchanged(picture: Any, rng: np.random.Generator) -> Any:
    return picture


@pytest.fixture(scope="module")
def seeing() -> Any:
    """Tokens of two steps of the lab's policy, with every estimator."""
    from sightline.lab import policy
    from sightline.lab.worlds import digits

    torch.set_num_threads(1)
    credit = Watching(
        (
            Logp(),
            ImageDependency(blackened),
            ImageDependency(blackened, "full_kl", "kl"),
            ImageDependency(blackened, "difference", "gap"),
            ImageDependency(unchanged, "full_kl", "nothing"),
        )
    )
    data = list(digits.PLAIN.rows(8, split="neutral", seed=0))
    policy.reinforce("base", _Long().named("long"), credit, data, 0, 1, max_completion_length=24)
    return credit.seen[0]


@dataclass(frozen=True)
class _Long(RowReward):
    range: ClassVar = (0.0, 1e4)

    def row(self, rollout: Rollout) -> Score:
        return Score(float(len(rollout.text)))


def test_dependency_on_the_pictures(seeing: Any) -> None:
    _, _, tokens = seeing
    mask, found = tokens.mask, tokens.measured
    gap = found["gap"][mask]
    expected = np.clip(np.exp(np.clip(-gap, -20, 20)) + np.clip(gap, -20, 20) - 1, 0, 10)
    np.testing.assert_allclose(found["dependency"][mask], expected, atol=1e-6)
    assert (found["kl"][mask] >= 0).all()
    assert found["nothing"][mask].max() < 1e-5
    assert found["kl"][mask].max() > 0.5, "some token tells what is seen"
    assert np.median(found["kl"][mask]) < 0.1, "most do not"
    # for samples of p the difference has the divergence as its mean
    assert abs(gap.mean() - found["kl"][mask].mean()) < 0.1


@dataclass(frozen=True)
class DescribeThenRead:
    """The second side sees the first one's words and no picture."""

    def __call__(self, rollout: Rollout) -> Asked:
        return Asked([{"role": "user", "content": [{"type": "text", "text": f"{rollout.text} what is the digit?"}]}])


def test_a_second_side_without_pictures(tmp_path: Path) -> None:
    """As in self-containment: what the first side saw is told, not shown; dependency on pictures is 0 there."""
    from sightline.lab import policy
    from sightline.lab.worlds import digits

    follows = FollowUp(DescribeThenRead(), "see", "read")
    credit = Watching((Logp(), ImageDependency(blackened)), follows=follows)
    rows_ = [dict(row) for row in digits.PLAIN.rows(8, split="neutral", seed=0)]
    data = [{**row, "side": side} for row in rows_ for side in ("see", "read")]
    reward = TwoSides(_Long()).named("long")
    policy.reinforce("base", reward, credit, data, 0, 1, max_completion_length=8)
    _, batch, tokens = credit.seen[0]
    side = np.array(batch.column("side"))
    assert (side == "read").sum() == (side == "see").sum() == 32
    dependency = tokens.measured["dependency"]
    assert (dependency[side == "read"] == 0).all()
    assert dependency[side == "see"].max() > 0.1
    assert all(len(batch.column("images")[row]) == (side[row] == "see") for row in range(len(side)))


def test_sampled_logp_equals_that_of_training_on_pictures(seeing: Any) -> None:
    _, _, tokens = seeing
    np.testing.assert_allclose(tokens.logp, tokens.measured["logp"], atol=1e-6)
