"""The console of a window: who may come in, a whole visit, and what happens when it is pressed wrongly or for another."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask

from app.catalog.queries import item as item_of
from app.catalog.queries import search_items
from tests.web.console import PERSON, called, filled, press
from tests.web.visit import Visitor, enter, said


@pytest.fixture
def clerk(visitor: Visitor) -> Visitor:
    enter(visitor, "clerk01")
    visitor.get("/clerk")
    return visitor


@pytest.fixture
def item(app: Flask) -> dict[str, Any]:
    return item_of(search_items("食品经营许可延续")["items"][0]["code"])


# ── who may come in ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("who", ["guide01", "approver01", "supervisor01", "admin01", "chief01"])
@pytest.mark.parametrize("path", ["/clerk", "/clerk/live", "/clerk/recent", "/clerk/form", "/clerk/cases/LL1"])
def test_only_clerks_work_at_windows(visitor: Visitor, who: str, path: str) -> None:
    enter(visitor, who)
    assert visitor.get(path).status_code == 403


@pytest.mark.parametrize(
    "path", ["windows/W01/open", "call", "tickets/1/start", "found", "scan", "check", "receive", "cases/LL1/accept"]
)
def test_only_clerks_press_the_buttons(visitor: Visitor, path: str) -> None:
    enter(visitor, "approver01")
    assert visitor.post(f"/clerk/{path}", {"idempotency_key": "k"}).status_code == 403


def test_the_pickup_clerk_takes_no_cases_in(visitor: Visitor) -> None:
    enter(visitor, "pickup01")
    assert visitor.post("/clerk/receive", {"idempotency_key": "k"}).status_code == 403
    answer = visitor.post("/clerk/windows/P01/open", {"idempotency_key": "k"})
    assert (answer.status_code, answer.location) == (303, "/pickup")


def test_a_stranger_is_sent_to_the_sign_in(visitor: Visitor) -> None:
    assert "/login?next=/clerk" in visitor.get("/clerk").location


def test_a_press_needs_the_token_of_the_page(clerk: Visitor) -> None:
    assert clerk.post("/clerk/call", {"csrf_token": "another", "idempotency_key": "k"}).status_code == 400


# ── a visit ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_whole_visit(clerk: Visitor, item: dict[str, Any]) -> None:
    ticket = called(clerk, item=item["code"])
    page = said(clerk.page)
    assert "A001" in page and item["name"] in page and "欧**三" in page
    assert "为什么是这个号" in page
    assert "欧阳小三" not in clerk.page and PERSON["id_number"] not in clerk.page

    press(clerk, f"/clerk/tickets/{ticket}/start")
    found = clerk.post("/clerk/found", {"scan": "spjy"}).text
    assert item["code"] in found
    form = clerk.get(f"/clerk/form?item={item['code']}").text
    assert f'name="ticket" value="{ticket}"' in form and "欧**三" in form and "取号人" in form

    given = filled(item, ticket, name="", id_number="", as_ticket="1")
    check = clerk.post("/clerk/check", given).text
    assert "欧**三" in check and "欧阳小三" not in check and 'value="accept"' in check
    done = clerk.post("/clerk/receive", {**given, "next": "accept"})
    assert "已受理" in done.text and "查询码" in done.text and done.headers["HX-Trigger"] == "case-received"
    number = re.search(r"LL\d{12}", done.text)[0]  # type: ignore[index]
    assert number in said(clerk.get("/clerk/recent").text)
    assert number in said(clerk.get("/clerk/live").text)

    press(clerk, f"/clerk/tickets/{ticket}/finish")
    assert "A001" not in said(clerk.page).split("今天我收的件")[0]


def test_the_visit_shows_only_what_is_legal(clerk: Visitor) -> None:
    ticket = called(clerk)
    for shown, hidden in ((("start", "recall", "no-show"), ("finish", "park")),):
        assert all(f"/tickets/{ticket}/{step}" in clerk.page for step in shown)
        assert not any(f"/tickets/{ticket}/{step}" in clerk.page for step in hidden)
    press(clerk, f"/clerk/tickets/{ticket}/start")
    assert f"/tickets/{ticket}/finish" in clerk.page and f"/tickets/{ticket}/recall" not in clerk.page


def test_what_is_set_aside_is_taken_up_again(clerk: Visitor) -> None:
    ticket = called(clerk)
    press(clerk, f"/clerk/tickets/{ticket}/start")
    press(clerk, f"/clerk/tickets/{ticket}/park")
    assert "取回" in said(clerk.page)
    press(clerk, f"/clerk/tickets/{ticket}/unpark")
    assert "由窗口叫回，不重新排队" in said(clerk.page)
    press(clerk, f"/clerk/tickets/{ticket}/no-show")
    press(clerk, f"/clerk/tickets/{ticket}/restore")
    assert "呼叫下一位" in said(clerk.page)


def test_a_ticket_goes_to_any_queue_of_the_hall(clerk: Visitor) -> None:
    ticket = called(clerk)
    answer = press(clerk, f"/clerk/tickets/{ticket}/transfer", {"target": "queue:C"})
    assert answer.status_code == 200
    assert press(clerk, f"/clerk/tickets/{ticket}/transfer", {"target": "nonsense"}).status_code == 409


def test_a_pause_needs_its_reason_and_shows_it(clerk: Visitor) -> None:
    press(clerk, "/clerk/windows/W01/open")
    refused = press(clerk, "/clerk/windows/W01/pause", {"reason": " "})
    assert refused.status_code == 422 and "请说明暂停原因" in refused.text
    press(clerk, "/clerk/windows/W01/pause", {"reason": "<b>午休</b>"})
    assert "&lt;b&gt;午休&lt;/b&gt;" in clerk.page
    press(clerk, "/clerk/windows/W01/close")
    assert "选择窗口" in said(clerk.page)


def test_a_refusal_is_a_banner_in_the_language_of_the_page(clerk: Visitor) -> None:
    ticket = called(clerk)
    answer = press(clerk, f"/clerk/tickets/{ticket}/finish")
    assert answer.status_code == 409
    assert "请到窗口" in answer.text and "called" not in answer.text and "<html" not in answer.text
    early = press(clerk, f"/clerk/tickets/{ticket}/recall?lang=en")
    assert "before calling again" in early.text


@pytest.mark.parametrize("path", ["windows/W01/sit", "tickets/1/sing"])
def test_an_unknown_step_is_not_found(clerk: Visitor, path: str) -> None:
    assert press(clerk, f"/clerk/{path}").status_code == 404


def test_a_call_without_a_window_is_refused(clerk: Visitor) -> None:
    assert press(clerk, "/clerk/call").status_code == 409


def test_another_clerks_ticket_is_left_alone(clerk: Visitor, app: Flask) -> None:
    ticket = called(clerk)
    other = Visitor(app)
    enter(other, "clerk02")
    other.get("/clerk")
    assert press(other, f"/clerk/tickets/{ticket}/start").status_code == 403


def test_another_halls_clerk_finds_no_such_window_or_ticket(clerk: Visitor, app: Flask) -> None:
    ticket = called(clerk)
    other = Visitor(app)
    enter(other, "clerk21")
    other.get("/clerk")
    assert press(other, "/clerk/windows/W09/open").status_code == 404
    assert press(other, f"/clerk/tickets/{ticket}/start").status_code in (403, 404, 409)
