"""Phrase rewards on tokens, the penalty, the estimate: the worked example and what may go wrong."""

import numpy as np
import pytest

from sightline.core import Batch, Scores
from sightline.core.errors import ColumnError, ShapeError
from sightline.core.marks import Mark
from sightline.credit.credit import Tokens
from sightline.credit.dense_returns import AtTheEnd, DenseReturns, over_positions, over_tokens
from sightline.systems import fgaif

ENDS = (3, 7, 9)
CLASSES = {"object": (1, 2, 0), "attribute": (1, 1, 0), "relation": (0, 2, 1)}
WORTH = (0.0, 1.0, -1.0)
TEXT = "0123456789"
LOGP, REFERENCE = np.full((1, 10), -1.0), np.array([[-1.5] * 5 + [-0.8] * 5])


def example(text: str = TEXT, shown: int = 10) -> tuple[Scores, Batch, Tokens]:
    spans = list(zip((0, 4, 8), (end + 1 for end in ENDS), strict=True))
    parts = {
        kind: Scores(np.zeros(1), [""], [tuple(Mark("char", s, WORTH[c]) for s, c in zip(spans, own, strict=True))])
        for kind, own in CLASSES.items()
    }
    offsets = np.array([[[i, i + 1] for i in range(10)]])
    mask = np.arange(10)[None] < shown
    tokens = Tokens(mask, LOGP, offsets=np.where(mask[..., None], offsets, -1), measured={"reference_logp": REFERENCE})
    return Scores(np.zeros(1), [""], [()], parts), Batch([text]), tokens


def test_token_rewards_of_the_worked_example() -> None:
    plain = DenseReturns(fgaif.WEIGHTS, kl=0.0).token_rewards(*example())
    np.testing.assert_allclose(plain, [[0, 0, 0, 2, 0, 0, 0, -1, 0, 1]])
    shaped = fgaif.CREDIT.token_rewards(*example())
    wanted = [-0.05, -0.05, -0.05, 1.95, -0.05, 0.02, 0.02, -0.98, 0.02, 1.02]
    np.testing.assert_allclose(shaped, [wanted], atol=1e-12)


def test_estimate_of_the_worked_example_with_a_critic() -> None:
    scores, batch, tokens = example()
    tokens = Tokens(tokens.mask, tokens.logp, offsets=tokens.offsets, measured={"value": np.full((1, 10), 0.5)})
    rule = DenseReturns(fgaif.WEIGHTS, kl=0.0, critic="value", standardise=None)
    found = rule.assign(scores, batch, tokens)[0]
    np.testing.assert_allclose(found, [[1.5] * 4 + [-0.5] * 4 + [0.5] * 2])


def test_released_has_the_sign_turned_and_all_times_ten() -> None:
    found = fgaif.OFFICIAL_CREDIT.token_rewards(*example())
    phrases = np.array([0, 0, 0, 2, 0, 0, 0, -1, 0, 1.0])
    np.testing.assert_allclose(found, [10 * (phrases + 0.1 * (LOGP - REFERENCE)[0])])


def test_ends_beyond_a_cut_text_add_up_on_the_last_token() -> None:
    found = DenseReturns(fgaif.WEIGHTS, kl=0.0).token_rewards(*example(shown=6))
    np.testing.assert_allclose(found, [[0, 0, 0, 2, 0, 0, 0, 0, 0, 0]])
    found = DenseReturns((("relation", 1.0),), kl=0.0).token_rewards(*example(shown=6))
    np.testing.assert_allclose(found[0, 5], -1 + 1)


def test_one_reward_a_reply_has_the_same_sum() -> None:
    found = AtTheEnd(fgaif.WEIGHTS, kl=0.0).token_rewards(*example())
    np.testing.assert_allclose(found, [[0] * 9 + [2]])


def test_leaving_a_kind_out() -> None:
    weights = (("object", 1.0), ("attribute", 0.0), ("relation", 1.0))
    found = DenseReturns(weights, kl=0.0).token_rewards(*example())
    np.testing.assert_allclose(found, [[0, 0, 0, 1, 0, 0, 0, -2, 0, 1]])


def test_standardising_over_padding_depends_on_it() -> None:
    values, mask = np.array([[1.0, 3.0, 0.0, 0.0]]), np.array([[True, True, False, False]])
    np.testing.assert_allclose(
        over_tokens(values, mask), over_tokens(values[:, :3], mask[:, :3])[:, [0, 1, 2, 2]], atol=1e-9
    )
    assert not np.allclose(over_positions(values, mask)[:, :2], over_positions(values[:, :3], mask[:, :3])[:, :2])


def test_rules_ask_for_what_they_need() -> None:
    scores, batch, tokens = example()
    assert [measure.name for measure in fgaif.CREDIT.measures] == ["logp", "reference_logp"]
    assert DenseReturns(fgaif.WEIGHTS, kl=0.0).measures == ()
    with pytest.raises(ShapeError, match="reference_logp"):
        fgaif.CREDIT.assign(scores, batch, Tokens(tokens.mask, tokens.logp, offsets=tokens.offsets))
    with pytest.raises(ShapeError, match="characters"):
        fgaif.CREDIT.assign(scores, batch, Tokens(tokens.mask))
    with pytest.raises(ColumnError, match="Did you mean `object`"):
        DenseReturns((("objects", 1.0),)).assign(scores, batch, tokens)


def test_a_batch_in_which_nobody_wrote_a_token() -> None:
    parts = {kind: Scores.of(np.array([-1.0])) for kind in CLASSES}
    scores = Scores(np.array([-3.0]), [""], [()], parts)
    empty = np.zeros((1, 0))
    tokens = Tokens(empty.astype(bool), empty, offsets=np.zeros((1, 0, 2), int), measured={"reference_logp": empty})
    assert fgaif.CREDIT.assign(scores, Batch([""]), tokens)[0].shape == (1, 0)


def test_a_blank_text_earns_on_its_first_own_token() -> None:
    parts = {kind: Scores.of(np.array([-1.0])) for kind in CLASSES}
    scores = Scores(np.array([-3.0]), [""], [()], parts)
    tokens = Tokens(np.array([[False, True, True]]), offsets=np.array([[[-1, -1], [0, 1], [1, 2]]]))
    paid = DenseReturns(fgaif.WEIGHTS, kl=0.0).token_rewards(scores, Batch([" \n"]), tokens)
    np.testing.assert_allclose(paid, [[0, -3, 0]])
