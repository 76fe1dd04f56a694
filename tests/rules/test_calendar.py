"""The calendar against the notices' own words, its file, and the doors that open by it."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.hall import holidays
from app.hall.rules.calendar import CalendarUnknown, WorkCalendar, in_english
from app.hall.rules.clock import Limit, Unit, reckon
from app.hall.rules.hours import OpeningHours, Schedule, cut, merged
from tests.rules.clock_oracle import MADE_UP, OFF, days_off, made_up, works

ZONE = ZoneInfo("Asia/Shanghai")
CALENDAR = holidays.read()
HOURS = OpeningHours.parse("08:30-12:00 13:30-18:00")
YEAR = {2026: "国务院办公厅关于2026年部分节假日安排的通知"}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def spans(*texts: str) -> tuple[tuple[datetime, datetime], ...]:
    return tuple((at(begin), at(end)) for begin, end in (text.split("/") for text in texts))


class TestBundledCalendar:
    def test_holds_exactly_the_days_of_the_notices(self):
        assert CALENDAR.years == {2025, 2026}
        assert set(CALENDAR.days_off) == {day for year in OFF for day in days_off(year)}
        assert set(CALENDAR.makeup) == {day for year in MADE_UP for day in made_up(year)}

    @pytest.mark.parametrize(("year", "working"), [(2025, 248), (2026, 248)])
    def test_every_day_of_the_year_is_worked_or_free_as_the_notice_says(self, year, working):
        days = [date(year, 1, 1) + timedelta(n) for n in range(365)]
        assert [CALENDAR.is_working(day) for day in days] == [works(day) for day in days]
        assert sum(map(CALENDAR.is_working, days)) == working

    def test_names_its_source_for_every_year(self):
        assert CALENDAR.source == {
            2025: "国务院办公厅关于2025年部分节假日安排的通知（国办发明电〔2024〕12号，2024年11月12日）",
            2026: "国务院办公厅关于2026年部分节假日安排的通知（国办发明电〔2025〕7号，2025年11月4日）",
        }

    def test_file_is_what_the_import_makes(self):
        made = holidays.from_chinesecalendar(holidays.NOTICES)
        assert holidays.BUNDLED.read_text(encoding="utf-8") == holidays.render(made)

    @pytest.mark.parametrize("year", [2024, 2027])
    def test_no_year_without_a_named_notice_even_where_the_library_has_one(self, year):
        with pytest.raises(holidays.NoticeUnknown):
            holidays.from_chinesecalendar([2026, year])

    def test_a_year_announced_since_the_release_goes_by_the_notice_that_is_named(self):
        named = {2024: "国务院办公厅关于2024年部分节假日安排的通知"}
        made = holidays.from_chinesecalendar([2024], named)
        assert made.source == named
        assert not made.is_working(date(2024, 2, 12))

    def test_a_notice_without_data_makes_no_calendar(self, monkeypatch):
        notice = holidays.Notice(2027, "号", date(2026, 11, 1), "")
        monkeypatch.setitem(holidays.NOTICES, 2027, notice)
        with pytest.raises(holidays.NoticeUnknown):
            holidays.from_chinesecalendar([2027])

    def test_a_file_without_source_is_refused(self, tmp_path):
        body = CALENDAR.to_json()
        body["years"]["2026"]["source"] = ""
        path = tmp_path / "calendar.json"
        path.write_text(json.dumps(body), encoding="utf-8")
        with pytest.raises(ValueError, match="2026"):
            holidays.read(path)


class TestWorkCalendar:
    @pytest.mark.parametrize(
        ("day", "code", "name"),
        [
            ("2026-03-11", "workday", "工作日"),
            ("2026-03-14", "weekend", "周末"),
            ("2026-02-16", "holiday", "春节"),
            ("2026-02-21", "holiday", "春节"),  # a Saturday inside the span
            ("2026-02-14", "makeup", "春节调休"),
            ("2025-10-06", "holiday", "中秋节"),
        ],
    )
    def test_says_why(self, day, code, name):
        assert CALENDAR.reason(date.fromisoformat(day)) == (code, name)

    @pytest.mark.parametrize("day", [date(2024, 12, 31), date(2027, 1, 1)])
    def test_knows_nothing_of_other_years(self, day):
        with pytest.raises(CalendarUnknown) as caught:
            CALENDAR.is_working(day)
        assert caught.value.year == day.year

    def test_answers_for_days_not_instants(self):
        with pytest.raises(TypeError):
            CALENDAR.is_working(at("2026-02-16T10:00"))

    def test_survives_json(self):
        text = json.dumps(CALENDAR.to_json())
        assert WorkCalendar.from_json(text) == WorkCalendar.from_json(json.loads(text)) == CALENDAR
        assert hash(WorkCalendar.from_json(text)) == hash(CALENDAR)

    @pytest.mark.parametrize("body", ["{}", "[]", "null", "nonsense", '{"version": "x", "years": {"MMXXVI": {}}}'])
    def test_refuses_what_is_no_calendar(self, body):
        with pytest.raises(ValueError):
            WorkCalendar.from_json(body)

    def test_version_follows_all_that_the_calendar_says(self):
        def version(off: str = "2026-01-01", name: str = "元旦", makeup: str = "", source: str = YEAR[2026]) -> str:
            made_up = {date.fromisoformat(makeup): "调休"} if makeup else {}
            return WorkCalendar.of({date.fromisoformat(off): name}, made_up, {2026: source}).version

        assert version() == version()
        others = [version("2026-01-02"), version(name="新年"), version(makeup="2026-01-04"), version(source="另一通知")]
        assert len({version(), *others}) == 5

    @given(st.dates(date(2024, 12, 20), date(2027, 1, 10)), st.integers(0, 800), st.integers(1, 300))
    def test_counts_spans_as_if_it_walked_through_them(self, after, ahead, number):
        days = [after + timedelta(n) for n in range(1, ahead + 1)]
        known = all(day.year in CALENDAR.years for day in days)
        if known:
            assert CALENDAR.worked(after, after + timedelta(ahead)) == sum(map(works, days))
        else:
            with pytest.raises(CalendarUnknown):
                CALENDAR.worked(after, after + timedelta(ahead))
        walked = [day for day in (after + timedelta(n) for n in range(1, 800)) if day.year in CALENDAR.years]
        ends = (after + timedelta(1)).year in CALENDAR.years and [day for day in walked if works(day)][number - 1 :]
        if ends:
            assert CALENDAR.nth_worked(after, number) == ends[0]
        else:
            with pytest.raises(CalendarUnknown):
                CALENDAR.nth_worked(after, number)

    def test_does_not_count_across_a_year_that_is_missing(self):
        gap = WorkCalendar.of({}, {}, {2024: "通知", 2026: "通知"})
        assert gap.reach(date(2024, 6, 1)) == date(2024, 12, 31)
        assert gap.reach(date(2025, 6, 1)) == date(2025, 6, 1)
        with pytest.raises(CalendarUnknown) as caught:
            gap.nth_worked(date(2024, 12, 30), 2)
        assert caught.value.year == 2025

    @pytest.mark.parametrize(
        ("code", "name", "english"),
        [
            ("workday", "工作日", "working day"),
            ("weekend", "周末", "weekend"),
            ("holiday", "国庆节、中秋节", "National Day and Mid-Autumn Festival"),
            ("makeup", "国庆节调休", "make-up day (National Day)"),
            ("holiday", "洛阳建城日", "洛阳建城日"),
        ],
    )
    def test_speaks_english(self, code, name, english):
        assert in_english(code, name) == english

    def test_every_festival_of_the_notices_has_an_english_name(self):
        said = {in_english(*CALENDAR.reason(day)) for day in (*CALENDAR.days_off, *CALENDAR.makeup)}
        assert all(name.isascii() for name in said)

    def test_cannot_be_changed(self):
        with pytest.raises(TypeError):
            CALENDAR.days_off[date(2026, 3, 11)] = "假"

    @pytest.mark.parametrize(
        ("off", "makeup"),
        [
            ([date(2027, 1, 1)], []),
            ([], [date(2027, 1, 2)]),
            ([date(2026, 2, 14)], [date(2026, 2, 14)]),
            ([], [date(2026, 3, 11)]),
        ],
        ids=["off in another year", "made up in another year", "off and made up", "a weekday made up"],
    )
    def test_refuses_days_that_cannot_be(self, off, makeup):
        with pytest.raises(ValueError):
            WorkCalendar.of(dict.fromkeys(off, "假"), dict.fromkeys(makeup, "班"), YEAR)

    @pytest.mark.parametrize("source", [{}, {2026: " "}])
    def test_refuses_a_year_without_source(self, source):
        with pytest.raises(ValueError, match="notice"):
            WorkCalendar.of({}, {}, source)

    def test_refuses_to_be_without_version(self):
        with pytest.raises(ValueError, match="version"):
            WorkCalendar("", frozenset({2026}), {}, {}, YEAR)


class TestAmendment:
    NOTICE = "洛阳市人民政府办公室关于调整放假安排的通知"

    def test_makes_a_new_version_that_names_both_notices(self):
        new = CALENDAR.amended(date(2026, 4, 10), "off", "牡丹节", self.NOTICE)
        assert new.version != CALENDAR.version
        assert not new.is_working(date(2026, 4, 10))
        assert CALENDAR.is_working(date(2026, 4, 10))
        assert new.source[2026] == f"{CALENDAR.source[2026]}；{self.NOTICE}"
        assert new.source[2025] == CALENDAR.source[2025]
        again = new.amended(date(2026, 4, 11), "makeup", "牡丹节调休", self.NOTICE)
        assert again.is_working(date(2026, 4, 11))
        assert again.source == new.source

    def test_gives_a_day_back(self):
        new = CALENDAR.amended(date(2026, 2, 14), "ordinary", "", self.NOTICE)
        assert new.reason(date(2026, 2, 14)) == ("weekend", "周末")
        assert CALENDAR.amended(date(2026, 2, 16), "ordinary", "", self.NOTICE).is_working(date(2026, 2, 16))

    @pytest.mark.parametrize(
        ("day", "kind", "name", "notice"),
        [
            ("2026-04-10", "off", " ", NOTICE),
            ("2026-04-10", "off", "牡丹节", " "),
            ("2026-04-10", "makeup", "调休", NOTICE),  # a Friday is worked anyway
            ("2026-04-10", "ordinary", "", NOTICE),  # it is
            ("2026-02-16", "off", "春节", NOTICE),  # it is
            ("2026-04-10", "half", "牡丹节", NOTICE),
        ],
    )
    def test_refuses(self, day, kind, name, notice):
        with pytest.raises(ValueError):
            CALENDAR.amended(date.fromisoformat(day), kind, name, notice)

    def test_refuses_a_year_that_was_never_announced(self):
        with pytest.raises(CalendarUnknown):
            CALENDAR.amended(date(2027, 5, 1), "off", "劳动节", self.NOTICE)


class TestJoined:
    def test_years_stand_beside_each_other_or_in_place_of_the_same(self):
        amended = CALENDAR.amended(date(2026, 4, 10), "off", "牡丹节", "通知")
        plain = WorkCalendar.of({date(2027, 1, 1): "元旦"}, {}, {2027: "新通知"})
        whole = amended.joined(plain)
        assert whole.years == {2025, 2026, 2027}
        assert whole.source == {**amended.source, 2027: "新通知"}
        assert not whole.is_working(date(2026, 4, 10))
        assert whole.joined(CALENDAR).is_working(date(2026, 4, 10))  # its years take the place of ours
        assert amended.joined(CALENDAR) == CALENDAR

    def test_nothing_joined_with_the_first_calendar_is_that_calendar(self):
        assert WorkCalendar("none", frozenset(), {}, {}, {}).joined(CALENDAR) == CALENDAR


class TestScheduleVersion:
    def test_equal_versions_are_equal_schedules(self):
        spans_ = spans("2026-03-12T11:00/2026-03-12T14:00")
        utc = tuple(tuple(instant.astimezone(UTC) for instant in span) for span in spans_)
        plain = Schedule(CALENDAR, HOURS, ZONE)
        assert plain.version == Schedule(CALENDAR, OpeningHours.parse("08:30-12:00 13:30-18:00"), ZONE).version
        one, same = Schedule(CALENDAR, HOURS, ZONE, closures=spans_), Schedule(CALENDAR, HOURS, ZONE, closures=utc)
        assert one.version == same.version
        others = [
            plain,
            one,
            Schedule(CALENDAR, HOURS, ZONE, sessions=spans_),
            Schedule(CALENDAR, OpeningHours.parse("08:30-12:00 13:30-17:30"), ZONE),
            plain.with_hours(SHORT, date(2026, 12, 1)),
            plain.with_hours(SHORT, date(2026, 12, 2)),
            plain.with_hours(OpeningHours.parse("09:00-12:00"), date(2026, 12, 1)),
            Schedule(CALENDAR.amended(date(2026, 4, 10), "off", "节", "通知"), HOURS, ZONE),
        ]
        assert len({schedule.version for schedule in others}) == len(others)
        assert all(schedule.version.startswith(f"{schedule.calendar.version}|") for schedule in others)

    def test_stored_versions_go_on_naming_what_they_named(self):
        assert Schedule(CALENDAR, HOURS, ZONE).version == f"{CALENDAR.version}|f5df11d4f62b"


SHORT = OpeningHours.parse("09:00-17:00")
DAYS = st.dates(date(2026, 1, 1), date(2026, 12, 30))


class TestLaterHours:
    """Daily hours change from a day on."""

    plain = Schedule(CALENDAR, HOURS, ZONE, closures=spans("2026-03-12T11:00/2026-03-12T14:00"))

    @given(DAYS, DAYS, st.sampled_from([HOURS, SHORT]))
    def test_the_days_before_stay_as_they_were(self, from_on, asked, hours):
        changed = self.plain.with_hours(hours, from_on)
        like = Schedule(CALENDAR, hours, ZONE, closures=self.plain.closures) if asked >= from_on else self.plain
        assert changed.open_intervals(asked) == like.open_intervals(asked)
        assert changed.close_of_business(asked) == like.close_of_business(asked)
        assert changed.opening(asked) == like.opening(asked)
        assert changed.exception(asked) == like.exception(asked)

    @given(st.lists(st.tuples(st.integers(1, 9), st.sampled_from([HOURS, SHORT, OpeningHours.parse("09:00-12:00")]))))
    def test_each_change_holds_until_the_next(self, changes):
        first, schedule, held = date(2026, 3, 1), self.plain, [HOURS] * 10
        for ahead, hours in changes:
            end = next((n for n in range(ahead + 1, 10) if held[n] != held[n - 1]), 10)
            held[ahead:end] = [hours] * (end - ahead)
            schedule = schedule.with_hours(hours, first + timedelta(ahead))
        assert [schedule.hours_on(first + timedelta(ahead)) for ahead in range(10)] == held
        assert len(schedule.later_hours) == sum(one != other for one, other in itertools.pairwise(held))

    def test_what_is_taken_back_leaves_no_trace(self):
        changed = self.plain.with_hours(SHORT, date(2026, 12, 1))
        assert changed.with_hours(HOURS, date(2026, 12, 1)) == self.plain

    def test_a_promise_in_hours_counts_each_day_by_its_own(self):
        """Two working hours from Thursday 17:00 run on in the morning of Friday: which opens later from then on."""
        start, limit = at("2026-03-05T17:00"), Limit(2, Unit.WH)
        assert reckon(start, limit, [], self.plain).due_at == at("2026-03-06T09:30")
        changed = self.plain.with_hours(SHORT, date(2026, 3, 6))
        assert reckon(start, limit, [], changed).due_at == at("2026-03-06T10:00")


class TestOpeningHours:
    def test_reads_both_forms(self):
        expected = OpeningHours(((time(8, 30), time(12)), (time(13, 30), time(18))))
        assert HOURS == OpeningHours.parse([["08:30", "12:00"], ["13:30", "18:00"]]) == expected

    @pytest.mark.parametrize(
        "hours",
        [
            "",
            [],
            "12:00-08:30",
            "08:30-08:30",
            "13:30-18:00 08:30-12:00",
            "08:30-12:00 11:00-18:00",
            "08:00-24:00 20:00-22:00",
            "8:30-12:00",
            "08:30",
            "25:00-26:00",
            "24:00-08:00",
            "０８:３０-12:00",
            [["08:30"]],
            [["08:30", 12]],
            [None],
        ],
    )
    def test_refuses(self, hours):
        with pytest.raises(ValueError):
            OpeningHours.parse(hours)

    def test_refuses_times_with_a_zone(self):
        with pytest.raises(ValueError, match="zone"):
            OpeningHours(((time(8, 30, tzinfo=UTC), time(12)),))

    def test_a_day_may_end_at_midnight(self):
        schedule = Schedule(CALENDAR, OpeningHours.parse("00:00-24:00"), ZONE)
        day = date(2026, 3, 11)
        assert schedule.open_intervals(day) == spans("2026-03-11T00:00/2026-03-12T00:00")
        assert schedule.close_of_business(day) == at("2026-03-12T00:00")


class TestSchedule:
    schedule = Schedule(
        CALENDAR,
        HOURS,
        ZONE,
        closures=spans("2026-03-12T11:00/2026-03-12T14:00", "2026-03-20T08:00/2026-03-24T09:00"),
        sessions=spans(
            "2026-03-14T09:00/2026-03-14T12:00",
            "2026-03-13T18:00/2026-03-13T20:00",
            "2026-03-22T09:00/2026-03-22T12:00",
        ),
    )

    @pytest.mark.parametrize(
        ("day", "expected", "exception"),
        [
            ("2026-03-11", ["08:30/12:00", "13:30/18:00"], ""),
            ("2026-03-12", ["08:30/11:00", "14:00/18:00"], "closure"),
            ("2026-03-13", ["08:30/12:00", "13:30/20:00"], "session"),  # the evening joins the afternoon
            ("2026-03-14", ["09:00/12:00"], "session"),
            ("2026-03-15", [], ""),
            ("2026-03-21", [], ""),  # closed, but it was a Saturday anyway
            ("2026-03-22", [], "closure"),  # a closure shuts a session out
            ("2026-03-23", [], "closure"),
            ("2026-03-24", ["09:00/12:00", "13:30/18:00"], "closure"),
            ("2026-02-14", ["08:30/12:00", "13:30/18:00"], ""),  # made up
            ("2026-02-16", [], ""),
        ],
    )
    def test_open_intervals(self, day, expected, exception):
        day = date.fromisoformat(day)
        assert self.schedule.open_intervals(day) == spans(
            *(f"{day}T{begin}/{day}T{end}" for begin, end in (part.split("/") for part in expected))
        )
        assert self.schedule.exception(day) == exception

    def test_exceptions_never_touch_what_a_working_day_is(self):
        assert self.schedule.is_working(date(2026, 3, 23))
        assert not self.schedule.is_working(date(2026, 3, 14))
        assert self.schedule.close_of_business(date(2026, 3, 12)) == at("2026-03-12T18:00")
        assert self.schedule.close_of_business(date(2026, 3, 13)) == at("2026-03-13T18:00")

    @pytest.mark.parametrize(
        ("instant", "expected"),
        [
            ("2026-03-11T08:29:59", False),
            ("2026-03-11T08:30", True),
            ("2026-03-11T12:00", False),
            ("2026-03-11T13:30", True),
            ("2026-03-11T18:00", False),
            ("2026-03-14T10:00", True),
        ],
    )
    def test_doors_are_open_from_the_first_instant_to_before_the_last(self, instant, expected):
        assert self.schedule.is_open(at(instant)) is expected
        assert self.schedule.is_open(at(instant).astimezone(UTC)) is expected

    @pytest.mark.parametrize(
        ("instant", "expected"),
        [
            ("2026-03-11T10:00", "2026-03-11T10:00"),
            ("2026-03-11T12:00", "2026-03-11T13:30"),
            ("2026-03-13T20:00", "2026-03-14T09:00"),
            ("2026-03-19T18:00", "2026-03-24T09:00"),
            ("2026-02-14T18:00", "2026-02-24T08:30"),
        ],
    )
    def test_next_open(self, instant, expected):
        assert self.schedule.next_open(at(instant)) == at(expected)

    def test_next_open_of_a_hall_shut_for_good(self):
        shut = Schedule(CALENDAR, HOURS, ZONE, closures=spans("2024-01-01T00:00/2030-01-01T00:00"))
        assert shut.next_open(at("2025-03-11T10:00")) is None

    def test_unknown_years_have_no_hours(self):
        with pytest.raises(CalendarUnknown):
            self.schedule.open_intervals(date(2027, 1, 4))
        with pytest.raises(CalendarUnknown):
            self.schedule.next_open(at("2026-12-31T18:00"))

    @pytest.mark.parametrize("kind", ["closures", "sessions"])
    def test_refuses_naive_empty_and_backward_exceptions(self, kind):
        begin, end = at("2026-03-11T10:00"), at("2026-03-11T11:00")
        for span in [(begin.replace(tzinfo=None), end), (begin, begin), (end, begin)]:
            with pytest.raises(ValueError):
                Schedule(CALENDAR, HOURS, ZONE, **{kind: (span,)})

    def test_refuses_naive_instants(self):
        for ask in (self.schedule.is_open, self.schedule.next_open):
            with pytest.raises(ValueError, match="zone"):
                ask(datetime(2026, 3, 11, 10))

    def test_exceptions_in_another_zone_are_the_same_exceptions(self):
        utc = tuple(tuple(instant.astimezone(UTC) for instant in span) for span in self.schedule.closures)
        other = Schedule(CALENDAR, HOURS, ZONE, closures=utc, sessions=self.schedule.sessions)
        assert other == self.schedule


def test_merged_and_cut():
    whole = spans("2026-03-11T08:00/2026-03-11T12:00", "2026-03-11T12:00/2026-03-11T18:00")
    assert merged(reversed(whole)) == [*spans("2026-03-11T08:00/2026-03-11T18:00")]
    holes = spans("2026-03-11T07:00/2026-03-11T09:00", "2026-03-11T10:00/2026-03-11T10:30")
    expected = spans("2026-03-11T09:00/2026-03-11T10:00", "2026-03-11T10:30/2026-03-11T18:00")
    assert cut(merged(whole), holes) == [*expected]
    assert cut(expected, [(at("2026-03-11T09:30"), None)]) == [*spans("2026-03-11T09:00/2026-03-11T09:30")]
