"""The ladder of signals (K8): who is told of what, when, and what is no longer worth telling."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.casework.rules.ladder import LADDER, Level, Now, Rung, still_holds, tell_at
from app.hall import holidays
from app.hall.rules.calendar import WorkCalendar
from app.hall.rules.hours import OpeningHours, Schedule
from app.hall.rules.lights import Light

ZONE = ZoneInfo("Asia/Shanghai")
HOURS = OpeningHours.parse("08:30-12:00 13:30-18:00")
HALL = Schedule(holidays.read(), HOURS, ZONE)
instants = st.datetimes(datetime(2026, 1, 1), datetime(2026, 11, 30), timezones=st.just(ZONE))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("changed", "after", "told"),
    [
        ("2026-03-11T10:00", 0, "2026-03-11T10:00"),  # a Wednesday, doors open: at once
        ("2026-03-11T12:00", 0, "2026-03-11T13:30"),  # lunch
        ("2026-03-11T18:00", 0, "2026-03-12T08:30"),  # the close, when most lights turn
        ("2026-03-13T18:00", 0, "2026-03-16T08:30"),  # a Friday
        ("2026-03-11T10:00", 1, "2026-03-12T08:30"),
        ("2026-03-11T18:00", 1, "2026-03-13T08:30"),  # a working day after the first was told
        ("2026-03-14T23:00", 1, "2026-03-17T08:30"),  # a Saturday
        ("2026-02-14T10:00", 1, "2026-02-24T08:30"),  # a make-up Saturday before Spring Festival
        ("2026-03-11T10:00", 3, "2026-03-16T08:30"),
    ],
)
def test_nobody_is_told_outside_working_hours(changed: str, after: int, told: str) -> None:
    assert tell_at(at(changed), after, HALL) == at(told)


@given(instants, st.integers(0, 5))
def test_signals_wait_for_open_doors_and_never_run_ahead(changed: datetime, after: int) -> None:
    told = tell_at(changed, after, HALL)
    assert HALL.is_open(told) and told >= changed
    assert told <= tell_at(changed, after + 1, HALL)
    assert HALL.next_open(changed) == tell_at(changed, 0, HALL)


def test_a_closed_morning_delays_the_word() -> None:
    shut = (at("2026-03-12T00:00"), at("2026-03-12T13:30"))
    hall = Schedule(holidays.read(), HOURS, ZONE, closures=(shut,))
    assert tell_at(at("2026-03-11T18:00"), 0, hall) == at("2026-03-12T13:30")
    assert tell_at(at("2026-03-11T10:00"), 1, hall) == at("2026-03-12T13:30")


def test_without_a_calendar_the_word_is_given_at_once() -> None:
    nothing = Schedule(WorkCalendar("none", frozenset(), {}, {}, {}), HOURS, ZONE)
    for after in (0, 1):
        assert tell_at(at("2026-03-11T23:00"), after, nothing) == at("2026-03-11T23:00")


def test_owner_then_chief_then_supervisor() -> None:
    order = list(Rung)
    for level, tellings in LADDER.items():
        rungs = [telling.rung for telling in tellings]
        assert rungs == sorted(rungs, key=order.index) and len(set(rungs)) == len(rungs), level
        delays = [telling.after for telling in tellings]
        assert delays == sorted(delays), f"{level}: a higher rung hears before a lower one"
    reach = [max(order.index(telling.rung) for telling in LADDER[level]) for level in (Level.AMBER, Level.RED)]
    assert reach == [0, 2]
    assert all(telling.after == 0 for telling in LADDER[Level.RED])


def test_what_is_no_longer_true_is_told_to_nobody() -> None:
    for level in (Level.AMBER, Level.YELLOW, Level.RED):
        for light in Light:
            assert still_holds(level, Now(light, running=True)) == (light == level)
            assert not still_holds(level, Now(light, running=False))
    lasting = {
        Level.STAGE: "untaken",
        Level.PRE_REVIEW: "below",
        Level.OVERRUN: "stopped",
        Level.GAP: "gap",
        Level.CHECK: "unchecked",
        Level.DELIVERY: "waiting",
        Level.URGED: "urged",
        Level.UNANSWERED: "urged",
    }
    assert {*lasting, Level.AMBER, Level.YELLOW, Level.RED} == set(Level)
    for level, fact in lasting.items():
        assert still_holds(level, Now("green", running=True, **{fact: True})), level
        others = {other: True for other in lasting.values() if other != fact}
        assert not still_holds(level, Now("green", running=True, **others)), level
        # what may last beyond the decision
        after = level in (Level.GAP, Level.CHECK, Level.DELIVERY, Level.URGED, Level.UNANSWERED)
        assert still_holds(level, Now("green", running=False, **{fact: True})) == after, level


def test_every_level_reaches_somebody() -> None:
    assert set(LADDER) == set(Level) and all(LADDER.values())
    assert timedelta(0) <= tell_at(at("2026-03-11T09:00"), 0, HALL) - at("2026-03-11T09:00")
