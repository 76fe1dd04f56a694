"""The working-time clock: when a limit ends and how much of it is used. The days behind it are in `ledger`.

Everything here is a pure function of a case's history (start, limit, pauses) and of the hall's schedule. The
statutory and the promised clock are two calls with their own pauses. Instants come back in the hall's zone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cached_property

from app.hall.rules.calendar import CalendarUnknown, WorkCalendar
from app.hall.rules.hours import ONE_DAY, Interval, Schedule, aware, cut, days, elapsed, later

_Span = tuple[datetime, datetime | None]

FARTHEST = timedelta(days=3 * 366)  # no limit is followed further than this from its start
MINUTE = timedelta(minutes=1)


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
    run = Run.of(start_at, limit, pauses, schedule, receipt_next_day)
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


class _EveryDay:
    """Natural days, counted as a calendar counts working days; announced for ever."""

    def reach(self, day: date) -> date:
        return date.max

    def worked(self, after: date, until: date) -> int:
        return (until - after).days

    def nth_worked(self, after: date, number: int) -> date:
        return after + number * ONE_DAY


@dataclass(frozen=True)
class Due:
    """The end of a limit. `counted_on` is the day that used it up; `on`, the due day, may lie later."""

    at: datetime | None = None
    on: date | None = None
    counted_on: date | None = None
    provisional: bool = False


@dataclass(frozen=True)
class Run:
    """One clock: its effective start and its merged pauses in the hall's zone, and what follows from them.

    `known` is false when even the start lies in a year without a calendar. `stopped_at` is where the pause that is
    still open begins. Nothing is followed beyond `horizon`.
    """

    start: datetime
    limit: Limit
    pauses: tuple[_Span, ...]
    schedule: Schedule
    known: bool
    horizon: date
    stopped_at: datetime | None

    @classmethod
    def of(cls, start_at: datetime, limit: Limit, pauses: Sequence[Pause], schedule: Schedule, next_day: bool) -> Run:
        start, known = aware(start_at, "start").astimezone(schedule.zone), True
        if limit.amount > FARTHEST.days * (1 if limit.unit.in_days else 24):
            raise DeadlineTooFar(f"{limit} cannot end within three years")
        try:
            start = _received(start, schedule) if next_day else start
        except CalendarUnknown:
            known = False
        spans = _merged(pauses, schedule)
        stopped_at = spans[-1][0] if spans and spans[-1][1] is None else None
        return cls(start, limit, spans, schedule, known, start.date() + FARTHEST, stopped_at)

    @cached_property
    def due(self) -> Due:
        """The end of the limit. Raises DeadlineTooFar."""
        if not self.known:
            return Due(provisional=True)
        return self._days_end() if self.limit.unit.in_days else self._hours_end()

    def used(self, as_of: datetime) -> int:
        """What has been counted up to `as_of`, overdue time included: days with today's, or minutes."""
        first, last = self.start.date(), min(as_of.date(), self.horizon)
        if self.limit.unit.in_days:
            return self._days_used(first - ONE_DAY, last)
        span = timedelta(0)
        for day in days(first, last):
            try:
                span += self._hours_on(day, as_of)
            except CalendarUnknown:
                break
        return span // MINUTE

    def counts(self, day: date, as_of: datetime | None) -> timedelta:
        """What `day` alone counts until `as_of`. Raises CalendarUnknown where hours need a calendar."""
        if self.limit.unit.in_days:
            return self._days_used(day - ONE_DAY, day) * ONE_DAY
        return self._hours_on(day, as_of)

    def pause_touches(self, day: date) -> bool:
        """Whether a pause leaves out `day` (limits in days) or some minute of it (limits in hours)."""
        if self.limit.unit.in_days:
            return day > self.start.date() and not any(after < day <= until for after, until in self._stretches)
        begin, end = self.schedule.whole(day)
        begin = max(begin, self.start)
        return any(gone < end and (back is None or begin < back) for gone, back in self.pauses if begin < end)

    @cached_property
    def _stretches(self) -> list[tuple[date, date]]:
        """The days in which a limit in days runs, as spans (after, until]: after day 0, outside (P, R] of each pause."""
        stretches, after = [], self.start.date()
        for gone, back in self.pauses:
            if after < gone.date():
                stretches.append((after, min(gone.date(), self.horizon)))
            after = max(after, back.date() if back else self.horizon)
        return [*stretches, (after, self.horizon)] if after < self.horizon else stretches

    def _days_used(self, after: date, until: date) -> int:
        """How many days of (after, until] count, as far as calendars reach; none on the way to a due day that was moved."""
        used_up, on = self.due.counted_on, self.due.on
        if used_up is None:
            return self._running_days(after, until)
        overdue = self._running_days(max(after, on), until) if on else 0
        return self._running_days(after, min(until, used_up)) + overdue

    def _running_days(self, after: date, until: date) -> int:
        count = 0
        for begin, end in self._stretches:
            begin, end = max(begin, after), min(end, until)
            if begin < end:
                reach = self._counting.reach(begin)
                count += self._counting.worked(begin, min(end, reach))
                if reach < end:
                    break
        return count

    @property
    def _counting(self) -> WorkCalendar | _EveryDay:
        return _EveryDay() if self.limit.unit is Unit.ND else self.schedule.calendar

    def _days_end(self) -> Due:
        left = self.limit.amount
        for after, until in self._stretches:
            reach = self._counting.reach(after)
            ahead = self._counting.worked(after, min(until, reach))
            if left <= ahead:
                return self._settled(self._counting.nth_worked(after, left))
            if reach < until:
                return Due(provisional=True)
            left -= ahead
        return self._endless()

    def _settled(self, counted_on: date) -> Due:
        """The close that ends a limit used up on `counted_on`: of a working day, outside the pauses."""
        for day in days(counted_on, self.horizon):
            close = self.schedule.close_of_business(day)
            if self.stopped_at and self.stopped_at < close:
                return Due(counted_on=counted_on)
            try:
                if not self._stands_still_over(close) and self.schedule.is_working(day):
                    return Due(close, day, counted_on)
            except CalendarUnknown:
                return Due(counted_on=counted_on, provisional=True)
        return self._endless()

    def _stands_still_over(self, close: datetime) -> bool:
        """Whether `close` lies inside a pause of more than one day."""
        return any(back and gone < close < back and gone.date() < back.date() for gone, back in self.pauses)

    def _hours_end(self) -> Due:
        left = timedelta(hours=self.limit.amount)
        last = min(self.horizon, self.stopped_at.date()) if self.stopped_at else self.horizon
        for day in days(self.start.date(), last):
            try:
                pieces = self._pieces(day)
            except CalendarUnknown:
                return Due(provisional=True)
            for begin, end in pieces:
                if elapsed(begin, end) >= left:
                    return Due(later(begin, left), day, day)
                left -= elapsed(begin, end)
        return self._endless()

    def _hours_on(self, day: date, as_of: datetime | None) -> timedelta:
        pieces = [(begin, min(end, as_of or end)) for begin, end in self._pieces(day)]
        return sum((elapsed(begin, end) for begin, end in pieces if begin < end), timedelta(0))

    def _pieces(self, day: date) -> list[Interval]:
        """The parts of `day` in which hours run: from the start on, outside the pauses."""
        spans = (self.schedule.whole(day),) if self.limit.unit is Unit.NH else self.schedule.open_intervals(day)
        return cut([(max(begin, self.start), end) for begin, end in spans if self.start < end], self.pauses)

    def _endless(self) -> Due:
        """No end in sight: the clock stands still, or else it is a mistake."""
        if self.stopped_at is None or self.stopped_at.date() > self.horizon:
            raise DeadlineTooFar(f"{self.limit} from {self.start} does not end within three years")
        return Due()


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
    return schedule.opening(schedule.calendar.nth_worked(day, 1))
