"""What a case waits for by itself: supplements, gaps, collection, checks, answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from app.hall.rules.calendar import CalendarUnknown
from app.hall.rules.clock import Limit, Unit, reckon
from app.hall.rules.hours import ONE_DAY, Schedule


class Alarm(StrEnum):
    """What a case waits for by itself; the timer looks only at the alarms that are due."""

    NOTICE = "notice"  # 一次性告知期限
    SUPPLEMENT = "supplement"  # 补正期限
    GAP = "gap"  # 容缺期限
    GAP_SOON = "gap-soon"  # 容缺提醒
    STOP = "stop"  # 特别程序所需时间已到
    STAGE = "stage"  # 领办期限
    PRE_REVIEW = "pre-review"  # 初审期限
    UNCLAIMED_3 = "unclaimed-3"  # 催领
    UNCLAIMED_7 = "unclaimed-7"  # 再次催领
    UNCLAIMED_10 = "unclaimed-10"  # 逾期未领
    DELIVERY = "delivery"  # 送达期限
    CHECK = "check"  # 事后核查期限
    URGE = "urge"  # 督办答复期限


TAKE_WITHIN = Limit(1, Unit.WD)
"""How soon a department takes up what reached it: by the close of the next working day."""

UNCLAIMED = {
    Alarm.UNCLAIMED_3: Limit(3, Unit.WD),
    Alarm.UNCLAIMED_7: Limit(7, Unit.WD),
    Alarm.UNCLAIMED_10: Limit(10, Unit.WD),
}
"""After how long a result that nobody collects makes itself heard (C13)."""

UNSIGNED = Limit(10, Unit.WD)
"""After how long a parcel that nobody signed for makes itself heard, where the time to deliver is over or has no limit."""


TOLD = frozenset({Alarm.SUPPLEMENT, Alarm.GAP})
"""Days that are printed for the applicant: once known they stand, whatever the calendar becomes (C14)."""

REMIND_WD = 2
"""So many working days before its day the applicant is reminded of a gap."""


def rings_at(from_at: datetime, within: Mapping[str, Any], schedule: Schedule) -> datetime | None:
    """When a limit from `from_at` has passed; None while its year is not announced.

    `within`: amount, unit, and `next_day` where a start outside opening hours counts from the next working day (K4).
    """
    limit = Limit(int(within["amount"]), Unit(within["unit"]))
    return reckon(from_at, limit, [], schedule, receipt_next_day=bool(within.get("next_day"))).due_at


def reminder_at(due_at: datetime, schedule: Schedule) -> datetime | None:
    """The opening of the second working day before the local day that ends at `due_at`; None in unannounced years."""
    due_on = (due_at.astimezone(schedule.zone) - timedelta(microseconds=1)).date()
    day = working_day_before(due_on, REMIND_WD, schedule)
    return schedule.opening(day) if day else None


def working_day_before(day: date, number: int, schedule: Schedule) -> date | None:
    """The `number`-th working day before `day`, which itself does not count; None in unannounced years."""
    try:
        for _ in range(number):
            day -= ONE_DAY
            while not schedule.is_working(day):
                day -= ONE_DAY
    except CalendarUnknown:
        return None
    return day
