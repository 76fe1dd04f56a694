"""The supervisor's what-if and the score of forecasts: what is asked stands in the address, and nothing is changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from app.events import Actor
from app.now import local_day, now
from app.people.permissions import DEVICES
from app.queueing import calls, forecasts, serving, tickets, windows
from app.web.whatif import query
from tests.web.visit import Visitor, said

Find = Callable[[str], Actor]
KIOSK = Actor("device", 7, "kiosk-7", "luolong", DEVICES["kiosk"])


@pytest.fixture
def today(staff: Find) -> str:
    """A morning in which one window served two of five people of one queue, and told them what to expect."""
    forecasts.forget()
    clerk = staff("clerk01")
    windows.open_window(hall="luolong", actor=clerk, at=now(), window="W01")
    for _ in range(5):
        given = {"queue": "A", "channel": "kiosk", "forecast": (60, 600)}
        tickets.issue_ticket(hall="luolong", actor=KIOSK, at=now(), **given)
    for _ in range(2):
        called = calls.call_next(hall="luolong", actor=clerk, at=now(), window="W01")
        ticket = int(called["ticket"]["id"].rsplit("-", 1)[1])
        for step in (serving.start, serving.finish):
            step(hall="luolong", actor=clerk, at=now(), ticket_id=ticket)
    return local_day(now()).isoformat()


@pytest.fixture
def supervisor(app: Flask) -> Visitor:
    made = Visitor(app)
    made.sign_in("supervisor01")
    return made


@pytest.mark.parametrize("path", ["/supervisor/what-if", "/supervisor/forecasts"])
def test_they_are_for_those_who_watch(app: Flask, path: str) -> None:
    stranger, clerk = Visitor(app), Visitor(app)
    clerk.sign_in("clerk01")
    assert stranger.get(path).status_code == 302
    assert clerk.get(path).status_code == 403


def test_a_day_without_anybody_says_so(supervisor: Visitor) -> None:
    assert supervisor.get("/supervisor/what-if?hall=luolong&day=2020-01-06").status_code == 200
    assert "这一天没有人取号" in said(supervisor.page)
    supervisor.get("/supervisor/forecasts?hall=lilou&days=28")
    assert "还没有可比的预计" in said(supervisor.page)


def test_the_form_adds_changes_and_chips_take_them_away(supervisor: Visitor, today: str) -> None:
    form = {
        "hall": "luolong",
        "day": today,
        "open_window": "W07",
        "open_queue": "*",
        "open_from": "00:01",
        "ratio": "3:1",
    }
    supervisor.get(
        "/supervisor/what-if", query_string=form | {"teach_window": "W01", "teach_queue": "B", "call_by": "30"}
    )
    page = said(supervisor.page)
    for words in ("7 号窗口 00:01–23:59 加开", "1 号窗口 兼办 B 不动产登记", "按 3:1 叫号", "等满 30 分钟的先叫"):
        assert words in page
    without = [
        each for each in supervisor.links("/supervisor/what-if") if "ratio=" not in each and "call_by=30" in each
    ]
    assert without, "each chip leads to the page without it"
    supervisor.get(without[0])
    page = said(supervisor.page)
    assert "按 3:1 叫号" not in page and "兼办 B 不动产登记" in page and "7 号窗口 00:01–23:59 加开" in page


def test_a_suggestion_can_be_tried(supervisor: Visitor, today: str) -> None:
    supervisor.get(f"/supervisor/what-if?hall=luolong&day={today}&all=1")
    assert "所有窗口综合受理" in said(supervisor.page)
    supervisor.get(f"/supervisor/what-if?hall=luolong&day={today}")
    assert "正在试的改动" not in supervisor.page


@pytest.mark.parametrize(
    "asked",
    [
        *("open=W99:A", "open=W07:Z", "teach=W01:Z=0", "open=W07:A@late-early", "ratio=0:9", "call_by=4000"),
        *("policy=%7Bnot", "policy=%5B1%5D", "policy=%7B%22conditions%22:3%7D", "open=&teach=:&day=never&all=7"),
        "policy=" + 3000 * "[",
    ],
)
def test_what_cannot_be_is_said_and_breaks_nothing(supervisor: Visitor, today: str, asked: str) -> None:
    answer = supervisor.get(f"/supervisor/what-if?hall=luolong&day={today}&{asked}")
    assert answer.status_code == 200
    assert "平均等候" in said(supervisor.page)


def test_a_day_that_no_hall_has_had_is_refused(supervisor: Visitor) -> None:
    for day in ("0001-01-01", "9999-12-31"):
        answer = supervisor.get(f"/supervisor/what-if?hall=luolong&day={day}")
        assert answer.status_code == 422 and "请填写日期" in said(answer.text)


def test_changes_go_into_an_address_and_come_back() -> None:
    changes = {
        "open": [{"window": "W07", "queues": {"A": 0, "B": 0}, "from": "08:30", "until": "12:00"}],
        "teach": [{"window": "W01", "queue": "C", "weight_min": 10}],
        "comprehensive": True,
        "ratio": None,
        "call_by_min": 45,
        "head_start_min": {"priority": 20},
    }
    assert query(changes) == {
        "open": ["W07:A,B@08:30-12:00"],
        "teach": ["W01:C=10"],
        "all": ["1"],
        "ratio": ["none"],
        "call_by": ["45"],
        "policy": ['{"head_start_min":{"priority":20}}'],
    }


def test_the_score_of_forecasts(supervisor: Visitor, today: str) -> None:
    supervisor.get("/supervisor/forecasts?hall=luolong&days=1")
    page = said(supervisor.page)
    assert "在预计范围内叫到" in page and "共叫到 2 个" in page and "0%" in page
    supervisor.get("/supervisor/forecasts?hall=luolong&days=5")
    first = local_day(now()) - timedelta(days=6)
    assert f"{first.month}月{first.day}日" in said(supervisor.page), "another number of days is a week"
