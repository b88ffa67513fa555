"""Audits of whole systems: strict beside official, and which paying attacks were looked at and accepted.

An accepted attack is an entry of a JSON list, `{"system", "attack", "reason"}`: reviewed by people, kept beside tests.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sightline.check.attacks import ATTACKS
from sightline.check.audits import Audit, Finding, Rows, audit, cases_of
from sightline.check.soundness import Check, soundness
from sightline.check.vectors import read
from sightline.core.errors import RolloutFileError
from sightline.system import VARIANTS, System

Accepted = Mapping[tuple[str, str], str]  # system and attack -> reason


@dataclass(frozen=True)
class SystemAudit:
    """One system under attack.

    Args:
        slug: of the system.
        audits, checks: by variant; official only where the released code differs.
        accepted: attack -> why its paying under strict is accepted.
        released: what official pays and strict does not on the same row and reply, on the rows of a vector file too.
    """

    slug: str
    audits: Mapping[str, Audit]
    checks: Mapping[str, tuple[Check, ...]]
    accepted: Mapping[str, str] = field(default_factory=dict)
    released: tuple[Finding, ...] = ()

    @property
    def unexplained(self) -> tuple[Finding, ...]:
        """Attacks that strict pays and nobody has accepted."""
        return tuple(one for one in self.audits["strict"].paid if one.attack not in self.accepted)

    @property
    def outdated(self) -> tuple[str, ...]:
        """Accepted attacks that do not pay any more."""
        paid = {one.attack for one in self.audits["strict"].paid}
        return tuple(attack for attack in self.accepted if attack not in paid)


def audit_system(system: System, accepted: Accepted | None = None, vectors: Rows = ()) -> SystemAudit:
    """Both variants of a system on its specimen: the same honest and attacking replies, chosen by strict.

    Args:
        system: any.
        accepted: the reviewed list.
        vectors: more rows on which official is held against strict. Strict alone is not judged on them: replies of
            vectors are often attacks themselves, and no honest reply to start from.
    """
    rows = [dict(row) for row in system.specimen]
    cases = cases_of(system.reward, rows)
    variants = {name: system.variant(name) for name in VARIANTS if name == "strict" or system.official is not None}
    mine = {attack: reason for (slug, attack), reason in (accepted or {}).items() if slug == system.slug}
    return SystemAudit(
        system.slug,
        {name: audit(reward, rows, cases=cases) for name, reward in variants.items()},
        {name: soundness(reward, rows, cases) for name, reward in variants.items()},
        mine,
        released(system, [*rows, *vectors]),
    )


def released(system: System, rows: Rows) -> tuple[Finding, ...]:
    """For each attack that official pays and strict does not, on the same row: where official pays most for it.

    Rows on which official itself earns a right reply no more than a wrong one say nothing.
    """
    if system.official is None:
        return ()
    worst: dict[str, Finding] = {}
    for case in cases_of(system.reward, rows):
        strict, official = (audit(reward, rows, cases=[case]) for reward in (system.reward, system.official))
        for found in official.paid:
            before = worst.get(found.attack)
            gains = before is None or found.earned - found.honest > before.earned - before.honest
            if found.right > found.honest and not strict[found.attack].pays and gains:
                worst[found.attack] = found
    return tuple(worst[one] for one in (attack.name for attack in ATTACKS) if one in worst)


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


def read_accepted(path: str | Path) -> dict[tuple[str, str], str]:
    """The reviewed list.

    Raises:
        RolloutFileError: it is not a JSON list of objects with `system`, `attack` and a `reason`.
    """
    try:
        found = json.loads(Path(path).read_text("utf-8"))
        return {(one["system"], one["attack"]): one["reason"] for one in found}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RolloutFileError(f"cannot read the accepted attacks in {path}: {error!r}") from error


def markdown(audits: Sequence[SystemAudit]) -> str:
    """The table over systems, what strict pays with reasons, what official pays, and what moves the rewards."""
    return "\n".join([*_head(audits), *_strict(audits), *_official(audits), *_moves(audits)]) + "\n"


HEAD = """# Audit

Every attack of `sightline.check.attacks` on every system, on the rows of its specimen and with its default judge,
which looks at words only. An attack *pays* if it earns more than the honest reply that it starts from: a wrong one of
the same form (boxes half a width off, numbers one off, every second word another), or the right one where something is
repeated or padded. Shown is the row on which it gained most. Written by
`sightline audit --accepted tests/check/accepted.json --vectors tests/vectors --out docs/audit.md`.

A dash under rows: what is written does not change the reward there (it looks at pictures, or at columns that a model
fills), or the default judge cannot tell a right reply from a wrong one.
"""


def _head(audits: Sequence[SystemAudit]) -> list[str]:
    lines = [HEAD, "| system | rows | attacks tried | strict pays | official pays |", "|---|--:|--:|---|---|"]
    for one in audits:
        strict = one.audits["strict"]
        tried = sum(found.cases > 0 for found in strict.findings)
        official = _names(one.audits["official"].paid) if "official" in one.audits else "as strict"
        lines.append(f"| {one.slug} | {strict.rows or '–'} | {tried or '–'} | {_names(strict.paid)} | {official} |")
    return lines


def _names(paid: Sequence[Finding]) -> str:
    return ", ".join(one.attack for one in paid) or "none"


def _strict(audits: Sequence[SystemAudit]) -> list[str]:
    lines = [
        "",
        "## What strict pays, and why that stands",
        "",
        "| system | attack | right | honest | attack | reason |",
    ]
    lines.append("|---|---|--:|--:|--:|---|")
    for one in audits:
        for found in one.audits["strict"].paid:
            reason = one.accepted.get(found.attack, "**not reviewed**")
            lines.append(f"| {one.slug} | {found.attack} | {_earned(found)} | {reason} |")
    return lines


def _official(audits: Sequence[SystemAudit]) -> list[str]:
    lines = ["", "## What released code pays and strict does not", ""]
    lines += ["On the same row and reply; the rows are those of the specimen and of the worked examples.", ""]
    lines += ["| system | attack | right | honest | attack | what |", "|---|---|--:|--:|--:|---|"]
    for one in audits:
        if "official" in one.audits:
            lines += [f"| {one.slug} | {found.attack} | {_earned(found)} | {found.what} |" for found in one.released]
    return lines


def _earned(found: Finding) -> str:
    return f"{found.right:.4g} | {found.honest:.4g} | {found.earned:.4g}"


def _moves(audits: Sequence[SystemAudit]) -> list[str]:
    lines = ["", "## What moves the reward and should not, or does not and should", ""]
    lines += [
        "A line at the end counts where a format has to match the whole reply, words where length is rewarded.",
        "",
    ]
    lines += ["| system | variant | check | rows | worst |", "|---|---|---|--:|---|"]
    for one in audits:
        for variant, checks in one.checks.items():
            failed = [check for check in checks if not check.passed]
            lines += [f"| {one.slug} | {variant} | {c.name} | {c.cases} | {c.note} |" for c in failed]
    return lines
