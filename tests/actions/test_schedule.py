"""The hall's schedule: kept under its version for ever, changed only by a new one, and what a change would move (K6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from app import eventlog
from app.action import action
from app.casework import preview, sweeps
from app.casework import queries as cases
from app.db import db
from app.errors import Refusal
from app.events import SYSTEM
from app.hall import holidays, queries
from app.hall.models import Calendar, Hall, ScheduleVersion
from app.hall.rules.calendar import WorkCalendar
from app.hall.settings import add_exception, amend_calendar, import_calendar, keep_schedule, remove_exception, set_hours
from app.now import SHANGHAI
from tests.actions.test_finish import instant
from tests.actions.test_intake import found

NOTICE = "洛阳市人民政府办公室关于调整放假安排的通知"
MONDAY = datetime(2027, 3, 1, 10, 0, tzinfo=SHANGHAI)
TUESDAY = date(2027, 3, 2)


@pytest.fixture
def spring(hall):
    """1 March 2027, in a calendar of plain weeks for that year."""
    plain = WorkCalendar.of({}, {}, {2027: "测试用日历"})
    import_calendar(actor=SYSTEM, at=hall.at, data=queries.calendar().joined(plain).to_json())
    hall.at = MONDAY
    return hall


@action
def keep(tx) -> str:
    return keep_schedule(tx, queries.schedule(tx.hall, tx.session))


def refused(code: str, function, *args, **more) -> None:
    with pytest.raises(Refusal) as caught:
        function(*args, **more)
    assert caught.value.code == code


class TestKept:
    def test_what_was_kept_is_read_as_it_was_whatever_changes(self, spring) -> None:
        spring.do(
            add_exception, "admin01", from_at=MONDAY, to_at=MONDAY + timedelta(hours=2), opens=False, reason="停电"
        )
        first = queries.schedule("luolong")
        version = spring.do(keep, SYSTEM)
        assert version == first.version
        spring.do(set_hours, "admin01", hours="09:00-17:00", from_on=TUESDAY)
        amend_calendar(actor=SYSTEM, at=spring.at, day=date(2027, 3, 2), kind="off", name="市庆", notice=NOTICE)
        assert queries.schedule("luolong").version != version
        queries._kept.clear()
        assert queries.schedule_named("luolong", version) == first
        assert queries.schedule_named("luolong", version).version == version
        later = queries.schedule("luolong")
        assert spring.do(keep, SYSTEM) == later.version
        queries._kept.clear()
        assert queries.schedule_named("luolong", later.version) == later

    def test_it_is_kept_once(self, spring) -> None:
        assert spring.do(keep, SYSTEM) == spring.later(minutes=5).do(keep, SYSTEM)
        assert spring.do(keep, SYSTEM, hall="lilou") != spring.do(keep, SYSTEM)  # another hall's hours
        kept = db.session.execute(select(ScheduleVersion.hall).order_by(ScheduleVersion.hall)).scalars().all()
        assert kept == ["lilou", "luolong"]

    def test_a_version_that_nobody_kept_is_a_mistake(self, spring) -> None:
        with pytest.raises(LookupError):
            queries.schedule_named("luolong", "cn|nobody-kept-this")

    def test_equal_schedules_are_one_object_that_remembers_its_days(self, spring) -> None:
        assert queries.schedule("luolong") is queries.schedule("luolong")


class TestHours:
    def test_new_hours_hold_from_a_day_on_and_are_told(self, spring) -> None:
        before = queries.schedule("luolong")
        done = spring.do(set_hours, "admin01", hours="09：00-12：00，13:00–17:30", from_on=TUESDAY)
        assert done == {"hours": [["09:00", "12:00"], ["13:00", "17:30"]], "from_on": TUESDAY.isoformat()}
        after = queries.schedule("luolong")
        assert after.hours_on(TUESDAY).to_json() == done["hours"]
        assert after.hours_on(MONDAY.date()) == before.hours
        told = eventlog.read("luolong", 0, 10_000)[-1].event
        assert (told.kind, told.hours) == ("hours.changed", ("09:00-12:00", "13:00-17:30"))
        assert told.from_on == TUESDAY.isoformat()

    def test_a_hall_shows_the_hours_of_the_day(self, spring) -> None:
        for hours, day in (("09:00-16:00", TUESDAY + timedelta(30)), ("09:00-17:00", TUESDAY)):
            spring.do(set_hours, "admin01", hours=hours, from_on=day)
        row = db.session.get_one(Hall, "luolong")
        shown = {
            day: queries.hours_from(row.hours, row.later_hours, day)
            for day in (MONDAY.date(), TUESDAY, TUESDAY + timedelta(29), TUESDAY + timedelta(30))
        }
        assert list(shown.values()) == [
            [["08:30", "12:00"], ["13:30", "18:00"]],
            [["09:00", "17:00"]],
            [["09:00", "17:00"]],
            [["09:00", "16:00"]],
        ]
        assert queries.hall("luolong")["hours"] == row.hours  # the wall clock stands before 2027

    @pytest.mark.parametrize(
        ("hours", "day", "answer"),
        [
            ("09:00-17:00", MONDAY.date() - timedelta(1), "hours.past"),
            ("09:00-17:00", MONDAY.date(), "hours.past"),  # it is ten o'clock: the doors opened at half past eight
            ("08:30-10:30 13:30-18:00", MONDAY.date(), None),  # what differs lies ahead
            ("08:30-09:30 13:30-18:00", MONDAY.date(), "hours.past"),
            ("09:00-17:00", TUESDAY, None),
        ],
    )
    def test_what_has_been_stays(self, spring, hours, day, answer) -> None:
        spring.at = MONDAY.replace(hour=10, minute=0)
        if answer:
            refused(answer, spring.do, set_hours, "admin01", hours=hours, from_on=day)
        else:
            spring.do(set_hours, "admin01", hours=hours, from_on=day)

    def test_a_running_limit_keeps_the_hours_of_the_days_behind_it(self, spring) -> None:
        """Two working hours from Monday 17:00: one that day, also when the hall shuts at 16:00 from the next day on."""
        spring.at = MONDAY.replace(hour=17)
        case, case_id = spring.accepted(item=found(instant)["code"])
        assert case["clocks"]["promised"]["due_at"].startswith("2027-03-02T09:30")
        spring.do(set_hours, "admin01", hours="10:00-16:00", from_on=TUESDAY)
        spring.do(sweeps.sweep_calendar, SYSTEM)
        clocks = cases.case_view("luolong", case_id, spring.at)["clocks"]
        assert clocks["promised"]["due_at"].startswith("2027-03-02T11:00")
        assert clocks["statutory"]["due_at"][10:16] == "T16:00"

    @pytest.mark.parametrize("hours", ["", "18:00-08:30", "08:30-12:00 11:00-18:00", "always", "08:30-12:00;DROP"])
    def test_hours_that_are_none(self, spring, hours) -> None:
        refused("hours.invalid", spring.do, set_hours, "admin01", hours=hours, from_on=TUESDAY)

    def test_the_same_hours_or_a_stale_preview(self, spring) -> None:
        refused("schedule.unchanged", spring.do, set_hours, "admin01", hours="08:30-12:00 13:30-18:00", from_on=TUESDAY)
        seen = queries.schedule("luolong").version
        spring.do(set_hours, "admin01", hours="09:00-17:00", from_on=TUESDAY, seen=seen)
        refused("schedule.changed", spring.do, set_hours, "admin01", hours="09:00-16:00", from_on=TUESDAY, seen=seen)


class TestCalendar:
    def test_an_amended_day_makes_a_new_version_beside_the_old_one(self, spring) -> None:
        before = queries.calendar()
        day = date(2027, 3, 2)
        amend_calendar(actor=SYSTEM, at=spring.at, day=day, kind="off", name="市庆", notice=NOTICE, seen=before.version)
        now = queries.calendar()
        assert now.reason(day) == ("holiday", "市庆")
        assert now.source[2027] == f"测试用日历；{NOTICE}"
        rows = db.session.execute(select(Calendar.version, Calendar.data).where(~Calendar.current)).all()
        assert (before.version, before.to_json()) in [tuple(row) for row in rows]
        stale = {"day": date(2027, 3, 3), "kind": "off", "name": "市庆", "notice": NOTICE, "seen": before.version}
        refused("schedule.changed", amend_calendar, actor=SYSTEM, at=spring.at, **stale)

    @pytest.mark.parametrize(
        ("wrong", "code"),
        [
            ({"day": date(2031, 3, 2)}, "calendar.no_year"),
            ({"kind": "makeup"}, "calendar.makeup_weekday"),
            ({"kind": "ordinary"}, "schedule.unchanged"),
            ({"kind": "holiday"}, "request.invalid"),
            ({"name": " "}, "text.empty"),
            ({"notice": ""}, "text.empty"),
            ({"notice": "\u202e通知"}, "text.invalid"),
        ],
    )
    def test_refuses(self, spring, wrong, code) -> None:
        asked = {"day": date(2027, 3, 2), "kind": "off", "name": "市庆", "notice": NOTICE, **wrong}
        refused(code, amend_calendar, actor=SYSTEM, at=spring.at, **asked)

    def test_is_not_for_the_staff_of_one_hall(self, spring) -> None:
        clerk = spring.staff("clerk01")
        asked = {"day": date(2027, 3, 2), "kind": "off", "name": "市庆", "notice": NOTICE}
        refused("auth.foreign_hall", amend_calendar, actor=clerk, at=spring.at, **asked)

    def test_a_version_says_one_thing_for_ever(self, spring) -> None:
        other = holidays.read().to_json() | {"version": queries.calendar().version}
        refused("calendar.version_taken", import_calendar, actor=SYSTEM, at=spring.at, data=other)

    def test_an_older_version_comes_back_as_it_was(self, spring) -> None:
        before = queries.calendar()
        amend_calendar(actor=SYSTEM, at=spring.at, day=date(2027, 3, 2), kind="off", name="市庆", notice=NOTICE)
        import_calendar(actor=SYSTEM, at=spring.at, data=before.to_json())
        assert queries.calendar() == before


class TestPreview:
    """A case accepted on Monday, promised for five working days: Monday a week later."""

    def changed(self, kind: str):
        schedule = queries.schedule("luolong")
        if kind == "hours":
            return replace(schedule, hours=type(schedule.hours).parse("08:30-12:00 13:30-17:00"))
        days = {
            "off": (date(2027, 3, 3), "off"),
            "makeup": (date(2027, 3, 6), "makeup"),
            "past": (date(2027, 2, 3), "off"),
        }
        day, becomes = days[kind]
        return replace(schedule, calendar=schedule.calendar.amended(day, becomes, "市庆", NOTICE))

    def preview(self, spring, kind: str, limit: int = 50):
        return preview.moved_by("luolong", self.changed(kind), spring.at, limit)

    def test_says_from_when_to_when_and_keeps_what_is_printed(self, spring) -> None:
        case, _ = spring.accepted()
        printed = case["clocks"]["promised"]["due_at"]
        later = self.preview(spring, "off")
        assert (later["total"], later["earlier"], later["later"], later["kept"]) == (1, 0, 1, 1)
        assert (later["looked"], later["open"]) == (1, 1)
        item = later["items"][0]
        assert (item["number"], item["kept"]) == (case["number"], True)
        assert item["promised"] == {"before": printed, "after": printed}
        assert item["statutory"]["before"] == case["clocks"]["statutory"]["due_at"] < item["statutory"]["after"]

    @pytest.mark.parametrize("kind", ["makeup", "hours"])
    def test_an_earlier_end_is_nobodys_kept_promise(self, spring, kind) -> None:
        spring.accepted()
        found = self.preview(spring, kind)
        assert (found["total"], found["earlier"], found["later"], found["kept"]) == (1, 1, 0, 0)
        promised = found["items"][0]["promised"]
        assert promised["after"] < promised["before"]

    def test_a_day_behind_every_open_case_moves_none(self, spring) -> None:
        spring.accepted()
        assert self.preview(spring, "past") == {
            "total": 0, "earlier": 0, "later": 0, "kept": 0, "looked": 1, "open": 1, "items": []
        }  # fmt: skip

    def test_counts_all_and_shows_the_first(self, spring) -> None:
        for _ in range(3):
            spring.accepted()
        spring.receive()  # no clock runs yet
        found = self.preview(spring, "makeup", limit=2)
        assert (found["total"], len(found["items"]), found["open"]) == (3, 2, 3)

    def test_looks_at_a_bounded_number_and_says_so(self, spring, monkeypatch) -> None:
        for _ in range(3):
            spring.accepted()
        monkeypatch.setattr(preview, "MOST", 2)
        found = self.preview(spring, "makeup")
        assert (found["total"], found["looked"], found["open"]) == (2, 2, 3)

    def test_is_what_the_sweep_then_does(self, spring) -> None:
        case, case_id = spring.accepted()
        promised = self.preview(spring, "makeup")["items"][0]["promised"]
        amend_calendar(actor=SYSTEM, at=spring.at, day=date(2027, 3, 6), kind="makeup", name="市庆", notice=NOTICE)
        spring.do(sweeps.sweep_calendar, SYSTEM)
        view = cases.case_view("luolong", case_id, spring.at)
        assert view["clocks"]["promised"]["due_at"] == promised["after"] != case["clocks"]["promised"]["due_at"]

    def test_an_exception_taken_back_is_left_out(self, spring) -> None:
        span = {"from_at": MONDAY, "to_at": MONDAY + timedelta(hours=2), "opens": False, "reason": "停电"}
        plain = queries.schedule("luolong")
        number = spring.do(add_exception, "admin01", **span)["id"]
        assert queries.schedule("luolong", without=number) == plain != queries.schedule("luolong")
        spring.do(remove_exception, "admin01", exception_id=number)
        assert queries.schedule("luolong") == plain
