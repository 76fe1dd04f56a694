"""Appointments 预约 (DOMAIN Q10): their life, a hall's rules of them as data, its slots, who may book, who comes in time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from app.hall.rules.calendar import CalendarUnknown
from app.hall.rules.hours import Interval, Schedule, later


class AppointmentState(StrEnum):
    BOOKED = "booked"  # 已预约
    WAITLISTED = "waitlisted"  # 候补
    CHECKED_IN = "checked_in"  # 已报到
    CANCELLED = "cancelled"  # 已取消
    NO_SHOW = "no_show"  # 爽约
    EXPIRED = "expired"  # 候补未成


class AppointmentStep(StrEnum):
    CHECK_IN = "check_in"  # 报到
    CANCEL = "cancel"  # 取消
    PROMOTE = "promote"  # 候补递补
    MISS = "miss"  # 记爽约
    EXPIRE = "expire"  # 候补失效


_S, _T = AppointmentState, AppointmentStep

LIFE: Mapping[tuple[AppointmentState, AppointmentStep], AppointmentState] = MappingProxyType(
    {
        (_S.BOOKED, _T.CHECK_IN): _S.CHECKED_IN,
        (_S.BOOKED, _T.CANCEL): _S.CANCELLED,
        (_S.BOOKED, _T.MISS): _S.NO_SHOW,
        (_S.WAITLISTED, _T.PROMOTE): _S.BOOKED,
        (_S.WAITLISTED, _T.CANCEL): _S.CANCELLED,
        (_S.WAITLISTED, _T.EXPIRE): _S.EXPIRED,
        (_S.NO_SHOW, _T.CHECK_IN): _S.CHECKED_IN,  # given up too early: they came after all, the same day
    }
)

HOLDS = frozenset({_S.BOOKED, _S.CHECKED_IN, _S.NO_SHOW})  # these have a place of their slot
COUNTS = HOLDS | {_S.WAITLISTED}  # and these count for their person's limits


def next_state(state: AppointmentState, step: AppointmentStep) -> AppointmentState | None:
    """Where a step leads; None where it is not legal."""
    return LIFE.get((state, step))


def legal_steps(state: AppointmentState) -> frozenset[AppointmentStep]:
    """What may be done in a state."""
    return frozenset(step for from_state, step in LIFE if from_state is state)


# ── the rules of a hall ─────────────────────────────────────────────────────────────────────────────────────────

# what a hall may set: least and most, both included
BOUNDS: Mapping[str, tuple[int, int]] = {
    "slot_min": (5, 240),
    "capacity": (0, 200),
    "days_ahead": (0, 60),
    "lead_min": (0, 1440),
    "early_min": (0, 120),
    "late_min": (0, 120),
    "per_day": (1, 20),
    "per_week": (1, 50),
    "per_month": (1, 100),
    "misses": (0, 20),
    "block_months": (1, 24),
    "waiting": (0, 100),
}
_QUEUE = re.compile(r"[A-Za-z0-9_-]{1,40}", re.ASCII)


class RulesInvalid(ValueError):
    """The data say something that no hall may say; `field` names where, as in `by_queue.A`."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


FAMILY = 3  # people who may share a phone


@dataclass(frozen=True, slots=True)
class Rules:
    """When and how often people may book. Minutes and people; days, weeks (from Monday) and months are the calendar's.

    The defaults are those of Q10 [H].
    """

    open: bool = True  # the hall takes appointments at all
    slot_min: int = 30
    capacity: int = 4  # people a slot and queue; 0: this queue takes none
    by_queue: Mapping[str, int] = field(default_factory=dict)  # where it is another
    days_ahead: int = 7  # after today
    lead_min: int = 30  # booking, and moving up from the waiting list, end so long before the slot begins
    early_min: int = 15  # checking in begins so long before the slot does
    late_min: int = 10  # and keeps the appointment's place so long after
    per_day: int = 1
    per_week: int = 2
    per_month: int = 6
    misses: int = 2  # of one month that block booking; 0: never
    block_months: int = 3
    waiting: int = 5  # places of a full slot's waiting list

    def of_phone(self) -> Rules:
        """The same for a phone, which a family may share."""
        limits = {name: FAMILY * getattr(self, name) for name in ("per_day", "per_week", "per_month", "misses")}
        return replace(self, **limits)

    def capacity_of(self, queue: str) -> int:
        """How many people of this queue may come to one slot."""
        return self.by_queue.get(queue, self.capacity) if self.open else 0


def read_rules(data: Mapping[str, Any]) -> Rules:
    """The rules from plain data; what is left out is the default. Raises RulesInvalid."""
    if not isinstance(data, Mapping):
        raise RulesInvalid("rules")
    unknown = sorted(set(data) - {each.name for each in fields(Rules)})
    if unknown:
        raise RulesInvalid(str(unknown[0]))
    given = dict(data)
    if not isinstance(given.get("open", True), bool):
        raise RulesInvalid("open")
    for name, bounds in BOUNDS.items():
        if name in given and not _within(given[name], bounds):
            raise RulesInvalid(name)
    by_queue = given.get("by_queue", {})
    if not isinstance(by_queue, Mapping):
        raise RulesInvalid("by_queue")
    for queue, capacity in by_queue.items():
        if not isinstance(queue, str) or not _QUEUE.fullmatch(queue) or not _within(capacity, BOUNDS["capacity"]):
            raise RulesInvalid(f"by_queue.{queue}")
    rules = Rules(**{**given, "by_queue": dict(sorted(by_queue.items()))})
    for lesser, greater in (("per_day", "per_week"), ("per_week", "per_month")):
        if getattr(rules, lesser) > getattr(rules, greater):
            raise RulesInvalid(greater)
    return rules


def _within(value: Any, bounds: tuple[int, int]) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and bounds[0] <= value <= bounds[1]


def write_rules(rules: Rules) -> dict[str, Any]:
    """The rules whole, as plain data that `read_rules` takes."""
    return {each.name: getattr(rules, each.name) for each in fields(Rules)} | {"by_queue": dict(rules.by_queue)}


# ── slots ───────────────────────────────────────────────────────────────────────────────────────────────────────


def slots(day: date, schedule: Schedule, rules: Rules) -> tuple[Interval, ...]:
    """The slots [begin, end) of a day, in order: whole ones within each opening interval, counted from its begin.

    None on days off, in the lunch break and in exceptional closures; none in a year whose calendar has not been
    announced, since nothing may be promised there (K7).
    """
    if not rules.open:
        return ()
    try:
        doors = schedule.open_intervals(day)
    except CalendarUnknown:
        return ()
    length, found = timedelta(minutes=rules.slot_min), []
    for begin, end in doors:
        while (over := later(begin, length)) <= end:
            found.append((begin, over))
            begin = over
    return tuple(found)


def slot_at(at: datetime, among: Iterable[Interval]) -> Interval | None:
    """The slot that holds the instant, as it does after other rules have moved the slots."""
    return next((slot for slot in among if slot[0] <= at < slot[1]), None)


def closes_at(slot: datetime, rules: Rules) -> datetime:
    """Until when, itself excluded, a slot can be booked and its waiting list moves up."""
    return later(slot, -timedelta(minutes=rules.lead_min))


# ── who may book ────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Past:
    """An appointment of a person, in any hall and queue: its day, and what became of it."""

    day: date
    state: AppointmentState


@dataclass(frozen=True, slots=True)
class No:
    """Why a person may not book: the code of a refusal, and its facts."""

    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def may_book(history: Sequence[Past], day: date, rules: Rules, today: date) -> No | None:
    """Whether a person may book for `day`, asking on `today`: None, or the first reason against it.

    What was cancelled, or waited for in vain, does not count. A week is that of its Monday, a month the calendar's.
    """
    until = blocked_until(history, rules)
    if until is not None and today < until:
        return No("appointment.blocked", {"until": until.isoformat(), "misses": rules.misses})
    taken = [past.day for past in history if past.state in COUNTS]
    for code, most, same in (
        ("appointment.limit_day", rules.per_day, lambda other: other == day),
        ("appointment.limit_week", rules.per_week, lambda other: other.isocalendar()[:2] == day.isocalendar()[:2]),
        ("appointment.limit_month", rules.per_month, lambda other: (other.year, other.month) == (day.year, day.month)),
    ):
        if sum(map(same, taken)) >= most:
            return No(code, {"most": most})
    return None


def blocked_until(history: Iterable[Past], rules: Rules) -> date | None:
    """The first day on which a person may book again after too many misses of one calendar month; None without such.

    The block runs `block_months` from the last miss of that month.
    """
    if not rules.misses:
        return None
    missed: dict[tuple[int, int], list[date]] = {}
    for past in history:
        if past.state is AppointmentState.NO_SHOW:
            missed.setdefault((past.day.year, past.day.month), []).append(past.day)
    ends = [months_after(max(days), rules.block_months) for days in missed.values() if len(days) >= rules.misses]
    return max(ends, default=None)


def months_after(day: date, months: int) -> date:
    """The same day so many months later; the last of that month where it has no such day (民法典 §202)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    first_of_next = date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    return min(date(year, month + 1, 1) + timedelta(days=day.day - 1), first_of_next - timedelta(days=1))


# ── who comes in time ───────────────────────────────────────────────────────────────────────────────────────────


class Arrival(StrEnum):
    EARLY = "early"  # 未到报到时间
    ON_TIME = "on_time"  # 准时
    LATE = "late"  # 迟到，转普通号


def check_in(slot: datetime, at: datetime, rules: Rules) -> Arrival:
    """Whether one who comes at `at` is in time for the slot: from `early_min` before to `late_min` after, both included."""
    if at < later(slot, -timedelta(minutes=rules.early_min)):
        return Arrival.EARLY
    return Arrival.ON_TIME if at <= later(slot, timedelta(minutes=rules.late_min)) else Arrival.LATE
