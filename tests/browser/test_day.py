"""One citizen's day, as the people of the hall live it: in a real browser, mostly by keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tools.screenshots import Morning

Visit = Callable[..., Page]


def test_a_citizens_whole_day(visit: Visit, empty_hall: Morning) -> None:
    morning = empty_hall
    board = visit("/screens/luolong/board", "guide01", size={"width": 1920, "height": 1080})

    kiosk = visit("/kiosk", "guide01", size={"width": 1080, "height": 1920})
    kiosk.get_by_role("link", name=re.compile("商事登记")).first.click()
    kiosk.get_by_role("link", name=re.compile("直接取")).click()
    kiosk.get_by_role("button", name="取号", exact=True).click()
    kiosk.wait_for_url("**/kiosk/ticket/*")
    number = re.search(r"A\d{3}", kiosk.get_by_role("heading", level=1).inner_text()).group()
    phone_path = kiosk.evaluate("location.pathname").replace("/kiosk/ticket", "/t")
    phone = visit(phone_path, size={"width": 390, "height": 844})
    expect(phone.get_by_text(number).first).to_be_visible()

    clerk = visit("/clerk", "clerk01")
    clerk.get_by_role("button", name="在1 号窗口开始服务").click()
    expect(clerk.get_by_role("button", name=re.compile("呼叫下一位"))).to_be_visible()
    clerk.keyboard.press("F2")
    expect(clerk.locator(".h-number")).to_have_text(number)
    expect(board.get_by_text(number).first).to_be_visible()
    expect(phone.get_by_text("1 号窗口").first).to_be_visible()
    clerk.keyboard.press("F4")
    expect(clerk.get_by_role("button", name=re.compile("办完"))).to_be_visible()

    clerk.locator("[data-search]").fill("spjyxk")
    expect(clerk.locator("#c-found button").first).to_be_visible()
    clerk.locator("[data-search]").press("ArrowDown")
    clerk.keyboard.press("Enter")
    expect(clerk.locator(".c-materials")).to_be_visible()
    clerk.locator("[name=name]").fill("欧阳𠮷")
    clerk.locator("[name=id_number]").fill("410305199001010011")
    clerk.get_by_role("button", name=re.compile("全部已收")).click()
    clerk.keyboard.press("Control+Enter")
    expect(clerk.get_by_text("请核对")).to_be_visible()
    clerk.wait_for_timeout(200)  # nobody reads faster
    clerk.keyboard.press("Control+Enter")
    case = clerk.locator(".c-number").inner_text()
    assert re.fullmatch(r"LL\d{12}", case)
    query_code = clerk.locator("#c-case dd").nth(2).inner_text()
    clerk.keyboard.press("F9")
    expect(clerk.get_by_role("button", name=re.compile("呼叫下一位"))).to_be_visible()

    who = morning.approver(case)
    approver = visit("/approver", who)
    approver.get_by_role("link", name=case).first.click()
    morning.post(f"/cases/{case}/decide", who, outcome="granted")
    approver.reload()
    expect(approver.get_by_text("准予").first).to_be_visible()

    morning.post(f"/cases/{case}/ready", "pickup01", shelf="A-03")
    pickup = visit("/pickup", "pickup01")
    expect(pickup.get_by_text(case).first).to_be_visible()
    given = {"id_number": "410305199001010011", "receiver": "欧阳𠮷"}
    morning.post(f"/cases/{case}/hand-over", "pickup01", **given)

    citizen = visit("/progress", size={"width": 390, "height": 844}, scripts=False)
    citizen.locator("[name=number]").fill(case)
    citizen.locator("[name=query_code]").fill(query_code)
    citizen.get_by_role("button", name=re.compile("查询")).click()
    expect(citizen.get_by_text("已送达").first).to_be_visible()
    assert "𠮷" not in citizen.content() and "410305" not in citizen.content()


def test_a_phone_without_scripts_still_shows_the_ticket(visit: Visit, morning: Morning) -> None:
    ticket = morning.post("/halls/luolong/tickets", "guide01", queue="B")
    page = visit(f"/t/{ticket['token']}", size={"width": 390, "height": 844}, scripts=False)
    expect(page.get_by_text(ticket["number"]).first).to_be_visible()


def test_a_screen_that_lost_its_line_catches_up(visit: Visit, empty_hall: Morning) -> None:
    morning = empty_hall
    board = visit("/screens/luolong/board", "guide01", size={"width": 1920, "height": 1080})
    expect(board.get_by_text("在线").first).to_be_visible()
    board.context.set_offline(True)
    ticket = morning.post("/halls/luolong/tickets", "guide01", queue="C", lane="returning")
    morning.post("/windows/luolong-W05/open", "clerk05")
    called = morning.post("/windows/luolong-W05/call-next", "clerk05")["ticket"]
    assert called["number"] == ticket["number"]
    board.context.set_offline(False)
    expect(board.get_by_text(called["number"]).first).to_be_visible(timeout=30_000)
