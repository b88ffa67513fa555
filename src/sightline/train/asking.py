"""The policy asked for more than its rollouts: columns that it fills, texts behind its own words, second prompts.

Knows tokens and prompts, no rewards. What is asked is said by `sightline.rewards.policy_columns`.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from trl.data_utils import prepare_multimodal_messages

from sightline.core.batch import Batch
from sightline.core.rollout import Rollout
from sightline.rewards.policy_columns import Asked, Continuation, Continue, Filled, PolicyLoglik, PolicyWrites
from sightline.train.exchange import Rows
from sightline.train.forward import Forward
from sightline.train.offsets import TokenOffsets


class Written(NamedTuple):
    """What was asked and sampled for this process's rollouts.

    Args:
        prompts: messages, with their pictures, or text.
        prompt_ids, ids: token lists.
        images: pictures of each prompt, or None.
    """

    prompts: list[Any]
    prompt_ids: list[list[int]]
    ids: list[list[int]]
    images: list[Any] | None


class Spliced(NamedTuple):
    """Tokens with a text in the place of what was written: the first `keep` are the policy's own.

    The tokens [first, last) are the text's.
    """

    ids: list[int]
    keep: int
    first: int
    last: int


@dataclass(frozen=True)
class Asking:
    """Fills columns.

    Args:
        trainer: TRL's.
        forward: the policy's forward pass.
        offsets: characters of tokens.
        reference: the reference policy, or None.
    """

    trainer: Any
    forward: Forward
    offsets: TokenOffsets
    reference: Any = None

    def columns(self, fills: Sequence[Filled], rows: Rows, written: Written, group: NDArray[np.int64]) -> Rows:
        """The rows with every column filled.

        Args:
            group: numbers of this process's rollouts.
        """
        if not fills:
            return rows
        rollouts = list(Batch(rows.completions, rows.columns, prompts=rows.prompts).rollouts())
        made = {
            fill.column: self._logliks(fill, rollouts, written)
            if isinstance(fill, PolicyLoglik)
            else self._writes(fill, rollouts, group)
            for fill in fills
        }
        return Rows(rows.prompts, rows.completions, {**rows.columns, **made})

    def _writes(self, fill: PolicyWrites, rollouts: Sequence[Rollout], group: NDArray[np.int64]) -> list[str | None]:
        leader = {int(number): row for row, number in reversed(list(enumerate(group)))} if fill.once else {}
        asked_by = [leader.get(int(number), row) for row, number in enumerate(group)]
        asked = {row: fill.ask(rollouts[row]) for row in dict.fromkeys(asked_by)}
        whose = self.reference.speaking() if fill.of == "reference" else nullcontext()
        with whose, self._generating(fill.greedy, fill.max_tokens, own_settings=fill.of == "reference"):
            said = self.said({row: one for row, one in asked.items() if one is not None})
        return [said.get(row) for row in asked_by]

    def said(self, asked: Mapping[int, Asked]) -> dict[int, str]:
        """What is written, by the same keys."""
        found: dict[int, str] = {}
        size = self.trainer.args.per_device_train_batch_size
        for seeing in (True, False):  # processors take no mixture
            rows = [row for row, one in asked.items() if bool(len(one.images)) == seeing]
            for start in range(0, len(rows), size):
                part = rows[start : start + size]
                ids = self._sampled([with_pictures(asked[row]) for row in part])
                texts = self.trainer.processing_class.batch_decode(ids, skip_special_tokens=True)
                found.update(zip(part, texts, strict=True))
        return found

    def _sampled(self, prompts: list[Any]) -> Any:
        ids, images, fields = self.trainer._tokenize_prompts(prompts)
        return self.trainer._generate_single_turn(ids, images, fields, 1)[0]

    @contextmanager
    def _generating(self, greedy: bool, max_tokens: int | None, own_settings: bool) -> Iterator[None]:
        """Other settings for a while, of the model itself: a server was set up with those of rollouts."""
        trainer = self.trainer
        if not greedy and max_tokens is None and not own_settings:
            yield
            return
        before = trainer.generation_config, trainer.use_vllm, trainer.use_transformers_continuous_batching
        config = copy.deepcopy(trainer.generation_config)
        if greedy:
            config.update(do_sample=False, temperature=1.0, top_p=1.0, top_k=50, min_p=None)
        if max_tokens is not None:
            config.max_new_tokens = max_tokens
        trainer.generation_config, trainer.use_vllm = config, False
        trainer.use_transformers_continuous_batching = False
        try:
            yield
        finally:
            trainer.generation_config, trainer.use_vllm, trainer.use_transformers_continuous_batching = before

    def _logliks(self, fill: PolicyLoglik, rollouts: Sequence[Rollout], written: Written) -> list[list[float] | None]:
        spliced = self.spliced(fill.continues, rollouts, written.ids)
        ids = [own if one is None else one.ids for own, one in zip(written.ids, spliced, strict=True)]
        if not any(one is not None and one.last > one.first for one in spliced):
            return [None if one is None else [] for one in spliced]
        texts = self.forward.of_ids(written.prompt_ids, ids, self.forward.pictures(written.prompts, written.images))
        logp = self.forward.logp(texts)[0] if fill.of == "policy" else self.reference.logp(self.forward, texts)
        rows = logp.double().cpu().numpy()
        return [None if one is None else rows[row, one.first : one.last].tolist() for row, one in enumerate(spliced)]

    def spliced(
        self, continues: Continue, rollouts: Sequence[Rollout], ids: Sequence[Sequence[int]]
    ) -> list[Spliced | None]:
        """Per rollout its own tokens up to a character, and behind them the text; None where there is no text."""
        made = [continues(rollout) for rollout in rollouts]
        return [
            None if one is None else self._spliced(one, rollout.text, list(own))
            for one, rollout, own in zip(made, rollouts, ids, strict=True)
        ]

    def _spliced(self, one: Continuation, text: str, own: list[int]) -> Spliced:
        ends = self.offsets(own, text)[:, 1]
        keep = int(np.argmax(ends > one.keep)) if (ends > one.keep).any() else len(own)
        while keep > 0 and own[keep - 1] in self.offsets.special:  # nothing is said behind the end of a text
            keep -= 1
        # a token that reaches over the cut is written anew up to it
        left = text[int(ends[keep - 1]) if keep else 0 : one.keep]
        opening, scored, closing = (self._encoded(piece) for piece in (left + one.opening, one.text, one.closing))
        first = keep + len(opening)
        ids = [*own[:keep], *opening, *scored, *closing, self.trainer._tokenizer.eos_token_id]
        return Spliced(ids, keep, first, first + len(scored))

    def _encoded(self, text: str) -> list[int]:
        ids: list[int] = self.trainer._tokenizer.encode(text, add_special_tokens=False) if text else []
        return ids


def with_pictures(asked: Asked) -> Any:
    """The prompt with its pictures in their places."""
    if isinstance(asked.prompt, str) and not asked.images:
        return asked.prompt
    turns = [{"role": "user", "content": asked.prompt}] if isinstance(asked.prompt, str) else asked.prompt
    return prepare_multimodal_messages(copy.deepcopy(turns), images=list(asked.images)) if asked.images else turns
