"""Replicas in a Ray cluster answer what one process answers, refuse what it refuses, and lose nothing on SIGTERM."""

import time
from concurrent.futures import ThreadPoolExecutor

import msgpack
import pytest

from sightline import Batch
from sightline.core.errors import ConfigError
from sightline.serve import RemoteReward, Replicas, Service
from tests.serve.rewards import total
from tests.serve.served import serving
from tests.serve.test_answers import ROWS

pytest.importorskip("ray", reason="the extra `ray` is not installed")
pytestmark = [pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    options = ("--engine", "ray", "--replicas", "2", "--cpus", "0.5", "--limit", "waiting=12")
    with serving(tmp_path_factory.mktemp("served"), *options, reward="total") as served:
        yield served


def here(rows):
    return [None if value != value else value for value in total(Batch.from_rows(rows)).values.tolist()]


def test_the_numbers_of_one_process(server):
    for rows in (ROWS, ROWS[:4], ROWS[5:7]):
        assert server.scores({"rows": rows})["scores"] == here(rows)
    packed = server.ask(body=msgpack.packb({"rows": ROWS, "marks": True}), kind="application/msgpack")[1]
    assert msgpack.unpackb(packed)["scores"] == here(ROWS)
    whole, cut = (RemoteReward(server.url, rows=size).score(ROWS) for size in (100, 4))
    assert whole == cut
    assert whole["why"] == list(total(Batch.from_rows(ROWS)).why)


def test_refusals_and_metrics(server):
    for body, status in (
        (b"[[", 400),
        (b'{"rows": []}', 422),
        (b'{"rows": [{"completion": "", "answer": 1, "x": 1e9}]}', 200),
    ):
        assert server.ask(body=body)[0] == status
    status, answer, _ = server.ask(body={"rows": [{"completion": "", "answer": 4, "fault": "crash"}]})
    assert (status, answer["error"]["code"]) == (500, "scoring_failed")
    before = server.metric('sightline_rollouts_total{outcome="scored"}')
    server.scores({"rows": ROWS[:5]})
    assert server.metric('sightline_rollouts_total{outcome="scored"}') == before + 5


def test_a_replica_that_dies_is_replaced(server):
    row = {"completion": "4", "answer": 4}
    status, answer, headers = server.ask(body={"rows": [{**row, "fault": "die"}]})
    assert (status, answer["error"]["code"], headers["retry-after"]) == (503, "scorer_died", "2")
    remote = RemoteReward(server.url, patience=300)
    with ThreadPoolExecutor(16) as pool:  # more than `waiting`: those that get 429 come again
        found = list(pool.map(lambda i: remote(["4"], answer=[i % 2 * 4]), range(60)))
    assert found == [[0.0], [pytest.approx(1.1)]] * 30
    assert remote(["4"], answer=[4], id=["once"]) == [pytest.approx(1.1)]
    assert server.counted().count("once") == 1


def test_sigterm_loses_nothing(server):
    body = {"rows": [{"completion": "4", "answer": 4, "pause": 1.5}]}
    with ThreadPoolExecutor(4) as pool:
        coming = [pool.submit(server.scores, body) for _ in range(4)]
        while server.metric("sightline_requests_inside") < 4:
            time.sleep(0.02)
        said = server.end()
    assert all(one.result()["scores"] == [pytest.approx(1.1)] for one in coming)
    assert "left 0" in said
    assert "Usage stats collection is enabled" not in said


def test_wrong_numbers_of_replicas():
    for fewest, most in ((0, 1), (2, 1)):
        with pytest.raises(ConfigError, match="at least one"):
            Replicas(Service(total), fewest, most)
