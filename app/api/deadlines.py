"""Deadlines: when a limit would end, worked out for anyone, with every day that counted."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from marshmallow import fields

from app.api.case_shapes import LedgerLine
from app.api.noun import Noun
from app.api.reading import known_hall
from app.api.schemas import Shape, Text, instant, listed, maybe, said
from app.errors import Refusal
from app.hall import queries as hall_queries
from app.hall.rules.calendar import CalendarUnknown
from app.hall.rules.clock import DeadlineTooFar, Limit, Pause, Unit, reckon
from app.hall.rules.hours import Interval, OpeningHours, Schedule
from app.hall.rules.ledger import explain
from app.now import SHANGHAI, iso
from app.people.gate import public

noun = Noun("deadlines", "The working-time clock")

YEARS = range(1990, 2101)
MOST_INTERVALS = 12  # of one day's opening hours
DEFAULT_HALL = "luolong"


class When(fields.Field):
    """An instant: RFC 3339, or hall time (Asia/Shanghai) without an offset. Refuses deadline.invalid."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> datetime:
        try:
            at = datetime.fromisoformat(value)
            if at.year in YEARS:
                return at if at.tzinfo else at.replace(tzinfo=SHANGHAI)
        except (TypeError, ValueError):
            pass
        raise Refusal("deadline.invalid", detail=f"{attr}: not a time of {YEARS[0]}–{YEARS[-1]}")


def when(**more: Any) -> When:
    return When(metadata={"type": "string", "format": "date-time"}, **more)


class Span(Shape):
    from_ = when(data_key="from", attribute="from", required=True)
    to = when(required=True)


class OpenSpan(Shape):
    """A pause without `to` lasts still."""

    from_ = when(data_key="from", attribute="from", required=True)
    to = when(allow_none=True, load_default=None)


class Question(Shape):
    """`hours` stand in for those of `hall`, which is the main hall by default.

    `restarted_at`: the supplement came in then, and its regime counts the whole limit anew from there (政府信息公开).
    """

    start = when(required=True)
    limit = fields.Raw(
        required=True,
        metadata={"oneOf": [{"type": "integer", "minimum": 1}, {"$ref": "#/components/schemas/Limit"}]},
    )
    unit = fields.Raw(
        load_default=None,
        metadata={"enum": [*(unit.value for unit in Unit), None], "description": "Unless `limit` has one"},
    )
    hall = Text(limit=40, allow_none=True, load_default=None)
    hours = fields.Raw(
        load_default=None,
        allow_none=True,
        metadata={
            "type": "array",
            "maxItems": MOST_INTERVALS,
            "items": {"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "string"}},
            "examples": [[["08:30", "12:00"], ["13:30", "18:00"]]],
        },
    )
    pauses = listed(fields.Nested(OpenSpan), allow_none=True, load_default=None)
    closed = listed(fields.Nested(Span), allow_none=True, load_default=None)
    sessions = listed(fields.Nested(Span), allow_none=True, load_default=None)
    at = when(allow_none=True, load_default=None)
    receipt_next_day = fields.Boolean(
        load_default=False, metadata={"description": "With the doors shut, received when the next working day opens"}
    )
    restarted_at = when(allow_none=True, load_default=None)


class Reckoned(Shape):
    """`remaining` at `at`, else at the start or where the clock stopped; in `remaining_unit`."""

    due_at = instant(required=True, allow_none=True)
    provisional = fields.Boolean(
        required=True, metadata={"description": "The calendar of a year needed is not announced"}
    )
    stopped = fields.Boolean(required=True)
    used = fields.Integer(required=True)
    remaining = fields.Integer(required=True)
    remaining_unit = said(metadata={"enum": ["day", "minute"]})
    hall = maybe()
    calendar = said(metadata={"description": "Version of the calendar"})
    ledger = fields.List(fields.Nested(LedgerLine), required=True)


@noun.post("/deadlines/preview", refuses="deadline.invalid hall.unknown", acts=False, limited="spans")
@public
@noun.arguments(Question)
@noun.response(200, Reckoned)
def preview_deadline(given: dict[str, Any]) -> Any:
    """When a limit would end, and the ledger of days that shows why. Changes nothing."""
    try:
        limit = _limit(given)
        schedule = _schedule(given)
        pauses = [Pause(pause["from"], pause["to"]) for pause in given["pauses"] or ()]
        terms = {"at": given["at"], "receipt_next_day": given["receipt_next_day"]}
        start = given["restarted_at"] or given["start"]
        if start < given["start"]:
            raise ValueError("restarted_at lies before start")
        result = reckon(start, limit, pauses, schedule, **terms)
        ledger = explain(start, limit, pauses, schedule, **terms)
    except (ValueError, DeadlineTooFar, CalendarUnknown) as error:
        raise Refusal("deadline.invalid", detail=str(error)[:200]) from error
    return {
        "due_at": iso(result.due_at),
        "provisional": result.provisional,
        "stopped": result.stopped,
        "used": result.used,
        "remaining": result.remaining,
        "remaining_unit": "day" if limit.unit.in_days else "minute",
        "hall": _hall(given),
        "calendar": schedule.calendar.version,
        "ledger": [row.to_dict() for row in ledger],
    }


def _limit(given: dict[str, Any]) -> Limit:
    amount: Any = given["limit"]
    unit: Any = given["unit"]
    if isinstance(amount, dict):
        amount, unit = amount.get("amount"), amount.get("unit", unit)
    if not isinstance(unit, str) or unit not in set(Unit):
        raise ValueError("unit is WD, WH, ND or NH")
    return Limit(amount, Unit(unit))


def _hall(given: dict[str, Any]) -> str | None:
    return given["hall"] or (None if given["hours"] is not None else DEFAULT_HALL)


def _schedule(given: dict[str, Any]) -> Schedule:
    hall = _hall(given)
    base = hall_queries.schedule(known_hall(hall)) if hall else None
    calendar = base.calendar if base else hall_queries.calendar()
    if base and given["hours"] is None:
        hours, later = base.hours, base.later_hours
    else:
        hours, later = _hours(given["hours"]), ()
    closures = (*(base.closures if base else ()), *_spans(given["closed"]))
    sessions = (*(base.sessions if base else ()), *_spans(given["sessions"]))
    return Schedule(calendar, hours, SHANGHAI, closures, sessions, later)


def _hours(given: Any) -> OpeningHours:
    """Opening hours as lists of two texts, or as the text "08:30-12:00 13:30-18:00". Raises ValueError."""
    if isinstance(given, str):
        return OpeningHours.parse(given[:200])
    fits = isinstance(given, list) and len(given) <= MOST_INTERVALS
    if not fits or not all(isinstance(p, list) and len(p) == 2 and all(isinstance(t, str) for t in p) for p in given):
        raise ValueError(f"hours are at most {MOST_INTERVALS} pairs like ['08:30', '12:00']")
    return OpeningHours.parse(given)


def _spans(given: list[dict[str, Any]] | None) -> tuple[Interval, ...]:
    return tuple((span["from"], span["to"]) for span in given or ())
