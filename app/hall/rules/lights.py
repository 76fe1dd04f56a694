"""The lights of a case: green, amber, yellow card, red card or stopped, and when the light changes next."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum

from app.hall.rules.calendar import CalendarUnknown
from app.hall.rules.clock import FARTHEST, DeadlineTooFar, Reckoning, Unit
from app.hall.rules.hours import ONE_DAY, Schedule, aware, elapsed, later

SHORTEST_WARNING = timedelta(minutes=15)


class Light(StrEnum):
    """What a case shows to those who answer for it."""

    green = "green"  # 正常
    amber = "amber"  # 预警
    yellow = "yellow"  # 黄牌: the promised limit is passed
    red = "red"  # 红牌: the statutory limit is passed
    stopped = "stopped"  # 停钟


def light(promised: Reckoning | None, statutory: Reckoning | None, schedule: Schedule, at: datetime) -> Light:
    """The light at `at` of a case still open, from its two clocks; None for a clock that the item has not.

    Red once the statutory limit is passed, else yellow once the promised one is; a stop takes no card back.
    Else amber while a running clock has at most min(1 WD, ⅓ of the limit) left (hours: ⅓, at least 15
    minutes). Else stopped while the promised clock (the statutory one, if there is no other) stands still.
    Else green, also for a provisional limit: it has no date that could come near. A limit is passed from
    its due instant on.
    """
    return _shown(promised, statutory, _warnings(promised, statutory, schedule), aware(at, "at"))


def next_light_at(
    promised: Reckoning | None, statutory: Reckoning | None, schedule: Schedule, at: datetime
) -> datetime | None:
    """The first instant after `at` at which `light` changes if nothing else happens, or None."""
    warnings = _warnings(promised, statutory, schedule)
    shown = _shown(promised, statutory, warnings, aware(at, "at"))
    ends = [clock.due_at for clock in (promised, statutory) if clock is not None and clock.due_at is not None]
    for instant in sorted(instant for instant in {*ends, *warnings} if instant > at):
        if _shown(promised, statutory, warnings, instant) is not shown:
            return instant.astimezone(schedule.zone)
    return None


def _warnings(promised: Reckoning | None, statutory: Reckoning | None, schedule: Schedule) -> list[datetime]:
    """From when each clock that has a date warns."""
    instants = (warning_at(clock, schedule) for clock in (promised, statutory) if clock is not None)
    return [instant for instant in instants if instant is not None]


def _shown(promised: Reckoning | None, statutory: Reckoning | None, warnings: list[datetime], at: datetime) -> Light:
    if statutory is not None and statutory.passed_by(at):
        return Light.red
    if promised is not None and promised.passed_by(at):
        return Light.yellow
    if any(warned_at <= at for warned_at in warnings):
        return Light.amber
    first = promised or statutory
    return Light.stopped if first is not None and first.stopped else Light.green


def signal_at(change_at: datetime, schedule: Schedule) -> datetime | None:
    """When people may be told of a light that changed at `change_at`: then, or when the doors next open.

    None if they do not open within a year. Raises CalendarUnknown past the last announced year.
    """
    return schedule.next_open(change_at)


def warning_at(clock: Reckoning, schedule: Schedule) -> datetime | None:
    """The instant from which a clock warns; None while it has no date.

    WD and ND: the opening of the first day with no more than min(1 WD, ⅓ of the limit) left after it. That
    is the working day before the due day (ND: or later, if that is over ⅓), and under three days the due
    day itself.
    WH and NH: the exact instant from which no more than ⅓ of the limit, at least 15 minutes, is left to run.
    """
    if clock.due_at is None:
        return None
    due_at = clock.due_at.astimezone(schedule.zone)
    amount, unit = clock.limit.amount, clock.limit.unit
    if unit.in_days:
        due_on = _day_ending(due_at)
        if amount < 3:
            return schedule.opening(due_on)
        eve = _working_day_before(due_on, schedule)
        return schedule.opening(eve if unit is Unit.WD else max(eve, due_on - amount // 3 * ONE_DAY))
    left = max(timedelta(hours=amount) / 3, SHORTEST_WARNING)
    return later(due_at, -left) if unit is Unit.NH else _open_time_before(due_at, left, schedule)


def _working_day_before(day: date, schedule: Schedule) -> date:
    """The last day before `day` not known to be free: natural days may have begun in an unknown year."""
    day -= ONE_DAY
    try:
        while not schedule.is_working(day):
            day -= ONE_DAY
    except CalendarUnknown:
        pass
    return day


def _open_time_before(due_at: datetime, left: timedelta, schedule: Schedule) -> datetime:
    """The earliest instant from which only `left` of opening time remains until `due_at`."""
    due_on = _day_ending(due_at)
    for back in range(FARTHEST.days):
        for begin, end in reversed(schedule.open_intervals(due_on - back * ONE_DAY)):
            end = min(end, due_at)
            if begin >= end:
                continue
            if elapsed(begin, end) > left:
                return later(end, -left)
            left -= elapsed(begin, end)
    raise DeadlineTooFar(f"no opening time within three years before {due_at}")


def _day_ending(due_at: datetime) -> date:
    """The local day that `due_at` ends: a close of business at midnight belongs to the day before."""
    return (due_at - timedelta(microseconds=1)).date()
