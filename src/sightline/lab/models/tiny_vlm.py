"""A vision-language model of about one million parameters with a real architecture: CLIP vision, Llama, LLaVA.

16 image tokens for a picture of 48x48 pixels; any number of pictures in a prompt. Saves to a folder that
`AutoModelForImageTextToText` and `AutoProcessor` load. Knows nothing of what it is trained on. Models and processors
are annotated Any: transformers' own classes carry no usable types.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from sightline.lab.models import tokenizer as tokens
from sightline.lab.worlds.canvas import SIDE
from sightline.lab.worlds.statements import thousandths

# other weights of the same names, for example a retrained base: see `sightline lab --weights`
WEIGHTS = Path(os.environ.get("SIGHTLINE_LAB_WEIGHTS") or Path(__file__).parent / "weights")
PATCH = 12
TIED, EMBEDDING = "lm_head.weight", "model.language_model.embed_tokens.weight"
IMAGE_TOKENS = (SIDE // PATCH) ** 2


def config() -> Any:
    """The `LlavaConfig`: vision 96 wide and 3 deep, language 128 wide and 3 deep, tied embeddings."""
    from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig

    names = tokens.vocabulary()
    vision = CLIPVisionConfig(
        hidden_size=96,
        intermediate_size=384,
        num_hidden_layers=3,
        num_attention_heads=4,
        image_size=SIDE,
        patch_size=PATCH,
        projection_dim=96,
    )
    text = LlamaConfig(
        vocab_size=len(names),
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=3,
        num_attention_heads=4,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        pad_token_id=names.index("<pad>"),
        bos_token_id=names.index("<bos>"),
        eos_token_id=names.index("<eos>"),
    )
    shape: Any = LlavaConfig
    return shape(
        vision_config=vision,
        text_config=text,
        image_token_id=names.index("<image>"),
        image_token_index=names.index("<image>"),
        vision_feature_layer=-1,
        vision_feature_select_strategy="default",
        image_seq_length=IMAGE_TOKENS,
        tie_word_embeddings=True,
    )


def processor() -> Any:
    """Tokenizer, chat template and the PIL image processor: no torchvision, no crop, pictures scaled to 48x48."""
    from transformers import LlavaProcessor
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    pictures = CLIPImageProcessorPil(
        size={"height": SIDE, "width": SIDE},
        do_center_crop=False,
        image_mean=[0.5, 0.5, 0.5],
        image_std=[0.25, 0.25, 0.25],
    )
    assemble: Any = LlavaProcessor
    return assemble(
        image_processor=pictures,
        tokenizer=tokens.build(),
        patch_size=PATCH,
        vision_feature_select_strategy="default",
        chat_template=tokens.CHAT_TEMPLATE,
        num_additional_image_tokens=1,
    )


def build(seed: int = 0) -> Any:
    """An untrained model whose weights depend on the seed alone; the global random state is left as it was."""
    import torch
    from transformers import LlavaForConditionalGeneration

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model: Any = LlavaForConditionalGeneration(config())
        order_edges(model)
    names = tokens.vocabulary()
    model.generation_config.pad_token_id = names.index("<pad>")
    model.generation_config.bos_token_id = names.index("<bos>")
    model.generation_config.eos_token_id = names.index("<eos>")
    return model.eval()


def order_edges(model: Any) -> None:
    """Gives neighbouring box edges neighbouring embeddings: smooth curves over the pixel they stand for."""
    import torch

    table = model.get_input_embeddings().weight
    names = tokens.vocabulary()
    pixel = edge_pixels()
    phase = torch.arange(1, table.shape[1] // 2 + 1) / (table.shape[1] // 2) * 3 * torch.pi
    with torch.no_grad():
        for token, place in pixel.items():
            angle = place / SIDE * phase
            curve = torch.cat([angle.sin(), angle.cos()]) * 0.02
            table[names.index(token)] = 0.25 * table[names.index(token)] + curve


def edge_pixels() -> dict[str, int]:
    """The pixel 0..48 that each edge token stands for (a token of both scales counts as pixels)."""
    scaled = {f"{thousandths(p)},": p for p in range(SIDE + 1)}
    return {**scaled, **{f"{p},": p for p in range(SIDE + 1)}}


def load(name_or_path: str | Path = "base") -> tuple[Any, Any]:
    """The model and processor of a shipped name (see `shipped()`) or of a folder.

    Weights travel in half precision and are computed with in float32. A shipped cold start holds only the tensors that
    differ from the model it started from.

    Raises:
        FileNotFoundError: neither a shipped name nor a folder.
    """
    import torch

    if str(name_or_path) in shipped():
        return from_shipped(str(name_or_path)), processor()
    if not Path(name_or_path).is_dir():
        raise FileNotFoundError(f"{name_or_path} is neither a folder nor one of the shipped {', '.join(shipped())}")
    from transformers import AutoModelForImageTextToText, AutoProcessor

    pupil: Any = AutoProcessor
    model = AutoModelForImageTextToText.from_pretrained(name_or_path, dtype=torch.float32)
    return model.eval(), pupil.from_pretrained(name_or_path)


def shipped() -> list[str]:
    """Names of the models whose weights are part of this package."""
    return sorted(path.stem for path in WEIGHTS.glob("*.safetensors"))


def card(name: str, folder: Path = WEIGHTS) -> dict[str, Any]:
    """What is recorded of a shipped model: command, seeds, settings, held-out figures."""
    record: dict[str, Any] = json.loads((folder / f"{name}.json").read_text())
    return record


def from_shipped(name: str, folder: Path = WEIGHTS) -> Any:
    """The model of that name among the weights in a folder."""
    model = build()
    tensors = shipped_tensors(name, folder)
    model.load_state_dict({**tensors, TIED: tensors[EMBEDDING]})
    return model


def shipped_tensors(name: str, folder: Path = WEIGHTS) -> dict[str, Any]:
    """All tensors of a shipped model in float32, those of its starting point included."""
    from safetensors.torch import load_file

    start = card(name, folder).get("starts_from")
    tensors = shipped_tensors(start, folder) if start else {}
    own = load_file(folder / f"{name}.safetensors")
    return {**tensors, **{key: value.float() for key, value in own.items()}}


def save(model: Any, folder: str | Path) -> Path:
    """Writes model and processor as a folder that the `Auto` classes of transformers load."""
    folder = Path(folder)
    model.save_pretrained(folder)
    processor().save_pretrained(folder)
    return folder


def ship(model: Any, name: str, folder: Path, record: dict[str, Any]) -> Path:
    """Writes weights in half precision with their record; only what differs from `record["starts_from"]` is kept."""
    import torch
    from safetensors.torch import save_file

    start = record.get("starts_from")
    before = shipped_tensors(start, folder) if start else {}
    half = {k: v.detach().half().contiguous() for k, v in model.state_dict().items() if k != TIED}
    own = {k: v for k, v in half.items() if k not in before or not torch.equal(v, before[k].half())}
    folder.mkdir(parents=True, exist_ok=True)
    save_file(own, folder / f"{name}.safetensors")
    (folder / f"{name}.json").write_text(json.dumps(record, indent=2) + "\n")
    return folder / f"{name}.safetensors"


def freeze_vision(model: Any) -> Any:
    """The same model with its vision tower excluded from training."""
    model.model.vision_tower.requires_grad_(False)
    return model


def rounded(model: Any) -> Any:
    """The same model with every weight rounded to half precision, as it will be shipped."""
    model.load_state_dict({key: value.half().float() for key, value in model.state_dict().items()})
    return model.eval()
