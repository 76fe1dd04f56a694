"""Taking, calling and ending tickets, on both databases; what is refused comes first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from app import eventlog
from app.db import db
from app.errors import Refusal
from app.queueing import calls, closing, queries, setup, tickets, windows
from app.queueing.models import Call, Ticket
from tests.actions.conftest import number_of, refused

PERSON = {"name": "张三丰", "id_number": "410305199001010011"}


def test_unknown_and_closed_queues_give_no_ticket(hall) -> None:
    with refused("queue.unknown"):
        hall.take("Z")
    hall.do(setup.set_queue_active, "admin01", queue="B", active=False)
    with refused("queue.closed"):
        hall.take("B")
    with refused("lane.unknown"):
        hall.take(lane="express")
    with refused("lane.needs_appointment"):
        hall.take(lane="appointment")
    with refused("auth.forbidden"):
        hall.take(lane="returning")
    assert db.session.query(Ticket).count() == 0


@pytest.mark.parametrize(
    ("person", "code"),
    [
        ({"name": "张" * 10_000}, "text.too_long"),
        ({"name": "张\x00三"}, "text.invalid"),
        ({"name": "张三😀"}, "text.invalid"),
        ({"name": "张\u202e三"}, "text.invalid"),
        ({"name": "\ud800"}, "text.invalid"),
        ({"id_number": "1"}, "person.bad_id"),
        ({"phone": "not a phone"}, "person.bad_phone"),
    ],
)
def test_bad_words_change_nothing(hall, person, code) -> None:
    before = eventlog.heads()
    with refused(code):
        hall.take(person=person)
    assert eventlog.heads() == before


def test_rare_names_are_kept_and_sealed(hall) -> None:
    ticket = hall.take(person={"name": "欧阳𠮷", "phone": "+86 138-1234-1234"})
    assert queries.person_of("luolong", number_of(ticket)) == {"name": "欧阳𠮷", "phone": "13812341234"}
    sealed = db.session.execute(select(Ticket.person_sealed)).scalar_one()
    assert "𠮷" not in sealed and "138" not in sealed


def test_numbers_run_per_queue_and_local_day(hall) -> None:
    assert [hall.take(q)["number"] for q in "AABA"] == ["A001", "A002", "B001", "A003"]
    hall.later(hours=14)  # 23:00
    assert hall.take()["number"] == "A004"
    hall.later(hours=1, seconds=1)
    assert hall.take()["number"] == "A001"


def test_asking_again_returns_the_live_ticket(hall) -> None:
    first = hall.take(person=PERSON)
    again = hall.take(person=PERSON)
    assert again["created"] is False and again["token"] == first["token"] and again["number"] == first["number"]
    assert hall.take("B", person=PERSON)["created"] is True
    hall.do(tickets.cancel_ticket, hall.kiosk, ticket_id=number_of(first))
    assert hall.take(person=PERSON)["number"] == "A002"


def test_ahead_counts_by_rank_not_by_arrival(hall) -> None:
    hall.take()
    hall.later(minutes=20)
    assert hall.take()["ahead"] == 1
    assert hall.take(lane="priority")["ahead"] == 1  # before the one who came just now, behind the one of 20 min ago
    assert queries.waiting_numbers("luolong", "A", hall.at.date()) == ["A001", "A003", "A002"]


def test_a_foreign_kiosk_gives_no_ticket_here(hall) -> None:
    with refused("auth.foreign_hall"):
        hall.do(tickets.issue_ticket, replace(hall.kiosk, hall="lilou"), queue="A", channel="kiosk")


def test_windows_open_once_and_for_one_clerk(hall) -> None:
    with refused("window.unknown"):
        hall.open(window="W99")
    with refused("window.not_open"):
        hall.call()
    hall.open()
    with refused("window.already_open"):
        hall.open("clerk02", "W01")
    with refused("window.staff_elsewhere"):
        hall.open("clerk01", "W02")
    with refused("window.not_yours"):
        hall.call("clerk02", "W01")
    assert hall.open()["state"] == "open"


def test_a_pause_needs_a_reason_and_an_empty_window(hall) -> None:
    hall.open()
    with refused("window.reason_required"):
        hall.do(windows.pause_window, "clerk01", window="W01", reason=" ")
    hall.take()
    hall.call()
    with refused("window.occupied"):
        hall.do(windows.pause_window, "clerk01", window="W01", reason="午休")
    with refused("window.occupied"):
        hall.do(windows.close_window, "clerk01", window="W01")


def test_a_paused_window_calls_nobody_and_opens_again(hall) -> None:
    hall.open()
    hall.take()
    hall.do(windows.pause_window, "clerk01", window="W01", reason="午休")
    with refused("window.not_open"):
        hall.call()
    assert hall.open()["state"] == "open"
    assert hall.call()["ticket"]["number"] == "A001"


def test_calling_an_empty_hall_calls_nobody(hall) -> None:
    hall.open()
    assert hall.call() is None


def test_a_window_holds_one_ticket_at_a_time(hall, called) -> None:
    hall.take()
    with refused("window.occupied"):
        hall.call()


def test_the_call_stores_why(hall, called) -> None:
    (call,) = queries.why_called("luolong", number_of(called))
    assert call["why"]["chosen"] == "A001" and call["why"]["rule"] == "rank"


def test_recall_keeps_its_distance_and_its_limit(hall, called) -> None:
    with refused("ticket.recall_too_soon"):
        hall.step(calls.recall, called)
    for expected in (1, 2, 3):
        assert hall.later(seconds=11).step(calls.recall, called)["recall"] == expected
    with refused("ticket.recall_limit"):
        hall.later(seconds=11).step(calls.recall, called)


def test_a_colleague_cannot_touch_my_ticket(hall, called) -> None:
    hall.open("clerk02", "W02")
    for action in (calls.start, calls.no_show, calls.abandon, calls.recall):
        with refused("ticket.not_at_window"):
            hall.step(action, called, "clerk02")


def test_illegal_steps_are_refused_with_the_state(hall, called) -> None:
    for action in (calls.finish, calls.park, calls.restore):
        with pytest.raises(Refusal) as info:
            hall.step(action, called)
        assert info.value.code == "ticket.illegal_step" and info.value.facts["state"] == "called"
    with refused("ticket.unknown"):
        hall.do(calls.start, "clerk01", ticket_id=999_999)


def test_a_visit_from_call_to_finish(hall, called) -> None:
    hall.later(minutes=1).step(calls.start, called)
    assert hall.later(minutes=9).step(calls.finish, called)["state"] == "finished"
    assert db.session.execute(select(Call.outcome, Call.ended_at)).one().outcome == "finished"
    finished = eventlog.read_subject("luolong", f"ticket:{number_of(called)}")[-1]
    assert finished.event.served_s == 540


def test_a_missed_ticket_returns_behind_the_next_three(hall, called) -> None:
    for _ in range(5):
        hall.later(seconds=1).take()
    hall.later(minutes=1).step(calls.no_show, called)
    hall.later(minutes=1).step(calls.restore, called)
    assert queries.waiting_numbers("luolong", "A", hall.at.date()) == ["A002", "A003", "A004", "A001", "A005", "A006"]


def test_a_missed_ticket_cannot_return_after_half_an_hour(hall, called) -> None:
    hall.step(calls.no_show, called)
    with refused("ticket.restore_too_late"):
        hall.later(minutes=31).step(calls.restore, called)


def test_a_missed_ticket_cannot_return_beside_a_new_one_of_the_same_person(hall) -> None:
    hall.open()
    hall.take(person=PERSON)
    missed = hall.call()["ticket"]
    hall.step(calls.no_show, missed)
    assert hall.take(person=PERSON)["created"] is True
    with refused("ticket.live_elsewhere"):
        hall.step(calls.restore, missed)


def test_parked_tickets_come_back_to_a_window(hall, called) -> None:
    hall.step(calls.start, called)
    hall.step(calls.park, called, reason="copy")
    other = hall.take()
    assert hall.call()["ticket"]["number"] == other["number"]
    with refused("window.occupied"):
        hall.step(calls.unpark, called, window="W01")
    hall.open("clerk02", "W02")
    assert hall.step(calls.unpark, called, "clerk02", window="W02")["state"] == "called"


def test_a_transfer_keeps_number_and_arrival(hall, called) -> None:
    hall.later(minutes=30)
    hall.take("B")
    moved = hall.step(calls.transfer, called, queue="B")
    assert moved["number"] == "A001" and moved["queue"] == "B"
    assert queries.waiting_numbers("luolong", "B", hall.at.date()) == ["A001", "B001"]


def test_a_transfer_to_a_window_is_called_there_and_only_there(hall, called) -> None:
    with refused("window.not_open"):
        hall.step(calls.transfer, called, window="W02")
    hall.open("clerk02", "W02")
    hall.step(calls.transfer, called, window="W02")
    hall.take("C")
    assert hall.call()["ticket"]["number"] == "C001"
    assert hall.call("clerk02", "W02")["ticket"]["number"] == "A001"


def test_a_transfer_names_one_known_target(hall, called) -> None:
    for arguments, code in (
        ({}, "request.invalid"),
        ({"queue": "A", "window": "W02"}, "request.invalid"),
        ({"queue": "Z"}, "queue.unknown"),
        ({"window": "W99"}, "window.unknown"),
    ):
        with refused(code):
            hall.step(calls.transfer, called, **arguments)


def test_the_close_of_day_expires_whoever_was_not_served(hall, called) -> None:
    hall.take()
    hall.later(days=1)
    expired = hall.do(closing.close_day, "supervisor01", before=hall.at.date().isoformat())
    assert expired == {"expired": 1}  # the one at the window stays until its clerk ends it
    assert hall.do(closing.close_day, "supervisor01", before=hall.at.date().isoformat()) == {"expired": 0}


def test_time_never_runs_backward_in_a_hall(hall) -> None:
    hall.take()
    hall.later(minutes=-5).take()
    first, second = db.session.query(Ticket).order_by(Ticket.id)
    assert second.issued_at >= first.issued_at and second.queued_us >= first.queued_us


def test_the_database_itself_refuses_two_tickets_at_a_window(hall, called) -> None:
    hall.take()
    with pytest.raises(IntegrityError):
        db.session.execute(text("UPDATE tickets SET state = 'called', \"window\" = 'W01' WHERE number = 'A002'"))
    db.session.rollback()


def test_the_database_itself_refuses_a_state_that_is_none(hall) -> None:
    hall.take()
    with pytest.raises(IntegrityError):
        db.session.execute(text("UPDATE tickets SET state = 'lost'"))
    db.session.rollback()


def test_no_range_is_shown_before_there_is_evidence(hall) -> None:
    assert hall.take()["wait_low_s"] is None
    hall.open()
    for _ in range(6):
        hall.take()
        ticket = hall.call()["ticket"]
        hall.step(calls.start, ticket)
        hall.later(minutes=4).step(calls.finish, ticket)
    shown = queries.queues_of_hall("luolong", hall.at)[0]
    assert shown["wait_high_s"] >= 60 and shown["windows_open"] == 1
    assert queries.longest_wait_s("luolong", hall.at)["A"] == timedelta(minutes=4).seconds


def test_tickets_of_one_instant_wait_in_the_order_of_issue(hall) -> None:
    assert [hall.take()["ahead"] for _ in range(4)] == [0, 1, 2, 3]
