"""What may happen to a number beside the straight way: refusals first, then what each step leaves behind; both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import IntegrityError

from app import eventlog
from app.catalog.models import ServiceItem
from app.db import db
from app.errors import Refusal
from app.events import (
    CITIZEN,
    ItemFollowed,
    TicketCalled,
    TicketIssued,
    TicketRejoined,
    TicketRestored,
    TicketTransferred,
    WindowTakenOver,
)
from app.hall.models import Hall as HallRow
from app.people.permissions import Permission
from app.queueing import calls, closing, queries, tickets, windows
from app.queueing.models import Call, Service, Ticket, WindowPause, WindowSession
from app.queueing.steps import micros
from tests.actions.conftest import number_of, refused

PERSON = {"name": "张三丰", "id_number": "410305199001010011"}


def set_policy(**policy: object) -> None:
    """What an admin's settings would say."""
    row = db.session.get(HallRow, "luolong")
    row.settings = {**row.settings, "queue": policy}
    db.session.commit()


def told(ticket: dict | None = None, kind: type | None = None) -> list:
    """The events of one ticket, or of one kind, in order."""
    if ticket is not None:
        found = [r.event for r in eventlog.read_subject("luolong", f"ticket:{number_of(ticket)}")]
    else:
        found = [r.event for r in eventlog.read("luolong", 0, 100_000)]
    db.session.rollback()
    return [e for e in found if kind is None or isinstance(e, kind)]


def row_of(ticket: dict) -> Ticket:
    found = db.session.execute(
        select(Ticket).where(Ticket.hall == "luolong", Ticket.id == number_of(ticket))
    ).scalar_one()
    db.session.expunge(found)
    db.session.rollback()
    return found


def seat(window: str = "W01") -> WindowSession:
    query = select(WindowSession).where(WindowSession.window == window, WindowSession.state != "closed")
    found = db.session.execute(query).scalar_one()
    db.session.expunge(found)
    db.session.rollback()
    return found


def line(hall, queue: str = "A") -> list[str]:
    found = queries.waiting_numbers("luolong", queue, hall.at.date())
    db.session.rollback()
    return found


def items(count: int) -> list[str]:
    found = list(db.session.execute(select(ServiceItem.code).order_by(ServiceItem.code).limit(count)).scalars())
    db.session.rollback()
    return found


@pytest.fixture
def called(hall):
    hall.open()
    hall.take()
    return hall.call()["ticket"]


@pytest.fixture
def serving(hall, called):
    hall.later(minutes=1).step(calls.start, called)
    return called


# ── taking ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"party": 0}, "party.size"),
        ({"party": 51}, "party.size"),
        ({"lane": "priority", "ground": "rich"}, "ground.unknown"),
        ({"lane": "returning"}, "auth.forbidden"),
    ],
)
def test_what_no_number_is_given_for(hall, wish, code) -> None:
    before = eventlog.heads()
    with refused(code):
        hall.take(**wish)
    assert eventlog.heads() == before


def test_a_number_keeps_who_came_why_and_what_was_promised(hall) -> None:
    taken = hall.take(lane="priority", ground="infant", party=4, forecast=(300, 900))
    assert (taken["wait_low_s"], taken["wait_high_s"]) == (300, 900)
    (issued,) = told(taken)
    assert (issued.ground, issued.party, issued.forecast_low_s, issued.forecast_high_s) == ("infant", 4, 300, 900)
    assert issued.queued_at is None and issued.arrived_at is None
    row = row_of(taken)
    assert (row.ground, row.party, row.forecast_low_s, row.forecast_high_s) == ("infant", 4, 300, 900)
    view = queries.ticket_view("luolong", row.id, hall.at)
    assert (view["lane"], view["ground"], view["party"]) == ("priority", "infant", 4)


def test_a_ground_is_kept_of_the_priority_lane_alone(hall) -> None:
    assert row_of(hall.take(ground="pregnant")).ground is None


def test_a_supplement_comes_before_all_who_wait(hall) -> None:
    hall.take()
    back = hall.later(minutes=30).take(lane="returning", case_number="LL-2027-000001")
    assert back["ahead"] == 0 and line(hall)[0] == back["number"]
    assert told(back)[0].case == row_of(back).case_number == "LL-2027-000001"
    again = hall.take("B", lane="returning", case_number="LL-2027-000001")  # one case, one way to the front
    assert (again["id"], again["created"]) == (back["id"], False)


def test_who_has_an_appointment_or_a_paper_in_hand_is_given_a_ticket_by_the_parts_of_other_rooms(hall) -> None:
    from app.action import action

    @action
    def check_in(tx):
        return tickets.give(
            tx,
            queue="A",
            channel="kiosk",
            lane="appointment",
            queued_at=tx.at - timedelta(minutes=40),
            appointment_id=7,
        )

    @action
    def reconcile(tx):
        paper = tickets.Printed(3, "A9001", "a-token-on-paper", tx.at - timedelta(minutes=50))
        return tickets.give(tx, queue="A", channel="kiosk", block=paper)

    hall.take()
    hall.do(closing.stop_issuing, "supervisor01")
    booked = hall.do(check_in, hall.kiosk)
    offline = hall.do(reconcile, hall.kiosk)
    assert line(hall) == [offline["number"], booked["number"], "A001"] == ["A9001", "A002", "A001"]
    of_booking, of_paper = told(booked)[0], told(offline)[0]
    assert of_booking.appointment == 7 and of_booking.queued_at == "2027-01-04T08:20:00.000000+08:00"
    assert of_paper.arrived_at == "2027-01-04T08:10:00.000+08:00" and offline["token"] == "a-token-on-paper"
    assert queries.find_by_token("a-token-on-paper") == ("luolong", number_of(offline))
    view = queries.ticket_view("luolong", number_of(booked), hall.at)
    assert view["appointment"] == "luolong-7"


# ── going away and coming back ──────────────────────────────────────────────────────────────────────────────────


def test_who_is_called_served_or_gone_cannot_go_away(hall, called) -> None:
    for action, more in ((tickets.defer_ticket, {}), (tickets.rejoin_ticket, {})):
        with refused("ticket.illegal_step"):
            hall.step(action, called, **more)
    set_policy(rejoin_within_min=0)
    other = hall.take()
    with refused("ticket.defer_off"):
        hall.do(tickets.defer_ticket, CITIZEN, ticket_id=number_of(other))
    assert line(hall) == ["A002"]


def test_who_went_away_comes_back_behind_the_next_three(hall) -> None:
    taken = [hall.later(seconds=1).take() for _ in range(6)]
    answer = hall.do(tickets.defer_ticket, CITIZEN, ticket_id=number_of(taken[0]))
    assert answer["state"] == "parked" and answer["rejoin_until"] == "2027-01-04T10:00:06.000+08:00"
    view = queries.ticket_view("luolong", number_of(taken[0]), hall.at)
    assert view["deferred"] and view["rejoin_until"] and view["remind_at"] is None and view["window"] is None
    assert view["steps"] == ["rejoin", "cancel", "abandon", "expire"]
    hall.open()
    assert hall.call()["ticket"]["number"] == "A002"
    with refused("ticket.illegal_step"):  # nobody is called past the queue because they went away
        hall.do(calls.unpark, "clerk01", ticket_id=number_of(taken[0]), window="W01")
    hall.later(minutes=10).do(tickets.rejoin_ticket, CITIZEN, ticket_id=number_of(taken[0]))
    assert line(hall) == ["A003", "A004", "A005", "A001", "A006"]
    assert told(taken[0], TicketRejoined)[0].queued_at == "2027-01-04T09:00:05.000001+08:00"


def test_nobody_comes_back_before_their_own_old_place(hall) -> None:
    for _ in range(3):
        hall.later(seconds=1).take()
    last = hall.later(seconds=1).take()
    hall.do(tickets.defer_ticket, CITIZEN, ticket_id=number_of(last))
    for n in range(1, 4):
        hall.do(tickets.cancel_ticket, CITIZEN, ticket_id=_of_number(f"A00{n}"))
    newer = hall.later(minutes=1).take(lane="priority")  # its rank is before that of A004
    hall.do(tickets.rejoin_ticket, CITIZEN, ticket_id=number_of(last))
    assert line(hall) == [newer["number"], "A004"]
    assert row_of(last).queued_us == row_of(last).issued_at.timestamp() * 1_000_000


def _of_number(number: str) -> int:
    found = db.session.execute(select(Ticket.id).where(Ticket.number == number)).scalar_one()
    db.session.rollback()
    return found


def test_an_empty_queue_gives_the_old_place_back(hall) -> None:
    only = hall.take()
    hall.do(tickets.defer_ticket, CITIZEN, ticket_id=number_of(only))
    hall.later(minutes=5).do(tickets.rejoin_ticket, CITIZEN, ticket_id=number_of(only))
    hall.later(seconds=1).take()
    assert line(hall) == ["A001", "A002"]


def test_who_takes_a_number_again_is_back(hall) -> None:
    first = hall.take(person=PERSON)
    hall.do(tickets.defer_ticket, CITIZEN, ticket_id=number_of(first))
    again = hall.later(minutes=59).take(person=PERSON)
    assert (again["id"], again["created"], again["state"]) == (first["id"], False, "waiting")
    assert [type(e) for e in told(first)][-1] is TicketRejoined


def test_who_stayed_away_too_long_has_lost_the_number(hall) -> None:
    first = hall.take(person=PERSON)
    hall.do(tickets.defer_ticket, CITIZEN, ticket_id=number_of(first))
    with refused("ticket.rejoin_too_late"):
        hall.later(minutes=61).do(tickets.rejoin_ticket, CITIZEN, ticket_id=number_of(first))
    again = hall.take(person=PERSON)
    assert again["created"] and again["number"] == "A002"
    assert row_of(first).state == "expired" and row_of(first).left_reason == told(first)[-1].reason == "not-back"


def test_the_timer_ends_what_nobody_came_back_for_and_reminds_of_what_is_parked(hall, serving) -> None:
    away = hall.take()
    hall.do(tickets.defer_ticket, CITIZEN, ticket_id=number_of(away))
    hall.step(calls.park, serving, reason="copy", remind_min=5)
    assert not closing.reminders_due("luolong", hall.at)
    assert hall.do(closing.remind_parked, "supervisor01") == {"reminded": 0, "more": False}
    hall.later(minutes=5)
    assert closing.reminders_due("luolong", hall.at)
    assert hall.do(closing.remind_parked, "supervisor01")["reminded"] == 1
    assert told(serving)[-1].kind == "ticket.reminded" and told(serving)[-1].window == "W01"
    assert hall.do(closing.remind_parked, "supervisor01")["reminded"] == 0  # once
    hall.later(minutes=60)
    assert hall.do(closing.remind_parked, "supervisor01")["reminded"] == 1
    assert row_of(away).state == "expired" and row_of(serving).state == "parked"


# ── restoring ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_restored_ticket_never_stands_before_its_own_old_place(hall, called) -> None:
    hall.step(calls.no_show, called)
    for _ in range(2):
        hall.later(seconds=1).take()
    hall.step(calls.restore, called)
    assert line(hall) == ["A002", "A003", "A001"]  # behind all when fewer than three wait
    assert told(called, TicketRestored)[0].queued_at == "2027-01-04T09:00:02.000001+08:00"
    assert row_of(called).waiting_since == hall.at


# ── a visit of several items ────────────────────────────────────────────────────────────────────────────────────


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


# ── setting aside ───────────────────────────────────────────────────────────────────────────────────────────────


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


# ── passing on ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_ticket_goes_only_where_somebody_calls_it(hall, serving) -> None:
    for wrong, code in (
        ({"queue": "A", "staff": "clerk02"}, "request.invalid"),
        ({"staff": "clerk02"}, "staff.not_at_window"),
        ({"window": "W02"}, "window.not_open"),
        ({"queue": "B", "place": "middle"}, "place.unknown"),
        ({"queue": "B", "note": "😀"}, "text.invalid"),
    ):
        with refused(code):
            hall.step(calls.transfer, serving, **wrong)
    hall.open("clerk02", "W02")
    hall.do(windows.pause_window, "clerk02", window="W02", reason="午休")
    with refused("window.not_open"):
        hall.step(calls.transfer, serving, window="W02")
    assert row_of(serving).transfers == 0 and row_of(serving).state == "serving"


def test_nobody_is_passed_on_to_a_queue_where_they_wait_already(hall) -> None:
    hall.open()
    hall.take(person=PERSON)
    hall.later(seconds=1).take("B", person=PERSON)
    first = hall.call()["ticket"]
    with pytest.raises(Refusal) as info:
        hall.step(calls.transfer, first, queue="B")
    assert info.value.code == "ticket.live_elsewhere" and info.value.facts == {"number": "B001"}
    assert hall.step(calls.transfer, first, queue="A")["state"] == "waiting"


def test_a_ticket_is_passed_on_at_most_so_often(hall) -> None:
    set_policy(transfer_cap=2)
    hall.open()
    hall.take()
    for _ in range(2):
        hall.step(calls.transfer, hall.call()["ticket"], queue="A")
    again = hall.call()["ticket"]
    with pytest.raises(Refusal) as info:
        hall.step(calls.transfer, again, queue="A")
    assert info.value.code == "ticket.transfer_limit" and info.value.facts == {"limit": 2}


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("first", ["A001", "B003", "B001", "B002", "B004"]),
        ("sorted", ["B003", "A001", "B001", "B002", "B004"]),
        ("last", ["B003", "B001", "B002", "A001", "B004"]),
    ],
)
def test_the_place_of_a_transferred_ticket(hall, place, expected) -> None:
    hall.open()
    hall.take()  # A001, the first of all
    first = hall.call()["ticket"]
    hall.later(minutes=1).take("B")
    hall.later(minutes=1).take("B")
    hall.later(minutes=1).take("B", lane="priority")  # counts as twelve minutes before A001
    hall.later(minutes=1)
    hall.step(calls.transfer, first, queue="B", place=place)
    hall.later(minutes=20).take("B")
    assert line(hall, "B") == expected
    assert [_finished(hall) for _ in expected] == expected


@pytest.mark.parametrize("target", [{"queue": "B"}, {"window": "W02"}])
def test_who_is_put_first_keeps_an_arrival_that_is_first_already(hall, target) -> None:
    hall.open()
    hall.open("clerk02", "W02")
    first = hall.take()
    hall.call()
    hall.later(minutes=1).take("B")
    hall.step(calls.transfer, hall.call("clerk02", "W02")["ticket"], "clerk02", **target)
    hall.step(calls.transfer, first, place="first", **target)
    assert row_of(first).queued_us == micros(row_of(first).issued_at)


def test_a_ticket_sent_to_a_clerk_is_called_by_that_clerk_alone(hall, serving) -> None:
    hall.open("clerk02", "W02")
    hall.step(calls.transfer, serving, staff="clerk02", note="请核对原件")
    sent = told(serving)[-1]
    assert (sent.to_staff, sent.to_window, sent.window, sent.place) == ("clerk02", None, "W01", "sorted")
    assert hall.call() is None
    assert queries.ticket_view("luolong", number_of(serving), hall.at)["ahead"] == 0
    assert hall.call("clerk02", "W02")["ticket"]["number"] == "A001"
    assert queries.ticket_view("luolong", number_of(serving), hall.at, staff=True)["note"] == "请核对原件"


def test_who_waits_for_one_window_or_clerk_waits_for_all_when_they_leave(hall) -> None:
    hall.open()
    hall.open("clerk02", "W02")
    for target in ({"window": "W02"}, {"staff": "clerk02"}):
        hall.take()
        hall.step(calls.transfer, hall.call()["ticket"], place="last", **target)
    assert hall.call() is None and line(hall) == []
    hall.later(minutes=1).do(windows.close_window, "clerk02", window="W02")
    assert line(hall) == ["A001", "A002"]
    freed = told(kind=TicketTransferred)[-2:]
    assert [(e.number, e.window, e.to_window, e.to_staff, e.from_queue) for e in freed] == [
        ("A001", None, None, None, "A"),
        ("A002", None, None, None, "A"),
    ]
    assert hall.call()["ticket"]["number"] == "A001"


def test_first_at_a_window_is_before_all_who_were_sent_there(hall) -> None:
    hall.open()
    hall.open("clerk02", "W02")
    for _ in range(3):
        hall.later(seconds=1).take()
    hall.step(calls.transfer, hall.call()["ticket"], window="W02")
    hall.step(calls.transfer, hall.call()["ticket"], window="W02", place="first")
    hall.step(calls.transfer, hall.call()["ticket"], window="W02", place="last")
    assert [_finished(hall, "clerk02", "W02") for _ in range(3)] == ["A002", "A001", "A003"]


def _finished(hall, who: str = "clerk01", window: str = "W01") -> str:
    ticket = hall.later(seconds=1).call(who, window)["ticket"]
    hall.step(calls.start, ticket, who)
    hall.step(calls.finish, ticket, who)
    return ticket["number"]


# ── giving up ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_gave_up_said_why(hall, called) -> None:
    with refused("reason.unknown"):
        hall.step(calls.abandon, called, reason="bored")
    hall.step(calls.abandon, called, reason="not-ready")
    assert told(called)[-1].reason == row_of(called).left_reason == "not-ready"
    waiting = hall.take()
    hall.step(calls.abandon, waiting)
    assert told(waiting)[-1].window is None and told(waiting)[-1].reason == "gave-up"


# ── choosing ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def trusted(hall):
    clerk = hall.staff("clerk01")
    return replace(clerk, permissions=clerk.permissions | {Permission.TICKET_CALL_ANY})


def test_nobody_is_chosen_without_the_right_a_reason_and_a_free_window(hall, trusted) -> None:
    hall.open()
    chosen = {"ticket_id": number_of(hall.take()), "window": "W01"}
    with refused("auth.forbidden"):
        hall.do(calls.call_chosen, "clerk01", **chosen, reason="illness")
    for reason, code in (("friend", "reason.unknown"), ("other", "reason.note_required")):
        with refused(code):
            hall.do(calls.call_chosen, trusted, **chosen, reason=reason)
    with refused("window.not_open"):
        hall.do(calls.call_chosen, trusted, ticket_id=chosen["ticket_id"], window="W02", reason="illness")
    hall.later(days=1)
    with refused("ticket.day_over"):
        hall.do(calls.call_chosen, trusted, **chosen, reason="illness")
    hall.later(days=-1).take("B")
    hall.call()
    with refused("window.occupied"):
        hall.do(calls.call_chosen, trusted, ticket_id=_of_number("B001"), window="W01", reason="illness")


def test_a_chosen_call_keeps_who_was_passed_over(hall, trusted) -> None:
    hall.open()
    for queue in "BABB":  # W01 is for A: its first counts as having waited longer
        hall.later(minutes=1).take(queue)
    more = {"ticket_id": _of_number("B003"), "window": "W01", "reason": "other", "note": "突发低血糖"}
    answer = hall.do(calls.call_chosen, trusted, **more)
    why = answer["why"]
    assert (why["rule"], why["chosen"], why["by_rule"], why["reason"]) == ("chosen", "B003", "A001", "other")
    assert why["passed_over"] == ["A001", "B001"] and why["ahead"] == 2
    assert [c["number"] for c in why["candidates"]] == ["A001", "B001", "B003"]
    said = told(answer["ticket"], TicketCalled)[0]
    assert (said.mode, said.reason, said.why) == ("chosen", "other", why)
    call = db.session.execute(select(Call)).scalar_one()
    assert (call.mode, call.reason, call.why) == ("chosen", "other", why)
    assert "低血糖" not in call.reason_sealed and "低血糖" not in str(told())


def test_a_chosen_ticket_stands_where_the_conditions_of_the_hall_put_it(hall, trusted) -> None:
    set_policy(conditions=[{"minutes": 30, "queue": "B", "waiting_over": 1}])
    hall.open()
    for queue in "ABBB":
        hall.later(minutes=1).take(queue)
    why = hall.do(calls.call_chosen, trusted, ticket_id=_of_number("B003"), window="W01", reason="frail")["why"]
    assert [c["number"] for c in why["candidates"]] == ["B001", "B003", "A001"]
    assert why["passed_over"] == ["B001"] and why["candidates"][1]["minutes"]["conditions"] == 30


def test_whoever_chooses_whose_turn_it_is_passes_over_nobody(hall, trusted) -> None:
    hall.open()
    first = hall.take()
    hall.later(seconds=1).take()
    why = hall.do(calls.call_chosen, trusted, ticket_id=number_of(first), window="W01", reason="frail")["why"]
    assert (why["by_rule"], why["passed_over"], why["ahead"]) == ("A001", [], 0)


# ── the ratio, and the cost of a call ───────────────────────────────────────────────────────────────────────────


def test_the_ratio_is_kept_by_each_window_and_over_other_calls(hall) -> None:
    set_policy(ratio=[2, 1])
    hall.open()
    for n in range(6):
        hall.later(seconds=1).take(lane="normal" if n % 2 else "priority")
    hall.later(minutes=1)
    order = [_finished(hall)]
    parked = hall.call()["ticket"]
    order.append(parked["number"])
    hall.step(calls.start, parked)
    hall.step(calls.park, parked, reason="copy")
    hall.step(calls.unpark, parked, window="W01")  # is nobody's turn: the tally goes on
    hall.step(calls.start, parked)
    hall.step(calls.finish, parked)
    order += [_finished(hall) for _ in range(3)]
    lanes = ["normal" if int(number[1:]) % 2 == 0 else "priority" for number in order]
    for n in range(1, 5):
        normal, priority = lanes[:n].count("normal"), lanes[:n].count("priority")
        assert abs(normal - 2 * priority) <= 2, lanes
    tallies = db.session.execute(select(Call.tally_normal, Call.tally_priority, Call.mode).order_by(Call.id)).all()
    assert tallies[2][:2] == tallies[1][:2] and tallies[2].mode == "unpark"
    assert sum(tallies[3][:2]) == sum(tallies[1][:2]) + 1


def test_a_new_day_begins_the_ratio_anew(hall) -> None:
    set_policy(ratio=[1, 1])
    hall.open()
    for lane in ("normal", "priority", "normal", "priority"):
        hall.later(seconds=1).take(lane=lane)
    _finished(hall)
    hall.later(days=1)
    for lane in ("normal", "priority"):
        hall.later(seconds=1).take(lane=lane)
    _finished(hall)
    last = db.session.execute(select(Call).order_by(Call.id.desc())).scalars().first()
    assert last.tally_normal + last.tally_priority == 1


def count_statements(work) -> int:
    """How many statements the engine is given."""
    asked: list[str] = []
    note = lambda _c, _cur, statement, *_: asked.append(statement)  # noqa: E731  # a listener needs a name to be removed
    event.listen(db.engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return len(asked)


def test_a_call_costs_the_same_however_many_wait(hall) -> None:
    hall.open()
    for _ in range(3):
        hall.take()
    few = count_statements(lambda: _called_and_missed(hall))
    for _ in range(40):
        hall.take()
    many = count_statements(lambda: _called_and_missed(hall))
    assert few == many
    assert count_statements(hall.call) <= 15  # two of them find out who asks, and begin
    hall.step(calls.no_show, _at_window(hall))
    set_policy(ratio=[2, 1])
    assert count_statements(hall.call) <= 16


def _at_window(hall) -> dict:
    shown = next(w for w in queries.windows_of_hall("luolong") if w["code"] == "W01")["ticket"]
    db.session.rollback()
    return shown


def _called_and_missed(hall) -> None:
    hall.step(calls.no_show, hall.call()["ticket"])


# ── windows ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_window_is_taken_over_only_on_purpose_and_by_who_sits_nowhere(hall, serving) -> None:
    with pytest.raises(Refusal) as info:
        hall.open("clerk02")
    assert info.value.code == "window.already_open" and info.value.facts == {"staff": "clerk01"}
    hall.open("clerk02", "W02")
    with refused("window.staff_elsewhere"):
        hall.do(windows.open_window, "clerk02", window="W01", take_over=True)


def test_a_visit_goes_on_with_the_clerk_who_took_over(hall, serving) -> None:
    hall.open("clerk03", "W03")
    hall.take()
    other = hall.call("clerk03", "W03")["ticket"]
    hall.step(calls.transfer, other, "clerk03", staff="clerk01")
    assert hall.do(windows.open_window, "clerk02", window="W01", take_over=True)["state"] == "open"
    (taken,) = told(kind=WindowTakenOver)
    assert (taken.staff, taken.from_staff) == ("clerk02", "clerk01")
    assert seat().taken_from == "clerk01" and seat().free_at is None
    with refused("ticket.not_at_window"):
        hall.step(calls.finish, serving)
    assert hall.step(calls.finish, serving, "clerk02")["state"] == "finished"
    assert line(hall) == ["A002"]  # who waited for the clerk that left
    assert hall.open("clerk01", "W02")["state"] == "open"


def test_pauses_are_kept_with_their_reasons_from_when_to_when(hall) -> None:
    hall.open()
    hall.later(minutes=5).do(windows.pause_window, "clerk01", window="W01", reason="午休")
    hall.later(minutes=20).open()
    hall.do(windows.pause_window, "clerk01", window="W01", reason="开会")
    hall.later(minutes=3).do(windows.close_window, "clerk01", window="W01")
    hall.open()
    hall.do(windows.pause_window, "clerk01", window="W01", reason="换岗")
    hall.later(minutes=1).do(windows.open_window, "clerk02", window="W01", take_over=True)
    rows = db.session.execute(select(WindowPause).order_by(WindowPause.id)).scalars().all()
    assert [(p.reason, int((p.to_at - p.from_at).total_seconds())) for p in rows] == [
        ("午休", 1200),
        ("开会", 180),
        ("换岗", 60),
    ]


def test_a_window_knows_since_when_it_is_free(hall) -> None:
    hall.open()
    assert seat().free_at == hall.at
    hall.later(minutes=1).take()
    ticket = hall.call()["ticket"]
    assert seat().free_at is None
    for step in (calls.no_show, calls.abandon):
        hall.later(minutes=1).step(step, ticket)
        assert seat().free_at == hall.at
        hall.take()
        ticket = hall.call()["ticket"]
    hall.later(minutes=1).step(calls.transfer, ticket, queue="B")
    assert seat().free_at == hall.at
    ticket = hall.call()["ticket"]
    hall.step(calls.start, ticket)
    hall.later(minutes=1).step(calls.park, ticket, reason="copy")
    assert seat().free_at == hall.at
    hall.do(windows.pause_window, "clerk01", window="W01", reason="午休")
    assert seat().free_at is None
    hall.later(minutes=9).open()
    assert seat().free_at == hall.at
    shown = queries.windows_of_hall("luolong")
    assert next(w for w in shown if w["code"] == "W01")["free_since"] == "2027-01-04T09:14:00.000+08:00"


def test_a_ticket_tells_its_queue_time_only_when_it_is_not_its_own(hall) -> None:
    taken = hall.take()
    assert told(taken, TicketIssued)[0].queued_at is None
    assert row_of(taken).queued_us == micros(hall.at)
