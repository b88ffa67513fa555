"""A tiny CLIP for one simulator: trained on rendered frames and captions, saved as any CLIP is.

Contrastive, with equal captions counted as equally right, for one caption fits many frames. `DualEncoder` loads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from PIL import Image

from sightline.judges.embedders import stretched

SIDE, PATCH, WIDTH, LAYERS, SHARED = 48, 12, 64, 2, 32
LONGEST = 16
SPECIAL = ("<pad>", "<s>", "</s>", "<unk>")


def train(
    pictures: Sequence[NDArray[np.uint8]], captions: Sequence[str], folder: Path, seed: int = 0, steps: int = 400
) -> list[float]:
    """Train on pairs and save model and processor into `folder`.

    Args:
        pictures: N frames (H, W, 3).
        captions: their N texts.

    Returns: the loss, once every 50 steps.
    """
    torch.manual_seed(seed)
    processor = _processor(captions)
    model = transformers.CLIPModel(_config(len(processor.tokenizer)))
    with torch.no_grad():
        # at CLIP's own start patches are faint beside positions, and such a small model never learns to look
        model.vision_model.embeddings.patch_embedding.weight.mul_(10)
    frames = [stretched(Image.fromarray(picture), SIDE) for picture in pictures]
    pixels_N = processor.image_processor(images=frames, return_tensors="pt")["pixel_values"]
    words_N = processor.tokenizer(list(captions), padding=True, return_tensors="pt")
    kinds_N = torch.tensor([{c: i for i, c in enumerate(dict.fromkeys(captions))}[c] for c in captions])
    losses = _fit(model, pixels_N, words_N, kinds_N, seed, steps)
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return losses


def _fit(model: Any, pixels_N: Any, words_N: Any, kinds_N: Any, seed: int, steps: int, batch: int = 64) -> list[float]:
    order = np.random.default_rng([seed, 6])
    optimizers = _optimizers(model)
    schedules = [torch.optim.lr_scheduler.OneCycleLR(one, one.defaults["lr"], steps) for one in optimizers]
    losses = []
    for step in range(steps):
        rows = torch.as_tensor(order.choice(len(kinds_N), batch, replace=False))
        out = model(
            input_ids=words_N["input_ids"][rows],
            attention_mask=words_N["attention_mask"][rows],
            pixel_values=pixels_N[rows],
        )
        same_BB = (kinds_N[rows][:, None] == kinds_N[rows][None, :]).float()
        share_BB = same_BB / same_BB.sum(1, keepdim=True)
        logits_BB = out.logits_per_image
        loss = -(share_BB * (logits_BB.log_softmax(1) + logits_BB.T.log_softmax(1))).sum(1).mean() / 2
        model.zero_grad()
        loss.backward()
        for member in (*optimizers, *schedules):
            member.step()
        if step % 50 == 0:
            losses.append(float(loss.detach()))
    return losses


def _optimizers(model: Any) -> list[Any]:
    """Muon for the layers' matrices, AdamW for the rest; AdamW alone stays at a guess for hundreds of steps."""
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embedding" not in name]
    known = {id(p) for p in matrices}
    rest = [p for p in model.parameters() if id(p) not in known]
    return [torch.optim.Muon(matrices, lr=0.02), torch.optim.AdamW(rest, lr=1e-3, weight_decay=0.05)]


def _config(words: int) -> Any:
    sizes = {
        "hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": 4,
    }
    text = {
        **sizes,
        "vocab_size": words,
        "max_position_embeddings": LONGEST,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 0,
    }
    vision = {**sizes, "image_size": SIDE, "patch_size": PATCH}
    return transformers.CLIPConfig(text_config=text, vision_config=vision, projection_dim=SHARED)


def _processor(captions: Sequence[str]) -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    words = [*SPECIAL, *sorted({word for caption in captions for word in caption.split()})]
    engine = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unk>"))
    engine.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    engine.post_processor = processors.TemplateProcessing("<s> $A </s>", None, [("<s>", 1), ("</s>", 2)])
    names = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    fast: Any = transformers.PreTrainedTokenizerFast
    side = {"height": SIDE, "width": SIDE}
    pictures = transformers.CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size=side)
    tokenizer = fast(tokenizer_object=engine, model_max_length=LONGEST, padding_side="right", **names)
    return transformers.CLIPProcessor(pictures, tokenizer)
