"""The inspector under real clicks: what a user does, does what it should; hostile text does nothing."""

import json
import urllib.error
import urllib.request

import numpy as np
import pytest

from sightline.view.inspector import STEP
from sightline.view.results import read_results
from tests.view.scenes import EVIL, GROUP, GROUPS, HOSTILE_GROUP, OVERLOADED

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("browser")]
ALL = GROUPS * GROUP


def found(page, count: int) -> None:
    """Wait until the list says that so many rollouts were found."""
    page.wait_for_function("n => document.querySelector('.found b')?.textContent === n", arg=f"{count:,}")


def shown(page, row: int) -> None:
    page.wait_for_selector(f'#rollout [data-card="{row}"]')


def rows(page) -> list[int]:
    return [int(one.get_attribute("data-row")) for one in page.query_selector_all("#listing [data-row]")]


def test_filters_and_order(tab, single, scored):
    page = tab(single).page
    results = read_results([scored[0]])
    found(page, ALL)
    page.select_option("[name=state]", "failed")
    found(page, int(results.reward.errors))
    page.click("text=clear")
    found(page, ALL)
    page.select_option("[name=part]", "iou")
    page.fill("[name=low]", "0.9")
    found(page, int((results.numbers("iou").values >= 0.9).sum()))
    page.fill("[name=low]", "")
    page.fill("[name=reason]", "4 OF 5 gold")
    found(page, int(results.holding("why_iou", "4 of 5 gold").sum()))
    page.fill("[name=reason]", "")
    page.fill("[name=group]", "scene 3")
    found(page, GROUP)
    page.fill("[name=group]", "")
    page.fill("[name=text]", "hard to say")
    found(page, GROUPS)
    page.click("text=clear")
    page.select_option("[name=order]", "highest")
    best = int(np.nanargmax(results.reward.values))
    shown(page, best)
    assert rows(page)[0] == best
    page.fill("[name=text]", "nobody wrote this")
    found(page, 0)
    assert page.is_visible("text=No rollout passes this filter.")


def test_choosing_rollouts_by_mouse_and_by_key(tab, single):
    page = tab(single).page
    shown(page, 0)
    page.click('#listing [data-row="2"]')
    shown(page, 2)
    assert page.get_attribute('#listing [data-row="2"]', "aria-selected") == "true"
    page.click('#group [data-row="5"]')
    shown(page, 5)
    page.wait_for_selector('#group [data-row="5"].on')
    page.keyboard.press("j")
    shown(page, 6)
    assert "row=6" in page.url


def test_an_address_brings_back_what_was_seen(tab, single):
    page = tab(f"{single}/#group=scene+3&order=lowest&row=30").page
    found(page, GROUP)
    shown(page, 30)
    assert page.input_value("[name=group]") == "scene 3"


def test_pages_of_the_list(tab, single):
    page = tab(single).page
    found(page, ALL)
    assert rows(page) == list(range(STEP))
    page.click("[aria-label='page on']")
    shown(page, STEP)
    assert rows(page) == list(range(STEP, 2 * STEP))
    page.click("[aria-label='page on']")
    shown(page, 2 * STEP)
    assert page.is_disabled("[aria-label='page on']")
    page.click("[aria-label='page back']")
    shown(page, STEP)


def test_a_mark_is_one_thing_wherever_it_is_shown(tab, single):
    page = tab(single).page
    shown(page, 0)
    page.click("#rollout rect.hit >> nth=0")
    page.wait_for_selector("#rollout .marks button.on")
    chosen = page.eval_on_selector("#rollout rect.on", "one => one.dataset.mark").split()
    listed = page.eval_on_selector_all("#rollout .marks button.on", "all => all.map(one => one.dataset.mark)")
    assert listed == chosen
    page.click("#rollout mark.hit >> nth=0")
    page.wait_for_selector("#rollout mark.on")
    assert page.query_selector("#rollout rect.on") is None
    assert page.is_visible("#rollout .marks button.on >> text=cites the evidence")
    page.click("#rollout mark.on >> nth=0")
    page.wait_for_function("!document.querySelector('#rollout .on')")


def test_judge_question_and_answer(tab, single):
    page = tab(f"{single}/#row=0").page
    page.click("#rollout .judged summary")
    question = page.locator("#rollout .judged pre").first
    question.wait_for(state="visible")
    assert "I go through the picture" in question.text_content()
    assert page.locator("#rollout .judged pre.answer").text_content() == "1"
    assert page.is_visible("#rollout .judged >> text=lab:words")


def test_a_failed_part_says_why_and_its_verdict_is_not_kept(tab, single):
    page = tab(f"{single}/#row=7").page
    failed = page.locator('#rollout [data-part="evidence"].failed')
    failed.wait_for()
    assert OVERLOADED in failed.text_content()
    assert page.is_visible("#rollout .judged.lost >> text=not kept")


def test_hostile_text_is_shown_and_does_nothing(tab, single):
    row = HOSTILE_GROUP * GROUP + 1
    opened = tab(f"{single}/#group=scene+{HOSTILE_GROUP}&row={row}")
    shown(opened.page, row)
    assert EVIL in opened.page.text_content("#rollout .text >> nth=1")
    assert opened.page.query_selector("#rollout script, #rollout img[onerror], #listing script, #listing img") is None
    assert opened.page.title() == "strict.parquet · sightline"
    assert opened.complaints == []


def test_two_variants_beside_each_other(tab, double, scored):
    page = tab(double).page
    strict, official = (read_results([path]).reward.values for path in scored[:2])
    apart = strict - official
    page.check("[name=disagree]")
    found(page, int((np.abs(apart) > 0).sum()))
    page.select_option("[name=order]", "apart")
    widest = int(np.nanargmax(np.abs(apart)))
    shown(page, widest)
    difference = page.text_content(f'#listing [data-row="{widest}"] .difference')
    assert float(difference.replace("−", "-")) == pytest.approx(apart[widest], abs=0.01)
    both = page.locator("#rollout [data-variant]")
    assert [one.get_attribute("data-variant") for one in both.all()] == ["strict", "official"]
    assert all(one.is_visible() for one in both.all())
    page.click("#rollout [data-side] >> text=official")
    page.wait_for_selector('#rollout [data-variant="strict"]', state="hidden")
    assert page.is_visible('#rollout [data-variant="official"]')
    page.click("#rollout [data-side] >> text=side by side")
    page.wait_for_selector('#rollout [data-variant="strict"]', state="visible")


def test_nothing_is_asked_of_anybody_else(tab, single):
    opened = tab(single)
    shown(opened.page, 0)
    opened.page.click("[data-tab=overview]")
    opened.page.wait_for_selector("#overview .tile >> nth=0", state="visible")
    assert opened.asked
    assert all(address.startswith((single, "data:", "blob:")) for address in opened.asked)
    assert opened.complaints == []


def test_only_this_machine_under_its_own_name(single):
    with urllib.request.urlopen(single, timeout=60) as reply:
        assert "connect-src 'self'" in reply.headers["content-security-policy"]
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(single, headers={"host": "evil.example"}), timeout=60)
    with refused.value as answer:
        assert answer.code == 400


def test_whatever_is_sent_is_answered(single):
    for data in ({"form": {"part": "x", "low": "NaN", "first": -3, "row": "no"}}, {"form": {"text": "\u0000" * 900}}):
        body = json.dumps({"data": [], "event_data": data, "fn_index": 0, "session_hash": "s"}).encode()
        request = urllib.request.Request(f"{single}/gradio_api/run/predict", body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as reply:
            assert "of 72 rollouts" in json.loads(reply.read())["data"][0]
