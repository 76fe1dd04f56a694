"""The one wall clock of the house: everything else is handed its time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)


def local(at: datetime, zone: ZoneInfo = SHANGHAI) -> datetime:
    """The same instant on the wall of the hall. Refuses a naive datetime."""
    if at.tzinfo is None:
        raise ValueError("a naive datetime has no place on a wall")
    return at.astimezone(zone)


def local_day(at: datetime, zone: ZoneInfo = SHANGHAI) -> date:
    """The hall's calendar day that holds the instant."""
    return local(at, zone).date()


def due_day(at: datetime, zone: ZoneInfo = SHANGHAI) -> date:
    """The hall's calendar day on which a limit ends at the instant: midnight is the end of the day before."""
    return local_day(at - timedelta.resolution, zone)


def iso(at: datetime | None) -> str | None:
    """RFC 3339 with the hall's offset, as the API prints every time."""
    return None if at is None else local(at).isoformat(timespec="milliseconds")
