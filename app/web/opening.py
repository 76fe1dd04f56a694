"""Whether a hall's doors are open, as far as its calendar can say; pages claim nothing beyond."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.hall.queries import schedule
from app.hall.rules.calendar import CalendarUnknown
from app.now import local_day


def open_now(hall: str, at: datetime) -> bool | None:
    """Whether the doors are open at `at`; None in a year whose calendar has not been announced."""
    try:
        return schedule(hall).is_open(at)
    except CalendarUnknown:
        return None


def too_late(hall: str, at: datetime, wait_high_s: int | None) -> bool:
    """Whether who comes at `at` might still be waiting at the close (Q11); False where nothing is known."""
    if wait_high_s is None or not open_now(hall, at):
        return False
    return at + timedelta(seconds=wait_high_s) > schedule(hall).close_of_business(local_day(at))
