"""Described pictures: media of every kind, colours as they are, judges that fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import sightline
from sightline.core import Batch
from sightline.core.errors import ColumnError
from sightline.curate.chains import ChainWriter, kept
from sightline.judges import ColourEmbedder, Question, ScriptedJudge, Verdict
from sightline.media.degrade import wrapped_negative
from sightline.media.images import data_url
from sightline.metrics.embeddings import cosine_of_mean, pooled_embedding, pooled_score, unit_rows
from sightline.parse.description import Description
from sightline.rewards.answers import Answer, rouge_mean, same_text
from sightline.rewards.video_text import DescribesPictures

RED, BLUE = Image.new("RGB", (8, 8), (250, 10, 10)), Image.new("RGB", (8, 8), (10, 10, 250))
SAYS_RED = "<think>Let me look. A red wall.</think>"


def value(images: object, said: str = SAYS_RED, **columns: object) -> float:
    given = {"images": [images], **{name: [column] for name, column in columns.items()}}
    return float(DescribesPictures(ColourEmbedder())(Batch([said], given)).values[0])


def test_pictures_of_every_kind_are_seen_in_their_colours(tmp_path: Path) -> None:
    """A released reward hands its encoder inverted colours: there a red wall is cyan."""
    path = tmp_path / "red.png"
    RED.save(path)
    kinds = [[RED], [str(path)], [path.read_bytes()], [{"path": str(path)}], [np.asarray(RED)], [data_url(RED)], RED]
    assert [value(kind) for kind in kinds] == [1.0] * len(kinds)
    assert value(np.array([str(path)] * 2)) == 1
    assert value(np.array(["nowhere.png"])) == 0
    assert value([BLUE]) == 0


def test_released_code_shows_complementary_colours_of_videos_only() -> None:
    spoilt = DescribesPictures(ColourEmbedder(), video_as=wrapped_negative)
    yellow, blue = np.zeros((2, 4, 4, 3), np.uint8), np.zeros((2, 4, 4, 3), np.uint8)
    yellow[..., :2], blue[..., 2] = 250, 250  # the complement of blue is black but for 6 of 256

    def worth(images: object, kind: str, said: str) -> float:
        columns = {"images": [images], "data_type": [kind]}
        return float(spoilt(Batch([f"<think>Look. A {said} wall.</think>"], columns)).values[0])

    assert worth(yellow, "image", "yellow") == worth(list(blue), "image", "blue") == 1
    assert worth(blue, "video", "blue") == 0
    assert worth(blue, "video", "black") == worth(list(blue), "video", "black") == 1
    assert worth([[0.0] * 4 + [1.0] + [0.0] * 3], "video", "blue") == 1, "embeddings are no pictures"
    assert sightline.load("videorft").official is not None
    nodes = sightline.load("videorft").variant("official").walk()
    assert [node.video_as for node in nodes if isinstance(node, DescribesPictures)] == [wrapped_negative]


def test_stacked_frames_and_embeddings() -> None:
    assert value(np.stack([np.asarray(RED), np.asarray(RED)])) == 1
    assert value(np.array([[0, 0, 1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1, 0, 0, 0]])) == 1
    assert value([0, 0, 1, 0, 0, 0, 0, 0]) == 1


def test_numbers_that_are_not_finite_are_nobodys_merit() -> None:
    with pytest.raises(ColumnError, match="row 0 has an embedding with numbers that are not finite"):
        value([[float("nan")] * 8])
    reward = DescribesPictures(ScriptedJudge(((float("nan"), 1.0),)))
    scores = reward(Batch([SAYS_RED], {"images": [[[0.0, 1.0]]]}))
    assert scores.errors.tolist() == [True]


def test_frames_of_a_video_file(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    path = tmp_path / "red.mp4"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 32
        for _ in range(6):
            frame = av.VideoFrame.from_image(RED.resize((32, 32)))
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    assert value(str(path), data_type="video") == 1
    assert value(path.read_bytes(), data_type="video") == 1


@dataclass(frozen=True)
class Counts:
    """An encoder that counts how often it is asked."""

    log: tuple[list[int], ...] = ([],)
    id: str = "counts"

    def __hash__(self) -> int:
        return 0

    def embed(self, questions: Sequence[Question]) -> list[Verdict[tuple[float, ...]]]:
        self.log[0].append(len(questions))
        return ColourEmbedder().embed(questions)


def test_pictures_of_a_group_are_embedded_once(tmp_path: Path) -> None:
    path = str(tmp_path / "red.png")
    RED.save(path)
    judge = Counts()
    batch = Batch([SAYS_RED, SAYS_RED, SAYS_RED + "x"], {"images": [[path, BLUE]] * 3})
    DescribesPictures(judge)(batch)
    assert judge.log[0] == [3]  # one text, two pictures


def test_embeddings_in_place_of_pictures() -> None:
    assert value([[0, 0, 1, 0, 0, 0, 0, 0]]) == 1
    scores = DescribesPictures(ColourEmbedder())(Batch([SAYS_RED], {"images": [[[1.0, 0.0]]]}))
    assert scores.errors.all()
    assert "lengths" in scores.why[0]


@pytest.mark.parametrize("broken", [["/nowhere.png"], [b"no picture"], "/nowhere.png"])
def test_unreadable_media_are_low_with_a_reason(broken: object) -> None:
    scores = DescribesPictures(ColourEmbedder())(Batch([SAYS_RED], {"images": [broken]}))
    assert scores.values[0] == 0
    assert "unreadable media" in scores.why[0]


@pytest.mark.parametrize("nothing", [None, [], ()])
def test_no_pictures_at_all_is_the_callers_mistake(nothing: object) -> None:
    with pytest.raises(ColumnError, match="`images` of row 0"):
        value(nothing)


def test_a_closed_gate_costs_no_embedding() -> None:
    system = sightline.load("videorft").with_judge(Counts(log=(log := [],)))
    row = {**system.specimen[0], "completion": SAYS_RED + "<answer>A</answer>", "images": [RED]}
    assert system.reward(Batch.from_rows([row])).values[0] == 1
    assert log == []


vectors = st.lists(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3), min_size=1, max_size=5)


@given(vectors, vectors)
def test_pools_stay_in_range(text: list[list[float]], frames: list[list[float]]) -> None:
    for pool in (pooled_embedding, pooled_score):
        assert 0 <= pool(text[0], frames, 2.0) <= 1
    assert -1 - 1e-9 <= cosine_of_mean(text[0], frames) <= 1 + 1e-9
    lengths = np.linalg.norm(unit_rows(frames), axis=1)
    assert all(abs(length - 1) < 1e-9 or length == 0 for length in lengths)


@given(st.text())
def test_descriptions_lie_in_the_text(text: str) -> None:
    for describe in (Description(), Description(fallback=False), Description("full_think")):
        found = describe(text)
        assert text[found.start : found.end] == found.text


def test_chains_are_corrected_and_kept() -> None:
    record, blind = ScriptedJudge(("{}",)), ScriptedJudge(("<think>a</think>", "<think>b</think>"))
    viewer = ScriptedJudge(("<answer>B</answer>", Verdict(error="down")))
    rows = ChainWriter(record, blind, viewer)([{"question": "?" * i, "images": [RED]} for i in (1, 2)])
    assert [row["chain"] for row in rows] == ["<answer>B</answer>", None]
    assert rows[1]["chain_error"] == "down"
    assert "record" not in rows[0]
    free = [
        {"chain": f"<answer>{text}</answer>", "answer": "a red dog", "problem_type": "free-form", "source": source}
        for source in "st"
        for text in ("a red dog", "a dog", "cats", "a red cat")
    ]
    best = kept(free, Answer(same_text), Answer(rouge_mean))
    assert [(row["chain"][8:-9], row["source"]) for row in best] == [
        ("a red dog", "s"),
        ("a red cat", "s"),
        ("a red dog", "t"),
        ("a red cat", "t"),
    ]
