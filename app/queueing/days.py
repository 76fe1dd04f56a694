"""A day of a hall: from midnight to midnight on its wall, if a hall can have had it."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from app.errors import Refusal
from app.now import SHANGHAI

FIRST, LAST = date(1990, 1, 1), date(2100, 12, 31)  # both included


def known(day: date) -> date:
    """The day itself. Refuses request.invalid when it lies outside of all years that a hall can ask for."""
    if not FIRST <= day <= LAST:
        raise Refusal("request.invalid", detail=f"day: {FIRST} – {LAST}")
    return day


def span(day: date) -> tuple[datetime, datetime]:
    """Its midnight, and the next one, excluded. Refuses request.invalid."""
    begin = datetime.combine(known(day), time.min, SHANGHAI)
    return begin, begin + timedelta(days=1)
