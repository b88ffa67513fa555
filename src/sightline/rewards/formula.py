"""A reward as a reader would write it: operators and names, and below what each name stands for.

`repr` is exact and long, since results are only continued where it is the same; `print` and notebooks show this.
"""

from __future__ import annotations

from dataclasses import MISSING, Field, fields, is_dataclass
from inspect import isroutine
from typing import Any

from sightline.rewards.algebra import Clip, Constant, Fill, GroupCount, Map, Named, Product, Scaled, Sum, When
from sightline.rewards.reward import Reward
from sightline.rewards.switch import Switch

LONGEST = 40  # characters of a text among the arguments


def written(reward: Reward) -> str:
    """The expression in one line, then a line for every named part.

    Example:
        >>> print(written(0.5 * Constant(1.0).named("one") + Constant(2.0).named("two").clip(0, 1)))
        0.5 * one + two.clip(0, 1)
          one = 1
          two = 2
    """
    named: dict[str, list[str]] = {}
    for node in reward.walk():
        if isinstance(node, Named):
            named.setdefault(node.name, []).append(_meaning(node.of))
    width = max(map(len, named), default=0)
    lines = [f"  {name:{width}} = {one}" for name, kinds in named.items() for one in dict.fromkeys(kinds)]
    return "\n".join([expression(reward), *lines])


def _meaning(reward: Reward) -> str:
    """What a name stands for; the cases of a switch in lines of their own."""
    if not isinstance(reward, Switch):
        return expression(reward)
    width = max((len(name) for name, _ in reward.cases), default=0)
    cases = (f"\n      {name:{width}} → {expression(one)}" for name, one in reward.cases)
    return f"Switch({reward.column})" + "".join(cases)


def expression(reward: Reward) -> str:
    """The expression in one line, parts by their names.

    Example:
        >>> a, b = Constant(1.0).named("a"), Constant(2.0).named("b")
        >>> expression(a - 0.5 * b), expression((a + b).when(a, above=0.5)), expression(2 * (a + b))
        ('a - 0.5 * b', '(a + b).when(a, above=0.5)', '2 * (a + b)')
    """
    match reward:
        case Named(name=name):
            return name
        case Constant(value=value):
            return f"{value:g}"
        case Sum(terms=terms):
            return " + ".join(map(expression, terms)).replace("+ -", "- ")
        case Product(factors=factors):
            return " * ".join(map(_bracketed, factors))
        case Scaled(of=of, weight=weight):
            return f"{'-' if weight == -1 else f'{weight:g} * '}{_bracketed(of)}"
        case When(of=of, gate=gate, above=above):
            return f"{_atom(of)}.when({expression(gate)}{f', above={above:g}' if above else ''})"
        case Clip(of=of, lo=lo, hi=hi):
            return f"{_atom(of)}.clip({lo:g}, {hi:g})"
        case Fill(of=of, value=value):
            return f"{_atom(of)}.fill({value:g})"
        case Map(of=of, function=function):
            return f"{_atom(of)}.map({_value(function)})"
        case GroupCount(of=of, above=above):
            return f"{_atom(of)}.group_count({f'above={above:g}' if above else ''})"
        case Switch(column=column, cases=cases):
            return f"Switch({column}: {', '.join(f'{name} → {expression(one)}' for name, one in cases)})"
    return _call(reward)


def _bracketed(reward: Reward) -> str:
    return f"({expression(reward)})" if isinstance(reward, Sum) else expression(reward)


def _atom(reward: Reward) -> str:
    return f"({expression(reward)})" if isinstance(reward, Sum | Product | Scaled) else expression(reward)


def _call(value: Any) -> str:
    """A dataclass with the arguments that are not the default ones; a first one goes without its name."""
    given = [(field.name, getattr(value, field.name)) for field in fields(value) if not _is_default(value, field)]
    first = fields(value)[0].name if given else ""
    shown = [_value(one) if name == first else f"{name}={_value(one)}" for name, one in given]
    return f"{type(value).__name__}({', '.join(shown)})"


def _is_default(value: Any, field: Field[Any]) -> bool:
    default = field.default if field.default_factory is MISSING else field.default_factory()
    return default is not MISSING and bool(getattr(value, field.name) == default)


def _value(value: Any) -> str:
    if isinstance(value, Reward):
        return expression(value)
    if is_dataclass(value) and not isinstance(value, type):
        return _call(value)
    if isroutine(value) or isinstance(value, type):
        return value.__name__
    shown = f"[{', '.join(map(_value, value))}]" if isinstance(value, tuple | list) else repr(value)
    return shown if len(shown) <= LONGEST or not isinstance(value, str) else f"{shown[: LONGEST - 4]}...{shown[0]}"
