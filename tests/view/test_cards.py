"""Rollouts as cards: bars, marks in words, boxes and tracks; what a judge was asked is found again."""

import math
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from sightline import Frame
from sightline.core.errors import ConfigError, MissingExtra
from sightline.judges import CachedJudge
from sightline.media.located import MEDIA, located
from sightline.rewards.reward import with_judge
from sightline.scoring import Source, score_file
from sightline.view.cards import Scales, card
from sightline.view.desk import Desk
from sightline.view.inspector import LATELY, Inspector
from sightline.view.pictures import gold_tracks, pictures, strengths
from sightline.view.questions import Recall
from sightline.view.results import read_results
from tests.view.scenes import GROUP, STRICT, MoodyJudge, write


def mark(unit, place, value, why="", frame=None):
    return {"unit": unit, "place": place, "value": value, "why": why, "frame": frame}


def unit_frame(image=0):
    frame = Frame.unit(image)
    return {"width": frame.width, "height": frame.height, "kind": frame.kind, "image": frame.image}


def test_bars_say_why_there_is_no_number():
    scales = Scales({"cost": (-2.0, 1.0)})
    bar = scales.bar("cost", -1.0, "a claim is wrong")
    assert (bar.left, bar.width, bar.zero, bar.negative) == (33.33, 33.33, 66.67, True)
    states = {why: scales.bar("cost", None, why).state for why in ("error: 503", "abstain: no gold")}
    assert states == {"error: 503": "failed", "abstain: no gold": "abstained"}
    closed = scales.bar("cost", math.nan, "abstain: not evaluated: gate closed: accuracy <= 0.1")
    assert (closed.state, closed.why) == ("closed", "not evaluated: gate closed: accuracy <= 0.1")


def test_strength_is_the_share_of_the_largest():
    assert strengths([2.0, -1.0, 0.1, 0.0, math.nan]) == [1.0, 0.5, 0.3, 1.0, 1.0]
    assert strengths([]) == []


def test_marks_in_words_those_of_one_place_together():
    marks = [
        mark("box", [0, 0, 5, 5], 1.0, "IoU 1"),
        mark("char", [0, 3], 0.5),
        mark("box", [0, 0, 5, 5], 0.9, "honest"),
        mark("step", [2, 4], -1.0, "wrong"),
    ]
    row = {"reward": 1.0, "why": "", "completion": "one two", "marks": marks, "row": 4}
    shown = card(row, 4, [], Scales(), [])
    assert [one.number for one in shown.marks] == [0, 2, 1, 3]
    assert [one.place for one in shown.marks] == ["0, 0, 5, 5", "0, 0, 5, 5", "“one”", "2 to 4"]
    ((unit, (step,)),) = shown.lines
    assert (unit, step.kind, step.left, step.width) == ("step", "miss", 50.0, 50.0)


def test_boxes_that_several_parts_pay_for_are_drawn_once(tmp_path):
    same = [mark("box", [0.5, 0, 1, 1], v, w, unit_frame()) for v, w in ((0.9, "IoU 0.9"), (-0.2, "unsure"))]
    (shown,) = pictures({"image": Image.new("RGB", (40, 20)), "marks": same}, [tmp_path])
    (box,) = shown.boxes
    assert (box.x, box.width, box.kind, box.label, box.marks) == (20, 20, "mixed", "IoU 0.9 · unsure", (0, 1))


def test_tracks_run_through_the_frames(tmp_path):
    frames = [Image.new("RGB", (100, 100))] * 3
    items = {str(at): {"cat": [[0.1 * at, 0, 0.1 * at + 0.2, 0.2]]} for at in (0, 2)}
    said = [mark("box", [0, 0.1 * at, 0.2, 0.1 * at + 0.2], 1.0, "", unit_frame(at)) for at in range(3)]
    shown = pictures({"images": frames, "key_items": items, "marks": said}, [tmp_path])
    ways = [{trail.kind: trail for trail in one.trails} for one in shown]
    assert [way["gold"].here for way in ways] == [(10, 10), None, (30, 10)]
    assert ways[1]["gold"].points == ((10, 10), (30, 10))
    assert len(ways[0]["said"].points) == 3
    assert [[box.kind for box in one.boxes] for one in shown] == [["gold", "hit"], ["hit"], ["gold", "hit"]]


@pytest.mark.parametrize("items", [None, "x", {}, {"a": {"cat": [[0, 0, 1, 1]]}}, {"0": {"cat": [[0, 1]]}}])
def test_tracks_that_are_none(items):
    assert not gold_tracks({"key_items": items})


def test_tracks_in_pixels():
    assert gold_tracks({"key_items": {"3": {"cat": [[10, 20, 30, 40]]}}, "image_size": [100, 200]}) == {
        3: [("cat", (0.1, 0.1, 0.3, 0.2))]
    }


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("judged")
    verdicts = folder / "verdicts.sqlite"
    reward = with_judge(STRICT, CachedJudge(MoodyJudge(), str(verdicts)))
    score_file(Source(write(folder)), reward, folder / "scored.parquet")
    return read_results([folder / "scored.parquet"]), verdicts


def test_what_was_asked_is_found_again_and_nobody_is_asked(judged):
    results, verdicts = judged
    recall = Recall(STRICT, verdicts, located, MEDIA)
    names = tuple(part.name for part in results.parts)
    for row, answer, judge in ((0, "1", "lab:words"), (7, "", "")):
        (asked,) = recall(results.rows([row]), names, results.folders()[0])
        assert (asked.answer, asked.judge, asked.ability) == (answer, judge, "generate")
        assert "Where are the" in asked.about
    assert not recall.whole_groups


def test_recall_says_what_is_wrong(judged, tmp_path):
    _, verdicts = judged
    with pytest.raises(ConfigError, match="there is no such file"):
        Recall(STRICT, tmp_path / "none.sqlite", located, MEDIA)
    with pytest.raises(ConfigError, match="asks no judge"):
        Recall(STRICT.terms[0], verdicts, located, MEDIA)
    (tmp_path / "text.sqlite").write_text("no database")
    broken = Recall(STRICT, tmp_path / "text.sqlite", located, MEDIA)
    with pytest.raises(ConfigError, match="not a store of verdicts"):
        broken([{"completion": "x"}], (), tmp_path)
    other = Recall(STRICT, verdicts, located, MEDIA)
    with pytest.raises(ConfigError, match="not scored by this system"):
        other([{"completion": "x"}], (), tmp_path)


def test_the_pages_of_a_group_name_each_other(judged):
    results, verdicts = judged
    inspector = Inspector.of(results.files[0], recall=Recall(STRICT, verdicts, located, MEDIA))
    rollout, group = inspector.open(10)
    assert group.count('class="sibling') == GROUP
    assert 'data-card="10"' in rollout
    assert "asked of the judge" in rollout
    assert inspector.find({"row": "no row"}) == inspector.find({"row": 10**9}) == inspector.find({})


def test_pictures_seen_lately_are_not_decoded_again(judged, monkeypatch):
    from sightline.media import images

    results, _ = judged
    loaded, load = [], images.load
    monkeypatch.setattr(images, "load", lambda source, folder: loaded.append(source) or load(source, folder))
    inspector = Inspector.of(results.files[0], results.files[0])
    for _ in range(3):
        inspector.find({"row": 1})
    assert len(loaded) == 1
    for row in range(2, 2 + LATELY):
        inspector.open(row)
    assert len(inspector._lately) == LATELY
    inspector.open(1)
    assert len(loaded) == LATELY + 2


def test_results_without_texts_say_why(tmp_path):
    pq.write_table(pa.table({"reward": [0.5], "why": [""]}), tmp_path / "lean.parquet")
    assert "scored with --lean" in Inspector.of(tmp_path / "lean.parquet").find({})["rollout"]


def test_texts_that_would_take_long_to_read_are_left_out(tmp_path):
    long = pa.array(["word " * 40_000] * 400)
    columns = {"reward": [0.5] * 400, "why": [""] * 400, "completion": long, "group": list(range(400))}
    pq.write_table(pa.table(columns), tmp_path / "long.parquet", use_dictionary=False)
    items = Inspector.of(tmp_path / "long.parquet").items([3])
    assert (items[0].snippet, items[0].reward) == ("", "0.5")


def test_without_gradio_the_message_names_both_ways(judged, monkeypatch):
    from sightline.view import live

    monkeypatch.setitem(sys.modules, "gradio", None)
    with pytest.raises(MissingExtra, match=r"sightline\[view\]") as caught:
        live.application(Desk(lambda: Inspector.of(judged[0].files[0]), ()))
    assert any("--static" in note for note in caught.value.__notes__)
