"""The end of a hall's day: no more numbers, what waits is served or explicitly expired, midnight; on both databases."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from app import eventlog
from app.db import db
from app.events import SYSTEM, DayClosed, IssuingChanged
from app.now import SHANGHAI
from app.queueing import calls, closing, queries, setup, tickets
from tests.actions.conftest import number_of, refused
from tests.actions.looking import count_statements, line, row_of, told

PERSON = {"name": "张三丰", "id_number": "410305199001010011"}


@pytest.fixture
def evening(hall):
    """The hall two seconds before midnight, with one at a window, one parked, one missed, one away and one waiting."""
    hall.open()
    hall.open("clerk02", "W02")
    hall.at = datetime(2027, 1, 4, 23, 50, tzinfo=SHANGHAI)
    hall.tickets = {}
    for state in ("parked", "missed"):
        hall.tickets[state] = hall.take()
        hall.call()
        if state == "parked":
            hall.step(calls.start, hall.tickets[state])
            hall.step(calls.park, hall.tickets[state], reason="copy")
        else:
            hall.step(calls.no_show, hall.tickets[state])
    hall.tickets["served"] = hall.take()
    hall.call()
    hall.step(calls.start, hall.tickets["served"])
    hall.tickets["called"] = hall.take()
    hall.call("clerk02", "W02")
    hall.tickets["away"] = hall.take()
    hall.do(tickets.defer_ticket, SYSTEM, ticket_id=number_of(hall.tickets["away"]))
    hall.tickets["waiting"] = hall.take()
    hall.at = datetime(2027, 1, 4, 23, 59, 58, tzinfo=SHANGHAI)
    return hall


def states(hall) -> dict[str, str]:
    return {name: row_of(ticket).state for name, ticket in hall.tickets.items()}


def test_a_hall_that_has_stopped_gives_no_number_and_still_calls(hall) -> None:
    hall.take()
    assert hall.do(closing.stop_issuing, "supervisor01") == {"hall": "luolong", "day": "2027-01-04", "open": False}
    hall.do(closing.stop_issuing, "supervisor01")  # told once
    for lane in ("normal", "priority"):
        with refused("queue.closed_for_today"):
            hall.take(lane=lane)
    assert hall.take(lane="returning", case_number="LL-2027-000001")["created"]
    assert not any(q["open"] for q in queries.queues_of_hall("luolong", hall.at))
    db.session.rollback()
    hall.open()
    assert hall.call() is not None
    hall.do(closing.resume_issuing, "supervisor01")
    assert hall.take()["created"]
    assert [e.open for e in told(kind=IssuingChanged)] == [False, True]


def test_who_holds_a_number_is_given_it_again_after_the_hall_has_stopped(hall) -> None:
    first = hall.take(person=PERSON)
    hall.do(closing.stop_issuing, "supervisor01")
    assert hall.take(person=PERSON)["id"] == first["id"]


def test_tomorrow_begins_as_ever(hall) -> None:
    hall.do(closing.stop_issuing, "supervisor01")
    hall.later(days=1)
    assert hall.take()["number"] == "A001" and all(q["open"] for q in queries.queues_of_hall("luolong", hall.at))
    db.session.rollback()


def test_the_rest_is_expired_only_for_a_reason_and_after_the_last_number(hall) -> None:
    hall.take()
    for reason, code in (("tired", "reason.unknown"), ("rollover", "reason.unknown"), ("not-back", "reason.unknown")):
        with refused(code):
            hall.do(closing.expire_rest, "supervisor01", reason=reason)
    with refused("queue.unknown"):
        hall.do(closing.expire_rest, "supervisor01", reason="closing", queues=["Z"])
    for queues in (None, ["A"]):
        with refused("queue.still_issuing"):
            hall.do(closing.expire_rest, "supervisor01", reason="closing", queues=queues)
    assert line(hall) == ["A001"]


def test_each_ticket_that_waits_is_expired_for_a_reason_and_who_is_at_a_window_stays(evening) -> None:
    evening.do(closing.stop_issuing, "supervisor01")
    done = evening.do(closing.expire_rest, "supervisor01", reason="emergency")
    assert done == {"expired": 4, "numbers": ["A001", "A002", "A005", "A006"]}
    assert states(evening) == {
        "parked": "expired",
        "missed": "expired",
        "served": "serving",
        "called": "called",
        "away": "expired",
        "waiting": "expired",
    }
    for name in ("parked", "missed", "away", "waiting"):
        assert told(evening.tickets[name])[-1].reason == row_of(evening.tickets[name]).left_reason == "emergency"
        assert row_of(evening.tickets[name]).remind_at is None
    assert told(kind=DayClosed) == [DayClosed(day="2027-01-04", expired=4)]
    assert evening.step(calls.finish, evening.tickets["served"])["state"] == "finished"


def test_one_queue_that_stopped_is_ended_alone(hall) -> None:
    hall.take()
    hall.take("B")
    hall.do(setup.set_queue_active, "admin01", queue="B", active=False)
    done = hall.do(closing.expire_rest, "supervisor01", reason="outage", queues=["B"])
    assert done["numbers"] == ["B001"] and line(hall) == ["A001"]
    assert told(kind=DayClosed) == []


def test_midnight_parts_two_days(evening) -> None:
    last = evening.take()
    assert (last["number"], row_of(last).day.isoformat()) == ("A007", "2027-01-04")
    evening.later(seconds=3)
    first = evening.take()
    assert (first["number"], row_of(first).day.isoformat()) == ("A001", "2027-01-05")
    assert evening.do(closing.close_day, SYSTEM, before="2027-01-05") == {"expired": 5}
    assert {name for name, state in states(evening).items() if state != "expired"} == {"served", "called"}
    assert told(kind=DayClosed) == [DayClosed(day="2027-01-04", expired=5)]
    assert told(evening.tickets["waiting"])[-1].reason == "rollover"


def test_whoever_is_at_a_window_over_midnight_is_served_to_the_end(evening) -> None:
    evening.later(seconds=3)
    evening.take()
    evening.do(closing.close_day, SYSTEM, before="2027-01-05")
    assert evening.step(calls.start, evening.tickets["called"], "clerk02")["state"] == "serving"
    for name, who in (("served", "clerk01"), ("called", "clerk02")):
        assert evening.step(calls.finish, evening.tickets[name], who)["state"] == "finished"
    assert evening.call()["ticket"]["number"] == "A001"


def test_nothing_waits_again_on_a_day_that_is_over(evening) -> None:
    evening.later(seconds=3)
    with refused("ticket.day_over"):
        evening.step(calls.transfer, evening.tickets["served"], queue="B")
    with refused("ticket.day_over"):
        evening.step(calls.restore, evening.tickets["missed"])
    with refused("ticket.day_over"):
        evening.do(tickets.rejoin_ticket, SYSTEM, ticket_id=number_of(evening.tickets["away"]))
    evening.open("clerk03", "W03")
    assert evening.call("clerk03", "W03") is None


def test_a_request_that_waited_for_the_lock_over_midnight_belongs_to_the_day_of_its_place(evening) -> None:
    evening.later(seconds=3).take()
    evening.at -= timedelta(seconds=4)  # asked before midnight, came after another of the new day
    late = evening.take()
    assert late["number"] == "A002" and row_of(late).day.isoformat() == "2027-01-05"


def test_expiring_many_costs_a_few_statements(hall) -> None:
    def expired_after(waiting: int) -> int:
        for _ in range(waiting):
            hall.take()
        hall.do(closing.stop_issuing, "supervisor01")
        cost = count_statements(lambda: hall.do(closing.expire_rest, "supervisor01", reason="closing"))
        hall.do(closing.resume_issuing, "supervisor01")
        return cost

    assert expired_after(2) == expired_after(30)
    assert eventlog.verify("luolong") is None
