"""Loading a model with its processor, and what a recipe changes on them before training."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sightline.core.errors import ConfigError

# How modules that see are called: LLaVA, CLIP and SigLIP towers, Qwen-VL, InternVL.
VISION = ("vision_tower", "vision_model", "visual", "vision_encoder")


def load_model(name_or_path: str, **options: Any) -> tuple[Any, Any]:
    """A model and its processor (for text models its tokenizer), padded on the left.

    Args:
        options: arguments of `from_pretrained`; the default dtype is float32, as in TRL: updates at a learning rate
            like 1e-6 are lost in the rounding of half precision.

    Raises:
        ConfigError: there is no such model, or no class of transformers loads it.
    """
    from transformers import AutoProcessor

    model = _pretrained(name_or_path, options)
    try:
        processor = AutoProcessor.from_pretrained(  # type: ignore[no-untyped-call]
            name_or_path, padding_side="left", truncation_side="left"
        )
    except (OSError, ValueError) as error:
        raise ConfigError(f"model `{name_or_path}` has no processor or tokenizer: {error}") from error
    return model, processor


def prepare(model: Any, processor: Any, on_processor: dict[str, Any], on_model: dict[str, Any]) -> list[str]:
    """Apply the recipe's settings for processor and model.

    Returns:
        Notes on settings that do not apply to this processor.

    Raises:
        ConfigError: the vision tower shall be frozen and there is none.
    """
    if on_model.get("freeze_vision"):
        freeze_vision(model)
    notes = [_set_pixels(processor, name, value) for name, value in on_processor.items()]
    return [note for note in notes if note]


def freeze_vision(model: Any) -> int:
    """Stop training the modules that see; the projector of LLaVA-type models stays trainable.

    Returns:
        How many parameters were frozen.

    Raises:
        ConfigError: no module is called like a vision tower.
    """
    frozen = 0
    for parameter in _seeing(model):
        parameter.requires_grad_(False)
        frozen += parameter.numel()
    if not frozen:
        raise ConfigError(f"`freeze vision`: {type(model).__name__} has no module called {', '.join(VISION)}")
    return frozen


def lora(arguments: dict[str, Any], freeze_vision: bool = False) -> Any:
    """The adapter of these arguments, or None for full fine-tuning.

    Args:
        arguments: of `peft.LoraConfig`; by default all linear layers but the output get an adapter.
        freeze_vision: leave the modules that see without one.

    Raises:
        ConfigError: peft refuses the arguments.
    """
    if not arguments:
        return None
    from peft import LoraConfig

    defaults: dict[str, Any] = {"task_type": "CAUSAL_LM", "target_modules": "all-linear"}
    if freeze_vision:
        defaults["exclude_modules"] = rf"(.*\.)?({'|'.join(VISION)})\..*"
    try:
        return LoraConfig(**{**defaults, **arguments})
    except (TypeError, ValueError) as error:
        raise ConfigError(f"peft.LoraConfig({arguments}): {error}") from error


def _seeing(model: Any) -> Iterator[Any]:
    for name, parameter in model.named_parameters():
        if set(name.split(".")) & set(VISION):
            yield parameter


def _set_pixels(processor: Any, name: str, value: int) -> str:
    """Set a bound on picture size where the processor has one."""
    image_processor = getattr(processor, "image_processor", None)
    edge = {"max_pixels": "longest_edge", "min_pixels": "shortest_edge"}[name]
    size = getattr(image_processor, "size", None)
    bounded = hasattr(image_processor, name)
    if bounded:
        setattr(image_processor, name, value)
    if bounded and size is not None and edge in size:
        image_processor.size = {**dict(size), edge: value}  # type: ignore[union-attr]
    return "" if bounded else f"{name} = {value}: {type(image_processor).__name__} has no such bound"


def without_adapter(name_or_path: str, folder: Path, options: dict[str, Any]) -> str:
    """A model that needs no adapter: the same name, or for a folder with a LoRA adapter a merged copy in `folder`.

    Reference policies and further adapters are built on what lies on disk, so merging in memory would not do. With
    several processes the main one merges.

    Raises:
        ConfigError: the adapter does not say what its base model is.
    """
    from accelerate import PartialState

    if not (Path(name_or_path) / "adapter_config.json").exists():
        return name_or_path
    with PartialState().main_process_first():
        if PartialState().is_main_process and not folder.exists():
            _merge(name_or_path, folder, options)
    return str(folder)


def _merge(adapter: str, folder: Path, options: dict[str, Any]) -> None:
    from peft import PeftConfig, PeftModel
    from transformers import AutoProcessor

    base = PeftConfig.from_pretrained(adapter).base_model_name_or_path
    if not base:
        raise ConfigError(f"{adapter} holds an adapter that does not say what its base model is")
    draft = folder.with_name(f".{folder.name}.draft")
    PeftModel.from_pretrained(_pretrained(base, options), adapter).merge_and_unload().save_pretrained(draft)
    AutoProcessor.from_pretrained(adapter).save_pretrained(draft)  # type: ignore[no-untyped-call]
    draft.rename(folder)


def _pretrained(name_or_path: str, options: dict[str, Any]) -> Any:
    from trl.trainer.utils import create_model_from_path

    try:
        return create_model_from_path(name_or_path, **{"device_map": None, **options})
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot load model `{name_or_path}`: {error}") from error
