"""How a question travels to an OpenAI-compatible server and how its reply is read. No network here: pure functions.

A reply that means failure raises JudgeError with the provider's words; one of a wrong shape raises what Python raises
(KeyError, IndexError, TypeError, ...), which the sender turns into an error verdict.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from sightline.core.errors import JudgeError
from sightline.core.rollout import content_text
from sightline.judges.judge import Question, encodable

TOP_TOKENS = 20  # the most that the protocol allows
_BLANKS = " \t\n\rĠ▁Ċ"  # some servers send raw vocabulary entries, where these stand for a blank


@dataclass(frozen=True)
class Wire:
    """One kind of request.

    Args:
        path: the endpoint below the base URL.
        body: (question, its pictures as URLs) -> the request, without the model's name.
        read: (reply, question) -> the verdict's value.
    """

    path: str
    body: Callable[[Question, Sequence[str]], dict[str, Any]]
    read: Callable[[Any, Question], Any]


def options_share(tokens: Mapping[str, float], options: Sequence[str]) -> tuple[float, ...]:
    """Probabilities of options from the log-probabilities of first tokens, adding up to 1.

    p(option) is proportional to the sum of p(token) over the tokens that begin it, leading blanks and case aside (case
    counts where it alone tells two options apart). A token that begins no option is left out.

    Raises:
        JudgeError: no token begins any option, or one token begins two.

    Example:
        >>> shares = options_share({"Yes": math.log(0.5), " yes": math.log(0.1), "no": math.log(0.2)}, ["yes", "no"])
        >>> [round(share, 6) for share in shares]
        [0.75, 0.25]
    """
    fold = str.casefold if len({option.casefold() for option in options}) == len(options) else str
    wanted = [fold(option.strip()) for option in options]
    mass = [0.0] * len(options)
    for token, logp in tokens.items():
        begin = fold(token.strip(_BLANKS))
        begun = [number for number, option in enumerate(wanted) if begin and option.startswith(begin)]
        if len(begun) > 1 and math.exp(logp) > 0:
            names = " and ".join(repr(options[number]) for number in begun)
            raise JudgeError(f"{names} begin with the same token {token!r}; name the options by different letters")
        if begun:
            mass[begun[0]] += math.exp(logp)
    if not sum(mass):
        raise JudgeError(f"none of the options {list(options)} is among the likely first tokens {list(tokens)[:8]}")
    return tuple(share / sum(mass) for share in mass)


def _user(question: Question, urls: Sequence[str]) -> dict[str, Any]:
    if not urls:
        return {"role": "user", "content": question.text()}
    parts: list[dict[str, Any]] = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    return {"role": "user", "content": [*parts, {"type": "text", "text": question.text()}]}


def _chat(question: Question, urls: Sequence[str]) -> dict[str, Any]:
    """The messages; an opening is an assistant turn that the server is asked to go on with (vLLM, SGLang)."""
    if not question.opening:
        return {"messages": [_user(question, urls)]}
    return _begun(question, urls, question.opening)


def _begun(question: Question, urls: Sequence[str], said: str) -> dict[str, Any]:
    messages = [_user(question, urls), {"role": "assistant", "content": encodable(said)}]
    return {"messages": messages, "add_generation_prompt": False, "continue_final_message": True}


def _generate_body(question: Question, urls: Sequence[str]) -> dict[str, Any]:
    how = question.sampling
    body = {
        **_chat(question, urls),
        "temperature": how.temperature,
        "top_p": how.top_p,
        "max_tokens": how.max_tokens,
    }
    return body if how.seed is None else {**body, "seed": how.seed}


def _read_text(reply: Any, question: Question) -> str:
    choice = reply["choices"][0]
    message = choice["message"]
    if message.get("refusal"):
        raise JudgeError(f"refused: {message['refusal']}")
    text = content_text(message["content"])
    if not text.strip():
        raise JudgeError(f"empty content (finish_reason={choice.get('finish_reason')})")
    return text


def _choose_body(question: Question, urls: Sequence[str]) -> dict[str, Any]:
    # temperature 1: the model's own distribution is asked for, and some servers report it after the temperature
    tokens = {"max_tokens": 1, "temperature": 1.0, "logprobs": True, "top_logprobs": TOP_TOKENS}
    return {**_chat(question, urls), **tokens}


def _read_options(reply: Any, question: Question) -> tuple[float, ...]:
    logprobs = reply["choices"][0].get("logprobs")
    if not logprobs or not logprobs.get("content"):
        raise JudgeError("the server sent no logprobs, which `choose` needs")
    first = logprobs["content"][0]
    listed = [*first.get("top_logprobs", ()), *([first] if "logprob" in first else [])]
    return options_share({item["token"]: float(item["logprob"]) for item in listed}, question.options)


def _embed_body(question: Question, urls: Sequence[str]) -> dict[str, Any]:
    return {"messages": [_user(question, urls)]} if urls else {"input": question.text()}


def _read_vector(reply: Any, question: Question) -> tuple[float, ...]:
    vector = tuple(float(number) for number in reply["data"][0]["embedding"])
    if not vector or not all(map(math.isfinite, vector)):
        raise JudgeError("the embedding is empty or not finite")
    return vector


def _chat_loglik_body(question: Question, urls: Sequence[str]) -> dict[str, Any]:
    begun = _begun(question, urls, question.opening + question.continuation)
    return {**begun, "max_tokens": 1, "temperature": 1.0, "prompt_logprobs": 0}


def _read_chat_loglik(reply: Any, question: Question) -> tuple[float, ...]:
    entries = reply.get("prompt_logprobs") or reply["choices"][0].get("prompt_logprobs")
    if not entries:
        raise JudgeError("the server sent no prompt_logprobs, which `loglik` over chat needs (vLLM does)")
    # by their letters: some tokenizers decode a token alone without the blank before it
    wanted, spelled = _letters(encodable(question.continuation)), ""
    logps: list[float] = []
    for entry in reversed(entries):
        if not entry or len(spelled) >= len(wanted):
            break
        token = next(iter(entry.values()))  # the prompt's own token stands first
        logps.insert(0, float(token["logprob"]))
        spelled = _letters(str(token.get("decoded_token") or "")) + spelled
    if not wanted or not spelled.endswith(wanted):
        raise JudgeError(f"the prompt's last tokens do not spell the continuation {question.continuation[:40]!r}")
    return tuple(logps)


def _letters(text: str) -> str:
    return "".join(character for character in text if character not in _BLANKS)


def _echo_body(question: Question, urls: Sequence[str]) -> dict[str, Any]:
    if urls:
        raise JudgeError("the completions endpoint takes no pictures; use CHAT_LOGLIK")
    prompt = _bare(question) + encodable(question.continuation)
    return {"prompt": prompt, "echo": True, "logprobs": 1, "max_tokens": 0, "temperature": 1.0}


def _read_echo(reply: Any, question: Question) -> tuple[float, ...]:
    logprobs = reply["choices"][0].get("logprobs")
    if not logprobs:
        raise JudgeError("the server sent no logprobs of the prompt, which `loglik` needs (`echo` is not supported)")
    start = len(_bare(question))
    end = start + len(encodable(question.continuation))
    starts = _starts(logprobs)
    # blanks between two tokens may belong to neither
    own = [start + len(token) for start, token in zip(starts, logprobs["tokens"], strict=True)]
    ends = [min(both) for both in zip(own, [*starts[1:], end], strict=True)]
    spans = zip(starts, ends, logprobs["token_logprobs"], strict=True)
    logps = [logp for begin, stop, logp in spans if stop > start and begin < end]
    if not logps or None in logps:
        raise JudgeError("the server sent no logprobs of the continuation (`echo` is not supported)")
    return tuple(map(float, logps))


def _bare(question: Question) -> str:
    return question.text() + encodable(question.opening)


def _starts(logprobs: Mapping[str, Any]) -> Sequence[int]:
    """Where each token begins; SGLang sends -1, so the tokens' texts are added up."""
    offsets = logprobs.get("text_offset") or ()
    if offsets and min(offsets) >= 0:
        return tuple(offsets)
    return tuple(accumulate((len(token) for token in logprobs["tokens"][:-1]), initial=0))


GENERATE = Wire("chat/completions", _generate_body, _read_text)
CHOOSE = Wire("chat/completions", _choose_body, _read_options)
EMBED = Wire("embeddings", _embed_body, _read_vector)
CHAT_LOGLIK = Wire("chat/completions", _chat_loglik_body, _read_chat_loglik)
ECHO_LOGLIK = Wire("completions", _echo_body, _read_echo)
