"""Full queues, time-outs, lost replies and SIGTERM: nothing taken on is lost, and nothing is scored twice."""

import json
import os
import pickle
import re
import signal
import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image

from sightline.core.errors import ConfigError, ServerError
from sightline.serve import Address, Limits, RemoteReward, client, compute_score
from tests.serve.served import serving


def one(number, pause=0.0, **more):
    return {"completion": "4", "answer": 4, "id": f"n{number}", "pause": pause, **more}


def test_a_full_queue_says_when_to_come_again(tmp_path):
    with serving(tmp_path, "--limit", "waiting=2") as server:
        with ThreadPoolExecutor(2) as pool:
            inside = [pool.submit(server.scores, {"rows": [one(i, hold=f"{tmp_path}/go")]}) for i in range(2)]
            server.wait_for("sightline_requests_inside", 2)
            assert server.ask("/ready")[0] == 503
            for i in range(3):
                status, answer, headers = server.ask(body={"rows": [one(f"more{i}")]})
                assert (status, answer["error"]["code"]) == (429, "busy")
                assert int(headers["retry-after"]) >= 1
            (tmp_path / "go").touch()
            assert all(coming.result()["scores"] == [1.0] for coming in inside)
        assert sorted(server.counted()) == ["n0", "n1"]
        remote = RemoteReward(server.url, patience=60)
        with ThreadPoolExecutor(6) as pool:  # a client comes again until it has its scores
            found = list(pool.map(lambda i: remote(["4"], answer=[4], id=[f"r{i}"], pause=[0.1]), range(6)))
        assert found == [[1.0]] * 6
        assert Counter(name for name in server.counted() if name[0] == "r") == {f"r{i}": 1 for i in range(6)}


def test_what_is_too_slow_is_scored_once_and_answered_later(tmp_path):
    with serving(tmp_path, "--limit", "seconds=0.4") as server:
        body, key = {"rows": [one(0, 1.2)]}, {"idempotency-key": "k"}
        status, answer, headers = server.ask(body=body, headers=key)
        assert (status, answer["error"]["code"], headers["retry-after"]) == (504, "too_slow", "1")
        assert RemoteReward(server.url)(["4"], answer=[4], id=["client"], pause=[1.0]) == [1.0]
        assert server.scores(body, headers=key)["scores"] == [1.0]
        assert Counter(server.counted()) == {"n0": 1, "client": 1}
        assert server.metric("sightline_repeats_total") >= 2
        status, answer, _ = server.ask(body={"rows": [one(1)]}, headers=key)
        assert (status, answer["error"]["code"]) == (422, "key_reused")


def test_what_comes_without_a_key_is_scored_anew_but_for_openrlhf(tmp_path):
    with serving(tmp_path) as server:
        assert [server.scores({"rows": [one(0)]})["scores"] for _ in range(2)] == [[1.0]] * 2
        body = {"query": ["Q 4"], "prompts": ["Q "], "labels": [{"answer": 4, "id": "label"}]}
        first, second = (server.ask("/openrlhf", body)[1] for _ in range(2))  # its callers retry without a key
        assert first == second
        other = {**body, "query": ["Q 5"]}
        assert server.ask("/openrlhf", other)[1] != first
        assert Counter(server.counted()) == {"n0": 2, "label": 2}


def test_keys_of_what_failed_may_be_used_again(tmp_path):
    with serving(tmp_path) as server:
        key = {"idempotency-key": "k"}
        status, answer, _ = server.ask(body={"rows": [one(0, fault="crash")]}, headers=key)
        assert (status, answer["error"]["code"]) == (500, "scoring_failed")
        assert "a fault of ours" in answer["error"]["message"]
        assert server.scores({"rows": [one(0)]}, headers=key)["scores"] == [1.0]


def whole_request(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    size = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
    while len(body) < size:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@contextmanager
def losing_replies(port, lost):
    """A way to the server on which the first `lost` connections break after the request has been passed on."""
    listener = socket.create_server(("127.0.0.1", 0))
    seen = []

    def pump(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass

    def carry(near, number):
        with near, socket.create_connection(("127.0.0.1", port)) as far:
            if number < lost:
                far.sendall(whole_request(near))
                far.recv(1)  # the server has begun to answer: it has scored
                return
            threading.Thread(target=pump, args=(near, far), daemon=True).start()
            pump(far, near)

    def accept():
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            seen.append(near)
            threading.Thread(target=carry, args=(near, len(seen) - 1), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", seen
    finally:
        listener.close()


def test_lost_replies_are_asked_for_again_and_never_scored_twice(tmp_path):
    with serving(tmp_path) as server, losing_replies(server.port, 3) as (url, seen):
        remote = RemoteReward(url, patience=30)
        assert remote(["4", "5"], answer=[4, 4], id=["a", "b"]) == [1.0, 0.0]
        assert len(seen) == 4
        assert Counter(server.counted()) == {"a": 1, "b": 1}
        assert server.metric("sightline_repeats_total") == 3


@pytest.mark.parametrize("workers", ["0", "2"])
def test_sigterm_under_load_loses_nothing(tmp_path, workers):
    with serving(tmp_path, "--limit", "waiting=12", "--workers", workers) as server:
        answered, refused, gone, stop = [], [], [], threading.Event()

        def call(worker):
            number = 0
            while not stop.is_set():
                name = f"{worker}-{number}"
                number += 1
                try:
                    status, answer, _ = server.ask(body={"rows": [{**one(0, 0.004), "id": name}]})
                except OSError:
                    gone.append(name)
                    return
                if status == 200:
                    assert json.loads(answer)["scores"] == [1.0]
                    answered.append(name)
                else:
                    refused.append(status)

        threads = [threading.Thread(target=call, args=(worker,)) for worker in range(16)]
        for thread in threads:
            thread.start()
        while len(answered) <= 50:
            time.sleep(0.05)
        said = server.end()
        stop.set()
        for thread in threads:
            thread.join()
        accepted, sent, left = map(int, re.search(r"accepted (\d+), answered (\d+), left (\d+)", said).groups())
        assert (accepted, left) == (sent, 0)
        assert sorted(server.counted()) == sorted(answered)  # all that was scored has arrived, and once
        assert accepted == len(answered) > 50
        assert set(refused) <= {429}
        assert gone


def test_sigterm_finishes_what_is_being_sent_and_scored(tmp_path):
    with serving(tmp_path) as server:
        with ThreadPoolExecutor(1) as pool:
            slow = pool.submit(server.scores, {"rows": [one(0, hold=f"{tmp_path}/go")]})
            body = json.dumps({"rows": [one(1)]}).encode()
            head = "POST /score HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: "
            with socket.create_connection(("127.0.0.1", server.port), timeout=60) as half:
                half.sendall(f"{head}{len(body)}\r\n\r\n".encode() + body[:10])
                server.wait_for("sightline_requests_inside", 2)
                server.begin_to_end()
                half.sendall(body[10:])
                (tmp_path / "go").touch()
                assert b'"scores":[1.0]' in half.makefile("rb").read()
            assert slow.result()["scores"] == [1.0]
        assert server.process.wait(180) == 0
        with pytest.raises(OSError):  # noqa: PT011 - refused or reset
            server.ask("/health")


def test_tokens(tmp_path, monkeypatch):
    monkeypatch.setenv("SIGHTLINE_TEST_TOKEN", "a secret\n")  # as a file has it
    assert "secret" not in repr(Address("0.0.0.0", token="a secret"))
    with serving(tmp_path, "--token-env", "SIGHTLINE_TEST_TOKEN") as server:
        for path in ("/score", "/openrlhf", "/", "/metrics"):
            body = {"rows": [one(0)]} if path in ("/score", "/openrlhf") else None
            for sent in ({}, {"authorization": "Bearer a guess"}, {"authorization": "a secret"}):
                status, answer, headers = server.ask(path, body, sent)
                assert (status, answer["error"]["code"], headers["www-authenticate"]) == (401, "no_token", "Bearer")
        assert server.ask("/openapi.json")[0] == 401
        described = json.loads(server.ask("/openapi.json", headers={"authorization": "Bearer a secret"})[1])
        assert described["security"] == [{"token": []}]
        assert server.ask("/health")[0] == server.ask("/ready")[0] == 200
        assert server.counted() == []
        assert server.scores({"rows": [one(0)]}, headers={"authorization": "Bearer a secret"})["scores"] == [1.0]
        assert RemoteReward(server.url, "SIGHTLINE_TEST_TOKEN")(["4"], answer=[4]) == [1.0]
        with pytest.raises(ServerError, match="401 needs the header"):
            RemoteReward(server.url)(["4"], answer=[4])
        assert "a secret" not in server.end()


def test_the_client_is_a_reward_for_trl_and_verl(tmp_path):
    with serving(tmp_path, reward="total") as server:
        remote = pickle.loads(pickle.dumps(RemoteReward(server.url, rows=3, name="seen")))
        assert remote.__name__ == "seen"
        logged = {}
        columns = {"answer": [4, 4, 5, 5], "completion_ids": [[1]] * 4, "images": [[Image.new("RGB", (2, 2))]] * 4}
        turns = [[{"role": "assistant", "content": text}] for text in ("4", "5", "5", "4")]
        prompts = [[{"role": "user", "content": name}] for name in "aabb"]
        values = remote(prompts=prompts, completions=turns, log_extra=logged.__setitem__, trainer_state=None, **columns)
        assert values == pytest.approx([1.1, 0.1, 1.1, 0.1])
        assert logged["says"] == [1, 0, 1, 0]
        assert remote(["4"], answer=[4], fault=["abstain"]) == [None]
        assert compute_score("d", "4", "4", {"index": np.int64(3)}, url=server.url) == {
            "says": 1.0, "company": 1.0, "score": 1.1, "unscored": 0.0,
        }  # fmt: skip
        assert compute_score("d", "4", {"answer": 4, "fault": "abstain"}, url=server.url)["unscored"] == 1.0
        with pytest.raises(ServerError, match="asked to"):
            compute_score("d", "4", {"answer": 4, "fault": "judge"}, url=server.url)
        with pytest.raises(ServerError, match=r"422 .*column `answer`"):
            remote(["4"], answers=[4])


def test_groups_that_lie_apart_stay_whole_and_in_order(tmp_path):
    with serving(tmp_path, reward="total") as server:
        rows = [{"completion": str(i), "answer": i if i < 6 else "x", "group": i % 4} for i in range(12)]
        whole, cut = (RemoteReward(server.url, rows=size).score(rows) for size in (100, 4))
        assert whole == cut
        assert whole["parts"]["company"]["scores"] == [2, 2, 1, 1] * 3


def test_what_cannot_travel_as_it_is(tmp_path):
    with serving(tmp_path) as server:
        remote = RemoteReward(server.url)
        assert remote(["half a pair \ud800 4"], answer=[np.array([4, 5])], seen=[{1: np.datetime64("2020-01-01")}]) == [
            0.0
        ]
        with pytest.raises(ConfigError, match="64 bits"):
            remote(["4"], answer=[2**70])


def test_a_client_after_a_fork_has_connections_and_a_lock_of_its_own(tmp_path):
    with serving(tmp_path) as server:
        remote = RemoteReward(server.url)
        assert remote(["4"], answer=[4]) == [1.0]
        with client._idle._lock:  # as if another thread held it
            child = os.fork()
            if not child:
                os._exit(0 if remote(["4"], answer=[4]) == [1.0] else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert remote(["4"], answer=[4]) == [1.0]


@pytest.mark.timeout(300)  # far from `timeout`
def test_a_client_waits_no_longer_than_its_patience():
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(ServerError, match="TimeoutError"):
        RemoteReward(f"http://127.0.0.1:{silent.getsockname()[1]}", patience=1.0, timeout=6000.0)(["4"], answer=[4])


def test_a_client_gives_up_in_time():
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))  # and does not listen
        with pytest.raises(ServerError, match="ConnectionRefusedError"):
            RemoteReward(f"http://127.0.0.1:{deaf.getsockname()[1]}", patience=0.5)(["4"], answer=[4])


def test_wrong_settings_are_refused():
    with pytest.raises(ConfigError, match="needs http"):
        RemoteReward("localhost:8000")
    with pytest.raises(ConfigError, match="other machines reach"):
        Address("0.0.0.0")
    assert Address("0.0.0.0", token="t").host == Address("0.0.0.0", open=True).host
    with pytest.raises(ConfigError, match="`rows` must be positive"):
        Limits(rows=0)


def test_what_does_not_end_in_time_is_given_up_and_said(tmp_path):
    with serving(tmp_path, "--drain", "1") as server:
        with ThreadPoolExecutor(1) as pool:
            stuck = pool.submit(server.ask, body={"rows": [one(0, 3600.0)]})
            server.wait_for("sightline_requests_inside", 1)
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(180) == 1
            status, answer, headers = stuck.result()
            assert (status, answer["error"]["code"], headers["retry-after"]) == (503, "shut_down", "1")
        said = server.log.read_text()
        assert "accepted 1, answered 1, left 1" in said
        assert "Traceback" not in said
        assert "1 requests are still being scored" in said
