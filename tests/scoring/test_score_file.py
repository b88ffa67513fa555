"""Files through rewards: dialects, columns, groups, results, retries."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sightline import Batch, Constant, Frame, Mark, Reward, RowReward, Score, Scores, abstain, failed
from sightline.core.errors import ColumnError, ConfigError, RolloutFileError
from sightline.core.marks import BoxMarks, ChainedMarks, NoMarks, PickedMarks
from sightline.scoring import Options, Source, score_file
from sightline.scoring.groups import Pace
from sightline.scoring.tables import marks_column


@dataclass(frozen=True)
class Says(RowReward):
    """1 if the answer is in the text."""

    reads = ("answer",)

    def row(self, rollout):
        if rollout["answer"] is None:
            return abstain("no answer to compare with")
        found = str(rollout["answer"]) in rollout.text
        return Score(float(found), "found" if found else "not found", (Mark("char", (0, 3), float(found), "here"),))


@dataclass(frozen=True)
class GroupSize(Reward):
    """How many rollouts the group has."""

    scope = "group"
    range = (0.0, float("inf"))

    def score(self, batch):
        return Scores.of(np.bincount(batch.group)[batch.group].astype(float))


@dataclass(frozen=True)
class Flaky(RowReward):
    """Fails on texts with a 7 until told otherwise."""

    broken: ClassVar[bool] = True
    seen: ClassVar[list[str]] = []

    def row(self, rollout):
        self.seen.append(rollout.text)
        return failed("judge is down: 503") if self.broken and "7" in rollout.text else Score(1.0)


says = Says().named("says")


def jsonl(path: Path, rows) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def parquet(path: Path, rows) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def scored(source, reward, tmp_path, **more) -> list[dict]:
    score_file(source, reward, tmp_path / "out.parquet", **more)
    return pq.read_table(tmp_path / "out.parquet").to_pylist()


def small() -> Options:
    return Options(pace=Pace(size=3, least=3, most=3))


def test_results_hold_parts_reasons_marks_and_the_file(tmp_path):
    rows = [
        {"completion": "yes 1", "answer": 1},
        {"completion": "no", "answer": 2},
        {"completion": "x", "answer": None},
    ]
    got = scored(jsonl(tmp_path / "r.jsonl", rows), 2 * says + Constant(0.5).named("half"), tmp_path)
    assert [row["row"] for row in got] == [0, 1, 2]
    assert [row["reward"] for row in got] == [2.5, 0.5, None]
    assert [row["says"] for row in got] == [1.0, 0.0, None]
    assert [row["why_says"] for row in got] == ["found", "not found", "abstain: no answer to compare with"]
    assert got[2]["why"] == "abstain: no answer to compare with"
    assert got[0]["marks"] == [{"unit": "char", "place": [0.0, 3.0], "value": 1.0, "why": "here", "frame": None}]
    assert [row["completion"] for row in got] == ["yes 1", "no", "x"]


def test_the_summary_counts_what_could_not_be_scored(tmp_path):
    rows = [
        {"completion": "yes 1", "answer": 1},
        {"completion": "no", "answer": 2},
        {"completion": "x", "answer": None},
    ]
    summary = score_file(jsonl(tmp_path / "r.jsonl", rows), says, tmp_path / "o.parquet")
    reward, part = summary.parts
    assert (summary.rollouts, summary.scored, reward.name, part.name) == (3, 3, "reward", "says")
    assert (part.mean, part.count, part.abstained, part.errors) == (0.5, 2, 1, 0)
    assert part.std == pytest.approx(np.std([1, 0], ddof=1))


def test_lean_results_leave_the_file_out(tmp_path):
    got = scored(jsonl(tmp_path / "r.jsonl", [{"completion": "1", "answer": 1}]), says, tmp_path, lean=True)
    assert set(got[0]) == {"row", "group", "reward", "says", "why", "why_says", "marks"}


def test_a_column_with_the_name_of_a_result_is_kept(tmp_path):
    got = scored(jsonl(tmp_path / "r.jsonl", [{"completion": "1", "answer": 1, "reward": 0.25}]), says, tmp_path)
    assert (got[0]["reward"], got[0]["given_reward"]) == (1.0, 0.25)


def test_trl_logs_group_by_step_and_prompt(tmp_path):
    rows = [
        {"step": step, "prompt": f"p{p}", "completion": f"c{i}", "acc": 0.5, "advantage": 0.0, "answer": "c1"}
        for step in (1, 2)
        for p in range(2)
        for i in range(3)
    ]
    folder = tmp_path / "completions"
    folder.mkdir()
    parquet(folder / "completions_00001.parquet", rows[:6])
    parquet(folder / "completions_00002.parquet", rows[6:])
    got = scored(folder, GroupSize() + says, tmp_path, options=small())
    assert [row["group"] for row in got] == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3
    assert [row["reward"] for row in got] == [3, 4, 3] * 4
    assert [row["row"] for row in got] == list(range(12))


def test_verl_dumps_bring_scattered_groups_together(tmp_path):
    rows = [
        {"input": f"p{i % 2}", "output": f"c{i}", "gts": f"c{i}", "score": 1.0, "step": 1, "request_id": str(i)}
        for i in range(6)
    ]
    got = scored(jsonl(tmp_path / "1.jsonl", rows), GroupSize() + says, tmp_path, options=small())
    assert [row["reward"] for row in got] == [4.0] * 6
    assert [row["row"] for row in got] == [0, 2, 4, 1, 3, 5]
    assert {"prompt", "completion", "answer"} <= set(got[0])
    assert not {"input", "output", "gts"} & set(got[0])


def test_a_torn_group_is_an_error_only_where_groups_matter(tmp_path):
    path = jsonl(tmp_path / "r.jsonl", [{"completion": "1", "answer": 1, "group": g} for g in "aabba"])
    assert [row["group"] for row in scored(path, says, tmp_path)] == [0, 0, 1, 1, 0]
    with pytest.raises(RolloutFileError, match=r"row 4 belongs to group 0.*--gather"):
        score_file(path, GroupSize(), tmp_path / "torn.parquet")
    got = scored(Source(path, gather=True), GroupSize(), tmp_path, options=Options(fresh=True))
    assert [(row["row"], row["reward"]) for row in got] == [(2, 2), (3, 2), (0, 3), (1, 3), (4, 3)]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 100])
@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_groups_are_never_torn_by_batches(tmp_path, size, suffix):
    sizes = [3, 1, 7, 2, 2, 9, 1]
    rows = [{"completion": f"{g}", "group": f"g{g}"} for g, n in enumerate(sizes) for _ in range(n)]
    path = (parquet if suffix == "parquet" else jsonl)(tmp_path / f"r.{suffix}", rows)
    got = scored(path, GroupSize(), tmp_path, options=Options(pace=Pace(size, size, size)))
    assert [row["reward"] for row in got] == [n for n in sizes for _ in range(n)]


def test_columns_are_mapped_set_and_taken_apart(tmp_path):
    rows = [
        {"q": "?", "response": ["good 1", "bad"], "rank": [0, 1], "meta": {"gt": ["1", "one"]}},
        {"q": "!", "response": ["3"], "rank": [0], "meta": {"gt": ["3"]}},
    ]
    source = Source(
        jsonl(tmp_path / "r.jsonl", rows),
        rename=(("completion", "response"), ("answer", "meta.gt[0]"), ("prompt", "q")),
        constants=(("task", "detection"),),
        explode=("response", "rank"),
    )
    got = scored(source, says + GroupSize(), tmp_path)
    assert [(r["row"], r["element"], r["group"], r["rank"]) for r in got] == [(0, 0, 0, 0), (0, 1, 0, 1), (1, 0, 1, 0)]
    assert [r["reward"] for r in got] == [3.0, 2.0, 2.0]
    assert {r["task"] for r in got} == {"detection"}
    assert [r["answer"] for r in got] == ["1", "1", "3"]


def test_media_paths_are_relative_to_the_file(tmp_path):
    @dataclass(frozen=True)
    class Sees(RowReward):
        def row(self, rollout):
            return Score(1.0, json.dumps([rollout["images"], rollout["image"]]))

    row = {
        "completion": "x",
        "images": ["a.png", "/b.png", "http://c/d.png"],
        "image": {"bytes": None, "path": "e.png"},
    }
    got = scored(jsonl(tmp_path / "r.jsonl", [row]), Sees(), tmp_path)
    at = str(tmp_path)
    wanted = [[f"{at}/a.png", "/b.png", "http://c/d.png"], {"bytes": None, "path": f"{at}/e.png"}]
    assert json.loads(got[0]["why"]) == wanted
    assert got[0]["images"] == row["images"]


def test_values_of_mixed_types_become_json_text(tmp_path):
    rows = [{"completion": str(i), "answer": answer} for i, answer in enumerate([1, "a", [2], None, {"k": {}}, True])]
    got = scored(jsonl(tmp_path / "r.jsonl", rows), Constant(1.0), tmp_path, options=Options(pace=Pace(1, 1, 1)))
    assert [row["answer"] for row in got] == ["1", '"a"', "[2]", None, '{"k": {}}', "true"]
    again = scored(tmp_path / "r.jsonl", Constant(1.0), tmp_path, options=Options(fresh=True))
    assert again == got


def test_a_column_that_only_later_rows_have(tmp_path):
    rows = [{"completion": "a", "answer": "a"}] * 4 + [{"completion": "b", "answer": "b", "note": "late"}]
    got = scored(jsonl(tmp_path / "r.jsonl", rows), says, tmp_path, options=Options(pace=Pace(2, 2, 2)))
    assert [row["note"] for row in got] == [None] * 4 + ["late"]


def test_hostile_text_is_written(tmp_path):
    rows = [{"completion": "\ud800 \x00 <script>", "answer": "\udfff"}]
    got = scored(jsonl(tmp_path / "r.jsonl", rows), says, tmp_path)
    assert got[0]["completion"] == "� \x00 <script>"


def test_chat_completions_keep_their_roles(tmp_path):
    turns = [{"role": "assistant", "content": "mine"}, {"role": "tool", "content": "42"}]
    rows = [{"completion": turns, "answer": "42"}, {"completion": turns, "answer": "mine"}]
    for path in (jsonl(tmp_path / "r.jsonl", rows), parquet(tmp_path / "r.parquet", rows)):
        got = scored(path, says, tmp_path, options=Options(fresh=True))
        assert [row["reward"] for row in got] == [0.0, 1.0]


@pytest.mark.parametrize(
    ("row", "error", "message"),
    [
        ({"completoin": "x"}, ColumnError, r"no column `completion`.*Did you mean `completoin`"),
        ({"completion": "x", "anwser": 1}, ColumnError, r"Says reads column `answer`.*Did you mean `anwser`"),
        ({"completion": None, "answer": 1}, RolloutFileError, r"row 0 has no completion"),
        ({"completion": 5, "answer": 1}, RolloutFileError, r"row 0 has a completion of type int"),
    ],
)
def test_wrong_columns_are_one_message(tmp_path, row, error, message):
    with pytest.raises(error, match=message):
        scored(jsonl(tmp_path / "r.jsonl", [row]), says, tmp_path)


def test_missing_columns_that_a_user_names(tmp_path):
    path = jsonl(tmp_path / "r.jsonl", [{"completion": "x", "response": ["a"]}])
    with pytest.raises(ColumnError, match=r"no column `respnse`.*Did you mean `response`"):
        scored(Source(path, explode=("respnse",)), says, tmp_path)
    with pytest.raises(ColumnError, match=r"no column `gt`"):
        scored(Source(path, rename=(("answer", "gt[0]"),)), says, tmp_path)
    with pytest.raises(ColumnError, match=r"row 0: completion are not lists"):
        scored(Source(path, explode=("completion",)), says, tmp_path)
    with pytest.raises(ConfigError, match=r"unknown dialect `vrl`.*Did you mean `verl`"):
        Source(path, dialect="vrl")


def test_what_was_scored_before_a_broken_line_stays(tmp_path):
    path = jsonl(tmp_path / "r.jsonl", [{"completion": str(i), "answer": i, "group": i // 2} for i in range(10)])
    good = path.read_bytes()
    path.write_bytes(good + b"{broken\n")
    with pytest.raises(RolloutFileError, match="line 11") as caught:
        score_file(path, says, tmp_path / "o.parquet", options=small())
    assert "8 rollouts are scored and kept" in caught.value.__notes__[0]
    path.write_bytes(good)
    with pytest.raises(ConfigError, match="--input-changed"):
        score_file(path, says, tmp_path / "o.parquet")
    summary = score_file(path, says, tmp_path / "o.parquet", options=Options(input_changed=True))
    assert (summary.rollouts, summary.scored) == (10, 2)


def test_a_file_that_grew_is_continued(tmp_path):
    rows = [{"completion": str(i), "answer": i} for i in range(10)]
    path, out = jsonl(tmp_path / "r.jsonl", rows[:6]), tmp_path / "o.parquet"
    score_file(path, says, out)
    jsonl(path, rows)
    assert score_file(path, says, out, options=Options(input_changed=True)).scored == 4
    assert pq.read_table(out)["row"].to_pylist() == list(range(10))
    assert not (tmp_path / "o.parquet.parts").exists()


def test_a_finished_result_is_not_scored_again_nor_overwritten(tmp_path):
    path, out = jsonl(tmp_path / "r.jsonl", [{"completion": "1", "answer": 1}]), tmp_path / "o.parquet"
    score_file(path, says, out)
    before = out.read_bytes()
    assert score_file(path, says, out).scored == 0
    with pytest.raises(ConfigError, match=r"other settings \(.*reward.*--fresh"):
        score_file(path, 0.5 * says, out)
    assert out.read_bytes() == before
    assert score_file(path, 0.5 * says, out, options=Options(fresh=True)).scored == 1


def test_patience_with_a_judge_is_no_other_setting(tmp_path):
    from sightline.judges import RemoteJudge
    from sightline.rewards.evidence import CitesEvidence
    from sightline.scoring.facts import facts_of
    from sightline.scoring.piece import Job

    source = Source(jsonl(tmp_path / "r.jsonl", [{"completion": "1"}]))
    patient, hasty, other = (
        facts_of(Job(source, CitesEvidence(judge).named("evidence")))
        for judge in (
            RemoteJudge("http://a/v1", "m"),
            RemoteJudge("http://a/v1", "m", retries=0, timeout_seconds=1),
            RemoteJudge("http://a/v1", "other"),
        )
    )
    assert patient == hasty != other
    assert "m@http://a/v1" in patient["reward"]


def test_a_file_that_is_no_result_is_not_overwritten(tmp_path):
    path, out = jsonl(tmp_path / "r.jsonl", [{"completion": "1", "answer": 1}]), tmp_path / "o.parquet"
    parquet(out, [{"a": 1}])
    with pytest.raises(RolloutFileError, match="not one that sightline scored"):
        score_file(path, says, out)


@pytest.mark.parametrize("fill", [False, True])
def test_failed_rollouts_are_retried_and_no_others(tmp_path, fill):
    rows = [{"completion": f"text {i}", "group": i // 5} for i in range(20)]
    path, out = jsonl(tmp_path / "r.jsonl", rows), tmp_path / "o.parquet"
    reward = Flaky().named("flaky").fill(0.0) if fill else Flaky().named("flaky")
    Flaky.broken = True
    first = score_file(path, reward, out, options=small())
    assert first.parts[1].errors == 2
    Flaky.broken = False
    Flaky.seen.clear()
    summary = score_file(path, reward, out, options=Options(retry_errors=True))
    assert Flaky.seen == ["text 7", "text 17"]
    assert (summary.scored, summary.parts[1].errors, summary.rollouts) == (2, 0, 20)
    got = pq.read_table(out).to_pylist()
    assert [row["row"] for row in got] == list(range(20))
    assert [row["flaky"] for row in got] == [1.0] * 20
    assert sorted(file.name for file in tmp_path.iterdir()) == ["o.parquet", "r.jsonl"]


def test_a_retry_brings_whole_groups_where_they_matter(tmp_path):
    path = jsonl(tmp_path / "r.jsonl", [{"completion": f"text {i}", "group": i // 5} for i in range(20)])
    reward = Flaky().named("flaky") + GroupSize()
    Flaky.broken = True
    score_file(path, reward, tmp_path / "o.parquet")
    Flaky.broken = False
    summary = score_file(path, reward, tmp_path / "o.parquet", options=Options(retry_errors=True))
    assert summary.scored == 10
    assert set(pq.read_table(tmp_path / "o.parquet")["reward"].to_pylist()) == {6.0}


def test_processes_give_the_same_file(tmp_path):
    path = parquet(tmp_path / "r.parquet", [{"completion": str(i), "group": i // 3} for i in range(600)])
    reward = Constant(0.5).named("half") + Constant(1.0).group_count()
    score_file(path, reward, tmp_path / "one.parquet", options=Options(pace=Pace(32, 32, 32)))
    score_file(path, reward, tmp_path / "two.parquet", options=Options(workers=2, pace=Pace(32, 32, 32)))
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()


def test_rows_without_groups_are_noted(tmp_path):
    path = jsonl(tmp_path / "r.jsonl", [{"completion": "1", "prompt": "p"}] * 2)
    assert "no column `group`" in score_file(path, GroupSize(), tmp_path / "o.parquet").notes[0]
    grouped = score_file(Source(path, group=("prompt",)), GroupSize(), tmp_path / "p.parquet")
    assert (grouped.notes, grouped.parts[0].mean) == ((), 2.0)


def test_two_processes_do_not_share_a_folder(tmp_path):
    from sightline.scoring.shards import Shards

    with (
        Shards(tmp_path / "parts", {}),
        pytest.raises(ConfigError, match="another process"),
        Shards(tmp_path / "parts", {}),
    ):
        pass
    assert not (tmp_path / "parts").exists()


def test_marks_in_arrays_become_the_same_rows_as_marks_one_by_one():
    frame = Frame.pixels(100, 50, image=1)
    offsets = np.array([0, 2, 2, 3])
    boxes = BoxMarks(offsets, np.arange(12.0).reshape(3, 4), np.array([0.5, 0.0, 0.25]), frame, "IoU", "none fits")
    plain = [(Mark("char", (1, 2), 1.0, "a"),), (), (Mark("step", (0, 1), -1.0, "b"), Mark("token", (3, 4), 0.0))]
    chained = ChainedMarks((boxes, plain))
    for marks in (boxes, plain, chained, PickedMarks(chained, np.array([2, -1, 0, 2])), NoMarks(2)):
        one_by_one = marks_column([tuple(marks[i]) for i in range(len(marks))])
        assert marks_column(marks).to_pylist() == one_by_one.to_pylist()


def test_tokens_are_counted_by_the_given_tokenizer(tmp_path):
    tokenizers = pytest.importorskip("tokenizers")
    transformers = pytest.importorskip("transformers")
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel({"a": 0, "b": 1, "?": 2}, unk_token="?"))
    words.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    transformers.PreTrainedTokenizerFast(tokenizer_object=words, unk_token="?").save_pretrained(tmp_path / "tok")
    path = jsonl(tmp_path / "r.jsonl", [{"completion": "a b a"}, {"completion": "b"}])
    got = scored(path, Constant(1.0), tmp_path, tokenizer=str(tmp_path / "tok"))
    assert [row["completion_tokens"] for row in got] == [3, 1]
    with pytest.raises(ConfigError, match="no tokenizer at"):
        score_file(path, Constant(1.0), tmp_path / "p.parquet", tokenizer=str(tmp_path / "nothing"))


def test_real_predictions_are_scored(tmp_path):
    shared = Path(os.environ.get("SIGHTLINE_SHARED_DATA", Path(__file__).parents[2] / "../shared/data"))
    file = shared / "visual_rft/mat_coding_3b.json"
    if not file.exists():
        pytest.skip(f"no {file}; set SIGHTLINE_SHARED_DATA")
    source = Source(file, rename=(("completion", "pred_answer"), ("answer", "gt[0]")))
    got = scored(source, says, tmp_path)
    rows = json.loads(file.read_text())
    assert [row["reward"] for row in got] == [float(str(r["gt"][0]) in r["pred_answer"]) for r in rows]


def test_batches_grow_while_they_go_fast():
    pace = Pace(size=64, least=16, most=256)
    for _ in range(3):
        pace.took(0.01, pace.size)
    assert pace.size == 256
    pace.took(9.0, 256)
    assert pace.size == 128


def test_scores_do_not_depend_on_the_batches(tmp_path):
    rows = [{"completion": str(i), "answer": i % 3, "group": i // 4} for i in range(50)]
    path = jsonl(tmp_path / "r.jsonl", rows)
    got = scored(path, says + GroupSize(), tmp_path, options=small())
    whole = (says + GroupSize())(Batch.from_rows(rows))
    assert [row["reward"] for row in got] == whole.values.tolist()
