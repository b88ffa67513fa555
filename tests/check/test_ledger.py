"""Every system under attack: strict pays none more than an honest wrong answer, except as reviewed in accepted.json."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from typer.testing import CliRunner

import sightline
from sightline.check.audits import Finding
from sightline.check.ledger import Accepted, SystemAudit, audit_system, markdown, read_accepted, vector_rows
from sightline.check.page import page
from sightline.cli.main import app
from sightline.core.errors import RolloutFileError

HERE = Path(__file__).parent
ACCEPTED = read_accepted(HERE / "accepted.json")
VECTORS = HERE.parent / "vectors"
DOCS = HERE.parents[1] / "docs" / "audit.md"

# nothing that is written is read
SILENT = {"promptecho", "vlm-rm"}


@cache
def audited(slug: str) -> SystemAudit:
    system = sightline.load(slug)
    return audit_system(system, ACCEPTED, vector_rows(VECTORS / f"{system.file_name}.json"))


@pytest.mark.parametrize("slug", sightline.names())
def test_strict_pays_no_attack(slug: str) -> None:
    found = audited(slug)
    assert [(one.attack, one.honest, one.earned, one.completion) for one in found.unexplained] == []
    assert [(check.name, check.note) for check in found.unsound] == []
    assert found.outdated == ()
    assert sum(one.escaped for one in found.audits["strict"].findings) == 0
    assert (found.audits["strict"].rows == 0) == (slug in SILENT)


@pytest.mark.parametrize("slug", sightline.names())
def test_better_boxes_never_earn_less_in_strict(slug: str) -> None:
    check = audited(slug).checks["strict"][0]
    assert check.passed, check


def test_accepted_is_about_systems_there_are() -> None:
    assert {one.system for one in ACCEPTED} <= set(sightline.names())
    assert all(len(one.reason) > 40 for one in ACCEPTED)


def test_accepting_covers_what_was_looked_at_and_no_more() -> None:
    accepted = Accepted("dip-r1", "many boxes", "reviewed", share=0.5, where={"task": ["a"]})
    paid = Finding("many boxes", "", 1, honest=1.0, earned=1.5, right=2.0, wrong=1.0)
    assert accepted.covers(paid, {"task": "a"})
    assert not accepted.covers(paid, {"task": "b"})
    assert not accepted.covers(replace(paid, earned=1.6), {"task": "a"})
    assert accepted.covers(replace(paid, earned=1.6), {"task": "a"}, good=False)
    assert not accepted.covers(replace(paid, attack="whole picture"), {"task": "a"})
    assert not accepted.covers(replace(paid, escaped=1), {"task": "a"})
    system = sightline.load("dip-r1")
    assert audit_system(system, [Accepted("dip-r1", "many boxes", "reviewed", share=2.0)]).unexplained != ()
    unmatched = [replace(one, where={"query": ["ship"]}) for one in ACCEPTED if one.system == "dip-r1"]
    assert {one.attack for one in audit_system(system, unmatched).unexplained} >= {"many boxes", "whole picture"}


@pytest.mark.parametrize(
    ("slug", "attack"),
    [
        ("visual-rft", "form only"),
        ("visual-rft", "either or"),
        ("perception-r1", "orders to the judge"),
        ("vise", "whole picture"),
        ("visual-rft", "swapped corners"),
        ("visual-rft", "empty reply"),
        ("mm-r5", "an answer in the reasoning"),
        ("rewardmap", "empty reply"),
        ("vise", "empty reply"),
    ],
)
def test_known_holes_of_released_code_are_found(slug: str, attack: str) -> None:
    assert attack in {one.attack for one in audited(slug).released}


def paid_by_strict(document: str) -> set[tuple[str, str]]:
    """System and attack, as the table lists them."""
    table = document.split("## What strict pays")[1].split("\n## ")[0]
    rows = [line.split("|") for line in table.splitlines() if line.startswith("|") and "→" in line][1:]
    return {(row[1].strip(), one.split(":")[0].strip()) for row in rows for one in row[2].split("<br>")}


def test_the_table_in_the_documents_is_of_today() -> None:
    """What is paid, not how much: that moves with every worked example that is added."""
    found = markdown([audited(slug) for slug in sightline.names()])
    assert paid_by_strict(DOCS.read_text("utf-8")) == paid_by_strict(found), (
        "run `sightline audit --accepted tests/check/accepted.json --vectors tests/vectors --out docs/audit.md`"
    )
    assert "not reviewed" not in found
    assert ("dip-r1", "many boxes") in paid_by_strict(found)


def test_a_broken_list_is_named(tmp_path) -> None:
    (tmp_path / "a.json").write_text('[{"system": "vise"}]')
    with pytest.raises(RolloutFileError, match=r"a\.json"):
        read_accepted(tmp_path / "a.json")


def run(*words: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["audit", *map(str, words)])
    assert result.exit_code == code, result.output + str(result.exception)
    return result.output


def test_command_of_one_system(tmp_path) -> None:
    said = run("visual-rft", "--accepted", HERE / "accepted.json", "--out", tmp_path / "a.html")
    assert "rows attacked" in said
    assert "pays" in said
    html = (tmp_path / "a.html").read_text("utf-8")
    assert "many boxes" in html
    assert "Garden_Phlox" in html
    assert "http" not in html.replace("http-equiv", "")


def test_command_fails_for_what_nobody_accepted(tmp_path) -> None:
    run("dip-r1", code=1)
    assert "accepted: many boxes" in run("dip-r1", "--accepted", HERE / "accepted.json")
    (tmp_path / "none.json").write_text("[]")
    run("dip-r1", "--accepted", tmp_path / "none.json", code=1)


def test_command_measures_rollouts(tmp_path) -> None:
    system = sightline.load("ssl4rl")
    row = dict(system.specimen[0])
    wrong = {**row, "completion": "<think>t</think> <answer>180</answer>"}
    for name, rows in (("a", [wrong, wrong, row, wrong]), ("b", [row, row, row, wrong])):
        lines = [json.dumps({**one, "group": i // 2}) for i, one in enumerate(rows)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
    said = run(
        "ssl4rl", "--rollouts", tmp_path / "b.jsonl", "--before", tmp_path / "a.jsonl", "--out", tmp_path / "c.html"
    )
    assert "strict: 4 rollouts, 2 groups, dead 50%, at the top 75%, at the floor 25%, mean 0.75" in said
    assert "strict, before: 4 rollouts, 2 groups, dead 50%, at the top 25%, at the floor 75%, mean 0.25" in said
    assert "reward: 0.25 → 0.75 (within chance, p 0.2929, D 0.5)" in said
    html = (tmp_path / "c.html").read_text("utf-8")
    assert "Drift" in html
    assert html.count("<svg") == 3  # reward, its part, spread in a group
    assert 'class="was"' in html


def test_wrong_calls(tmp_path) -> None:
    for words in (
        ["--rollouts", "x.jsonl"],
        ["vise", "--before", "x.jsonl"],
        ["vise", "--out", "x.pdf"],
        ["--out", "x.html"],
    ):
        run(*words, code=2)


def test_page_escapes_what_policies_write() -> None:
    assert "<answer>" not in page(audited("visual-rft"))
