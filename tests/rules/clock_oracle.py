"""A second, slow clock to hold the first one to: it steps through days and minutes, and shares no code.

Everything is naive local time of a zone without offset changes; all instants lie on a grid of STEP minutes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

STEP = 10  # minutes: a third of an hour, and every opening of the tests, lie on this grid
TICK = timedelta(minutes=STEP)
DAY = timedelta(days=1)

OFF = {  # the notices' spans, written down by hand: first day, last day
    2025: "01-01 01-01, 01-28 02-04, 04-04 04-06, 05-01 05-05, 05-31 06-02, 10-01 10-08",
    2026: "01-01 01-03, 02-15 02-23, 04-04 04-06, 05-01 05-05, 06-19 06-21, 09-25 09-27, 10-01 10-07",
}
MADE_UP = {
    2025: "01-26 02-08 04-27 09-28 10-11",
    2026: "01-04 02-14 02-28 05-09 09-20 10-10",
}


def days_off(year: int) -> list[date]:
    """Every day that the notice of `year` frees."""
    result = []
    for span in OFF[year].split(", "):
        day, last = (date.fromisoformat(f"{year}-{part}") for part in span.split())
        while day <= last:
            result.append(day)
            day += DAY
    return result


def made_up(year: int) -> list[date]:
    """Every weekend day that the notice of `year` makes a working day."""
    return [date.fromisoformat(f"{year}-{part}") for part in MADE_UP[year].split()]


FREE = {day for year in OFF for day in days_off(year)}
EXTRA = {day for year in MADE_UP for day in made_up(year)}


def works(day: date) -> bool:
    """Whether `day` of 2025 or 2026 is a working day."""
    assert day.year in OFF, "the oracle knows no other year"
    return day in EXTRA or (day.weekday() < 5 and day not in FREE)


def within(now: Any, spans: Iterable[tuple[Any, Any]]) -> bool:
    """Whether `now` lies in one of the spans [from, until)."""
    for begin, end in spans:  # noqa: SIM110  # asked a million times: any() takes twice as long
        if begin <= now < end:
            return True
    return False


@dataclass
class Oracle:
    """One clock. `pauses` are (P, R or None); `hours`, `closures` and `sessions` are (from, until).

    From the day `new_from` on, `new_hours` hold.
    """

    start: datetime
    amount: int
    unit: str
    pauses: list[tuple[datetime, datetime | None]] = field(default_factory=list)
    hours: tuple[tuple[time, time], ...] = ((time(8, 30), time(12)), (time(13, 30), time(18)))
    closures: list[tuple[datetime, datetime]] = field(default_factory=list)
    sessions: list[tuple[datetime, datetime]] = field(default_factory=list)
    new_from: date = date.max
    new_hours: tuple[tuple[time, time], ...] = ()

    def due(self) -> datetime | None:
        """When the limit ends; None if the clock stands still for ever before that."""
        return self._day_due() if self.unit in ("WD", "ND") else self._minute_due()

    def used(self, at: datetime) -> int:
        """Days or minutes counted up to `at`."""
        if self.unit in ("WH", "NH"):
            ticks, now = 0, self.start
            while now < at:
                ticks += self._runs(now)
                now += TICK
            return ticks * STEP
        due, count, day = self.due(), 0, self.start.date() + DAY
        while day <= at.date():
            past_due = due is not None and day > due.date()
            count += self._counts(day) and (count < self.amount or past_due)
            day += DAY
        return count

    def open_at(self, now: datetime) -> bool:
        """Whether the doors are open in the tick that begins at `now`."""
        if within(now, self.closures):
            return False
        return within(now, self.sessions) or (within(now.time(), self.hours_on(now.date())) and works(now.date()))

    def hours_on(self, day: date) -> tuple[tuple[time, time], ...]:
        return self.new_hours if self.new_from <= day else self.hours

    def _runs(self, now: datetime) -> bool:
        for gone, back in self.pauses:
            if gone <= now and (back is None or now < back):
                return False
        return self.unit == "NH" or self.open_at(now)

    def _minute_due(self) -> datetime | None:
        left, now = self.amount * 60, self.start
        forever = min([gone for gone, back in self.pauses if back is None], default=None)
        while left:
            if forever is not None and now >= forever:
                return None
            left -= STEP * self._runs(now)
            now += TICK
        return now

    def _counts(self, day: date) -> bool:
        for gone, back in self.pauses:
            if gone.date() < day and (back is None or day <= back.date()):
                return False
        return self.unit == "ND" or works(day)

    def _close(self, day: date) -> datetime:
        return datetime.combine(day, self.hours_on(day)[-1][1])

    def _day_due(self) -> datetime | None:
        forever = min([gone for gone, back in self.pauses if back is None], default=None)
        count, day = 0, self.start.date()
        while count < self.amount:
            day += DAY
            if forever is not None and day > forever.date():
                return None
            count += self._counts(day)
        # used up: now the first close of a working day at which the clock runs, or stands for that day only
        while True:
            close = self._close(day)
            if forever is not None and forever < close:
                return None
            if works(day) and not self._stands_for_days(close):
                return close
            day += DAY

    def _stands_for_days(self, now: datetime) -> bool:
        """Whether the pauses that hang together around `now` begin and end on different days."""
        first = last = now
        for _ in self.pauses:
            for gone, back in self.pauses:
                if back and gone <= last and first <= back:
                    first, last = min(first, gone), max(last, back)
        return first < now < last and first.date() != last.date()
