"""The rules of appointments: the table of their life, slots within open doors, limits and blocks, coming in time."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.hall.rules.calendar import WorkCalendar
from app.hall.rules.hours import OpeningHours, Schedule
from app.now import SHANGHAI
from app.queueing.rules.appointments import (
    BOUNDS,
    COUNTS,
    HOLDS,
    LIFE,
    AppointmentState,
    AppointmentStep,
    Arrival,
    Past,
    Rules,
    RulesInvalid,
    blocked_until,
    check_in,
    closes_at,
    legal_steps,
    may_book,
    months_after,
    next_state,
    read_rules,
    slot_at,
    slots,
    write_rules,
)

S = AppointmentState
MISSED, KEPT = S.NO_SHOW, S.CHECKED_IN
CALENDAR = WorkCalendar.of({date(2026, 4, 6): "清明节"}, {date(2026, 2, 28): "春节"}, {2026: "a notice"})
HOURS = OpeningHours.parse("08:30-12:00 13:30-18:00")
MONDAY = date(2026, 3, 2)


def at(day: date, clock: str) -> datetime:
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=SHANGHAI)


def hall(**more: Any) -> Schedule:
    return Schedule(CALENDAR, HOURS, SHANGHAI, **more)


def begins(day: date, schedule: Schedule, rules: Rules) -> list[str]:
    return [f"{begin:%H:%M}" for begin, _ in slots(day, schedule, rules)]


# ── life ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_life_of_an_appointment_has_these_steps_and_no_others() -> None:
    assert {(str(a), str(step)): str(b) for (a, step), b in LIFE.items()} == {
        ("booked", "check_in"): "checked_in",
        ("booked", "cancel"): "cancelled",
        ("booked", "miss"): "no_show",
        ("waitlisted", "promote"): "booked",
        ("waitlisted", "cancel"): "cancelled",
        ("waitlisted", "expire"): "expired",
        ("no_show", "check_in"): "checked_in",
    }
    for state, step in product(AppointmentState, AppointmentStep):
        assert (next_state(state, step) is not None) == (step in legal_steps(state))
    assert {S.WAITLISTED} == COUNTS - HOLDS and not legal_steps(S.CHECKED_IN)


# ── rules as data ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_hall_that_says_nothing_has_the_figures_of_q10() -> None:
    rules = read_rules({})
    assert (rules.early_min, rules.late_min) == (15, 10)
    assert (rules.per_day, rules.per_week, rules.per_month) == (1, 2, 6)
    assert (rules.misses, rules.block_months) == (2, 3)


@given(
    st.fixed_dictionaries(
        {},
        optional={name: st.integers(*bounds) for name, bounds in BOUNDS.items() if not name.startswith("per_")}
        | {
            "open": st.booleans(),
            "by_queue": st.dictionaries(st.sampled_from("ABC"), st.integers(*BOUNDS["capacity"])),
        },
    )
)
def test_rules_are_read_as_they_are_written(data: dict[str, Any]) -> None:
    rules = read_rules(data)
    assert read_rules(write_rules(rules)) == rules
    assert {name: write_rules(rules)[name] for name in data} == data


@pytest.mark.parametrize(
    ("data", "field"),
    [
        *(({name: bounds[0] - 1}, name) for name, bounds in BOUNDS.items()),
        *(({name: bounds[1] + 1}, name) for name, bounds in BOUNDS.items()),
        ({"capacity": True}, "capacity"),
        ({"capacity": "4"}, "capacity"),
        ({"open": 1}, "open"),
        ({"by_queue": {"A": 201}}, "by_queue.A"),
        ({"by_queue": {"A B": 1}}, "by_queue.A B"),
        ({"by_queue": [1]}, "by_queue"),
        ({"per_day": 3}, "per_week"),
        ({"per_week": 7}, "per_month"),
        ({"colour": 1}, "colour"),
        ([], "rules"),
    ],
)
def test_what_no_hall_may_say_is_named(data: Any, field: str) -> None:
    with pytest.raises(RulesInvalid) as invalid:
        read_rules(data)
    assert invalid.value.field == field


# ── slots ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_slots_are_whole_ones_within_the_open_doors() -> None:
    hourly = Rules(slot_min=60)
    day = ["08:30", "09:30", "10:30", "13:30", "14:30", "15:30", "16:30"]  # none over lunch, none over the close
    assert begins(MONDAY, hall(), hourly) == day
    shut = hall(closures=((at(MONDAY, "10:00"), at(MONDAY, "15:00")),))
    assert begins(MONDAY, shut, hourly) == ["08:30", "15:00", "16:00", "17:00"]
    assert begins(MONDAY - timedelta(days=1), hall(), hourly) == []  # Sunday
    assert begins(date(2026, 2, 28), hall(), hourly) == day  # a Saturday that is worked
    assert begins(date(2026, 4, 6), hall(), hourly) == []  # a festival
    saturday = MONDAY + timedelta(days=5)
    session = hall(sessions=((at(saturday, "09:00"), at(saturday, "10:30")),))
    assert begins(saturday, session, hourly) == ["09:00"]
    assert begins(date(2027, 3, 1), hall(), hourly) == []  # not announced: nothing is promised (K7)
    assert begins(MONDAY, hall(), Rules(open=False)) == []


spans = st.tuples(st.integers(0, 1430), st.integers(1, 600)).map(
    lambda span: (at(MONDAY, "00:00") + timedelta(minutes=span[0]), at(MONDAY, "00:00") + timedelta(minutes=sum(span)))
)


@given(st.lists(spans, max_size=3), st.lists(spans, max_size=2), st.integers(*BOUNDS["slot_min"]))
def test_slots_never_overlap_and_never_leave_the_open_doors(closures: Any, sessions: Any, length: int) -> None:
    schedule, rules = hall(closures=tuple(closures), sessions=tuple(sessions)), Rules(slot_min=length)
    found = slots(MONDAY, schedule, rules)
    for begin, end in found:
        assert end - begin == timedelta(minutes=length)
        assert any(opens <= begin and end <= shuts for opens, shuts in schedule.open_intervals(MONDAY))
        assert slot_at(begin, found) == slot_at(end - timedelta(seconds=1), found) == (begin, end)
    assert all(one[1] <= other[0] for one, other in pairwise(found))
    for opens, shuts in schedule.open_intervals(MONDAY):  # and no room for one more is left
        assert len([begin for begin, _ in found if opens <= begin < shuts]) == (shuts - opens) // timedelta(
            minutes=length
        )


def test_a_slot_can_be_booked_until_the_lead_before_it() -> None:
    assert closes_at(at(MONDAY, "09:00"), Rules(lead_min=30)) == at(MONDAY, "08:30")


# ── limits and blocks ───────────────────────────────────────────────────────────────────────────────────────────


def code(history: list[Past], day: date, today: date = MONDAY, **more: Any) -> str:
    no = may_book(history, day, Rules(**more), today)
    return no.code.removeprefix("appointment.") if no else ""


def test_one_a_day_two_a_week_six_a_month() -> None:
    one = [Past(MONDAY, S.BOOKED)]
    assert code(one, MONDAY) == "limit_day" and code(one, MONDAY + timedelta(days=1)) == ""
    two = [*one, Past(MONDAY + timedelta(days=2), S.WAITLISTED)]
    assert code(two, MONDAY + timedelta(days=6)) == "limit_week"  # Sunday of the same week
    assert code(two, MONDAY + timedelta(days=7)) == code(two, MONDAY - timedelta(days=1)) == ""
    six = [Past(date(2026, 3, day), KEPT) for day in (2, 4, 9, 11, 16, 18)]
    assert code(six, date(2026, 3, 31)) == "limit_month" and code(six, date(2026, 4, 1)) == ""
    for gone in (S.CANCELLED, S.EXPIRED):
        assert code([Past(MONDAY, gone)] * 9, MONDAY) == ""
    assert code([Past(date(2025, 12, 29), KEPT)] * 2, date(2026, 1, 1)) == "limit_week"  # a week over the new year


def test_two_misses_of_one_month_block_for_three() -> None:
    misses = [Past(date(2026, 3, 3), MISSED), Past(date(2026, 3, 20), MISSED)]
    assert blocked_until(misses[:1], Rules()) is None
    assert blocked_until(misses, Rules()) == date(2026, 6, 20)
    no = may_book(misses, date(2026, 6, 22), Rules(), date(2026, 6, 19))
    assert no and (no.code, no.facts["until"]) == ("appointment.blocked", "2026-06-20")
    assert code(misses, date(2026, 6, 22), date(2026, 6, 20)) == ""
    apart = [Past(date(2026, 2, 28), MISSED), Past(date(2026, 3, 1), MISSED)]
    assert blocked_until(apart, Rules()) is None  # of two months
    assert blocked_until([*misses, Past(date(2026, 3, 31), MISSED)], Rules()) == date(2026, 6, 30)
    assert blocked_until(misses, Rules(misses=0)) is None


days = st.dates(date(2026, 1, 1), date(2026, 12, 31))
pasts = st.lists(st.builds(Past, days, st.sampled_from(AppointmentState)), max_size=12)


@given(pasts, days, st.permutations(range(12)), st.integers(1, 3), st.integers(3, 5), st.integers(5, 9))
def test_whoever_books_stays_within_every_limit(history, day, order, per_day, per_week, per_month) -> None:
    rules = Rules(per_day=per_day, per_week=per_week, per_month=per_month, misses=0)
    counted = [past.day for past in history if past.state in COUNTS]
    of_week = [other for other in counted if other - timedelta(other.weekday()) == day - timedelta(day.weekday())]
    of_month = [other for other in counted if f"{other:%Y-%m}" == f"{day:%Y-%m}"]
    room = counted.count(day) < per_day and len(of_week) < per_week and len(of_month) < per_month
    assert (may_book(history, day, rules, day) is None) == room
    shuffled = [history[n] for n in order if n < len(history)]
    assert may_book(shuffled, day, rules, day) == may_book(history, day, rules, day)


@given(pasts, days)
def test_one_more_miss_never_shortens_a_block(history: list[Past], missed: date) -> None:
    before, after = (blocked_until(h, Rules()) for h in (history, [*history, Past(missed, MISSED)]))
    assert before is None or (after is not None and after >= before)


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.integers(0, 24))
def test_months_end_on_the_same_day_or_the_last(day: date, months: int) -> None:
    found = months_after(day, months)
    assert (found.year - day.year) * 12 + found.month - day.month == months
    assert found.day == day.day or (found.day < day.day and (found + timedelta(days=1)).day == 1)


# ── coming in time ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("clock", "arrival"),
    [
        ("08:44:59", Arrival.EARLY),
        ("08:45", Arrival.ON_TIME),
        ("09:10", Arrival.ON_TIME),
        ("09:10:01", Arrival.LATE),
    ],
)
def test_checking_in_runs_from_early_to_late(clock: str, arrival: Arrival) -> None:
    assert check_in(at(MONDAY, "09:00"), at(MONDAY, clock), Rules()) is arrival
