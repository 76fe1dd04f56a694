"""The working-time clock: when a limit ends, how much of it is used, and the ledger of days that shows why.

Everything here is a pure function of a case's history (start, limit, pauses) and of the hall's schedule. The
statutory and the promised clock are two calls with their own pauses. Instants come back in the hall's zone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from app.hall.rules.calendar import CalendarUnknown
from app.hall.rules.hours import ONE_DAY, Interval, Schedule, aware, cut, days, elapsed, later

_Span = tuple[datetime, datetime | None]

FARTHEST = timedelta(days=3 * 366)  # no limit is followed further than this from its start
MINUTE = timedelta(minutes=1)
EXCEPTIONS = {"closure": "临时闭厅", "session": "延时服务"}
UNANNOUNCED = ("unknown", "日历尚未公布")


class DeadlineTooFar(Exception):
    """The limit does not end within three years of its start: a mistake in the data, not a deadline."""


class Unit(StrEnum):
    """What a limit is counted in."""

    WD = "WD"  # 工作日 working days
    WH = "WH"  # 工作小时 working hours
    ND = "ND"  # 自然日 natural days
    NH = "NH"  # 自然小时 natural hours

    @property
    def in_days(self) -> bool:
        return self in (Unit.WD, Unit.ND)


@dataclass(frozen=True)
class Limit:
    """So many units, at least one. A day is never a number of hours."""

    amount: int
    unit: Unit

    def __post_init__(self) -> None:
        object.__setattr__(self, "unit", Unit(self.unit))
        if isinstance(self.amount, bool) or not isinstance(self.amount, int) or self.amount < 1:
            raise ValueError(f"a limit is a whole number of at least 1, not {self.amount!r}")

    @property
    def size(self) -> int:
        """The limit as the ledger counts it: days for WD and ND, minutes for WH and NH."""
        return self.amount if self.unit.in_days else self.amount * 60


@dataclass(frozen=True)
class Pause:
    """A stop of the clock; `until_at` is None while it lasts. Refuses an end before the start."""

    from_at: datetime
    until_at: datetime | None

    def __post_init__(self) -> None:
        aware(self.from_at, "pause")
        if self.until_at is not None and aware(self.until_at, "pause") < self.from_at:
            raise ValueError(f"a pause from {self.from_at} cannot end at {self.until_at}")


@dataclass(frozen=True)
class Reckoning:
    """Where a limit stands; `used` and `remaining`, in days (WD, ND) or minutes (WH, NH), add up to it.

    `remaining` is negative once the limit is overdue. `due_at` is None while the clock is stopped, and when
    the limit runs into a year without a calendar (`provisional`): then no date may be printed. A clock that
    had run out before it was stopped keeps its `due_at`.
    """

    due_at: datetime | None
    provisional: bool
    stopped: bool
    limit: Limit
    used: int
    remaining: int

    def passed_by(self, at: datetime) -> bool:
        """Whether what is still open at `at` has missed the limit; done at `due_at` itself is in time."""
        at = aware(at, "at")
        return self.due_at is not None and at >= self.due_at


@dataclass(frozen=True)
class LedgerRow:
    """One local day of a limit: what it counted and why. `counted`, `total`, `limit` are days or minutes.

    `why` is the calendar's code (workday, weekend, holiday, makeup), or `unknown` without a calendar
    (`working` is None then), or, where working hours are counted, the hall's `exception` (closure, session)
    of that day. `paused`: a pause leaves out the day, or part of its hours. `start` marks day 0, `due` the
    last day.
    """

    date: date
    weekday: int  # 1 Monday … 7 Sunday
    working: bool | None
    why: str
    why_name: str
    counted: int
    total: int
    limit: int
    paused: bool
    exception: str
    start: bool
    due: bool

    def to_dict(self) -> dict[str, Any]:
        """The row as plain JSON values."""
        return {**asdict(self), "date": self.date.isoformat()}


def reckon(
    start_at: datetime,
    limit: Limit,
    pauses: Sequence[Pause],
    schedule: Schedule,
    *,
    at: datetime | None = None,
    receipt_next_day: bool = False,
) -> Reckoning:
    """When a limit that began at `start_at` ends, and how much of it is used at `at`.

    WD: the local start day is day 0, worked or not; the limit ends at the close of business of the n-th
    working day after it (行政许可法 §82; 民法典 §201, §203 by analogy). A pause leaves out the working days
    in (P, R], P and R being local days: a pause within one day costs nothing, overlaps count once.
    WH: runs from the exact instant through the real opening intervals [open, close), less the exact pauses;
    it may end at a close.
    ND: every day counts, pauses as for WD. A last day that is not worked gives way to the next working day
    (民法典 §203: 法定休假日结束的次日); the limit ends at its close of business, not at 24:00 (有业务时间的).
    NH: exact time on the wall clock, less the exact pauses; needs no calendar.

    A limit in days cannot end while its clock stands still: stopped on its very last day, before the close,
    and resumed on a later one, it ends at the first close of a working day not before the resumption.

    `at` None means the start, or the beginning of a pause that is still open. Overdue time counts on in the
    same way, as far as calendars and three years reach. `receipt_next_day`: what comes in with the doors
    shut, after the close or on a day not worked, is deemed received when the next working day opens.

    Raises ValueError for a naive instant, DeadlineTooFar for a limit that ends more than three years on.
    """
    run = _Run.of(start_at, limit, pauses, schedule, receipt_next_day)
    if at is not None:
        as_of = aware(at, "at").astimezone(schedule.zone)
    else:
        as_of = max(run.start, run.stopped_at) if run.stopped_at else run.start
    used = run.used(as_of)
    return Reckoning(
        due_at=run.due.at,
        provisional=run.due.provisional,
        stopped=run.stopped_at is not None,
        limit=limit,
        used=used,
        remaining=limit.size - used,
    )


def explain(
    start_at: datetime,
    limit: Limit,
    pauses: Sequence[Pause],
    schedule: Schedule,
    *,
    at: datetime | None = None,
    receipt_next_day: bool = False,
) -> list[LedgerRow]:
    """The ledger behind `reckon`: a row for each local day from receipt to the due day, or to `at` if later.

    Without a due day it ends where the clock stopped (or at `at`), or with the first day that no calendar
    covers. Hours are counted to the due instant, overdue ones to `at`; days to come are shown as they will
    count if nothing happens. Raises as `reckon` does.
    """
    run = _Run.of(start_at, limit, pauses, schedule, receipt_next_day)
    last = run.due.on or run.horizon
    if run.due.on is None and run.stopped_at is not None and not run.due.provisional:
        last = max(run.start, run.stopped_at).date()
    until = run.due.at
    if at is not None:
        at = aware(at, "at").astimezone(schedule.zone)
        last = max(last, min(run.horizon, at.date()))
        until = until and max(until, at)
    rows: list[LedgerRow] = []
    span, before = timedelta(0), 0
    for day in days(start_at.astimezone(schedule.zone).date(), last):
        working, why, name, exception = _why(day, limit.unit, schedule)
        blind = working is None and (run.due.provisional or limit.unit in (Unit.WD, Unit.WH))
        if not blind:
            span += run.counts(day, until)
        total = run.whole(span)
        rows.append(
            LedgerRow(
                date=day,
                weekday=day.isoweekday(),
                working=working,
                why=why,
                why_name=name,
                counted=total - before,
                total=total,
                limit=limit.size,
                paused=run.pause_touches(day),
                exception=exception,
                start=day == run.start.date(),
                due=day == run.due.on,
            )
        )
        if blind:
            break
        before = total
    return rows


def _why(day: date, unit: Unit, schedule: Schedule) -> tuple[bool | None, str, str, str]:
    """(working, code, Chinese name, exception) of a row: the hall's exception explains hours, never days."""
    try:
        code, name = schedule.calendar.reason(day)
        exception = schedule.exception(day)
    except CalendarUnknown:
        return None, *UNANNOUNCED, ""
    working = schedule.is_working(day)
    if exception and unit is Unit.WH:
        return working, exception, EXCEPTIONS[exception], exception
    return working, code, name, exception


@dataclass(frozen=True)
class _Due:
    """The end of a limit. `counted_on` is the day that used it up; `on`, the due day, may lie later."""

    at: datetime | None = None
    on: date | None = None
    counted_on: date | None = None
    provisional: bool = False


@dataclass(frozen=True)
class _Run:
    """One clock: its effective start, its merged pauses and its end, in the hall's zone."""

    start: datetime
    limit: Limit
    pauses: tuple[_Span, ...]
    schedule: Schedule
    due: _Due = _Due()

    @classmethod
    def of(cls, start_at: datetime, limit: Limit, pauses: Sequence[Pause], schedule: Schedule, next_day: bool) -> _Run:
        start = aware(start_at, "start").astimezone(schedule.zone)
        if limit.amount > FARTHEST.days * (1 if limit.unit.in_days else 24):
            raise DeadlineTooFar(f"{limit} cannot end within three years")
        spans = _merged(pauses, schedule)
        try:
            start = _received(start, schedule) if next_day else start
        except CalendarUnknown:
            return cls(start, limit, spans, schedule, _Due(provisional=True))
        run = cls(start, limit, spans, schedule)
        return replace(run, due=run._days_end() if limit.unit.in_days else run._hours_end())

    @property
    def horizon(self) -> date:
        return self.start.date() + FARTHEST

    @property
    def stopped_at(self) -> datetime | None:
        """Where the pause that is still open begins."""
        return self.pauses[-1][0] if self.pauses and self.pauses[-1][1] is None else None

    def used(self, as_of: datetime) -> int:
        """What has been counted up to `as_of`, overdue time included: days with today's, or minutes."""
        span = timedelta(0)
        for day in days(self.start.date(), min(as_of.date(), self.horizon)):
            try:
                span += self.counts(day, as_of)
            except CalendarUnknown:
                break
        return self.whole(span)

    def counts(self, day: date, as_of: datetime | None = None) -> timedelta:
        """What `day` counts until `as_of`; nothing on the way to a due day that was moved."""
        if not self.limit.unit.in_days:
            pieces = [(begin, min(end, as_of or end)) for begin, end in self._pieces(day)]
            return sum((elapsed(begin, end) for begin, end in pieces if begin < end), timedelta(0))
        used_up = self.due.counted_on is not None and day > self.due.counted_on
        if used_up and (self.due.on is None or day <= self.due.on):
            return timedelta(0)
        return ONE_DAY if self._is_counted(day) else timedelta(0)

    def whole(self, span: timedelta) -> int:
        return span // (ONE_DAY if self.limit.unit.in_days else MINUTE)

    def pause_touches(self, day: date) -> bool:
        """Whether a pause leaves out `day` (limits in days) or some minute of it (limits in hours)."""
        if self.limit.unit.in_days:
            return day > self.start.date() and self._is_left_out(day)
        begin, end = self.schedule.whole(day)
        begin = max(begin, self.start)
        return any(gone < end and (back is None or begin < back) for gone, back in self.pauses if begin < end)

    def _hours_end(self) -> _Due:
        left = timedelta(hours=self.limit.amount)
        for day in days(self.start.date(), self.horizon):
            if self.stopped_at is not None and day > self.stopped_at.date():
                return _Due()
            try:
                pieces = self._pieces(day)
            except CalendarUnknown:
                return _Due(provisional=True)
            for begin, end in pieces:
                if elapsed(begin, end) >= left:
                    return _Due(later(begin, left), day, day)
                left -= elapsed(begin, end)
        raise DeadlineTooFar(f"{self.limit} from {self.start} does not end within three years")

    def _pieces(self, day: date) -> list[Interval]:
        """The parts of `day` in which hours run: from the start on, outside the pauses."""
        natural = self.limit.unit is Unit.NH
        spans = (self.schedule.whole(day),) if natural else self.schedule.open_intervals(day)
        return cut([(max(begin, self.start), end) for begin, end in spans if self.start < end], self.pauses)

    def _days_end(self) -> _Due:
        counted = 0
        for day in days(self.start.date(), self.horizon):
            if self.stopped_at is not None and day > self.stopped_at.date():
                return _Due()
            try:
                counted += self._is_counted(day)
            except CalendarUnknown:
                return _Due(provisional=True)
            if counted == self.limit.amount:
                try:
                    return self._settled(day)
                except CalendarUnknown:
                    return _Due(counted_on=day, provisional=True)
        raise DeadlineTooFar(f"{self.limit} from {self.start} does not end within three years")

    def _settled(self, counted_on: date) -> _Due:
        """The close that ends a limit used up on `counted_on`: of a working day, outside the pauses."""
        for day in days(counted_on, self.horizon):
            close = self.schedule.close_of_business(day)
            if self.stopped_at is not None and self.stopped_at < close:
                return _Due(counted_on=counted_on)
            if not self._stands_still_over(close) and self.schedule.is_working(day):
                return _Due(close, day, counted_on)
        raise DeadlineTooFar(f"{self.limit} from {self.start} does not end within three years")

    def _stands_still_over(self, close: datetime) -> bool:
        """Whether `close` lies inside a pause of more than one day."""
        return any(back and gone < close < back and gone.date() < back.date() for gone, back in self.pauses)

    def _is_counted(self, day: date) -> bool:
        """Whether `day` uses up one day of the limit: after day 0, outside the pauses and, for WD, worked."""
        if day <= self.start.date() or self._is_left_out(day):
            return False
        return self.limit.unit is Unit.ND or self.schedule.is_working(day)

    def _is_left_out(self, day: date) -> bool:
        """Whether `day` lies in (P, R] of a pause, P and R being local days."""
        return any(gone.date() < day and (back is None or day <= back.date()) for gone, back in self.pauses)


def _merged(pauses: Sequence[Pause], schedule: Schedule) -> tuple[_Span, ...]:
    """The pauses in order as spans of the hall's zone, overlaps made one; only the last can be open."""
    spans: list[_Span] = []
    for pause in sorted(pauses, key=lambda pause: pause.from_at):
        gone = pause.from_at.astimezone(schedule.zone)
        back = pause.until_at and pause.until_at.astimezone(schedule.zone)
        last = spans[-1][1] if spans else gone
        if not spans or (last is not None and last < gone):
            spans.append((gone, back))
        elif last is not None and (back is None or last < back):
            spans[-1] = (spans[-1][0], back)
    return tuple(spans)


def _received(start: datetime, schedule: Schedule) -> datetime:
    """When what came in at `start` is deemed received under `receipt_next_day`. Raises CalendarUnknown."""
    day = start.date()
    if schedule.is_open(start) or (schedule.is_working(day) and start < schedule.close_of_business(day)):
        return start
    day += ONE_DAY
    while not schedule.is_working(day):
        day += ONE_DAY
    return schedule.opening(day)
