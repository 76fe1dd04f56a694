"""A day that the real actions made, played again out of its record: the same calls, and what other rules would have done."""

from __future__ import annotations

import heapq
import itertools
import json
import random
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import current_app

from app import cli, eventlog
from app.db import db
from app.errors import Refusal
from app.events import SYSTEM
from app.now import SHANGHAI, local_day
from app.queueing import calls, forecasts, replay, serving, setup, tickets, windows
from app.queueing.accuracy import accuracy
from app.queueing.calling_rules import set_policy
from app.queueing.models import Call, Ticket
from app.queueing.rules.simulate import Changes, run
from benchmarks import days
from benchmarks.enact import Enacted
from tests.actions.conftest import Hall, number_of, refused

MORNING = datetime(2027, 1, 5, 9, 0, tzinfo=SHANGHAI)
PRESS_S = 8  # from being free with somebody there to the call, for every clerk
CLERKS = {f"W{n:02d}": f"clerk{n:02d}" for n in range(1, 5)}


class Workday:
    """Clerks and citizens who act at drawn times, everything through the real actions."""

    def __init__(self, hall: Hall, seed: int, people: int) -> None:
        self.hall, self.lots, self.people = hall, random.Random(seed), people
        self.order, self.due = itertools.count(), []
        self.free_at: dict[str, datetime] = {}
        self.idle: set[str] = set()
        self.paused: set[str] = set()
        self.holds: dict[str, dict[str, Any]] = {}

    def put(self, after: float, what: str, **facts: Any) -> None:
        heapq.heappush(self.due, (self.hall.at + timedelta(seconds=after), next(self.order), what, facts))

    def run(self, until_h: float = 3) -> None:
        end = MORNING + timedelta(hours=until_h)
        self.hall.at = MORNING
        for window in CLERKS:
            self.put(self.lots.uniform(0, 600), "open", window=window)
        for _ in range(self.people):
            self.put(self.lots.uniform(0, 2 * 3600), "come")
        self.put(4000, "pause", window="W02")
        self.put(5500, "open", window="W02")
        while self.due and self.due[0][0] < end:
            self.hall.at, _, what, facts = heapq.heappop(self.due)
            getattr(self, what)(**facts)

    def wake(self) -> None:
        """Somebody came: idle windows press next, the one that has been free longest first."""
        for window in sorted(self.idle, key=lambda window: (self.free_at[window], window)):
            self.idle.discard(window)
            self.put(PRESS_S, "call", window=window)

    def come(self) -> None:
        lane = "priority" if self.lots.random() < 0.2 else "normal"
        taken = self.hall.take(self.lots.choice("ABC"), lane=lane)
        if self.lots.random() < 0.06:
            self.put(self.lots.uniform(60, 900), "cancel", ticket=taken)
        self.wake()

    def cancel(self, ticket: dict[str, Any]) -> None:
        try:
            self.hall.do(tickets.cancel_ticket, self.hall.kiosk, ticket_id=number_of(ticket))
        except Refusal as refusal:
            assert refusal.code == "ticket.illegal_step"

    def open(self, window: str) -> None:
        self.hall.open(CLERKS[window], window)
        self.paused.discard(window)
        self.free_at[window] = self.hall.at
        self.put(PRESS_S, "call", window=window)

    def pause(self, window: str) -> None:
        if window in self.holds:
            self.put(30, "pause", window=window)
            return
        self.hall.do(windows.pause_window, CLERKS[window], window=window, reason="training")
        self.paused.add(window)
        self.idle.discard(window)

    def call(self, window: str) -> None:
        if window in self.paused or window in self.holds:
            return
        called = self.hall.call(CLERKS[window], window)
        if called is None:
            self.idle.add(window)
            return
        self.holds[window] = called["ticket"]
        if self.lots.random() < 0.12:
            self.put(60, "miss", window=window)
        else:
            self.put(self.lots.uniform(10, 50), "start", window=window)

    def start(self, window: str) -> None:
        self.hall.step(serving.start, self.holds[window], CLERKS[window])
        then = "transfer" if self.lots.random() < 0.08 else "finish"
        self.put(self.lots.expovariate(1 / 260) + 20, then, window=window)

    def free(self, window: str) -> dict[str, Any]:
        self.free_at[window] = self.hall.at
        self.put(PRESS_S, "call", window=window)
        return self.holds.pop(window)

    def finish(self, window: str) -> None:
        self.hall.step(serving.finish, self.free(window), CLERKS[window])

    def transfer(self, window: str) -> None:
        ticket = self.free(window)
        other = next(queue for queue in "ABC" if queue != ticket["queue"])
        self.hall.step(serving.transfer, ticket, CLERKS[window], queue=other)
        self.wake()

    def miss(self, window: str) -> None:
        ticket = self.free(window)
        self.hall.step(calls.no_show, ticket, CLERKS[window])
        if self.lots.random() < 0.7:
            self.put(self.lots.uniform(60, 900), "restore", ticket=ticket)

    def restore(self, ticket: dict[str, Any]) -> None:
        self.hall.step(calls.restore, ticket, "clerk01")
        self.wake()


@pytest.fixture
def worked(hall: Hall) -> Iterator[Workday]:
    forecasts.forget()
    yield Workday(hall, 7, 90)
    forecasts.forget()


def test_a_day_played_again_is_the_same_day(worked: Workday) -> None:
    """The oracle: what choose_next did in the actions, `pick` does in the simulation, call by call."""
    worked.run()
    kept = replay.day_of("luolong", local_day(MORNING), worked.hall.at)
    assert len(kept.calls) > 85
    told = [(each.ticket, each.turn, each.window, each.at) for each in kept.calls]
    again = run(kept.day, until=worked.hall.at + timedelta(microseconds=1))
    assert [(each.ticket, each.turn, each.window, each.at) for each in again.calls] == told
    assert {ticket: round(wait, 6) for ticket, wait in again.waits.items()} == kept.waits


def test_the_record_and_nothing_else_makes_the_day(worked: Workday) -> None:
    """Weights as they were then, the policy as it was then; what is changed later changes no day before."""
    worked.run(until_h=1)
    before = replay.day_of("luolong", local_day(MORNING), worked.hall.at)
    worked.hall.later(days=1)
    worked.hall.do(set_policy, "admin01", policy={"ratio": [2, 1]})
    worked.hall.do(setup.assign_queues, "admin01", window="W01", queues={"F": 5})
    assert replay.day_of("luolong", local_day(MORNING), worked.hall.at).day.policy == before.day.policy
    again = replay.day_of("luolong", local_day(MORNING), worked.hall.at)
    assert again.day.desks[0].weight_min == before.day.desks[0].weight_min == {c: 10 * (c == "A") for c in "ABCDEF"}
    worked.hall.take("F")
    next_day = replay.day_of("luolong", local_day(worked.hall.at), worked.hall.at)
    assert next_day.day.policy.ratio == (2, 1)
    assert len(next_day.day.visits) == 1


def test_what_if_and_suggestions_over_a_recorded_day(worked: Workday) -> None:
    worked.run()
    day, at = local_day(MORNING), worked.hall.at
    kept = replay.day_of("luolong", day, at)
    nothing = replay.what_if(kept, Changes())
    assert nothing["saved_min"] == 0 and nothing["before"] == nothing["after"]
    assert nothing["drift"]["same_window"] == nothing["drift"]["calls"] == len(kept.calls)
    assert nothing["recorded"]["served"] == nothing["before"]["served"] == len(kept.waits)
    asked = {"open": [{"window": "W07", "queues": ["A", "B", "C"], "from": "09:30", "until": "11:00"}]}
    wish = replay.read_changes("luolong", day, kept, asked)
    found = replay.what_if(kept, wish.changes)
    assert found["saved_min"] > 0 and found["after"]["mean"] < found["before"]["mean"]
    assert {row["window"] for row in found["after"]["windows"]} - {
        row["window"] for row in found["before"]["windows"]
    } == {"W07"}
    assert replay.read_changes("luolong", day, kept, wish.said) == wish, "what is said can be asked again"
    advice = replay.suggestions("luolong", day, kept)
    assert advice and advice[0]["saved_min"] >= advice[-1]["saved_min"] > 0
    best = replay.read_changes("luolong", day, kept, advice[0]["changes"])
    assert replay.what_if(kept, best.changes)["saved_min"] == advice[0]["saved_min"]


def test_changes_that_cannot_be_are_refused(worked: Workday) -> None:
    worked.hall.at = MORNING
    worked.hall.take()
    day = local_day(MORNING)
    kept = replay.day_of("luolong", day, worked.hall.at)
    for asked, code in (
        ({"open": [{"window": "W99", "queues": ["A"]}]}, "window.unknown"),
        ({"open": [{"window": "W07", "queues": ["Z"]}]}, "queue.unknown"),
        ({"open": [{"window": "W07", "queues": ["A"], "from": "half past"}]}, "request.invalid"),
        ({"open": [{"window": "W07", "queues": ["A"], "from": "10:00", "until": "09:00"}]}, "request.invalid"),
        ({"teach": [{"window": "W01", "queue": "Z"}]}, "queue.unknown"),
        ({"ratio": [0, 1]}, "policy.invalid"),
        ({"teach": [{"window": "W01", "queue": "A"}] * 61}, "replay.too_many"),
    ):
        with refused(code):
            replay.read_changes("luolong", day, kept, asked)
    with refused("hall.unknown"):
        replay.day_of("nowhere", day, worked.hall.at)


def test_visits_with_parks_breaks_and_choices_are_read(hall: Hall) -> None:
    """Set aside and taken back, gone for a while and back, sent to a window that closes, called out of turn."""
    hall.at = MORNING
    hall.open()
    hall.open("clerk02", "W02")
    first, second, third = (hall.later(minutes=1).take() for _ in range(3))
    hall.do(tickets.defer_ticket, hall.kiosk, ticket_id=number_of(third))
    called = hall.later(minutes=1).call()["ticket"]
    assert called["number"] == first["number"]
    hall.later(seconds=30).step(serving.start, called)
    hall.later(minutes=5).step(serving.park, called, reason="copy")
    hall.later(minutes=1).do(tickets.rejoin_ticket, hall.kiosk, ticket_id=number_of(third))
    hall.later(minutes=1).step(calls.unpark, called, window="W01")
    hall.later(seconds=30).step(serving.start, called)
    hall.later(minutes=2).step(serving.transfer, called, window="W02")
    hall.later(minutes=1).do(windows.close_window, "clerk02", window="W02")
    hall.later(minutes=1).call()
    kept = replay.day_of("luolong", local_day(MORNING), hall.at)
    visits = {visit.number: visit for visit in kept.day.visits}
    turns = visits[first["number"]].turns
    assert [(turn.service_s, turn.walk_s, turn.window) for turn in turns[:2]] == [*((300, 30, None), (120, 30, "W01"))]
    assert [turn.window for turn in turns[2:]] == [None], "the window that it was sent to has closed"
    assert visits[third["number"]].turns[0].after_s == 8.5 * 60 - 60
    assert len(kept.calls) == 3
    assert kept.waits[number_of(first)] == 180 and number_of(second) not in kept.waits


# ── what people are told ────────────────────────────────────────────────────────────────────────────────────────


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
    monkeypatch.setattr(forecasts, "forecast", lambda *args, **more: 1 / 0)
    busy.take()
    assert waits(seconds=30)[0] > 0
    assert "the forecast of luolong failed" in caplog.text


def test_the_command_line_plays_a_day_again(worked: Workday) -> None:
    worked.run()
    day = local_day(MORNING).isoformat()

    def told(*arguments: str) -> Any:
        return app_cli(worked.hall, *arguments)

    ran = told(
        "replay", "--hall", "luolong", "--day", day, "--open", "W07", "--teach", "W05:B=10", "--ratio", "3:1", "--json"
    )
    assert ran.exit_code == 0, ran.output
    found = json.loads(ran.output)
    assert found["saved_min"] > 0 and found["changes"]["ratio"] == [3, 1]
    assert found["changes"]["open"][0]["queues"].keys() >= {"A", "B", "C"}
    table = told("replay", "luolong", "--day", day, "--comprehensive", "--suggest")
    assert table.exit_code == 0 and "recorded" in table.output and "saved:" in table.output
    assert told("replay", "luolong", "--day", "2020-01-01").exit_code == 1
    assert told("replay", "luolong", "--day", day, "--open", "W99").exit_code == 1
    assert told("replay", "luolong", "--day", day, "--ratio", "three").exit_code == 2
    assert told("replay").exit_code == 2
    whole = told("replay", "luolong")
    assert whole.exit_code == 0 and json.loads(whole.output)["wrong"] == []
    score = told("forecast", "luolong", "--from", day, "--until", day)
    assert json.loads(score.output)["told"] == 0


def app_cli(hall: Hall, *arguments: str) -> Any:
    """The command line at the test's time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cli, "now", lambda: hall.at)
        return current_app.test_cli_runner().invoke(args=["hall", *arguments])


def test_a_span_of_the_record_is_found_by_halving(worked: Workday) -> None:
    worked.run(until_h=0.5)
    every = eventlog.read("luolong", 0, 100_000)
    for begin, end in ((0, 30), (5, 6), (10, 10), (-5, 5), (25, 9999), (-99, -98)):
        span = [MORNING + timedelta(minutes=minute) for minute in (begin, end)]
        wanted = [row.seq for row in every if span[0] <= row.at < span[1]]
        assert [row.seq for row in eventlog.between("luolong", *span)] == wanted
    assert eventlog.between("nowhere", MORNING, MORNING + timedelta(days=1)) == []


def test_the_hall_does_with_the_open_data_what_the_simulation_says(spring: Hall) -> None:
    """The first forty minutes of a day of files, lived through by the real actions: the same calls at the same moments."""
    day, until = days.load("morning").day, datetime(2026, 11, 16, 9, 10, tzinfo=SHANGHAI)
    clerks = {desk.window: spring.staff(f"clerk{desk.window[1:]}") for desk in day.desks}
    Enacted("luolong", day, clerks, spring.kiosk, SYSTEM).live(until)
    rows = db.session.query(Call.called_at, Call.window, Ticket.number).join(
        Ticket, (Ticket.hall == Call.hall) & (Ticket.id == Call.ticket_id)
    )
    made = [(row.number, row.window, row.called_at) for row in rows.order_by(Call.id)]
    assert len(made) > 25
    assert made == [(call.number, call.window, call.at) for call in run(day, until=until).calls]
