"""The ladder of signals 预警逐级: who is told of a case, how long after, and never outside working hours (K8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.hall.rules.calendar import CalendarUnknown
from app.hall.rules.clock import Limit, Unit, reckon
from app.hall.rules.hours import Schedule
from app.hall.rules.lights import signal_at


class Level(StrEnum):
    """What a signal is about: a light, or something that waited too long."""

    AMBER = "amber"  # 预警
    YELLOW = "yellow"  # 黄牌
    RED = "red"  # 红牌
    STAGE = "stage"  # 环节超时
    PRE_REVIEW = "pre-review"  # 初审超时
    OVERRUN = "overrun"  # 特别程序超过告知的时间
    GAP = "gap"  # 容缺材料即将到期
    CHECK = "check"  # 事后核查到期
    DELIVERY = "delivery"  # 送达期限已到
    URGED = "urged"  # 督办
    UNANSWERED = "unanswered"  # 督办逾期未答复


class Rung(StrEnum):
    """Who is told, from below."""

    OWNER = "owner"  # 承办部门
    CHIEF = "chief"  # 首席代表
    SUPERVISOR = "supervisor"  # 督办员


@dataclass(frozen=True, slots=True)
class Telling:
    """One rung of one level, `after` working days after the first; it is told only while the level lasts."""

    rung: Rung
    after: int


_O, _C, _S = Rung.OWNER, Rung.CHIEF, Rung.SUPERVISOR

LADDER: dict[Level, tuple[Telling, ...]] = {
    Level.AMBER: (Telling(_O, 0),),
    Level.YELLOW: (Telling(_O, 0), Telling(_C, 0), Telling(_S, 1)),
    Level.RED: (Telling(_O, 0), Telling(_C, 0), Telling(_S, 0)),
    Level.STAGE: (Telling(_O, 0), Telling(_C, 1)),
    Level.PRE_REVIEW: (Telling(_O, 0), Telling(_C, 1)),
    Level.OVERRUN: (Telling(_O, 0), Telling(_C, 1), Telling(_S, 3)),
    Level.GAP: (Telling(_O, 0),),
    Level.CHECK: (Telling(_O, 0), Telling(_C, 1)),
    Level.DELIVERY: (Telling(_S, 0),),
    Level.URGED: (Telling(_O, 0),),
    Level.UNANSWERED: (Telling(_C, 0),),
}


def waits(level: Level, rung: Rung) -> int:
    """How many working days after the first rung this one is told."""
    return next(telling.after for telling in LADDER[level] if telling.rung is rung)


def tell_at(change_at: datetime, after: int, schedule: Schedule) -> datetime:
    """When a rung is told of what happened at `change_at`: with open doors, `after` working days after the first.

    The first rung hears of it then, or when the doors next open; a later one in the first open minute of the `after`-th
    working day after that. Past the last announced year, and where the doors do not open within a year, a signal by
    night is better than none: then it is the instant itself.
    """
    try:
        first = signal_at(change_at, schedule) or change_at
        if not after:
            return first
        day = reckon(first, Limit(after, Unit.WD), [], schedule).due_at
        if day is None:
            return change_at
        return signal_at(schedule.opening(day.astimezone(schedule.zone).date()), schedule) or change_at
    except CalendarUnknown:
        return change_at


@dataclass(frozen=True, slots=True)
class Now:
    """A case at the moment of telling, as far as signals ask."""

    light: str
    running: bool  # its clocks have not come to stand for good
    untaken: bool = False  # a department has not taken up its part
    below: bool = False  # its papers lie in a township that is to send them up
    stopped: bool = False  # a special procedure, a check or a wait for papers goes on
    gap: bool = False  # tolerated papers are still missing
    unchecked: bool = False  # decided on the applicant's word, which nobody has checked
    waiting: bool = False  # the result has not reached the applicant
    urged: bool = False  # an urging awaits its answer


def still_holds(level: Level, now: Now) -> bool:
    """Whether a signal planned earlier still says something true when its time has come."""
    match level:
        case Level.CHECK:
            return now.unchecked
        case Level.DELIVERY:
            return now.waiting
        case Level.GAP:  # a decision over it does not close it
            return now.gap
        case Level.URGED | Level.UNANSWERED:  # nor does one answer an urging
            return now.urged
    lasts = {
        Level.STAGE: now.untaken,
        Level.PRE_REVIEW: now.below,
        Level.OVERRUN: now.stopped,
    }
    return now.running and lasts.get(level, now.light == level)
