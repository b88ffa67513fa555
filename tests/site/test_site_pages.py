"""The generated pages: plain text stays plain, vectors become tables, every system has a page."""

from __future__ import annotations

import doctest
import importlib
import json
from pathlib import Path

import pytest

import sightline
from site_pages import api_pages, command_page, lab_tables, markdown, paper_index, system_page, worked_examples

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "sightline"


@pytest.mark.parametrize("name", ["markdown", "lab_tables", "paper_index", "docstrings"])
def test_doctests_of_pages(name: str) -> None:
    if name == "docstrings":
        pytest.importorskip("griffe", reason="needs the extra docs")
    found = doctest.testmod(importlib.import_module(f"site_pages.{name}"))
    assert found.attempted
    assert not found.failed


def test_a_pair_shows_only_the_rollouts_on_which_the_variants_part(tmp_path: Path) -> None:
    rows = [{"completion": "<answer>a|b</answer>"}, {"completion": "same"}, {"completion": "none"}]
    cases = [
        {"what": "w", "source": "s", "variant": "official", "rows": rows, "reward": [1, 0.5, None]},
        {"what": "v", "source": "s", "variant": "official", "rows": rows, "parts": {"p": [1, 1, 1]}},
        {"what": "w", "source": "s", "rows": rows, "reward": [0, 0.5, 0]},
        {"what": "alone", "source": "s", "rows": rows[:1], "reward": [0]},
    ]
    path = tmp_path / "v.json"
    path.write_text(json.dumps(cases))
    table = worked_examples.page(path).splitlines()
    assert table[2:4] == [
        "| w | <code>&#60;answer&#62;a&#124;b&#60;/answer&#62;</code> | reward&nbsp;1 | reward&nbsp;0 |",
        "|  | <code>none</code> | reward&nbsp;n/a | reward&nbsp;0 |",
    ]
    assert '??? abstract "All 4 vectors"' in table


def test_columns_stand_below_what_was_said() -> None:
    case = {
        "rows": {"completion": [[{"role": "assistant", "content": "a"}, {"role": "tool", "content": "b"}]], "n": [7]}
    }
    cells = [worked_examples.rollout_cell(row) for row in worked_examples.rows_of(case)]
    assert cells == ["<code>a</code><br><small>n: <code>7</code></small>"]


def test_runs_that_differ_in_more_than_the_variant_are_no_pair() -> None:
    rows = [{"completion": "a"}]
    cases = [{"variant": "official", "rows": rows, "reward": [1]}, {"rows": rows, "plus": ["x"], "reward": [0]}]
    assert worked_examples.pairs(cases) == []


def test_a_refusal_of_one_variant_is_shown() -> None:
    rows = [{"completion": "a"}]
    pair = worked_examples.Pair({"rows": rows, "reward": [1]}, {"rows": rows, "raises": "ColumnError"})
    assert pair.rows() == [("<code>a</code>", "reward&nbsp;1", "<code>ColumnError</code>")]


def test_claims_are_read_from_a_lab_table() -> None:
    found = {one.name: one for one in lab_tables.read(ROOT / "docs" / "lab")}
    assert found["vlm-r1"].verdicts == "2 supported, 1 inconclusive"
    assert found["video-ver-second-base"].is_of("video-ver")
    assert not found["vision-r1"].is_of("vision")
    assert all(one.claims and one.question.endswith("?") for one in found.values())


@pytest.mark.parametrize("slug", sightline.names())
def test_every_system_has_a_page(slug: str) -> None:
    system = sightline.load(slug)
    page = system_page.page(system, ROOT, lab_tables.read(ROOT / "docs" / "lab"))
    assert page.startswith(f"# {slug}\n")
    assert "## Official gives, strict gives" in page
    assert all(markdown.label(column) in page for column in system.columns)


def test_the_index_names_every_system_and_where_its_paper_is_cited() -> None:
    page = paper_index.page([sightline.load(slug) for slug in sightline.names()], [], PACKAGE)
    assert all(f"({slug}.md)" in page for slug in sightline.names())
    line = next(line for line in page.splitlines() if "[2510.06077]" in line and "`CitesEvidence`" in line)
    assert "[video-ver](video-ver.md)" in line


def test_every_room_and_command_is_listed() -> None:
    pages = api_pages.pages(PACKAGE)
    assert "::: sightline.rewards.format" in pages["api/rewards/format.md"]
    assert "::: sightline.system" in pages["api/system.md"]
    assert "api/train/control/agents.md" in pages
    assert not any(path.startswith(("api/lab", "api/cli", "api/systems")) for path in pages)
    assert "--judge-cache" in command_page.page()


@pytest.mark.parametrize("text", ["`", "a ``` b", "x | y", "<script>", "_a_ *b*", "[x](y)", "\\"])
def test_text_cannot_become_markup(text: str) -> None:
    for shown in (markdown.plain(text), markdown.prose(text), markdown.code(text)):
        inner = shown.replace("<code>", "").replace("</code>", "")
        assert not set(inner) & set("`|<>_*[]\\")


def test_a_docstring_keeps_formulas_and_lists() -> None:
    said = "Words with `code`, <tag>.\n\n    R = a * b\n    S = c\nwhere a is one\nand b two.\n\n- one\n  more\n- two"
    assert markdown.docstring(said).splitlines() == [
        "Words with <code>code</code>, &#60;tag&#62;.",
        "",
        "```text",
        "R = a * b",
        "S = c",
        "```",
        "",
        "where a is one and b two.",
        "",
        "- one more",
        "- two",
    ]
