"""Rows from files and from memory, unchanged, with pictures that are there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("datasets")

import datasets
from PIL import Image
from tiny import REWARD, rows

from sightline.core.errors import ColumnError, ConfigError, MediaError, RolloutFileError
from sightline.train import data

MESSAGES = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Where?"}]}]
MIXED: list[dict[str, Any]] = [
    {"prompt": MESSAGES, "solution": {"a": 1}, "answer": "x", "boxes": [[1, 2, 3, 4]], "late": None},
    {"prompt": "Plain?", "solution": {"b": [2]}, "answer": ["x", 3], "boxes": [], "late": 2.5},
]


def write(path: Path, content: list[dict[str, Any]]) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in content) + "\n")
    return path


@pytest.mark.parametrize("kind", ["rows", "jsonl", "json"])
def test_values_arrive_as_they_were_written(tmp_path: Path, kind: str) -> None:
    source: Any = MIXED
    if kind == "jsonl":
        source = write(tmp_path / "rows.jsonl", MIXED)
    if kind == "json":
        source = tmp_path / "rows.json"
        source.write_text(json.dumps(MIXED))
    assert list(data.load(source)) == MIXED


def test_pictures_of_every_kind(tmp_path: Path) -> None:
    picture = Image.new("RGB", (4, 3), "red")
    (tmp_path / "pictures").mkdir()
    picture.save(tmp_path / "pictures" / "red.png")
    stored = (tmp_path / "pictures" / "red.png").read_bytes()
    file = write(tmp_path / "rows.jsonl", [{"prompt": "p", "images": ["pictures/red.png"]}])
    memory = [{"prompt": "p", "images": [given]} for given in (picture, stored, {"bytes": stored, "path": None})]
    for row in [*data.load(file), *data.load(memory)]:
        assert [(image.size, image.mode, image.getpixel((0, 0))) for image in row["images"]] == [
            ((4, 3), "RGB", (255, 0, 0))
        ]
    grey = Image.new("L", (2, 2))
    assert data.load([{"prompt": "p", "image": grey}])[0]["image"].mode == "RGB"


def test_parquet_and_saved_datasets_with_paths_and_with_pictures(tmp_path: Path) -> None:
    Image.new("RGB", (4, 3)).save(tmp_path / "a.png")
    plain = datasets.Dataset.from_dict({"prompt": ["p"], "images": [["a.png"]]})
    plain.to_parquet(tmp_path / "rows.parquet")
    assert data.load(tmp_path / "rows.parquet")[0]["images"][0].size == (4, 3)
    data.load(tmp_path / "rows.parquet").save_to_disk(tmp_path / "saved")
    assert data.load(tmp_path / "saved")[0]["images"][0].size == (4, 3)
    opened = data.load(tmp_path / "rows.parquet")
    (tmp_path / "a.png").unlink()
    for source in (tmp_path / "rows.parquet", opened):
        with pytest.raises(MediaError, match=r"a\.png"):
            data.load(source)


def test_a_picture_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"no picture .*gone\.png"):
        data.load(write(tmp_path / "rows.jsonl", [{"prompt": "p", "images": ["gone.png"]}]))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", b'{"prompt": "p"}\n{"prompt": ', "line 2"),
        ("a.parquet", b"PAR1 cut", "not a whole Parquet"),
        ("a.csv", b"prompt\n", "needs .jsonl"),
    ],
)
def test_broken_files(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RolloutFileError, match=message):
        data.load(tmp_path / name)


def test_missing_files_folders_and_rows(tmp_path: Path) -> None:
    with pytest.raises(RolloutFileError, match="there is no file"):
        data.load(tmp_path / "none.jsonl")
    with pytest.raises(RolloutFileError, match="not a folder that"):
        data.load(tmp_path)
    with pytest.raises(ConfigError, match="no rows"):
        data.load([])
    datasets.DatasetDict({"train": datasets.Dataset.from_list(rows())}).save_to_disk(tmp_path / "splits")
    with pytest.raises(RolloutFileError, match="splits/train"):
        data.load(tmp_path / "splits")
    assert len(data.load(tmp_path / "splits" / "train")) == 4


def test_missing_columns_are_named() -> None:
    with pytest.raises(ColumnError, match=r"needs column `prompt`.*Did you mean `prompts`"):
        data.load([{"prompts": "p"}])
    with pytest.raises(ColumnError, match="needs column `completion`"):
        data.load([{"prompt": "p"}], "sft")
    with pytest.raises(ColumnError, match="column `photo` of row 0"):
        data.load([{"prompt": "p", "photo": {"of": Image.new("L", (1, 1))}}])
    with pytest.raises(ColumnError, match="reads column `answer`"):
        data.check(REWARD, data.load([{"prompt": "p"}]))
    data.check(REWARD, data.load(rows()))


def test_constants() -> None:
    loaded = data.load(rows(2), constants={"task": "rec", "size": [3, 4], "more": {"a": None}})
    assert loaded[1]["task"] == "rec"
    assert loaded[1]["size"] == [3, 4]
    assert loaded[1]["more"] == {"a": None}
    with pytest.raises(ConfigError, match="`answer` is in the data already"):
        data.load(rows(), constants={"answer": "x"})


def test_asking() -> None:
    loaded = data.load(MIXED)
    chat = data.asked(loaded, "Think.", "{prompt} Now.")
    assert chat.column_names == loaded.column_names
    assert chat[0]["prompt"] == [
        {"role": "system", "content": "Think."},
        {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Where? Now."}]},
    ]
    assert chat[1]["prompt"][1] == {"role": "user", "content": "Plain? Now."}
    plain = data.asked(data.load(rows(1)), "Think.", "{prompt} Now.", chat=False)
    assert plain[0]["prompt"] == "Think.\nwhat is one Now."
    said = data.asked(data.load([{"prompt": "p", "completion": "c"}], "sft"))
    assert said[0]["completion"] == [{"role": "assistant", "content": "c"}]
