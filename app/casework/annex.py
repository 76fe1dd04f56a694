"""The annex to a deadline: its ledger on paper, drawn from the record as it stands; no notice, so it has no number."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from app import privacy
from app.casework.cases import calendar_of, clocks_of, ended_at, open_field, stands, stops_of
from app.casework.models import Case, CaseStop
from app.casework.papers import limit_text
from app.casework.rules.clocks import CaseClocks, Clock, Standing, ledger
from app.db import db
from app.errors import Refusal
from app.hall.queries import hall as hall_of
from app.hall.rules.hours import Schedule
from app.notices.paper import render
from app.now import iso


def ledger_paper(hall: str, case_id: int, at: datetime, *, language: str = "zh") -> bytes:
    """Both ledgers of a case as PDF, the applicant masked. Refuses case.unknown, notice.unknown before a clock runs."""
    session = db.session()
    case = session.execute(select(Case).where(Case.hall == hall, Case.id == case_id)).scalar_one_or_none()
    if case is None:
        raise Refusal("case.unknown")
    ended = ended_at(case)
    moment = min(at, ended) if ended else at
    clocks, schedule = clocks_of(session, case), calendar_of(session, case)
    now = stands(session, case, moment, schedule)
    if clocks is None or now is None:
        raise Refusal("notice.unknown")
    place, stops = hall_of(hall), stops_of(session, hall, case_id)
    ledgers = [_ledger(clock, clocks, stops, schedule, now, moment) for clock in Clock]
    facts = {
        "number": case.number,
        "issued_at": iso(at),
        "hall_name": place["name"],
        "hall_address": place["address"],
        "hall_phone": place["phone"],
        "case_number": case.number,
        "acceptance_number": case.acceptance_number,
        "item_name": case.guide["name"],
        "item_code": case.item,
        "departments": case.guide["departments"],
        "applicant_name": privacy.mask_name(open_field(case, "applicant")["name"]),
        "received_at": iso(case.received_at),
        "accepted_at": iso(case.accepted_at),
        "ledgers": ledgers,
        "calendar": _calendar(schedule, clocks.promise_by if now.kept else None, ledgers),
        "hours": _hours_told(schedule, clocks.promise_by if now.kept else None, ledgers),
    }
    return render("ledger", {key: value for key, value in facts.items() if value is not None}, language=language)


def _ledger(
    clock: Clock, clocks: CaseClocks, stops: list[CaseStop], schedule: Schedule, now: Standing, at: datetime
) -> dict[str, Any]:
    limit, stand = clocks.limit(clock), now.of(clock)
    mine = stops if clock is Clock.PROMISED else [stop for stop in stops if stop.clocks == "both"]
    return {
        "clock": clock.value,
        "unit": limit.unit.value,
        "limit": limit_text({"amount": limit.amount, "unit": limit.unit}),
        "rows": [row.to_dict() for row in ledger(clocks, clock, schedule, at)],
        "due_at": iso(stand.due_at),
        "provisional": stand.provisional,
        "stopped": stand.stopped,
        "used": stand.used,
        "remaining": stand.remaining,
        "pauses": [{"from_at": iso(s.from_at), "until_at": iso(s.until_at), "ground": s.ground} for s in mine],
    }


def _hours_told(schedule: Schedule, printed: Schedule | None, ledgers: list[dict[str, Any]]) -> str:
    """The daily hours of the days in the ledgers, and those of a kept promise where they are others."""
    hours, kept = _hours(schedule, ledgers), printed and _hours(printed, ledgers[:1])
    return f"{hours}；承诺按 {kept}" if kept and kept != _hours(schedule, ledgers[:1]) else hours


def _hours(schedule: Schedule, ledgers: list[dict[str, Any]]) -> str:
    """The daily hours of the days in the ledgers, and from when others hold."""
    days = [date.fromisoformat(row["date"]) for ledger in ledgers for row in ledger["rows"]]
    first, last = min(days), max(days)
    changes = [(f"{day} → ", hours) for day, hours in schedule.later_hours if first < day <= last]
    return "；".join(
        since + "、".join(f"{begin}–{end}" for begin, end in hours.to_json())
        for since, hours in (("", schedule.hours_on(first)), *changes)
    )


def _calendar(schedule: Schedule, printed: Schedule | None, ledgers: list[dict[str, Any]]) -> str:
    """The version of the calendar, that of a kept promise, and the notices of the years that the ledgers pass through."""
    years = {int(row["date"][:4]) for ledger in ledgers for row in ledger["rows"]}
    notices = (notice for year, notice in schedule.calendar.source.items() if year in years)
    kept = [f"承诺按 {printed.calendar.version}"] if printed and printed.calendar != schedule.calendar else []
    return "；".join([schedule.calendar.version, *kept, *notices])
