"""Reading the hall: its name, zones, hours and schedule. Nothing here writes."""

from __future__ import annotations

import json
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import canonical, db
from app.errors import Refusal
from app.hall.models import Calendar, Hall, HourException, ScheduleVersion, Zone
from app.hall.rules.calendar import CalendarUnknown, WorkCalendar
from app.hall.rules.hours import Interval, OpeningHours, Schedule
from app.now import SHANGHAI, iso, local_day, now

NO_CALENDAR = WorkCalendar("none", frozenset(), {}, {}, {})

_Spans = tuple[Interval, ...]


def halls() -> list[dict[str, Any]]:
    """Every hall, the county's first."""
    order = {"county": 0, "township": 1, "village": 2}
    rows = db.session.execute(select(Hall)).scalars()
    return sorted((_hall(row) for row in rows), key=lambda h: (order[h["level"]], h["code"]))


def hall(code: str) -> dict[str, Any]:
    """One hall. Refuses hall.unknown."""
    row = db.session.get(Hall, code)
    if row is None:
        raise Refusal("hall.unknown", hall=code)
    return _hall(row)


def _hall(row: Hall) -> dict[str, Any]:
    return {
        "code": row.code,
        "name": row.name_zh,
        "name_en": row.name_en,
        "level": row.level,
        "parent": row.parent,
        "case_prefix": row.case_prefix,
        "address": row.address,
        "phone": row.phone,
        "hours": hours_from(row.hours, row.later_hours, local_day(now())),
    }


PAY_PLACE = {"words": "本厅收费窗口", "words_en": "the cashier of this hall"}


def pay_place(code: str, session: Session | None = None) -> dict[str, str]:
    """Where the fees of a hall are paid: {words, words_en}; at its cashier where nothing else was said."""
    settings = (session or db.session()).execute(select(Hall.settings).where(Hall.code == code)).scalar_one()
    return settings.get("pay_place", PAY_PLACE)


def hours_from(first: list[Any], later: list[Any], day: date) -> list[Any]:
    """The daily hours that hold on a local day, as they are stored."""
    return next((hours for from_on, hours in reversed(later) if from_on <= day.isoformat()), first)


def halls_above(code: str, session: Session | None = None) -> list[str]:
    """The halls above one, the nearest first; a loop in the data ends where it closes."""
    parents = dict((session or db.session()).execute(select(Hall.code, Hall.parent)).all())
    above: list[str] = []
    upper = parents.get(code)
    while upper and upper not in above:
        above.append(upper)
        upper = parents.get(upper)
    return above


def zones(code: str) -> list[dict[str, Any]]:
    """The zones of a hall in the order of their letters."""
    rows = db.session.execute(select(Zone).where(Zone.hall == code).order_by(Zone.code)).scalars()
    return [{"code": row.code, "name": row.name_zh, "name_en": row.name_en} for row in rows]


def exceptions(code: str) -> list[dict[str, Any]]:
    """The closures and voluntary sessions of a hall, the latest first."""
    query = select(HourException).where(HourException.hall == code).order_by(HourException.from_at.desc())
    return [
        {"id": e.id, "from_at": iso(e.from_at), "to_at": iso(e.to_at), "opens": e.opens, "reason": e.reason}
        for e in db.session.execute(query).scalars()
    ]


def calendar(session: Session | None = None) -> WorkCalendar:
    """The calendar in force; one without any year when none was imported."""
    query = select(Calendar.data).where(Calendar.current)
    return _calendar(canonical((session or db.session()).execute(query).scalar_one_or_none()))


@lru_cache(maxsize=16)
def _calendar(text: str) -> WorkCalendar:
    data = json.loads(text)
    return WorkCalendar.from_json(data) if data else NO_CALENDAR


def schedule(code: str, session: Session | None = None, *, without: int | None = None) -> Schedule:
    """When the hall is open: calendar, daily hours, closures and sessions. Refuses hall.unknown.

    `without` leaves out one of its exceptions, as if it had been taken back.
    """
    session = session or db.session()
    own = session.execute(select(Hall.hours, Hall.later_hours).where(Hall.code == code)).one_or_none()
    if own is None:
        raise Refusal("hall.unknown", hall=code)
    query = select(HourException).where(HourException.hall == code).order_by(HourException.id)
    rows = [row for row in session.execute(query).scalars() if row.id != without]
    spans = [(row.opens, (row.from_at, row.to_at)) for row in rows]
    closures, sessions = (tuple(span for opens, span in spans if opens is wanted) for wanted in (False, True))
    return _schedule(calendar(session), canonical(own.hours), canonical(own.later_hours), closures, sessions)


@lru_cache(maxsize=64)
def _schedule(calendar: WorkCalendar, hours: str, later: str, closures: _Spans, sessions: _Spans) -> Schedule:
    """Equal parts give the same object, with all that it has worked out about itself."""
    first, *rest = (OpeningHours.parse(each) for each in (json.loads(hours), *(h for _, h in json.loads(later))))
    days = (date.fromisoformat(day) for day, _ in json.loads(later))
    return Schedule(calendar, first, SHANGHAI, closures, sessions, tuple(zip(days, rest, strict=True)))


def schedule_named(code: str, version: str, session: Session | None = None) -> Schedule:
    """The schedule that `keep_schedule` kept under this version, as it was then (K6). Raises LookupError."""
    if version not in _kept:
        _kept[version] = _read_kept(code, version, session or db.session())
    return _kept[version]


_kept: dict[str, Schedule] = {}  # a version is a digest of all that is in it, so what was read once stays true


def _read_kept(code: str, version: str, session: Session) -> Schedule:
    kept = (ScheduleVersion.hall == code, ScheduleVersion.version == version)
    of_calendar = Calendar.version == ScheduleVersion.calendar_version
    query = select(ScheduleVersion, Calendar.data).join(Calendar, of_calendar, isouter=True).where(*kept)
    row = session.execute(query).one_or_none()
    if row is None:
        raise LookupError(f"no schedule {version} of {code} was kept")
    own, data = row
    closures, sessions = (
        tuple((datetime.fromisoformat(begin), datetime.fromisoformat(end)) for begin, end in spans)
        for spans in (own.closures, own.sessions)
    )
    return _schedule(_calendar(canonical(data)), canonical(own.hours), canonical(own.later_hours), closures, sessions)


def is_open(code: str, at: datetime) -> bool | None:
    """Whether the doors are open at an instant; None when the year's calendar has not been announced."""
    try:
        return schedule(code).is_open(at)
    except CalendarUnknown:
        return None
