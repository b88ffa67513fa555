"""OpenRLHF's HTTP protocol: texts and labels in, `rewards`, `scores` and `extra_logs` out.

A query is prompt and response as one text, decoded with special tokens that the prompt may lack; a label is what the
row's ground truth is, or an object of columns (as JSON text too). Pictures do not travel in this protocol, and no
number in it means "unscorable": where there is nothing to judge, the reward is 0 and `extra_logs.unscored` is 1; where
a judge failed, the request is refused with 503, so that it is sent again.
"""

from __future__ import annotations

from typing import Any

import orjson

from sightline.core.batch import Batch
from sightline.core.missing import Missing
from sightline.core.scores import Scores
from sightline.parse.after_prompt import AfterPrompt
from sightline.serve.limits import Limits
from sightline.serve.media import Inspection
from sightline.serve.refusal import Refusal, wrong
from sightline.serve.requests import checked, few

FIELDS = ("query", "prompts", "labels")
ENDS = ("</s>", "<eos>", "<pad>", "<end_of_turn>")
LONGEST = 48  # characters of a token in the form <|...|>


def batch_of_queries(body: Any, column: str, limits: Limits, constants: Any = ()) -> Batch:
    """The rollouts of an OpenRLHF request; equal prompts make a group.

    Args:
        body: `{"query": [...], "prompts": [...], "labels": [...]}`.
        column: the column that a label which is no object fills; empty: such a label is refused.
        limits: how much is accepted.
        constants: (column, value) for rows that lack the column.

    Raises:
        Refusal: 413 or 422, naming row and column.

    Example:
        >>> body = {"query": ["Q? <think>x</think> 4<|im_end|>"], "prompts": ["Q? "], "labels": ["4"]}
        >>> batch = batch_of_queries(body, "answer", Limits())
        >>> batch.completions, batch.column("answer")
        (['<think>x</think> 4'], ['4'])
    """
    if not isinstance(body, dict) or any(not isinstance(body.get(name), list) for name in FIELDS):
        raise wrong(f"a request is an object with the lists {list(FIELDS)}")
    size = len(few(body["query"], limits))
    if not size or any(len(body[name]) != size for name in FIELDS):
        raise wrong(f"lists of different lengths or empty: { {name: len(body[name]) for name in FIELDS} }")
    texts = zip(*(body[name] for name in FIELDS), strict=True)
    rows = [_row(number, query, prompt, label, column) for number, (query, prompt, label) in enumerate(texts)]
    return checked(rows, Inspection(limits), constants)


def answer_to_queries(scores: Scores) -> dict[str, Any]:
    """Scores as OpenRLHF takes them.

    Raises:
        Refusal: 503, a judge failed in some row.
    """
    failed = scores.errors.nonzero()[0].tolist()
    if failed:
        message = f"row {failed[0]}: {scores.why[failed[0]]}"
        raise Refusal(503, "judge_failed", message, row=failed[0], retry_after=1)
    values = _zeros(scores)
    logs = {name: _zeros(part) for name, part in scores.parts.items()}
    return {
        "rewards": values,
        "scores": values,
        "extra_logs": {**logs, "unscored": scores.abstained.astype(float).tolist()},
    }


def without_ends(text: str) -> str:
    """A decoded response without the special tokens at its end.

    Example:
        >>> without_ends("4 <|im_end|>\\n<|endoftext|>"), without_ends("4 |>")
        ('4 ', '4 |>')
    """
    end = len(text)
    while True:
        stop = end
        while stop and text[stop - 1].isspace():
            stop -= 1
        start = -1
        if text.endswith("|>", 0, stop):
            start = text.rfind("<|", max(0, stop - LONGEST), stop)
        else:
            start = next((stop - len(mark) for mark in ENDS if text.endswith(mark, 0, stop)), -1)
        if start < 0:
            return text[:end]
        end = start


def _zeros(scores: Scores) -> list[float]:
    return [value if value - value == 0 else 0.0 for value in scores.values.tolist()]


def _row(number: int, query: Any, prompt: Any, label: Any, column: str) -> dict[str, Any]:
    for name, value in (("query", query), ("prompts", prompt)):
        if not isinstance(value, str):
            raise wrong(f"needs a text, got {type(value).__name__}", number, name)
    said = AfterPrompt(prompt)(query)
    if isinstance(said, Missing):
        raise wrong("does not hold its prompt", number, "query")
    row = {"completion": without_ends(said), "prompt": prompt, "group": prompt}
    return {**_columns(number, label, column), **row}


def _columns(number: int, label: Any, column: str) -> dict[str, Any]:
    if isinstance(label, str) and label.lstrip().startswith("{"):
        try:
            read = orjson.loads(label)
        except ValueError:
            read = label
        label = read if isinstance(read, dict) else label
    if isinstance(label, dict):
        return label
    if label is None:
        return {}
    if not column:
        raise wrong("the reward reads several columns or none: a label is an object of columns here", number, "labels")
    return {column: label}
