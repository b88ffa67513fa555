"""Audits of whole systems: strict beside official, and which paying attacks were looked at and accepted.

What was looked at is a JSON list, reviewed by people and kept beside tests, of objects with `system`, `reason` and one
of `attack` (strict pays it), `check` (strict fails it; see `soundness`) and `rows` (none can be attacked). `attack` and
`check` may be lists. `share` bounds what is accepted on the rows of the specimen, as a share of what being right gains;
`where` names columns and the values that rows have to have there. A hole that grows, or opens elsewhere, is a new one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sightline.check.attacks import ATTACKS
from sightline.check.audits import Audit, Finding, summed, worst
from sightline.check.soundness import Check, soundness
from sightline.check.trials import SAME, Rows, Tried, cases_of, filled, trials_of, tried
from sightline.check.vectors import read
from sightline.core.errors import RolloutFileError
from sightline.system import VARIANTS, System

NO_ROWS = "rows"


@dataclass(frozen=True)
class Accepted:
    """One thing that was looked at.

    Args:
        system: its slug.
        name: an attack, a check, or `rows`.
        reason: why it stands.
        share: an attack gains at most so much of what being right gains, where the right reply is a good one.
        where: column -> values of the rows that this is about; empty: all.
    """

    system: str
    name: str
    reason: str
    share: float = 1.0
    where: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def covers(self, found: Finding, row: Mapping[str, Any], good: bool = True) -> bool:
        """Whether this payment was looked at.

        Args:
            row: the columns of where it was found.
            good: whether the right reply there is a good one, as in a specimen.
        """
        here = all(row.get(column) in values for column, values in self.where.items())
        within = found.share <= self.share + SAME or not good
        return found.attack == self.name and not found.escaped and here and within


@dataclass(frozen=True)
class SystemAudit:
    """One system under attack.

    Args:
        slug: of the system.
        audits, checks: by variant; official only where the released code differs.
        accepted: attack, check or `rows` -> why strict may pay it, fail it, have none.
        released: what official pays and strict does not on the same row and reply.
        unexplained: what strict pays on some row and nobody has accepted there, of each attack the worst.
    """

    slug: str
    audits: Mapping[str, Audit]
    checks: Mapping[str, tuple[Check, ...]]
    accepted: Mapping[str, str] = field(default_factory=dict)
    released: tuple[Finding, ...] = ()
    unexplained: tuple[Finding, ...] = ()

    @property
    def unsound(self) -> tuple[Check, ...]:
        """Checks that strict fails and nobody has looked at."""
        return tuple(one for one in self.checks["strict"] if not one.passed and one.name not in self.accepted)

    @property
    def outdated(self) -> tuple[str, ...]:
        """What is accepted and does not occur any more."""
        strict = self.audits["strict"]
        seen = {one.attack for one in strict.paid} | {one.name for one in self.checks["strict"] if not one.passed}
        return tuple(name for name in self.accepted if name not in (seen if strict.rows else {NO_ROWS}))


def audit_system(system: System, accepted: Sequence[Accepted] = (), vectors: Rows = ()) -> SystemAudit:
    """Both variants of a system: the same honest and attacking replies, chosen by strict.

    Args:
        system: any.
        accepted: what was looked at.
        vectors: more rows beside the specimen; those whose replies are whole are attacked as well.
    """
    own = [dict(row) for row in system.specimen]
    rows = [*own, *vectors]
    cases, sound = cases_of(system.reward, rows), cases_of(system.reward, own)
    variants = {name: system.variant(name) for name in VARIANTS if name == "strict" or system.official is not None}
    trials = trials_of(cases, ATTACKS)
    found = {name: tried(reward, rows, trials) for name, reward in variants.items()}
    mine = [one for one in accepted if one.system == system.slug]
    return SystemAudit(
        system.slug,
        {name: summed(one, rows) for name, one in found.items()},
        {name: soundness(reward, own, sound) for name, reward in variants.items()},
        {
            name: " ".join(one.reason for one in mine if one.name == name)
            for name in dict.fromkeys(o.name for o in mine)
        },
        _released(found["strict"], found["official"]) if "official" in found else (),
        _unexplained(found["strict"], filled(rows), mine, len(own)),
    )


def _unexplained(strict: Tried, rows: Rows, accepted: Sequence[Accepted], own: int) -> tuple[Finding, ...]:
    """What is not accepted; the first `own` rows are of the specimen."""
    most: dict[str, Finding] = {}
    for case in strict.by_case():
        for found in worst(case):
            if found.pays and not any(one.covers(found, rows[found.row], found.row < own) for one in accepted):
                before = most.get(found.attack)
                if before is None or found.share > before.share:
                    most[found.attack] = found
    return tuple(most.values())


def _released(strict: Tried, official: Tried) -> tuple[Finding, ...]:
    """For each attack that official pays and strict does not, on the same row: where official pays most for it.

    Rows on which official itself earns a right reply no more than a wrong one say nothing.
    """
    most: dict[str, Finding] = {}
    for ours, theirs in zip(strict.by_case(), official.by_case(), strict=True):
        for own, found in zip(worst(ours), worst(theirs), strict=True):
            gain = found.earned - found.honest if found.pays and found.right > found.honest and not own.pays else 0.0
            before = most.get(found.attack)
            if gain and (before is None or gain > before.earned - before.honest):
                most[found.attack] = found
    return tuple(most[one] for one in (attack.name for attack in ATTACKS) if one in most)


def vector_rows(path: str | Path) -> list[dict[str, Any]]:
    """The rollouts of the cases of a vector file that need no judge, each case with groups of its own."""
    found: list[dict[str, Any]] = []
    for number, case in enumerate(read(path)):
        if "rows" not in case or {"verdicts", "records", "raises", "only", "plus", "step"} & set(case):
            continue
        given = case["rows"]
        if isinstance(given, Mapping):
            given = [dict(zip(given, values, strict=True)) for values in zip(*given.values(), strict=True)]
        found += [{**row, "group": f"{number}: {row.get('group', i)}"} for i, row in enumerate(given)]
    return found


def read_accepted(path: str | Path) -> list[Accepted]:
    """The reviewed list.

    Raises:
        RolloutFileError: it is not a JSON list of objects with `system`, `reason` and one of `attack`, `check`, `rows`.
    """
    try:
        found = json.loads(Path(path).read_text("utf-8"))
        return [_accepted(one, name) for one in found for name in _about(one)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RolloutFileError(f"cannot read the accepted attacks in {path}: {error!r}") from error


def _accepted(entry: Mapping[str, Any], name: str) -> Accepted:
    share, where = float(entry.get("share", 1.0)), entry.get("where") or {}
    return Accepted(entry["system"], name, entry["reason"], share, where)


def _about(entry: Mapping[str, Any]) -> list[str]:
    if NO_ROWS in entry:
        return [NO_ROWS]
    named = entry["check"] if "check" in entry else entry["attack"]
    return [named] if isinstance(named, str) else list(named)


def markdown(audits: Sequence[SystemAudit]) -> str:
    """The table over systems, what strict pays with reasons, what official pays, and what moves the rewards."""
    parts = (_head, _strict, _official, _moves, _silent)
    return "\n".join([*(line for part in parts for line in part(audits)), *_attacks()]) + "\n"


HEAD = """# Audit

Every attack of `sightline.check.attacks` on every system, with its default judge, which looks at words only, on the
rows of its specimen and of its worked examples. An attack *pays* if it earns more than the honest reply that it starts
from: a wrong one of the same form (in two ways: boxes half their size aside or down, numbers one or two off, every
first or every second word another), or the right one where something is repeated or padded. Where a policy hedges,
both orders have to pay. Shown is the row on which an attack gained most. Written by
`sightline audit --accepted tests/check/accepted.json --vectors tests/vectors --out docs/audit.md`.
"""


def _head(audits: Sequence[SystemAudit]) -> list[str]:
    lines = [HEAD, "| system | rows | attacks tried | strict pays | official pays |", "|---|--:|--:|---|---|"]
    for one in audits:
        strict = one.audits["strict"]
        tried = sum(found.cases > 0 for found in strict.findings)
        official = _names(one.audits["official"].paid) if "official" in one.audits else "as strict"
        pays = (_names(strict.paid), official) if strict.rows else ("[not attacked](#not-attacked)", "–")
        lines.append(f"| {one.slug} | {strict.rows or '–'} | {tried or '–'} | {pays[0]} | {pays[1]} |")
    return lines


def _names(paid: Sequence[Finding]) -> str:
    return ", ".join(one.attack for one in paid) or "none"


def _strict(audits: Sequence[SystemAudit]) -> list[str]:
    lines = ["", "## What strict pays, and why that stands", "", "What the right reply earns stands in brackets.", ""]
    lines += ["| system | attack: honest → attack | reason |", "|---|---|---|"]
    for one in audits:
        by_reason: dict[str, list[Finding]] = {}
        for found in one.audits["strict"].paid:
            by_reason.setdefault(_reason(one, found.attack), []).append(found)
        lines += [f"| {one.slug} | {_list(found)} | {reason} |" for reason, found in by_reason.items()]
    return lines


def _reason(one: SystemAudit, name: str) -> str:
    return one.accepted.get(name, "**not reviewed**")


def _list(found: Sequence[Finding]) -> str:
    return "<br>".join(f"{one.attack}: {one.honest:.4g} → {rounded(one.earned)} ({one.right:.4g})" for one in found)


def rounded(value: float) -> str:
    """What was earned, for a table."""
    return "not scored" if value != value else f"{value:.4g}"


def _official(audits: Sequence[SystemAudit]) -> list[str]:
    lines = ["", "## What released code pays and strict does not", "", "On the same row and reply.", ""]
    lines += ["| system | attack: honest → attack |", "|---|---|"]
    return [*lines, *(f"| {one.slug} | {_list(one.released)} |" for one in audits if one.released)]


def _moves(audits: Sequence[SystemAudit]) -> list[str]:
    lines = ["", "## What moves the reward and should not, or does not and should", ""]
    lines += ["On the rows of the specimen.", ""]
    lines += ["| system | check | variant: worst | reason |", "|---|---|---|---|"]
    return [*lines, *(line for one in audits for line in _failed(one))]


def _failed(one: SystemAudit) -> Iterator[str]:
    for index, check in enumerate(one.checks["strict"]):
        failed = {variant: checks[index] for variant, checks in one.checks.items() if not checks[index].passed}
        if failed:
            worst = "<br>".join(f"{variant}: {found.note}" for variant, found in failed.items())
            why = _reason(one, check.name) if "strict" in failed else "released code"
            yield f"| {one.slug} | {check.name} | {worst} | {why} |"


def _silent(audits: Sequence[SystemAudit]) -> list[str]:
    lines = ["", "## Not attacked", "", "| system | why no row can be attacked |", "|---|---|"]
    return [*lines, *(f"| {one.slug} | {_reason(one, NO_ROWS)} |" for one in audits if not one.audits["strict"].rows)]


def _attacks() -> list[str]:
    lines = ["", "## The attacks", "", "| attack | what is written |", "|---|---|"]
    return [*lines, *(f"| {attack.name} | {attack.what} |" for attack in ATTACKS)]
