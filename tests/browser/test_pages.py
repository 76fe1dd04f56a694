"""Every page in both languages: nothing breaks the accessibility rules, nothing runs over the edge."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tools.screenshots import Morning

PAGES = [
    ("", "/"),
    ("", "/login"),
    ("", "/pair"),
    ("", "/progress"),
    ("", "/halls/luolong/items?q=spjy"),
    ("guide01", "/kiosk"),
    ("guide01", "/guide"),
    ("guide01", "/screens/luolong/board"),
    ("guide01", "/screens/luolong/window/W03"),
    ("clerk11", "/clerk"),
    ("clerk11", "/clerk/ledger"),
    ("approver01", "/approver"),
    ("chief01", "/approver"),
    ("pickup01", "/pickup"),
    ("supervisor01", "/supervisor"),
    ("supervisor01", "/supervisor/record"),
    ("supervisor01", "/supervisor/reports"),
    ("supervisor01", "/supervisor/cases"),
    ("supervisor01", "/supervisor/closing"),
    ("supervisor01", "/supervisor/ledger"),
    ("supervisor01", "/supervisor/queues"),
    ("supervisor01", "/supervisor/what-if"),
    ("supervisor01", "/supervisor/forecasts"),
    ("supervisor01", "/signals"),
    ("admin01", "/admin"),
    ("admin01", "/admin/staff"),
    ("admin01", "/admin/windows"),
    ("admin01", "/admin/calling"),
    ("admin01", "/admin/appointments"),
    ("admin01", "/admin/devices"),
    ("admin01", "/admin/calendar"),
    ("admin01", "/admin/catalog"),
]
HAN = re.compile("[\u4e00-\u9fff]")


@pytest.mark.parametrize("language", ["zh-CN", "en-US"])
@pytest.mark.parametrize(("who", "path"), PAGES)
def test_a_page_is_accessible_and_fits(
    visit: Callable[..., Page], morning: Morning, who: str, path: str, language: str
) -> None:
    page = visit(path, who, language=language)
    page.wait_for_timeout(300)
    found = Axe().run(page).response["violations"]
    grave = [f"{v['id']}: {v['nodes'][0]['html'][:160]}" for v in found if v["impact"] in ("serious", "critical")]
    assert not grave, grave
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 1, f"{wider} px too wide"
    if "/screens/" not in path:
        page.set_viewport_size({"width": 390, "height": 844})
        page.wait_for_timeout(150)
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 1, f"{wider} px too wide on a phone"


@pytest.mark.parametrize(("who", "path"), [("clerk11", "/clerk"), ("admin01", "/admin/devices"), ("", "/login")])
def test_an_english_page_speaks_english(visit: Callable[..., Page], who: str, path: str) -> None:
    page = visit(path, who, language="en-US")
    for text in page.locator("main h1, main h2, main label, main button").all_inner_texts():
        assert not HAN.search(text), text
