"""`sightline audit`: what a system pays for attacks, and what its reward can teach on given rollouts."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sightline.cli import names
from sightline.core.errors import ConfigError

if TYPE_CHECKING:
    from sightline.check.ledger import SystemAudit
    from sightline.check.signals import Moved, Signal
    from sightline.rewards.reward import Reward
    from sightline.system import System
    from sightline.view.results import Results

WIDTH = 100  # columns that the table needs
PAYS = 1  # exit code: strict pays an attack that nobody has accepted


def audit(
    slug: Annotated[str, typer.Argument(help="The system's slug; without one the table over all systems.")] = "",
    rollouts: Annotated[Path | None, typer.Option(help="File of rollouts: dead groups and saturation on it.")] = None,
    before: Annotated[Path | None, typer.Option(help="An earlier such file: drift from it to --rollouts.")] = None,
    judge: Annotated[str, typer.Option(help="Who is asked, as for `score`; by default the system's own.")] = "",
    judge_cache: Annotated[str, typer.Option(help="sqlite file that keeps verdicts.")] = "",
    judge_key: Annotated[str, typer.Option(help="Environment variable that holds the server's key.")] = "",
    accepted: Annotated[
        Path | None, typer.Option(help="JSON list of accepted attacks: system, attack, reason.")
    ] = None,
    vectors: Annotated[Path | None, typer.Option(help="Folder of vector files: rows to hold official against.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Also write .html (one system) or .md.")] = None,
) -> None:
    """Attack a system.

    For each attack what a right reply, an honest wrong one and the attack earn, in strict and official. Fails if strict
    pays an attack that is not accepted.

    sightline audit visual-rft --out audit.html

    sightline audit visual-rft --rollouts step_900.jsonl --before step_100.jsonl
    """
    from sightline.check.ledger import audit_system, markdown, read_accepted
    from sightline.system import load
    from sightline.system import names as all_names

    _agree(slug, rollouts, before, out)
    known = read_accepted(accepted) if accepted is not None else []
    systems = [load(one) for one in ([slug] if slug else all_names())]
    if judge:
        asked = names.judge_named(judge, judge_cache, judge_key)
        systems = [system.with_judge(asked) for system in systems]
    found = [audit_system(system, known, _rows(system, vectors)) for system in systems]
    signals, drift = _measured(systems[0], rollouts, before) if rollouts is not None else ({}, {})
    if slug:
        _show(found[0])
        _show_signals(signals, drift)
        if not judge:
            names.tell_default_judge(systems[0].reward)
    else:
        _show_all(found)
    if out is not None:
        from sightline.check.page import page

        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(page(found[0], signals, drift) if out.suffix == ".html" else markdown(found), "utf-8", "replace")
        typer.echo(f"report  {out}")
    if any(one.unexplained for one in found):
        raise typer.Exit(PAYS)


def _rows(system: System, vectors: Path | None) -> list[dict[str, Any]]:
    from sightline.check.ledger import vector_rows

    if vectors is not None and not vectors.is_dir():
        raise ConfigError(f"--vectors {vectors}: there is no such folder")
    file = None if vectors is None else vectors / f"{system.file_name}.json"
    return [] if file is None or not file.exists() else vector_rows(file)


def _agree(slug: str, rollouts: Path | None, before: Path | None, out: Path | None) -> None:
    if not slug and (rollouts is not None or (out is not None and out.suffix == ".html")):
        raise ConfigError("--rollouts and an .html report are about one system: name it")
    if before is not None and rollouts is None:
        raise ConfigError("--before needs --rollouts, the later file")
    if out is not None and out.suffix not in (".html", ".md"):
        raise ConfigError(f"--out {out}: needs a name that ends in .html or .md")


def _measured(system: System, rollouts: Path, before: Path | None) -> tuple[Mapping[str, Signal], Mapping[str, Moved]]:
    from sightline.check.signals import drift, signal, spreads

    signals = {}
    for variant in ("strict", "official") if system.official is not None else ("strict",):
        results = _scored(system.variant(variant), rollouts)
        signals[variant] = signal(results.reward.values, results.group)
    if before is None:
        return signals, {}
    both = [_scored(system.reward, file) for file in (before, rollouts)]
    earlier, later = ({part.name: part.values for part in results.parts} for results in both)
    was, now = ({"spread in a group": spreads(results.reward.values, results.group)} for results in both)
    signals["strict, before"] = signal(both[0].reward.values, both[0].group)
    return signals, drift(earlier, later, (both[0].group, both[1].group)) | drift(was, now)


def _scored(reward: Reward, file: Path) -> Results:
    from sightline.scoring import Source, score_file
    from sightline.view.results import read_results

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "scored.parquet"
        score_file(Source(file), reward, out)
        return read_results([out])


def _show(found: SystemAudit) -> None:
    from rich.console import Console
    from rich.table import Table

    from sightline.check.page import rounded

    strict = found.audits["strict"]
    table = Table(box=None, header_style="dim", padding=(0, 1))
    table.add_column("attack", no_wrap=True)
    for variant in found.audits:
        for heading in ("right", "honest", "attack"):
            table.add_column(heading, justify="right")
        table.add_column(variant)
    for attack in strict.findings:
        cells = []
        for audit_ in found.audits.values():
            one = audit_[attack.attack]
            colour = "red" if one.pays else "dim" if not one.cases else "green"
            cells += [*map(rounded, (one.right, one.honest, one.earned)), f"[{colour}]{one.verdict}[/]"]
        table.add_row(attack.attack, *cells)
    Console(width=max(WIDTH, Console().width)).print(table)
    typer.echo(f"{strict.rows} rows attacked, {strict.left_out} left out: no reply earns more than a wrong one there")
    for variant, checks in found.checks.items():
        for check in checks:
            verdict = "not tried" if not check.cases else "holds" if check.passed else "does not hold"
            typer.echo(f"{variant}: {check.name}: {verdict}{f' ({check.note})' if check.note else ''}")
    reasons: dict[str, list[str]] = {}
    for name, reason in found.accepted.items():
        reasons.setdefault(reason, []).append(name)
    for reason, about in reasons.items():
        typer.echo(f"accepted: {', '.join(about)}: {reason}")


def _show_signals(signals: Mapping[str, Signal], drift: Mapping[str, Moved]) -> None:
    from sightline.check.page import rounded

    for variant, one in signals.items():
        typer.echo(
            f"{variant}: {one.rollouts:,} rollouts, {one.groups:,} groups, dead {_share(one.dead)}, "
            f"at the top {_share(one.top)}, at the floor {_share(one.floor)}, mean {rounded(one.mean)}"
        )
    for name, moved in drift.items():
        flips = f", became right {_share(moved.rescued)}, wrong {_share(moved.overridden)}" * (
            moved.rescued == moved.rescued
        )
        verdict = "drifts" if moved.drifts else "within chance" if moved.p == moved.p else "too few groups"
        told = f"{verdict}, p {rounded(moved.p)}, D {rounded(moved.distance)}"
        typer.echo(f"{name}: {rounded(moved.before)} → {rounded(moved.after)} ({told}){flips}")


def _show_all(found: list[SystemAudit]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("system", "rows", "strict pays", "official pays", "not accepted", box=None, header_style="dim")
    for one in found:
        paid = [
            ", ".join(f.attack for f in one.audits[v].paid) if v in one.audits else "" for v in ("strict", "official")
        ]
        table.add_row(one.slug, str(one.audits["strict"].rows), *paid, ", ".join(f.attack for f in one.unexplained))
    Console().print(table)


def _share(value: float) -> str:
    return "–" if value != value else f"{value:.0%}"
