"""The console's own steps: taking a window over, choosing, setting aside with a reminder, passing on, another item."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.catalog.queries import item as item_of
from app.catalog.queries import search_items
from app.db import db
from app.events import SYSTEM, Actor
from app.now import iso, now
from app.people.models import Staff
from app.queueing import calls
from app.queueing.appointment_models import Appointment
from app.queueing.calling_rules import rules_in_force, set_policy
from app.queueing.closing import remind_parked
from app.queueing.dispatch import dispatch_next
from app.queueing.models import Call, Ticket
from app.queueing.queries import why_called
from app.queueing.tickets import defer_ticket, issue_ticket
from app.queueing.windows import open_window
from app.web.forms import new_key
from tests.web.visit import Visitor, enter, said

HALL = "luolong"
Find = Callable[[str], Actor]


@pytest.fixture
def clerk(app: Flask) -> Visitor:
    return at_console(app, "clerk01", "W01")


def at_console(app: Flask, who: str, window: str = "") -> Visitor:
    """Somebody before their console, at a window if one is named."""
    visitor = Visitor(app)
    enter(visitor, who)
    visitor.get("/clerk")
    if window:
        assert press(visitor, f"/clerk/windows/{window}/open").status_code == 200
    return visitor


def press(visitor: Visitor, path: str, fields: dict[str, Any] | None = None) -> Any:
    """Press a button of the console as htmx does."""
    answer = visitor.post(path, {"idempotency_key": new_key(), **(fields or {})}, headers={"HX-Request": "true"})
    visitor.get("/clerk")
    return answer


def issue(queue: str = "A", **more: Any) -> int:
    ticket = issue_ticket(hall=HALL, actor=SYSTEM, at=now(), queue=queue, channel="kiosk", **more)
    return int(ticket["id"].rpartition("-")[2])


def serving(clerk: Visitor, **more: Any) -> int:
    ticket = issue(**more)
    press(clerk, "/clerk/call")
    assert press(clerk, f"/clerk/tickets/{ticket}/start").status_code == 200
    return ticket


def row(ticket: int) -> Any:
    db.session.rollback()
    return db.session.execute(select(Ticket).where(Ticket.hall == HALL, Ticket.id == ticket)).scalar_one()


def name_of(username: str) -> str:
    return db.session.execute(select(Staff.name).where(Staff.username == username)).scalar_one()


def ruled(**policy: Any) -> None:
    """Set these of the hall's rules of calling."""
    set_policy(hall=HALL, actor=SYSTEM, at=now(), policy=rules_in_force(HALL).said | policy)


# ── the window ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_window_is_taken_over_after_being_told_who_sits_there(app: Flask, clerk: Visitor) -> None:
    ticket = serving(clerk)
    other = at_console(app, "clerk02")
    assert "在1 号窗口开始服务" not in other.page and "接管1 号窗口" in other.page
    assert f"1 号窗口现由{name_of('clerk01')}使用" in said(other.page) and "A001 在窗口，由您接着办" in said(other.page)
    assert press(other, "/clerk/windows/W01/open").status_code == 409
    assert press(other, "/clerk/windows/W01/take-over").status_code == 200
    assert f"/tickets/{ticket}/finish" in other.page
    left = said(clerk.get("/clerk/live").text)
    assert f"1 号窗口已由{name_of('clerk02')}接管" in left and "选择窗口" in left
    assert press(clerk, f"/clerk/tickets/{ticket}/finish").status_code == 403


def test_a_pause_is_one_press_or_ones_own_words(clerk: Visitor) -> None:
    for reason in re.findall(r'<button class="btn btn-sm" name="reason" value="([^"]+)"', clerk.page):
        assert press(clerk, "/clerk/windows/W01/pause", {"reason": reason}).status_code == 200
        assert f"暂停原因：{reason}" in said(clerk.page)
        assert 'action="/clerk/call"' not in clerk.page
        press(clerk, "/clerk/windows/W01/open")
    assert "我的队列" in said(clerk.page)


# ── what the visitor came for ───────────────────────────────────────────────────────────────────────────────────


def test_the_visit_says_who_comes_and_for_what(clerk: Visitor) -> None:
    item = next(found for found in map(_whole, search_items(zones=["A"])["items"]) if found["materials"])
    person = {"name": "欧阳小三", "id_number": "511602199001011234", "phone": "13812345678"}
    issue(person=person, lane="priority", ground="elderly", party=4, item=item["code"])
    press(clerk, "/clerk/call")
    page = said(clerk.page)
    for words in ("A001", "优先", "老年人", "同行 4 人", item["name"], item["materials"][0]["name"], "欧**三"):
        assert words in page
    assert not [secret for secret in person.values() if secret in clerk.page]
    assert "为什么是这个号" in page and "取号 A001（优先通道）" in page and "窗口 W01 叫号 A001" in page


def test_a_supplement_leads_to_its_case_and_an_appointment_says_its_time(clerk: Visitor) -> None:
    ticket = issue(lane="returning", case_number="LL202611220001")
    press(clerk, "/clerk/call")
    assert "/cases/LL202611220001" in clerk.links("/cases/")
    slot = now() + timedelta(minutes=20)
    facts = {
        "queue": "A",
        "day": row(ticket).day,
        "slot_at": slot,
        "state": "checked_in",
        "channel": "web",
        "made_at": now(),
    }
    secret = {"person_key": "k", "phone_key": "p", "person_sealed": "s", "token_hash": "h", "token_sealed": "t"}
    db.session.add(Appointment(hall=HALL, id=10**9, **facts, **secret))
    row_of = db.session.get(Ticket, (HALL, ticket))
    row_of.appointment_id = 10**9
    db.session.commit()
    page = said(clerk.get("/clerk").text)
    assert re.search(rf"预约 \S+日 {(iso(slot) or '')[11:16]}", page)


def _whole(found: dict[str, Any]) -> dict[str, Any]:
    return item_of(found["code"])


# ── steps of the visit ──────────────────────────────────────────────────────────────────────────────────────────


def test_only_what_is_legal_is_offered_in_each_state(clerk: Visitor) -> None:
    ticket = issue()
    press(clerk, "/clerk/call")
    offered = re.findall(rf"/clerk/tickets/{ticket}/([a-z-]+)", clerk.page)
    assert set(offered) == {"start", "recall", "no-show", "transfer", "abandon"}
    press(clerk, f"/clerk/tickets/{ticket}/start")
    assert set(re.findall(rf"/clerk/tickets/{ticket}/([a-z-]+)", clerk.page)) == {"finish", "park", "transfer"}
    assert 'action="/clerk/items"' in clerk.page  # the next item is looked for first


def test_a_ticket_that_was_called_often_enough_is_not_called_again(clerk: Visitor) -> None:
    ruled(recalls=1, recall_gap_s=0)
    ticket = issue()
    press(clerk, "/clerk/call")
    assert f"/tickets/{ticket}/recall" in clerk.page
    press(clerk, f"/clerk/tickets/{ticket}/recall")
    assert f"/tickets/{ticket}/recall" not in clerk.page and "不能再呼" in said(clerk.page)


def test_what_is_set_aside_rings_at_its_window_when_its_time_has_come(app: Flask, clerk: Visitor) -> None:
    ticket = serving(clerk)
    fields = {"reason": "copy", "remind_min": "5", "note": "去二楼复印"}
    assert press(clerk, f"/clerk/tickets/{ticket}/park", fields).status_code == 200
    assert "data-rang" not in clerk.page and "提醒" in said(clerk.page)
    remind_parked(hall=HALL, actor=SYSTEM, at=now() + timedelta(minutes=6))
    elsewhere = at_console(app, "clerk02", "W02")
    assert "data-rang" not in elsewhere.page
    assert "data-rang" in clerk.get("/clerk/live").text and "该叫回了" in said(clerk.get("/clerk").text)
    press(clerk, f"/clerk/tickets/{ticket}/unpark")
    assert "去二楼复印" in said(clerk.page)
    assert press(clerk, f"/clerk/tickets/{ticket}/start").status_code == 200


@pytest.mark.parametrize("minutes", ["x", "0", "241", "9999", "１０"])
def test_a_reminder_is_within_four_hours(clerk: Visitor, minutes: str) -> None:
    ticket = serving(clerk)
    assert press(clerk, f"/clerk/tickets/{ticket}/park", {"remind_min": minutes}).status_code in (400, 422)
    assert row(ticket).state == "serving"


def test_a_ticket_goes_to_a_person_with_a_note(app: Flask, clerk: Visitor) -> None:
    other = at_console(app, "clerk02", "W02")
    ticket = serving(clerk)
    issue("A")
    assert name_of("clerk02") in said(clerk.page) and "staff:clerk02" in clerk.page
    wish = {"target": "staff:clerk02", "place": "first", "note": "还差一张照片"}
    assert press(clerk, f"/clerk/tickets/{ticket}/transfer", wish).status_code == 200
    press(other, "/clerk/call")
    page = said(other.page)
    assert "A001" in page and "上一位的备注" in page and "还差一张照片" in page
    assert (
        press(other, f"/clerk/tickets/{ticket}/transfer", {"target": "queue:C", "place": "middle"}).status_code == 422
    )


def test_another_item_follows_in_the_same_visit(clerk: Visitor) -> None:
    items = search_items(zones=["A"])["items"]
    ticket = serving(clerk, item=items[0]["code"])
    found = clerk.get(f"/clerk/items?q={items[1]['name']}").text
    assert f'value="{items[1]["code"]}"' in found
    assert press(clerk, f"/clerk/tickets/{ticket}/next-item", {"item": items[1]["code"]}).status_code == 200
    page = said(clerk.page)
    assert items[1]["name"] in page and "续办下一事项，前一项用时" in page and row(ticket).item == items[1]["code"]
    assert press(clerk, f"/clerk/tickets/{ticket}/next-item", {"item": "nothing"}).status_code == 404
    assert "没有找到" in said(clerk.get("/clerk/items?q=没有这样的事项").text)


def test_giving_up_has_its_reason(clerk: Visitor) -> None:
    ticket = issue()
    press(clerk, "/clerk/call")
    assert press(clerk, f"/clerk/tickets/{ticket}/abandon", {"reason": "bored"}).status_code == 422
    assert press(clerk, f"/clerk/tickets/{ticket}/abandon", {"reason": "wrong-queue"}).status_code == 200
    assert (row(ticket).state, row(ticket).left_reason) == ("abandoned", "wrong-queue")


def test_who_went_away_is_let_back_into_the_queue(clerk: Visitor) -> None:
    ticket = issue()
    defer_ticket(hall=HALL, actor=SYSTEM, at=now(), ticket_id=ticket)
    page = clerk.get("/clerk").text
    assert "暂离" in said(page) and f"/tickets/{ticket}/rejoin" in page and f"/tickets/{ticket}/unpark" not in page
    assert press(clerk, f"/clerk/tickets/{ticket}/rejoin").status_code == 200
    assert row(ticket).state == "waiting"


# ── choosing, and being sent to ─────────────────────────────────────────────────────────────────────────────────


def test_a_plain_clerk_chooses_nobody(clerk: Visitor) -> None:
    first, second = issue(), issue()
    assert 'action="/clerk/chosen"' not in clerk.get("/clerk").text
    fields = {"ticket": str(second), "reason": "frail"}
    assert press(clerk, "/clerk/chosen", fields).status_code == 403
    assert press(clerk, f"/clerk/tickets/{second}/choose", fields).status_code == 404
    assert {row(first).state, row(second).state} == {"waiting"}


def test_the_lead_clerk_chooses_and_the_record_names_who_was_passed_over(app: Flask) -> None:
    lead = at_console(app, "clerk12", "W12")
    issue()
    issue()
    third = issue()
    page = lead.get("/clerk").text
    assert "按规则应叫 A001" in said(page) and 'data-over="A001、A002"' in page
    assert press(lead, "/clerk/chosen", {"ticket": str(third), "reason": "other"}).status_code == 422
    assert press(lead, "/clerk/chosen", {"ticket": "", "reason": "frail"}).status_code == 404
    fields = {"ticket": str(third), "reason": "frail", "note": "拄拐"}
    assert press(lead, "/clerk/chosen", fields).status_code == 200
    assert "指定叫了这个号，原因：行动不便" in said(lead.page) and "按规则应叫 A001" in said(lead.page)
    with app.app_context():
        call = why_called(HALL, third)[-1]
        sealed = db.session.execute(select(Call.reason_sealed).where(Call.ticket_id == third)).scalar_one()
    assert call["mode"] == "chosen" and call["why"]["passed_over"] == ["A001"]
    assert sealed and "拄拐" not in sealed


def test_auto_dispatch_says_until_when_the_window_rests(app: Flask, clerk: Visitor, staff: Find) -> None:
    assert "data-until" not in clerk.get("/clerk").text
    ruled(dispatch=True, rest_s=90)
    page = clerk.get("/clerk").text
    assert "data-until" in page and "之后自动派单" in said(page)
    issue()
    open_window(hall=HALL, actor=staff("clerk02"), at=now(), window="W02")
    calls.call_next(hall=HALL, actor=staff("clerk02"), at=now(), window="W02")
    assert 'data-mode="dispatch"' not in clerk.get("/clerk").text
    issue()
    dispatch_next(hall=HALL, actor=SYSTEM, at=now() + timedelta(seconds=91))
    page = clerk.get("/clerk").text
    assert 'data-mode="dispatch"' in page and "自动派给空闲最久的窗口" in said(page)
