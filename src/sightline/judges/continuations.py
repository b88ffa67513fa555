"""How likely a loaded model finds given words behind a prompt: `loglik` and `choose`.

A prompt that many questions share, pictures and all, is encoded once; every continuation goes on from its keys and
values. Logits are never held whole (`vocabulary`). A model for which either is not known to be exact is run as it
stands, prompt by prompt.

Axes: P prompts, R continuations, T tokens, N positions that are scored, V vocabulary, D width. Prompts and
continuations are padded on the right, where causal attention never looks.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import torch

from sightline.core.errors import JudgeError, MediaError
from sightline.judges.judge import Question, encodable
from sightline.judges.loaded import Loaded, inputs_of, prompt_of

Ids: TypeAlias = tuple[int, ...]
Logps: TypeAlias = "dict[tuple[int, Ids], tuple[float, ...]]"


class Row(NamedTuple):
    """Tokens behind a prompt, and the words that are read off them: each word's tokens but the last begin `context`."""

    prompt: int
    context: Ids


def loglik(model: Loaded, questions: Sequence[Question], rows_at_once: int) -> list[Any]:
    """Per question the log-probabilities of its continuation's tokens."""
    continuations = [behind(model, question)(question.continuation) for question in questions]
    if not all(continuations):
        raise JudgeError("an empty continuation has no log-probability")
    return [scored[0] for scored in scores(model, questions, [[ids] for ids in continuations], rows_at_once)]


def choose(model: Loaded, questions: Sequence[Question], rows_at_once: int) -> list[Any]:
    """Per question the share of each option, all its spellings together."""
    spelled = [spellings(model, question) for question in questions]
    flat = [[ids for option in options for ids in option] for options in spelled]
    return [
        _shares(options, [sum(logps) for logps in scored])
        for options, scored in zip(spelled, scores(model, questions, flat, rows_at_once), strict=True)
    ]


def _shares(options: Sequence[Sequence[Ids]], logps: Sequence[float]) -> tuple[float, ...]:
    parts = torch.split(torch.tensor(logps, dtype=torch.float64), [len(spellings) for spellings in options])
    return tuple(torch.softmax(torch.stack([logp.logsumexp(0) for logp in parts]), 0).tolist())


def spellings(model: Loaded, question: Question) -> list[list[Ids]]:
    """Per option the distinct token lists of its spellings; one that two options share belongs to neither alone."""
    if not question.options:
        raise JudgeError("`choose` needs options")
    ids_of, taken = behind(model, question), set[Ids]()
    found: list[list[Ids]] = []
    for option in question.options:
        cases = option, option.capitalize(), option.lower()
        # as written: then another option's other case may not claim it
        allowed = [text for text in cases if text == option or text not in question.options]
        own = dict.fromkeys(ids_of(lead + text) for text in allowed for lead in ("", " "))
        found.append([ids for ids in own if ids and ids not in taken])
        taken.update(own)
    _refuse_alike(question.options, found)
    return found


def _refuse_alike(options: Sequence[str], spelled: Sequence[Sequence[Ids]]) -> None:
    for short, mine in zip(options, spelled, strict=True):
        if not mine:
            raise JudgeError(f"option {short!r} is empty or spelled like another option")
        for long, theirs in zip(options, spelled, strict=True):
            if mine is not theirs and any(b[: len(a)] == a for a in mine for b in theirs):
                raise JudgeError(f"option {long!r} begins with option {short!r}; name the options by different letters")


def behind(model: Loaded, question: Question) -> Callable[[str], Ids]:
    """text -> the tokens that it adds behind the question's prompt.

    Tokenising it alone would begin a new text, which many tokenizers mark with a blank.
    """
    prompt = prompt_of(model, question)
    before = model.tokenizer(prompt, add_special_tokens=False)["input_ids"]

    def ids_of(text: str) -> Ids:
        both = model.tokenizer(prompt + encodable(text), add_special_tokens=False)["input_ids"]
        if both[: len(before)] == before:
            return tuple(both[len(before) :])
        # the prompt's last token grew into the text
        return tuple(model.tokenizer(encodable(text), add_special_tokens=False)["input_ids"])

    return ids_of


def scores(
    model: Loaded, questions: Sequence[Question], wanted: Sequence[Sequence[Ids]], rows_at_once: int
) -> list[list[tuple[float, ...]]]:
    """Log-probabilities of the tokens of several continuations per question.

    Continuations share a row if one begins the other, or if they differ in the last token only.
    """
    keys = [prefix_of(question) for question in questions]
    prompts = dict(zip(reversed(keys), reversed(questions), strict=True))
    place = {key: number for number, key in enumerate(prompts)}
    asked = [set[Ids]() for _ in prompts]
    for key, several in zip(keys, wanted, strict=True):
        asked[place[key]].update(several)
    rows = [Row(p, ids) for p, several in enumerate(asked) for ids in _longest({ids[:-1] for ids in several})]
    rows.sort(key=lambda row: len(row.context))
    work = _with_reuse if model.reuses else _without_reuse
    logps: Logps = {}
    for row, row_logps in work(model, list(prompts.values()), rows, asked, rows_at_once):
        logps.update({(row.prompt, ids): scored for ids, scored in row_logps.items()})
    return [[logps[place[key], ids] for ids in several] for key, several in zip(keys, wanted, strict=True)]


def prefix_of(question: Question) -> tuple[Any, ...]:
    """What questions share that show the same prompt: text, opening and pictures."""
    return question.text(), question.opening, tuple(map(_shown, question.images))


def _shown(image: Any) -> Any:
    from sightline.media import images

    try:
        return images.content_hash(image)  # rows of one prompt often hold equal pictures as objects of their own
    except MediaError:
        return id(image)  # it cannot be read: the question fails, alone


def _longest(contexts: set[Ids]) -> list[Ids]:
    """Those that are not the beginning of another one."""
    ordered = sorted(contexts)  # what a text begins follows it at once
    return [a for a, b in zip(ordered, [*ordered[1:], None], strict=True) if b is None or b[: len(a)] != a]


Scored: TypeAlias = "Iterator[tuple[Row, dict[Ids, tuple[float, ...]]]]"


def _with_reuse(
    model: Loaded, prompts: Sequence[Question], rows: Sequence[Row], asked: Sequence[set[Ids]], at_once: int
) -> Scored:
    prefix = Prefix.of(model, prompts)
    for start in range(0, len(rows), at_once):
        part = rows[start : start + at_once]
        hidden = prefix.hidden(model, part)
        words = [sorted(ids for ids in asked[row.prompt] if _reads(row, ids)) for row in part]
        targets = [ids for several in words for ids in several]
        states = [h[: len(ids)] for h, several in zip(hidden, words, strict=True) for ids in several]
        flat = torch.tensor([token for ids in targets for token in ids], device=states[0].device)
        logps = model.head(torch.cat(states), flat)
        done = iter(logps.split([len(ids) for ids in targets]))
        for row, several in zip(part, words, strict=True):
            yield row, {ids: tuple(next(done).tolist()) for ids in several}


def _without_reuse(
    model: Loaded, prompts: Sequence[Question], rows: Sequence[Row], asked: Sequence[set[Ids]], at_once: int
) -> Scored:
    for start in range(0, len(rows), at_once):
        part = rows[start : start + at_once]
        logits = _next_token_logits(model, [prompts[row.prompt] for row in part], [row.context for row in part])
        for row, logits_TV in zip(part, logits, strict=True):
            logp_TV = torch.log_softmax(logits_TV.float(), -1)  # one row at a time: the whole batch may not fit
            words = [ids for ids in asked[row.prompt] if _reads(row, ids)]
            yield row, {ids: tuple(logp_TV[range(len(ids)), list(ids)].tolist()) for ids in words}


def _reads(row: Row, ids: Ids) -> bool:
    return row.context[: len(ids) - 1] == ids[:-1]


@dataclass(frozen=True)
class Prefix:
    """Prompts that were encoded, ready to be gone on from.

    Args:
        cache: keys and values of P prompts.
        mask: (P, T) 1 where prompts have tokens.
        last: (P, D) the last hidden state of each prompt, from which its first answer token follows.
        following: (P,) the position of that token.
    """

    cache: Any
    mask: torch.Tensor
    last: torch.Tensor
    following: torch.Tensor

    @classmethod
    def of(cls, model: Loaded, prompts: Sequence[Question]) -> Prefix:
        """Encode prompts, pictures included, in one forward pass."""
        inputs = inputs_of(model, prompts, "right")
        body = model.body
        if hasattr(body, "rope_deltas"):
            body.rope_deltas = None  # of the questions before
        found = body(**inputs, use_cache=True)
        mask_PT = inputs["attention_mask"]
        lengths_P = mask_PT.sum(1)
        last_PD = found.last_hidden_state[torch.arange(len(prompts)), lengths_P - 1]
        # pictures of Qwen-VL models take fewer positions than tokens
        delta = getattr(body, "rope_deltas", None)
        following_P = lengths_P if delta is None else lengths_P + delta.reshape(-1).to(lengths_P.device)
        return cls(found.past_key_values, mask_PT, last_PD, following_P)

    def hidden(self, model: Loaded, rows: Sequence[Row]) -> list[torch.Tensor]:
        """Per row (1 + len(context), D): the states from which each token of a continuation follows."""
        index_R = torch.tensor([row.prompt for row in rows], device=self.mask.device)
        longest = max(len(row.context) for row in rows)
        first_RD = self.last[index_R]
        if not longest:
            return list(first_RD[:, None])
        ids_RT = index_R.new_full((len(rows), longest), model.tokenizer.pad_token_id or 0)
        fresh_RT = index_R.new_zeros((len(rows), longest))
        for number, row in enumerate(rows):
            ids_RT[number, : len(row.context)] = index_R.new_tensor(row.context)
            fresh_RT[number, : len(row.context)] = 1
        found = model.body(
            input_ids=ids_RT,
            attention_mask=torch.cat([self.mask[index_R], fresh_RT], 1),
            position_ids=self.following[index_R][:, None] + torch.arange(longest, device=index_R.device),
            past_key_values=_selected(self.cache, index_R),
            use_cache=True,
        )
        behind_RTD = found.last_hidden_state
        return [
            torch.cat([first_RD[number, None], behind_RTD[number, : len(row.context)]])
            for number, row in enumerate(rows)
        ]


def _selected(cache: Any, index_R: torch.Tensor) -> Any:
    """Keys and values of the rows' prompts, as a cache of its own: going on from it leaves the first as it was."""
    from transformers import DynamicCache

    chosen = DynamicCache()
    for number, layer in enumerate(cache.layers):
        chosen.update(layer.keys[index_R], layer.values[index_R], number)
    return chosen


def _next_token_logits(model: Loaded, questions: Sequence[Question], contexts: Sequence[Ids]) -> list[torch.Tensor]:
    """Per question (len(context) + 1, V): logits of what follows the prompt and each token of the context behind it."""
    inputs = dict(inputs_of(model, questions, "right"))
    lengths = inputs["attention_mask"].sum(1).tolist()
    extended = _extended(inputs, lengths, contexts, model.tokenizer.pad_token_id)
    first, width = min(lengths) - 1, extended["input_ids"].shape[1]
    kept = {}
    if "logits_to_keep" in inspect.signature(model.model.forward).parameters:
        kept = {"logits_to_keep": width - first}  # prompt length times vocabulary would be too much
    logits_BTV = getattr(model.model(**extended, **kept), "logits", None)
    if logits_BTV is None:
        raise JudgeError(f"{type(model.model).__name__} predicts no tokens; it cannot `loglik` or `choose`")
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
