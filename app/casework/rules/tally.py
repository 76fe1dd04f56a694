"""How a report's numbers are made of counts: periods, rates, averages and percentiles."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class Period(StrEnum):
    """What a report covers."""

    DAY = "day"  # 日
    WEEK = "week"  # 周: Monday to Sunday
    MONTH = "month"  # 月


@dataclass(frozen=True, slots=True)
class Span:
    """Local days from `first` to `last`, both included."""

    period: Period
    first: date
    last: date

    @classmethod
    def holding(cls, period: Period, day: date) -> Span:
        """The day, week or month that holds `day`."""
        if period is Period.DAY:
            return cls(period, day, day)
        if period is Period.WEEK:
            monday = day - timedelta(days=day.weekday())
            return cls(period, monday, monday + timedelta(days=6))
        first = day.replace(day=1)
        return cls(period, first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1))

    def days(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]

    def instants(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """From inclusive, until exclusive, in the hall's zone."""
        begin, end = (
            datetime(d.year, d.month, d.day, tzinfo=zone) for d in (self.first, self.last + timedelta(days=1))
        )
        return begin, end

    def before(self) -> Span:
        """The period just before: last month and the like."""
        return Span.holding(self.period, self.first - timedelta(days=1))

    def after(self) -> Span:
        return Span.holding(self.period, self.last + timedelta(days=1))


def rate(part: int, whole: int) -> float | None:
    """`part` of `whole` in percent with one decimal, rounded half up; None of nothing.

    All of a whole alone is 100: 1999 of 2000 are 99.9.
    """
    if not whole:
        return None
    tenths = (2000 * part + whole) // (2 * whole)
    return min(tenths, 999) / 10 if part < whole else 100.0


@dataclass(frozen=True, slots=True)
class Took:
    """`count` cases of one limit that took `used`; sizes in days, or minutes of limits in hours.

    `statutory` is None where that limit is counted in another unit.
    """

    unit: str
    promised: int
    statutory: int | None
    used: int
    count: int


@dataclass(frozen=True, slots=True)
class Pace:
    """Promised, statutory and actual time of some decided cases, in one unit: days, or minutes for hours."""

    unit: str
    count: int
    promised: float
    statutory: float | None
    average: float
    p50: int
    p90: int


def paces(took: Iterable[Took]) -> list[Pace]:
    """One pace a unit, most cases first: a day is never a number of hours, so units do not mix.

    Percentiles are nearest ranks: the smallest time within which at least so many of the cases were decided.
    """
    by_unit: dict[str, list[Took]] = {}
    for row in took:
        by_unit.setdefault(row.unit, []).append(row)
    found = []
    for unit, rows in by_unit.items():
        count = sum(row.count for row in rows)
        lawful = [row for row in rows if row.statutory is not None]
        found.append(
            Pace(
                unit=unit,
                count=count,
                promised=sum(row.promised * row.count for row in rows) / count,
                statutory=(
                    sum((row.statutory or 0) * row.count for row in lawful) / sum(row.count for row in lawful)
                    if lawful
                    else None
                ),
                average=sum(row.used * row.count for row in rows) / count,
                p50=percentile(rows, 50),
                p90=percentile(rows, 90),
            )
        )
    return sorted(found, key=lambda pace: (-pace.count, pace.unit))


def percentile(rows: Iterable[Took], percent: int) -> int:
    """The smallest used time that at least `percent` of the cases did not exceed. Needs one case."""
    ordered = sorted(rows, key=lambda row: row.used)
    needed = sum(row.count for row in ordered) * percent
    reached = 0
    for row in ordered:
        reached += row.count * 100
        if reached >= needed:
            return row.used
    raise ValueError("no case has no percentile")
