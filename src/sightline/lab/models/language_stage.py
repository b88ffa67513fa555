"""Second stage: projector and language model taught on the frozen tower's cached features.

Muon moves the matrices, AdamW the rest; box edges get soft targets, so that a near miss costs less than a far one.
Serves the base and every cold start. Knows examples, not worlds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sightline.lab.models import tokenizer as tokens
from sightline.lab.models.tiny_vlm import IMAGE_TOKENS
from sightline.lab.models.vision_stage import patch_features, pixels
from sightline.lab.worlds.canvas import SIDE
from sightline.lab.worlds.statements import thousandths

if TYPE_CHECKING:
    import torch

IGNORED = -100
EMBEDDING = "embed_tokens"


@dataclass(frozen=True)
class Recipe:
    """How long and how fast.

    Args:
        steps, size: number of updates and examples in each.
        lr: AdamW's rate, for everything that Muon does not move.
        muon: Muon's rate for the matrices; None leaves them to AdamW.
        blur: standard deviation in pixels of the soft targets of box edges; 0 is plain cross entropy.
    """

    steps: int
    size: int = 24
    lr: float = 2e-3
    muon: float | None = 0.015
    blur: float = 1.0


@dataclass(frozen=True)
class Example:
    """Pictures, a prompt of parts (as in chat messages) that shows them in order, and the completion to learn."""

    pictures: Sequence[Any]
    prompt: Sequence[dict[str, Any]]
    completion: str

    def text(self) -> str:
        """The prompt as the chat template and the processor write it, each picture a run of image tokens."""
        said = ["<image>" * IMAGE_TOKENS if part["type"] == "image" else part["text"] for part in self.prompt]
        return f"<user>{''.join(said)}<assistant>"


class Lessons:
    """Examples as token ids, with the features of their pictures computed once.

    `features` (P, 16, width) holds every picture once; `first[i]` is the place of example i's first picture.
    """

    def __init__(self, examples: Sequence[Example], tower: Any):
        import torch

        reader = tokens.build()
        self.prompts = [reader.encode(e.text()) for e in examples]
        self.completions = [reader.encode(f"{e.completion}<eos>") for e in examples]
        self.counts = [len(e.pictures) for e in examples]
        self.first = np.cumsum([0, *self.counts[:-1]])
        flat = [picture for e in examples for picture in e.pictures]
        with torch.no_grad():
            parts = [patch_features(tower, pixels(flat[i : i + 256])) for i in range(0, len(flat), 256)]
        self.features = torch.cat(parts)

    def __len__(self) -> int:
        return len(self.prompts)

    def batch(self, chosen: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Token ids (B, T) padded right, targets (B, T) shifted by one, picture features (P, 16, D)."""
        import torch

        rows = [self.prompts[i] + self.completions[i] for i in chosen]
        length = max(map(len, rows))
        ids = torch.zeros(len(rows), length, dtype=torch.long)
        targets = torch.full((len(rows), length), IGNORED)
        for row, i in enumerate(chosen):
            ids[row, : len(rows[row])] = torch.tensor(rows[row])
            start = len(self.prompts[i]) - 1
            targets[row, start : start + len(self.completions[i])] = torch.tensor(self.completions[i])
        used = np.concatenate([np.arange(self.first[i], self.first[i] + self.counts[i]) for i in chosen])
        return ids, targets, self.features[torch.from_numpy(used)]


def soft_targets(blur: float) -> torch.Tensor:
    """For every token its target distribution (V, V): itself, or a bell over the edges near it (rows sum to 1)."""
    import torch

    names = tokens.vocabulary()
    table = torch.eye(len(names))
    if blur <= 0:
        return table
    small = [f"{p}," for p in range(SIDE + 1)]
    large = [f"{thousandths(p)}," for p in range(SIDE + 1)]
    for scale in (large, small):
        places = torch.tensor([names.index(token) for token in scale])
        distance = torch.arange(SIDE + 1)[:, None] - torch.arange(SIDE + 1)[None, :]
        bell = torch.softmax(-(distance.float() ** 2) / (2 * blur**2), dim=-1)
        table[places] = 0
        table[places[:, None], places[None, :]] = bell
    return table


def logits_of(model: Any, ids: torch.Tensor, features: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Next-token logits (N, V) at the places where `wanted` (B, T) is true."""
    embedded = model.get_input_embeddings()(ids)
    projected = model.model.multi_modal_projector(features).flatten(0, 1)
    holes = (ids == model.config.image_token_id)[..., None].expand_as(embedded)
    embedded = embedded.masked_scatter(holes, projected)
    hidden = model.model.language_model(inputs_embeds=embedded, use_cache=False).last_hidden_state
    return model.lm_head(hidden[wanted])


def optimizers(model: Any, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of projector and language model (if asked for), AdamW for what remains."""
    import torch

    learnt = [(n, p) for n, p in model.named_parameters() if "vision_tower" not in n]
    matrix = [p for n, p in learnt if p.ndim == 2 and EMBEDDING not in n and "lm_head" not in n]
    if recipe.muon is None:
        return [torch.optim.AdamW([p for _, p in learnt], lr=recipe.lr, weight_decay=0.0)]
    kept = {id(p) for p in matrix}
    rest = [p for _, p in learnt if id(p) not in kept]
    return [
        torch.optim.Muon(matrix, lr=recipe.muon, weight_decay=0.0),
        torch.optim.AdamW(rest, lr=recipe.lr, weight_decay=0.0),
    ]


def teach(model: Any, lessons: Lessons, recipe: Recipe, seed: int = 0) -> Iterator[tuple[int, float]]:
    """Trains projector and language model in place under a cosine; yields (step, loss) every 50 steps."""
    rng = np.random.default_rng([seed, 3])
    moved = optimizers(model, recipe)
    rates = [optimizer.param_groups[0]["lr"] for optimizer in moved]
    targets_VV = soft_targets(recipe.blur)
    model.train()
    order: list[int] = []
    for step in range(1, recipe.steps + 1):
        if len(order) < recipe.size:
            order = rng.permutation(len(lessons)).tolist()
        chosen, order = order[: recipe.size], order[recipe.size :]
        ids, targets, features = lessons.batch(chosen)
        wanted = targets != IGNORED
        logp = logits_of(model, ids, features, wanted).log_softmax(-1)
        value = -(targets_VV[targets[wanted]] * logp).sum(-1).mean()
        warm = min(1.0, step / (0.04 * recipe.steps + 1)) * 0.5 * (1 + np.cos(np.pi * step / recipe.steps))
        for optimizer, rate in zip(moved, rates, strict=True):
            optimizer.param_groups[0]["lr"] = rate * warm
            optimizer.zero_grad()
        value.backward()
        for optimizer in moved:
            optimizer.step()
        if step % 50 == 0 or step == recipe.steps:
            yield step, float(value.detach())
    model.eval()
