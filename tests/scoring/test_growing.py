"""Results that are written while shards arrive, in one process or two, and what travels between processes."""

import gc
import json
import pickle

import numpy as np
import pyarrow.parquet as pq
import pytest

from sightline.core.batch import Batch
from sightline.core.marks import Mark
from sightline.core.missing import Missing
from sightline.parse.boxes import Detections
from sightline.parse.tags import Block, Inside
from sightline.parse.whole_items import WholeItems
from sightline.rewards import Constant
from sightline.rewards.labelled_boxes import AveragePrecision, labelled_rows
from sightline.scoring import Options, score_file
from sightline.scoring.blocks import JsonBlock
from sightline.scoring.groups import Pace, _Numbers
from sightline.scoring.readers import read_blocks
from sightline.scoring.tables import marks_column

SMALL = Pace(16, 16, 16)


def jsonl(path, rows, end="\n"):
    path.write_text("\n".join(json.dumps(row) for row in rows) + end)
    return path


def test_two_processes_read_json_lines_of_their_own(tmp_path):
    rows = [dict(row, group=i // 2) for i, row in enumerate(labelled_rows() * 8)]
    path = jsonl(tmp_path / "r.jsonl", rows, end="")
    reward = AveragePrecision(price=True).named("map")
    for name, workers in (("one", 1), ("two", 2)):
        score_file(path, reward, tmp_path / name, options=Options(workers=workers, pace=Pace(16, 16, 16)))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert not list(tmp_path.glob("*.parts"))


def test_columns_that_change_on_the_way_are_united(tmp_path):
    rows = [{"completion": "a", "n": i if i < 40 else f"{i}", "late": None if i < 20 else 0.5} for i in range(64)]
    score_file(jsonl(tmp_path / "r.jsonl", rows), Constant(1.0), tmp_path / "o", options=Options(pace=SMALL))
    table = pq.read_table(tmp_path / "o")
    assert [json.loads(value) for value in table["n"].to_pylist()] == [row["n"] for row in rows]
    assert table["late"].to_pylist() == [row["late"] for row in rows]


def test_blocks_travel_as_lines(tmp_path):
    path = jsonl(tmp_path / "r.jsonl", [{"completion": "a\u2028b\r\n"}, {"completion": float("nan")}], end="")
    (block,) = read_blocks(path)
    both = block.slice(1, 2).joined(block.take(np.array([0])))
    for one in (block, both, both.joined(JsonBlock([{"completion": "c"}]))):
        assert repr(pickle.loads(pickle.dumps(one)).items) == repr(one.items)


def test_group_numbers_follow_first_appearance():
    numbers = _Numbers()
    keys = [5, 5, 6, 7, 6, ("a",), 8, ("a",), 5, 3, frozenset((9,)), ("9",), (5.0,)]
    first: dict[object, int] = {}
    expected = [first.setdefault((type(key), key), len(first)) for key in keys]
    assert [*numbers.of(keys[:4]), *numbers.of(keys[4:])] == expected


def test_searches_for_cycles_are_as_before_afterwards(tmp_path):
    before = gc.get_threshold(), gc.isenabled(), gc.get_freeze_count()
    score_file(jsonl(tmp_path / "r.jsonl", labelled_rows()), AveragePrecision(), tmp_path / "o")
    assert (gc.get_threshold(), gc.isenabled(), gc.get_freeze_count()) == before


@pytest.mark.parametrize("bad", ["fail", "keep"])
def test_many_texts_are_read_like_each_alone(bad):
    whole, broken = '[{"bbox_2d": [1, 2, 3, 4], "label": "a"}]', '[{"bbox_2d": [1, 2, 3], "label": 7}, 5]'
    texts = [whole, "[]", "no", broken, '[{"bbox_2d": [1e308, 0, 1e308, 1e999], "label": "b"}]', whole * 2] * 90
    texts += [f"<answer>{text}</answer>" for text in texts]
    for parser in (Detections(bad_item=bad, limit=1), Inside(Block("answer"), Detections(bad_item=bad)), WholeItems()):
        together = Batch(texts).parse(parser)
        assert [shown(one) for one in together] == [shown(parser(text)) for text in texts]


def shown(found):
    return found.why if isinstance(found, Missing) else repr(found)


def test_marks_of_labelled_boxes_are_made_for_all_rows_at_once():
    batch = Batch.from_rows(labelled_rows())
    marks = AveragePrecision()(batch).marks
    frame = marks[0][0].frame
    said = Mark("box", (10.0, 10.0, 50.0, 50.0), 1.0, "cat IoU 1.00", frame)
    assert marks[0][0] == said
    assert marks[4] == (said, said._replace(value=0.0, why="cat fits nothing"), marks[0][1])
    assert marks_column(marks).to_pylist() == marks_column([tuple(row) for row in marks]).to_pylist()
