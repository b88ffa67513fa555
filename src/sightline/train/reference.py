"""The reference policy: a copy of the policy as training began, frozen or following it slowly.

reference <- a(t) * policy + (1 - a(t)) * reference, after every training step t
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import is_peft_model
from transformers import TrainerCallback
from trl.trainer.utils import add_fused_lm_head, use_adapter

from sightline.core.errors import ConfigError
from sightline.train.forward import Forward, Texts

FILE = "reference.pt"


class Reference:
    """A reference policy for a trainer: TRL's own if there is one, the model without its adapter, or a copy.

    Args:
        model: the policy as it is given to the trainer; copied at once if a copy is needed.
        weight: step, counted from 1 -> a(t), the policy's share in the moving average; None: the reference is frozen.

    Raises:
        ConfigError: a moving reference of a policy with an adapter, or a model that is only a name.
    """

    def __init__(self, model: Any, weight: Callable[[int], float] | None = None, adapter: bool = False) -> None:
        self.weight = weight
        self.adapter = adapter or (not isinstance(model, str) and is_peft_model(model))
        if self.adapter and weight is not None:
            raise ConfigError("a moving reference needs full weights: train without an adapter")
        if isinstance(model, str):
            raise ConfigError("a reference policy needs the model as an object, not by its name")
        self.model: Any = None if self.adapter else copy.deepcopy(model).requires_grad_(False).eval()
        self.trainer: Any = None

    def attach(self, trainer: Any) -> None:
        """Ready the copy for a trainer's forward pass."""
        self.trainer = trainer
        if self.adapter or self._frozen_there:
            self.model = None
            return
        add_fused_lm_head(
            self.model, temperature=trainer.temperature, cast_lm_head_to_fp32=trainer.args.cast_lm_head_to_fp32
        )
        self.model = trainer.accelerator.prepare_model(self.model, evaluation_mode=True)
        if self.weight is not None:
            trainer.add_callback(_Following(self))

    def logp(self, forward: Forward, texts: Texts) -> torch.Tensor:
        """(B, T) log-probabilities of the completions' tokens under the reference."""
        if self.model is not None:
            return forward.logp(texts, self.model)[0]
        if self._frozen_there:
            return forward.logp(texts, self.trainer.ref_model)[0]
        policy = self.trainer.accelerator.unwrap_model(self.trainer.model)
        with use_adapter(policy, adapter_name="ref" if "ref" in policy.peft_config else None):
            return forward.logp(texts)[0]

    @contextmanager
    def speaking(self) -> Iterator[None]:
        """For a while it is the reference that the trainer generates with."""
        trainer, before = self.trainer, self.trainer.model_wrapped
        if self.model is None and not self._frozen_there:
            policy = trainer.accelerator.unwrap_model(trainer.model)
            with use_adapter(policy, adapter_name="ref" if "ref" in policy.peft_config else None):
                yield
            return
        trainer.model_wrapped = trainer.ref_model if self.model is None else self.model
        try:
            yield
        finally:
            trainer.model_wrapped = before

    def follow(self, policy: Any, step: int) -> None:
        """Move the copy towards the policy."""
        assert self.weight is not None
        assert self.model is not None
        share = self.weight(step)
        with torch.no_grad():
            pairs = zip(self.model.parameters(), policy.parameters(), strict=True)
            for mine, theirs in pairs:
                mine.lerp_(theirs.to(mine.dtype), share)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write a moving copy into a checkpoint; a frozen one is made anew from the start."""
        if self.weight is not None and self.model is not None:
            os.makedirs(folder, exist_ok=True)
            torch.save(self.model.state_dict(), Path(folder) / FILE)

    def load(self, folder: str | os.PathLike[str]) -> None:
        """Restore a moving copy from a checkpoint, if it has one."""
        path = Path(folder) / FILE
        if self.weight is not None and self.model is not None and path.exists():
            self.model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))

    @property
    def _frozen_there(self) -> bool:
        """Whether TRL has a reference for its KL penalty already, and a frozen one is wanted."""
        return self.weight is None and self.trainer.ref_model is not None


class _Following(TrainerCallback):
    def __init__(self, reference: Reference) -> None:
        self.reference = reference

    def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        self.reference.follow(self.reference.trainer.accelerator.unwrap_model(model), state.global_step)
