"""One more forward pass of the policy, or of its reference: log-probabilities of tokens behind prompts and pictures.

Slicing of pictures and chunking are TRL's. Everything here is without gradient and with dropout off.

Axes: B rollouts, T tokens of the longest completion, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, NamedTuple

import torch
from trl.data_utils import apply_chat_template
from trl.models.utils import disable_gradient_checkpointing
from trl.trainer.utils import pad

from sightline.core.errors import ConfigError

PICTURES = (
    "pixel_values",
    "image_grid_thw",
    "num_images",
    "pixel_attention_mask",
    "spatial_shapes",
    "num_tiles",
    "image_sizes",
    "token_type_ids",
    "mm_token_type_ids",
    "image_position_ids",
)
PER_TOKEN = ("token_type_ids", "mm_token_type_ids")


class Texts(NamedTuple):
    """Prompts with completions as tensors, and the pictures, as TRL's forward pass takes them."""

    ids: torch.Tensor
    mask: torch.Tensor
    kept: int
    pictures: dict[str, Any]


@dataclass(frozen=True)
class Forward:
    """The forward pass of a trainer's models.

    Args:
        trainer: TRL's.
    """

    trainer: Any

    def of_output(self, output: dict[str, Any]) -> Texts:
        """The rollouts of a scored batch."""
        ids = torch.cat([output["prompt_ids"], output["completion_ids"]], dim=1)
        mask = torch.cat([output["prompt_mask"], output["completion_mask"]], dim=1)
        return Texts(ids, mask, output["completion_ids"].shape[1], {n: output[n] for n in PICTURES if n in output})

    def of_ids(
        self, prompt_ids: Sequence[Sequence[int]], completion_ids: Sequence[Sequence[int]], pictures: dict[str, Any]
    ) -> Texts:
        """Token lists, prompts padded on the left, completions on the right."""
        before, before_mask = self._padded(prompt_ids, "left")
        behind, behind_mask = self._padded(completion_ids, "right")
        grown = {name: _grown(value, behind) if name in PER_TOKEN else value for name, value in pictures.items()}
        ids, mask = torch.cat([before, behind], dim=1), torch.cat([before_mask, behind_mask], dim=1)
        return Texts(ids, mask, behind.shape[1], grown)

    def pictures(self, prompts: Sequence[Any], images: Sequence[Sequence[Any] | None] | None) -> dict[str, Any]:
        """The pictures of prompts as the processor makes them.

        Raises:
            ConfigError: the processor cuts pictures into tiles, whose number it does not say.
        """
        if images is None or not any(images):
            return {}
        trainer = self.trainer
        texts = [
            apply_chat_template({"prompt": prompt}, trainer.processing_class, **trainer.chat_template_kwargs)["prompt"]
            for prompt in prompts
        ]
        shown = [list(row or []) for row in images]
        made = trainer.processing_class(images=shown, text=texts, padding=True, return_tensors="pt")
        device = trainer.accelerator.device
        found = {n: v.to(device) for n, v in made.items() if n not in ("input_ids", "attention_mask")}
        found["num_images"] = [len(row) for row in shown]
        pixels = found["pixel_values"]
        if "spatial_shapes" in found or (pixels.ndim == 4 and len(pixels) != sum(found["num_images"])):
            raise ConfigError(f"{type(trainer.processing_class).__name__} cuts pictures into tiles: not supported here")
        return found

    def logp(self, texts: Texts, model: Any = None, entropy: bool = False) -> tuple[torch.Tensor, torch.Tensor | None]:
        """(B, T) log-probabilities of the completions' tokens, and their entropies if asked for.

        Args:
            model: instead of the policy.
        """
        with self._quiet():
            chosen = self.trainer.model if model is None else model
            logp, entropies, _ = self._run(chosen, texts, compute_entropy=entropy)
        return logp, entropies

    def kl(self, texts: Texts, spoiled: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, T) log-probabilities, and KL(p || p') over the vocabulary, p' the policy's with other pictures."""
        chunks: list[dict[str, Any]] = []
        found: list[torch.Tensor] = []
        policy = self.trainer.model

        def recorded(labels: torch.Tensor, fused_lm_head: bool, **inputs: Any) -> Any:
            chunks.append(inputs)
            return _placeholder(labels)

        def compared(labels: torch.Tensor, fused_lm_head: bool, **inputs: Any) -> Any:
            logp, other = (self._distribution(policy, texts.kept, given) for given in (inputs, chunks[len(found)]))
            found.append((logp.exp() * (logp - other)).sum(-1).clamp(min=0.0))
            written = logp.gather(-1, inputs["input_ids"][:, -texts.kept :, None])[..., 0]
            return SimpleNamespace(log_probs=written)

        with self._quiet():
            self._run(recorded, texts._replace(pictures=spoiled))
            logp, _, _ = self._run(compared, texts)
        return logp, torch.cat(found)

    def _distribution(self, model: Any, kept: int, inputs: dict[str, Any]) -> torch.Tensor:
        """(b, T, V) log-probabilities of every word before each token of the completions."""
        with self.trainer.accelerator.autocast():
            logits = model(**inputs, logits_to_keep=kept + 1).logits
        return torch.log_softmax(logits[:, -kept - 1 : -1].float() / self.trainer.temperature, dim=-1)

    def _run(self, model: Callable[..., Any], texts: Texts, **how: Any) -> Any:
        size = self.trainer.args.per_device_train_batch_size
        return self.trainer._get_per_token_logps_and_entropies(
            model, texts.ids, texts.mask, texts.kept, batch_size=size, **texts.pictures, **how
        )

    @contextmanager
    def _quiet(self) -> Iterator[None]:
        """No gradient, no dropout."""
        trainer, training = self.trainer, self.trainer.model.training
        trainer.model.eval()
        try:
            with (
                torch.no_grad(),
                disable_gradient_checkpointing(trainer.model, trainer.args.gradient_checkpointing_kwargs),
            ):
                yield
        finally:
            trainer.model.train(training)

    def _padded(self, ids: Sequence[Sequence[int]], side: str) -> tuple[torch.Tensor, torch.Tensor]:
        rows = [torch.tensor(list(row), dtype=torch.long) for row in ids]
        device, filler = self.trainer.accelerator.device, self.trainer._tokenizer.pad_token_id
        mask = pad([torch.ones_like(row) for row in rows], padding_value=0, padding_side=side)
        return pad(rows, padding_value=filler, padding_side=side).to(device), mask.to(device)


def _grown(value: torch.Tensor, behind: torch.Tensor) -> torch.Tensor:
    return torch.cat([value, value.new_zeros(behind.shape)], dim=1)


def _placeholder(labels: torch.Tensor) -> Any:
    return SimpleNamespace(log_probs=torch.zeros(labels.shape, device=labels.device))
