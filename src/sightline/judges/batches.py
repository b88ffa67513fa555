"""Questions in batches through a loaded model: which run together, and what becomes of a batch that fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import groupby
from typing import Any, TypeAlias

import torch

from sightline.core.errors import JudgeError, MediaError
from sightline.judges.continuations import choose, loglik, prefix_of
from sightline.judges.judge import Ability, Question, Verdict
from sightline.judges.loaded import Loaded, embed, generate
from sightline.judges.stream import Arrival

Work: TypeAlias = "Callable[[Loaded, Sequence[Question]], list[Any]]"


def answers(model: Loaded, ability: Ability, questions: Sequence[Question], batch_size: int) -> Iterator[Arrival]:
    """One verdict per question, batch by batch; a batch that fails is tried question by question."""
    works: dict[Ability, Work] = {
        "generate": generate,
        "choose": partial(choose, rows_at_once=batch_size),
        "loglik": partial(loglik, rows_at_once=batch_size),
        "embed": embed,
    }
    work = works[ability]
    for numbers in _batches(ability, questions, batch_size):
        verdicts = _attempt(work, model, [questions[number] for number in numbers])
        if len(numbers) > 1 and any(verdict.error for verdict in verdicts):
            verdicts = [_attempt(work, model, [questions[number]])[0] for number in numbers]
        yield from zip(numbers, verdicts, strict=True)


def _batches(ability: Ability, questions: Sequence[Question], size: int) -> Iterator[list[int]]:
    """Numbers of questions that run together: alike in sampling and in whether they show pictures, near in length.

    Up to `size` prompts; where likelihoods are asked, all questions on a prompt stay together, so that it is encoded
    once.
    """

    def kind(number: int) -> tuple[Any, ...]:
        question = questions[number]
        alone = ability == "generate" and question.sampling.temperature > 0 and question.sampling.seed is not None
        # one seed, one question: a sample must not depend on its company
        return repr(question.sampling) if ability == "generate" else "", bool(question.images), number if alone else -1

    lengths = [len(question.text()) + len(question.opening) for question in questions]
    order = sorted(range(len(questions)), key=lambda number: (kind(number), lengths[number], number))
    shared = ability in ("loglik", "choose")
    for _, alike in groupby(order, key=kind):
        prompts: dict[Any, list[int]] = {}
        for number in alike:
            prompts.setdefault(prefix_of(questions[number]) if shared else number, []).append(number)
        several = list(prompts.values())
        for start in range(0, len(several), size):
            yield [number for numbers in several[start : start + size] for number in numbers]


def _attempt(work: Work, model: Loaded, batch: Sequence[Question]) -> list[Verdict[Any]]:
    try:
        with model.turn, _still(model.model):
            return [Verdict(value) for value in work(model, batch)]
    # what torch and processors raise for input that they cannot take; RuntimeError: memory too
    except (JudgeError, MediaError, RuntimeError, ValueError, IndexError) as error:
        return [Verdict(error=f"{type(error).__name__}: {error}"[:500])] * len(batch)


@contextmanager
def _still(model: Any) -> Iterator[None]:
    """No gradients and no dropout; a model in training goes on as it was."""
    was_training = model.training
    if was_training:
        model.eval()
    try:
        with torch.no_grad():  # not `inference_mode`: what a policy keeps of a pass must stay usable in training
            yield
    finally:
        if was_training:
            model.train()
