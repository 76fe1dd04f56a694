"""The supervisor's reports 统计报表: a day, week or month by department, hall, clerk or item; for screen, sheet and print."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext

from app.casework import reports
from app.casework.rules.tally import Period, Span
from app.events import Actor
from app.notices import report as paper
from app.now import local, local_day, now
from app.people.gate import requires
from app.people.permissions import Permission
from app.web import report_words as words
from app.web import sheets, wording
from app.web.desk import hall_at_desk, hall_choices, staff_with
from app.web.forms import limited

pages = Blueprint("reports", __name__, url_prefix="/supervisor")

ALL = "all"  # the choice of all halls, for staff of the network
YEARS = range(1990, 2101)
EXPORTS = "60/minute"


def span_asked(at: datetime) -> Span:
    """The period that the address names; this month where it names none, or none that could be."""
    wish = request.args.get("period", "")
    period = Period(wish) if wish in set(Period) else Period.MONTH
    try:
        day = date.fromisoformat(request.args.get("on", ""))
    except ValueError:
        day = local_day(at)
    return Span.holding(period, day if day.year in YEARS else local_day(at))


def side_asked(actor: Actor) -> str:
    """By what the rows are counted; halls only for who has several."""
    wish = request.args.get("side", "")
    return wish if wish in reports.SIDES and (wish != "hall" or actor.hall is None) else "department"


def hall_asked(actor: Actor) -> dict[str, Any] | None:
    """The hall reported on; None for all of them, which staff of the network may ask for."""
    return None if actor.hall is None and request.args.get("hall") == ALL else hall_at_desk(actor)


def _made() -> tuple[Actor, dict[str, Any] | None, Span, dict[str, Any]]:
    actor, at = staff_with(Permission.HALL_WATCH), now()
    hall, span = hall_asked(actor), span_asked(at)
    code = hall["code"] if hall else None
    return actor, hall, span, reports.report(hall=code, span=span, side=side_asked(actor), at=at)


@pages.get("/reports")
@requires(Permission.HALL_WATCH)
def desk() -> str:
    """The report of a period with its charts; every figure leads to its cases."""
    actor, hall, span, report = _made()
    before, after = span.before(), span.after()
    return render_template(
        "supervisor/reports.html",
        hall=hall,
        halls=hall_choices(actor),
        all=ALL,
        report=report,
        before=reports.totals(report["hall"], before),
        earlier=before.first.isoformat(),
        later=after.first.isoformat() if after.first <= local_day(now()) else None,
        today=local_day(now()).isoformat(),
        periods=list(Period),
        sides={code: name for code, name in words.SIDES.items() if code != "hall" or actor.hall is None},
        words=words,
        chart=_chart(report),
        address={"period": span.period.value, "on": span.first.isoformat(), "side": report["side"]}
        | {"hall": hall["code"] if hall else ALL},
        may_open=actor.may(Permission.CASE_READ),
    )


def _chart(report: dict[str, Any]) -> dict[str, Any]:
    """The days for the chart, which says what its table says."""
    return {
        "days": [row["day"][5:] for row in report["days"]],
        "series": [
            {"name": str(words.FIGURES[name]), "values": [row[name] for row in report["days"]]}
            for name in ("received", "decided")
        ],
    }


@pages.get("/reports.csv")
@requires(Permission.HALL_WATCH)
def as_csv() -> Response:
    """The table as CSV."""
    _actor, _hall, _span, report = _made()
    limited(EXPORTS)
    head, rows = words.sheet(report)
    return _file(sheets.csv_of(head, rows), sheets.CSV_TYPE, report, "csv")


@pages.get("/reports.xlsx")
@requires(Permission.HALL_WATCH)
def as_xlsx() -> Response:
    """The same table as XLSX."""
    _actor, hall, _span, report = _made()
    limited(EXPORTS)
    head, rows = words.sheet(report)
    title = f"{_title(hall)} {words.period_words(report)}"
    made_at = local(datetime.fromisoformat(report["made_at"]))
    return _file(sheets.xlsx_of(title, head, rows, made_at=made_at, sums=True), sheets.XLSX_TYPE, report, "xlsx")


@pages.get("/reports.pdf")
@requires(Permission.HALL_WATCH)
def as_pdf() -> Response:
    """The report as an official paper, with charts."""
    _actor, hall, span, report = _made()
    limited(EXPORTS)
    printed = words.printed(report, reports.totals(report["hall"], span.before()), hall)
    return _file(paper.render(printed), "application/pdf", report, "pdf")


def _title(hall: dict[str, Any] | None) -> str:
    return wording.named(hall) if hall else gettext("全网政务服务大厅")


def _file(content: bytes, kind: str, report: dict[str, Any], ending: str) -> Response:
    name = f"report-{report['hall'] or ALL}-{report['from']}-{report['to']}.{ending}"
    answer = Response(content, content_type=kind)
    inline = "inline" if ending == "pdf" else "attachment"
    answer.headers["Content-Disposition"] = f'{inline}; filename="{name}"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
