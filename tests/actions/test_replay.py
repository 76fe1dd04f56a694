"""A day that the real actions made, played again out of its record: the same calls, and what other rules would have done."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import current_app

from app import cli, eventlog
from app.db import db
from app.events import SYSTEM
from app.now import SHANGHAI, local_day
from app.queueing import calls, forecasts, replay, serving, setup, tickets, windows
from app.queueing.calling_rules import set_policy
from app.queueing.models import Call, Ticket
from app.queueing.rules.changes import Changes
from app.queueing.rules.simulate import run
from benchmarks import days
from benchmarks.enact import Enacted
from tests.actions.conftest import Hall, number_of, refused
from tests.actions.workday import MORNING, Workday


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
    for never in ("9999-12-31", "0001-01-01"):
        for options in (
            ("replay", "luolong", "--day"),
            ("forecast", "luolong", "--from"),
            ("forecast", "luolong", "--until"),
        ):
            ran = told(*options, never)
            assert ran.exit_code == 1 and "day: 1990-01-01 – 2100-12-31" in ran.output
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
