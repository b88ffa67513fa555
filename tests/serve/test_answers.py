"""What a server answers is what the reward says in this process, in every shape and format."""

import json
import subprocess
import sys
from pathlib import Path

import msgpack
import pytest

from sightline import Batch
from tests.serve.rewards import total
from tests.serve.served import serving, serving_system

ROWS = [
    {"completion": f"it is {i % 3}", "answer": i % 2, "group": i // 4, "fault": "abstain" if i == 5 else None}
    for i in range(12)
]
MANY = "".join(f"{i} " for i in range(3))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("served"), reward="total") as served:
        yield served
        assert "left 0" in served.end()


def expected():
    scores = total(Batch.from_rows(ROWS))
    return [None if value != value else value for value in scores.values.tolist()], list(scores.why), scores


def test_rows_groups_and_columns_are_one(server):
    values, why, scores = expected()
    groups = [ROWS[i : i + 4] for i in range(0, 12, 4)]
    columns = {name: [row[name] for row in ROWS] for name in ROWS[0]}
    for body in ({"rows": ROWS}, {"groups": groups}, {"columns": columns}):
        answer = server.scores(body)
        assert answer["scores"] == values
        assert answer["why"] == why
        assert answer["parts"]["company"]["why"] == list(scores.parts["company"].why)
    assert None in values


def test_msgpack_is_json(server):
    kind = "application/msgpack"
    status, answer, headers = server.ask(body=msgpack.packb({"rows": ROWS}), kind=kind)
    assert (status, headers["content-type"]) == (200, kind)
    assert msgpack.unpackb(answer) == server.scores({"rows": ROWS})
    _, answer, headers = server.ask(
        body=msgpack.packb({"rows": ROWS}), kind=kind, headers={"accept": "application/json"}
    )
    assert json.loads(answer)["scores"] == expected()[0]


def test_messages_and_marks(server):
    turns = [{"role": "tool", "content": "7"}, {"role": "assistant", "content": [{"type": "text", "text": "no"}]}]
    answer = server.scores({"rows": [{"completion": turns, "answer": 7}], "marks": True})
    assert answer["parts"]["says"]["scores"] == [0.0]
    assert answer["marks"] == [[]]


def test_openrlhf(server):
    body = {
        "query": ["Q 4<|im_end|>\n", "Q 5", "R 6"],
        "prompts": ["Q ", "Q ", "R "],
        "labels": ["4", 4, '{"answer": 6}'],
    }
    for path in ("/openrlhf", "/get_reward"):
        answer = json.loads(server.ask(path, body)[1])
        assert answer["rewards"] == answer["scores"] == pytest.approx([1.1, 0.1, 1.1])
        assert answer["extra_logs"] == {"says": [1, 0, 1], "company": [1, 1, 1], "unscored": [0, 0, 0]}


def test_openrlhf_says_what_it_cannot_carry(server):
    labels = [{"answer": 4, "fault": fault} for fault in ("abstain", "judge")]
    body = {"query": ["Q 4"], "prompts": ["Q "], "labels": labels[:1]}
    answer = json.loads(server.ask("/openrlhf", body)[1])
    assert (answer["rewards"], answer["extra_logs"]["unscored"]) == ([0.0], [1])
    status, answer, headers = server.ask("/openrlhf", {**body, "labels": labels[1:]})
    assert (status, answer["error"]["row"], headers["retry-after"]) == (503, 0, "1")
    status, answer, _ = server.ask("/openrlhf", {"query": ["Q"], "prompts": ["R"], "labels": ["x"]})
    assert (status, answer["error"]["column"]) == (422, "query")


def test_pages(server):
    assert json.loads(server.ask("/health")[1]) == {"status": "alive"}
    assert json.loads(server.ask("/ready")[1])["status"] == "ready"
    about = json.loads(server.ask("/")[1])
    assert (about["needs"], about["compares_groups"]) == (["answer"], True)
    paths = json.loads(server.ask("/openapi.json")[1])["paths"]
    content = paths["/score"]["post"]["requestBody"]["content"]
    assert set(content) == {"application/json", "application/msgpack"}
    assert "429" in paths["/openrlhf"]["post"]["responses"]
    before = server.metric('sightline_rollouts_total{outcome="scored"}')
    server.scores({"rows": ROWS[:5]})
    assert server.metric('sightline_rollouts_total{outcome="scored"}') == before + 5
    assert server.metric("sightline_requests_inside") == 0


def test_the_example_of_the_guide(tmp_path):
    root = Path(__file__).parents[2]
    with serving_system(tmp_path, "visual-rft", "--set", "task=detection") as server:
        command = [sys.executable, root / "examples" / "served.py", server.url]
        said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path).stdout
    assert said.splitlines() == ["[3.0, 0.0]"] * 2
