"""The queue in a real browser: a clerk's day by keyboard, what comes by itself, and the number on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, expect

from tools.screenshots import Morning

Visit = Callable[..., Page]
PHONE = {"width": 390, "height": 844}


def take(morning: Morning, queue: str = "D", **more: Any) -> dict[str, Any]:
    return morning.post("/halls/luolong/tickets", "guide01", queue=queue, **more)


def reach(page: Page, name: str) -> None:
    """Go there with the Tab key, as somebody without a mouse does, and press it."""
    wished = page.get_by_role("button", name=name)
    for _ in range(60):
        if wished.evaluate("node => node === document.activeElement"):
            page.keyboard.press("Enter")
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{name} is not reached by keyboard")


def press(page: Page, key: str, then: str) -> None:
    """Press a key; `then` must be seen."""
    page.keyboard.press(key)
    expect(page.locator(then)).to_be_visible()
    page.wait_for_load_state("networkidle")


@pytest.fixture
def window(visit: Visit, empty_hall: Morning) -> Page:
    """Window 12 of the lead clerk, taken by keyboard, and the only one that is open."""
    page = visit("/clerk", "clerk12")
    reach(page, "在12 号窗口开始服务")
    expect(page.locator("#c-call")).to_be_visible()
    page.wait_for_load_state("networkidle")
    return page


def test_a_clerks_day_needs_no_mouse(window: Page, morning: Morning) -> None:
    page, number = window, take(morning)["number"]
    shown = page.locator(".h-number")
    press(page, "F2", "[data-key=F4]")
    expect(shown).to_have_text(number)
    press(page, "F8", "#c-call")  # nobody came
    page.keyboard.press("Alt+v")  # and then they did
    expect(page.get_by_text("挂起和过号")).to_have_count(0)
    press(page, "F2", "[data-key=F4]")
    expect(shown).to_have_text(number)
    press(page, "F4", "[data-key=F9]")

    page.keyboard.press("Alt+n")  # another item in the same visit
    expect(page.locator("#c-next-q")).to_be_focused()
    page.keyboard.type("spjyxkyx")
    expect(page.locator("#c-next-found button").first).to_be_visible()
    name = page.locator("#c-next-found button").first.inner_text()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator(".h-facts").get_by_text(name)).to_be_visible()
    page.wait_for_load_state("networkidle")

    page.keyboard.press("F6")
    expect(page.locator("#c-park-reason")).to_be_focused()
    press(page, "Enter", "#c-call")
    expect(page.locator(".c-side").get_by_text("挂起", exact=True)).to_be_visible()
    press(page, "Alt+v", "[data-key=F4]")
    press(page, "F4", "[data-key=F9]")

    page.keyboard.press("Alt+t")
    expect(page.locator("#c-target")).to_be_focused()
    page.keyboard.press("ArrowDown")
    press(page, "Enter", "#c-call")
    press(page, "F2", "[data-key=F4]")  # it waits in another queue of this very window
    expect(shown).to_have_text(number)
    page.keyboard.press("Alt+g")
    expect(page.locator("#c-abandon-reason")).to_be_focused()
    press(page, "Enter", "#c-call")

    page.keyboard.press("F7")
    expect(page.get_by_role("button", name="午休")).to_be_focused()
    press(page, "Enter", "[data-key=F7].btn")  # the first reason stands ready
    expect(page.get_by_text("窗口已暂停")).to_be_visible()
    press(page, "F7", "#c-call")


def test_a_question_is_closed_by_escape_and_keeps_nothing(window: Page) -> None:
    window.keyboard.press("F7")
    expect(window.locator("#c-pause[open]")).to_be_visible()
    window.keyboard.press("Escape")
    expect(window.locator("#c-pause[open]")).to_have_count(0)
    expect(window.locator("#c-call")).to_be_visible()


def test_the_lead_clerk_sees_whom_a_choice_passes_over(window: Page, morning: Morning) -> None:
    first, second = take(morning)["number"], take(morning)["number"]
    expect(window.locator("#c-choice")).to_be_visible()
    window.keyboard.press("Alt+c")
    expect(window.locator("[name=ticket]").first).to_be_focused()
    window.keyboard.press("ArrowDown")
    expect(window.locator("[data-passed]")).to_contain_text(first)
    press(window, "Enter", "[data-key=F4]")
    expect(window.locator(".h-number")).to_have_text(second)
    press(window, "F8", "#c-call")
    press(window, "F2", "[data-key=F4]")
    expect(window.locator(".h-number")).to_have_text(first)


def test_a_window_that_was_taken_over_says_so_by_itself(window: Page, visit: Visit) -> None:
    other = visit("/clerk", "clerk10")
    other.get_by_role("button", name="接管12 号窗口").focus()
    other.keyboard.press("Enter")
    expect(other.get_by_text("接管后对方即离开窗口")).to_be_visible()
    reach(other, "接管窗口")
    expect(other.locator("#c-call")).to_be_visible()
    expect(window.get_by_text(re.compile("12 号窗口已由.+接管"))).to_be_visible()


def test_auto_dispatch_reaches_a_clerk_who_is_asked_something(window: Page, morning: Morning) -> None:
    rules = morning.get("/halls/luolong/policy", "admin01")
    address, headers = f"{morning.api}/halls/luolong/policy", morning.as_("admin01")
    on = {**rules["policy"], "dispatch": True, "rest_s": 1}
    assert requests.put(address, json={"policy": on}, headers=headers, timeout=20).status_code == 200
    try:
        window.keyboard.press("F7")
        expect(window.locator("#c-pause[open]")).to_be_visible()
        number = take(morning)["number"]
        expect(window.locator(".h-number")).to_have_text(number)
        expect(window.get_by_text("自动派单", exact=True)).to_be_visible()
    finally:
        assert requests.put(address, json={"policy": rules["policy"]}, headers=headers, timeout=20).status_code == 200


# ── the number on a phone ───────────────────────────────────────────────────────────────────────────────────────


def test_a_phone_is_told_to_come(window: Page, visit: Visit, morning: Morning) -> None:
    first, mine = take(morning), take(morning)
    page = visit(f"/t/{mine['token']}", size=PHONE)
    page.evaluate("window.shaken = 0; navigator.vibrate = () => (window.shaken += 1); null")
    expect(page.locator("[data-ahead]")).to_have_text("1")
    page.get_by_text("请留意").click()  # a phone shakes only for who has touched the page
    press(window, "F2", "[data-key=F4]")
    expect(window.locator(".h-number")).to_have_text(first["number"])
    expect(page.get_by_text("下一个就是您")).to_be_visible()
    press(window, "F8", "#c-call")
    press(window, "F2", "[data-key=F4]")
    expect(page.locator(".h-ticket__go")).to_contain_text("请到 12 号窗口")
    expect(page).to_have_title(re.compile(f"^请到 12 号窗口 · {mine['number']}|^● {mine['number']}"))
    assert page.evaluate("window.shaken") == 1
    expect(page.locator("form")).to_have_count(0)  # nothing is given back any more


@pytest.mark.parametrize("scripts", [True, False])
def test_a_phone_leaves_and_comes_back(visit: Visit, morning: Morning, scripts: bool) -> None:
    mine = take(morning, "B")
    page = visit(f"/t/{mine['token']}", size=PHONE, scripts=scripts)
    page.get_by_text("暂时离开，保留号码").click()
    page.get_by_role("button", name="暂时离开", exact=True).click()
    expect(page.get_by_text("前回来归队")).to_be_visible()
    page.get_by_role("button", name="我回来了，归队").click()
    expect(page.get_by_text("等候中")).to_be_visible()
    page.get_by_text("不办了，取消号票").click()
    page.get_by_role("button", name="确定取消").click()
    expect(page.get_by_text("已取消")).to_be_visible()
