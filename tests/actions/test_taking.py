"""What a number is given for, and what it keeps; both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app import eventlog
from app.events import TicketIssued
from app.queueing import closing, queries, tickets
from app.queueing.steps import micros
from app.queueing.ticket_queries import person_of
from tests.actions.conftest import number_of, refused
from tests.actions.looking import line, row_of, told
from tests.people import id_number


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


def test_a_phone_and_an_id_number_are_one_person_whichever_is_said_first(hall) -> None:
    by_phone = hall.take(person={"name": "张三", "phone": "138 1234 0001"})
    assert hall.take(person={"phone": "13812340001"})["id"] == by_phone["id"]
    both = hall.take(person={"id_number": id_number(1), "phone": "13812340001"})
    assert (both["id"], both["created"]) == (by_phone["id"], False)
    assert hall.take(person={"id_number": id_number(1)})["id"] == by_phone["id"]  # known from now on
    known = {"name": "张三", "id_number": id_number(1), "phone": "13812340001"}
    assert person_of("luolong", number_of(by_phone)) == known
    other = hall.take(person={"id_number": id_number(2), "phone": "13812340002"})
    assert hall.take(person={"phone": "13812340002"})["id"] == other["id"]
    assert hall.take("B", person={"phone": "13812340002"})["created"]  # another queue, another number


def test_a_family_with_one_phone_has_a_number_each(hall) -> None:
    phone = "13812340001"
    first = hall.take(person={"phone": phone})
    mother, father, child = (hall.take(person={"id_number": id_number(n), "phone": phone}) for n in (1, 2, 3))
    assert mother["id"] == first["id"] and father["created"] and child["created"]
    assert len({each["id"] for each in (mother, father, child)}) == 3
    assert hall.take(person={"id_number": id_number(2)})["id"] == father["id"]
    assert hall.take(person={"phone": phone})["id"] == first["id"]
    hall.do(tickets.cancel_ticket, hall.kiosk, ticket_id=number_of(first))
    assert hall.take(person={"phone": phone})["id"] == father["id"]


def test_a_ticket_tells_its_queue_time_only_when_it_is_not_its_own(hall) -> None:
    taken = hall.take()
    assert told(taken, TicketIssued)[0].queued_at is None
    assert row_of(taken).queued_us == micros(hall.at)
