"""Going away, staying away, and where whoever comes back stands; both databases."""

from __future__ import annotations

import pytest

from app.events import CITIZEN, TicketRejoined, TicketRestored
from app.queueing import calls, closing, queries, tickets
from app.queueing.choosing import choosable
from app.queueing.steps import micros
from tests.actions.conftest import number_of, refused
from tests.actions.looking import line, of_number, row_of, set_policy, told

PERSON = {"name": "张三丰", "id_number": "410305199001010011"}


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
        hall.do(tickets.cancel_ticket, CITIZEN, ticket_id=of_number(f"A00{n}"))
    newer = hall.later(minutes=1).take(lane="priority")  # its rank is before that of A004
    hall.do(tickets.rejoin_ticket, CITIZEN, ticket_id=number_of(last))
    assert line(hall) == [newer["number"], "A004"]
    assert row_of(last).queued_us == row_of(last).issued_at.timestamp() * 1_000_000


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


# ── restoring ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_restored_ticket_never_stands_before_its_own_old_place(hall, called) -> None:
    hall.step(calls.no_show, called)
    for _ in range(2):
        hall.later(seconds=1).take()
    hall.step(calls.restore, called)
    assert line(hall) == ["A002", "A003", "A001"]  # behind all when fewer than three wait
    assert told(called, TicketRestored)[0].queued_at == "2027-01-04T09:00:02.000001+08:00"
    assert row_of(called).waiting_since == hall.at


@pytest.mark.parametrize("lane", ["returning", "priority"])
def test_whoever_is_put_behind_others_has_waited_since_coming_back(hall, lane) -> None:
    """The queue time that gives the place lies ahead, because the head start of the lane is taken from it again."""
    set_policy(call_by_min=30)
    missed = hall.take(lane=lane, case_number="LL-2027-000001")
    hall.open()
    hall.step(calls.no_show, hall.call()["ticket"])
    for _ in range(4):
        hall.later(seconds=1).take()
    hall.later(seconds=1).step(calls.restore, missed)
    assert line(hall) == ["A002", "A003", "A004", "A001", "A005"]
    assert row_of(missed).queued_us > micros(hall.at)
    listed = choosable("luolong", "W01", "clerk01", hall.later(minutes=2).at)["rows"][3]
    assert (listed["number"], listed["waited_s"]) == ("A001", 120)
    called = hall.call()
    said = next(each for each in called["why"]["candidates"] if each["number"] == "A001")
    assert said["waited_s"] == 120
    assert said["standing_s"] == 120 + 60 * said["minutes"]["lane"] - said["back_s"] + 60 * 10  # W01 is for A
    hall.step(calls.no_show, called["ticket"])
    hall.later(minutes=28)
    for number in ("A003", "A004", "A005", "A001"):  # who came first; the last one came back after all of them had come
        called = hall.call()
        assert (called["why"]["rule"], called["ticket"]["number"]) == ("call_by", number)
        hall.step(calls.no_show, called["ticket"])
    assert called["ticket"]["waited_s"] == 1800
