"""Time classes and limits: what an item may declare, and when a promise is no longer than the law's."""

from __future__ import annotations

from enum import StrEnum

from app.hall.rules.clock import Limit, Unit

SHORTEST_DAY_WH = 7
"""Opening hours of the shortest ordinary day of any hall. A working day is never "8 hours": hours are
compared with days by what the shortest day can hold, so that a promise in hours is kept in every hall."""

WEEK_WD = 5
REST_DAYS = 2


class TimeClass(StrEnum):
    """The class an item is declared to have. Classes overlap, so none is ever computed from elapsed time."""

    INSTANT = "instant"  # 即时办结
    HALF_DAY = "half_day"  # 半日办结
    ONE_DAY = "one_day"  # 一日办结
    MULTI_DAY = "multi_day"  # 多日办结

    @property
    def on_the_spot(self) -> bool:
        """Whether the promise is measured to delivery at the window (else to the decision)."""
        return self is not TimeClass.MULTI_DAY


PROMISED_WH: dict[TimeClass, tuple[int, int]] = {
    TimeClass.INSTANT: (1, 2),
    TimeClass.HALF_DAY: (2, 4),
    TimeClass.ONE_DAY: (2, 8),
}
"""Fewest and most working hours (both inclusive) that an item of the class may promise."""


def most_natural_days(limit: Limit) -> int:
    """The most natural days after the start day that a limit lasts in ordinary weeks, without holidays.

    Holidays lengthen every count of working days; they are the calendar's business, not the catalogue's.
    """
    match limit.unit:
        case Unit.ND:
            return limit.amount
        case Unit.NH:
            return -(-limit.amount // 24)
        case Unit.WH:
            working_days = -(-limit.amount // SHORTEST_DAY_WH)
        case Unit.WD:
            working_days = limit.amount
    return working_days + REST_DAYS * -(-working_days // WEEK_WD)


def not_longer(promised: Limit, statutory: Limit) -> bool:
    """Whether the promised limit ends no later than the statutory one: same start, ordinary weeks.

    Across units the doubtful case is refused: WH fit into n WD up to n shortest days; WD and WH fit into ND
    by the worst weekday to start on; nothing but WH fits into WH.
    """
    if promised.unit is statutory.unit:
        return promised.amount <= statutory.amount
    match statutory.unit:
        case Unit.WH:
            return False
        case Unit.WD if promised.unit is Unit.WH:
            return promised.amount <= statutory.amount * SHORTEST_DAY_WH
        case Unit.NH:  # a day ends with its evening, up to a day later than as many times 24 hours
            return (most_natural_days(promised) + 1) * 24 <= statutory.amount
    return most_natural_days(promised) <= statutory.amount


def limit_problems(time_class: TimeClass, promised: Limit, statutory: Limit) -> tuple[str, ...]:
    """Reason codes why these limits may not be published together; empty when they may.

    Instant, half-day and one-day items promise working hours within `PROMISED_WH`; multi-day items promise
    whole working or natural days.
    """
    found: list[str] = []
    if time_class is TimeClass.MULTI_DAY:
        if not promised.unit.in_days:
            found.append("promised.not_in_days")
    elif promised.unit is not Unit.WH:
        found.append("promised.not_in_working_hours")
    else:
        fewest, most = PROMISED_WH[time_class]
        if not fewest <= promised.amount <= most:
            found.append("promised.outside_class")
    if not not_longer(promised, statutory):
        found.append("promised.longer_than_statutory")
    return tuple(found)
