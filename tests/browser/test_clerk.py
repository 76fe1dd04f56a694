"""The window by keyboard alone: a scanner is a keyboard, and a known applicant is accepted within twelve strokes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tools.screenshots import Morning

Visit = Callable[..., Page]
NURSE, ID = "411303198512120000", "id_number"
TEACHER = (
    "511A0138600000-511602000000-000-115113010833722043-1-00"  # 教师资格认定: seven materials, a promised-time item
)
PLEDGE = "511A14003004-511602000000-000-115113016823646795-1-00"  # 劳务派遣经营许可
MOST = 12


class Keys:
    """A keyboard that counts. A scanner types a code and its Enter in one stroke."""

    def __init__(self, page: Page) -> None:
        self.page, self.struck = page, 0

    def press(self, key: str) -> None:
        self.struck += 1
        self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        for letter in text:
            self.press(letter)

    def scan(self, text: str) -> None:
        self.struck += 1
        self.page.keyboard.type(text)
        self.page.keyboard.press("Enter")


def case(morning: Morning, code: str, *missing: str, number: str = NURSE, who: str = "clerk09") -> str:
    """A case of this item that was received through the API; its number."""
    guide = morning.get(f"/items/{code}")
    states = [
        {"code": m["code"], "state": "missing" if m["code"] in missing else "received"} for m in guide["materials"]
    ]
    applicant = {"kind": "person", "name": "上官婉儿", "id_number": number, "phone": "13812341234"}
    return morning.post("/cases", who, item=code, applicant=applicant, materials=states)["number"]


@pytest.fixture
def window(visit: Visit, empty_hall: Morning) -> Any:
    """Window 8 with its first visitor called and begun, and the addresses that its browser asked for."""
    page = visit("/clerk", "clerk08")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("button", name="在8 号窗口开始服务").click()
    expect(page.locator("#c-call")).to_be_visible()
    return page, asked


def begin(page: Page, morning: Morning, keys: Keys) -> None:
    """Call the next visitor and begin to serve."""
    morning.post("/halls/luolong/tickets", "guide01", queue="E")
    keys.press("F2")
    expect(page.locator("[data-key=F4]")).to_be_visible()
    keys.press("F4")
    expect(page.locator("[data-key=F9]")).to_be_visible()
    expect(page.locator("[data-search]")).to_be_focused()
    page.wait_for_load_state("networkidle")


def test_a_known_applicant_is_accepted_within_twelve_strokes(window: Any, morning: Morning) -> None:
    page, asked = window
    case(morning, TEACHER, who="clerk08")  # an earlier visit, so that the hall knows the person
    keys = Keys(page)
    begin(page, morning, keys)
    keys.scan(NURSE)
    expect(page.get_by_text("以前来过")).to_be_visible()
    assert NURSE not in page.content() and "上官婉儿" not in page.content()
    keys.type("jszg")
    keys.press("Enter")
    expect(page.locator(".c-materials > li")).to_have_count(7)
    keys.press("Alt+a")
    assert page.locator(".c-states:not([data-optional]) input:checked").count() >= 6
    keys.press("Enter")
    expect(page.get_by_role("heading", name="请核对")).to_be_visible()
    expect(page.locator("[value=accept]")).to_be_focused()
    keys.press("Enter")
    number = page.locator(".c-number").inner_text()
    keys.press("F9")
    expect(page.locator("#c-call")).to_be_visible()
    assert keys.struck <= MOST, keys.struck  # calling, serving and finishing counted in

    view = morning.get(f"/cases/{number}", "clerk08")
    assert view["state"] == "accepted" and view["item"]["code"] == TEACHER
    assert view["applicant"]["name"] == "上**儿" and view["applicant"]["phone"] == "138****1234"
    assert {m["state"] for m in view["materials"] if m["required"]} == {"received"}
    assert [paper["kind"] for paper in view["notices"]][:2] == ["receipt", "acceptance"]  # both wait to be printed
    assert not [url for url in asked if NURSE in url]
    assert any(row["kind"] == "case.accepted" for row in view["history"])


def test_two_scans_and_three_keys_are_enough(window: Any, morning: Morning) -> None:
    page, asked = window
    case(morning, TEACHER, who="clerk08")
    begin(page, morning, Keys(page))
    keys = Keys(page)
    keys.scan(f"http://127.0.0.1:8000/items/{TEACHER}")  # the QR code of the guide
    expect(page.locator(".c-materials > li")).to_have_count(7)
    page.keyboard.press("Control+k")
    keys.scan(NURSE)
    expect(page.get_by_text("以前来过")).to_be_visible()
    for key in ("Alt+a", "Enter"):
        keys.press(key)
    expect(page.locator("[value=accept]")).to_be_focused()
    keys.press("Enter")
    expect(page.locator(".c-number")).to_be_visible()
    assert keys.struck == 5
    papers = [urls for urls in asked if "/notices/" in urls or "papers.pdf" in urls]
    assert papers == []  # nothing is printed behind the clerk's back
    with page.context.expect_page() as opened:
        keys.press("Alt+p")
    assert "papers.pdf" in opened.value.url or opened.value.url == "about:blank"  # receipt and acceptance at once
    opened.value.close()
    page.keyboard.press("F9")
    expect(page.locator("#c-call")).to_be_visible()


def test_the_form_and_the_sheet_fit_a_small_screen(visit: Visit, morning: Morning) -> None:
    number = case(morning, TEACHER, "M1", "M5")
    pledged = case(morning, PLEDGE, "M5")
    page = visit("/clerk", "clerk09", size={"width": 1366, "height": 768})
    page.locator("[data-search]").fill(TEACHER)
    page.locator("[data-search]").press("Enter")  # nobody is known: the fields of the applicant stand there too
    expect(page.locator(".c-materials > li")).to_have_count(7)
    bottom = page.locator(".c-form [data-enter]").bounding_box()
    last = page.locator(".c-materials > li").last.bounding_box()
    assert bottom and last and last["y"] + last["height"] <= bottom["y"] and bottom["y"] + bottom["height"] <= 768
    for path in (f"/clerk/cases/{number}", f"/clerk/cases/{pledged}"):
        page.goto(page.url.split("/clerk")[0] + path)
        assert page.evaluate("document.documentElement.scrollHeight") <= 768, path


@pytest.mark.parametrize("language", ["zh-CN", "en-US"])
def test_every_part_of_the_sheet_fits_when_it_is_open(visit: Visit, morning: Morning, language: str) -> None:
    page = visit(f"/clerk/cases/{case(morning, PLEDGE, 'M5')}", "clerk09", language=language)
    for way in ("tolerant", "pledge", "no-request"):
        page.locator(f"[data-way={way}] > summary").click()
        page.locator(f"[data-do={way}]").wait_for()
        page.evaluate("document.fonts.ready")
        wide, tall, button = page.evaluate(
            """(way) => { const root = document.documentElement, button = document.querySelector(`[data-do=${way}]`);
              return [root.scrollWidth - root.clientWidth, root.scrollHeight, button.scrollWidth - button.clientWidth]; }""",
            way,
        )
        assert wide <= 1 and tall <= 768 and button <= 1, (way, wide, tall, button)
    page.set_viewport_size({"width": 390, "height": 844})
    for target in page.locator(".c-sheet :is(.btn, select, summary, .c-tickbox):visible").all():
        assert target.bounding_box()["height"] >= 44, target.inner_text()


def test_the_notice_is_built_and_issued_by_keyboard(visit: Visit, morning: Morning) -> None:
    number = case(morning, TEACHER, "M5")
    page = visit(f"/clerk/cases/{number}", "clerk09")
    expect(page.locator("[data-do=notice]")).to_be_focused()
    page.locator("[name=why-M1]").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator("[name=ask][value=M1]")).to_be_checked()  # whoever names a problem wants it on the notice
    page.keyboard.press("Control+Enter")
    expect(page.locator(".c-paper-sheet")).to_contain_text("缺页或缺附件")
    page.wait_for_load_state()
    page.keyboard.press("Escape")
    expect(page.locator("[type=checkbox][name=ask][value=M1]")).to_be_checked()  # nothing typed is lost on the way back
    page.wait_for_load_state()
    page.keyboard.press("Control+Enter")
    expect(page.locator("[value=issue]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("待补正").first).to_be_visible()
    view = morning.get(f"/cases/{number}", "clerk09")
    assert {m["code"]: m["problem"] for m in view["materials"] if m["requested"]} == {
        "M1": "缺页或缺附件",
        "M5": "未提交",
    }


@pytest.mark.parametrize("language", ["zh-CN", "en-US"])
def test_the_sheet_and_the_form_are_accessible_and_fit_a_phone(visit: Visit, morning: Morning, language: str) -> None:
    number = case(morning, PLEDGE, "M5")
    page = visit(f"/clerk/cases/{number}", "clerk09", language=language)
    for path in (f"/clerk/cases/{number}", "/clerk"):
        page.set_viewport_size({"width": 1366, "height": 768})
        page.goto(page.url.split("/clerk")[0] + path)
        if path == "/clerk":
            page.locator("[data-search]").fill(TEACHER)
            page.locator("[data-search]").press("Enter")
            expect(page.locator(".c-materials > li")).to_have_count(7)
        page.wait_for_timeout(200)
        found = Axe().run(page).response["violations"]
        grave = [f"{v['id']}: {v['nodes'][0]['html'][:160]}" for v in found if v["impact"] in ("serious", "critical")]
        assert not grave, grave
        if language == "en-US":
            for text in page.locator("main h1, main h2, main label, main button, main summary").all_inner_texts():
                assert not re.search("[\u4e00-\u9fff]", text), text
        page.set_viewport_size({"width": 390, "height": 844})
        page.wait_for_timeout(150)
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 1
