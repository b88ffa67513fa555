"""The command as users meet it: what it prints, its exit codes, one message for one mistake."""

import json
import os
import subprocess
import sys
import time

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from sightline import system
from sightline.cli.main import app

OWN = """
from dataclasses import dataclass
from sightline import RowReward, Score

@dataclass(frozen=True)
class Says(RowReward):
    reads = ("answer",)
    def row(self, rollout):
        return Score(float(str(rollout["answer"]) in rollout.text), "looked for it")

says = Says().named("says")
number = 5
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "own_rewards", raising=False)
    (tmp_path / "own_rewards.py").write_text(OWN)
    rows = [{"completion": f"it is {i % 3}", "answer": i % 2, "group": i // 4} for i in range(12)]
    (tmp_path / "r.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def run(*words: str, code: int = 0):
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == code, result.output + str(result.exception)
    return result


def test_score_writes_results_and_a_report(folder):
    result = run("score", "r.jsonl", "--reward", "own_rewards:says", "-o", "out/s.parquet", "--report", "r.html")
    assert "12 rollouts in 3 groups" in result.stdout
    assert "looked for it" in (folder / "r.html").read_text()
    assert pq.read_table("out/s.parquet")["says"].to_pylist() == [float(i % 3 == i % 2) for i in range(12)]


def test_score_maps_sets_and_explodes(folder):
    (folder / "pairs.json").write_text(json.dumps([{"q": "?", "response": ["a 1", "b"], "gt": ["1"]}]))
    words = ["--explode", "response", "--map", "completion=response", "--set", "answer=1"]
    run("score", "pairs.json", "--reward", "own_rewards:says", "-o", "s.parquet", *words)
    assert pq.read_table("s.parquet")["reward"].to_pylist() == [1.0, 0.0]


def test_score_of_a_system_in_both_variants(folder):
    rows = [{**row, "task": "detection"} for row in system.load("visual-rft").specimen[:2]]
    (folder / "boxes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for variant in ("strict", "official"):
        run("score", "boxes.jsonl", "--system", "visual-rft", "--variant", variant, "-o", f"{variant}.parquet")
        wanted = system.load("visual-rft").variant(variant)
        got = pq.read_table(f"{variant}.parquet")["reward"].to_pylist()
        from sightline import Batch

        assert got == wanted(Batch.from_rows(rows)).values.tolist()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["score", "r.jsonl", "-o", "s.parquet"], "--system SLUG, or --reward"),
        (["score", "r.jsonl", "-o", "s.parquet", "--system", "vidoe-ver"], "Did you mean `video-ver`"),
        (
            ["score", "r.jsonl", "-o", "s.parquet", "--system", "video-ver", "--variant", "stric"],
            "Did you mean `strict`",
        ),
        (["score", "r.json", "-o", "s.parquet", "--reward", "own_rewards:says"], "Did you mean `r.jsonl`"),
        (["score", "r.jsonl", "-o", "s.parquet", "--reward", "own_rewards:sais"], "own_rewards:sais"),
        (["score", "r.jsonl", "-o", "s.parquet", "--reward", "own_rewards:number"], "is int, not a Reward"),
        (["score", "r.jsonl", "-o", "s.parquet", "--reward", "no_such_module:x"], "No module named"),
        (["score", "r.jsonl", "-o", "s.parquet", "--reward", "own_rewards:says", "--map", "answer"], "NAME=VALUE"),
        (["score", "r.jsonl", "-o", "s.parquet", "--system", "video-ver"], "reads column `problem_type`"),
        (["score", "r.jsonl", "-o", "s.parquet", "--system", "video-ver", "--judge", "gpt"], "openai:BASE_URL#MODEL"),
        (["show", "vlmr1"], "Did you mean `vlm-r1`"),
        (["view", "r.jsonl", "-o", "r.html"], "score it first: sightline score r.jsonl"),
        (["check", "video-ver", "--vectors", "none.json"], "cannot read vector file"),
        (["score", "r.jsonl", "-o", "r.jsonl", "--reward", "own_rewards:says", "--fresh"], "is the file that is read"),
        (["score", "r.jsonl", "-o", ".", "--reward", "own_rewards:says"], "is a folder"),
        (
            ["score", "r.jsonl", "-o", "r.jsonl/s.parquet", "--reward", "own_rewards:says"],
            "cannot read or write r.jsonl",
        ),
        (["export", "trl", "--system", "visual-rft", "-o", "r.jsonl"], "cannot read or write r.jsonl"),
        (["audit", "visual-rft", "--vectors", "nowhere"], "there is no such folder"),
    ],
)
def test_a_mistake_is_one_message_and_code_2(folder, words, message):
    result = run(*words, code=2)
    assert message in result.stderr
    assert "Traceback" not in result.output
    assert len(result.stderr.strip().splitlines()) <= 2


def test_words_that_change_nothing_are_noted(folder):
    words = ["--reward", "own_rewards:says", "-o", "s.parquet", "--set", "anser=1", "--judge", "stub"]
    said = run("score", "r.jsonl", *words).stderr
    assert "the reward reads no column `anser`. Did you mean `answer`?" in said
    assert "the reward asks no judge, so stub is not used" in said


def test_systems_are_one_line_each():
    lines = run("systems").stdout.splitlines()
    assert len(lines) == 1 + len(system.names())
    assert all(system.load(line.split()[0]).title in line for line in lines[1:])


def test_the_version_is_told():
    from sightline import __version__

    assert run("--version").stdout == f"sightline {__version__}\n"


def test_debug_shows_the_traceback(folder):
    from sightline.core.errors import UnknownSystem

    result = CliRunner().invoke(app, ["--debug", "show", "nothing-like-it"])
    assert isinstance(result.exception, UnknownSystem)


def test_a_broken_file_keeps_what_was_scored(folder):
    with (folder / "r.jsonl").open("a") as file:
        file.write('{"completion": "it is')
    result = run("score", "r.jsonl", "--reward", "own_rewards:says", "-o", "s.parquet", code=2)
    assert "line 13 is cut off" in result.stderr
    assert "8 rollouts are scored and kept" in result.stderr


def test_a_judge_that_is_down_leaves_reasons(folder):
    rows = [row for row in system.load("video-ver").specimen if row["problem_type"] == "multiple choice"]
    (folder / "v.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "nothing.jsonl").write_text("")
    run("score", "v.jsonl", "--system", "video-ver", "--judge", "replay:nothing.jsonl", "-o", "s.parquet")
    whys = pq.read_table("s.parquet")["why_evidence"].to_pylist()
    assert any(why.startswith("error: ") for why in whys)


def test_systems_as_json():
    found = json.loads(run("systems", "--json").stdout)
    assert [record["slug"] for record in found] == system.names() == run("systems", "--names").stdout.split()
    ver = next(record for record in found if record["slug"] == "video-ver")
    assert ver["parts"] == ["accuracy", "format", "length", "evidence"]
    assert ver["judged"] is True


@pytest.mark.parametrize("slug", system.names())
def test_show_tells_all(slug):
    shown = run("show", slug).stdout
    found = system.load(slug)
    stages = (stage.name for stage in found.recipe)
    for word in (found.arxiv, *found.columns, *found.extras, *stages, "strict: reward in", "credit"):
        assert word in shown
    assert " at 0x" not in shown


def test_show_gives_the_widest_range_of_a_part_that_several_cases_share():
    assert "accuracy  [-inf, 1]" in run("show", "rs-eot").stdout


@pytest.mark.parametrize("slug", system.names())
def test_check_runs_promises(slug):
    assert "pickles to an equal" in run("check", slug).stdout


def test_check_prints_every_case_and_fails_with_1(tmp_path):
    specimen = dict(system.load("visual-rft").specimen[0])
    cases = [
        {"what": "right", "source": "by hand", "variant": "strict", "rows": [specimen], "parts": {"format": [1.0]}},
        {"what": "wrong", "source": "by hand", "variant": "strict", "rows": [specimen], "parts": {"format": [0.5]}},
    ]
    path = tmp_path / "v.json"
    path.write_text(json.dumps(cases))
    shown = run("check", "visual-rft", "--vectors", path, code=1).stdout
    assert "ok   right" in shown
    assert "FAIL wrong" in shown
    assert "1 of 2 cases pass" in shown


def test_the_command_starts_quickly_and_imports_nothing_heavy():
    code = (
        "import sys; from sightline.cli.main import app\n"
        "print([m for m in ('torch', 'transformers', 'trl', 'pyarrow', 'jinja2', 'PIL') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    seconds = []
    for _ in range(3):
        began = os.times()
        subprocess.run([sys.executable, "-m", "sightline.cli.main", "--help"], capture_output=True, check=True)
        ended = os.times()
        seconds.append(ended.children_user + ended.children_system - began.children_user - began.children_system)
    assert min(seconds) < 0.5


def test_ctrl_c_keeps_what_was_scored(tmp_path):
    import signal

    slow = OWN.replace("return Score", '__import__("time").sleep(0.02)\n        return Score')
    (tmp_path / "own_rewards.py").write_text(slow)
    rows = [{"completion": "it is 1", "answer": 1} for _ in range(2000)]
    (tmp_path / "r.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = ["score", "r.jsonl", "--reward", "own_rewards:says", "-o", "s.parquet"]
    command = [sys.executable, "-m", "sightline.cli.main", *words]
    # tests that run in the background are started with the signal ignored, and so would be what they start
    previous = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, previous)
    began = time.monotonic()
    while not list(tmp_path.glob("s.parquet.parts/*.parquet")):
        assert time.monotonic() - began < 120
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130
    assert "rollouts are scored and kept in s.parquet.parts" in said
    assert "Traceback" not in said
