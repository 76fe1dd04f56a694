"""The lights (rule K8): by example, against their definition, and swept from change to change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.hall import holidays
from app.hall.rules.clock import DeadlineTooFar, Limit, Pause, Reckoning, Unit, reckon
from app.hall.rules.hours import OpeningHours, Schedule
from app.hall.rules.lights import Light, light, next_light_at, signal_at, warning_at
from tests.rules.clock_oracle import STEP, TICK, Oracle, works
from tests.rules.test_clock_properties import clock_of, examples, oracles

ZONE = ZoneInfo("Asia/Shanghai")
HALL = Schedule(holidays.read(), OpeningHours.parse("08:30-12:00 13:30-18:00"), ZONE)
START = "2026-03-11T10:00"  # a Wednesday
WD, WH, ND, NH = Unit


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def clock(amount: int, unit: Unit, *stops: str, start: str = START) -> Reckoning:
    parts = [text.split("/") for text in stops]
    pauses = [Pause(at(begin), at(end) if end else None) for begin, end in parts]
    return reckon(at(start), Limit(amount, unit), pauses, HALL)


@pytest.mark.parametrize(
    ("instant", "expected", "following"),
    [
        (START, Light.green, "2026-03-17T08:30"),
        ("2026-03-17T08:29", Light.green, "2026-03-17T08:30"),
        ("2026-03-17T08:30", Light.amber, "2026-03-18T18:00"),
        ("2026-03-18T17:59", Light.amber, "2026-03-18T18:00"),
        ("2026-03-18T18:00", Light.yellow, "2026-04-09T18:00"),
        ("2026-04-08T09:00", Light.yellow, "2026-04-09T18:00"),  # the statutory warning is no step back
        ("2026-04-09T18:00", Light.red, None),
    ],
)
def test_a_case_that_nobody_touches(instant, expected, following):
    promised, statutory = clock(5, WD), clock(20, WD)
    assert statutory.due_at == at("2026-04-09T18:00")
    assert light(promised, statutory, HALL, at(instant)) is expected
    assert next_light_at(promised, statutory, HALL, at(instant)) == (following and at(following))


@pytest.mark.parametrize(
    ("amount", "unit", "start", "expected"),
    [
        (20, WD, START, "2026-04-08T08:30"),  # the working day before the last
        (3, WD, START, "2026-03-13T08:30"),
        (2, WD, START, "2026-03-13T08:30"),  # a third of two days is less than one: the last day
        (1, WD, START, "2026-03-12T08:30"),
        (1, WD, "2026-02-14T10:00", "2026-02-24T08:30"),
        (3, WD, "2026-02-12T10:00", "2026-02-14T08:30"),  # the eve is a make-up Saturday before the festival
        (15, ND, "2026-03-08T10:00", "2026-03-20T08:30"),  # due on a Monday: the Friday before
        (3, ND, "2026-03-13T10:00", "2026-03-15T08:30"),  # … unless more than a third were left
        (2, ND, "2026-03-13T10:00", "2026-03-16T08:30"),
        (2, WH, START, "2026-03-11T11:20"),
        (6, WH, START, "2026-03-11T15:30"),
        (1, WH, "2026-03-11T17:20", "2026-03-11T18:00"),  # twenty minutes left from the close on
        (12, NH, "2026-03-11T20:00", "2026-03-12T04:00"),
    ],
)
def test_when_a_clock_warns(amount, unit, start, expected):
    assert warning_at(clock(amount, unit, start=start), HALL) == at(expected)


def test_an_instant_case_is_not_born_in_warning():
    for amount in (2, 4, 8):
        for unit in (WH, NH):
            assert light(clock(amount, unit), clock(20, WD), HALL, at(START)) is Light.green


class TestStops:
    def test_a_stopped_clock_shows_that_it_stands(self):
        stopped = clock(5, WD, "2026-03-12T10:00/"), clock(20, WD, "2026-03-12T10:00/")
        assert light(*stopped, HALL, at("2026-06-01T10:00")) is Light.stopped
        assert next_light_at(*stopped, HALL, at("2026-06-01T10:00")) is None

    def test_the_statutory_clock_runs_on_while_the_promised_one_stands(self):
        clocks = clock(5, WD, "2026-03-12T10:00/"), clock(20, WD)
        asked = [at("2026-03-12T10:00")]
        while (following := next_light_at(*clocks, HALL, asked[-1])) is not None:
            asked.append(following)
        assert [light(*clocks, HALL, instant) for instant in asked] == [Light.stopped, Light.amber, Light.red]
        assert asked[1:] == [at("2026-04-08T08:30"), at("2026-04-09T18:00")]

    def test_the_promised_clock_shows_while_only_the_statutory_one_stands(self):
        clocks = clock(5, WD), clock(20, WD, "2026-03-12T10:00/")
        assert light(*clocks, HALL, at("2026-03-13T10:00")) is Light.green

    def test_a_stop_takes_no_card_back(self):
        late = clock(5, WD, "2026-03-19T10:00/"), clock(20, WD, "2026-03-19T10:00/")
        assert light(*late, HALL, at("2026-03-20T10:00")) is Light.yellow
        very_late = clock(5, WD, "2026-04-10T10:00/"), clock(20, WD, "2026-04-10T10:00/")
        assert light(*very_late, HALL, at("2026-06-01T10:00")) is Light.red

    def test_a_clock_stopped_on_its_last_day_shows_stopped_and_then_amber(self):
        stopped = clock(5, WD, "2026-03-18T10:00/")
        assert light(stopped, clock(20, WD), HALL, at("2026-03-18T19:00")) is Light.stopped
        resumed = clock(5, WD, "2026-03-18T10:00/2026-03-20T09:00")
        assert light(resumed, clock(20, WD), HALL, at("2026-03-20T09:00")) is Light.amber
        assert next_light_at(resumed, clock(20, WD), HALL, at("2026-03-20T09:00")) == at("2026-03-20T18:00")


class TestMissingClocks:
    def test_only_a_statutory_limit(self):
        assert light(None, clock(5, WD), HALL, at("2026-03-17T10:00")) is Light.amber
        assert light(None, clock(5, WD), HALL, at("2026-03-18T18:00")) is Light.red
        assert light(None, clock(5, WD, "2026-03-12T10:00/"), HALL, at("2026-03-18T18:00")) is Light.stopped

    def test_only_a_promise(self):
        assert light(clock(5, WD), None, HALL, at("2026-06-01T10:00")) is Light.yellow
        assert next_light_at(clock(5, WD), None, HALL, at("2026-06-01T10:00")) is None

    def test_no_limit_at_all(self):
        assert light(None, None, HALL, at(START)) is Light.green
        assert next_light_at(None, None, HALL, at(START)) is None

    def test_a_limit_without_a_date_comes_no_nearer(self):
        unknown = clock(5, WD, start="2026-12-29T10:00")
        assert unknown.provisional
        assert light(unknown, unknown, HALL, at("2027-02-01T10:00")) is Light.green
        assert next_light_at(unknown, unknown, HALL, at("2026-12-29T10:00")) is None

    def test_natural_days_begun_before_the_first_announced_year(self):
        short = clock(3, ND, start="2025-01-01T10:00")
        assert warning_at(short, HALL) == at("2025-01-05T08:30")
        from_2024 = clock(9, ND, start="2024-12-24T10:00")
        assert from_2024.due_at == at("2025-01-02T18:00")
        assert warning_at(from_2024, HALL) == at("2024-12-31T08:30")


def test_naive_instants_are_refused():
    for clocks in ((clock(5, WD), clock(20, WD)), (None, None)):
        for ask in (light, next_light_at):
            with pytest.raises(ValueError, match="no zone"):
                ask(*clocks, HALL, datetime(2026, 3, 11, 10))


def test_instants_of_other_zones_are_the_same_instants():
    promised, statutory = clock(5, WD), clock(20, WD)
    instant = at("2026-03-17T08:30").astimezone(UTC)
    assert light(promised, statutory, HALL, instant) is Light.amber
    assert next_light_at(promised, statutory, HALL, instant).tzinfo is ZONE


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ("2026-03-17T08:30", "2026-03-17T08:30"),
        ("2026-03-18T18:00", "2026-03-19T08:30"),  # a card shown at the close is told in the morning
        ("2026-03-14T04:00", "2026-03-16T08:30"),
    ],
)
def test_people_are_told_in_working_hours(changed, told):
    assert signal_at(at(changed), HALL) == at(told)


def test_a_reckoning_that_cannot_be_is_not_followed_for_ever():
    years = range(2020, 2027)
    free = type(HALL.calendar).of({}, {}, dict.fromkeys(years, "通知"))
    shut = Schedule(free, HALL.hours, ZONE, closures=((at("2020-01-01T00:00"), at("2026-12-31T00:00")),))
    with pytest.raises(DeadlineTooFar):
        warning_at(Reckoning(at("2026-03-11T10:00"), False, False, Limit(2, WH), 0, 120), shut)


def slow_light(promised: Oracle, statutory: Oracle, ends: list[datetime], now: datetime) -> Light:
    """The light by its definition: what is left of each limit before its end, counted forward from `now`."""
    if now >= ends[1]:
        return Light.red
    if now >= ends[0]:
        return Light.yellow
    return Light.amber if near(promised, ends[0], now) or near(statutory, ends[1], now) else Light.green


def near(oracle: Oracle, end: datetime, now: datetime) -> bool:
    """Whether no more than min(1 WD, ⅓ of the limit) is left at `now`."""
    if oracle.unit in ("WH", "NH"):
        ticks, instant = 0, now
        while instant < end:
            ticks += oracle.unit == "NH" or oracle.open_at(instant)
            instant += TICK
        return ticks * STEP <= max(oracle.amount * 60 / 3, 15)
    today: date = now.date() if now.time() >= oracle.hours_on(now.date())[0][0] else now.date() - timedelta(1)
    left = [today + timedelta(n) for n in range(1, (end.date() - today).days + 1)]
    working = sum(map(works, left))
    if oracle.unit == "ND":
        return working <= 1 and len(left) <= oracle.amount / 3
    return working <= min(1, oracle.amount / 3)


@examples(40)
@given(oracles(open_pauses=False), oracles(open_pauses=False), st.data())
def test_lights_are_their_definition_and_change_only_where_the_sweep_looks(promised, statutory, data):
    for oracle in (promised, statutory):
        oracle.pauses = []
    statutory.start, statutory.hours = promised.start, promised.hours
    statutory.new_from, statutory.new_hours = promised.new_from, promised.new_hours
    statutory.closures, statutory.sessions = promised.closures, promised.sessions
    clocks = [reckon(*clock_of(oracle)) for oracle in (promised, statutory)]
    schedule = clock_of(promised)[-1]
    ends = [promised.due(), statutory.due()]
    last = max(found.due_at for found in clocks)

    swept = [promised.start.replace(tzinfo=ZONE)]
    while (following := next_light_at(*clocks, schedule, swept[-1])) is not None:
        assert following > swept[-1]
        assert light(*clocks, schedule, following) is not light(*clocks, schedule, swept[-1])
        swept.append(following)
    assert len(swept) <= 5

    ticks = (last - swept[0]) // TICK + 12
    asked = {swept[0] + TICK * data.draw(st.integers(0, ticks), label="tick") for _ in range(4)}
    asked |= {instant + TICK * step for instant in swept[1:] for step in (-1, 0)}
    for instant in sorted(asked):
        before = max(change for change in swept if change <= instant)
        assert light(*clocks, schedule, instant) is light(*clocks, schedule, before)
        on_grid = instant.replace(tzinfo=None)
        assert light(*clocks, schedule, instant) is slow_light(promised, statutory, ends, on_grid)
