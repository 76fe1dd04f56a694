"""The ticket on a phone: what each state says, what its holder may do, why it was called."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from app.catalog.models import ServiceItem
from app.catalog.queries import search_items
from app.db import db
from app.events import SYSTEM, Actor
from app.now import now
from app.queueing.calls import call_next, finish, no_show, park, start
from app.queueing.closing import remind_parked
from app.queueing.tickets import cancel_ticket, defer_ticket, issue_ticket
from app.queueing.windows import open_window
from app.web import citizen
from tests.web.visit import Visitor, said

HALL = "luolong"
PERSON = {"name": "欧阳小三", "id_number": "511602199001011234", "phone": "13812345678"}
Staff = Callable[[str], Actor]


def issue(**more: Any) -> dict[str, Any]:
    return issue_ticket(hall=HALL, actor=SYSTEM, channel="kiosk", **{"queue": "A", "at": now(), **more})


def own_id(ticket: dict[str, Any]) -> int:
    return int(ticket["id"].rpartition("-")[2])


def test_a_waiting_ticket_says_its_place_and_refreshes_without_a_script(visitor: Visitor) -> None:
    issue()
    mine = issue(person=PERSON)
    page = visitor.get(f"/t/{mine['token']}").text
    assert "前面还有 1 人" in said(page)
    assert "等候中" in said(page)
    assert '<noscript><meta http-equiv="refresh" content="20"></noscript>' in page
    assert "预计等候" not in said(page)
    for private in PERSON.values():
        assert private not in page


def test_an_item_that_is_no_longer_offered_keeps_its_tickets_alive(app: Flask, visitor: Visitor, staff: Staff) -> None:
    """On the phone, at the desk, on the slip and at the window; only the way to its guide is gone."""
    item = search_items("spjyxkyx")["items"][0]["code"]
    mine = issue(item=item)
    page = visitor.get(f"/t/{mine['token']}").text
    assert f"/items/{item}" in page and "食品(含保健食品)经营许可延续" in said(page)
    db.session.execute(update(ServiceItem).where(ServiceItem.code == item).values(active=False))
    db.session.commit()
    page = visitor.get(f"/t/{mine['token']}").text
    assert f"/items/{item}" not in page and "食品(含保健食品)经营许可延续" in said(page)
    open_window(hall=HALL, actor=staff("clerk01"), at=now(), window="W01")
    call_next(hall=HALL, actor=staff("clerk01"), at=now(), window="W01")
    for who, path in (("clerk01", "/clerk"), ("guide01", f"/guide/tickets/{mine['number']}")):
        desk = Visitor(app)
        desk.sign_in(who)
        assert desk.get(path).status_code == 200
        assert "食品(含保健食品)经营许可延续" in said(desk.page)
        assert "收这一件" not in said(desk.page)
    assert desk.get(f"/guide/tickets/{mine['number']}/slip.pdf").data.startswith(b"%PDF")


def test_every_state_of_a_ticket_tells_what_to_do(visitor: Visitor, staff: Staff) -> None:
    clerk = staff("clerk01")
    open_window(hall=HALL, actor=clerk, at=now(), window="W01")
    mine = issue()
    page, part = f"/t/{mine['token']}", f"/t/{mine['token']}/now"
    assert "下一个就是您" in said(visitor.get(part).text)
    call_next(hall=HALL, actor=clerk, at=now(), window="W01")
    assert "请到 1 号窗口" in said(visitor.get(part).text)
    assert 'data-state="called"' in visitor.get(part).text
    assert "<html" not in visitor.get(part).text
    start(hall=HALL, actor=clerk, at=now(), ticket_id=own_id(mine))
    assert "正在 1 号窗口为您办理" in said(visitor.get(part).text)
    park(hall=HALL, actor=clerk, at=now(), ticket_id=own_id(mine))
    assert "请直接回到 1 号窗口" in said(visitor.get(part).text)

    other = issue()
    call_next(hall=HALL, actor=clerk, at=now(), window="W01")
    no_show(hall=HALL, actor=clerk, at=now(), ticket_id=own_id(other))
    assert "已过号" in said(visitor.get(f"/t/{other['token']}").text)

    done = issue()
    call_next(hall=HALL, actor=clerk, at=now(), window="W01")
    start(hall=HALL, actor=clerk, at=now(), ticket_id=own_id(done))
    finish(hall=HALL, actor=clerk, at=now(), ticket_id=own_id(done))
    over = visitor.get(f"/t/{done['token']}").text
    assert "已办结" in said(over)
    assert 'http-equiv="refresh"' not in over
    assert 'http-equiv="refresh"' in visitor.get(page).text


def test_the_holder_can_cancel_and_a_second_press_changes_nothing(visitor: Visitor) -> None:
    mine = issue()
    address = f"/t/{mine['token']}"
    visitor.get(address)
    assert visitor.get(f"{address}/cancel").status_code == 405
    fields = {"idempotency_key": visitor.hidden("idempotency_key")}
    assert visitor.post(f"{address}/cancel", fields).status_code == 303
    assert visitor.post(f"{address}/cancel", fields).status_code == 303
    page = said(visitor.get(address).text)
    assert "已取消" in page
    assert "不办了" not in page


def test_after_the_call_the_holder_reads_why_it_was_their_turn(visitor: Visitor, staff: Staff) -> None:
    clerk = staff("clerk01")
    open_window(hall=HALL, actor=clerk, at=now(), window="W01")
    issue()
    mine = issue(lane="priority")
    assert "为什么这时叫您" not in said(visitor.get(f"/t/{mine['token']}").text)
    call_next(hall=HALL, actor=clerk, at=now(), window="W01")
    words = said(visitor.get(f"/t/{mine['token']}/now").text)
    assert "为什么这时叫您" in words and "加优先 15 分钟" in words and "A001 普通" in words


def test_a_called_ticket_cannot_be_cancelled_any_more(visitor: Visitor, staff: Staff) -> None:
    mine = issue()
    visitor.get(f"/t/{mine['token']}")
    clerk = staff("clerk01")
    open_window(hall=HALL, actor=clerk, at=now(), window="W01")
    call_next(hall=HALL, actor=clerk, at=now(), window="W01")
    key = visitor.hidden("idempotency_key")
    answer = visitor.post(f"/t/{mine['token']}/cancel", {"idempotency_key": key})
    assert answer.status_code == 409
    assert "号票现在不能取消：请到窗口" in said(answer.text)
    assert "called" not in said(answer.text)


def test_the_holder_goes_away_and_comes_back(visitor: Visitor) -> None:
    mine = issue()
    for _ in range(4):
        issue()
    address = f"/t/{mine['token']}"
    page = visitor.get(address).text
    assert "60 分钟内" in said(page) and "排在后 3 位" in said(page) and f"{address}/rejoin" not in page
    assert visitor.post(f"{address}/defer", {"idempotency_key": visitor.hidden("idempotency_key")}).status_code == 303
    page = visitor.get(address).text
    assert "前回来归队" in said(page) and "暂离" in said(page) and f"{address}/defer" not in page
    assert 'http-equiv="refresh"' in page
    fields = {"idempotency_key": visitor.hidden("idempotency_key")}
    assert visitor.post(f"{address}/rejoin", fields).status_code == 303
    assert "前面还有 3 人" in said(visitor.get(address).text)
    answer = visitor.post(f"{address}/rejoin", {"idempotency_key": "another"})
    assert answer.status_code == 409 and "号票现在不能这样办：等候中" in said(answer.text)


def test_who_comes_back_too_late_is_told(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    noon = (now() + timedelta(days=1)).replace(hour=4)  # in the hall; an hour later it is still that day
    mine = issue(at=noon)
    defer_ticket(hall=HALL, actor=SYSTEM, at=noon, ticket_id=own_id(mine))
    visitor.get(f"/t/{mine['token']}")
    later = noon + timedelta(minutes=61)
    monkeypatch.setattr(citizen, "now", lambda: later)
    answer = visitor.post(f"/t/{mine['token']}/rejoin", {"idempotency_key": "k"})
    assert answer.status_code == 409 and "60" in said(answer.text)
    remind_parked(hall=HALL, actor=SYSTEM, at=later)
    assert "这张号票已失效：暂离未归" in said(visitor.get(f"/t/{mine['token']}").text)


def test_no_other_step_is_in_the_hands_of_the_holder(visitor: Visitor) -> None:
    mine = issue()
    visitor.get(f"/t/{mine['token']}")
    for step in ("restore", "call", "finish"):
        assert visitor.post(f"/t/{mine['token']}/{step}", {"idempotency_key": "k"}).status_code == 404


def test_the_range_says_why_it_moved(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = issue()
    for moved, words in ((None, ""), ("window_closed", "时间有变：有窗口暂停或关闭"), ("slower", "办理比预计的慢")):
        monkeypatch.setattr(citizen, "steady", lambda *_, m=moved: {"low_s": 300, "high_s": 900, "moved": m})
        page = said(visitor.get(f"/t/{mine['token']}/now").text)
        assert "预计等候 5–15 分钟" in page and words in page
        assert ("时间有变" in page) == bool(words)


def test_the_page_of_a_number_is_light(visitor: Visitor) -> None:
    mine = issue()
    page = visitor.get(f"/t/{mine['token']}").text
    sent = len(page.encode())
    for name in set(re.findall(r'(?:href|src)="(/static/[^"#]+)', page)):
        sent += len(visitor.client.get(html.unescape(name), headers={"Accept-Encoding": "gzip"}).data)
    assert 'rel="stylesheet" href="/static/vendor/fonts' not in page and "<script src" not in page
    assert sent < 30_000, sent


def test_an_unknown_ticket_is_not_found(visitor: Visitor) -> None:
    for path in ("/t/unheard-of", "/t/unheard-of/now", "/t/" + "x" * 500):
        answer = visitor.get(path)
        assert answer.status_code == 404
        assert "没有这张号票" in said(answer.text)
    assert visitor.post("/t/unheard-of/cancel", {"idempotency_key": "k"}).status_code == 404


def test_cancelling_needs_the_form(visitor: Visitor, app: Flask) -> None:
    mine = issue()
    assert visitor.client.post(f"/t/{mine['token']}/cancel").status_code == 400
    cancel_ticket(hall=HALL, actor=SYSTEM, at=now(), ticket_id=own_id(mine))  # it still could be


def test_a_wait_is_said_as_a_range_once_the_hall_knows(
    visitor: Visitor, staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk, at = staff("clerk01"), now()
    open_window(hall=HALL, actor=clerk, at=at, window="W01")
    for n in range(6):
        one = issue_ticket(hall=HALL, actor=SYSTEM, at=at, queue="A", channel="kiosk")
        call_next(hall=HALL, actor=clerk, at=at, window="W01")
        start(hall=HALL, actor=clerk, at=at, ticket_id=own_id(one))
        at += timedelta(seconds=400 + 60 * n)
        finish(hall=HALL, actor=clerk, at=at, ticket_id=own_id(one))
    issue(at=at)
    mine = issue(at=at + timedelta(seconds=1))
    monkeypatch.setattr(citizen, "now", lambda: at + timedelta(seconds=2))
    assert re.search(r"预计等候 \d+–\d+ 分钟", said(visitor.get(f"/t/{mine['token']}").text))
