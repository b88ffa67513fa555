"""The pictures of the documentation, made from what the tests make; each page is checked before it is taken.

`SIGHTLINE_SCREENSHOTS=docs/img pytest tests/view/test_screenshots.py` rewrites those of the documentation.
"""

import json
import os

import pytest

from sightline.lab.worlds import tracks
from sightline.scoring import Source, score_file
from sightline.system import load
from sightline.view import report
from tests.view.conftest import running
from tests.view.scenes import GROUP

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.xdist_group("browser"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]
TITLE = "Paid for right answers that cite what is seen"
STEPS = 60 if os.environ.get("SIGHTLINE_SCREENSHOTS") else 4  # a curve to look at takes some steps


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a real, if short, training run: an arm of the demonstration."""
    from rich.console import Console

    from sightline.lab import demo

    folder = tmp_path_factory.mktemp("run") / "evidence"
    demo.trained("evidence", folder, STEPS, Console(quiet=True))
    return folder


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Clips with tracks, and what a policy that follows them more or less says."""
    folder = tmp_path_factory.mktemp("clips")
    (folder / "frames").mkdir()
    lines = []
    for number, row in enumerate(tracks.Tracks(frames=8, paces=(2,)).rows(3, "train", seed=4)):
        names = [f"frames/{number}-{frame}.png" for frame in range(len(row["images"]))]
        for name, image in zip(names, row.pop("images"), strict=True):
            image.save(folder / name)
        (thing, motion), seen = next(iter(row["gt_motion"].items())), row["key_items"]
        for drift, way in ((0.0, motion["dir"]), (0.03, motion["dir"]), (0.12, "STAT")):
            places = [[round(side + drift, 3) for side in seen[str(at)][thing][0]] for at in (0, 3, 7)]
            moves = f'<motion obj="{thing}" dir="{way}" speed="{motion["speed"]}" scale="{motion["scale"]}"/>'
            said = " ".join(
                f"<obj>{thing}</obj><box>{place}</box>at<t>{at}</t>s"
                for place, at in zip(places, (0, 3, 7), strict=True)
            )
            text = f"<think>{said} {moves}</think><answer>{row['answer']}</answer>"
            data = {
                name: row[name] for name in ("answer", "task", "key_frames", "key_items", "image_size", "gt_motion")
            }
            question = row["prompt"][0]["content"][-1]["text"]
            lines.append(json.dumps({"completion": text, "prompt": question, "images": names, "group": number, **data}))
    (folder / "clips.jsonl").write_text("\n".join(lines), "utf-8")
    score_file(Source(folder / "clips.jsonl"), load("motion-o").reward, folder / "clips.parquet")
    return folder / "clips.parquet"


def taken(opened, path, **options):
    """A screenshot of a page that looks as it should."""
    assert opened.overflow() <= 0
    assert opened.complaints == []
    opened.page.screenshot(path=path, **options)
    assert path.stat().st_size > 20_000


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_one_result(tab, single, pictures, scheme):
    opened = tab(f"{single}/#row={GROUP + 3}", height=1010, scheme=scheme)
    page = opened.page
    page.wait_for_selector(f'#rollout [data-card="{GROUP + 3}"]')
    page.click("#rollout rect.hit >> nth=0")
    page.wait_for_selector("#rollout .marks button.on")
    page.click("#rollout .judged summary")
    page.evaluate("document.querySelector('#rollout').scrollTop = 0")
    for piece in (
        ".bars",
        ".picture rect.gold",
        ".picture rect.mixed",
        "mark.hit",
        ".claims",
        ".judged pre",
        "#group .sibling.on",
        ".pager",
    ):
        assert page.locator(piece).first.is_visible(), piece
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(json.loads(paper.replace("rgb(", "[").replace(")", "]"))) < 200) == (scheme == "dark")
    taken(opened, pictures / ("inspector.png" if scheme == "light" else "inspector-dark.png"))


def test_two_results(tab, double, pictures):
    opened = tab(f"{double}/#order=apart&disagree=yes")
    opened.page.wait_for_selector("#listing .difference.more")
    opened.page.wait_for_function("document.querySelectorAll('#rollout [data-variant]').length === 2")
    assert opened.page.is_checked("[name=disagree]")
    taken(opened, pictures / "inspector-beside.png")


def test_a_run_and_its_report(tab, browser, run, pictures, tmp_path, monkeypatch):
    with running(run.name, "--title", TITLE, folder=run.parent) as address:
        opened = tab(address)
        opened.page.click("[data-tab=overview]")
        opened.page.wait_for_selector("#overview .tile polyline >> nth=0", state="visible")
        assert not opened.page.is_visible("#listing")
        taken(opened, pictures / "inspector-run.png")
    monkeypatch.chdir(run.parent)
    page = report(run.name, tmp_path / "r.html", title=TITLE, shown=3)
    opened = tab(page.as_uri(), width=1180, height=1830)
    opened.page.wait_for_selector("article")
    assert opened.page.is_visible("article .bars >> nth=0")
    opened.page.fill("#search", "nobody wrote this")
    opened.page.wait_for_function("[...document.querySelectorAll('article')].every(one => one.hidden)")
    opened.page.fill("#search", "")
    opened.page.wait_for_selector("article >> nth=0", state="visible")
    opened.page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    taken(opened, pictures / "report.png")


def test_frames_of_a_clip(tab, browser, clips, pictures):
    with running(clips.name, folder=clips.parent) as address:
        opened = tab(f"{address}/#row=1", height=760)
        page = opened.page
        page.wait_for_selector('#rollout [data-card="1"] .strip')
        assert page.locator("#rollout [data-frame]:visible").count() == 1
        page.click("#rollout [data-thumb='5']")
        page.wait_for_selector("#rollout [data-frame='5']", state="visible")
        page.focus("#rollout [data-slider]")
        page.keyboard.press("ArrowLeft")
        page.wait_for_selector("#rollout [data-frame='4']", state="visible")
        assert page.get_attribute("#rollout [data-frame='4'] .trail.gold", "points").count(",") == 8
        assert page.is_visible("#rollout [data-frame='4'] rect.gold")
        taken(opened, pictures / "inspector-frames.png")
