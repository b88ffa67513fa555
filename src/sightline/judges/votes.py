"""Asking more than once: several votes on one question, and a pair shown in both orders. Pure; it asks nobody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from sightline.core.errors import ConfigError
from sightline.core.missing import Missing
from sightline.judges.judge import Question

TIE: Literal[0] = 0


def voters(question: Question, times: int, seed: int = 0) -> tuple[Question, ...]:
    """The same question `times` times, with the seeds seed, seed + 1, ...: each vote can be repeated by itself.

    Raises:
        ConfigError: fewer than one vote, or several at temperature 0, which would all be the same.

    Example:
        >>> from sightline.judges.judge import Sampling
        >>> [one.sampling.seed for one in voters(Question("Red?", sampling=Sampling(temperature=0.7)), 3, seed=5)]
        [5, 6, 7]
    """
    if times < 1:
        raise ConfigError(f"voters: needs at least 1 vote, got {times}")
    if times == 1:
        return (question,)
    if question.sampling.temperature <= 0:
        raise ConfigError(f"voters: {times} votes at temperature 0 are one vote; set Sampling(temperature=...)")
    return tuple(replace(question, sampling=replace(question.sampling, seed=seed + vote)) for vote in range(times))


def mean_vote(values: Sequence[float | Missing], least: int = 1) -> float | Missing:
    """The mean of the votes that can be read.

    Args:
        values: one vote each, as a reader of `verdicts` returns it.
        least: with fewer readable votes there is no verdict, and the reasons of the others are given.

    Example:
        >>> mean_vote([1, 0, 1, Missing("no digit")])
        0.6666666666666666
        >>> mean_vote([1, Missing("no digit")], least=2).why
        '1 of 2 votes can be read: no digit'
    """
    read = [float(value) for value in values if not isinstance(value, Missing)]
    if len(read) < max(least, 1):
        reasons = dict.fromkeys(value.why for value in values if isinstance(value, Missing))
        return Missing(f"{len(read)} of {len(values)} votes can be read: {'; '.join(reasons)}")
    return sum(read) / len(read)


def both_orders(question: Question, first: str, second: str, pictures: bool = False) -> tuple[Question, Question]:
    """The question as it is, and with the two sides exchanged.

    Args:
        first, second: the fields that hold the two sides.
        pictures: the two pictures change places as well.

    Raises:
        ConfigError: a field is not there, or `pictures` and there are not two.

    Example:
        >>> pair = Question("1: {a}\\n2: {b}", (("a", "left"), ("b", "right")))
        >>> [one.text() for one in both_orders(pair, "a", "b")]
        ['1: left\\n2: right', '1: right\\n2: left']
    """
    named = dict(question.fields)
    if first not in named or second not in named:
        raise ConfigError(f"both_orders: the question has the fields {list(named)}, not both {first!r} and {second!r}")
    if pictures and len(question.images) != 2:
        raise ConfigError(f"both_orders: needs two pictures to exchange, got {len(question.images)}")
    other = {first: named[second], second: named[first]}
    fields = tuple((name, other.get(name, value)) for name, value in question.fields)
    return question, replace(question, fields=fields, images=question.images[::-1] if pictures else question.images)


def balanced(p_first: float, p_swapped: float) -> float:
    """P(A beats B) without position bias: (p(1 | A, B) + 1 - p(1 | B, A)) / 2.

    Args:
        p_first: probability of the side shown first, asked as (A, B).
        p_swapped: probability of the side shown first, asked as (B, A).

    Example:
        >>> round(balanced(0.8, 0.35), 6), balanced(0.6, 0.6)
        (0.725, 0.5)
    """
    return (p_first + 1.0 - p_swapped) / 2.0


def same_in_both_orders(first: int, swapped: int) -> int | Missing:
    """The side that wins in both orders: 1, 2 or 0 (a tie).

    Args:
        first: the side chosen when shown as (A, B): 1, 2, or 0 for a tie.
        swapped: the side chosen when shown as (B, A).

    Returns:
        The winner in the order (A, B); Missing if the verdict changes with the order.

    Example:
        >>> same_in_both_orders(1, 2), same_in_both_orders(0, 0), same_in_both_orders(1, 1).why
        (1, 0, 'the verdict follows the order: 1, then 1 with the sides exchanged')
    """
    told = {1: 2, 2: 1, TIE: TIE}.get(swapped)
    if told is None or first not in (1, 2, TIE):
        return Missing(f"verdicts are 1, 2 or 0, got {first} and {swapped}")
    if told != first:
        return Missing(f"the verdict follows the order: {first}, then {swapped} with the sides exchanged")
    return first
