"""Whether a hall's doors are open, as far as its calendar can say; pages claim nothing beyond."""

from __future__ import annotations

from datetime import datetime

from app.hall.queries import schedule
from app.hall.rules.calendar import CalendarUnknown


def open_now(hall: str, at: datetime) -> bool | None:
    """Whether the doors are open at `at`; None in a year whose calendar has not been announced."""
    try:
        return schedule(hall).is_open(at)
    except CalendarUnknown:
        return None
