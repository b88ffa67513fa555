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


def refused(address, **headers) -> int:
    """The status with which a request is turned away."""
    body = b"{}" if headers.pop("post", False) else None
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(urllib.request.Request(address, body, headers), timeout=60)
    with caught.value as answer:
        return answer.code


def test_only_pages_of_its_own(single):
    with urllib.request.urlopen(single, timeout=60) as reply:
        assert "connect-src 'self'" in reply.headers["content-security-policy"]
    assert refused(single, host="evil.example") == 400
    asked = f"{single}/gradio_api/component_server"
    assert refused(asked, post=True, origin="http://evil.example") == 403
    assert refused(asked, post=True, **{"sec-fetch-site": "same-site"}) == 403
    assert refused(f"{single}/gradio_api/upload", post=True) == 403
    assert refused(f"{single}/gradio_api/file=/etc/hostname") in (403, 404)


def test_whatever_is_sent_is_answered(tab, single):
    page = tab(single).page
    shown(page, 0)
    with urllib.request.urlopen(f"{single}/config", timeout=60) as reply:
        components = json.loads(reply.read())["components"]
    number = next(one["id"] for one in components if one["props"].get("elem_id") == "inspector")
    for data in (
        {"part": "x", "low": "NaN", "first": -3, "row": "no", "read": "x"},
        {"text": "\u0000" * 900},
        [],
        None,
    ):
        said = {"data": data, "component_id": number, "fn_name": "find_rollouts", "session_hash": "s"}
        request = urllib.request.Request(
            f"{single}/gradio_api/component_server", json.dumps(said).encode(), {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as reply:
            assert f"of {ALL} rollouts" in json.loads(reply.read())["listing"]


def test_no_key_is_lost_however_fast(tab, single):
    page = tab(single).page
    shown(page, 0)
    page.focus('#listing [data-row="0"]')
    for _ in range(12):
        page.keyboard.press("ArrowDown")
    shown(page, 12)
    page.wait_for_selector('#group [data-row="12"].on')
    assert page.evaluate("document.activeElement.dataset.row") == "12"


def test_tabs_go_through_everything(tab, single):
    page = tab(single).page
    shown(page, 0)
    where = "document.activeElement.closest('nav, form, .items, .pager, #rollout, #group, body')"
    seen = []
    for _ in range(99):
        page.keyboard.press("Tab")
        place = page.evaluate(f"({where}).id || ({where}).className || ({where}).localName")
        if place == "body":  # from there the browser goes on to its own controls
            break
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", page.evaluate("document.activeElement.outerHTML")[:200]
        seen.append(place)
    assert list(dict.fromkeys(seen)) == ["nav", "filter", "items", "pager", "rollout", "group"]
    assert page.evaluate("document.querySelectorAll('.items [tabindex=\"0\"]').length") == 1
    assert seen.count("items") == 1  # the list is one stop; arrows go through it


def test_what_a_place_earned_is_said_where_the_pointer_is(tab, single):
    page = tab(single).page
    shown(page, 0)
    page.hover("#rollout mark.hit >> nth=0")
    tip = page.locator(".tip")
    assert "cites the evidence" in tip.text_content()
    page.hover("#listing .item .cells >> nth=0")
    assert "iou" in tip.text_content()
    page.hover(".top h1")
    assert tip.is_hidden()


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in colour[4:-1].split(",")]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_ground(tab, single, scheme):
    page = tab(f"{single}/#row=7", scheme=scheme).page
    shown(page, 7)
    for what in (
        ".found",
        ".item .snippet",
        ".score.failed",
        ".label",
        ".bar-row.failed small",
        ".where",
        ".path",
        ".tag",
    ):
        inks = page.eval_on_selector(
            what,
            """one => { const ink = getComputedStyle(one).color;
            for (let at = one; at; at = at.parentElement) {
              const ground = getComputedStyle(at).backgroundColor;
              if (/^rgb\\(/.test(ground)) return [ink, ground];
            } return [ink, getComputedStyle(document.body).backgroundColor]; }""",
        )
        dark, light = sorted(map(luminance, inks))
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (what, inks)
