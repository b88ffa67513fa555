"""Replicas in a Ray cluster answer what one process answers, refuse what it refuses, and lose nothing on SIGTERM."""

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import msgpack
import pytest

from sightline import Batch
from sightline.core.errors import ConfigError
from sightline.serve import RemoteReward, Replicas, Service
from tests.serve.rewards import total
from tests.serve.served import serving
from tests.serve.test_answers import ROWS

pytest.importorskip("ray", reason="the extra `ray` is not installed")
pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("ray")]  # one Ray at a time


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


def test_other_machines_reach_nothing(server):
    import psutil  # comes with Ray

    me = psutil.Process(server.process.pid)
    listening = set()
    for one in (me, *me.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):  # it has ended meanwhile
            places = one.net_connections("inet")
            listening |= {place.laddr.ip for place in places if place.status == psutil.CONN_LISTEN}
    assert {"127.0.0.1"} <= listening <= {"127.0.0.1", "::ffff:127.0.0.1", "::1"}


def test_sigterm_loses_nothing(server, tmp_path):
    body = {"rows": [{"completion": "4", "answer": 4, "hold": f"{tmp_path}/go"}]}
    with ThreadPoolExecutor(4) as pool:
        coming = [pool.submit(server.scores, body) for _ in range(4)]
        server.wait_for("sightline_requests_inside", 4)
        server.begin_to_end()
        (tmp_path / "go").touch()
        assert all(one.result()["scores"] == [pytest.approx(1.1)] for one in coming)
    assert server.process.wait(300) == 0
    said = server.log.read_text()
    assert "left 0" in said
    assert "Usage stats collection is enabled" not in said


def test_no_cluster_at_the_address():
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))  # and does not listen
        for address in (f"127.0.0.1:{deaf.getsockname()[1]}", "ray://127.0.0.1:10001", "127.0.0.1:x"):
            with pytest.raises(ConfigError, match="no Ray cluster at"):
                Replicas(Service(total), address=address)


def test_wrong_numbers_of_replicas():
    for fewest, most in ((0, 1), (2, 1)):
        with pytest.raises(ConfigError, match="at least one"):
            Replicas(Service(total), fewest, most)
