"""The supervisor's desk 督办: the hall at a glance, lights by department, the wallboard, the record, why a ticket was called."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext
from sqlalchemy import func, select
from werkzeug.wrappers import Response as AnyResponse

from app import eventlog
from app.casework import reports, watch
from app.casework.inbox import decided_since
from app.catalog.queries import department_en
from app.db import NETWORK, db
from app.errors import Refusal
from app.events import Actor
from app.hall.queries import halls
from app.hall.rules.lights import Light
from app.now import SHANGHAI, local_day, now
from app.people.gate import requires
from app.people.permissions import Permission
from app.queueing.models import Ticket
from app.queueing.queries import longest_wait_s, queues_of_hall, ticket_view, why_called, windows_of_hall
from app.queueing.rules.states import TicketState
from app.web import report_words, wording
from app.web.case_history import names_of
from app.web.desk import hall_at_desk, hall_choices, staff_with, whole
from app.web.record import told, who
from app.web.reports import ALL, hall_asked, side_asked, span_asked
from app.web.slips import find_today

pages = Blueprint("supervisor", __name__, url_prefix="/supervisor")

_ = lazy_gettext
# by what the lights of open cases are counted
SIDES: dict[str, Any] = {"department": _("部门"), "hall": _("大厅"), "clerk": _("收件人员"), "stage": _("环节")}

OVERDUE_SHOWN = 10
RECORD_SHOWN = 50


def board(hall: str, at: datetime, side: str = "department") -> dict[str, Any]:
    """What desk and wallboard show: queues, windows, today's figures, lights by a side, what is late or soon will be."""
    midnight = datetime.combine(local_day(at), datetime.min.time(), SHANGHAI)
    queues, longest, windows = queues_of_hall(hall, at), longest_wait_s(hall, at), windows_of_hall(hall)
    served = (
        select(func.count())
        .select_from(Ticket)
        .where(Ticket.hall == hall, Ticket.day == local_day(at), Ticket.state == TicketState.FINISHED)
    )
    of = None if side == "hall" else hall  # halls are compared with one another
    rows = [row | {"where": {"hall": hall, side: row["key"]}} for row in watch.lights_by(side, of)]
    whole_hall = next(iter(watch.lights_by("hall", hall)), {})
    late = watch.open_cases(at=at, hall=hall, late=True, per_page=OVERDUE_SHOWN)
    return {
        "at": at,
        "queues": [{**queue, "longest_s": longest.get(queue["code"])} for queue in queues],
        "windows": windows,
        "people": names_of({window["staff"] for window in windows if window["staff"]}),
        "waiting": sum(queue["waiting"] for queue in queues),
        "longest_s": max(longest.values(), default=None),
        "open": sum(window["state"] == "open" for window in windows),
        "paused": sum(window["state"] == "paused" for window in windows),
        "served": db.session.execute(served).scalar_one(),
        "cases": decided_since(hall, midnight),
        "side": side,
        "lights": rows,
        "totals": {light.value: whole_hall.get(light.value, 0) for light in Light},
        "overdue": late["items"],
        "overdue_total": late["total"],
        "unexplained": watch.unexplained(hall),
        "urges": watch.open_urges(hall=hall),
        "forecast": watch.forecast(hall, at),
    }


def _sides(actor: Actor) -> dict[str, Any]:
    """By what lights may be counted; halls only for who has several."""
    return {code: name for code, name in SIDES.items() if code != "hall" or actor.hall is None}


def _chart(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The same table for the chart: departments below one another, one series a light."""
    series = [
        {"light": light.value, "name": wording.light_word(light), "values": [row[light.value] for row in rows]}
        for light in Light
    ]
    return {"names": [_named(row) for row in rows], "series": series}


def _named(row: dict[str, Any]) -> str:
    """A row of lights by its name; a stage by its word."""
    return wording.word(row["key"], "case") if row["key"] in wording.WORDS["case"] else wording.named(row)


@pages.get("")
@requires(Permission.HALL_WATCH)
def desk() -> str:
    """The hall now; the part that changes is fetched again by itself."""
    actor = staff_with(Permission.HALL_WATCH)
    hall, sides = hall_at_desk(actor), _sides(actor)
    by = request.args.get("by", "")
    shown = board(hall["code"], now(), by if by in sides else "department")
    template = "supervisor/_now.html" if request.headers.get("X-Part") else "supervisor/desk.html"
    return render_template(
        template,
        hall=hall,
        halls=hall_choices(actor),
        board=shown,
        sides=sides,
        chart=_chart,
        name_of=_named,
        may_open=actor.may(Permission.CASE_READ),
        may_read=actor.may(Permission.EVENTS_READ),
    )


@pages.get("/wall")
@requires(Permission.HALL_WATCH)
def wall() -> str:
    """The same for a large screen on the wall: figures and numbers, nobody's name."""
    actor = staff_with(Permission.HALL_WATCH)
    hall = hall_at_desk(actor)
    template = "supervisor/_wall.html" if request.headers.get("X-Part") else "supervisor/wall.html"
    return render_template(template, hall=hall, board=board(hall["code"], now()))


@pages.get("/cases")
@requires(Permission.HALL_WATCH)
def cases() -> str:
    """The cases behind one figure: open ones of a department, clerk, stage, light or due day, or those of a report."""
    actor, at = staff_with(Permission.HALL_WATCH), now()
    asked = {name: request.args.get(name, "")[:60] for name in ("department", "clerk", "stage", "light")}
    page = whole(request.args.get("page"), 1, most=100_000)
    figure = request.args.get("figure", "")
    if figure in reports.FIGURES or figure in reports.STOPS:
        return _behind(actor, figure, page, at)
    hall = hall_at_desk(actor)
    chosen = {name: value or None for name, value in asked.items()}
    chosen["light"] = asked["light"] if asked["light"] in set(Light) else None
    overdue, silent = (request.args.get(name) == "1" for name in ("overdue", "silent"))
    due = _due(hall["code"], at)
    span: dict[str, Any] = {}
    if due:
        begin, end = (datetime.fromisoformat(due[name]) for name in ("from_at", "until_at"))
        span = {"due_on": begin, "due_until": end, "turning": due["turning"]}
    found = watch.open_cases(at=at, hall=hall["code"], **chosen, late=overdue, silent=silent, **span, page=page)
    return render_template(
        "supervisor/cases.html",
        hall=hall,
        halls=hall_choices(actor),
        found=found,
        asked=asked,
        departments=watch.lights_by("department", hall["code"]),
        lights=list(Light),
        overdue=overdue or silent,
        silent=silent,
        due=due,
        may_open=actor.may(Permission.CASE_READ),
    )


def _due(hall: str, at: datetime) -> dict[str, Any] | None:
    """The day of the forecast that the address names, or those from `due` to `until`; None for none."""
    rows = {row["day"]: row for row in watch.forecast(hall, at)}
    first = rows.get(request.args.get("due", ""))
    if first is None:
        return None
    last = rows.get(request.args.get("until", ""), first)
    turning = Light.red if request.args.get("turn") == Light.red else Light.yellow
    return {"day": first["day"], "from_at": first["from_at"], "until": last["day"], "until_at": last["until_at"]} | {
        "turning": turning
    }


def _behind(actor: Actor, figure: str, page: int, at: datetime) -> str:
    """The cases that a figure of a report counts."""
    hall, span, side = hall_asked(actor), span_asked(at), side_asked(actor)
    key = request.args.get("key", "")[:120]
    code = hall["code"] if hall else None
    found = reports.cases_behind(figure=figure, hall=code, span=span, side=side, key=key, at=at, page=page)
    report = {"period": span.period.value, "from": span.first.isoformat(), "to": span.last.isoformat(), "side": side}
    return render_template(
        "supervisor/behind.html",
        hall=hall,
        found=found,
        figure=report_words.FIGURES[figure],
        period=report_words.period_words(report),
        address={"period": report["period"], "on": report["from"], "side": side, "hall": code or ALL},
        key=_key_words(side, key, found["items"]),
        may_open=actor.may(Permission.CASE_READ),
    )


def _key_words(side: str, key: str, rows: list[dict[str, Any]]) -> str:
    """The row of a report in words: a department, hall or item by its name, a clerk by the account."""
    if side == "hall":
        return next((wording.named(row) for row in halls() if row["code"] == key), key)
    if side == "department" and wording.english():
        return department_en(key)
    return wording.named(rows[0]["item"]) if key and rows and side == "item" else key


# ── why a ticket was called ─────────────────────────────────────────────────────────────────────────────────────


@pages.get("/tickets")
@requires(Permission.HALL_WATCH)
def find_ticket() -> AnyResponse:
    """Go to the ticket of today whose number was typed."""
    hall = hall_at_desk(staff_with(Permission.HALL_WATCH))
    number = request.args.get("number", "").strip().upper()[:8]
    if not number or find_today(hall["code"], number) is None:
        shown = number if number.isascii() and number.isalnum() else ""
        flash(gettext("今天没有号票 %(number)s", number=shown) if shown else gettext("请输入号码，例如 A001"), "warn")
        return redirect(url_for("supervisor.desk", hall=hall["code"]))
    return redirect(url_for("supervisor.ticket", number=number, hall=hall["code"]))


@pages.get("/tickets/<number>")
@requires(Permission.HALL_WATCH)
def ticket(number: str) -> str:
    """One ticket of today and, for each of its calls, the reason in words (Q9)."""
    actor = staff_with(Permission.HALL_WATCH)
    hall = hall_at_desk(actor)
    ticket_id = find_today(hall["code"], number.upper()[:8])
    if ticket_id is None:
        raise Refusal("ticket.unknown")
    calls = why_called(hall["code"], ticket_id)
    view = ticket_view(hall["code"], ticket_id, now())
    return render_template("supervisor/ticket.html", hall=hall, ticket=view, calls=calls)


# ── the record ──────────────────────────────────────────────────────────────────────────────────────────────────


def _hall_of_record(actor: Actor) -> dict[str, Any]:
    """The hall whose record is read; staff of the whole network may also read the network's own."""
    if actor.hall is None and request.args.get("hall") == NETWORK:
        return {"code": NETWORK, "name": gettext("全网"), "name_en": gettext("全网")}
    return hall_at_desk(actor)


@pages.get("/record")
@requires(Permission.EVENTS_READ)
def record() -> str:
    """What happened in the hall, in its own order and in plain words; with `check`, whether all of it still holds."""
    actor = staff_with(Permission.EVENTS_READ)
    hall = _hall_of_record(actor)
    head = eventlog.heads().get(hall["code"], 0)
    latest = max(head - RECORD_SHOWN, 0)
    after = whole(request.args.get("after"), latest)
    rows = eventlog.read(hall["code"], after, RECORD_SHOWN)
    checked = request.args.get("check") == "1"
    choices = [] if actor.hall else [*halls(), {"code": NETWORK, "name": gettext("全网"), "name_en": gettext("全网")}]
    return render_template(
        "supervisor/record.html",
        hall=hall,
        halls=choices,
        rows=[
            {"seq": row.seq, "at": row.at, "who": who(row.actor), "kind": row.event.kind, "told": told(row.event)}
            for row in rows
        ],
        head=head,
        latest=latest,
        after=after,
        before=max(after - RECORD_SHOWN, 0),
        further=after + RECORD_SHOWN,
        checked=checked,
        broken_at=eventlog.verify(hall["code"]) if checked else None,
        watches=g.actor.may(Permission.HALL_WATCH),
    )
