"""A transformers model that is loaded, its inputs, and what it says and embeds (what it finds likely: `continuations`).

Axes: B questions of a batch, T tokens, V vocabulary, D width, N positions. Generation pads on the left.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any
from weakref import WeakKeyDictionary

import torch
import transformers
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING, MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING

from sightline.core.errors import ConfigError, JudgeError
from sightline.judges.judge import Question, Sampling, encodable
from sightline.judges.vocabulary import token_logps

PROBE = (1, 2, 3)  # any tokens do
_loading = threading.Lock()
_turns: WeakKeyDictionary[Any, threading.RLock] = WeakKeyDictionary()  # two judges may hold one model object


@dataclass(frozen=True)
class Loaded:
    """Model and processor of one path.

    Args:
        model: in eval mode, on its device.
        processor: makes inputs of texts and pictures; a tokenizer for text models.
        tokenizer: the processor's.
        fit: pictures as they go to the processor; None: as they are.
        turn: one question at a time sets padding and runs.
    """

    model: Any
    processor: Any
    tokenizer: Any
    fit: Callable[[Any, int], Any] | None = None
    turn: threading.RLock = field(default_factory=threading.RLock)

    @property
    def sees(self) -> bool:
        """Whether it takes pictures."""
        return self.processor is not self.tokenizer

    @property
    def dual(self) -> bool:
        """Whether it encodes pictures and texts apart, as CLIP does."""
        return hasattr(self.model, "get_image_features") and hasattr(self.model, "get_text_features")

    @property
    def body(self) -> Any:
        """The model without its output layer: tokens and pictures to last hidden states."""
        return self.model.base_model

    @cached_property
    def reuses(self) -> bool:
        """Whether scoring from kept keys and values, with our own output layer, is what the model itself computes.

        Decided by a trial on a few tokens: sliding windows, recurrent layers, scaled logits and other architectures of
        which this does not hold are found without a list of names.
        """
        try:
            return self._agrees_with_itself()
        except (AttributeError, TypeError, KeyError, IndexError, ValueError, RuntimeError):
            return False  # it takes or returns other things: it is run as it stands

    def _agrees_with_itself(self) -> bool:
        if type(self.model.get_output_embeddings()) is not torch.nn.Linear:
            return False  # an adapter or a quantised layer: its weights are not all there is to it
        ids_1T = torch.tensor([PROBE], device=self.model.device)
        whole_TV = self.model(input_ids=ids_1T).logits[0].float()
        before = self.body(input_ids=ids_1T[:, :-1], use_cache=True)
        cache = before.past_key_values
        if any(cache.is_sliding) or any(cache.is_linear):
            return False
        after = self.body(
            input_ids=ids_1T[:, -1:],
            attention_mask=torch.ones_like(ids_1T),
            position_ids=torch.full_like(ids_1T[:, -1:], len(PROBE) - 1),
            past_key_values=cache,
            use_cache=True,
        )
        states_TD = torch.cat([before.last_hidden_state[0], after.last_hidden_state[0]])
        targets_T = whole_TV.argmin(-1)  # unlikely tokens tell a softened logit from a plain one
        mine_T = self.head(states_TD, targets_T)
        theirs_T = whole_TV.log_softmax(-1).gather(1, targets_T[:, None])[:, 0]
        rough = 1e-4 if self.model.dtype == torch.float32 else 5e-2
        return bool(torch.allclose(mine_T, theirs_T, rtol=rough, atol=rough))

    def head(self, states_ND: torch.Tensor, targets_N: torch.Tensor) -> torch.Tensor:
        """(N,) log-probabilities of tokens that follow last hidden states."""
        layer = self.model.get_output_embeddings()
        text = self.model.config.get_text_config()
        cap = getattr(text, "final_logit_softcapping", None)
        return token_logps(states_ND, layer.weight, targets_N, getattr(layer, "bias", None), cap)


def load(path: str, revision: str, device: str, dtype: str) -> Loaded:
    """The model of a path, loaded once per process.

    Raises:
        ConfigError: there is no such model, or its files cannot be read.
    """
    with _loading:
        return _load(path, revision, device, dtype)


def of_model(model: Any, processor: Any) -> Loaded:
    """A model object with its processor; what trainers wrap around it is taken off, adapters stay at work."""
    model = getattr(model, "module", model)
    model = model.get_base_model() if hasattr(model, "get_base_model") else model
    loaded = _with_padding(model, processor)
    with _loading:
        return replace(loaded, turn=_turns.setdefault(model, loaded.turn))


def adapter_as(model: Any, on: bool) -> AbstractContextManager[Any]:
    """While this is open, a peft model works with or without its adapter."""
    model = getattr(model, "module", model)
    return nullcontext() if on or not hasattr(model, "disable_adapter") else model.disable_adapter()


@cache
def _load(path: str, revision: str, device: str, dtype: str) -> Loaded:
    where = {"revision": revision} if revision else {}
    try:
        config = transformers.AutoConfig.from_pretrained(path, **where)
        kind = _model_class(config)
        with_pictures = kind is transformers.AutoModelForImageTextToText or hasattr(config, "vision_config")
        maker: Any = transformers.AutoProcessor if with_pictures else transformers.AutoTokenizer
        processor = maker.from_pretrained(path, **where)
        model = kind.from_pretrained(path, dtype=dtype, **where)
    except (OSError, ValueError, ImportError) as error:
        raise ConfigError(f"LocalJudge: no usable model at {path!r}: {error}") from error
    return _with_padding(model.to(_device(device)).eval(), processor)


def _with_padding(model: Any, processor: Any) -> Loaded:
    tokenizer = getattr(processor, "tokenizer", processor)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return Loaded(model, processor, tokenizer)


def _model_class(config: Any) -> Any:
    if type(config) in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING:
        return transformers.AutoModelForImageTextToText
    if type(config) in MODEL_FOR_CAUSAL_LM_MAPPING and not getattr(config, "is_encoder_decoder", False):
        return transformers.AutoModelForCausalLM
    return transformers.AutoModel


def _device(name: str) -> torch.device:
    if name:
        return torch.device(name)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def prompt_of(model: Loaded, question: Question) -> str:
    """The question as the model's template writes it, and what the answer opens with.

    Without a template the text stands behind one mark per picture.
    """
    return _asked(model, question) + encodable(question.opening)


def _asked(model: Loaded, question: Question) -> str:
    text = question.text()
    if not getattr(model.processor, "chat_template", None):
        return getattr(model.processor, "image_token", "") * len(question.images) + text
    parts: Any = text
    if model.sees:
        parts = [*({"type": "image"} for _ in question.images), {"type": "text", "text": text}]
    messages = [{"role": "user", "content": parts}]
    return str(model.processor.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))


def inputs_of(model: Loaded, questions: Sequence[Question], side: str) -> Any:
    """The questions' prompts and pictures as tensors, padded on one side."""
    if any(question.images for question in questions) and not model.sees:
        raise JudgeError("this model takes no pictures")
    model.tokenizer.padding_side = side
    # a template writes the special tokens itself
    special = not getattr(model.processor, "chat_template", None)
    how = {"return_tensors": "pt", "padding": True, "add_special_tokens": special}
    texts = [prompt_of(model, question) for question in questions]
    if not any(question.images for question in questions):
        return model.tokenizer(texts, **how).to(model.model.device)
    pictures = [[_picture(image) for image in question.images] for question in questions]
    return model.processor(text=texts, images=pictures, **how).to(model.model.device)


def _picture(image: Any) -> Any:
    from sightline.media import images

    return images.load(image).convert("RGB")


def generate(model: Loaded, questions: Sequence[Question]) -> list[Any]:
    """A text per question, special tokens left out; the questions must be sampled alike."""
    inputs = inputs_of(model, questions, "left")
    how = questions[0].sampling
    with torch.random.fork_rng(devices=_seeded_devices(model), enabled=how.seed is not None):
        if how.seed is not None:
            torch.manual_seed(how.seed)
        ids_BT = model.model.generate(**inputs, generation_config=_generation(model, how))
    said_BT = ids_BT[:, inputs["input_ids"].shape[1] :]
    return [str(text) for text in model.tokenizer.batch_decode(said_BT, skip_special_tokens=True)]


def _seeded_devices(model: Loaded) -> list[int]:
    return [model.model.device.index or 0] if model.model.device.type == "cuda" else []


def _generation(model: Loaded, how: Sampling) -> Any:
    """Every knob said, so that none of the checkpoint's own (top_k, repetition penalty) is at work."""
    samples = how.temperature > 0
    config: Any = transformers.GenerationConfig
    return config(
        max_new_tokens=how.max_tokens,
        do_sample=samples,
        temperature=how.temperature if samples else 1.0,
        top_p=how.top_p if samples else 1.0,
        top_k=0 if samples else 50,
        repetition_penalty=1.0,
        num_beams=1,
        eos_token_id=model.model.generation_config.eos_token_id or model.tokenizer.eos_token_id,
        pad_token_id=model.tokenizer.pad_token_id,
    )


def embed(model: Loaded, questions: Sequence[Question]) -> list[Any]:
    """A vector per question; pictures and texts apart if the model encodes them apart."""
    if model.dual:
        shown = any(question.images for question in questions)
        vectors = _image_features(model, questions) if shown else _text_features(model, questions)
        return [tuple(vector) for vector in vectors.float().tolist()]
    inputs = inputs_of(model, questions, "right")
    outputs = model.model(**inputs, output_hidden_states=True)
    hidden_BTD = outputs.hidden_states[-1].float()
    mask_BT1 = inputs["attention_mask"][..., None].float()
    mean_BD = (hidden_BTD * mask_BT1).sum(1) / mask_BT1.sum(1)
    return [tuple(vector) for vector in mean_BD.tolist()]


def _image_features(model: Loaded, questions: Sequence[Question]) -> torch.Tensor:
    """(B, D): per question the mean over its pictures, all of which run together."""
    pictures = [_fitted(model, image) for question in questions for image in question.images]
    inputs = model.processor.image_processor(images=pictures, return_tensors="pt").to(model.model.device)
    features_ND = _features(model.model.get_image_features(pixel_values=inputs["pixel_values"].to(model.model.dtype)))
    parts = features_ND.float().split([len(question.images) for question in questions])
    return torch.stack([part_KD.mean(0) for part_KD in parts])


def _fitted(model: Loaded, image: Any) -> Any:
    picture = _picture(image)
    return picture if model.fit is None else model.fit(picture, model.model.config.vision_config.image_size)


def _text_features(model: Loaded, questions: Sequence[Question]) -> torch.Tensor:
    """(B, D), texts cut at the longest the model knows."""
    longest = model.model.config.text_config.max_position_embeddings
    # SigLIP reads a text's vector off its last place and was trained on full lines of padding, without a mask
    full = model.model.config.model_type.startswith("siglip")
    model.tokenizer.padding_side = "right"
    how = {"padding": "max_length" if full else True, "truncation": True, "max_length": longest}
    inputs = model.tokenizer([question.text() for question in questions], return_tensors="pt", **how)
    taken = ("input_ids",) if full else ("input_ids", "attention_mask")
    return _features(model.model.get_text_features(**{name: inputs[name].to(model.model.device) for name in taken}))


def _features(output: Any) -> torch.Tensor:
    tensor: torch.Tensor = getattr(output, "pooler_output", output)
    return tensor
