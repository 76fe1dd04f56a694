"""The clock day by day, as `explain` tells it."""

from __future__ import annotations

import json

from app.hall.rules.clock import Limit
from app.hall.rules.hours import Schedule
from app.hall.rules.ledger import explain
from tests.rules.clock_hall import CALENDAR, HALL, HOURS, ND, NH, WD, WH, ZONE, at, pauses, spans


class TestLedger:
    def test_working_days(self):
        stops = pauses("2026-04-24T10:00/2026-05-06T10:00")
        rows = explain(at("2026-04-20T10:00"), Limit(10, WD), stops, HALL)
        assert [(row.date.day, row.counted, row.total, row.paused) for row in rows] == [
            (20, 0, 0, False),
            (21, 1, 1, False),
            (22, 1, 2, False),
            (23, 1, 3, False),
            (24, 1, 4, False),
            *[(day, 0, 4, True) for day in [25, 26, 27, 28, 29, 30, 1, 2, 3, 4, 5, 6]],
            (7, 1, 5, False),
            (8, 1, 6, False),
            (9, 1, 7, False),  # a make-up Saturday
            (10, 0, 7, False),
            (11, 1, 8, False),
            (12, 1, 9, False),
            (13, 1, 10, False),
        ]
        assert [row.why for row in rows[-5:]] == ["makeup", "weekend", "workday", "workday", "workday"]
        assert [row.date.isoformat() for row in rows if row.due] == ["2026-05-13"]
        assert [row.date.isoformat() for row in rows if row.start] == ["2026-04-20"]
        assert json.loads(json.dumps(rows[19].to_dict())) == {
            "date": "2026-05-09",
            "weekday": 6,
            "working": True,
            "why": "makeup",
            "why_name": "班",
            "why_name_en": "make-up day (班)",
            "counted": 1,
            "total": 7,
            "limit": 10,
            "paused": False,
            "exception": "",
            "start": False,
            "due": False,
        }

    def test_working_hours_with_everything_in_the_way(self):
        schedule = Schedule(
            CALENDAR,
            HOURS,
            ZONE,
            closures=spans("2026-03-12T08:30/2026-03-12T18:00"),
            sessions=spans("2026-03-14T09:00/2026-03-14T11:00"),
        )
        rows = explain(
            at("2026-03-11T17:00"),
            Limit(12, WH),
            pauses("2026-03-11T09:00/2026-03-11T16:00", "2026-03-13T09:00/2026-03-13T10:00"),
            schedule,
        )
        assert [(row.date.day, row.why, row.counted, row.total, row.paused) for row in rows] == [
            (11, "workday", 60, 60, False),
            (12, "closure", 0, 60, False),
            (13, "workday", 420, 480, True),
            (14, "session", 120, 600, False),
            (15, "weekend", 0, 600, False),
            (16, "workday", 120, 720, False),
        ]
        assert rows[-1].limit == 720
        assert rows[-1].due

    def test_a_hall_exception_is_shown_beside_a_day_but_does_not_explain_it(self):
        schedule = Schedule(CALENDAR, HOURS, ZONE, closures=spans("2026-03-12T08:30/2026-03-12T18:00"))
        row = explain(at("2026-03-11T17:00"), Limit(1, WD), [], schedule)[1]
        assert (row.why, row.exception, row.counted) == ("workday", "closure", 1)

    def test_a_moved_last_day(self):
        rows = explain(at("2026-03-11T10:00"), Limit(3, ND), [], HALL, at=at("2026-03-17T10:00"))
        assert [(row.date.day, row.total, row.due) for row in rows] == [
            (11, 0, False),
            (12, 1, False),
            (13, 2, False),
            (14, 3, False),
            (15, 3, False),
            (16, 3, True),
            (17, 4, False),  # overdue
        ]

    def test_overdue_hours_are_counted_up_to_the_instant_asked_for(self):
        rows = explain(at("2026-03-11T17:00"), Limit(1, WH), [], HALL, at=at("2026-03-12T09:00"))
        assert [row.total for row in rows] == [60, 90]

    def test_an_open_pause_ends_the_ledger_where_it_began_or_today(self):
        stop = pauses("2026-03-13T10:00/")
        assert [row.total for row in explain(at("2026-03-11T10:00"), Limit(5, WD), stop, HALL)] == [0, 1, 2]
        rows = explain(at("2026-03-11T10:00"), Limit(5, WD), stop, HALL, at=at("2026-03-15T10:00"))
        assert [(row.total, row.paused) for row in rows] == [
            (0, False), (1, False), (2, False), (2, True), (2, True),
        ]  # fmt: skip

    def test_an_unknown_year_ends_the_ledger_with_the_first_day_of_it(self):
        for unit in (WD, WH, ND):
            rows = explain(at("2026-12-30T10:00"), Limit(30, unit), [], HALL)
            assert [row.date.day for row in rows] == [30, 31, 1]
            last = rows[-1]
            assert (last.why, last.why_name, last.working, last.counted) == ("unknown", "日历尚未公布", None, 0)
            assert last.why_name_en == "calendar not yet announced"

    def test_natural_hours_need_no_calendar(self):
        rows = explain(at("2026-12-31T20:00"), Limit(12, NH), [], HALL)
        assert [(row.why, row.counted, row.total) for row in rows] == [
            ("workday", 240, 240),
            ("unknown", 480, 720),
        ]

    def test_a_receipt_that_moved_shows_the_days_between(self):
        rows = explain(at("2026-03-13T20:00"), Limit(1, WD), [], HALL, receipt_next_day=True)
        assert [(row.date.day, row.start, row.due) for row in rows] == [
            (13, False, False), (14, False, False), (15, False, False), (16, True, False), (17, False, True),
        ]  # fmt: skip
