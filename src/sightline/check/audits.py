"""What a reward pays for attacks: every attack on every row, beside what an honest reply earns there.

    from sightline.check import audit
    print(audit(my_reward, rows))

`rows` are rollouts with their columns, good ones among them: their replies show the form. Nothing here knows a reward
by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.check.attacks import ATTACKS, Attack
from sightline.check.trials import SAME, Placed, Rows, Tried, cases_of, filled, kinds, trials_of, tried
from sightline.core.errors import ConfigError
from sightline.rewards.reward import Reward


@dataclass(frozen=True)
class Finding:
    """What one attack earned where it gained most.

    Args:
        attack: its name.
        what: one line about it.
        cases: on how many rows it could be tried and scored.
        honest: what the honest reply earned that it starts from; NaN if there was no case.
        earned: what the attack earned.
        start: `wrong`, `other` (another wrong one) or `right`, the honest reply it started from.
        row: the row of the data.
        completion: what was written.
        why: the reason of the score.
        right: what the right reply earned on that row.
        wrong: what the wrong reply earned on that row.
        escaped: how many replies of it were not scored (NaN) where the honest one is: a way out of a low number.
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
    wrong: float = float("nan")
    escaped: int = 0

    @property
    def share(self) -> float:
        """What it gained, as a share of what being right gains over being wrong."""
        return (self.earned - self.honest) / (self.right - self.wrong)

    @property
    def pays(self) -> bool:
        """Whether it earned more than the honest reply, or escaped."""
        return self.cases > 0 and (self.earned > self.honest + SAME or self.escaped > 0)

    @property
    def verdict(self) -> str:
        """`pays`, `escapes` (it pays by not being scored), `holds` (it does not pay) or `not tried`."""
        if not self.pays:
            return "holds" if self.cases else "not tried"
        return "pays" if self.earned > self.honest else "escapes"


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
        if not self.rows:
            lines.append("nothing can be attacked: give rows whose completion is a good reply in the asked form")
        for one in self.findings if self.rows else ():
            earned = f"{one.start} reply {one.honest:8.4g}  attack {one.earned:8.4g}" if one.cases else ""
            lines.append(f"{one.attack:30} {one.verdict:10} {earned}")
            if one.pays:
                lines.append(f"    row {one.row}: {one.completion!r:.200}")
        return "\n".join(lines)


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
        attack that is not scored there (NaN) has escaped, and pays.

    Raises:
        ConfigError: there are no rows, or they are no dictionaries.

    Example:
        >>> from sightline.rewards.answers import Answer, same_letter
        >>> from sightline.rewards.format import Format
        >>> rows = [{"completion": "<think>Left.</think><answer>B</answer>", "answer": "B"}]
        >>> found = audit(Answer(same_letter) + Format(), rows)
        >>> [one.attack for one in found.paid], found["form only"].honest, found["form only"].earned
        ([], 1.0, 1.0)
    """
    if not rows or not all(isinstance(row, Mapping) for row in rows):
        raise ConfigError("audit needs rollouts as dictionaries with their columns, good replies among them; got none")
    known = cases_of(reward, rows) if cases is None else cases
    return summed(tried(reward, rows, trials_of(known, attacks)), rows, attacks)


def summed(found: Tried, rows: Rows, attacks: Sequence[Attack] = ATTACKS) -> Audit:
    """What all trials say."""
    attacked = len({trial.placed.place for trial in found.trials})
    return Audit(worst(found, attacks), attacked, len(kinds(filled(rows))) - attacked)


def worst(found: Tried, attacks: Sequence[Attack] = ATTACKS) -> tuple[Finding, ...]:
    """For each attack the way in which it gained most."""
    mine: dict[str, list[int]] = {attack.name: [] for attack in attacks}
    for index, trial in enumerate(found.trials):
        if trial.attack and not np.isnan(found.values[found.honest[index]]):
            mine[trial.attack].append(index)
    return tuple(_worst(attack, mine[attack.name], found) for attack in attacks)


def _worst(attack: Attack, mine: Sequence[int], found: Tried) -> Finding:
    """The way with the largest gain; a way of several replies counts as the one that gains least."""
    gains = found.gains
    ways: dict[tuple[int, str, int], list[tuple[float, int]]] = {}
    for index in mine:
        trial = found.trials[index]
        gain = SAME / 2 if np.isnan(gains[index]) else float(gains[index])  # shown if nothing gains
        ways.setdefault((trial.placed.place, trial.start, trial.way), []).append((gain, index))
    if not ways:
        return Finding(attack.name, attack.what, 0)
    _, index = max(map(min, ways.values()), key=lambda way: way[0])
    trial, base = found.trials[index], float(found.values[found.honest[index]])
    place = trial.placed.place
    own = {one.start: i for i, one in enumerate(found.trials) if not one.attack and one.placed.place == place}
    return Finding(
        attack.name,
        attack.what,
        len({key[0] for key in ways}),
        base,
        float(found.values[index]),
        trial.start,
        place,
        trial.made,
        found.why[index],
        float(found.values[own["right"]]),
        float(found.values[own["wrong"]]),
        sum(bool(np.isnan(gains[index])) for index in mine),
    )
