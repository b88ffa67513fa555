"""Files of every kind as rows, and one clear message for every broken one."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.core.errors import RolloutFileError
from sightline.scoring import readers
from sightline.scoring.readers import count_rows, read_blocks, rollout_files

ROWS = [{"completion": f"text {i} é\u2028", "answer": i, "boxes": [[i, 0, 1.5, 2]]} for i in range(300)]


def rows_of(path: Path) -> list[dict]:
    return [row for block in read_blocks(path) for row in block.rows()]


def write(path: Path, rows: list) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".json":
        path.write_text(json.dumps(rows, indent=2, ensure_ascii=False), "utf-8")
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".parquet"])
def test_rows_come_back_in_order(tmp_path, suffix):
    path = write(tmp_path / f"r{suffix}", ROWS)
    assert rows_of(path) == ROWS
    assert count_rows(path) in (300, None)


@pytest.mark.parametrize("suffix", [".jsonl", ".json"])
def test_files_are_read_in_small_blocks(tmp_path, suffix, monkeypatch):
    monkeypatch.setattr(readers, "BLOCK_BYTES", 1000)
    blocks = list(read_blocks(write(tmp_path / f"r{suffix}", ROWS)))
    assert len(blocks) > 10
    assert [row for block in blocks for row in block.rows()] == ROWS


def test_what_python_writes_beyond_json_is_read(tmp_path):
    path = tmp_path / "r.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": NaN}\n\n  \n{"a": "\\ud800", "b": 123456789012345678901234567890}\n')
    first, second = rows_of(path)
    assert first["a"] != first["a"]
    assert second == {"a": "\ud800", "b": 123456789012345678901234567890}


@settings(max_examples=60)
@given(st.lists(st.dictionaries(st.text(), st.recursive(st.none() | st.integers() | st.text(), st.lists), max_size=4)))
def test_any_list_of_rows_is_read(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("any") / "r.json"
    path.write_text(json.dumps(rows, indent=1))
    assert rows_of(path) == rows


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("r.jsonl", b'{"a": 1}\n{"a": 2}\n{"a": \n{"a": 4}\n', r"r\.jsonl: line 3 is not JSON"),
        ("r.jsonl", b'{"a": 1}\n{"a": "cut of', r"line 2 is cut off"),
        ("r.jsonl", b'{"a": 1}\n[1]\n', r"line 2 holds list, not an object"),
        ("r.jsonl", b'{"a": 1}\n' + b"[" * 100_000 + b"\n", r"line 2 is not JSON"),
        ("r.json", b'[{"a": 1},\n{"a": 2}\n', r"line 3: expected one of ',\]', got the end"),
        ("r.json", b'[{"a": 1},\n{"a": }]', r"line 2: broken JSON"),
        ("r.json", b'[{"a": 1}, 5]', r"element 1 of the list is int"),
        ("r.jsonl", b"", r"is empty"),
        ("r.jsonl", b"a,b\n1,2\n", r"begins with b'a,b"),
        ("r.parquet", b"PAR1 and then the disk was full", r"not a complete Parquet file"),
    ],
)
def test_a_broken_file_is_one_message(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(RolloutFileError, match=message):
        rows_of(path)


def test_rows_before_the_broken_line_are_yielded(tmp_path):
    path = tmp_path / "r.jsonl"
    path.write_bytes(b'{"a": 1}\n{"a": 2}\nnonsense\n')
    blocks = read_blocks(path)
    assert next(blocks).rows() == [{"a": 1}, {"a": 2}]
    with pytest.raises(RolloutFileError, match="line 3"):
        next(blocks)


def test_a_truncated_parquet_file_is_one_message(tmp_path):
    path = write(tmp_path / "r.parquet", ROWS)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(RolloutFileError, match=r"r\.parquet: not a complete Parquet file"):
        rows_of(path)


def test_a_missing_file_names_its_neighbour(tmp_path):
    write(tmp_path / "rollouts.jsonl", ROWS)
    with pytest.raises(RolloutFileError, match=r"Did you mean `rollouts\.jsonl`"):
        rollout_files(tmp_path / "rolouts.jsonl")


def test_a_folder_is_read_in_natural_order(tmp_path):
    for step in (10, 2, 1):
        write(tmp_path / f"{step}.jsonl", ROWS[:1])
    assert [file.name for file in rollout_files(tmp_path)] == ["1.jsonl", "2.jsonl", "10.jsonl"]


@pytest.mark.parametrize(("text", "lines"), [("{}", 1), ("{}\n", 1), ("{}\n{}", 2), ("{}\n{}\n", 2)])
def test_a_last_line_without_its_end_counts(tmp_path: Path, text: str, lines: int) -> None:
    (tmp_path / "rows.jsonl").write_text(text)
    assert count_rows(tmp_path / "rows.jsonl") == lines
