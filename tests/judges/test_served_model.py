"""The lab's policy behind a real server on loopback: over HTTP it judges as it does in process."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="a served model needs the extra `train`")
from aiohttp import web  # noqa: E402
from loopback_server import Server, error, serving  # noqa: E402
from openai_server import ModelServer  # noqa: E402

from sightline.core.batch import Batch  # noqa: E402
from sightline.judges import CachedJudge, ModelJudge, Question, RemoteJudge, Sampling  # noqa: E402
from sightline.judges.wire import ECHO_LOGLIK  # noqa: E402
from sightline.lab.models import tiny_vlm  # noqa: E402
from sightline.lab.worlds import digits  # noqa: E402
from sightline.parse.tags import Block  # noqa: E402
from sightline.rewards.look import Column, Look  # noqa: E402
from sightline.rewards.reward import Reward, with_judge  # noqa: E402
from sightline.rewards.second_look import ChosenAgain, Echo, FoundAgain  # noqa: E402

ROWS = digits.PRIOR.rows(6, "biased", seed=11)
ASKED = [row["prompt"][0]["content"][-1]["text"] for row in ROWS]
TAUGHT = "<think>red usually 3</think> <answer>3</answer>"


@pytest.fixture(scope="module")
def policy() -> tuple[Any, Any]:
    torch.set_num_threads(1)
    return tiny_vlm.load("prior")


@pytest.fixture(scope="module")
def served(policy: tuple[Any, Any]) -> Iterator[tuple[Server, ModelServer]]:
    answer = ModelServer(*policy)
    with serving(answer) as server:
        yield server, answer


def questions(**more: Any) -> list[Question]:
    return [Question(text, images=tuple(row["images"]), **more) for text, row in zip(ASKED, ROWS, strict=True)]


def remote(server: Server, **more: Any) -> RemoteJudge:
    return RemoteJudge(server.url, "lab", **{"concurrency": 4, "retries": 0, **more})


def test_generate(policy: Any, served: Any) -> None:
    server, answer = served
    batch = questions(sampling=Sampling(max_tokens=20))
    over, inside = remote(server).generate(batch), ModelJudge(*policy).generate(batch)
    assert [one.value for one in over] == [one.value for one in inside]
    assert all("<answer>" in one.value for one in over)
    shown = np.asarray(answer.seen[-1])
    assert any(np.array_equal(shown, np.asarray(row["images"][0])) for row in ROWS)  # every pixel arrived


def test_choose(policy: Any, served: Any) -> None:
    opening = "<think>red usually 3</think> <answer>"
    batch = questions(options=tuple("0123456789"), opening=opening)
    over, inside = remote(served[0]).choose(batch), ModelJudge(*policy).choose(batch)
    for one, other in zip(over, inside, strict=True):
        assert one.value == pytest.approx(other.value, abs=1e-3), one.error  # digits beyond the 20 likeliest are 0
        assert sum(one.value) == pytest.approx(1.0)


def test_loglik(policy: Any, served: Any) -> None:
    batch = questions(continuation=TAUGHT)
    over, inside = remote(served[0]).loglik(batch), ModelJudge(*policy).loglik(batch)
    for one, other in zip(over, inside, strict=True):
        assert one.value == pytest.approx(other.value, abs=1e-4), one.error
        assert len(one.value) == len(policy[1].tokenizer.encode(TAUGHT))


def test_loglik_behind_an_opening_is_the_rest_of_the_whole(policy: Any, served: Any) -> None:
    opening, rest = "<think>red usually 3</think>", " <answer>3</answer>"
    judge = remote(served[0])
    whole = judge.loglik(questions(continuation=opening + rest))
    parts = judge.loglik(questions(continuation=rest, opening=opening))
    for one, part in zip(whole, parts, strict=True):
        assert part.value == pytest.approx(one.value[-len(part.value) :], abs=1e-4)
        assert len(part.value) == 3


def test_loglik_over_echo_is_the_bare_text(policy: Any, served: Any) -> None:
    judge = remote(served[0], loglik_wire=ECHO_LOGLIK)
    found = judge.loglik([Question("red usually 3", continuation=" is yellow")])[0]
    model, processor = policy
    words = processor.tokenizer
    ids = words("red usually 3 is yellow", return_tensors="pt", add_special_tokens=False)["input_ids"]
    first = len(words("red usually 3", add_special_tokens=False)["input_ids"])
    with torch.no_grad():
        logp = model(input_ids=ids).logits[0].log_softmax(-1)
    expected = [float(logp[place - 1, ids[0, place]]) for place in range(first, ids.shape[1])]
    assert found.value == pytest.approx(expected, abs=1e-4), found.error


def test_embed(policy: Any, served: Any) -> None:
    over = remote(served[0]).embed([Question("what is red ?")])[0]
    inside = ModelJudge(*policy).embed([Question("what is red ?")])[0]
    # the template of the server opens no answer, so the turns differ by one token
    assert len(over.value) == len(inside.value) == 128
    assert np.isfinite(over.value).all()


LOOK = Look("{question}", (("question", Column("question")),), options=tuple("0123456789"))
THREE: Reward = (
    FoundAgain(ModelJudge(None, None), LOOK).named("found")
    + ChosenAgain(ModelJudge(None, None), LOOK).named("chosen")
    + Echo(ModelJudge(None, None), Look("{question}", LOOK.places, continuation=Block("think"))).named("echo")
)
FAULTS = ("sleep", "429", "500", "truncated", "wrong number", "lies about its length")


def batch() -> Batch:
    columns = {"images": [row["images"] for row in ROWS], "question": ASKED, "answer": [row["answer"] for row in ROWS]}
    return Batch(["<think>red 3</think> <answer>3</answer>"] * len(ROWS), columns)


def fault_of(body: dict[str, Any], share: float) -> str | None:
    draw = hashlib.blake2b(repr(body).encode(), digest_size=8).digest()
    return FAULTS[draw[1] % len(FAULTS)] if draw[0] < share * 256 else None


class Faulty:
    """The served model with faults in a share of the requests, each kind among them."""

    def __init__(self, answer: ModelServer, share: float) -> None:
        self.answer, self.share = answer, share

    def __call__(self, path: str, body: dict[str, Any], nth: int) -> Any:
        fault = fault_of(body, self.share)
        if fault in ("429", "500"):
            return error(int(fault), "too much")
        if fault == "truncated":
            return web.Response(text='{"choices": [{"mess', content_type="application/json")
        if fault == "wrong number":
            return {"choices": [], "prompt_logprobs": [None]}
        if fault == "lies about its length":
            return Lying(text='{"choices": []}', content_type="application/json")
        return fault or self.answer(path, body, nth)


class Lying(web.Response):
    """Announces more than it sends, and closes."""

    async def prepare(self, request: Any) -> Any:
        self.headers["Content-Length"] = "4096"
        self.transport = request.transport
        return await super().prepare(request)

    async def write_eof(self, data: bytes = b"") -> None:
        await super().write_eof(data)
        self.transport.close()


def test_faults_in_a_third_of_the_calls_cost_those_rollouts_and_nothing_else(policy: Any, tmp_path: Path) -> None:
    model = ModelServer(*policy)
    with serving(model) as server:
        calm = with_judge(THREE, remote(server))(batch())
    assert not calm.errors.any()
    with serving(Faulty(model, 0.3)) as server:
        quick = {"timeout_seconds": 1.0, "backoff_seconds": 0.01}
        judge = CachedJudge(remote(server, **quick), str(tmp_path / "verdicts.sqlite"))
        first = with_judge(THREE, judge)(batch())
        asked, kept = len(server.bodies), len(judge.store)
        second = with_judge(THREE, judge)(batch())
        again = len(server.bodies) - asked
    hit = 0
    for name in ("found", "chosen", "echo"):
        for row in range(len(ROWS)):
            value, why = first.parts[name].values[row], first.parts[name].why[row]
            hit += math.isnan(value)
            if math.isnan(value):
                assert why.startswith("error: ")
                assert len(why) > 10
            else:
                assert value == calm.parts[name].values[row]
    assert 0 < hit < 3 * len(ROWS)
    assert kept + again == asked  # what was answered is not asked again, what failed is
    np.testing.assert_array_equal(first.values, second.values)
