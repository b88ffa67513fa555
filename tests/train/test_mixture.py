"""Several files as the rows of one stage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("datasets")

from PIL import Image

from sightline.core.errors import ConfigError, MediaError
from sightline.train import data
from sightline.train.config import Part, load_config
from sightline.train.mixture import taken

NEEDED = {"system": "vlm-r1", "model": "m", "output": "o"}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "pictures").mkdir()
    Image.new("RGB", (4, 3), "red").save(tmp_path / "pictures" / "red.png")
    boxes = [{"prompt": f"box {i}", "images": ["red.png"], "solution": [i, 0, 9, 9]} for i in range(7)]
    words = [{"prompt": f"word {i}", "solution": {"is": str(i)}, "late": i} for i in range(10)]
    for name, rows in (("boxes", boxes), ("words", words)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def boxes(files: Path, **more: Any) -> Part:
    return Part(file=str(files / "boxes.jsonl"), images=str(files / "pictures"), **more)


def test_parts_keep_their_values_pictures_and_columns(files: Path) -> None:
    words = str(files / "words.jsonl")
    rows = data.load([boxes(files, take="first:50%", columns={"method": "rec"}), words], constants={"task": "any"})
    assert rows["prompt"][:] == [f"box {i}" for i in range(4)] + [f"word {i}" for i in range(10)]
    assert rows["solution"][:5] == [*([i, 0, 9, 9] for i in range(4)), {"is": "0"}]
    assert rows["method"][:] == ["rec"] * 4 + [None] * 10
    assert rows["late"][:] == [None] * 4 + [*range(10)]
    assert rows["task"][:] == ["any"] * 14
    assert rows[3]["images"][0].size == (4, 3)
    assert rows[4]["images"] == []


@pytest.mark.parametrize(
    ("take", "rows"),
    [
        ("first:3", [0, 1, 2]),
        ("end:3", [4, 5, 6]),
        ("end:30%", [4, 5, 6]),  # 2.1, rounded up
        ("1%", [0]),
        ("0%", []),
        ("first:99", [*range(7)]),
        ("end:0", []),
    ],
)
def test_what_is_taken(take: str, rows: list[int]) -> None:
    assert taken(take, 7) == rows


def test_random_rows_are_the_seed_s_and_in_order() -> None:
    drawn = [taken("random:20%", 1000, seed) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] == sorted(set(drawn[0]))
    assert len(drawn[2]) == 200
    assert drawn[0] != drawn[2]


def test_single_part_in_memory_and_in_a_configuration(files: Path) -> None:
    config = load_config(None, [f"data=[{{file: {files}/words.jsonl, take: 'end:1'}}]"], **NEEDED)
    assert config.data.given() == {"grpo": [Part(file=f"{files}/words.jsonl", take="end:1")]}
    assert data.load(config.data.grpo or "")["prompt"][:] == ["word 9"]
    config = load_config(None, [f"data.grpo={{file: {files}/words.jsonl}}", "data.stages={RL: [a, b]}"], **NEEDED)
    assert config.data.given()["RL"] == [Part(file="a"), Part(file="b")]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("[{file: x, take: 'last:3'}]", r"`data.grpo.files.0.take`: needs first:N, end:N, random:N .*'last:3'"),
        ("[{file: x, take: 2.5%}]", "needs first:N"),
        ("[{fil: x}]", "unknown key `data.grpo.files.0.fil`. Did you mean `file`?"),
        ("3", "`data.grpo`: needs a path, or a list of paths"),
    ],
)
def test_wrong_mixtures_are_named(rows: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_config(None, [f"data.grpo={rows}"], **NEEDED)


def test_parts_that_cannot_be_are_refused(files: Path) -> None:
    with pytest.raises(ConfigError, match="leaves no rows of 7"):
        data.load([boxes(files, take="0%")])
    with pytest.raises(ConfigError, match="`solution` is in the data already"):
        data.load([boxes(files, columns={"solution": "x"})])
    with pytest.raises(MediaError, match="there is no picture"):
        data.load(boxes(files).model_copy(update={"images": None}))
