"""Auto-dispatch: the window that has rested longest is given the next number, never twice; on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from app.db import db
from app.events import SYSTEM, TicketCalled
from app.queueing import calls, setup, windows
from app.queueing.dispatch import dispatch_due, dispatch_next
from app.queueing.models import Call
from tests.actions.conftest import refused
from tests.actions.looking import set_policy, told


def due(hall) -> bool:
    found = dispatch_due("luolong", hall.at)
    db.session.rollback()
    return found


@pytest.fixture
def dispatching(hall):
    set_policy(dispatch=True, rest_s=30)
    return hall


def test_a_hall_that_has_not_asked_for_it_dispatches_nothing(hall) -> None:
    hall.open()
    hall.take()
    hall.later(minutes=10)
    assert not due(hall) and hall.do(dispatch_next, SYSTEM) is None


def test_nothing_is_due_without_a_rested_window_or_somebody_who_waits(dispatching) -> None:
    hall = dispatching
    assert not due(hall)
    hall.open()
    assert not due(hall.later(minutes=5))  # nobody waits
    hall.take()
    assert due(hall)
    ticket = hall.do(dispatch_next, SYSTEM)["ticket"]
    hall.take()
    assert not due(hall.later(minutes=5))  # the window is busy
    hall.step(calls.abandon, ticket)
    assert not due(hall.later(seconds=29)) and hall.do(dispatch_next, SYSTEM) is None
    assert due(hall.later(seconds=1))
    hall.do(windows.pause_window, "clerk01", window="W01", reason="午休")
    assert not due(hall) and hall.do(dispatch_next, SYSTEM) is None


def test_the_longest_free_window_is_given_the_next_ticket(dispatching) -> None:
    hall = dispatching
    for n in (2, 1, 3):
        hall.later(seconds=10).open(f"clerk0{n}", f"W0{n}")
    for _ in range(4):
        hall.take()
    hall.later(minutes=1)
    given = []
    while found := hall.do(dispatch_next, SYSTEM):
        given.append((found["window"], found["ticket"]["number"]))
    assert given == [("W02", "A001"), ("W01", "A002"), ("W03", "A003")]
    called = told(kind=TicketCalled)
    assert {(e.mode, e.why["mode"], e.why["rule"]) for e in called} == {("dispatch", "dispatch", "rank")}
    held = db.session.execute(select(Call.window, Call.staff, Call.mode).order_by(Call.id)).all()
    assert [tuple(row) for row in held] == [(f"W0{n}", f"clerk0{n}", "dispatch") for n in (2, 1, 3)]


def test_a_window_that_nobody_waits_for_does_not_keep_the_next_one_waiting(dispatching) -> None:
    hall = dispatching
    hall.do(setup.assign_queues, "admin01", window="W02", queues={"B": 0})
    hall.open("clerk02", "W02")
    hall.later(seconds=1).open()
    hall.take()
    found = hall.later(minutes=1).do(dispatch_next, SYSTEM)
    assert (found["window"], found["ticket"]["number"]) == ("W01", "A001")
    hall.take()
    assert due(hall) and hall.do(dispatch_next, SYSTEM) is None  # W02 is free, and nobody waits for it


def test_next_pressed_at_the_same_moment_harms_nothing(dispatching) -> None:
    hall = dispatching
    hall.open()
    for _ in range(2):
        hall.take()
    hall.later(minutes=1)
    assert hall.do(dispatch_next, SYSTEM)["ticket"]["number"] == "A001"
    with refused("window.occupied"):
        hall.call()
    assert hall.do(dispatch_next, SYSTEM) is None
    assert db.session.execute(select(func.count()).select_from(Call)).scalar_one() == 1
