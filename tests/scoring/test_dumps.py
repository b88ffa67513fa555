"""The same rollouts from the dumps of eight programs: the same numbers, pictures joined by id where a dump has none."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "adapters"))
from composed import GROUPS, SIZE, TOGETHER, expected, picture, rows

from sightline.core.errors import ColumnError, RolloutFileError
from sightline.core.rollout import policy_text
from sightline.scoring import Source, score_file
from sightline.scoring.dialects import DIALECTS, dialect_of
from sightline.scoring.groups import read_pieces
from sightline.scoring.joining import Join
from sightline.scoring.nested import (
    nemo_gym_rows,
    nemo_rl_rows,
    openai_rows,
    slime_rows,
    swift_rows,
    verifiers_rows,
)
from sightline.scoring.readers import count_rows, read_blocks, rollout_files


def lines(path: Path, found: list[Any]) -> Path:
    path.parent.mkdir(exist_ok=True)
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


def grouped(source: Source) -> list[list[str]]:
    """The texts of every group."""
    found: dict[int, list[str]] = {}
    for piece in read_pieces(source):
        said = piece.columns.values(piece.block, source)["completion"]
        for group, text in zip(piece.group.tolist(), said, strict=True):
            found.setdefault(group, []).append(policy_text(text))
    return list(found.values())


def test_an_id_of_the_data_is_another_group_in_every_step(tmp_path):
    """A second epoch asks the same row of data again, of another policy."""
    for step in (1, 2):
        found = [{"input": "q", "output": f"{step}{n}", "gts": "7", "score": 0, "step": step, "id": 3} for n in "ab"]
        lines(tmp_path / "dump" / f"{step}.jsonl", found)
    lines(tmp_path / "data.jsonl", [{"id": 3, "group": 12, "images": []}])
    wanted = [["1a", "1b"], ["2a", "2b"]]
    assert grouped(Source(tmp_path / "dump")) == wanted
    assert grouped(Source(tmp_path / "dump", join=Join(tmp_path / "data.jsonl", "id", "id"))) == wanted


def test_trl_groups_as_our_reward_logged_them_each_time_they_were_written(tmp_path):
    """TRL writes the rollouts of one generation again at every step that trains on them."""
    import pandas

    for step in (1, 2):
        found = [
            {"step": step, "prompt": "q", "completion": f"{step}{group}{n}", "eels": 0.0, "eels/group": f"u.{group}"}
            | {"advantage": 0.0}
            for group in (0, 1)
            for n in "ab"
        ]
        (tmp_path / "completions").mkdir(exist_ok=True)
        pandas.DataFrame(found).to_parquet(tmp_path / "completions" / f"completions_{step:05d}.parquet")
    wanted = [["10a", "10b"], ["11a", "11b"], ["20a", "20b"], ["21a", "21b"]]
    assert grouped(Source(tmp_path / "completions")) == wanted


def test_nemo_rl_names_the_step_in_the_file_and_a_system_prompt_is_a_turn(tmp_path):
    asks = "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\n"
    for step in (2, 10):
        found = [
            {"content": ["<|im_start|>system\nBe.<|im_end|>\n", asks, f"{step}{n}", "wrong"], "rewards": 0.0}
            for n in "ab"
        ]
        lines(tmp_path / f"train_data_step{step}.jsonl", found)
    assert grouped(Source(tmp_path)) == [["2a", "2b"], ["10a", "10b"]]
    (row,) = nemo_rl_rows({"content": ["user q", "said", "seen", "more"], "rewards": 1.0})
    assert (row["prompt"], policy_text(row["completion"])) == ("user q", "said\nmore")
    (row,) = nemo_rl_rows({"content": ["q", "I am your assistant", "seen"], "rewards": 1.0})
    assert policy_text(row["completion"]) == "I am your assistant"


def test_steps_of_swift_are_numbers(tmp_path):
    (piece,) = read_pieces(Source(swift_dump(tmp_path)))
    assert set(piece.columns.values(piece.block, Source(tmp_path))["step"]) == {1, 2}
    assert swift_rows({"step": ["a"], "completion": ["b"]}) == [{"step": "a", "completion": "b"}]


def test_what_failed_before_a_reply_is_no_rollout(tmp_path):
    asked = {"responses_create_params": {"input": "q"}}
    failed = {"status": "failed", "error": {"code": "server_error"}, "output": []}
    assert nemo_gym_rows({**asked, "error": "no connection"}) == []
    assert nemo_gym_rows({**asked, "response": failed}) == []
    assert len(nemo_gym_rows({**asked, "response": {"status": "incomplete", "error": None, "output": []}})) == 1
    assert openai_rows({"custom_id": "1", "response": {"status_code": 200, "body": failed}, "error": None}) == []
    node = {"parent": None, "message": {"role": "user", "content": "q"}, "sampled": False}
    assert verifiers_rows({"traces": [{"nodes": [node], "errors": [{"type": "ProviderError"}]}]}) == []


def test_openai_batch_in_any_order_and_shape(tmp_path):
    def reply(name: str, body: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {"custom_id": name, "response": {"status_code": 200, "body": body}, "error": None} | more

    replies = [
        reply("b", {"choices": [{"index": 0, "text": "b0"}, {"index": 1, "text": "b1"}]}),
        {"custom_id": "c", "response": {"status_code": 429, "body": {"error": {"message": "slow"}}}, "error": None},
        {"custom_id": "d", "response": None, "error": {"code": "batch_expired"}},
        reply("a", {"choices": [{"index": 0, "message": {"role": "assistant", "content": None, "refusal": "no"}}]}),
        reply(
            "e", {"output": [{"type": "message", "content": [{"type": "output_text", "text": "e0"}]}], "error": None}
        ),
    ]
    asked = [
        {"custom_id": "a", "body": {"messages": [{"role": "user", "content": "qa"}]}},
        {"custom_id": "e", "body": {"input": [{"role": "user", "content": [{"type": "input_text", "text": "qe"}]}]}},
        {"custom_id": "b", "body": {"prompt": "qb"}},
    ]
    source = Source(
        lines(tmp_path / "out.jsonl", replies), join=Join(lines(tmp_path / "in.jsonl", asked), "custom_id", "custom_id")
    )
    assert grouped(source) == [["b0", "b1"], [""], ["e0"]]
    (piece,) = read_pieces(source)
    prompts = piece.columns.values(piece.block, source)["prompt"]
    assert [
        policy_text([{**turn, "role": "assistant"} for turn in one]) if isinstance(one, list) else one
        for one in prompts
    ] == ["qb", "qb", "qa", "qe"]


def test_rows_with_a_body_of_their_own_are_data(tmp_path):
    data_file = lines(tmp_path / "data.jsonl", [{"id": "1", "body": {"mass": 3}, "answer": "7"}])
    dump = lines(tmp_path / "1.jsonl", [{"input": "q", "output": "a", "gts": None, "id": 1.0}])
    (piece,) = read_pieces(Source(dump, join=Join(data_file, "id", "id")))
    found = piece.columns.values(piece.block, Source(dump))
    assert (found["body"], found["answer"]) == ([{"mass": 3}], ["7"])


def test_slime_without_a_label_keeps_the_answer_of_its_metadata():
    sample = {"prompt": "q", "response": "a", "group_index": 0, "label": None, "metadata": {"answer": "7"}}
    assert slime_rows(sample)[0]["answer"] == "7"
    assert slime_rows({**sample, "label": "8"})[0]["answer"] == "8"


def test_results_of_verifiers_before_its_traces(tmp_path):
    found = [
        {"example_id": n % 2, "prompt": [{"role": "user", "content": "q"}], "reward": 0.0, "task": "default"}
        | {"completion": [{"role": "assistant", "content": f"{n}"}], "answer": "7"}
        for n in range(4)
    ]
    assert grouped(Source(lines(tmp_path / "results.jsonl", found))) == [["0", "2"], ["1", "3"]]


@pytest.mark.parametrize("packing", ["", "gzip", "zstd"])
@pytest.mark.parametrize("written", ["lines", "list", "windows"])
def test_packed_files_read_as_plain_ones(tmp_path, packing, written):
    found = [{"completion": f"né {n}", "group": n // 2} for n in range(5)]
    text = "\n".join(json.dumps(one, ensure_ascii=False) for one in found)
    text = {"lines": text, "list": json.dumps(found), "windows": "\ufeff" + text.replace("\n", "\r\n") + "\r\n"}[
        written
    ]
    kind = ".json" if written == "list" else ".jsonl"
    path = tmp_path / f"a{kind}{ {'': '', 'gzip': '.gz', 'zstd': '.zst'}[packing] }"
    with pyarrow.output_stream(str(path), compression=packing or None) as file:
        file.write(text.encode())
    assert [row for block in read_blocks(path) for row in block.rows()] == found
    assert rollout_files(tmp_path) == [path]
    assert count_rows(path) == (None if packing or written == "list" else 5)


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_a_packed_file_that_is_still_written(tmp_path, packing):
    path = tmp_path / "a.jsonl"
    with pyarrow.output_stream(str(path), compression=packing) as file:
        file.write(b"".join(b'{"completion": "%d"}\n' % n for n in range(50_000)))
    path.write_bytes(path.read_bytes()[:-4000])
    with pytest.raises(RolloutFileError, match="cannot be read"):
        list(read_blocks(path))


def test_our_own_files_stay_our_own():
    assert dialect_of(["prompt", "completion", "response", "group_index"], Source(Path("x"))).name == "sightline"
    assert len({dialect.name for dialect in DIALECTS}) == len(DIALECTS)
