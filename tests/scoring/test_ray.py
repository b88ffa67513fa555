"""On Ray: the same file as from one process, whatever its groups are; judges are asked once; who dies is replaced."""

import json
import os
import socket
import threading
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from loopback_judge import answer
from loopback_server import serving
from scored_members import Asked, Deadly, Down, Fragile, GroupSize, Noted, asked, noted

from sightline.core.errors import ColumnError, ConfigError, RolloutFileError
from sightline.judges import CachedJudge, Question, RemoteJudge, Verdict
from sightline.judges.stream import Streamed
from sightline.rewards.reward import with_judge
from sightline.scoring import Cluster, Options, Source, cluster, judge_actors, packing, score_file
from sightline.scoring.groups import Pace
from sightline.scoring.joining import Join
from sightline.scoring.judge_actors import Desk

pytest.importorskip("ray", reason="needs the extra `ray`")
pytestmark = [pytest.mark.xdist_group("ray"), pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def ray():
    cluster._load(own=True)
    with cluster.connected(Cluster(), workers=2) as where:
        assert where == "Ray on this machine"
        yield


def on_ray(size=16, judges=0, **more):
    return Options(cluster=Cluster(judges=judges), pace=Pace(size, size, size), **more)


def made(count):
    return [{"completion": f"text {i}", "number": i, "fact": i % 40, "group": i // 3} for i in range(count)]


def jsonl(path: Path, rows) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def scattered(folder):
    rows = made(120)
    return Source(jsonl(folder / "r.jsonl", [rows[i * 7 % 120] for i in range(120)]), gather=True)


def adjacent(folder):
    return Source(jsonl(folder / "r.jsonl", made(130)))


def arrow(folder):
    pq.write_table(pa.Table.from_pylist(made(130)), folder / "r.parquet", row_group_size=10)
    return Source(folder / "r.parquet")


def exploded(folder):
    rows = [{"said": [f"a {i}", f"b {i}"], "number": i} for i in range(60)]
    return Source(jsonl(folder / "r.jsonl", rows), rename=(("completion", "said"),), explode=("said",))


def joined(folder):
    data = jsonl(folder / "data.jsonl", [{"id": i, "number": i} for i in range(60)])
    rows = [{"completion": "a", "id": i} for i in range(60)]
    return Source(jsonl(folder / "r.jsonl", rows), join=Join(data, "id", "id"))


def columns_that_change(folder):
    rows = [{**row, "late": row["number"] if row["number"] < 50 else "text"} for row in made(100)]
    return Source(jsonl(folder / "r.jsonl", rows))


@pytest.mark.parametrize("source", [adjacent, scattered, arrow, exploded, joined, columns_that_change])
def test_the_result_is_that_of_one_process(tmp_path, ray, source):
    source = source(tmp_path)
    score_file(source, noted, tmp_path / "one", options=Options(pace=Pace(16, 16, 16)))
    summary = score_file(source, noted, tmp_path / "ray", options=on_ray())
    assert (tmp_path / "ray").read_bytes() == (tmp_path / "one").read_bytes()
    assert summary.how == "the Ray that runs, 2 pieces at once"
    assert not list(tmp_path.glob("*.parts"))


@pytest.mark.parametrize("judges", [0, 2])
def test_every_question_is_asked_once(tmp_path, ray, judges):
    source = adjacent(tmp_path)
    with serving(answer) as server:
        server.pause = 0.02
        remote = RemoteJudge(server.url, "m", concurrency=6)
        local = with_judge(asked, CachedJudge(remote, str(tmp_path / "one.sqlite")))
        score_file(source, local, tmp_path / "one")
        assert set(server.calls.values()) == {1}
        first, server.most_at_once = Counter(server.calls), 0
        server.calls.clear()
        cached = with_judge(asked, CachedJudge(remote, str(tmp_path / "two.sqlite")))
        summary = score_file(source, cached, tmp_path / "ray", options=on_ray(judges=judges))
    assert server.calls == first
    assert len(first) == 40
    assert 2 <= server.most_at_once <= 6
    assert summary.how.endswith("2 judge actors" if judges else "at once")
    assert (tmp_path / "ray").read_bytes() == (tmp_path / "one").read_bytes()


def test_a_judge_without_a_cache_and_one_that_lacks_the_ability(tmp_path, ray):
    source = adjacent(tmp_path)
    with serving(answer) as server:
        reward = with_judge(asked, RemoteJudge(server.url, "m"))
        score_file(source, reward, tmp_path / "one")
        score_file(source, reward, tmp_path / "ray", options=on_ray())
    assert (tmp_path / "ray").read_bytes() == (tmp_path / "one").read_bytes()
    assert pq.read_table(tmp_path / "ray")["asked"].null_count == 0


def test_a_relative_cache_lies_in_the_folder_of_the_driver(tmp_path, ray, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = adjacent(tmp_path)
    with serving(answer) as server:
        reward = with_judge(asked, CachedJudge(RemoteJudge(server.url, "m"), "verdicts.sqlite"))
        score_file(source, reward, tmp_path / "ray", options=on_ray())
    assert len(CachedJudge(reward.terms[-1].of.judge.judge, str(tmp_path / "verdicts.sqlite")).store) == 40


def test_the_key_of_a_server_reaches_the_actor_that_asks(tmp_path, ray, monkeypatch):
    source = adjacent(tmp_path)
    monkeypatch.setenv("KEY_OF_THIS_TEST", "secret")
    with serving(answer) as server:
        reward = with_judge(asked, RemoteJudge(server.url, "m", api_key_env="KEY_OF_THIS_TEST"))
        score_file(source, reward, tmp_path / "ray", options=on_ray())
    assert {headers["Authorization"] for headers in server.headers} == {"Bearer secret"}


def test_a_judge_set_up_wrongly_is_the_same_error(tmp_path, ray):
    reward = with_judge(asked, RemoteJudge("http://127.0.0.1:9/v1", "m", api_key_env="NO_SUCH_VARIABLE"))
    with pytest.raises(ConfigError, match="the environment variable NO_SUCH_VARIABLE"):
        score_file(adjacent(tmp_path), reward, tmp_path / "ray", options=on_ray())


def test_a_killed_worker_is_replaced_and_nothing_that_is_written_is_scored_again(tmp_path, ray):
    reward = Deadly(str(tmp_path / "died")).named("deadly")
    source = adjacent(tmp_path)
    summary = score_file(source, reward, tmp_path / "ray", options=on_ray(8))
    assert (tmp_path / "died").exists()
    assert (summary.rollouts, summary.parts[0].count) == (130, 130)
    times = Counter(int(line) for line in (tmp_path / "died.scored").read_text().split())
    assert set(times) == set(range(130))
    assert {number for number, count in times.items() if count > 1} <= {18, 19}  # of the piece with 20


def test_a_worker_that_dies_every_time_is_an_error_and_the_rest_is_kept(tmp_path, ray):
    with pytest.raises(ConfigError, match="Ray gave up on a piece, tried 4 times") as caught:
        score_file(adjacent(tmp_path), Deadly().named("deadly"), tmp_path / "ray", options=on_ray(8))
    assert "18 rollouts are scored and kept" in caught.value.__notes__[0]


def test_errors_are_those_of_one_process_and_another_engine_goes_on(tmp_path, ray):
    rows = made(130)
    path = jsonl(tmp_path / "r.jsonl", [{**row, "completion": None} if row["number"] == 60 else row for row in rows])
    with pytest.raises(RolloutFileError, match="row 60 has no completion") as caught:
        score_file(path, noted, tmp_path / "ray", options=on_ray())
    assert "60 rollouts are scored and kept" in caught.value.__notes__[0]
    jsonl(path, rows)
    assert score_file(path, noted, tmp_path / "ray", options=Options(input_changed=True)).scored == 70
    score_file(path, noted, tmp_path / "one")
    assert pq.read_table(tmp_path / "ray").equals(pq.read_table(tmp_path / "one"))
    with pytest.raises(ColumnError, match="reads column `fact`"):
        score_file(exploded(tmp_path), Asked(Fragile("")) + noted, tmp_path / "other", options=on_ray())


def test_failed_rollouts_are_retried_with_their_groups(tmp_path, ray):
    (tmp_path / "down").touch()
    reward = Down(str(tmp_path / "down")).named("down") + GroupSize()
    source = adjacent(tmp_path)
    assert score_file(source, reward, tmp_path / "ray", options=on_ray()).parts[1].errors == 26
    (tmp_path / "down").unlink()
    summary = score_file(source, reward, tmp_path / "ray", options=on_ray(retry_errors=True))
    assert 26 < summary.scored < 130
    assert (summary.parts[1].errors, summary.rollouts) == (0, 130)
    assert pq.read_table(tmp_path / "ray")["row"].to_pylist() == list(range(130))


@pytest.mark.parametrize("judges", [1, 2])
def test_a_killed_holder_is_asked_again_only_what_is_open(tmp_path, ray, judges):
    reward = Noted().named("noted") + Asked(Fragile(str(tmp_path / "died"))).named("asked")
    score_file(adjacent(tmp_path), reward, tmp_path / "ray", options=on_ray(130, judges=judges))
    assert (tmp_path / "died").exists()
    assert pq.read_table(tmp_path / "ray")["asked"].to_pylist() == [i % 40 / 100 for i in range(130)]
    times = Counter((tmp_path / "died.asked").read_text().split())
    assert times["20"] == 2
    assert sum(times.values()) == 41


def test_gpus_that_are_not_there_are_one_message(tmp_path, ray):
    options = Options(cluster=Cluster(judges=2, judge_gpus=0.5))
    with pytest.raises(ConfigError, match=r"2 judge actors with 0.5 GPUs each need 1 GPUs; this Ray has 0"):
        score_file(adjacent(tmp_path), with_judge(asked, Fragile("")), tmp_path / "ray", options=options)


def test_addresses_that_are_of_no_use(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for address in (f"127.0.0.1:{port}", "head:port"):
        with pytest.raises(ConfigError, match=f"no Ray cluster at `{address}`"):
            cluster._connect(address, {})
    with pytest.raises(ConfigError, match="Run on a node of the cluster"):
        Cluster("ray://head:10001")
    with pytest.raises(ConfigError, match="must not be negative"):
        Cluster(judges=-1)


def test_the_variable_for_addresses(monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "head:6379")
    assert (Cluster().where, Cluster("other:1").where) == ("head:6379", "other:1")
    monkeypatch.setenv("RAY_ADDRESS", "local")
    assert Cluster().where == ""
    monkeypatch.setenv("RAY_ADDRESS", "http://127.0.0.1:8265")
    with pytest.raises(ConfigError, match=r"http://127.0.0.1:8265: .*Run on a node of the cluster"):
        Cluster()


def test_workers_of_another_version_are_refused(monkeypatch):
    data = packing.packed(1)
    assert packing.unpacked(data) == 1
    monkeypatch.setattr(packing, "__version__", "0.0.0")
    with pytest.raises(ConfigError, match=r"the command is sightline .*, but its workers on .* have 0.0.0"):
        packing.unpacked(data)


class Counting(Streamed):
    """A judge that answers when it may, and counts."""

    def __init__(self):
        self.asked, self.may = Counter(), threading.Event()

    id = "counting"

    def stream(self, ability, questions):
        for number, question in enumerate(questions):
            self.asked[question.template] += 1
            assert self.may.wait(60)
            yield number, Verdict(f"{question.template}!")


def test_a_question_that_is_being_asked_is_not_asked_again(tmp_path):
    judge = Counting()
    desk = Desk(CachedJudge(judge, str(tmp_path / "verdicts.sqlite")))
    found = {}

    def ask(name, texts):
        found[name] = [verdict.value for verdict in desk.ask("generate", [Question(text) for text in texts])]

    threads = [threading.Thread(target=ask, args=one) for one in ((1, "abca"), (2, "bcd"), (3, "add"))]
    for thread in threads:
        thread.start()
    judge.may.set()
    for thread in threads:
        thread.join()
    assert found == {1: ["a!", "b!", "c!", "a!"], 2: ["b!", "c!", "d!"], 3: ["a!", "d!", "d!"]}
    assert judge.asked == Counter("abcd")
    assert not desk.open
    assert os.environ.get("RAY_AUTH_TOKEN") is None


def test_whoever_waits_for_an_answer_that_will_not_come_is_told(tmp_path, monkeypatch):
    may, errors = threading.Event(), []

    def broken(judge, ability, questions):
        assert may.wait(60)
        raise MemoryError("what nobody foresaw")
        yield

    def ask():
        try:
            desk.ask("generate", [Question("a")])
        except MemoryError as error:
            errors.append(error)

    monkeypatch.setattr(judge_actors, "arrivals", broken)
    desk = Desk(CachedJudge(Counting(), str(tmp_path / "verdicts.sqlite")))
    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    may.set()
    for thread in threads:
        thread.join(60)
    assert len(errors) == 3
    assert not desk.open
