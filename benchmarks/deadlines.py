"""Deadlines per second, pure, against numpy.busday_offset on the same work where both can express it.

numpy knows weeks and holidays but no make-up days, so it is given every day of the week as worked and every single day
off, weekends included, as a holiday: then both name the same day, which is checked for every start. Its speed is that of
a whole array at once; asked one at a time, as a case is, it is measured too. Opening hours, pauses, the close of
business, natural days that give way, years without a calendar and the ledger of days have no word in numpy.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from app.hall import holidays
from app.hall.rules.clock import Limit, Pause, Unit, reckon
from app.hall.rules.hours import OpeningHours, Schedule
from app.hall.rules.ledger import explain
from app.now import SHANGHAI
from benchmarks.tables import keep, median, show

STARTS = 2_000
ROUNDS = 5
FIRST, LAST = date(2025, 1, 2), date(2026, 8, 1)  # so that the longest limit still ends in an announced year
LIMITS = (5, 20, 83)


def per_second(work: Callable[[], Any], count: int) -> float:
    """How many of `count` pieces of work go into a second: the median of some rounds."""
    spans = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        spans.append(time.perf_counter() - began)
    return count / median(spans)


def days_off(first: date, last: date) -> list[date]:
    """Every day that is not worked, weekends included, from `first` to `last`."""
    calendar = holidays.read()
    days = (first + timedelta(n) for n in range((last - first).days + 1))
    return [day for day in days if not calendar.is_working(day)]


def main() -> dict[str, Any]:
    """Print the table and keep it."""
    rng = random.Random(20260311)
    schedule = Schedule(holidays.read(), OpeningHours.parse("08:30-12:00 13:30-18:00"), SHANGHAI)
    reach = (LAST - FIRST).days
    starts = [
        datetime.combine(FIRST, datetime.min.time(), SHANGHAI)
        + timedelta(days=rng.randrange(reach), minutes=rng.randrange(24 * 60))
        for _ in range(STARTS)
    ]
    years = schedule.calendar.years
    free = days_off(date(min(years), 1, 1), date(max(years), 12, 31))
    busy = np.busdaycalendar(weekmask="1111111", holidays=np.array(free, dtype="datetime64[D]"))
    rows, result = [], {}
    for amount in LIMITS:
        figures = _one_limit(amount, starts, schedule, busy)
        ours = figures["day"]
        rows += [
            [f"{amount} WD: the day (WorkCalendar.nth_worked)", ours, 1.0],
            [f"{amount} WD: the deadline (reckon)", figures["reckon"], figures["reckon"] / ours],
            [f"{amount} WD: numpy, one at a time", figures["numpy_one"], figures["numpy_one"] / ours],
            [f"{amount} WD: numpy, {STARTS:,} at once", figures["numpy_array"], figures["numpy_array"] / ours],
        ]
        result[f"{amount}_wd"] = figures
    show("Deadlines a second (the day on which a limit in working days ends)", ["", "a second", "ratio"], rows)
    alone = _ours_alone(starts, schedule)
    show(
        "What numpy cannot express",
        ["", "a second"],
        [
            ["20 WD with two pauses, and how much is used", alone["paused"]],
            ["7 WH, lunch and nights left out", alone["hours"]],
            ["ledger of 20 WD, a row for each day", alone["ledger"]],
        ],
    )
    print(
        "  numpy: weekmask 1111111 with every day off as a holiday; no hours, no pauses, no close of business, no ledger"
    )
    result["ours_alone"] = alone
    keep("deadlines", result)
    return result


def _one_limit(
    amount: int, starts: Sequence[datetime], schedule: Schedule, busy: np.busdaycalendar
) -> dict[str, float]:
    limit = Limit(amount, Unit.WD)
    days = [start.date() for start in starts]
    on = np.array(days, dtype="datetime64[D]")

    def ours() -> list[date]:
        return [found.due_at.date() for start in starts if (found := reckon(start, limit, (), schedule)).due_at]

    def the_day() -> list[date]:
        return [schedule.calendar.nth_worked(day, amount) for day in days]

    def theirs() -> Any:
        return np.busday_offset(on, amount, roll="preceding", busdaycal=busy)

    def one_at_a_time() -> None:
        for day in on:
            np.busday_offset(day, amount, roll="preceding", busdaycal=busy)

    assert ours() == the_day() == theirs().tolist(), "they disagree about a day"
    return {
        "day": per_second(the_day, len(starts)),
        "reckon": per_second(ours, len(starts)),
        "numpy_one": per_second(one_at_a_time, len(starts)),
        "numpy_array": per_second(theirs, len(starts)),
    }


def _ours_alone(starts: Sequence[datetime], schedule: Schedule) -> dict[str, float]:
    some = starts[:500]

    def pauses(start: datetime) -> list[Pause]:
        day = timedelta(days=1)
        return [Pause(start + 2 * day, start + 9 * day), Pause(start + 12 * day, start + 15 * day)]

    long, short = Limit(20, Unit.WD), Limit(7, Unit.WH)
    works = {
        "paused": lambda: [reckon(s, long, pauses(s), schedule, at=s + timedelta(days=20)) for s in some],
        "hours": lambda: [reckon(s, short, (), schedule) for s in some],
        "ledger": lambda: [explain(s, long, (), schedule) for s in some],
    }
    return {name: per_second(work, len(some)) for name, work in works.items()}


if __name__ == "__main__":
    main()
