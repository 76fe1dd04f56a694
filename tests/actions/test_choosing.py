"""Calling somebody whose turn it is not, the ratio of lanes, and what a call costs; both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from app.db import db
from app.events import TicketCalled
from app.people.permissions import Permission
from app.queueing import calls, queries
from app.queueing.models import Call
from tests.actions.conftest import number_of, refused
from tests.actions.looking import count_statements, finished, of_number, set_policy, told


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
        hall.do(calls.call_chosen, trusted, ticket_id=of_number("B001"), window="W01", reason="illness")


def test_a_chosen_call_keeps_who_was_passed_over(hall, trusted) -> None:
    hall.open()
    for queue in "BABB":  # W01 is for A: its first counts as having waited longer
        hall.later(minutes=1).take(queue)
    more = {"ticket_id": of_number("B003"), "window": "W01", "reason": "other", "note": "突发低血糖"}
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
    why = hall.do(calls.call_chosen, trusted, ticket_id=of_number("B003"), window="W01", reason="frail")["why"]
    assert [c["number"] for c in why["candidates"]] == ["B001", "B003", "A001"]
    assert why["passed_over"] == ["B001"] and why["candidates"][1]["minutes"]["conditions"] == 30


def test_whoever_chooses_whose_turn_it_is_passes_over_nobody(hall, trusted) -> None:
    hall.open()
    first = hall.take()
    hall.later(seconds=1).take()
    why = hall.do(calls.call_chosen, trusted, ticket_id=number_of(first), window="W01", reason="frail")["why"]
    assert (why["by_rule"], why["passed_over"], why["ahead"]) == ("A001", [], 0)


# ── the ratio, and the cost of a call ──────────────────────────────────────────────────────────────────────────────────


def test_the_ratio_is_kept_by_each_window_and_over_other_calls(hall) -> None:
    set_policy(ratio=[2, 1])
    hall.open()
    for n in range(6):
        hall.later(seconds=1).take(lane="normal" if n % 2 else "priority")
    hall.later(minutes=1)
    order = [finished(hall)]
    parked = hall.call()["ticket"]
    order.append(parked["number"])
    hall.step(calls.start, parked)
    hall.step(calls.park, parked, reason="copy")
    hall.step(calls.unpark, parked, window="W01")  # is nobody's turn: the tally goes on
    hall.step(calls.start, parked)
    hall.step(calls.finish, parked)
    order += [finished(hall) for _ in range(3)]
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
    finished(hall)
    hall.later(days=1)
    for lane in ("normal", "priority"):
        hall.later(seconds=1).take(lane=lane)
    finished(hall)
    last = db.session.execute(select(Call).order_by(Call.id.desc())).scalars().first()
    assert last.tally_normal + last.tally_priority == 1


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
