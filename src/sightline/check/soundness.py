"""Whether a reward moves as evidence moves: better boxes, another order, other white space, one piece less.

Attacks ask what should not pay; these ask what should. Each check changes the right reply of every row that was
attacked and says what became of its reward.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from sightline.check.anatomy import ITEM, answer_span, quads, reasoning_span, sentences, with_boxes
from sightline.check.mistakes import moved
from sightline.check.replies import BLOCK, Case, reasoned
from sightline.check.trials import SAME, Placed, Rows, cases_of, earned, filled
from sightline.rewards.reward import Reward

SHARES = (1.0, 0.75, 0.5, 0.25, 0.0)


@dataclass(frozen=True)
class Check:
    """What one check found.

    Args:
        name: in words.
        cases: on how many rows it could be made.
        passed: whether all of them passed; a check without cases passes.
        note: the worst case in numbers, or the range that was seen.
        row: the row of the worst case, -1 if there is none.
    """

    name: str
    cases: int
    passed: bool = True
    note: str = ""
    row: int = -1


def soundness(reward: Reward, rows: Rows, cases: Sequence[Placed] | None = None) -> tuple[Check, ...]:
    """All checks of this module.

    Args:
        reward: any reward or expression.
        rows: rollouts that it can score, good ones among them.
        cases: what `cases_of` found, to check another variant on the same replies.

    Example:
        >>> from sightline.rewards.answers import Answer, same_letter
        >>> found = soundness(Answer(same_letter), [{"completion": "<answer>B</answer>", "answer": "B"}])
        >>> [(check.name, check.passed) for check in found if check.cases]
        [('a line at the end', True)]
    """
    rows = filled(rows)
    known = cases_of(reward, rows) if cases is None else cases
    return (
        better_boxes(reward, rows, known),
        unchanged("another order of items", reordered, reward, rows, known),
        unchanged("a line between tags", respaced, reward, rows, known),
        unchanged("a line at the end", ended, reward, rows, known),
        unchanged("harmless words in the reasoning", rephrased, reward, rows, known),
        lost_piece(reward, rows, known),
    )


def better_boxes(reward: Reward, rows: Rows, cases: Sequence[Placed]) -> Check:
    """Boxes that come closer to the truth never earn less: moved by 1, 3/4, 1/2, 1/4 of their width, and not.

    Rows whose replies have other boxes than the columns hold (in another frame, or near misses) are not checked.
    """
    mine = [placed for placed in cases if _holds_truth(placed.case)]
    trials = [(p, with_boxes(p.case.right, partial(moved, share=share))) for p in mine for share in SHARES]
    values = earned(reward, rows, trials).values.reshape(len(mine), len(SHARES))
    falls = np.nan_to_num(np.diff(values, axis=1), nan=0.0).min(axis=1, initial=0.0)
    if not len(mine):
        return Check("better boxes never earn less", 0)
    worst = int(falls.argmin())
    shown = " → ".join(f"{value:.4g}" for value in values[worst])
    return Check("better boxes never earn less", len(mine), bool(falls[worst] >= -SAME), shown, mine[worst].place)


def unchanged(
    name: str, change: Callable[[Case], Sequence[str]], reward: Reward, rows: Rows, cases: Sequence[Placed]
) -> Check:
    """A change that says the same earns the same."""
    made = [(placed, text) for placed in cases for text in change(placed.case)]
    before = earned(reward, rows, [(placed, placed.case.right) for placed, _ in made]).values
    after = earned(reward, rows, made).values
    if not len(made):
        return Check(name, 0)
    gaps = np.where(np.isnan(before), 0.0, np.nan_to_num(np.abs(after - before), nan=np.inf))
    worst = int(gaps.argmax())
    note = f"{before[worst]:.4g} → {after[worst]:.4g}"
    return Check(name, len({p.place for p, _ in made}), bool(gaps[worst] <= SAME), note, made[worst][0].place)


def lost_piece(reward: Reward, rows: Rows, cases: Sequence[Placed]) -> Check:
    """Of a reply with several pieces (items, blocks, sentences of the reasoning) the loss of one is noticed.

    Passed where on every such row at least one piece, left out, costs something.
    """
    made = [(placed, text) for placed in cases for text in lacking(placed.case)]
    if not made:
        return Check("a lost piece costs", 0)
    before = earned(reward, rows, [(placed, placed.case.right) for placed, _ in made]).values
    loss = np.nan_to_num(before - earned(reward, rows, made).values, nan=0.0)
    places = np.array([placed.place for placed, _ in made])
    most = {int(place): float(loss[places == place].max()) for place in places}
    worst = min(most, key=lambda place: most[place])
    note = f"costs {most[worst]:.4g} to {max(most.values()):.4g}"
    return Check("a lost piece costs", len(most), most[worst] > SAME, note, worst)


def reordered(case: Case) -> list[str]:
    """The items of the answer's list from last to first."""
    start, end = answer_span(case.right)
    items = [found[0] for found in ITEM.finditer(case.right[start:end]) if found[0].startswith("{")]
    if len(items) < 2:
        return []
    turned = iter(items[::-1])
    swap = ITEM.sub(lambda found: next(turned) if found[0].startswith("{") else found[0], case.right[start:end])
    return [case.right[:start] + swap + case.right[end:]]


def respaced(case: Case) -> list[str]:
    """Tags on lines of their own."""
    return [case.right.replace("><", ">\n<")] if "><" in case.right else []


def ended(case: Case) -> list[str]:
    """The reply with the end of its last line."""
    return [case.right + "\n"]


def rephrased(case: Case) -> list[str]:
    """A few words that say nothing at the beginning of the reasoning."""
    return [reasoned(case.right, "Let me see. ")] if reasoning_span(case.right) else []


def lacking(case: Case) -> list[str]:
    """The reply without one of its pieces, each in turn."""
    text, (start, end) = case.right, answer_span(case.right)
    items = [found.span() for found in ITEM.finditer(text[start:end]) if found[0].startswith("{")]
    if len(items) > 1:
        cut = re.compile(r"\s*,?\s*$")
        return [text[:start] + _without(text[start:end], a, b, cut) + text[end:] for a, b in items]
    blocks = [found.span() for found in BLOCK.finditer(text) if found[1] not in ("think", "answer")]
    if len(blocks) > 1:
        return [text[:a] + text[b:] for a, b in blocks]
    span = reasoning_span(text)
    said = sentences(text[span[0] : span[1]]) if span else []
    if span is None or sum(bool(one.strip()) for one in said) < 2:
        return []
    rest = ["".join(said[:i] + said[i + 1 :]) for i, one in enumerate(said) if one.strip()]
    return [text[: span[0]] + words + text[span[1] :] for words in rest]


def _without(core: str, start: int, end: int, cut: Any) -> str:
    after = re.match(r"\s*,\s*", core[end:])
    if after:
        return core[:start] + core[end + after.end() :]
    return cut.sub("", core[:start]) + core[end:]


def _holds_truth(case: Case) -> bool:
    """Whether every box of the right reply stands in the columns as well."""
    mine = quads(case.right)
    known = set(quads(repr({key: value for key, value in case.row.items() if key != "completion"})))
    return bool(mine) and all(box in known for box in mine)
