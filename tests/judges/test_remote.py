"""The remote judge against a real server on loopback, faults and all."""

from __future__ import annotations

import asyncio
import hashlib
import math
import multiprocessing
import pickle
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from loopback_server import Server, asked, error, said, serving
from PIL import Image

from sightline.core.errors import ConfigError
from sightline.judges import CachedJudge, Question, RemoteJudge, Sampling, ask
from sightline.judges.wire import ECHO_LOGLIK

FAULTS = ("time-out", "429", "500", "truncated", "wrong shape", "empty")


def questions(size: int) -> list[Question]:
    return [Question(f"question {number}") for number in range(size)]


def judge_at(server: Server, **more: Any) -> RemoteJudge:
    quick = {"timeout_seconds": 2.0, "backoff_seconds": 0.01, "retries": 0, "concurrency": 16}
    return RemoteJudge(server.url, "m", **{**quick, **more})


def fault_of(prompt: str) -> str | None:
    """30 % of the questions fail, every kind of fault among them."""
    draw = hashlib.blake2b(prompt.encode(), digest_size=2).digest()
    return FAULTS[draw[1] % len(FAULTS)] if draw[0] < 0.3 * 256 else None


def faulty(fault: str) -> Any:
    return {
        "time-out": "sleep",
        "429": error(429, "slow down"),
        "500": error(500, "out of memory on rank 3"),
        "truncated": web.Response(text='{"choices": [{"mess', content_type="application/json"),
        "wrong shape": {"choices": {"message": 3}},
        "empty": said(" "),
    }[fault]


WORDS = {
    "time-out": "no answer",
    "429": "HTTP 429: slow down",
    "500": "HTTP 500: out of memory on rank 3",
    "truncated": "broken JSON",
    "wrong shape": "unexpected shape",
    "empty": "empty content",
}


def sometimes(path: str, body: dict[str, Any], nth: int) -> Any:
    fault = fault_of(asked(body))
    return faulty(fault) if fault else said(asked(body).upper())


def test_faults_become_errors_and_nothing_else_suffers() -> None:
    batch = questions(120)
    with serving(sometimes) as server:
        verdicts = judge_at(server).generate(batch)
    seen = set()
    for question, verdict in zip(batch, verdicts, strict=True):
        fault = fault_of(question.text())
        seen.add(fault)
        if fault is None:
            assert (verdict.value, verdict.error) == (question.text().upper(), "")
        else:
            assert verdict.value is None
            assert WORDS[fault] in verdict.error
    assert seen == {None, *FAULTS}
    assert max(server.calls.values()) == 1


def test_faults_with_cache_are_asked_again_and_answers_are_not(tmp_path: Path) -> None:
    batch = questions(100)
    with serving(sometimes) as server:
        judge = CachedJudge(judge_at(server), str(tmp_path / "verdicts.sqlite"))
        first = judge.generate(batch)
        again = pickle.loads(pickle.dumps(judge)).generate(batch)
    for question, one, two in zip(batch, first, again, strict=True):
        assert server.calls[question.text()] == (2 if fault_of(question.text()) else 1)
        assert one.value == two.value
        assert bool(one.error) == bool(two.error) == bool(fault_of(question.text()))


def test_retries_heal_what_passes() -> None:
    def answer(path: str, body: dict[str, Any], nth: int) -> Any:
        fault = fault_of(asked(body))
        return faulty(fault) if fault in ("429", "500", "truncated", "time-out") and nth == 1 else said("1")

    batch = questions(60)
    with serving(answer) as server:
        verdicts = judge_at(server, retries=2).generate(batch)
    assert [verdict.value for verdict in verdicts] == ["1"] * 60
    assert max(server.calls.values()) == 2


@pytest.mark.parametrize(("status", "calls"), [(400, 1), (401, 1), (404, 1), (429, 3), (503, 3)])
def test_only_passing_faults_are_retried(status: int, calls: int) -> None:
    with serving(lambda *_: error(status, "no")) as server:
        verdict = judge_at(server, retries=2).generate(questions(1))[0]
    assert verdict.error == f"HTTP {status}: no"
    assert sum(server.calls.values()) == calls


def test_retry_after_is_honoured_or_given_up() -> None:
    def answer(path: str, body: dict[str, Any], nth: int) -> Any:
        wait = "0.5" if asked(body) == "short" else "3600"
        return error(429, "wait", **{"Retry-After": wait}) if nth == 1 else said("1")

    with serving(answer) as server:
        start = time.monotonic()
        short, long = judge_at(server, retries=1).generate([Question("short"), Question("long")])
        seconds = time.monotonic() - start
    assert (short.value, long.error) == ("1", "HTTP 429: wait")
    assert 0.5 <= seconds < 60


def test_server_that_is_down_is_an_error_at_once() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    verdicts = RemoteJudge(f"http://127.0.0.1:{port}/v1", "m", retries=5).generate(questions(500))
    assert len(verdicts) == 500
    assert all("cannot be reached" in verdict.error for verdict in verdicts)


def test_concurrency_is_bounded_over_calls_of_several_threads() -> None:
    from concurrent.futures import ThreadPoolExecutor

    with serving(lambda *_: said("1")) as server, ThreadPoolExecutor(4) as threads:
        server.pause = 0.02
        judge = judge_at(server, concurrency=5)
        parts = [[Question(f"{part}-{number}") for number in range(10)] for part in range(4)]
        verdicts = [v for part in threads.map(judge.generate, parts) for v in part]
    assert [verdict.value for verdict in verdicts] == ["1"] * 40
    assert server.most_at_once == 5


def test_asked_inside_a_running_loop() -> None:
    async def inside(judge: RemoteJudge) -> Any:
        return judge.generate(questions(3))

    with serving(lambda *_: said("1")) as server:
        verdicts = asyncio.run(inside(judge_at(server)))
    assert [verdict.value for verdict in verdicts] == ["1"] * 3


def test_leaving_a_stream_early_cancels_the_rest() -> None:
    with serving(lambda *_: said("1")) as server:
        server.pause = 0.02
        stream = judge_at(server, concurrency=2).stream("generate", questions(50))
        next(stream)
        stream.close()
        time.sleep(0.1)
        settled = sum(server.calls.values())
        time.sleep(0.1)
        assert sum(server.calls.values()) == settled < 10


def _in_child(url: str) -> list[str | None]:
    return [verdict.value for verdict in RemoteJudge(url, "m").generate(questions(3))]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_after_a_fork_parent_and_child_both_work() -> None:
    with serving(lambda *_: said("1")) as server:
        assert _in_child(server.url) == ["1"] * 3
        with multiprocessing.get_context("fork").Pool(1) as pool:
            assert pool.apply(_in_child, (server.url,)) == ["1"] * 3
        assert _in_child(server.url) == ["1"] * 3


def test_killed_in_the_middle_loses_nothing(tmp_path: Path) -> None:
    """A process that dies while calls are open has kept every verdict that arrived."""
    path = str(tmp_path / "verdicts.sqlite")
    slow = {f"question {number}" for number in range(20, 40)}

    def answer(path: str, body: dict[str, Any], nth: int) -> Any:
        return "sleep" if asked(body) in slow and nth == 1 else said("1")

    with serving(answer) as server:
        judge = CachedJudge(judge_at(server, concurrency=40, timeout_seconds=30.0), path)
        child = multiprocessing.get_context("spawn").Process(target=judge.generate, args=(questions(40),))
        child.start()
        deadline = time.monotonic() + 60
        while len(judge.store) < 20 and time.monotonic() < deadline:
            time.sleep(0.02)
        child.kill()
        child.join()
        assert len(judge.store) == 20
        assert [verdict.value for verdict in judge.generate(questions(40))] == ["1"] * 40
    assert {server.calls[f"question {number}"] for number in range(20)} == {1}


def test_request_carries_sampling_system_extra_and_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_JUDGE_KEY", "sk-secret")
    with serving(lambda *_: error(401, "wrong key sk-secret")) as server:
        judge = judge_at(server, api_key_env="TEST_JUDGE_KEY", system="Be brief.", extra='{"top_k": 1, "top_p": null}')
        verdict = judge.generate([Question("q", sampling=Sampling(0.5, 0.9, 7, 3))])[0]
    body = server.bodies[0]
    assert server.headers[0]["Authorization"] == "Bearer sk-secret"
    assert verdict.error == "HTTP 401: wrong key ***"
    assert "sk-secret" not in repr(judge) + judge.id
    assert {name: body.get(name) for name in ("model", "temperature", "top_p", "max_tokens", "seed", "top_k")} == {
        "model": "m", "temperature": 0.5, "top_p": None, "max_tokens": 7, "seed": 3, "top_k": 1
    }  # fmt: skip
    assert [message["role"] for message in body["messages"]] == ["system", "user"]


def test_key_that_is_not_set_is_the_callers_mistake() -> None:
    with pytest.raises(ConfigError, match="NO_SUCH_KEY"):
        RemoteJudge("http://localhost:1/v1", "m", api_key_env="NO_SUCH_KEY").generate(questions(1))


@pytest.mark.parametrize(
    "wrong",
    [
        {"base_url": "localhost:8000"},
        {"base_url": "http://localhost:99999/v1"},
        {"concurrency": 0},
        {"retries": -1},
        {"extra": "[]"},
        {"extra": "{"},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="RemoteJudge"):
        RemoteJudge(**{"base_url": "http://localhost/v1", "model": "m", **wrong})


def test_identity_follows_what_changes_answers() -> None:
    plain = RemoteJudge("http://localhost/v1", "m")
    assert plain.id == RemoteJudge("http://localhost/v1/", "m", retries=9, concurrency=2).id
    others = [
        RemoteJudge("http://localhost/v1", "n"),
        RemoteJudge("http://other/v1", "m"),
        RemoteJudge("http://localhost/v1", "m", system="x"),
        RemoteJudge("http://localhost/v1", "m", extra='{"top_k": 1}'),
        RemoteJudge("http://localhost/v1", "m", encoding="JPEG"),
        RemoteJudge("http://localhost/v1", "m", loglik_wire=ECHO_LOGLIK),
    ]
    assert len({plain.id, *(other.id for other in others)}) == 7
    assert pickle.loads(pickle.dumps(others[-1])) == others[-1]


def test_pictures_travel_as_data_urls_encoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sightline.media import images

    encoded: list[Any] = []
    real = images.data_url
    monkeypatch.setattr(images, "data_url", lambda image, kind: (encoded.append(image), real(image, kind))[1])
    red, path = Image.new("RGB", (4, 4), "red"), tmp_path / "blue.png"
    Image.new("RGB", (4, 4), "blue").save(path)
    batch = [Question(f"q{number}", images=(red, str(path))) for number in range(8)]
    with serving(lambda *_: said("1")) as server:
        verdicts = judge_at(server).generate([*batch, Question("bad", images=(str(tmp_path / "none.png"),))])
    assert [verdict.value for verdict in verdicts] == ["1"] * 8 + [None]
    assert "none.png" in verdicts[-1].error
    assert len(encoded) == 3  # red, blue, the one that is not there
    parts = server.bodies[0]["messages"][0]["content"]
    assert [part["type"] for part in parts] == ["image_url", "image_url", "text"]
    shown = [images.load(part["image_url"]["url"]).getpixel((0, 0)) for part in parts[:2]]
    assert shown == [(255, 0, 0), (0, 0, 255)]


def test_hostile_text_travels() -> None:
    hostile = "\ud800 {evidence} \x00 \U0001f600 </think>"
    with serving(lambda path, body, nth: said(asked(body))) as server:
        question = Question("say {it}", (("it", hostile),), fenced=("it",))
        verdict = ask(judge_at(server), "generate", [question])[0]
    assert verdict.value == question.text()
    assert "{evidence} \x00 \U0001f600" in question.text()


def top(*tokens: tuple[str, float]) -> dict[str, Any]:
    entries = [{"token": token, "logprob": math.log(p), "bytes": None} for token, p in tokens]
    return {"content": [{**entries[0], "top_logprobs": entries}]}


def test_choose_sums_spellings_of_the_first_token() -> None:
    replies = {
        "letters": said("A", logprobs=top(("A", 0.4), (" A", 0.1), ("a", 0.1), ("B", 0.2), ("The", 0.2))),
        "prose": said("The", logprobs=top(("The", 0.9), ("<think>", 0.1))),
        "none": said("A"),
        "alike": said("1", logprobs=top(("1", 0.9), ("2", 0.1))),
        "case": said("a", logprobs=top(("a", 0.6), ("A", 0.2))),
    }
    cases = {"letters": ("A", "B", "C"), "prose": ("A", "B"), "none": ("A",), "alike": ("1", "10"), "case": ("a", "A")}
    with serving(lambda path, body, nth: replies[asked(body)]) as server:
        batch = [Question(name, options=options) for name, options in cases.items()]
        letters, prose, none, alike, case = judge_at(server).choose(batch)
    assert letters.value == pytest.approx((0.75, 0.25, 0.0))
    assert "none of the options ['A', 'B']" in prose.error
    assert "no logprobs" in none.error
    assert "begin with the same token" in alike.error
    assert case.value == pytest.approx((0.75, 0.25))
    assert (server.bodies[0]["top_logprobs"], server.bodies[0]["max_tokens"]) == (20, 1)


def test_loglik_over_chat_reads_the_tail_of_the_prompt() -> None:
    def answer(path: str, body: dict[str, Any], nth: int) -> Any:
        assert path.endswith("/chat/completions")
        assert body["messages"][-1] == {"role": "assistant", "content": "the cat"}
        tokens = [("<s>", None), ("user", -9.0), (" the", -9.0), (":", -9.0), ("the", -0.5), (" cat", -0.25)]
        entries = [lp and {str(n): {"logprob": lp, "rank": 1, "decoded_token": t}} for n, (t, lp) in enumerate(tokens)]
        return {**said("."), "prompt_logprobs": entries if asked(body) == "q" else None}

    with serving(answer) as server:
        batch = [Question("q", continuation="the cat"), Question("unable", continuation="the cat")]
        good, unable = judge_at(server).loglik(batch)
    assert good.value == (-0.5, -0.25)
    assert "prompt_logprobs" in unable.error


def test_loglik_over_echo_reads_by_offset() -> None:
    def answer(path: str, body: dict[str, Any], nth: int) -> Any:
        assert path.endswith("/completions")
        assert (body["prompt"], body["echo"]) == ("Sky is blue", True)
        tokens, offsets, logps = ["Sky", " is", " bl", "ue"], [0, 3, 6, 9], [None, -1.0, -2.0, -0.5]
        return {"choices": [{"logprobs": {"tokens": tokens, "text_offset": offsets, "token_logprobs": logps}}]}

    picture = Image.new("RGB", (2, 2))
    with serving(answer) as server:
        judge = judge_at(server, loglik_wire=ECHO_LOGLIK)
        batch = [Question("Sky is", continuation=" blue"), Question("Sky is", continuation=" blue", images=(picture,))]
        good, pictured = judge.loglik(batch)
    assert good.value == (-2.0, -0.5)
    assert "no pictures" in pictured.error


def test_loglik_over_echo_where_offsets_are_not_told() -> None:
    def answer(path: str, body: dict[str, Any], nth: int) -> Any:
        told = {
            "tokens": ["Sky", " is", " bl", "ue"],
            "text_offset": [-1] * 4,
            "token_logprobs": [None, -1.0, -2.0, -0.5],
        }
        return {"choices": [{"logprobs": told}]}  # SGLang

    with serving(answer) as server:
        found = judge_at(server, loglik_wire=ECHO_LOGLIK).loglik([Question("Sky is", continuation=" blue")])[0]
    assert found.value == (-2.0, -0.5)


def test_opening_is_a_turn_to_be_gone_on_with() -> None:
    with serving(lambda *_: said("1", logprobs=top(("1", 0.75), ("2", 0.25)))) as server:
        question = Question("q", options=("1", "2"), opening='{"choice": ')
        assert judge_at(server).choose([question])[0].value == pytest.approx((0.75, 0.25))
        judge_at(server).generate([question])
    for body in server.bodies:
        assert body["messages"][-1] == {"role": "assistant", "content": '{"choice": '}
        assert (body["continue_final_message"], body["add_generation_prompt"]) == (True, False)


def test_embed_reads_the_vector() -> None:
    with serving(lambda path, body, nth: {"data": [{"embedding": [1, 0.5]}]}) as server:
        assert judge_at(server).embed([Question("a")])[0].value == (1.0, 0.5)
        assert server.bodies[0] == {"input": "a", "model": "m"}
