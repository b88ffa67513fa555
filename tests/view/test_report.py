"""The page holds what it must, shows hostile text as text, and needs nothing from outside."""

import json
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from sightline import Frame, Mark, RowReward, Score, abstain, failed
from sightline.core.errors import RolloutFileError
from sightline.scoring import score_file
from sightline.view import report
from sightline.view.overview import group_spread
from sightline.view.report import picked
from sightline.view.results import read_results

EVIL = '<script>alert("x")</script><img src=x onerror=alert(1)>'


@dataclass(frozen=True)
class Mixed(RowReward):
    """Row number tenths, with marks; every seventh abstains, every eighth fails."""

    def row(self, rollout):
        number = rollout["number"]
        if number % 7 == 6:
            return abstain(f"nothing here {EVIL}")
        if number % 8 == 7:
            return failed("judge said 503")
        frame = Frame.thousand()
        marks = (
            Mark("char", (0, 5), 1.0, f"fine {EVIL}"),
            Mark("box", (100, 100, 500, 500), float(number > 20), "IoU 0.9", frame),
        )
        return Score(number // 8 / 10, "why & <how>", marks)


class Page(HTMLParser):
    """Tags with their attributes, and all text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def scored(tmp_path) -> Path:
    Image.new("RGB", (200, 100), "red").save(tmp_path / "red.png")
    rows = [
        {
            "completion": f"<think>a red ball {number}</think>{EVIL}",
            "prompt": [{"role": "user", "content": f"what is it? {EVIL}"}],
            "number": number,
            "group": number // 8,
            "images": ["red.png"] if number % 3 else ["gone.png"],
            "solution": "[[200, 200, 600, 600]]",
            "evidence": ["a red ball", "a blue cube <b>far</b> away"],
        }
        for number in range(40)
    ]
    path = tmp_path / "rollouts.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    score_file(path, Mixed().named("evidence"), tmp_path / "scored.parquet")
    return tmp_path / "scored.parquet"


def page_of(path: Path, out: Path, **more) -> tuple[str, Page]:
    html = report(path, out, **more).read_text("utf-8")
    return html, Page(html)


def test_hostile_text_stays_text(scored, tmp_path):
    html, page = page_of(scored, tmp_path / "r.html", title=EVIL)
    assert len(page.all("script")) == 1
    assert all((image["src"] or "").startswith("data:image/jpeg;base64,") for image in page.all("img"))
    assert not any("onerror" in attributes for _, attributes in page.tags)
    assert html.count("<script") == 1
    assert EVIL in page.text


def test_the_page_needs_nothing_from_outside(scored, tmp_path):
    html, page = page_of(scored, tmp_path / "r.html")
    addresses = [a[name] or "" for _, a in page.tags for name in ("src", "href", "xlink:href", "action") if name in a]
    assert addresses
    assert all(address.startswith("data:") for address in addresses)
    assert not re.search(r"url\(|@import", html)
    assert not page.all("link")


def test_boxes_are_drawn_where_they_are(scored, tmp_path):
    _, page = page_of(scored, tmp_path / "r.html")
    rectangles = {
        (r["class"], r["x"], r["y"], r["width"], r["height"]) for r in page.all("rect") if r["class"] != "bar"
    }
    assert ("gold", "40.00", "20.00", "80.00", "40.00") in rectangles
    assert ("hit", "20.00", "10.00", "80.00", "40.00") in rectangles
    assert ("miss", "20.00", "10.00", "80.00", "40.00") in rectangles


def test_gold_boxes_of_a_rollout_without_boxes_use_the_frame_of_the_others(scored, tmp_path):
    from sightline.view.pictures import pictures, shared_frame

    rows = pq.read_table(scored).to_pylist()
    bare = {**rows[1], "marks": []}
    shown = pictures(bare, [tmp_path], shared_frame(rows))
    assert [(box.kind, box.x, box.width) for box in shown[0].boxes] == [("gold", 40.0, 80.0)]


def test_missing_pictures_say_so(scored, tmp_path):
    _, page = page_of(scored, tmp_path / "r.html")
    assert "gone.png" in page.text
    assert {"class": "problem"} in page.all("div")


def test_claims_are_marked_supported_or_not(scored, tmp_path):
    _, page = page_of(scored, tmp_path / "r.html")
    kinds = [item["class"] for item in page.all("li")]
    assert kinds.count("supported counted") == kinds.count("missing counted") > 5
    assert "3 of 3 words" not in page.text
    assert "2 of 2 words" in page.text


def test_counts_tell_missing_values_apart(scored):
    results = read_results([scored])
    abstained = sum(n % 7 == 6 for n in range(40))
    errors = sum(n % 8 == 7 and n % 7 != 6 for n in range(40))
    for part in results.parts:
        assert (part.abstained, part.errors, len(part.known)) == (abstained, errors, 40 - abstained - errors)
    groups = group_spread(results)
    assert (groups.several, groups.dead) == (5, 5)


def test_worst_and_best_are_the_worst_and_best(scored):
    results = read_results([scored])
    chosen = list(picked(results, 2))
    rewards = results.reward.values
    assert [rewards[row] for kind, row in chosen if kind == "worst"] == [0.0, 0.1]
    assert [rewards[row] for kind, row in chosen if kind == "best"] == [0.4, 0.3]
    assert [kind for kind, _ in chosen].count("unscored") == 1
    assert [row["number"] for row in results.rows([39, 0, 17])] == [39, 0, 17]


def write_run(folder: Path, lines: list[dict]) -> None:
    folder.mkdir()
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_a_run_shows_curves_and_its_last_rollouts(scored, tmp_path):
    run = tmp_path / "run"
    lines = [{"stage": "cold", "step": s, "loss": 1 / s} for s in range(1, 4)]
    lines += [
        {"stage": "GRPO", "step": s, "reward": s, "rewards/part/mean": s / 9, "rewards/part/std": 0.1, "kl": None}
        for s in range(1, 9)
    ]
    write_run(run, lines)
    (run / "rollouts").mkdir()
    table = pq.read_table(scored)
    for step in (2, 10):
        table = table.append_column("step", pa.array([step] * 40)) if step == 2 else table
        pq.write_table(table, run / "rollouts" / f"train-{step:06d}.parquet")
    html, page = page_of(run, tmp_path / "run.html")
    assert "Training: cold" in page.text
    assert "Training: GRPO" in page.text
    assert html.count('<polygon class="band"') == 1
    assert html.count('<polyline class="line"') == 3
    assert "80rollouts" in page.text.replace("\n", "").replace(" ", "")
    assert group_spread(read_results(sorted((run / "rollouts").iterdir()))).several == 10


def test_a_run_without_rollouts_yet_is_shown(tmp_path):
    write_run(tmp_path / "run", [{"stage": "s", "step": 1, "loss": 1.0}])
    with (tmp_path / "run" / "metrics.jsonl").open("a") as file:
        file.write('{"stage": "s", "st')
    _, page = page_of(tmp_path / "run", tmp_path / "r.html")
    assert "Training: s" in page.text


def test_what_is_no_result_is_one_message(tmp_path):
    pq.write_table(pa.table({"a": [1]}), tmp_path / "a.parquet")
    with pytest.raises(RolloutFileError, match="score it first"):
        report(tmp_path / "a.parquet", tmp_path / "r.html")
    (tmp_path / "b.parquet").write_bytes(b"PAR1")
    with pytest.raises(RolloutFileError, match="not a complete Parquet file"):
        report(tmp_path / "b.parquet", tmp_path / "r.html")
    with pytest.raises(RolloutFileError, match="there is no such file"):
        report(tmp_path / "c.parquet", tmp_path / "r.html")
    with pytest.raises(RolloutFileError, match="not a training run"):
        report(tmp_path, tmp_path / "r.html")


def test_results_without_the_columns_of_the_file_are_shown(scored, tmp_path):
    score_file(tmp_path / "rollouts.jsonl", Mixed(), tmp_path / "lean.parquet", lean=True)
    _, page = page_of(tmp_path / "lean.parquet", tmp_path / "r.html")
    assert "row 0" in page.text


def test_an_empty_part_and_one_value_have_charts():
    from sightline.view.charts import SPOTS, Curve, curve, histogram

    assert "no value" in histogram(np.array([np.nan]))
    assert "no value" in curve(Curve("x", np.array([1.0]), np.array([np.nan])))
    for values in ([3.0], [np.inf, 1.0], list(range(100))):
        assert "nan" not in histogram(np.array(values, float))
    gaps = curve(Curve("x", np.array([1.0, 2, 3]), np.array([1, np.nan, 2]), np.array([1, 1, np.nan])))
    assert "nan" not in gaps
    assert re.findall('data-tip="(.*?)"', gaps) == ["step 1: 1 ± 1", "step 3: 2"]
    assert curve(Curve("x", np.arange(5000.0), np.arange(5000.0))).count("data-tip") == SPOTS
