"""The hall whose clock is tested, and a short way to write its instants, spans and pauses."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from app.hall.rules.calendar import WorkCalendar
from app.hall.rules.clock import Limit, Pause, Unit, reckon
from app.hall.rules.hours import OpeningHours, Schedule
from tests.rules.clock_oracle import days_off, made_up

ZONE = ZoneInfo("Asia/Shanghai")
HOURS = OpeningHours.parse("08:30-12:00 13:30-18:00")
WD, WH, ND, NH = Unit


def calendar(*years: int) -> WorkCalendar:
    return WorkCalendar.of(
        {day: "假" for year in years for day in days_off(year)},
        {day: "班" for year in years for day in made_up(year)},
        dict.fromkeys(years, "通知"),
    )


CALENDAR = calendar(2025, 2026)
HALL = Schedule(CALENDAR, HOURS, ZONE)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def spans(*texts: str) -> tuple[tuple[datetime, datetime], ...]:
    return tuple((at(begin), at(end)) for begin, end in (text.split("/") for text in texts))


def pauses(*texts: str) -> list[Pause]:
    """`P/R`, or `P/` for a pause that is still open."""
    parts = [text.split("/") for text in texts]
    return [Pause(at(begin), at(end) if end else None) for begin, end in parts]


def due(start: str, amount: int, unit: Unit, *stops: str, schedule: Schedule = HALL, **more) -> str | None:
    result = reckon(at(start), Limit(amount, unit), pauses(*stops), schedule, **more)
    return result.due_at and result.due_at.replace(tzinfo=None).isoformat(timespec="minutes")
