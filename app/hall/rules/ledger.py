"""The ledger of a deadline: every day from receipt to the end, whether it counted, and why (K9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from app.hall.rules.calendar import CalendarUnknown, in_english
from app.hall.rules.clock import MINUTE, Limit, Pause, Run, Unit
from app.hall.rules.hours import ONE_DAY, Schedule, aware, days

EXCEPTIONS = {"closure": ("临时闭厅", "exceptional closure"), "session": ("延时服务", "voluntary session")}
UNANNOUNCED = ("unknown", "日历尚未公布", "calendar not yet announced")


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
    why_name_en: str
    counted: int
    total: int
    limit: int
    paused: bool
    exception: str
    start: bool
    due: bool

    def to_dict(self) -> dict[str, Any]:
        """The row as plain JSON values."""
        return {**vars(self), "date": self.date.isoformat()}


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
    run = Run.of(start_at, limit, pauses, schedule, receipt_next_day)
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
        working, why, name, name_en, exception = _why(day, limit.unit, schedule)
        blind = working is None and (run.due.provisional or limit.unit in (Unit.WD, Unit.WH))
        if not blind:
            span += run.counts(day, until)
        total = span // (ONE_DAY if limit.unit.in_days else MINUTE)
        rows.append(
            LedgerRow(
                date=day,
                weekday=day.isoweekday(),
                working=working,
                why=why,
                why_name=name,
                why_name_en=name_en,
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


def _why(day: date, unit: Unit, schedule: Schedule) -> tuple[bool | None, str, str, str, str]:
    """(working, code, Chinese, English, exception) of a row: the hall's exception explains hours, never days."""
    try:
        code, name = schedule.calendar.reason(day)
        exception = schedule.exception(day)
    except CalendarUnknown:
        return None, *UNANNOUNCED, ""
    working = schedule.is_working(day)
    if exception and unit is Unit.WH:
        return working, exception, *EXCEPTIONS[exception], exception
    return working, code, name, in_english(code, name), exception
