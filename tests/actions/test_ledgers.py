"""The ledger of a day of the real actions: it agrees with what the tables say, and a window left open spans midnight."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from app.db import db
from app.now import local, local_day
from app.queueing import calls, ledgers, serving, windows
from app.queueing.models import Call, Service, WindowPause, WindowSession
from tests.actions.busy_day import busy_day
from tests.actions.conftest import MORNING, Hall, refused

FIRST = MORNING.date()
NIGHT = FIRST + timedelta(days=1)


def span(rows: list[tuple[datetime, datetime | None]], until: datetime) -> float:
    return sum(((end or until) - begin).total_seconds() for begin, end in rows)


def test_the_ledger_agrees_with_the_tables(hall: Hall) -> None:
    """Two accounts of the same days, kept apart: the record folded, and what the actions wrote into tables."""
    busy_day(hall)
    days = [ledgers.day_ledger("luolong", day, hall.at) for day in (FIRST, NIGHT)]
    stretches = [row for day in days for row in day["stretches"]]
    assert {row["use"] for row in stretches} == {"paused", "walking", "serving", "idle", "free"}
    for window in {row["window"] for row in stretches}:
        slack = len([row for row in stretches if row["window"] == window])  # each stretch loses part of a second

        def spent(*uses: str, window: str = window) -> int:
            return sum(row["seconds"] for row in stretches if row["window"] == window and row["use"] in uses)

        def kept(model: type, begin: object, end: object, window: str = window) -> float:
            rows = db.session.query(begin, end).filter(model.hall == "luolong", model.window == window).all()
            return span(rows, hall.at)

        open_s = kept(WindowSession, WindowSession.opened_at, WindowSession.closed_at)
        everything = spent("paused", "walking", "serving", "idle", "free")
        assert 0 <= open_s - everything <= slack
        assert 0 <= kept(WindowPause, WindowPause.from_at, WindowPause.to_at) - spent("paused") <= slack
        assert 0 <= kept(Service, Service.started_at, Service.ended_at) - spent("serving") <= slack
        assert 0 <= kept(Call, Call.called_at, Call.ended_at) - spent("walking", "serving") <= slack
        sums = [row for day in days for row in day["windows"] if row["key"] == window]
        assert sum(row["open_s"] for row in sums) <= everything + slack
    chosen = [row for day in days for row in day["entries"] if row["kind"] == "chosen"]
    assert len(chosen) == db.session.query(Call).filter_by(hall="luolong", mode="chosen").count() > 0
    assert all(row["reason"] == "培训" for row in stretches if row["use"] == "paused")
    assert sum(row["calls"] for day in days for row in day["clerks"]) == db.session.query(Call).count()
    for day in days:
        for row in day["windows"] + day["clerks"]:
            assert row["open_s"] == sum(row[f"{use}_s"] for use in ledgers.USES)


def test_a_window_left_open_goes_on_at_midnight(hall: Hall) -> None:
    hall.at = MORNING.replace(hour=23, minute=50)
    hall.open()
    taken = hall.take()
    hall.later(minutes=1).call()
    hall.later(minutes=1).step(serving.start, taken)
    hall.later(minutes=30).step(serving.finish, taken)
    first, second = (ledgers.day_ledger("luolong", day, hall.at) for day in (FIRST, NIGHT))
    assert [(row["use"], row["seconds"], row["number"]) for row in first["stretches"]] == [
        *(("idle", 60, "A001"), ("walking", 60, "A001"), ("serving", 8 * 60, "A001")),
    ]
    assert [(row["use"], row["seconds"], row["number"]) for row in second["stretches"]] == [
        ("serving", 22 * 60, "A001")
    ]
    assert first["stretches"][-1]["to_seq"] is None and second["stretches"][0]["from_seq"] is None
    hall.do(windows.pause_window, "clerk01", window="W01", reason="夜班")
    at = MORNING + timedelta(days=2)
    (paused,) = ledgers.day_ledger("luolong", NIGHT + timedelta(days=1), at)["stretches"]
    assert (paused["use"], paused["reason"], paused["seconds"]) == ("paused", "夜班", 9 * 3600)


def test_what_is_worth_a_second_look_names_its_place_in_the_record(hall: Hall) -> None:
    """Somebody called and let go after a moment, and somebody called out of turn, with whom that passed over."""
    first, second = hall.take(), hall.later(seconds=1).take()
    hall.open()
    hall.later(minutes=1).call()
    hall.later(seconds=5).step(calls.no_show, first)
    hall.open("clerk12", "W12")
    third = hall.take()
    ticket = int(third["id"].rsplit("-", 1)[1])
    hall.do(calls.call_chosen, "clerk12", ticket_id=ticket, window="W12", reason="frail")
    quick, chosen = ledgers.day_ledger("luolong", FIRST, hall.at)["entries"]
    assert (quick["kind"], quick["number"], quick["staff"]) == ("quick", first["number"], "clerk01")
    assert quick["facts"] == {"how": "missed", "seconds": 5, "recalls": 0} and quick["to_seq"] > quick["from_seq"]
    assert (chosen["kind"], chosen["number"], chosen["staff"]) == ("chosen", third["number"], "clerk12")
    assert chosen["facts"]["passed_over"] == [second["number"]] and chosen["facts"]["reason"] == "frail"


def test_who_was_served_and_did_not_come_back_was_not_taken_out_uncalled(hall: Hall) -> None:
    hall.open()
    hall.take()
    served = hall.later(minutes=1).call()["ticket"]
    hall.step(calls.start, served)
    hall.later(minutes=5).step(calls.park, served, reason="copy")
    hall.later(minutes=60).step(calls.abandon, served, reason="gone")
    waiting = hall.take()
    assert ledgers.day_ledger("luolong", hall.at.date(), hall.later(minutes=1).at)["entries"] == []
    db.session.rollback()
    hall.step(calls.abandon, waiting, "supervisor01", reason="gone")
    found = ledgers.day_ledger("luolong", hall.at.date(), hall.later(minutes=1).at)["entries"]
    db.session.rollback()
    assert [(each["kind"], each["number"], each["staff"]) for each in found] == [("cleared", "A002", "supervisor01")]


def test_a_clerk_reads_of_themselves_what_the_supervisor_reads(hall: Hall) -> None:
    busy_day(hall)
    whole = ledgers.day_ledger("luolong", FIRST, hall.at)
    for row in whole["clerks"]:
        own = ledgers.of_clerk(whole, row["key"])
        assert own["clerks"] == [row] and own["windows"] == []
        assert own["stretches"] == [each for each in whole["stretches"] if each["staff"] == row["key"]]
        shared = [each for each in own["entries"] if each["staff"] != row["key"]]
        assert all(each["kind"] == "taken-over" and each["facts"]["from_staff"] == row["key"] for each in shared)
    both = [sum(row["open_s"] for row in whole[side]) for side in ("clerks", "windows")]
    assert abs(both[0] - both[1]) <= 5 * len(whole["clerks"])  # each sum of a use drops part of a second
    assert ledgers.of_window(whole, "W01")["windows"] == [row for row in whole["windows"] if row["key"] == "W01"]


@pytest.mark.parametrize("days", [-1, 1])
def test_a_day_without_windows_is_empty_and_a_hall_must_be_known(hall: Hall, days: int) -> None:
    hall.open()
    found = ledgers.day_ledger("luolong", local_day(local(hall.at)) + timedelta(days=days), hall.at)
    assert (found["windows"], found["entries"], found["stretches"]) == ([], [], [])
    with refused("hall.unknown"):
        ledgers.day_ledger("nowhere", FIRST, hall.at)
