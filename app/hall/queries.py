"""Reading the hall: its name, zones, hours and schedule. Nothing here writes."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import canonical, db
from app.errors import Refusal
from app.hall.models import Calendar, Hall, HourException, Zone
from app.hall.rules.calendar import CalendarUnknown, WorkCalendar
from app.hall.rules.hours import OpeningHours, Schedule
from app.now import SHANGHAI, iso


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
        "hours": row.hours,
    }


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
    data = (session or db.session()).execute(query).scalar_one_or_none()
    return _calendar(canonical(data)) if data else WorkCalendar("none", frozenset(), {}, {}, {})


@lru_cache(maxsize=8)
def _calendar(text: str) -> WorkCalendar:
    return WorkCalendar.from_json(text)


def schedule(code: str, session: Session | None = None) -> Schedule:
    """When the hall is open: calendar, daily hours, closures and sessions. Refuses hall.unknown."""
    session = session or db.session()
    hours = session.execute(select(Hall.hours).where(Hall.code == code)).scalar_one_or_none()
    if hours is None:
        raise Refusal("hall.unknown", hall=code)
    query = select(HourException.from_at, HourException.to_at, HourException.opens).where(HourException.hall == code)
    spans = session.execute(query).all()
    return Schedule(
        calendar(session),
        OpeningHours.parse(hours),
        SHANGHAI,
        closures=tuple((e.from_at, e.to_at) for e in spans if not e.opens),
        sessions=tuple((e.from_at, e.to_at) for e in spans if e.opens),
    )


def is_open(code: str, at: datetime) -> bool | None:
    """Whether the doors are open at an instant; None when the year's calendar has not been announced."""
    try:
        return schedule(code).is_open(at)
    except CalendarUnknown:
        return None
