"""The same rollouts from the dumps of eight programs: the same numbers, pictures joined by id where a dump has none."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "adapters"))
from composed import GROUPS, SIZE, TOGETHER, expected, picture, rows

from sightline.core.errors import ColumnError, RolloutFileError
from sightline.scoring import Source, score_file
from sightline.scoring.dialects import DIALECTS, dialect_of
from sightline.scoring.groups import read_pieces
from sightline.scoring.joining import Join
from sightline.scoring.readers import read_blocks


def lines(path: Path, found: list[Any]) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in found), "utf-8")
    return path


def url(group: int) -> str:
    return "data:image/png;base64," + base64.b64encode(picture(group)).decode()


def urls(row: dict[str, Any]) -> list[str]:
    return [url(row["group"])] if row["images"] else []


def data(tmp_path: Path) -> Path:
    """The data that the rollouts were made of, one row a prompt, pictures as files beside it."""
    (tmp_path / "data").mkdir()
    found = []
    for group in range(GROUPS):
        row = rows()[group * SIZE]
        if row["images"]:
            (tmp_path / "data" / f"{group}.png").write_bytes(picture(group))
        shown = [f"{group}.png"] if row["images"] else []
        found.append({"id": group, "images": shown, "question": row["question"], "answer": row["answer"]})
    return lines(tmp_path / "data" / "data.jsonl", found)


def scores(source: Source, tmp_path: Path) -> np.ndarray:
    score_file(source, TOGETHER, tmp_path / "out.parquet")
    table = pq.read_table(tmp_path / "out.parquet")
    order = sorted(range(len(table)), key=lambda at: (table["row"][at].as_py(), _element(table, at)))
    return np.array([table["reward"][at].as_py() for at in order], np.float64)


def _element(table: Any, at: int) -> int:
    return table["element"][at].as_py() if "element" in table.column_names else 0


def swift_dump(tmp_path: Path) -> Path:
    """As ms-swift 4.6 appends a table: a line a step, columns as lists."""
    found = []
    for step in (1, 2):
        half = [row for row in rows() if (row["group"] < 4) == (step == 1)]
        table = {
            "step": [str(step)] * len(half),
            "prompt": [f"<user>{row['group']}" for row in half],
            "completion": [row["completion"] for row in half],
            "Eels": [0.0] * len(half),
            "advantages": [0.0] * len(half),
            "id": [row["group"] for row in half],
        }
        found.append(table)
    return lines(tmp_path / "completions.jsonl", found)


def verl_dump(tmp_path: Path) -> Path:
    found = [
        {"input": f"user {row['group']}", "output": row["completion"], "gts": row["answer"], "score": 0, "step": 1}
        | {"id": row["group"]}
        for row in rows()
    ]
    return lines(tmp_path / "1.jsonl", found)


def nemo_rl_dump(tmp_path: Path) -> Path:
    found = [
        {"content": [f"user {row['group']}", row["completion"], "eels \\boxed{9}"], "rewards": 0.0, "token_ids": [1]}
        | {"id": row["group"]}
        for row in rows()
    ]
    return lines(tmp_path / "train_data_step3.jsonl", found)


def trl_dump(tmp_path: Path) -> Path:
    import pandas

    path = tmp_path / "completions_00001.parquet"
    found = [
        {
            "step": 1,
            "prompt": [{"role": "user", "content": f"{row['group']}"}],
            "completion": [{"role": "assistant", "content": row["completion"]}],
            "eels": 0.0,
            "id": row["group"],
            "advantage": 0.0,
        }
        for row in rows()
    ]
    pandas.DataFrame(found).to_parquet(path)
    return path


@pytest.mark.parametrize("dump", [swift_dump, verl_dump, nemo_rl_dump, trl_dump])
def test_dumps_without_pictures_get_them_by_id(tmp_path, dump):
    source = Source(dump(tmp_path), join=Join(data(tmp_path), "id", "id"))
    np.testing.assert_allclose(scores(source, tmp_path), expected(TOGETHER), atol=1e-9)


def gym_dump(tmp_path: Path) -> Path:
    found = []
    for row in rows():
        shown = [{"type": "input_image", "image_url": one, "detail": "auto"} for one in urls(row)]
        said = [{"type": "output_text", "text": row["completion"], "annotations": []}]
        tool = {"type": "function_call_output", "call_id": "c", "output": "\\boxed{9} eels"}
        asked = [{"role": "user", "content": [*shown, {"type": "input_text", "text": row["question"]}]}]
        free = {"question": row["question"], "answer": row["answer"], **({} if shown else {"images": []})}
        found.append(
            {
                "responses_create_params": {"input": asked},
                "response": {"output": [tool, {"type": "message", "role": "assistant", "content": said}]},
                "reward": 0.5,
                "_ng_task_index": row["group"],
                "_ng_rollout_index": 1,
                **free,
            }
        )
    return lines(tmp_path / "rollouts.jsonl", found[::2] + found[1::2])  # in the order in which they ended


def slime_dump(tmp_path: Path) -> Path:
    torch = pytest.importorskip("torch")
    samples = [
        {
            "group_index": row["group"],
            "index": number,
            "prompt": row["question"],
            "tokens": [1, 2],
            "response": row["completion"],
            "label": row["answer"],
            "status": "completed",
            "metadata": {"question": row["question"], "images": urls(row)},
            "multimodal_inputs": None,
        }
        for number, row in enumerate(rows())
    ]
    torch.save({"rollout_id": 0, "samples": samples[::2] + samples[1::2]}, tmp_path / "rollout_0.pt")
    return tmp_path / "rollout_0.pt"


def episode(row: dict[str, Any]) -> dict[str, Any]:
    shown = [{"type": "image_url", "image_url": {"url": one}} for one in urls(row)]
    task_data = {"question": row["question"], "answer": row["answer"], "image": "docker:1"}
    task = {"type": "T", "key": f"k{row['group']}", "data": task_data | ({} if shown else {"images": []})}
    asked = {"role": "user", "content": [*shown, {"type": "text", "text": row["question"]}]}
    fabricated = {"role": "assistant", "content": "\\boxed{9} eels"}
    nodes = [
        {"parent": None, "message": asked},
        {"parent": 0, "message": {"role": "assistant", "content": "abandoned"}, "sampled": True},
        {"parent": 0, "message": {"role": "assistant", "content": row["completion"]}, "sampled": True},
        {"parent": 2, "message": fabricated, "sampled": False},
    ]
    return {"id": "e", "task": task, "traces": [{"task": task, "nodes": nodes, "rewards": {}}], "ok": True}


def verifiers_dump(tmp_path: Path) -> Path:
    found = [episode(row) for row in rows()]
    return lines(tmp_path / "traces.jsonl", found[::2] + found[1::2])


@pytest.mark.parametrize("dump", [gym_dump, slime_dump, verifiers_dump])
def test_dumps_with_pictures(tmp_path, dump):
    wanted = expected(TOGETHER)
    found = scores(Source(dump(tmp_path)), tmp_path)
    np.testing.assert_allclose(found, np.concatenate([wanted[::2], wanted[1::2]]), atol=1e-9)


def test_openai_batch_with_its_requests(tmp_path):
    requests, replies = [], []
    for group in range(GROUPS):
        mine = [row for row in rows() if row["group"] == group]
        shown = [{"type": "image_url", "image_url": {"url": one}} for one in urls(mine[0])]
        content = [*shown, {"type": "text", "text": mine[0]["question"]}]
        meta = {name: mine[0][name] for name in ("question", "answer")} | ({} if shown else {"images": []})
        body = {"model": "m", "messages": [{"role": "user", "content": content}], "metadata": meta}
        requests.append({"custom_id": f"r{group}", "method": "POST", "url": "/v1/chat/completions", "body": body})
        choices = [
            {"index": n, "message": {"role": "assistant", "content": row["completion"]}} for n, row in enumerate(mine)
        ]
        reply = {"status_code": 200, "body": {"model": "m", "choices": choices}}
        replies.append({"id": "x", "custom_id": f"r{group}", "response": reply, "error": None})
    replies.insert(0, {"id": "y", "custom_id": "r0", "response": None, "error": {"code": "expired"}})
    join = Join(lines(tmp_path / "requests.jsonl", requests), "custom_id", "custom_id")
    found = scores(Source(lines(tmp_path / "replies.jsonl", replies), join=join), tmp_path)
    np.testing.assert_allclose(found, expected(TOGETHER), atol=1e-9)


def test_what_holds_code_is_not_loaded(tmp_path):
    torch = pytest.importorskip("torch")
    torch.save({"samples": [{"prompt": Path("x")}]}, tmp_path / "evil.pt")
    with pytest.raises(RolloutFileError, match="without running code that it holds"):
        list(read_blocks(tmp_path / "evil.pt"))
    torch.save([1], tmp_path / "other.pt")
    with pytest.raises(RolloutFileError, match="no list `samples`"):
        list(read_blocks(tmp_path / "other.pt"))


def test_an_id_that_the_data_lack_is_an_error(tmp_path):
    dump = lines(tmp_path / "1.jsonl", [{"input": "a", "output": "b", "gts": "1", "id": 99}])
    with pytest.raises(ColumnError, match=r"no row has id = '99'"):
        scores(Source(dump, join=Join(data(tmp_path), "id", "id")), tmp_path)
    with pytest.raises(ColumnError, match="--on request_id: the dump has"):
        list(read_pieces(Source(dump, join=Join(tmp_path / "data" / "data.jsonl", "request_id", "id"))))


def test_our_own_files_stay_our_own():
    assert dialect_of(["prompt", "completion", "response", "group_index"], Source(Path("x"))).name == "sightline"
    assert len({dialect.name for dialect in DIALECTS}) == len(DIALECTS)
