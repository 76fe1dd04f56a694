"""The clock by property, and against a slow second clock."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.hall.rules.calendar import CalendarUnknown
from app.hall.rules.clock import Limit, Pause, Unit, reckon
from app.hall.rules.hours import OpeningHours, Schedule
from app.hall.rules.ledger import explain
from tests.rules.clock_hall import CALENDAR, HOURS, ND, NH, WD, WH, ZONE, calendar
from tests.rules.clock_oracle import STEP, TICK, Oracle, works

FULL = os.environ.get("HYPOTHESIS_PROFILE") == "full"

DAY_OF_TICKS = 24 * 60 // STEP - 1
MINUTES = st.integers(0, DAY_OF_TICKS).map(lambda tick: tick * TICK)
AMOUNTS = {WD: 25, ND: 40, WH: 9, NH: 36}
ALL_HOURS = [
    HOURS,
    OpeningHours.parse("09:00-12:00 13:00-17:00"),
    OpeningHours.parse("09:00-12:00"),
    OpeningHours.parse("08:00-10:00 10:30-12:00 14:00-16:30 19:00-21:00"),
]


def examples(count: int) -> settings:
    return settings(max_examples=4 * count if FULL else count, deadline=None)


def any_clock(pick: Callable[[int, int], int], units: Sequence[Unit], open_pauses: bool) -> Oracle:
    """A clock on the grid of the slow one, with everything near enough to its start to matter; `pick` chooses a number."""

    def minutes() -> timedelta:
        return TICK * pick(0, DAY_OF_TICKS)

    def near() -> datetime:
        return datetime.combine(start, time()) + timedelta(pick(-1, reach)) + minutes()

    unit = units[pick(0, len(units) - 1)]
    reach = {WD: 25, ND: 30, WH: 3, NH: 2}[unit]
    start = datetime(2025, 1, 1) + timedelta(pick(0, 590)) + minutes()  # up to 2026-08-14
    stops = [(gone, gone + timedelta(pick(0, reach // 2)) + minutes()) for gone in (near() for _ in range(pick(0, 3)))]
    if stops and open_pauses and pick(0, 3) == 0:
        stops[0] = (stops[0][0], None)
    odd = [(begin, begin + TICK * pick(1, 75)) for begin in (near(), near())]
    some = pick(0, 1)
    return Oracle(
        start=start,
        amount=pick(1, AMOUNTS[unit]),
        unit=unit.value,
        pauses=stops,
        hours=ALL_HOURS[pick(0, len(ALL_HOURS) - 1)].intervals,
        closures=odd[:1] if some else [],
        sessions=odd[1:] if some else [],
        new_from=near().date() if pick(0, 1) else date.max,
        new_hours=ALL_HOURS[pick(0, len(ALL_HOURS) - 1)].intervals,
    )


@st.composite
def oracles(draw, units=tuple(Unit), open_pauses=True) -> Oracle:
    return any_clock(lambda least, most: draw(st.integers(least, most)), units, open_pauses)


def aware(instant: datetime | None) -> datetime | None:
    return instant and instant.replace(tzinfo=ZONE)


def clock_of(oracle: Oracle) -> tuple[datetime, Limit, list[Pause], Schedule]:
    """The arguments of `reckon` for the same clock."""
    pairs = {
        kind: tuple((aware(begin), aware(end)) for begin, end in getattr(oracle, kind))
        for kind in ("closures", "sessions")
    }
    schedule = Schedule(CALENDAR, OpeningHours(oracle.hours), ZONE, **pairs)
    schedule = schedule.with_hours(OpeningHours(oracle.new_hours), oracle.new_from)
    stops = [Pause(aware(gone), aware(back)) for gone, back in oracle.pauses]
    return aware(oracle.start), Limit(oracle.amount, Unit(oracle.unit)), stops, schedule


@pytest.mark.parametrize("unit", Unit)
def test_agrees_with_the_slow_clock_2000_times(unit):
    """500 clocks of each unit; a seed in the message makes its clock again."""
    for seed in range(500 * (4 if FULL else 1)):
        rng = Random(f"{unit}-{seed}")
        oracle = any_clock(rng.randint, [unit], open_pauses=True)
        asked = (
            oracle.start + timedelta(rng.randint(0, 40 if unit.in_days else 3)) + TICK * rng.randint(0, DAY_OF_TICKS)
        )
        found = reckon(*clock_of(oracle), at=aware(asked))
        assert (found.due_at, found.used) == (aware(oracle.due()), oracle.used(asked)), f"{seed}: {oracle} at {asked}"
        assert found.stopped is any(back is None for _, back in oracle.pauses)
        assert not found.provisional


@examples(60)
@given(oracles(), st.integers(0, 30), MINUTES)
def test_ledger_is_the_reckoning_day_by_day(oracle, after, minutes):
    clock = clock_of(oracle)
    whole = reckon(*clock)
    rows = explain(*clock)
    assert rows[0].date == oracle.start.date()
    assert [row.date for row in rows] == [rows[0].date + timedelta(n) for n in range(len(rows))]
    assert [row.total for row in rows] == [sum(row.counted for row in rows[: n + 1]) for n in range(len(rows))]
    assert [row.date for row in rows if row.due] == ([whole.due_at.date()] if whole.due_at else [])
    assert all(row.working is works(row.date) for row in rows)
    if whole.due_at:
        assert rows[-1].total == whole.limit.size
    else:
        assert rows[-1].total == whole.used
    later = aware(oracle.start + timedelta(after) + minutes)
    assume(later >= (whole.due_at or min(pause.from_at for pause in clock[2] if pause.until_at is None)))
    assert explain(*clock, at=later)[-1].total == reckon(*clock, at=later).used


@examples(60)
@given(oracles(), st.integers(0, 60), MINUTES)
def test_used_and_remaining_add_up_and_the_end_does_not_depend_on_when_one_asks(oracle, after, minutes):
    clock = clock_of(oracle)
    asked = aware(oracle.start + timedelta(after) + minutes)
    once, again, whole = reckon(*clock, at=asked), reckon(*clock, at=asked), reckon(*clock)
    assert once == again
    assert once.due_at == whole.due_at
    assert once.used + once.remaining == once.limit.size
    assert once.used >= 0
    if once.due_at and asked <= once.due_at:
        assert once.remaining >= 0
    if once.due_at and asked == once.due_at:
        assert once.remaining == 0


@examples(60)
@given(oracles(open_pauses=False), st.floats(0, 1), st.randoms())
def test_pauses_add_up_however_they_are_cut_and_repeated(oracle, share, random):
    start, limit, stops, schedule = clock_of(oracle)
    pieces = list(stops)
    for pause in stops:
        middle = pause.from_at + (pause.until_at - pause.from_at) * share
        pieces += [Pause(pause.from_at, middle), Pause(middle, pause.until_at)]
    halves = pieces[len(stops) :]
    random.shuffle(pieces)
    whole = reckon(start, limit, stops, schedule)
    assert reckon(start, limit, halves, schedule) == whole
    assert reckon(start, limit, pieces, schedule) == whole


@examples(60)
@given(oracles(units=(WD,), open_pauses=False))
def test_a_pause_gives_back_just_the_working_days_it_took(oracle):
    start, limit, stops, schedule = clock_of(oracle)
    assume(stops)
    pause = stops[0]
    gone, back = pause.from_at.date(), pause.until_at.date()
    assume(start.date() <= gone < reckon(start, limit, [], schedule).due_at.date())
    taken = sum(works(gone + timedelta(n)) for n in range(1, (back - gone).days + 1))
    longer = Limit(limit.amount + taken, WD)
    assert reckon(start, limit, [pause], schedule).due_at == reckon(start, longer, [], schedule).due_at


@examples(80)
@given(oracles(open_pauses=False), st.integers(0, 5), MINUTES, st.integers(0, 20))
def test_a_later_start_a_longer_limit_or_one_more_pause_never_ends_earlier(oracle, days, minutes, more):
    start, limit, stops, schedule = clock_of(oracle)
    end = reckon(start, limit, stops, schedule).due_at
    assert end > start
    assert reckon(start + timedelta(days) + minutes, limit, stops, schedule).due_at >= end
    assert reckon(start, Limit(limit.amount + more, limit.unit), stops, schedule).due_at >= end
    gone = start + timedelta(days / 2) + minutes
    again = Pause(gone, gone + timedelta(days) + minutes)
    assert reckon(start, limit, [*stops, again], schedule).due_at >= end


@examples(40)
@given(oracles())
def test_a_history_played_again_step_by_step_ends_where_it_ended(oracle):
    """Each stop is first open, then closed, as the record tells it; what is told twice changes nothing."""
    start, limit, stops, schedule = clock_of(oracle)
    whole = reckon(start, limit, stops, schedule)
    told: list[Pause] = []
    for pause in sorted(stops, key=lambda pause: pause.from_at):
        assert reckon(start, limit, [*told, Pause(pause.from_at, None)], schedule).stopped
        told += [pause, pause]
    assert reckon(start, limit, told, schedule) == reckon(start, limit, [*told, *stops], schedule) == whole


@examples(60)
@given(oracles(open_pauses=False))
def test_a_limit_ends_where_people_work(oracle):
    start, limit, stops, schedule = clock_of(oracle)
    end = reckon(start, limit, stops, schedule).due_at
    assert end.tzinfo is ZONE
    if limit.unit in (WD, ND):
        assert end == schedule.close_of_business(end.date())
        assert works(end.date())
    if limit.unit is WH:
        assert any(begin < end <= close for begin, close in schedule.open_intervals(end.date()))
    assert not any(
        pause.from_at < end < pause.until_at for pause in stops if pause.from_at.date() != pause.until_at.date()
    )


@examples(60)
@given(oracles(units=(WD, WH, ND)))
def test_no_date_without_a_calendar(oracle):
    start, limit, stops, known = clock_of(oracle)
    only_2025 = replace(known, calendar=calendar(2025))
    found, truth = reckon(start, limit, stops, only_2025), reckon(start, limit, stops, known)
    if found.provisional:
        assert found.due_at is None
        assert truth.due_at is None or truth.due_at.year == 2026
    else:
        assert (found.due_at, found.stopped) == (truth.due_at, truth.stopped)
        assert found.due_at is None or found.due_at.year == 2025
        assert found.used <= truth.used  # what is overdue is counted as far as the calendar reaches


def test_a_calendar_never_guesses():
    with pytest.raises(CalendarUnknown):
        CALENDAR.is_working(date(2027, 1, 1))
