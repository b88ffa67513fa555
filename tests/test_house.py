"""What a newcomer relies on: the README's code runs, importing is quick and needs no framework, names are found."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import sightline

ROOT = Path(__file__).parents[1]
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_readme_code_runs(block: str) -> None:
    exec(compile(block, "README.md", "exec"), {})


def test_readme_figures_are_true() -> None:
    names: dict[str, object] = {}
    exec(compile(BLOCKS[0], "README.md", "exec"), names)
    scores = names["scores"]
    assert isinstance(scores, sightline.Scores)
    assert scores.values.round(8).tolist() == [2.30909091]
    assert scores.parts["iou"].why[0] == "1 of 2 gold boxes found with 1 boxes"


def test_readme_counts_the_systems() -> None:
    assert f": {len(sightline.names())} published ones" in (ROOT / "README.md").read_text("utf-8")


def test_types_are_shipped() -> None:
    assert (Path(sightline.__file__).parent / "py.typed").exists()


def test_importing_needs_no_framework() -> None:
    code = (
        "import sys, sightline; sightline.load('video-ver'); sightline.load('vlm-r1'); "
        "known = {'torch', 'transformers', 'trl', 'datasets', 'scipy', 'pyarrow', 'nltk', 'aiohttp'}; "
        "heavy = known & set(sys.modules); "
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_public_names_are_there() -> None:
    assert all(hasattr(sightline, name) for name in sightline.__all__)


@pytest.mark.parametrize("page", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_links_between_documents_hold(page: str) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", (ROOT / page).read_text("utf-8"))
    missing = [link for link in links if not (ROOT / link).exists()]
    assert not missing
