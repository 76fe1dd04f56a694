"""Who sits at a window, its pauses, and since when it is free; both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.db import db
from app.errors import Refusal
from app.events import WindowTakenOver
from app.queueing import calls, queries, windows
from app.queueing.models import WindowPause
from tests.actions.conftest import refused
from tests.actions.looking import line, seat, told


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
