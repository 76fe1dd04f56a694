"""A visit that goes on elsewhere: in another queue, at one window, with one clerk; both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.errors import Refusal
from app.events import CITIZEN, TicketTransferred
from app.queueing import calls, queries, tickets, windows
from app.queueing.appointments import book, check_in
from app.queueing.choosing import choosable
from app.queueing.steps import micros
from tests.actions.conftest import number_of, refused
from tests.actions.looking import finished, line, row_of, set_policy, told
from tests.people import id_number, phone

PERSON = {"name": "张三丰", "id_number": "410305199001010011"}
BOOKER = {"name": "张三丰", "id_number": id_number(0), "phone": phone(0)}


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
    assert [finished(hall) for _ in expected] == expected


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


def test_who_waits_for_one_window_or_clerk_waits_for_all_while_they_pause(hall) -> None:
    hall.open()
    hall.open("clerk02", "W02")
    for target in ({"window": "W02"}, {"staff": "clerk02"}):
        hall.take()
        hall.step(calls.transfer, hall.call()["ticket"], note="请核对原件", **target)
    waiting = hall.later(minutes=1).take()
    hall.do(windows.pause_window, "clerk02", window="W02", reason="午休")
    assert line(hall) == ["A001", "A002", "A003"]  # by their arrival, before who came later
    assert queries.ticket_view("luolong", number_of(waiting), hall.at)["ahead"] == 2
    assert [(e.number, e.window, e.to_window, e.to_staff) for e in told(kind=TicketTransferred)[-2:]] == [
        ("A001", None, None, None),
        ("A002", None, None, None),
    ]
    called = hall.call()["ticket"]
    assert called["number"] == "A001"
    assert queries.ticket_view("luolong", number_of(called), hall.at, staff=True)["note"] == "请核对原件"
    hall.do(windows.open_window, "clerk02", window="W02")
    assert hall.call("clerk02", "W02")["ticket"]["number"] == "A002"


def test_first_at_a_window_is_before_all_who_were_sent_there(hall) -> None:
    hall.open()
    hall.open("clerk02", "W02")
    for _ in range(3):
        hall.later(seconds=1).take()
    hall.step(calls.transfer, hall.call()["ticket"], window="W02")
    hall.step(calls.transfer, hall.call()["ticket"], window="W02", place="first")
    hall.step(calls.transfer, hall.call()["ticket"], window="W02", place="last")
    assert [finished(hall, "clerk02", "W02") for _ in range(3)] == ["A002", "A001", "A003"]


# ── a place given is no wait ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_place_before_a_returning_supplement_makes_no_wait_longer(hall) -> None:
    """That place lies a day back; the wait, and with it call by, is counted from the arrival."""
    set_policy(call_by_min=30)
    hall.open()
    hall.take("C")
    first = hall.later(minutes=5).take()
    called = hall.call()["ticket"]
    hall.later(minutes=1).do(tickets.issue_ticket, "guide01", queue="B", channel="guide", lane="returning")
    hall.later(minutes=14).step(calls.transfer, called, queue="B", place="first")
    assert line(hall, "B") == ["A001", "B001"]
    listed = choosable("luolong", "W01", "clerk01", hall.at)["rows"][0]
    assert (listed["number"], listed["waited_s"]) == ("A001", 900)
    overdue = hall.later(minutes=11).call()
    assert (overdue["why"]["rule"], overdue["ticket"]["number"]) == ("call_by", "C001")
    said = overdue["why"]["candidates"][0]
    assert (said["number"], said["waited_s"]) == ("A001", 26 * 60)
    assert said["standing_s"] == said["waited_s"] + 60 * sum(said["minutes"].values()) - said["back_s"]
    hall.step(calls.no_show, overdue["ticket"])
    assert hall.call()["ticket"]["number"] == first["number"]


def test_a_place_given_once_is_gone_when_the_ticket_is_passed_on_by_its_arrival(hall) -> None:
    hall.open()
    taken = hall.take()
    called = hall.call()["ticket"]
    hall.later(minutes=5).do(tickets.issue_ticket, "guide01", queue="B", channel="guide", lane="returning")
    hall.step(calls.transfer, called, queue="B", place="first")
    assert row_of(taken).queued_us < micros(hall.at) - 86_000_000_000
    hall.step(calls.transfer, hall.call()["ticket"], queue="A", place="sorted")
    assert row_of(taken).queued_us == micros(row_of(taken).issued_at)


def test_an_appointment_that_is_passed_on_stands_by_its_booked_time_again(spring) -> None:
    slot = (spring.at + timedelta(days=1)).replace(hour=9)
    booked = spring.do(book, CITIZEN, queue="A", slot_at=slot, channel="web", person=BOOKER)
    spring.at = slot - timedelta(minutes=10)
    given = spring.do(check_in, spring.kiosk, appointment_id=number_of(booked), channel="kiosk")
    assert given["lane"] == "appointment"
    spring.open()
    for place, queued_at in (("last", slot + timedelta(minutes=5)), ("sorted", slot)):
        spring.at = slot + timedelta(minutes=5)
        spring.step(calls.transfer, spring.call()["ticket"], queue="B", place=place)
        assert row_of(given).queued_us == micros(queued_at)


@pytest.mark.parametrize("place", ["first", "sorted"])
def test_a_restored_supplement_sent_to_a_window_stands_there_by_its_arrival(hall, place) -> None:
    """What put it behind three of its queue lies a day ahead, and is nothing to one window's own line."""
    hall.open()
    hall.open("clerk02", "W02")
    back = hall.do(tickets.issue_ticket, "guide01", queue="A", channel="guide", lane="returning")
    hall.step(calls.no_show, hall.call()["ticket"])
    for _ in range(2):
        hall.later(seconds=1).take()
    hall.step(calls.restore, back)
    sent = hall.call()["ticket"]
    hall.later(seconds=1).step(calls.transfer, sent, window="W02", place="sorted")
    hall.step(calls.no_show, hall.call()["ticket"])
    called = hall.call()["ticket"]
    assert called["number"] == back["number"]
    hall.step(calls.transfer, called, window="W02", place=place)
    at_two = hall.call("clerk02", "W02")
    assert at_two["ticket"]["number"] == back["number"]
    assert at_two["why"]["candidates"][0]["standing_s"] >= 24 * 3600
