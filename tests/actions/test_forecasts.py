"""What people are told to expect: by the slip, by the phone, while the line moves; and how true it was."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import current_app

from app.now import local_day
from app.queueing import forecasts, serving, tickets, windows
from app.queueing.accuracy import accuracy
from tests.actions.conftest import Hall, number_of
from tests.actions.workday import MORNING


def served(hall: Hall, times: int, seconds: float = 240, who: str = "clerk01", window: str = "W01") -> None:
    """So many people of queue A come and are served, one after the other."""
    for _ in range(times):
        hall.take()
        ticket = hall.later(seconds=10).call(who, window)["ticket"]
        hall.later(seconds=20).step(serving.start, ticket, who)
        hall.later(seconds=seconds).step(serving.finish, ticket, who)


@pytest.fixture
def busy(hall: Hall) -> Iterator[Hall]:
    """A window with a morning behind it."""
    forecasts.forget()
    hall.at = MORNING
    hall.open()
    served(hall, 8)
    hall.later(seconds=30)
    yield hall
    forecasts.forget()


def test_nobody_can_say_before_anything_is_known(hall: Hall) -> None:
    forecasts.forget()
    hall.at = MORNING
    assert forecasts.waits("luolong", hall.at) == {}
    hall.open()
    assert forecasts.promise("luolong", "A", "normal", hall.later(minutes=1).at) is None
    assert forecasts.promise("luolong", "A", "no such lane", hall.at) is None
    assert not forecasts.too_late("luolong", "A", hall.at)


def test_the_range_grows_with_the_line_and_shrinks_with_windows(busy: Hall) -> None:
    free = forecasts.waits("luolong", busy.at)["A"]
    assert free == (0, 60)
    for _ in range(6):
        busy.take()
    low, high = forecasts.waits("luolong", busy.later(seconds=10).at)["A"]
    assert 4 * 270 < low < high < 8 * 270 * 1.6
    assert forecasts.wait_of("luolong", "A", "normal", busy.at, 1)[1] < low
    for n in (2, 3):
        busy.open(f"clerk{n:02d}", f"W{n:02d}")
    assert forecasts.waits("luolong", busy.later(seconds=10).at)["A"][1] < low


def test_a_slip_keeps_what_it_promised_and_the_score_compares(busy: Hall) -> None:
    for _ in range(5):
        told = forecasts.promise("luolong", "A", "normal", busy.later(seconds=10).at)
        taken = busy.take(forecast=told)
        assert (taken["wait_low_s"], taken["wait_high_s"]) == told
        assert told[0] >= 60 or taken["ahead"] == 0
    for _ in range(5):
        ticket = busy.later(seconds=10).call()["ticket"]
        busy.later(seconds=20).step(serving.start, ticket)
        busy.later(seconds=240).step(serving.finish, ticket)
    day = local_day(MORNING)
    found = accuracy("luolong", day, day)
    assert (found["people"], found["told"]) == (13, 5)
    assert found["inside"] >= 0.8
    assert found["error_min"] < 3
    assert [row["queue"] for row in found["queues"]] == ["A"]
    assert accuracy("luolong", day - timedelta(days=3), day - timedelta(days=1))["inside"] is None


def test_the_priority_lane_is_promised_its_own_place(busy: Hall) -> None:
    for _ in range(6):
        busy.take()
    at = busy.later(seconds=10).at
    normal, priority = (forecasts.promise("luolong", "A", lane, at) for lane in ("normal", "priority"))
    assert priority[1] < normal[0]


def test_too_late_once_the_line_reaches_past_the_close(busy: Hall) -> None:
    busy.at = MORNING.replace(hour=17, minute=30)
    assert not forecasts.too_late("luolong", "A", busy.at)
    for _ in range(8):
        busy.take()
    assert forecasts.too_late("luolong", "A", busy.later(seconds=10).at)
    assert not forecasts.too_late("luolong", "A", busy.at.replace(hour=20)), "the doors are shut anyway"
    busy.do(windows.close_window, "clerk01", window="W01")
    assert not forecasts.too_late("luolong", "A", busy.later(seconds=30).at), "no window is open: nobody can say"


def test_a_phone_is_told_why_its_range_moves(busy: Hall) -> None:
    for _ in range(5):
        busy.take()
    mine = number_of(busy.later(seconds=10).take(forecast=(1200, 1800)))
    first = forecasts.steady("luolong", mine, busy.later(seconds=10).at)
    assert first["moved"] is None and (first["low_s"], first["high_s"]) == (1140, 1800), (
        "what the slip said, counted down"
    )
    assert forecasts.steady("luolong", mine, busy.later(seconds=10).at)["moved"] is None
    busy.call()
    moved = forecasts.steady("luolong", mine, busy.later(seconds=10).at)
    assert moved["moved"] == "moved_up"
    for n in (2, 3, 4):
        busy.open(f"clerk{n:02d}", f"W{n:02d}")
    opened = forecasts.steady("luolong", mine, busy.later(seconds=10).at)
    assert opened["moved"] == "window_opened" and opened["high_s"] < moved["low_s"]
    busy.do(tickets.cancel_ticket, busy.kiosk, ticket_id=mine)
    assert forecasts.steady("luolong", mine, busy.at) is None


def test_forecasts_are_kept_for_seconds_and_made_anew_when_things_happen(
    busy: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    real = forecasts.forecast
    monkeypatch.setattr(forecasts, "forecast", lambda *args, **more: made.append(1) or real(*args, **more))
    for _ in range(3):
        forecasts.waits("luolong", busy.at)
    assert len(made) == 1
    forecasts.waits("luolong", busy.later(seconds=20).at)
    assert len(made) == 1, "nothing has happened"
    busy.take()
    forecasts.waits("luolong", busy.at)
    assert len(made) == 2
    busy.take()
    forecasts.waits("luolong", busy.later(seconds=2).at)
    assert len(made) == 2, "seconds ago is good enough"
    forecasts.waits("luolong", busy.later(seconds=4).at)
    assert len(made) == 3
    busy.take()
    monkeypatch.setattr(forecasts, "MOST", 2)
    assert forecasts.waits("luolong", busy.later(seconds=10).at)["A"] is None, "nobody can say for so many"


def test_with_threads_who_asks_is_told_the_last_forecast_while_the_next_is_made(
    busy: Hall, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made_by: list[str] = []
    real = forecasts.forecast

    def watched(*args: Any, **more: Any) -> Any:
        made_by.append(threading.current_thread().name)
        return real(*args, **more)

    def waits(**later: int) -> tuple[int, int] | None:
        found = forecasts.waits("luolong", busy.later(**later).at)["A"]
        with forecasts.background:  # until the thread is done
            return found

    monkeypatch.setattr(forecasts, "forecast", watched)
    monkeypatch.setitem(current_app.extensions, "forecasts", True)
    here = threading.current_thread().name
    assert waits() == (0, 60) and made_by == [here], "the first of a day waits for it"
    for _ in range(6):
        busy.take()
    assert waits(seconds=10) == (0, 60), "told at once"
    assert made_by == [here, "forecasts"]
    low, high = waits(seconds=1)
    assert 4 * 270 < low < high and len(made_by) == 2, "the next one is told the new one"
    busy.take()
    with forecasts.background:
        forecasts.waits("luolong", busy.later(seconds=20).at)
    assert len(made_by) == 2, "one thread a process: nobody waits for it"
    busy.take()
    waits(seconds=200)
    assert made_by == [here, "forecasts", here], "too old to be told"
    busy.take()
    with monkeypatch.context() as broken:
        broken.setattr(forecasts, "present_of", lambda *args: 1 / 0)
        assert waits(seconds=30)[0] > 0
    assert "the forecast of luolong failed" in caplog.text and "ZeroDivisionError" in caplog.text
    assert waits(seconds=1)[0] > 0 and made_by[3:] == ["forecasts"], "and the next thread makes it"


def test_a_forecast_that_fails_refuses_nobody_anything(
    busy: Hall, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    busy.take()
    with monkeypatch.context() as broken:
        broken.setattr(forecasts, "forecast", lambda *args, **more: 1 / 0)
        assert forecasts.promise("luolong", "A", "normal", busy.later(minutes=3).at) is None, "nobody can say"
        assert not forecasts.too_late("luolong", "A", busy.at)
    assert "the forecast of luolong failed" in caplog.text and "ZeroDivisionError" in caplog.text
    assert forecasts.promise("luolong", "A", "normal", busy.later(minutes=1).at) is not None
