"""The supervisor's desk: the board, the wall without names, drill-down, the record in words, why a ticket was called."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import text

from app import eventlog
from app.db import db
from app.events import KINDS, SYSTEM, Actor
from app.now import now
from app.people.models import Staff
from app.queueing.calls import call_next
from app.queueing.tickets import issue_ticket
from app.queueing.windows import open_window, pause_window
from app.web import case_history, stories
from app.web.record import TOLD, told
from tests.web.test_approver import received
from tests.web.visit import Visitor, said

Find = Callable[[str], Actor]
PAGES = [
    "/supervisor",
    "/supervisor/wall",
    "/supervisor/cases",
    "/supervisor/tickets?number=A001",
    "/supervisor/tickets/A001",
]


@pytest.fixture
def supervisor(app: Flask) -> Visitor:
    visitor = Visitor(app)
    visitor.sign_in("supervisor01")
    return visitor


@pytest.mark.parametrize("path", [*PAGES, "/supervisor/record"])
def test_the_desk_is_for_those_who_watch(app: Flask, path: str) -> None:
    stranger, screen, clerk = Visitor(app), Visitor(app), Visitor(app)
    screen.become("screen")  # which may read events, but has no desk
    clerk.sign_in("clerk01")
    assert stranger.get(path).status_code == 302
    assert screen.get(path).status_code in (302, 403)
    assert clerk.get(path).status_code == 403


def test_a_chief_watches_but_reads_no_record(app: Flask) -> None:
    chief = Visitor(app)
    chief.sign_in("chief01")
    page = chief.get("/supervisor").text
    assert "/supervisor/record" not in page
    assert chief.get("/supervisor/record").status_code == 403


def test_an_unknown_hall_is_refused(supervisor: Visitor) -> None:
    for path in ("/supervisor", "/supervisor/wall", "/supervisor/record"):
        assert supervisor.get(f"{path}?hall=nowhere").status_code == 404


@pytest.fixture
def busy(app: Flask, staff: Find) -> None:
    """Three people wait, one is called, one window pauses."""
    for queue in ("A", "A", "B", "C"):
        issue_ticket(hall="luolong", actor=SYSTEM, at=now(), queue=queue, channel="kiosk")
    for n in (1, 2):
        open_window(hall="luolong", actor=staff(f"clerk0{n}"), at=now(), window=f"W0{n}")
    call_next(hall="luolong", actor=staff("clerk01"), at=now(), window="W01")
    pause_window(hall="luolong", actor=staff("clerk02"), at=now(), window="W02", reason="<b>换纸</b>")
    db.session.rollback()


def test_the_board_shows_the_hall(busy: None, supervisor: Visitor) -> None:
    page = supervisor.get("/supervisor?hall=luolong").text
    words, name = said(page), db.session.query(Staff.name).filter_by(username="clerk02").scalar()
    assert "正在等候 3" in " ".join(words.split())
    assert "&lt;b&gt;换纸" in page and "<b>换纸" not in page and name in page and "clerk02" not in words
    part = supervisor.get("/supervisor?hall=luolong", headers={"X-Part": "1"}).text
    assert "<html" not in part and name in part
    assert name not in supervisor.get("/supervisor?hall=lilou").text


def test_the_wall_names_nobody(busy: None, staff: Find, supervisor: Visitor) -> None:
    number = received(staff)
    page = supervisor.get("/supervisor/wall?hall=luolong").text
    for private in ("clerk", "换纸", "王", number):
        assert private not in page
    assert "今日收件" in page


def test_figures_lead_to_the_cases(staff: Find, supervisor: Visitor) -> None:
    number = received(staff)
    page = supervisor.get("/supervisor?hall=luolong").text
    assert "data-chart" in page
    links = supervisor.links("/supervisor/cases")
    assert any("light=green" in link for link in links)
    for link in links:
        answer = supervisor.get(link)
        assert answer.status_code == 200
        assert (number in answer.text) == ("overdue" not in link)
    assert number not in supervisor.get("/supervisor/cases?hall=luolong&light=red").text


def test_why_a_ticket_was_called_is_said(busy: None, supervisor: Visitor) -> None:
    answer = supervisor.get("/supervisor/tickets?number=a001&hall=luolong")
    assert answer.status_code == 302
    words = said(supervisor.get(answer.headers["Location"]).text)
    assert "为什么叫 A001" in words and "排序时长最长" in words and "提前量" in words
    assert "还没有叫到这个号" in said(supervisor.get("/supervisor/tickets/A002?hall=luolong").text)
    assert supervisor.get("/supervisor/tickets/Z999?hall=luolong").status_code == 404
    assert supervisor.get("/supervisor/tickets?number=<b>&hall=luolong").status_code == 302


def test_every_kind_of_event_has_its_sentence(app: Flask) -> None:
    tables = [*TOLD, *case_history.TITLES, *(kind for kind in stories.TITLES if kind not in case_history.TITLES)]
    assert sorted(tables) == sorted(KINDS)  # one table each


def test_the_record_is_told_in_words(busy: None, supervisor: Visitor) -> None:
    page = supervisor.get("/supervisor/record?hall=luolong")
    words = said(page.text)
    assert page.status_code == 200
    assert "取号 A001（普通通道）" in words and "clerk02 暂停窗口 W02" in words and "系统" in words
    assert "%(" not in words
    first = said(supervisor.get("/supervisor/record?hall=luolong&after=0").text)
    assert "登记大厅" in first and "登记区域" in first
    assert "导入事项目录" in said(supervisor.get("/supervisor/record?hall=network&after=0").text)


def test_the_record_proves_itself(busy: None, supervisor: Visitor) -> None:
    assert "全部与写入时一致" in said(supervisor.get("/supervisor/record?hall=luolong&check=1").text)
    with db.engine.begin() as connection:  # as somebody would who owns the file
        for name in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all():
            connection.execute(text(f'DROP TRIGGER "{name}"'))
        connection.execute(text("UPDATE events SET actor = 'staff:nobody' WHERE hall = 'luolong' AND seq = 3"))
    assert "从第 3 条起与原记录不符" in said(supervisor.get("/supervisor/record?hall=luolong&check=1").text)


def test_every_event_can_be_told(app: Flask, busy: None) -> None:
    """Whatever the demo and a few steps recorded has a sentence that uses only fields that are there."""
    with app.test_request_context("/"):
        for hall in eventlog.heads():
            for row in eventlog.read(hall, 0, 1000):
                assert told(row.event)
