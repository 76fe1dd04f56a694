"""The pickup window in a real browser: found by one scan, signed on the pad, given out by keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tools.screenshots import Morning


def granted(morning: Morning) -> dict[str, str]:
    case = morning.case("食品经营许可延续", "欧阳𠮷", 9, None)
    morning.post(f"/cases/{case['number']}/accept", "clerk09")
    for n in range(1, 35):
        who = f"approver{n:02d}"
        if any(row["number"] == case["number"] for row in morning.get("/cases", who)["items"]):
            morning.post(f"/cases/{case['number']}/decide", who, outcome="granted")
            return case
    raise AssertionError("nobody decides this item")


def test_a_result_is_signed_for_on_the_pad(visit: Callable[..., Page], morning: Morning) -> None:
    case = granted(morning)
    page = visit("/pickup", "pickup01")
    page.keyboard.type(f"http://hall/c/{case['query_token']}")  # the scanner types where the focus is
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/pickup/cases/{case['number']}")
    page.keyboard.type(case["pickup_code"])
    page.locator("[name=receiver]").first.fill("欧阳𠮷")
    pad = page.locator(".c-sign__pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box
    page.mouse.move(box["x"] + 40, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 180, box["y"] + 110, steps=8)
    page.mouse.move(box["x"] + 260, box["y"] + 40, steps=8)
    page.mouse.up()
    page.locator("[name=confirmed]").check()
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/pickup")
    expect(page.get_by_text(f"{case['number']} 已交付")).to_be_visible()
    view = morning.get(f"/cases/{case['number']}", "pickup01")
    assert view["delivery"]["signed"]
    assert [paper["kind"] for paper in view["notices"]][-1] == "service"


def test_a_wrong_code_keeps_what_was_signed(visit: Callable[..., Page], morning: Morning) -> None:
    case = granted(morning)
    page = visit(f"/pickup/cases/{case['number']}", "pickup01")
    page.locator("[name=pickup_code]").fill("00000")
    page.locator("[name=receiver]").first.fill("欧阳𠮷")
    pad = page.locator(".c-sign__pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box
    page.mouse.move(box["x"] + 40, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 180, box["y"] + 110, steps=8)
    page.mouse.up()
    picture = "pad => pad.toDataURL('image/png')"
    drawn = pad.evaluate(picture)
    page.locator("[name=confirmed]").check()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".invalid-feedback")).to_be_visible()
    page.wait_for_function(f"drawn => ({picture})(document.querySelector('.c-sign__pad')) === drawn", arg=drawn)
    page.locator("[name=pickup_code]").fill(case["pickup_code"])
    page.locator("[name=confirmed]").check()
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/pickup")
    assert morning.get(f"/cases/{case['number']}", "pickup01")["delivery"]["signed"]


def test_an_empty_pad_signs_nothing(visit: Callable[..., Page], morning: Morning) -> None:
    case = granted(morning)
    page = visit(f"/pickup/cases/{case['number']}", "pickup01")
    page.locator("[name=pickup_code]").fill(case["pickup_code"])
    page.locator("[name=receiver]").first.fill("欧阳𠮷")
    pad = page.locator(".c-sign__pad")
    pad.click()
    page.get_by_role("button", name="重签").click()
    page.locator("[name=confirmed]").check()
    page.keyboard.press("Control+Enter")
    page.wait_for_url(f"**/pickup/cases/{case['number']}")
    expect(page.locator("[data-print]")).to_have_text(re.compile("送达回证"))
    assert not morning.get(f"/cases/{case['number']}", "pickup01")["delivery"]["signed"]
