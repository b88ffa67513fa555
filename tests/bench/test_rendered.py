"""Folders of generated pictures: matched by number, not by place or file name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sightline.bench.rendered import paired, rendered
from sightline.core.errors import RolloutFileError


def folder(path: Path, rows: list[Any], files: tuple[str, ...] = ("x.png", "y.png")) -> Path:
    path.mkdir()
    for name in files:
        (path / name).write_bytes(b"")
    (path / "metadata.jsonl").write_text("\n".join(json.dumps(row) for row in rows) + "\n\n", encoding="utf-8")
    return path


def row(key: Any, caption: str, name: str = "x.png", called: str = "data_id") -> dict[str, Any]:
    return {called: key, "caption": caption, "filename": name}


def test_pairs_are_matched_by_their_number(tmp_path: Path) -> None:
    a = folder(tmp_path / "a", [row(0, "a cat"), row(1, "a dog", "y.png"), row(5, "only here")])
    b = folder(tmp_path / "b", [row(1, "a dog", "x.png", "index"), row(0, "a cat", "y.png", "index")])
    assert paired(a, b) == [
        {"caption": "a cat", "image_a": str(a / "x.png"), "image_b": str(b / "y.png")},
        {"caption": "a dog", "image_a": str(a / "y.png"), "image_b": str(b / "x.png")},
    ]


def test_a_number_wins_over_an_index(tmp_path: Path) -> None:
    assert list(rendered(folder(tmp_path / "a", [{**row(7, "a"), "index": 0}]))) == [7]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([row(0, "a"), row(0, "b")], "line 2: 0 occurs a second time"),
        ([row(0, "a", "z.png")], "no file 'z.png'"),
        ([row(None, "a")], "`data_id` or `index`"),
        ([{"data_id": 0, "filename": "x.png"}], "`caption`"),
        ([[1]], "line 1"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, rows: list[Any], message: str) -> None:
    with pytest.raises(RolloutFileError, match=message):
        rendered(folder(tmp_path / "a", rows))


def test_folders_of_different_captions_do_not_fit(tmp_path: Path) -> None:
    a, b = folder(tmp_path / "a", [row(0, "a cat")]), folder(tmp_path / "b", [row(0, "a dog")])
    with pytest.raises(RolloutFileError, match="a dog"):
        paired(a, b)
    with pytest.raises(RolloutFileError, match="cannot be read"):
        rendered(tmp_path / "nowhere")
    (a / "metadata.jsonl").write_text("{", encoding="utf-8")
    with pytest.raises(RolloutFileError, match="line 1 is not JSON"):
        rendered(a)
