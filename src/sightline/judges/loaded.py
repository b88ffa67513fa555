"""A transformers model that is loaded, and what a judge can do with it.

Axes: B questions of a batch, T tokens, V vocabulary, D width. Generation pads on the left; scoring pads on the right,
where positions count from 0 for every architecture and causal attention never looks.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from typing import Any, TypeAlias

import torch
import transformers
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING, MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING

from sightline.core.errors import ConfigError, JudgeError, MediaError
from sightline.judges.judge import Ability, Question, Sampling, Verdict, encodable
from sightline.judges.stream import Arrival

Ids: TypeAlias = tuple[int, ...]
Work: TypeAlias = "Callable[[Loaded, Sequence[Question]], list[Any]]"
_loading = threading.Lock()


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


def load(path: str, revision: str, device: str, dtype: str) -> Loaded:
    """The model of a path, loaded once per process.

    Raises:
        ConfigError: there is no such model, or its files cannot be read.
    """
    with _loading:
        return _load(path, revision, device, dtype)


def answers(model: Loaded, ability: Ability, questions: Sequence[Question], batch_size: int) -> Iterator[Arrival]:
    """One verdict per question, batch by batch; a batch that fails is tried question by question."""
    work: Work = {"generate": _generate, "choose": _choose, "loglik": _loglik, "embed": _embed}[ability]
    for numbers in _batches(ability, questions, batch_size):
        verdicts = _attempt(work, model, [questions[number] for number in numbers])
        if len(numbers) > 1 and any(verdict.error for verdict in verdicts):
            verdicts = [_attempt(work, model, [questions[number]])[0] for number in numbers]
        yield from zip(numbers, verdicts, strict=True)


def _batches(ability: Ability, questions: Sequence[Question], size: int) -> Iterator[list[int]]:
    """Numbers of questions that run together: alike in sampling and in whether they show pictures, near in length."""

    def kind(number: int) -> tuple[Any, ...]:
        question = questions[number]
        alone = ability == "generate" and question.sampling.temperature > 0 and question.sampling.seed is not None
        # one seed, one question: a sample must not depend on its company
        return repr(question.sampling) if ability == "generate" else "", bool(question.images), number if alone else -1

    lengths = [len(question.text()) for question in questions]
    order = sorted(range(len(questions)), key=lambda number: (kind(number), lengths[number], number))
    for _, alike in groupby(order, key=kind):
        numbers = list(alike)
        yield from (numbers[start : start + size] for start in range(0, len(numbers), size))


def _attempt(work: Work, model: Loaded, batch: Sequence[Question]) -> list[Verdict[Any]]:
    try:
        with model.turn, torch.inference_mode():
            return [Verdict(value) for value in work(model, batch)]
    # what torch and processors raise for input that they cannot take; RuntimeError: memory too
    except (JudgeError, MediaError, RuntimeError, ValueError, IndexError) as error:
        return [Verdict(error=f"{type(error).__name__}: {error}"[:500])] * len(batch)


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
    tokenizer = getattr(processor, "tokenizer", processor)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return Loaded(model.to(_device(device)).eval(), processor, tokenizer)


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


def _prompt(model: Loaded, question: Question) -> str:
    """The question as the model's template writes it; without a template its text behind one mark per picture."""
    text = question.text()
    if not getattr(model.processor, "chat_template", None):
        return getattr(model.processor, "image_token", "") * len(question.images) + text
    parts: Any = text
    if model.sees:
        parts = [*({"type": "image"} for _ in question.images), {"type": "text", "text": text}]
    messages = [{"role": "user", "content": parts}]
    return str(model.processor.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))


def _inputs(model: Loaded, questions: Sequence[Question], side: str) -> Any:
    """The questions' prompts and pictures as tensors, padded on one side."""
    if any(question.images for question in questions) and not model.sees:
        raise JudgeError("this model takes no pictures")
    model.tokenizer.padding_side = side
    # a template writes the special tokens itself
    special = not getattr(model.processor, "chat_template", None)
    how = {"return_tensors": "pt", "padding": True, "add_special_tokens": special}
    texts = [_prompt(model, question) for question in questions]
    if not any(question.images for question in questions):
        return model.tokenizer(texts, **how).to(model.model.device)
    pictures = [[_picture(image) for image in question.images] for question in questions]
    return model.processor(text=texts, images=pictures, **how).to(model.model.device)


def _picture(image: Any) -> Any:
    from sightline.media import images

    return images.load(image).convert("RGB")


def _generate(model: Loaded, questions: Sequence[Question]) -> list[Any]:
    inputs = _inputs(model, questions, "left")
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


def _loglik(model: Loaded, questions: Sequence[Question]) -> list[Any]:
    continuations = [_after(model, question)(question.continuation) for question in questions]
    if not all(continuations):
        raise JudgeError("an empty continuation has no log-probability")
    return [scored[0] for scored in _scores(model, questions, [[ids] for ids in continuations])]


def _choose(model: Loaded, questions: Sequence[Question]) -> list[Any]:
    spellings = [_spellings(model, question) for question in questions]
    flat = [[ids for option in options for ids in option] for options in spellings]
    return [
        _shares(options, [sum(logps) for logps in scored])
        for options, scored in zip(spellings, _scores(model, questions, flat), strict=True)
    ]


def _shares(options: Sequence[Sequence[Ids]], logps: Sequence[float]) -> tuple[float, ...]:
    spelled = torch.split(torch.tensor(logps, dtype=torch.float64), [len(spellings) for spellings in options])
    return tuple(torch.softmax(torch.stack([logp.logsumexp(0) for logp in spelled]), 0).tolist())


def _spellings(model: Loaded, question: Question) -> list[list[Ids]]:
    """Per option the distinct token lists of its spellings; one that two options share belongs to neither alone."""
    if not question.options:
        raise JudgeError("`choose` needs options")
    ids_of, taken = _after(model, question), set[Ids]()
    spellings: list[list[Ids]] = []
    for option in question.options:
        cases = option, option.capitalize(), option.lower()
        # as written: then another option's other case may not claim it
        allowed = [text for text in cases if text == option or text not in question.options]
        own = dict.fromkeys(ids_of(lead + text) for text in allowed for lead in ("", " "))
        spellings.append([ids for ids in own if ids and ids not in taken])
        taken.update(own)
    _refuse_alike(question.options, spellings)
    return spellings


def _refuse_alike(options: Sequence[str], spellings: Sequence[Sequence[Ids]]) -> None:
    for short, mine in zip(options, spellings, strict=True):
        if not mine:
            raise JudgeError(f"option {short!r} is empty or spelled like another option")
        for long, theirs in zip(options, spellings, strict=True):
            if mine is not theirs and any(b[: len(a)] == a for a in mine for b in theirs):
                raise JudgeError(f"option {long!r} begins with option {short!r}; name the options by different letters")


def _after(model: Loaded, question: Question) -> Callable[[str], Ids]:
    """text -> the tokens that it adds behind the question's prompt.

    Tokenising it alone would begin a new text, which many tokenizers mark with a blank.
    """
    prompt = _prompt(model, question)
    before = model.tokenizer(prompt, add_special_tokens=False)["input_ids"]

    def ids_of(text: str) -> Ids:
        both = model.tokenizer(prompt + encodable(text), add_special_tokens=False)["input_ids"]
        if both[: len(before)] == before:
            return tuple(both[len(before) :])
        # the prompt's last token grew into the text
        return tuple(model.tokenizer(encodable(text), add_special_tokens=False)["input_ids"])

    return ids_of


def _scores(
    model: Loaded, questions: Sequence[Question], wanted: Sequence[Sequence[Ids]]
) -> list[list[tuple[float, ...]]]:
    """Log-probabilities of the tokens of several continuations per question.

    Continuations share a forward pass if one begins the other, or if they differ in the last token only.
    """
    rows = [(row, ids) for row, several in enumerate(wanted) for ids in _longest({ids[:-1] for ids in several})]
    logps: dict[tuple[int, Ids], tuple[float, ...]] = {}
    for start in range(0, len(rows), len(questions)):
        part = rows[start : start + len(questions)]
        logits = _next_token_logits(model, [questions[row] for row, _ in part], [context for _, context in part])
        for (row, context), logits_TV in zip(part, logits, strict=True):
            logp_TV = torch.log_softmax(logits_TV.float(), -1)  # one row at a time: the whole batch may not fit
            for ids in wanted[row]:
                if context[: len(ids) - 1] == ids[:-1]:
                    logps[row, ids] = tuple(logp_TV[range(len(ids)), list(ids)].tolist())
    return [[logps[row, ids] for ids in several] for row, several in enumerate(wanted)]


def _longest(contexts: set[Ids]) -> list[Ids]:
    """Those that are not the beginning of another one."""
    return sorted(a for a in contexts if not any(a != b and b[: len(a)] == a for b in contexts))


def _next_token_logits(model: Loaded, questions: Sequence[Question], contexts: Sequence[Ids]) -> list[torch.Tensor]:
    """Per question (len(context) + 1, V): logits of what follows the prompt and each token of the context behind it."""
    inputs = dict(_inputs(model, questions, "right"))
    lengths = inputs["attention_mask"].sum(1).tolist()
    extended = _extended(inputs, lengths, contexts, model.tokenizer.pad_token_id)
    first, width = min(lengths) - 1, extended["input_ids"].shape[1]
    kept = {}
    if "logits_to_keep" in inspect.signature(model.model.forward).parameters:
        kept = {"logits_to_keep": width - first}  # prompt length times vocabulary would be too much
    logits_BTV = model.model(**extended, **kept).logits
    skipped = width - logits_BTV.shape[1]
    return [
        logits_BTV[row, size - 1 - skipped : size + len(context) - skipped]
        for row, (size, context) in enumerate(zip(lengths, contexts, strict=True))
    ]


def _extended(inputs: dict[str, Any], lengths: Sequence[int], contexts: Sequence[Ids], pad: int) -> dict[str, Any]:
    """The inputs with each row's context set behind its prompt; other per-token inputs grow by 0."""
    ids_BT = inputs["input_ids"]
    width = max(size + len(context) for size, context in zip(lengths, contexts, strict=True))
    out = dict(inputs)
    for name, tensor in inputs.items():
        if isinstance(tensor, torch.Tensor) and tensor.shape == ids_BT.shape:
            out[name] = tensor.new_full((len(contexts), width), pad if name == "input_ids" else 0)
            out[name][:, : ids_BT.shape[1]] = tensor[:, :width]
    for row, (size, context) in enumerate(zip(lengths, contexts, strict=True)):
        out["input_ids"][row, size : size + len(context)] = ids_BT.new_tensor(context)
        out["attention_mask"][row, size : size + len(context)] = 1
    return out


def _embed(model: Loaded, questions: Sequence[Question]) -> list[Any]:
    if model.dual:
        shown = any(question.images for question in questions)
        vectors = _image_features(model, questions) if shown else _text_features(model, questions)
        return [tuple(vector) for vector in vectors.float().tolist()]
    inputs = _inputs(model, questions, "right")
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
