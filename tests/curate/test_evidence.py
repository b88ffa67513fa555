"""Rows with evidence: what the teacher is asked, what is kept, what a second run does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from PIL import Image

from sightline.core.errors import ColumnError, ConfigError
from sightline.curate import GENERIC_CAPTION, NO_EVIDENCE, SOURCES, EvidenceSource, EvidenceWriter
from sightline.judges import Question, Verdict
from sightline.judges.prompts import Prompt
from sightline.judges.stream import Streamed

asked: list[Question] = []
down: set[str] = set()


@dataclass(frozen=True)
class Teacher(Streamed):
    """Sees how many pictures there are; is down for the questions in `down`."""

    id: str = "teacher"

    def stream(self, ability: Any, questions: Sequence[Question]) -> Iterator[tuple[int, Verdict[Any]]]:
        assert ability == "generate"
        for number, question in enumerate(questions):
            asked.append(question)
            topic = str(question.field("question", "caption"))
            if topic in down:
                yield number, Verdict(error="overloaded")
            else:
                yield number, Verdict(json.dumps([f"{len(question.images)} pictures", topic, question.field("answer")]))


@pytest.fixture(autouse=True)
def _fresh() -> None:
    asked.clear()
    down.clear()


def picture(shade: int) -> Image.Image:
    return Image.new("RGB", (8, 8), (shade, 0, 0))


@pytest.fixture
def rows(tmp_path: Path) -> list[dict[str, Any]]:
    for shade in range(3):
        picture(shade).save(tmp_path / f"{shade}.png")
    images = [[str(tmp_path / f"{shade}.png")] for shade in range(3)]
    return [{"id": n, "question": f"q{n}", "answer": "yes", "images": images[n % 3]} for n in range(6)]


@pytest.fixture
def writer(tmp_path: Path) -> EvidenceWriter:
    return EvidenceWriter(Teacher(), cache=str(tmp_path / "cache.sqlite"), at_once=4)


def read(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("name", ["out.jsonl", "out.parquet"])
def test_rows_keep_their_columns_and_order(
    rows: list[dict[str, Any]], writer: EvidenceWriter, tmp_path: Path, name: str
) -> None:
    tally = writer.write(rows, tmp_path / name, progress=False)
    done = read(tmp_path / name)
    assert [{k: v for k, v in row.items() if not k.startswith("evidence")} for row in done] == rows
    assert [row["evidence"] for row in done] == [["1 pictures", f"q{n}"] for n in range(6)]
    assert {row["evidence_error"] for row in done} == {""}
    assert (tally.rows, tally.asked, tally.known, tally.failed, tally.empty) == (6, 6, 0, 0, 0)
    assert not list(tmp_path.glob("*.part"))


def test_second_run_asks_only_what_failed(rows: list[dict[str, Any]], writer: EvidenceWriter, tmp_path: Path) -> None:
    down.add("q2")
    rows[4]["images"] = [str(tmp_path / "none.png")]
    tally = writer.write(rows, tmp_path / "out.jsonl", progress=False)
    done = read(tmp_path / "out.jsonl")
    assert (tally.asked, tally.failed) == (5, 2)
    assert (done[2]["evidence"], done[2]["evidence_error"]) == (None, "overloaded")
    assert done[4]["evidence"] is None
    assert "none.png" in done[4]["evidence_error"]
    asked.clear()
    down.clear()
    tally = writer.write(rows, tmp_path / "out.jsonl", progress=False)
    assert [question.field("question") for question in asked] == ["q2"]
    assert (tally.known, tally.failed) == (4, 1)
    assert read(tmp_path / "out.jsonl")[2]["evidence"] == ["1 pictures", "q2"]


def test_run_that_is_killed_goes_on(rows: list[dict[str, Any]], writer: EvidenceWriter, tmp_path: Path) -> None:
    def dying() -> Iterator[dict[str, Any]]:
        yield from rows[:5]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        writer.write(dying(), tmp_path / "out.jsonl", progress=False)
    assert len(asked) == 4
    assert not (tmp_path / "out.jsonl").exists()
    writer.write(rows, tmp_path / "out.jsonl", progress=False)
    assert [question.field("question") for question in asked] == [f"q{n}" for n in range(6)]


def test_equal_rows_share_a_call(rows: list[dict[str, Any]], writer: EvidenceWriter) -> None:
    done = list(writer([rows[0], {**rows[0], "id": 9}, rows[1], rows[0]]))
    assert len(asked) == 2
    assert done[0]["evidence"] == done[1]["evidence"] == done[3]["evidence"]


def test_key_holds_what_changes_the_reply(rows: list[dict[str, Any]], writer: EvidenceWriter) -> None:
    words = Prompt("x", "{question} {answer}")
    row, other_words = rows[0], EvidenceSource("question_dependent", words, ("question", "answer"))
    variants: list[tuple[EvidenceWriter, dict[str, Any]]] = [
        (writer, row),
        (writer, {**row, "question": "other"}),
        (writer, {**row, "answer": "no"}),
        (writer, {**row, "images": rows[1]["images"]}),
        (writer, {**row, "answer": "A", "options": ["yes", "no"]}),
        (replace(writer, teacher=Teacher("other")), row),
        (replace(writer, source=other_words), row),
        (replace(writer, frames=8), row),
        (replace(writer, max_tokens=9), row),
    ]  # fmt: skip
    for writes, what in [*variants, *variants]:
        list(writes([what]))
    assert len(asked) == len(variants)


def test_filter_may_change_without_asking_again(rows: list[dict[str, Any]], writer: EvidenceWriter) -> None:
    list(writer(rows[:1]))
    done = list(replace(writer, most=1)(rows[:1]))
    assert (len(asked), done[0]["evidence"]) == (1, ["1 pictures"])


def test_teacher_is_told_the_option_behind_the_letter(rows: list[dict[str, Any]], writer: EvidenceWriter) -> None:
    done = list(writer([{**rows[0], "answer": "B", "options": ["a dog", "the cat"]}]))
    assert "B. the cat" in asked[0].text()
    assert asked[0].sampling.temperature == 0
    assert done[0]["evidence"] == ["1 pictures", "q0"]  # the echoed answer is dropped


def test_generic_caption_sees_only_the_pictures(rows: list[dict[str, Any]], writer: EvidenceWriter) -> None:
    captions = replace(writer, source=GENERIC_CAPTION)
    bare = [{"images": row["images"]} for row in rows]
    done = [json.dumps(row["evidence"]) for row in captions(bare)]
    assert len(asked) == 3  # one per picture
    assert "q0" not in asked[0].text()
    assert "yes" not in asked[0].text()
    assert len(set(done)) == 1


def test_no_evidence_asks_nobody(rows: list[dict[str, Any]], writer: EvidenceWriter) -> None:
    done = list(replace(writer, source=NO_EVIDENCE)([{"question": "q"}]))
    assert done == [{"question": "q", "evidence": [], "evidence_error": ""}]
    assert not asked
    assert set(SOURCES) == {"question_dependent", "generic_caption", "none"}


def test_video_gives_sixteen_small_frames(writer: EvidenceWriter) -> None:
    frames = [Image.new("RGB", (2000, 1000), (shade, 0, 0)) for shade in range(40)]
    done = list(writer([{"question": "q", "answer": "a", "video": frames}]))
    assert done[0]["evidence"] == ["16 pictures", "q"]
    assert {image.size for image in asked[0].images} == {(768, 384)}
    assert [image.getpixel((0, 0))[0] for image in asked[0].images][::15] == [0, 39]
    assert frames[0].size == (2000, 1000)


def test_nothing_seen_is_an_empty_list_not_a_failure(rows: list[dict[str, Any]], writer: EvidenceWriter) -> None:
    row = {**rows[0], "question": "yes", "images": rows[0]["images"]}
    done = list(replace(writer, most=0)([row]))
    assert (done[0]["evidence"], done[0]["evidence_error"]) == ([], "")


def test_callers_mistakes_are_named(rows: list[dict[str, Any]], writer: EvidenceWriter, tmp_path: Path) -> None:
    with pytest.raises(ColumnError, match="Did you mean `answers`"):
        list(writer([{"question": "q", "answers": "a", "image": picture(0)}]))
    with pytest.raises(ColumnError, match="video"):
        list(writer([{"question": "q", "answer": "a"}]))
    with pytest.raises(ConfigError, match=r"out\.csv"):
        writer.write(rows, tmp_path / "out.csv")
    with pytest.raises(ConfigError, match="parquet"):
        writer.write([{**rows[0], "image": picture(0)}], tmp_path / "out.jsonl", progress=False)
    with pytest.raises(ConfigError, match="Parquet"):
        writer.write([{**rows[0], "image": picture(0)}], tmp_path / "out.parquet", progress=False)


def test_empty_picture_list_is_a_failure_of_the_row(rows: list[dict[str, Any]], writer: EvidenceWriter) -> None:
    done = list(writer([{**rows[0], "images": []}, rows[1]]))
    assert [bool(row["evidence_error"]) for row in done] == [True, False]


def test_progress_goes_to_the_error_stream(
    rows: list[dict[str, Any]], writer: EvidenceWriter, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    writer.write(rows, tmp_path / "out.jsonl")
    out, err = capsys.readouterr()
    assert out == ""
    assert "6/6" in err
