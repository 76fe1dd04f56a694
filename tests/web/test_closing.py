"""The close of day at the supervisor's desk, and what the guide desk does for who holds a number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.db import db
from app.events import SYSTEM, Actor
from app.now import now
from app.queueing import calls
from app.queueing.models import Ticket
from app.queueing.remaining import gives_tickets, remaining
from app.queueing.tickets import issue_ticket
from app.queueing.windows import open_window
from app.web.forms import new_key
from tests.web.visit import Visitor, enter, said

HALL = "luolong"
CLOSING = "/supervisor/closing"
Find = Callable[[str], Actor]


@pytest.fixture
def supervisor(app: Flask) -> Visitor:
    visitor = Visitor(app)
    enter(visitor, "supervisor01")
    visitor.get(CLOSING)
    return visitor


@pytest.fixture
def guide(app: Flask) -> Visitor:
    visitor = Visitor(app)
    enter(visitor, "guide01")
    visitor.get("/guide")
    return visitor


def issue(queue: str = "A") -> int:
    ticket = issue_ticket(hall=HALL, actor=SYSTEM, at=now(), queue=queue, channel="kiosk")
    return int(ticket["id"].rpartition("-")[2])


def send(visitor: Visitor, path: str, **fields: Any) -> Any:
    return visitor.post(path, {"idempotency_key": new_key(), "hall": HALL, **fields})


def states() -> dict[str, str]:
    db.session.rollback()
    return dict(db.session.execute(select(Ticket.number, Ticket.state)).all())


@pytest.fixture
def evening(app: Flask, staff: Find) -> Actor:
    """A001 was missed, A002 is being served, A003 and C001 wait."""
    clerk = staff("clerk01")
    open_window(hall=HALL, actor=clerk, at=now(), window="W01")
    for step in (calls.no_show, calls.start):
        ticket = issue()
        calls.call_next(hall=HALL, actor=clerk, at=now(), window="W01")
        step(hall=HALL, actor=clerk, at=now(), ticket_id=ticket)
    for queue in "AC":
        issue(queue)
    return clerk


# ── the close of day ────────────────────────────────────────────────────────────────────────────────────────────


def test_only_who_manages_windows_closes_the_day(app: Flask) -> None:
    for who in ("clerk01", "guide01", "chief01"):
        visitor = Visitor(app)
        enter(visitor, who)
        assert visitor.get(CLOSING).status_code == 403
        assert send(visitor, f"{CLOSING}/issuing", open="0").status_code == 403
        assert send(visitor, f"{CLOSING}/expire", queue="A", reason="closing").status_code == 403
    assert Visitor(app).get(CLOSING).status_code == 302
    chief = Visitor(app)
    enter(chief, "chief01")
    assert CLOSING not in chief.get("/supervisor").text


def test_a_day_is_closed_in_two_steps(app: Flask, evening: Actor, supervisor: Visitor) -> None:
    page = said(supervisor.get(CLOSING).text)
    assert "取号中" in page and "停止取号以后才能作废" in page and f'action="{CLOSING}/expire"' not in supervisor.page
    assert [row["number"] for row in remaining(HALL, now())] == ["A001", "A002", "A003", "C001"]
    early = send(supervisor, f"{CLOSING}/expire", queue=["A", "C"], reason="closing")
    assert early.status_code == 409

    assert send(supervisor, f"{CLOSING}/issuing", open="0").location == f"{CLOSING}?hall={HALL}"
    db.session.rollback()
    assert not gives_tickets(HALL, now())
    page = said(supervisor.get(CLOSING).text)
    assert "已停止取号，明天照常开始" in page and "商事登记：2 张" in page and "医疗社保：1 张" in page

    send(supervisor, f"{CLOSING}/expire", queue="C", reason="agreed")
    assert "已作废 1 张号票：C001" in said(supervisor.get(CLOSING).text)
    assert states() == {"A001": "no_show", "A002": "serving", "A003": "waiting", "C001": "expired"}
    send(supervisor, f"{CLOSING}/expire", queue="A", reason="closing")
    assert states() == {"A001": "expired", "A002": "serving", "A003": "expired", "C001": "expired"}
    page = said(supervisor.get(CLOSING).text)
    assert "没有要作废的号票。在窗口的由窗口办完" in page and "A002" in page  # its window goes on

    send(supervisor, f"{CLOSING}/issuing", open="1")
    db.session.rollback()
    assert gives_tickets(HALL, now()) and "已恢复取号" in said(supervisor.get(CLOSING).text)


def test_nothing_ticked_is_nothing_done(evening: Actor, supervisor: Visitor) -> None:
    send(supervisor, f"{CLOSING}/issuing", open="0")
    send(supervisor, f"{CLOSING}/expire", reason="closing")
    assert "请选择队列" in said(supervisor.get(CLOSING).text)
    assert send(supervisor, f"{CLOSING}/expire", queue="A", reason="rollover").status_code == 422
    assert list(states().values()).count("expired") == 0


def test_the_citizen_reads_why_the_number_is_over(app: Flask, supervisor: Visitor) -> None:
    ticket = issue_ticket(hall=HALL, actor=SYSTEM, at=now(), queue="A", channel="kiosk")
    send(supervisor, f"{CLOSING}/issuing", open="0")
    send(supervisor, f"{CLOSING}/expire", queue="A", reason="outage")
    assert "这张号票已失效：系统故障" in said(Visitor(app).get(f"/t/{ticket['token']}").text)


# ── the guide desk ──────────────────────────────────────────────────────────────────────────────────────────────


def test_the_guide_lets_a_missed_number_wait_again(evening: Actor, guide: Visitor) -> None:
    page = guide.get("/guide/tickets/A001").text
    assert "过号恢复，排在后 3 位" in said(page)
    assert send(guide, "/guide/tickets/A001/restore").location == "/guide/tickets/A001"
    assert "A001 已恢复排队" in said(guide.get("/guide/tickets/A001").text) and states()["A001"] == "waiting"
    send(guide, "/guide/tickets/A001/restore")
    assert "/tickets/A001/restore" not in guide.get("/guide/tickets/A001").text and states()["A001"] == "waiting"


def test_the_guide_lets_people_leave_and_come_back(guide: Visitor) -> None:
    issue()
    send(guide, "/guide/tickets/A001/defer")
    page = guide.get("/guide/tickets/A001").text
    assert "A001 已暂离" in said(page) and "归队，排在后 3 位" in said(page) and "/A001/defer" not in page
    send(guide, "/guide/tickets/A001/rejoin")
    assert states() == {"A001": "waiting"}
    send(guide, "/guide/tickets/A001/cancel")
    page = guide.get("/guide/tickets/A001").text
    assert states() == {"A001": "cancelled"} and "/A001/cancel" not in page
    send(guide, "/guide/tickets/A001/cancel")
    page = said(guide.get("/guide/tickets/A001").text)
    assert (
        "h-banner--error" in guide.page and page.count("A001 已取消") == 1
    )  # only the state says it: the second press did nothing


def test_the_guide_reads_what_a_window_wrote(evening: Actor, guide: Visitor, app: Flask) -> None:
    with app.app_context():
        served = next(row for row in remaining(HALL, now()) if row["state"] == "serving")
        ticket = int(served["id"].rpartition("-")[2])
        calls.park(hall=HALL, actor=evening, at=now(), ticket_id=ticket, reason="copy", note="去二楼复印")
    assert "去二楼复印" in said(guide.get("/guide/tickets/A002").text)


@pytest.mark.parametrize("who", ["clerk01", "supervisor01", "approver01"])
def test_only_guides_act_for_who_holds_a_number(app: Flask, who: str) -> None:
    issue()
    visitor = Visitor(app)
    enter(visitor, who)
    assert send(visitor, "/guide/tickets/A001/cancel").status_code == 403
    assert states() == {"A001": "waiting"}


def test_the_guide_finds_no_number_of_another_day_or_hall(guide: Visitor) -> None:
    assert send(guide, "/guide/tickets/A009/cancel").status_code == 404
    assert send(guide, "/guide/tickets/A001/sing").status_code == 404
