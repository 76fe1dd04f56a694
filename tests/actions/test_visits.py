"""A visit at a window: its items, setting it aside, giving it up; refusals first; both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from app.db import db
from app.events import CITIZEN, ItemFollowed
from app.queueing import calls, queries, tickets
from app.queueing.models import Call, Service
from tests.actions.conftest import number_of, refused
from tests.actions.looking import items, row_of, told


def test_a_visit_goes_on_with_items_that_exist_while_it_lasts(hall, called) -> None:
    (item,) = items(1)
    with refused("ticket.illegal_step"):
        hall.step(calls.next_item, called, item=item)
    with refused("item.unknown"):
        hall.step(calls.start, called, item="no-such-item")
    hall.step(calls.start, called)
    with refused("item.unknown"):
        hall.step(calls.next_item, called, item="no-such-item")
    hall.open("clerk02", "W02")
    with refused("ticket.not_at_window"):
        hall.step(calls.next_item, called, "clerk02", item=item)
    assert len(queries.ticket_view("luolong", number_of(called), hall.at)["services"]) == 1


def test_a_visit_of_three_items_at_two_windows_is_one_ticket_with_its_services(hall, called) -> None:
    first, second, third = items(3)
    hall.open("clerk02", "W02")
    hall.later(seconds=40).step(calls.start, called, item=first)
    hall.later(minutes=3).step(calls.next_item, called, item=second)
    hall.later(minutes=2).step(calls.transfer, called, window="W02")
    assert hall.later(seconds=30).call("clerk02", "W02")["ticket"]["waited_s"] == 30
    hall.later(seconds=20).step(calls.start, called, "clerk02", item=third)
    hall.later(minutes=4).step(calls.finish, called, "clerk02")
    view = queries.ticket_view("luolong", number_of(called), hall.at)
    assert [(s["item"], s["window"], s["outcome"]) for s in view["services"]] == [
        (first, "W01", "next-item"),
        (second, "W01", "transferred"),
        (third, "W02", "finished"),
    ]
    rows = db.session.execute(select(Service).order_by(Service.id)).scalars().all()
    assert [int((s.ended_at - s.started_at).total_seconds()) for s in rows] == [180, 120, 240]
    assert [s.staff for s in rows] == ["clerk01", "clerk01", "clerk02"]
    (followed,) = told(called, ItemFollowed)
    assert (followed.item, followed.served_s) == (second, 180) and told(called)[-1].served_s == 240
    held = db.session.execute(select(Call).order_by(Call.id)).scalars().all()
    assert [(c.queue, c.lane, c.mode, c.waited_s, c.outcome) for c in held] == [
        ("A", "normal", "rule", 0, "transferred"),
        ("A", "normal", "rule", 30, "finished"),
    ]
    assert [int((c.arrived_at - c.called_at).total_seconds()) for c in held] == [40, 20]
    row = row_of(called)
    assert row.first_called_at == row.issued_at and row.item == third


def test_the_database_itself_refuses_two_services_at_once(hall, serving) -> None:
    with pytest.raises(IntegrityError):
        db.session.execute(
            text(
                'INSERT INTO services (hall, id, ticket_id, call_id, queue, "window", staff, started_at) '
                'SELECT hall, id + 1000, ticket_id, call_id, queue, "window", staff, started_at FROM services'
            )
        )
    db.session.rollback()


# ── setting aside ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_visit_is_set_aside_for_a_reason_of_the_list(hall, serving) -> None:
    for wrong, code in (
        ({"reason": "去复印"}, "reason.unknown"),
        ({"reason": "copy", "remind_min": 0}, "request.invalid"),
        ({"reason": "copy", "remind_min": 241}, "request.invalid"),
        ({"reason": "copy", "note": "张\u202e三"}, "text.invalid"),
    ):
        with refused(code):
            hall.step(calls.park, serving, **wrong)
    assert row_of(serving).state == "serving"


def test_a_note_is_sealed_and_read_by_staff_alone(hall, serving) -> None:
    hall.step(calls.park, serving, reason="copy", note="缺身份证复印件")
    parked = told(serving)[-1]
    assert parked.reason == "copy" and parked.remind_at == "2027-01-04T09:21:00.000+08:00"
    row = row_of(serving)
    assert row.note_sealed and "身份证" not in row.note_sealed
    assert queries.ticket_view("luolong", row.id, hall.at, staff=True)["note"] == "缺身份证复印件"
    view = queries.ticket_view("luolong", row.id, hall.at)
    assert "note" not in view and view["steps"] == ["unpark", "cancel", "abandon", "expire"]
    with refused("ticket.illegal_step"):  # whom a clerk set aside is called back and does not queue
        hall.do(tickets.rejoin_ticket, CITIZEN, ticket_id=row.id)
    hall.later(minutes=7).step(calls.unpark, serving, window="W01")
    back = db.session.execute(select(Call).order_by(Call.id.desc())).scalars().first()
    assert (back.mode, back.waited_s) == ("unpark", None) and row_of(serving).remind_at is None


# ── giving up ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_gave_up_said_why(hall, called) -> None:
    with refused("reason.unknown"):
        hall.step(calls.abandon, called, reason="bored")
    hall.step(calls.abandon, called, reason="not-ready")
    assert told(called)[-1].reason == row_of(called).left_reason == "not-ready"
    waiting = hall.take()
    hall.step(calls.abandon, waiting)
    assert told(waiting)[-1].window is None and told(waiting)[-1].reason == "gave-up"
