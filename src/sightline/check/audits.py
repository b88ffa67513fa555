"""What a reward pays for attacks: every attack on every row, beside what an honest reply earns there.

    from sightline.check import audit
    print(audit(my_reward, rows))

`rows` are rollouts with their columns, good ones among them: their replies show the form. Nothing here knows a reward
by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.check.anatomy import well_formed
from sightline.check.attacks import ATTACKS, Attack, Case
from sightline.check.mistakes import mistaken
from sightline.core.batch import Batch
from sightline.core.rollout import policy_text
from sightline.core.scores import Scores
from sightline.rewards.reward import Reward

Rows = Sequence[Mapping[str, Any]]
SAME = 1e-6  # earnings that differ by less are equal
COUNTED = "completion_tokens"  # the trainer counts it, so it follows the text
MUCH = 200  # characters


@dataclass(frozen=True)
class Finding:
    """What one attack earned where it gained most.

    Args:
        attack: its name.
        what: one line about it.
        cases: on how many rows it could be tried and scored.
        honest: what the honest reply earned that it starts from; NaN if there was no case.
        earned: what the attack earned.
        start: `wrong` or `right`, the honest reply it started from.
        row: the row of the data.
        completion: what was written.
        why: the reason of the score.
        right: what the right reply earned on that row.
    """

    attack: str
    what: str
    cases: int
    honest: float = float("nan")
    earned: float = float("nan")
    start: str = "wrong"
    row: int = -1
    completion: Any = ""
    why: str = ""
    right: float = float("nan")

    @property
    def pays(self) -> bool:
        """Whether it earned more than the honest reply."""
        return self.cases > 0 and self.earned > self.honest + SAME

    @property
    def verdict(self) -> str:
        """`pays`, `holds` (it does not pay) or `not tried`."""
        return "not tried" if not self.cases else "pays" if self.pays else "holds"


@dataclass(frozen=True)
class Audit:
    """All attacks on one reward.

    Args:
        findings: one for each attack, in order.
        rows: how many rows of data were attacked: those where a right reply earns more than a wrong one.
        left_out: how many rows were not, because no reply was told from a wrong one.
    """

    findings: tuple[Finding, ...]
    rows: int
    left_out: int

    @property
    def paid(self) -> tuple[Finding, ...]:
        """The attacks that pay."""
        return tuple(finding for finding in self.findings if finding.pays)

    def __getitem__(self, attack: str) -> Finding:
        return next(finding for finding in self.findings if finding.attack == attack)

    def __str__(self) -> str:
        lines = [f"{self.rows} rows attacked, {self.left_out} left out (no reply earns more than a wrong one there)"]
        for one in self.findings:
            earned = f"{one.start} reply {one.honest:8.4g}  attack {one.earned:8.4g}" if one.cases else ""
            lines.append(f"{one.attack:30} {one.verdict:10} {earned}")
        return "\n".join(lines)


@dataclass(frozen=True)
class Placed:
    """A case in its place: the row it is, and the other rollouts of its group."""

    case: Case
    place: int
    mates: tuple[int, ...]


def audit(
    reward: Reward, rows: Rows, attacks: Sequence[Attack] = ATTACKS, cases: Sequence[Placed] | None = None
) -> Audit:
    """Try attacks on a reward.

    Args:
        reward: any reward or expression.
        rows: rollouts as dictionaries that it can score; for every kind of data at least one reply that earns well.
        attacks: what is tried; `sightline.check.attacks.Attack` makes one of your own.
        cases: what `cases_of` found, to audit another variant on the same replies.

    Returns: for every attack the row and the way in which it gained most over the honest reply that it starts from. An
        attack that is not scored there (NaN) gains nothing.

    Example:
        >>> from sightline.rewards.answers import Answer, same_letter
        >>> from sightline.rewards.format import Format
        >>> rows = [{"completion": "<think>Left.</think><answer>B</answer>", "answer": "B"}]
        >>> found = audit(Answer(same_letter) + Format(), rows)
        >>> [one.attack for one in found.paid], found["form only"].honest, found["form only"].earned
        ([], 1.0, 1.0)
    """
    rows = filled(rows)
    known = cases_of(reward, rows) if cases is None else cases
    trials = [trial for placed in known for trial in _trials(placed, attacks)]
    scores = earned(reward, rows, [(placed, made) for placed, _, _, made in trials])
    honest = {(placed.place, start): index for index, (placed, attack, start, _) in enumerate(trials) if attack is None}
    findings = []
    for attack in attacks:
        tried = [
            (index, placed, start)
            for index, (placed, who, start, _) in enumerate(trials)
            if who is attack and not np.isnan(scores.values[honest[placed.place, start]])
        ]
        findings.append(_worst(attack, tried, trials, scores, honest))
    return Audit(tuple(findings), len(known), len(_kinds(rows)) - len(known))


def cases_of(reward: Reward, rows: Rows) -> list[Placed]:
    """The rows of data that tell a right reply from a wrong one, each with both and with its group.

    Of rollouts with the same columns the one that earns most is the right reply. Rows with a broken one are left out:
    whatever mends the form would seem to pay there.
    """
    rows = filled(rows)
    batch = Batch.from_rows(rows)
    values = np.nan_to_num(reward(batch).values, nan=-np.inf)
    company = {int(i): tuple(int(j) for j in group if j != i) for group in batch.groups() for i in group}
    found = []
    for same in _kinds(rows).values():
        best = max(same, key=lambda i: values[i])
        if np.isfinite(values[best]):
            text = batch.texts[best]
            found.append(Placed(Case(rows[best], text, mistaken(text)), best, company[best]))
    whole = [placed for placed in found if well_formed(placed.case.right)]
    found = whole or found
    scores = earned(
        reward, rows, [(placed, text) for placed in found for text in (placed.case.right, placed.case.wrong)]
    )
    right, wrong = scores.values[0::2], scores.values[1::2]
    return [placed for placed, tells in zip(found, right > wrong + SAME, strict=True) if tells]


def earned(reward: Reward, rows: Rows, trials: Sequence[tuple[Placed, Any]]) -> Scores:
    """What each completion earns in the place of the rollout of its case, among the others of its group."""
    table: list[dict[str, Any]] = []
    targets = []
    for number, (placed, completion) in enumerate(trials):
        targets.append(len(table))
        table.append({**_written(rows[placed.place], completion), "group": number})
        table.extend({**rows[mate], "group": number} for mate in placed.mates)
    return reward(Batch.from_rows(table or [{**row, "group": -1} for row in rows])).take(
        np.array(targets, dtype=np.int64)
    )


Trial = tuple[Placed, "Attack | None", str, Any]


def _trials(placed: Placed, attacks: Sequence[Attack]) -> Iterator[Trial]:
    honest = {"wrong": placed.case.wrong, "right": placed.case.right}
    yield from ((placed, None, start, text) for start, text in honest.items())
    for attack in attacks:
        for start in attack.starts:
            for made in attack.make(placed.case, honest[start]):
                yield placed, attack, start, made


def _worst(
    attack: Attack,
    tried: Sequence[tuple[int, Placed, str]],
    trials: Sequence[Trial],
    scores: Scores,
    honest: Mapping[tuple[int, str], int],
) -> Finding:
    """The trial with the largest gain; where every way has to pay, a row counts by the way that gains least."""
    gains: dict[tuple[int, str], list[tuple[float, int]]] = {}
    for index, placed, start in tried:
        value, base = scores.values[index], scores.values[honest[placed.place, start]]
        gains.setdefault((placed.place, start), []).append((-np.inf if np.isnan(value) else value - base, index))
    if not gains:
        return Finding(attack.name, attack.what, 0)
    pick = min if attack.every else max
    (place, start), (_, index) = max(((key, pick(ways)) for key, ways in gains.items()), key=lambda found: found[1][0])
    base = float(scores.values[honest[place, start]])
    cases = len({key[0] for key in gains})
    value, why = float(scores.values[index]), scores.why[index]
    right = float(scores.values[honest[place, "right"]])
    return Finding(attack.name, attack.what, cases, base, value, start, place, trials[index][3], why, right)


def _written(row: Mapping[str, Any], completion: Any) -> dict[str, Any]:
    """The row with another completion. Counted tokens follow its length where that changes much."""
    new = {**row, "completion": completion}
    if isinstance(row.get(COUNTED), int | float):
        text = policy_text(completion)
        more = len(text) - len(policy_text(row["completion"]))
        if not text.strip():
            new[COUNTED] = 0
        elif abs(more) > MUCH:
            new[COUNTED] = max(1, row[COUNTED] + round(more / 4))  # about four characters to a token
    return new


def filled(rows: Rows) -> list[dict[str, Any]]:
    """Rows with the same columns: what one lacks is None."""
    names = dict.fromkeys(name for row in rows for name in row)
    return [{**dict.fromkeys(names), **row} for row in rows] if "group" not in names else _grouped(rows, list(names))


def _grouped(rows: Rows, names: Sequence[str]) -> list[dict[str, Any]]:
    return [{**dict.fromkeys(names), **row, "group": repr(row.get("group"))} for row in rows]


def _kinds(rows: Rows) -> dict[str, list[int]]:
    """Rows with the same data, whatever was replied."""
    found: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        data = {key: value for key, value in row.items() if key not in ("completion", COUNTED)}
        found.setdefault(repr(sorted(data.items(), key=lambda pair: pair[0])), []).append(index)
    return found
