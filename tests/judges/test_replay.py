"""Verdicts recorded and said again."""

from __future__ import annotations

import json
import math
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from sightline.core.errors import ConfigError
from sightline.judges import (
    CachedJudge,
    OverlapJudge,
    Question,
    Record,
    RecordingJudge,
    ReplayJudge,
    ScriptedJudge,
    Verdict,
    ask,
    export_cache,
)


def about(reasoning: str) -> Question:
    return Question("{evidence}\n{reasoning}", (("evidence", ["a red ball"]), ("reasoning", reasoning)), ("reasoning",))


BATCH = [about("the ball is red"), about("no idea"), Question("nothing to read")]


def test_recording_is_replayed_errors_too(tmp_path: Path) -> None:
    path = str(tmp_path / "verdicts.jsonl")
    said = RecordingJudge(OverlapJudge(), path).generate(BATCH)
    judge = ReplayJudge.from_file(path)
    assert judge.generate(BATCH[::-1]) == said[::-1]
    assert [verdict.value for verdict in said] == ["1", "0", None]
    assert "nothing is recorded" in judge.generate([about("other words")])[0].error
    assert "nothing is recorded" in judge.choose(BATCH[:1])[0].error


def test_cache_is_exported(tmp_path: Path) -> None:
    cached = CachedJudge(OverlapJudge(), str(tmp_path / "verdicts.sqlite"))
    said = cached.generate(BATCH)
    assert export_cache(cached.store, tmp_path / "verdicts.jsonl") == 2
    assert ReplayJudge.from_file(tmp_path / "verdicts.jsonl").generate(BATCH[:2]) == said[:2]
    CachedJudge(OverlapJudge(0.9), cached.path).generate(BATCH)
    with pytest.raises(ConfigError, match="name one"):
        export_cache(cached.store, tmp_path / "verdicts.jsonl")
    assert export_cache(cached.store, tmp_path / "verdicts.jsonl", "overlap:0.9") == 2


def test_handwritten_file_names_fields_or_text(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.json"
    rows = [
        {"fields": {"reasoning": "no idea"}, "value": "1"},
        {"text": "nothing to read", "value": [0.25, 0.75], "ability": "choose"},
        {"fields": {"evidence": ["a red ball"], "reasoning": "the ball is red"}, "error": "overloaded"},
        {"text": "nothing to read", "ability": "loglik", "value": [-math.inf]},
    ]
    path.write_text(json.dumps(rows))
    judge = ReplayJudge.from_file(path)
    assert judge.generate(BATCH[:2]) == [Verdict(error="overloaded"), Verdict("1")]
    assert judge.choose([replace(BATCH[2], options=("A", "B"))]) == [Verdict((0.25, 0.75))]
    assert judge.loglik(BATCH[2:]) == [Verdict((-math.inf,))]


@pytest.mark.parametrize("text", ['{"value": ', '{"valeu": 1}', "[1]", '{"ability": "sing", "value": 1}'])
def test_file_that_holds_something_else_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "verdicts.jsonl"
    path.write_text(text)
    with pytest.raises(ConfigError):
        ReplayJudge.from_file(path)
    with pytest.raises(ConfigError, match="absent"):
        ReplayJudge.from_file(tmp_path / "absent.jsonl")


def test_replay_is_a_value() -> None:
    judge = ReplayJudge((Record("1", text="q"),))
    judge.generate([Question("q")])
    assert pickle.loads(pickle.dumps(judge)) == judge
    assert judge.id == ReplayJudge((Record("1", text="q"),)).id != ReplayJudge((Record("0", text="q"),)).id
    assert hash(judge) == hash(ReplayJudge((Record("1", text="q"),)))


def test_script_goes_by_order_and_every_call_starts_at_the_top() -> None:
    judge = ScriptedJudge(("1", "0"))
    for _ in range(2):
        verdicts = ask(judge, "generate", [Question("a"), Question("a"), Question("b"), Question("c")])
        assert [verdict.value for verdict in verdicts] == ["1", "1", "0", None]


def test_questions_with_lists_and_pictures_are_hashable() -> None:
    picture = Image.new("RGB", (2, 2))
    one = Question("q", (("evidence", ["a", ["b"]]), ("table", {"x": 1})), images=(picture, {"path": "a.png"}))
    assert one == one
    assert one.field("evidence") == ("a", ("b",))
    assert one != replace(one, images=(picture.copy(),))
    assert len({one, replace(one), replace(one, template="other")}) == 2
    assert "1. a\n2. ('b',)" in replace(one, template="{evidence}").text()
