"""The pages of statistics and of the ledger: for whom they are, that page and file say the same, and nobody is marked."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from html import unescape
from io import BytesIO, StringIO
from zipfile import ZipFile

import pytest
from flask import Flask

from app.db import db
from app.events import Actor
from app.now import local, local_day, now
from app.people.models import Staff
from app.queueing import calls, serving, tickets, windows
from app.web.queue_statistics import time_of
from tests.web.visit import Visitor, said

Find = Callable[[str], Actor]
STATISTICS = ["/supervisor/queues", "/supervisor/queues.csv", "/supervisor/queues.xlsx"]
LEDGER = ["/supervisor/ledger", "/supervisor/ledger.csv", "/supervisor/ledger.xlsx"]


def visitor(app: Flask, who: str) -> Visitor:
    made = Visitor(app)
    made.sign_in(who)
    return made


@pytest.fixture
def worked(staff: Find, kiosk: Actor) -> list[str]:
    """Two numbers that clerk01 called: one served, one let go at once. clerk02 sat beside, and then paused."""
    at = {"hall": "luolong", "at": now()}
    numbers = [
        tickets.issue_ticket(**at, actor=kiosk, queue="A", channel="kiosk")["number"],
        tickets.issue_ticket(**at, actor=kiosk, queue="A", channel="kiosk")["number"],
    ]
    clerk = staff("clerk01")
    windows.open_window(**at, actor=clerk, window="W01")
    windows.open_window(**at, actor=staff("clerk02"), window="W02")
    for step in (serving.finish, calls.no_show):
        called = calls.call_next(hall="luolong", actor=clerk, at=now(), window="W01")["ticket"]
        ticket_id = int(called["id"].rsplit("-", 1)[1])
        if step is serving.finish:
            serving.start(hall="luolong", actor=clerk, at=now(), ticket_id=ticket_id)
        step(hall="luolong", actor=clerk, at=now(), ticket_id=ticket_id)
    windows.pause_window(hall="luolong", actor=staff("clerk02"), at=now(), window="W02", reason="=整理材料")
    return numbers


@pytest.mark.parametrize("path", [*STATISTICS, *LEDGER])
def test_the_hall_is_for_those_who_watch_it(app: Flask, path: str) -> None:
    assert Visitor(app).get(path).status_code == 302
    assert visitor(app, "clerk01").get(path).status_code == 403
    assert visitor(app, "chief01").get(path).status_code == 200
    db.session.query(Staff).filter_by(username="clerk21").update({"roles": ["supervisor"]})
    db.session.commit()
    assert visitor(app, "clerk21").get(path).status_code == 200
    assert visitor(app, "clerk21").get(f"{path}?hall=luolong").status_code == 403


def test_ones_own_ledger_is_for_those_who_open_windows(app: Flask, worked: list[str]) -> None:
    assert Visitor(app).get("/clerk/ledger").status_code == 302
    assert visitor(app, "supervisor01").get("/clerk/ledger").status_code == 403
    page = said(visitor(app, "clerk01").get("/clerk/ledger").text)
    assert "我的台账" in page and "叫号后很快结束" in page and worked[1] in page
    other = said(visitor(app, "clerk02").get("/clerk/ledger?clerk=clerk01").text)
    assert worked[1] not in other and "=整理材料" in other


def test_clerk_and_supervisor_read_the_same(app: Flask, worked: list[str]) -> None:
    """All but the ways into the record, which only those may go who may read it."""
    own = visitor(app, "clerk01").get("/clerk/ledger?lang=zh").text
    seen = visitor(app, "supervisor01").get("/supervisor/ledger?clerk=clerk01&lang=zh").text

    def entries(page: str) -> str:
        return said(page[page.index('id="entries-title"') : page.index('id="pauses-title"')])

    assert entries(own) == entries(seen) and worked[1] in entries(own)
    assert "/supervisor/record?" in seen and "/supervisor/record?" not in own


def test_every_way_into_the_figures_is_a_page(app: Flask, worked: list[str]) -> None:
    supervisor = visitor(app, "supervisor01")
    for side in ("queue", "window", "clerk", "item", "hour", "day", "nonsense"):
        for period in ("day", "month"):
            page = supervisor.get(f"/supervisor/queues?period={period}&side={side}")
            assert page.status_code == 200
            for link in supervisor.links("/supervisor/queues?"):
                if "into=" in link and "lang=" not in link:
                    assert supervisor.get(link).status_code == 200, link
    page = said(supervisor.get("/supervisor/queues?period=day").text)
    assert "叫号 2" in page and "过号 1" in page
    alone = said(supervisor.get("/supervisor/queues?period=day&into=window&key=W02").text)
    assert "这一期没有人取号" in alone
    assert supervisor.get("/supervisor/queues?into=window&key=W01&lang=en").status_code == 200
    supervisor.get("/?lang=zh")


def test_page_and_files_of_the_statistics_say_the_same(app: Flask, worked: list[str]) -> None:
    supervisor = visitor(app, "supervisor01")
    head, *rows = list(csv.reader(StringIO(supervisor.get(STATISTICS[1]).data.decode("utf-8-sig"))))
    assert head[:2] == ["队列", "叫号"] and rows[0][0].startswith("A ") and rows[-1][0] == "合计"
    assert {len(row) for row in rows} == {len(head)} and rows[-1][1] == "2"
    answer = supervisor.get(f"{STATISTICS[2]}?period=day")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    words = ZipFile(BytesIO(answer.data)).read("xl/sharedStrings.xml").decode()
    assert all(name in words for name in head)


@pytest.mark.parametrize("part", ["windows", "clerks", "stretches", "entries"])
def test_the_ledgers_files_hold_their_part_and_no_formula(app: Flask, worked: list[str], part: str) -> None:
    supervisor = visitor(app, "supervisor01")
    head, *rows = list(csv.reader(StringIO(supervisor.get(f"{LEDGER[1]}?part={part}").data.decode("utf-8-sig"))))
    text = [value for row in rows for value in row]
    assert rows and {len(row) for row in rows} == {len(head)} and not any(value.startswith("=") for value in text)
    assert ("'=整理材料" in text) == (part == "stretches") and (worked[1] in text) == (part in ("stretches", "entries"))
    sheet = ZipFile(BytesIO(supervisor.get(f"{LEDGER[2]}?part={part}").data))
    assert "<f>" not in sheet.read("xl/worksheets/sheet1.xml").decode()
    times = [
        value for name, *column in zip(head, *rows, strict=True) if name in ("时间", "从", "到") for value in column
    ]
    assert bool(times) == (part in ("stretches", "entries"))
    assert all(
        abs(local(now()).replace(tzinfo=None) - datetime.fromisoformat(value)) < timedelta(days=1) for value in times
    )


def test_the_timeline_says_what_the_table_says(app: Flask, worked: list[str]) -> None:
    supervisor = visitor(app, "supervisor01")
    page = supervisor.get("/supervisor/ledger").text
    chart = json.loads(unescape(re.search(r'id="line"[^>]*data-chart="([^"]*)"', page).group(1)))
    assert chart["rows"] == sorted(set(chart["rows"])) and {bar[0] for bar in chart["bars"]} <= {0, 1}
    assert all(chart["from"] <= begin <= end <= chart["to"] for _row, begin, end, _use, _mark in chart["bars"])
    assert "不打分，不下结论" in said(page)
    ways = [link for link in supervisor.links("/supervisor/ledger?") if "lang=" not in link]
    assert any("window=W01" in link for link in ways) and any("clerk=clerk02" in link for link in ways)
    for link in ways:
        assert supervisor.get(link).status_code == 200, link
    yesterday = local_day(now()) - timedelta(days=1)
    assert "这一天没有开放窗口" in said(supervisor.get(f"/supervisor/ledger?day={yesterday}").text)
    for strange in ("day=9999-01-01", "day=x", "window=%00", "clerk=nobody", "day=0001-01-01"):
        assert supervisor.get(f"/supervisor/ledger?{strange}").status_code == 200, strange


def test_times_are_read_as_minutes_and_never_wrap() -> None:
    assert [time_of(seconds) for seconds in (None, 0, 59, 60, 3599, 3600, 90061)] == [
        *("—", "0:00", "0:59", "1:00", "59:59", "1:00:00", "25:01:01"),
    ]
