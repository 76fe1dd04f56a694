"""The working-time clock: rules K1–K7 and K9 by example."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.hall.rules.calendar import WorkCalendar
from app.hall.rules.clock import DeadlineTooFar, Limit, Pause, Unit, reckon
from app.hall.rules.hours import OpeningHours, Schedule
from app.hall.rules.ledger import explain
from tests.rules.clock_hall import CALENDAR, HALL, HOURS, ND, NH, WD, WH, ZONE, at, due, pauses, spans

ROWS = (Path(__file__).parents[1] / "data" / "calendar-scenarios.csv").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("row", list(csv.DictReader(ROWS)), ids=lambda row: row["id"])
def test_scenario(row):
    schedule = Schedule(CALENDAR, OpeningHours.parse(row["hours"]), ZONE)
    found = due(row["start"], int(row["limit"]), Unit(row["unit"]), *row["pauses"].split(), schedule=schedule)
    assert found == row["expected_due"]


@pytest.mark.parametrize(
    ("start", "amount", "expected"),
    [
        ("2026-03-11T00:00", 1, "2026-03-12T18:00"),  # day 0 is the whole local day
        ("2026-03-11T23:59", 1, "2026-03-12T18:00"),
        ("2026-03-14T10:00", 1, "2026-03-16T18:00"),  # received on a Saturday: day 0 all the same
        ("2026-10-04T10:00", 1, "2026-10-08T18:00"),
        ("2026-02-13T10:00", 1, "2026-02-14T18:00"),  # a make-up Saturday is worked
        ("2026-02-14T10:00", 1, "2026-02-24T18:00"),
        ("2026-03-11T10:00", 83, "2026-07-10T18:00"),
    ],
)
def test_working_days(start, amount, expected):
    assert due(start, amount, WD) == expected


@pytest.mark.parametrize(
    ("start", "amount", "expected"),
    [
        ("2026-03-11T10:00", 2, "2026-03-11T12:00"),  # ends with the morning, not after lunch
        ("2026-03-11T12:30", 2, "2026-03-11T15:30"),  # received at lunch
        ("2026-03-11T07:00", 7, "2026-03-11T17:00"),  # before the doors open
        ("2026-03-13T18:00", 1, "2026-03-16T09:30"),  # at the closing instant
        ("2026-02-14T17:00", 2, "2026-02-24T09:30"),  # over the Spring Festival
        ("2026-03-11T10:00", 8, "2026-03-12T10:00"),  # eight hours are not one day
    ],
)
def test_working_hours(start, amount, expected):
    assert due(start, amount, WH) == expected


@pytest.mark.parametrize(
    ("start", "amount", "expected"),
    [
        ("2026-03-11T10:00", 1, "2026-03-12T18:00"),
        ("2026-03-11T10:00", 3, "2026-03-16T18:00"),  # the last day is a Saturday: Monday instead
        ("2026-04-21T10:00", 10, "2026-05-06T18:00"),  # 05-01 begins a holiday: the day after it
        ("2026-02-07T10:00", 7, "2026-02-14T18:00"),  # a make-up Saturday stands
        ("2026-03-11T10:00", 5, "2026-03-16T18:00"),  # weekends on the way count
    ],
)
def test_natural_days(start, amount, expected):
    assert due(start, amount, ND) == expected


def test_natural_hours_run_through_the_night_and_need_no_calendar():
    assert due("2026-03-13T20:00", 12, NH) == "2026-03-14T08:00"
    assert due("2026-12-31T20:00", 12, NH) == "2027-01-01T08:00"
    assert due("2026-03-13T20:00", 12, NH, "2026-03-13T21:10/2026-03-13T22:00") == "2026-03-14T08:50"


def test_natural_hours_are_real_hours_where_the_clocks_are_put_forward():
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 3, 28, 20, tzinfo=berlin)
    found = reckon(start, Limit(12, NH), [], Schedule(CALENDAR, HOURS, berlin)).due_at
    assert found == datetime(2026, 3, 29, 9, tzinfo=berlin)
    assert found.astimezone(UTC) - start.astimezone(UTC) == timedelta(hours=12)
    longer = reckon(start, Limit(36, NH), [], Schedule(CALENDAR, HOURS, berlin)).due_at
    assert longer == datetime(2026, 3, 30, 9, tzinfo=berlin)


class TestPauses:
    @pytest.mark.parametrize(
        ("stops", "expected"),
        [
            ([], "2026-03-18T18:00"),
            (["2026-03-12T09:00/2026-03-12T17:00"], "2026-03-18T18:00"),  # within a day: costs nothing
            (["2026-03-12T17:59/2026-03-13T08:31"], "2026-03-19T18:00"),  # (P, R]: Friday is left out
            (["2026-03-13T10:00/2026-03-15T10:00"], "2026-03-18T18:00"),  # only a weekend
            (["2026-03-12T10:00/2026-03-16T10:00"], "2026-03-20T18:00"),
            (["2026-03-12T10:00/2026-03-13T12:00", "2026-03-13T10:00/2026-03-16T10:00"], "2026-03-20T18:00"),
            (["2026-03-13T12:00/2026-03-16T10:00", "2026-03-12T10:00/2026-03-13T10:00"], "2026-03-20T18:00"),
            (["2026-03-05T10:00/2026-03-12T10:00"], "2026-03-19T18:00"),  # begun before the start
            (["2026-03-05T10:00/2026-03-11T10:00"], "2026-03-18T18:00"),
            (["2026-03-19T10:00/2026-03-25T10:00"], "2026-03-18T18:00"),  # begun after the end
            (["2026-03-18T18:00/2026-03-25T10:00"], "2026-03-18T18:00"),
        ],
    )
    def test_working_days_leave_out_those_from_after_the_pause_began_to_its_end(self, stops, expected):
        assert due("2026-03-11T10:00", 5, WD, *stops) == expected

    @pytest.mark.parametrize(
        ("stops", "expected"),
        [
            (["2026-03-18T10:00/2026-03-20T10:00"], "2026-03-20T18:00"),
            (["2026-03-18T10:00/2026-03-20T18:00"], "2026-03-20T18:00"),  # resumed at the close
            (["2026-03-18T10:00/2026-03-20T19:00"], "2026-03-23T18:00"),  # resumed after the close
            (["2026-03-18T10:00/2026-03-21T10:00"], "2026-03-23T18:00"),  # resumed on a Saturday
            (["2026-03-18T10:00/2026-03-18T19:00"], "2026-03-18T18:00"),  # within a day: costs nothing
            (["2026-03-18T10:00/2026-03-20T10:00", "2026-03-20T11:00/2026-03-24T10:00"], "2026-03-24T18:00"),
            (["2026-03-18T10:00/2026-03-18T18:30", "2026-03-18T18:30/2026-03-20T10:00"], "2026-03-20T18:00"),
            (["2026-03-18T10:00/2026-03-18T18:30", "2026-03-18T19:00/2026-03-20T10:00"], "2026-03-18T18:00"),
        ],
    )
    def test_a_limit_in_days_does_not_end_while_its_clock_stands_still(self, stops, expected):
        assert due("2026-03-11T10:00", 5, WD, *stops) == expected
        last = reckon(at("2026-03-11T10:00"), Limit(5, WD), pauses(*stops), HALL, at=at(expected))
        assert (last.used, last.remaining) == (5, 0)

    @pytest.mark.parametrize(
        ("stops", "expected"),
        [
            (["2026-03-11T11:00/2026-03-11T11:30"], "2026-03-11T15:00"),  # begun before the start
            (["2026-03-11T12:00/2026-03-11T13:30"], "2026-03-11T14:45"),  # lunch was out anyway
            (["2026-03-11T11:30/2026-03-11T14:00"], "2026-03-11T15:45"),
            (["2026-03-11T11:30/2026-03-12T09:00"], "2026-03-12T10:45"),
            (["2026-03-11T14:45/2026-03-12T09:00"], "2026-03-11T14:45"),  # begun when the time was up
            (["2026-03-11T14:44/2026-03-12T09:00"], "2026-03-12T09:01"),
        ],
    )
    def test_working_hours_leave_out_the_exact_overlap(self, stops, expected):
        assert due("2026-03-11T11:15", 2, WH, *stops) == expected

    @pytest.mark.parametrize(
        ("unit", "amount", "remaining"), [(WD, 5, 3), (ND, 7, 5), (WH, 20, 4 * 60), (NH, 60, 12 * 60)]
    )
    def test_an_open_pause_leaves_no_date_and_what_was_left_when_it_began(self, unit, amount, remaining):
        stop = pauses("2026-03-13T10:00/")
        asked = [None, at("2026-03-13T10:00"), at("2026-03-14T10:00"), at("2026-06-01T10:00")]
        for instant in asked:
            found = reckon(at("2026-03-11T10:00"), Limit(amount, unit), stop, HALL, at=instant)
            assert (found.due_at, found.stopped, found.provisional) == (None, True, False)
            assert (found.used + found.remaining, found.remaining) == (found.limit.size, remaining)
        before = reckon(at("2026-03-11T10:00"), Limit(amount, unit), stop, HALL, at=at("2026-03-11T10:00"))
        assert before.used == 0

    def test_a_clock_stopped_on_its_last_day_has_nothing_left_but_is_not_overdue(self):
        found = reckon(at("2026-03-11T10:00"), Limit(5, WD), pauses("2026-03-18T10:00/"), HALL)
        assert (found.due_at, found.stopped, found.remaining) == (None, True, 0)
        assert not found.passed_by(at("2026-04-01T10:00"))

    @pytest.mark.parametrize(
        ("unit", "amount", "end"),
        [(WD, 5, "18:00"), (ND, 7, "18:00"), (WH, 46, "17:30"), (NH, 7 * 24 + 8, "18:00")],
    )
    def test_a_stop_after_the_end_does_not_take_the_end_back(self, unit, amount, end):
        clock = at("2026-03-11T10:00"), Limit(amount, unit), pauses("2026-03-19T10:00/"), HALL
        found, later = reckon(*clock), reckon(*clock, at=at("2026-04-01T10:00"))
        assert found.due_at == at(f"2026-03-18T{end}")
        assert found.stopped
        assert later.remaining == found.remaining < 0  # overdue time stands still too

    def test_a_stop_at_the_very_end_comes_too_late(self):
        for unit, amount in [(WD, 5), (ND, 7), (NH, 7 * 24 + 8)]:
            found = reckon(at("2026-03-11T10:00"), Limit(amount, unit), pauses("2026-03-18T18:00/"), HALL)
            assert (found.due_at, found.remaining) == (at("2026-03-18T18:00"), 0)

    def test_days_that_a_moved_last_day_passes_over_count_nothing(self):
        stop = pauses("2026-03-15T10:00/")  # the last day was Saturday, Monday is to be the due day
        for instant in (None, at("2026-03-20T10:00")):
            found = reckon(at("2026-03-11T10:00"), Limit(3, ND), stop, HALL, at=instant)
            assert (found.due_at, found.stopped, found.remaining) == (None, True, 0)

    def test_of_two_open_pauses_the_first_counts(self):
        found = reckon(at("2026-03-11T10:00"), Limit(5, WD), pauses("2026-03-16T10:00/", "2026-03-13T10:00/"), HALL)
        assert found.remaining == 3

    def test_refuses_to_end_before_it_begins(self):
        with pytest.raises(ValueError, match="cannot end"):
            Pause(at("2026-03-13T10:00"), at("2026-03-13T09:59"))


class TestExceptionalHours:
    schedule = Schedule(
        CALENDAR,
        HOURS,
        ZONE,
        closures=spans("2026-03-13T08:00/2026-03-13T16:00", "2026-03-16T00:00/2026-03-17T00:00"),
        sessions=spans("2026-03-14T09:00/2026-03-14T12:00"),
    )

    def test_a_closure_removes_no_working_day_and_a_session_makes_none(self):
        for amount, expected in [(1, "2026-03-13T18:00"), (2, "2026-03-16T18:00"), (3, "2026-03-17T18:00")]:
            assert due("2026-03-12T10:00", amount, WD, schedule=self.schedule) == expected

    def test_hours_run_in_a_session_and_not_in_a_closure(self):
        assert due("2026-03-12T17:00", 2, WH, schedule=self.schedule) == "2026-03-13T17:00"
        assert due("2026-03-12T17:00", 5, WH, schedule=self.schedule) == "2026-03-14T11:00"
        assert due("2026-03-12T17:00", 7, WH, schedule=self.schedule) == "2026-03-17T09:30"


@pytest.mark.parametrize(
    ("start", "days_end", "hours_end"),
    [
        ("2026-03-11T10:00", "2026-03-12T18:00", "2026-03-11T11:00"),
        ("2026-03-11T07:00", "2026-03-12T18:00", "2026-03-11T09:30"),  # early: the doors still open that day
        ("2026-03-11T12:30", "2026-03-12T18:00", "2026-03-11T14:30"),  # lunch likewise
        ("2026-03-11T18:00", "2026-03-13T18:00", "2026-03-12T09:30"),  # at the close: the next working day
        ("2026-03-13T20:00", "2026-03-17T18:00", "2026-03-16T09:30"),
        ("2026-03-15T10:00", "2026-03-17T18:00", "2026-03-16T09:30"),
        ("2026-03-14T10:00", "2026-03-16T18:00", "2026-03-14T11:00"),  # handed in during a voluntary session
        ("2026-03-14T13:00", "2026-03-17T18:00", "2026-03-16T09:30"),
    ],
)
def test_receipt_on_the_next_working_day(start, days_end, hours_end):
    schedule = Schedule(CALENDAR, HOURS, ZONE, sessions=spans("2026-03-14T09:00/2026-03-14T12:00"))
    assert due(start, 1, WD, schedule=schedule, receipt_next_day=True) == days_end
    assert due(start, 1, WH, schedule=schedule, receipt_next_day=True) == hours_end


class TestUnknownYears:
    @pytest.mark.parametrize(("unit", "amount"), [(WD, 3), (WH, 30), (ND, 5)])
    def test_no_date_into_a_year_that_is_not_announced(self, unit, amount):
        found = reckon(at("2026-12-29T10:00"), Limit(amount, unit), [], HALL, at=at("2026-12-30T12:00"))
        assert (found.due_at, found.provisional, found.stopped) == (None, True, False)
        assert found.used == {WD: 1, WH: 390 + 210, ND: 1}[unit]

    @pytest.mark.parametrize("unit", [WD, WH, ND])
    def test_nor_from_one(self, unit):
        found = reckon(at("2027-01-04T10:00"), Limit(2, unit), [], HALL)
        assert (found.due_at, found.provisional, found.used) == (None, True, 0)

    def test_nor_when_the_receipt_would_move_into_one(self):
        found = reckon(at("2026-12-31T20:00"), Limit(1, WH), [], HALL, receipt_next_day=True)
        assert (found.due_at, found.provisional) == (None, True)

    def test_the_last_announced_day_still_has_its_date(self):
        assert due("2026-12-29T10:00", 2, WD) == "2026-12-31T18:00"
        assert due("2026-12-29T10:00", 2, ND) == "2026-12-31T18:00"

    def test_a_pause_that_is_open_before_the_unknown_year_is_a_pause(self):
        found = reckon(
            at("2026-12-29T10:00"), Limit(5, WD), pauses("2026-12-30T10:00/"), HALL, at=at("2027-03-01T10:00")
        )
        assert (found.due_at, found.provisional, found.stopped, found.remaining) == (None, False, True, 4)

    def test_what_is_overdue_stays_overdue_in_an_unknown_year(self):
        found = reckon(at("2026-12-29T10:00"), Limit(1, WD), [], HALL, at=at("2027-03-01T10:00"))
        assert (found.due_at, found.provisional, found.remaining) == (at("2026-12-30T18:00"), False, -1)


class TestRefusals:
    naive = datetime(2026, 3, 11, 10)

    def test_naive_instants_anywhere(self):
        limit = Limit(1, WD)
        for wrong in (
            lambda: reckon(self.naive, limit, [], HALL),
            lambda: reckon(at("2026-03-11T10:00"), limit, [], HALL, at=self.naive),
            lambda: explain(self.naive, limit, [], HALL),
            lambda: explain(at("2026-03-11T10:00"), limit, [], HALL, at=self.naive),
            lambda: Pause(self.naive, None),
            lambda: Pause(at("2026-03-11T10:00"), self.naive),
            lambda: reckon(at("2026-03-11T10:00"), limit, [], HALL).passed_by(self.naive),
            lambda: reckon(at("2026-03-11T10:00"), limit, pauses("2026-03-11T11:00/"), HALL).passed_by(self.naive),
        ):
            with pytest.raises(ValueError, match="no zone"):
                wrong()

    @pytest.mark.parametrize("amount", [0, -1, 1.5, "2", True, None])
    def test_limits_that_are_no_whole_number(self, amount):
        with pytest.raises(ValueError, match="whole number"):
            Limit(amount, WD)

    def test_units_that_do_not_exist(self):
        assert Limit(1, "WH").unit is WH
        with pytest.raises(ValueError, match="XX"):
            Limit(1, "XX")

    @pytest.mark.parametrize("unit", Unit)
    def test_limits_that_nobody_will_see_the_end_of(self, unit):
        with pytest.raises(DeadlineTooFar):
            reckon(at("2025-03-11T10:00"), Limit(10**9, unit), [], HALL)

    @pytest.mark.parametrize(("amount", "unit"), [(30, ND), (30, NH), (1, ND)])
    def test_pauses_that_last_for_years(self, amount, unit):
        stop = pauses("2025-03-12T09:00/2029-03-12T09:00")
        with pytest.raises(DeadlineTooFar):
            reckon(at("2025-03-11T10:00"), Limit(amount, unit), stop, HALL)

    def test_a_hall_that_never_opens(self):
        years = range(2025, 2030)
        free = WorkCalendar.of({}, {}, dict.fromkeys(years, "通知"))
        shut = Schedule(free, HOURS, ZONE, closures=spans("2025-01-01T00:00/2030-01-01T00:00"))
        with pytest.raises(DeadlineTooFar):
            reckon(at("2025-03-11T10:00"), Limit(1, WH), [], shut)


def test_instants_of_other_zones_are_the_same_instants():
    stop = pauses("2026-03-12T10:00/2026-03-16T10:00")
    there = [Pause(pause.from_at.astimezone(UTC), pause.until_at.astimezone(UTC)) for pause in stop]
    for unit in Unit:
        here = reckon(at("2026-03-11T00:30"), Limit(40, unit), stop, HALL)
        assert reckon(at("2026-03-11T00:30").astimezone(UTC), Limit(40, unit), there, HALL) == here
        assert here.due_at.tzinfo is ZONE
