"""Who scores: threads and processes answer alike, and a process that dies or hangs takes its own request with it."""

import asyncio
import json
import os
import pickle
import resource
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from typer.testing import CliRunner

from sightline.cli.main import app
from sightline.core.errors import ConfigError
from sightline.rewards.algebra import Constant
from sightline.serve import Limits, Processes, Service, Threads
from sightline.serve.bodies import JSON
from sightline.serve.engines import stuck
from sightline.serve.refusal import Refusal, too_large
from sightline.serve.server import _open_files
from sightline.serve.service import Answer, Task
from tests.serve.rewards import total
from tests.serve.served import serving
from tests.serve.test_answers import ROWS

SERVICE = Service(total, limits=Limits(hung_seconds=5))


def task(*rows, route="/score"):
    return Task(route, json.dumps({"rows": rows}).encode(), JSON, JSON)


def one(**more):
    return {"completion": "4", "answer": 4, **more}


async def scored(engine, *tasks):
    return await asyncio.gather(*(engine.answer(task) for task in tasks))


@pytest.fixture(scope="module")
def processes():
    engine = Processes(SERVICE, 2)
    yield engine
    engine.close()
    assert not any(worker.process.is_alive() for worker in engine._all)


def test_processes_answer_as_threads_do(processes):
    threads = Threads(SERVICE, 2)
    tasks = [task(*ROWS), task(ROWS[3]), task(), task({"completions": "a"}), task(one(fault="half"))]
    tasks += [Task("/openrlhf", b'{"query": ["a 4"], "prompts": ["a"], "labels": [4]}', JSON, JSON)]
    tasks += [Task("/score", b"[[[", JSON, JSON)]
    for here, there in zip(*(asyncio.run(scored(engine, *tasks)) for engine in (threads, processes)), strict=True):
        assert type(here) is type(there)
        if isinstance(here, Answer):
            assert here.body == there.body
            assert (here.scored, here.nothing_to_judge, here.failed) == (
                there.scored,
                there.nothing_to_judge,
                there.failed,
            )
        else:
            assert (here.status, here.body) == (there.status, there.body)
    threads.close()


@pytest.mark.parametrize(
    ("fault", "status", "code"), [({"fault": "die"}, 503, "scorer_died"), ({"pause": 3600}, 500, "hung")]
)
def test_a_process_that_dies_or_hangs_is_replaced(processes, fault, status, code):
    answers = asyncio.run(scored(processes, task(one(**fault)), *[task(one())] * 4))
    assert (answers[0].status, answers[0].code) == (status, code)
    assert all(isinstance(answer, Answer) for answer in answers[1:])
    assert all(isinstance(answer, Answer) for answer in asyncio.run(scored(processes, *[task(one())] * 4)))
    assert processes.busy == 0


def test_a_process_under_way_is_ended_at_the_end():
    engine = Processes(Service(total), 1)

    async def left():
        coming = asyncio.ensure_future(engine.answer(task(one(pause=3600))))
        while not engine.busy or not engine._all[0]._busy.locked():
            await asyncio.sleep(0.05)
        engine.close()
        return await coming

    assert asyncio.run(left()).code == "scorer_died"
    assert not engine._all[0].process.is_alive()


def test_an_engine_that_nobody_closes_does_not_hold_the_interpreter():
    code = "from sightline.rewards.algebra import Constant as C; from sightline.serve import Processes, Service; "
    code += "engine = Processes(Service(C(1.0)), 1); print('made')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout, done.stderr) == (0, "made\n", "")


def test_signals_to_a_whole_group_of_processes_do_not_end_one(processes):
    before = [worker.process.pid for worker in processes._all]
    for pid in before:
        for number in (signal.SIGTERM, signal.SIGINT):
            os.kill(pid, number)
    assert all(isinstance(answer, Answer) for answer in asyncio.run(scored(processes, *[task(one())] * 4)))
    assert [worker.process.pid for worker in processes._all] == before


@pytest.mark.parametrize("fault", ["crash", "exit"])
def test_a_reward_that_fails_is_one_answer(fault):
    answer = SERVICE.answer(task(one(fault=fault)))
    assert (answer.status, answer.code) == (500, "scoring_failed")


def test_half_a_pair_in_a_reason_can_be_sent():
    answer = SERVICE.answer(task(one(fault="half")))
    assert json.loads(answer.body)["parts"]["says"]["why"] == ["half of a pair: ?"]


def test_rows_without_a_group_are_alone():
    answer = SERVICE.answer(task(one(group=None), one(), one(group=1), one(group=1)))
    assert json.loads(answer.body)["parts"]["company"]["scores"] == [1, 1, 2, 2]


def test_refusals_travel():
    refusal = Refusal(429, "busy", "x" * 10_000, row=3, column="c" * 10_000, retry_after=2)
    again = pickle.loads(pickle.dumps(refusal))
    assert (again.status, again.headers, again.body) == (429, {"Retry-After": "2"}, refusal.body)
    assert len(again.message) < 700 > len(again.column)
    assert pickle.loads(pickle.dumps(too_large("more", 1, "a"))).body == too_large("more", 1, "a").body
    service = pickle.loads(pickle.dumps(Service(Constant(1.0))))
    assert service.answer(task({"completion": ""})).scored == 1


def test_stuck_is_when_no_place_is_free():
    now = time.monotonic()
    assert stuck([now - 9], 2) == 0.0
    assert 5000 <= stuck([now - 9000, now - 5000, now - 1], 2) < 9000


def test_no_process_outlives_a_server_that_is_killed(tmp_path):
    with serving(tmp_path, "--workers", "2") as server, under_way(server, one(pause=3600)):
        assert server.scores({"rows": [one()]})["scores"] == [1.0]
        children = [int(word) for word in children_of(server.process.pid)]
        assert len(children) >= 2
        server.process.kill()
        server.process.wait()
        while any(alive(child) for child in children):
            time.sleep(0.1)


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return file.read().split()


def alive(pid):
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(") ", 1)[1][0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


@contextmanager
def under_way(server, row):
    """One request that is being scored."""
    body = json.dumps({"rows": [row]}).encode()
    head = f"POST /score HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(head.encode() + body)
        server.wait_for("sightline_requests_inside", 1)
        yield


def test_a_second_interrupt_ends_a_server_at_once(tmp_path):
    with serving(tmp_path) as server:
        with under_way(server, one(pause=3600)):
            server.begin_to_end(signal.SIGINT)
            server.process.send_signal(signal.SIGINT)
            assert server.process.wait(300) == 1
        assert "given up" in server.log.read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--engine", "spark"], "needs local or ray"),
        (["--replicas", "2"], "--replicas belongs to --engine ray"),
        (["--judge-gpus", "0.5"], "--judge-gpus belongs to --engine ray"),
        (["--engine", "ray", "--workers", "2"], "--workers belongs to --engine local"),
        (["--engine", "ray", "--replicas", "a:b"], "needs a number"),
    ],
)
def test_options_that_do_not_fit_are_refused(words, said):
    outcome = CliRunner().invoke(app, ["serve", "--reward", "tests.serve.rewards:total", *words])
    assert outcome.exit_code
    assert said in f"{outcome.output} {outcome.exception}"


def test_a_reward_that_cannot_be_sent():
    with pytest.raises(ConfigError, match="cannot be sent to another process"):
        Processes(Service(Constant(1.0), constants=(("a", lambda: 0),)), 2)


@pytest.mark.parametrize("limit", [64, 5000])
def test_files_for_all_connections(limit):
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] != resource.RLIM_INFINITY and before[1] < 5000:
        pytest.skip("this machine allows too few open files")
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, before[1]))
        _open_files(1024)
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (max(limit, 2048), before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_reward_that_a_process_cannot_load(tmp_path, monkeypatch):
    monkeypatch.setattr(Constant, "__reduce__", lambda self: (os._exit, (3,)), raising=False)
    with pytest.raises(ConfigError, match="could not load"):
        Processes(Service(Constant(1.0)), 1)
