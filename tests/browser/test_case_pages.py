"""The pages of one case, as its approver, the pickup clerk and its applicant see them: accessible, and within a phone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tools.screenshots import Morning


@pytest.fixture(scope="module")
def reviewed(morning: Morning) -> tuple[dict[str, str], str]:
    """A case in review, and who decides it."""
    case = morning.case("食品经营许可延续", "上官婉儿", 10, None)
    morning.post(f"/cases/{case['number']}/accept", "clerk10")
    for n in range(1, 35):
        who = f"approver{n:02d}"
        if any(row["number"] == case["number"] for row in morning.get("/cases", who)["items"]):
            return case, who
    raise AssertionError("nobody decides this item")


@pytest.mark.parametrize("page_of", ["approver", "pickup", "citizen"])
def test_a_page_of_a_case_is_accessible_and_fits(
    visit: Callable[..., Page], reviewed: tuple[dict[str, str], str], page_of: str
) -> None:
    case, approver = reviewed
    who, path = {
        "approver": (approver, f"/cases/{case['number']}"),
        "pickup": ("pickup01", f"/pickup/cases/{case['number']}"),
        "citizen": ("", f"/c/{case['query_token']}"),
    }[page_of]
    page = visit(path, who)
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.removeAttribute('name'); d.open = true; })")
    found = Axe().run(page).response["violations"]
    grave = [f"{v['id']}: {v['nodes'][0]['html'][:160]}" for v in found if v["impact"] in ("serious", "critical")]
    assert not grave, grave
    for width in (1366, 390):
        page.set_viewport_size({"width": width, "height": 844})
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 1, f"{wider} px too wide at {width}"


def test_the_effect_of_a_stop_follows_the_days_that_are_typed(
    visit: Callable[..., Page], reviewed: tuple[dict[str, str], str]
) -> None:
    case, approver = reviewed
    page = visit(f"/cases/{case['number']}", approver)
    page.locator("summary", has_text="特别程序").first.press("Enter")
    page.locator("#suspend-days").fill("20")
    page.locator("#suspend-effect", has_text="若 20 天后恢复").wait_for()
