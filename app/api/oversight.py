"""Supervision: urging and answering, public reasons, and the reports."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import g
from marshmallow import fields, validate

from app.api.case_shapes import CasePage
from app.api.cases import CASE, STEP
from app.api.noun import Noun
from app.api.reading import watched_hall
from app.api.schemas import HallPageQuery, Named, OfDepartment, OfHall, Shape, Text, asked, dated, instant, maybe, said
from app.api.steps import Steps
from app.casework import oversight, reports, watch
from app.casework.rules.tally import Period, Span
from app.now import local_day, now
from app.people.gate import requires
from app.people.permissions import Permission

noun = Noun("oversight", "Supervision: urging, public reasons, reports")
step = Steps(noun, CASE, f"{STEP} case.reason_required")


class UrgeNote(Shape):
    note = Text(limit=500, load_default="", metadata={"description": "Required; kept sealed with the case"})


class UrgeAnswer(Shape):
    answer = Text(limit=500, load_default="", metadata={"description": "Required; kept sealed with the case"})


class OverdueReason(Shape):
    reason = Text(limit=500, load_default="", metadata={"description": "Required; everybody may read it"})
    estimate_on = Text(
        limit=10,
        load_default=None,
        allow_none=True,
        metadata={"format": "date", "description": "By when it is expected, not before today"},
    )


step(
    "urge",
    oversight.urge_case,
    Permission.CASE_OVERRIDE,
    says="Urge the owner of a case; an answer is due by the end of the next working day.",
    takes=UrgeNote,
    refuses="case.urge_open",
)
step(
    "answer-urge",
    oversight.answer_urge,
    Permission.CASE_DECIDE,
    says="Answer an urging for a department that has the case; a decision is no answer.",
    takes=UrgeAnswer,
    refuses="case.urge_none auth.foreign_department",
)
step(
    "explain-overdue",
    oversight.explain_overdue,
    Permission.CASE_DECIDE,
    says="Say publicly why a case is late, or was decided late; a paper that names nobody is issued.",
    takes=OverdueReason,
    refuses="case.not_overdue auth.foreign_department",
)


# ── reports ─────────────────────────────────────────────────────────────────────────────────────────────────────


class PeriodQuery(OfHall):
    """The day, week (from Monday) or month that holds `on`; today by default."""

    period = Text(limit=10, load_default=Period.MONTH.value, validate=validate.OneOf([str(p) for p in Period]))
    on = fields.Date(load_default=None, validate=validate.Range(date(1990, 1, 1), date(2100, 12, 31)))
    side = Text(limit=20, load_default="department", validate=validate.OneOf(reports.SIDES))


class OpenQuery(OfHall):
    side = Text(limit=20, load_default="department", validate=validate.OneOf(watch.SIDES))


class ForecastQuery(OfHall):
    days = asked(1, 30, watch.DAYS_AHEAD)


class PaceLine(Shape):
    """Times of decided cases in one `unit`: days (WD, ND) or minutes (WH, NH). Percentiles are nearest ranks."""

    unit = said()
    count = fields.Integer(required=True)
    promised = fields.Float(required=True)
    statutory = maybe(fields.Float)
    average = fields.Float(required=True)
    p50 = fields.Integer(required=True)
    p90 = fields.Integer(required=True)


class ReportLine(Named):
    """One row of a report. Rates are in percent, null of nothing."""

    key = said()
    received = fields.Integer(required=True)
    not_accepted = fields.Integer(required=True)
    withdrawn = fields.Integer(required=True)
    deemed = fields.Integer(required=True)
    tolerant = fields.Integer(required=True)
    second_notice = fields.Integer(required=True)
    instant = fields.Integer(required=True)
    converted = fields.Integer(required=True)
    decided = fields.Integer(required=True)
    granted = fields.Integer(required=True)
    refused = fields.Integer(required=True)
    in_time = fields.Integer(required=True)
    late = fields.Integer(required=True)
    late_statutory = fields.Integer(required=True)
    late_unexplained = fields.Integer(required=True)
    extended = fields.Integer(required=True)
    special = fields.Integer(required=True)
    promised_stops = fields.Integer(required=True)
    in_time_rate = maybe(fields.Float)
    conversion_rate = maybe(fields.Float)
    pace = fields.List(fields.Nested(PaceLine), required=True)


class ReportDay(Shape):
    day = dated()
    received = fields.Integer(required=True)
    decided = fields.Integer(required=True)


class GroundLine(Shape):
    ground = said()
    clocks = said(metadata={"enum": ["both", "promised"]})
    count = fields.Integer(required=True)


class LateLine(OfDepartment):
    """A case past its limit, and of which departments; what the public was told.

    `due_at` is the end of the limit that was missed first. What is done at once ends when it is delivered.
    """

    number = said()
    item = said()
    item_en = said()
    light = said()
    due_at = instant(required=True)
    decided_at = instant(required=True)
    ended_at = maybe(instant)
    reason = maybe()


class OpenLine(Named):
    """Open cases by light."""

    key = said()
    total = fields.Integer(required=True)
    green = fields.Integer(required=True)
    amber = fields.Integer(required=True)
    yellow = fields.Integer(required=True)
    red = fields.Integer(required=True)
    stopped = fields.Integer(required=True)


class ForecastDay(Shape):
    """How many cases turn yellow and how many red, after `from_at`, up to and with `until_at` if nobody acts."""

    day = dated()
    from_at = instant(required=True)
    until_at = instant(required=True)
    yellow = fields.Integer(required=True)
    red = fields.Integer(required=True)


class PeriodReport(Shape):
    """Cases received and cases decided in the period are counted apart, each by its own instant.

    `total` counts each case once; by department it counts under each that decides in it, by that one's own decision.
    """

    hall = maybe()
    period = said()
    first_on = dated(attribute="from")
    last_on = dated(attribute="to")
    side = said()
    made_at = instant(required=True)
    total = fields.Nested(ReportLine, required=True)
    rows = fields.List(fields.Nested(ReportLine), required=True)
    days = fields.List(fields.Nested(ReportDay), required=True)
    grounds = fields.List(fields.Nested(GroundLine), required=True)
    late = fields.List(fields.Nested(LateLine), required=True)
    late_more = fields.Boolean(required=True, metadata={"description": "More were late than are listed"})
    unexplained = fields.Integer(required=True, metadata={"description": "Late cases without a public reason by now"})
    forecast = fields.List(fields.Nested(ForecastDay), required=True)


class OpenReport(Shape):
    side = said()
    rows = fields.List(fields.Nested(OpenLine), required=True)


class Outlook(Shape):
    days = fields.List(fields.Nested(ForecastDay), required=True)


HALLS = "hall.unknown auth.foreign_hall"


@noun.get("/reports/period", refuses=HALLS)
@requires(Permission.HALL_WATCH)
@noun.arguments(PeriodQuery, location="query")
@noun.response(200, PeriodReport)
def read_report(given: dict[str, Any]) -> Any:
    """What came in and what was decided in a period, how fast, what was late and why; a row a department and so on."""
    at = now()
    span = Span.holding(Period(given["period"]), given["on"] or local_day(at))
    return reports.report(hall=watched_hall(g.actor, given.pop("hall")), span=span, side=given["side"], at=at)


@noun.get("/reports/open", refuses=HALLS)
@requires(Permission.HALL_WATCH)
@noun.arguments(OpenQuery, location="query")
@noun.response(200, OpenReport)
def read_open(given: dict[str, Any]) -> Any:
    """Open cases by light for each department, hall, clerk or stage, the worst first."""
    return {"side": given["side"], "rows": watch.lights_by(given["side"], watched_hall(g.actor, given.pop("hall")))}


@noun.get("/reports/forecast", refuses=HALLS)
@requires(Permission.HALL_WATCH)
@noun.arguments(ForecastQuery, location="query")
@noun.response(200, Outlook)
def read_forecast(given: dict[str, Any]) -> Any:
    """How many cases turn yellow or red today and on the next working days."""
    return {"days": watch.forecast(watched_hall(g.actor, given.pop("hall")), now(), given["days"])}


@noun.get("/reports/overdue", refuses=HALLS)
@requires(Permission.HALL_WATCH)
@noun.arguments(HallPageQuery, location="query")
@noun.response(200, CasePage)
def read_overdue(given: dict[str, Any]) -> Any:
    """Open late cases; those whose reason nobody has published stand on top."""
    return watch.open_cases(at=now(), hall=watched_hall(g.actor, given.pop("hall")), late=True, **given)
