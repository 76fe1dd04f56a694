"""Appointments in the hall: checking in at a kiosk or the guide desk, and the page of the day."""

from __future__ import annotations

import re
from datetime import date
from itertools import groupby
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from app.errors import Refusal
from app.now import iso, local_day, now
from app.people.gate import requires
from app.people.permissions import Permission
from app.queueing.appointment_queries import appointments_of, offers, rules_of
from app.queueing.appointments import cancel, miss
from app.queueing.arriving import arrive, arrive_with
from app.queueing.queries import queues_of_hall
from app.web import wording
from app.web.desk import hall_at_desk, hall_choices, staff_with
from app.web.forms import limited, new_key, once, settings
from app.web.kiosk import hall_here, kiosk_actor, page

pages = Blueprint("appointments", __name__)

_TOKEN = re.compile(r"(?:^|/)([\w-]{20,40})/?(?:[?#].*)?$", re.ASCII)
_ID_CARD = re.compile(r"\d{17}[\dX]", re.ASCII)
ENDED = {"cancelled", "expired"}


def read_code(code: str) -> dict[str, str]:
    """What was scanned or typed: the address of an appointment's QR code, its token alone, or an ID number."""
    code = code.strip()[:300]
    if _ID_CARD.fullmatch(code.upper()):
        return {"id_number": code}
    token = _TOKEN.search(code)
    return {"token": token[1]} if token else {"id_number": code}


# ── at a kiosk ──────────────────────────────────────────────────────────────────────────────────────────────────


@pages.get("/kiosk/appointments")
@requires(Permission.TICKET_ISSUE)
def kiosk() -> str:
    """Hold the QR code or the ID card before the reader, or type the number."""
    return _kiosk_page()


def _kiosk_page(error: str = "") -> str:
    hall = hall_here()
    return page("appointment.html", hall=hall, rules=rules_of(hall["code"]), key=new_key(), error=error)


@pages.post("/kiosk/appointments")
@requires(Permission.TICKET_ISSUE)
def kiosk_check_in() -> tuple[str, int] | AnyResponse:
    """Check in; the number is the next page."""
    actor, hall = kiosk_actor(), hall_here()["code"]
    try:
        limited(settings().ticket_limit, actor.ref)
        with once(actor):
            ticket = arrive(hall, actor, now(), **read_code(request.form.get("code", "")))
    except Refusal as refusal:
        if not refusal.code.startswith(("appointment.", "person.", "queue.", "request.too_many")):
            raise
        return _kiosk_page(wording.told(refusal)), refusal.status
    again = None if ticket["created"] else 1
    return redirect(url_for("kiosk.ticket", token=ticket["token"], again=again), code=303)


# ── the day ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pages.get("/appointments")
@requires(Permission.TICKET_ISSUE, Permission.HALL_WATCH)
def day() -> str:
    """Who comes when, slot by slot; names and phones masked."""
    actor, at = staff_with(Permission.TICKET_ISSUE, Permission.HALL_WATCH), now()
    hall = hall_at_desk(actor)
    today = local_day(at)
    shown = _day(request.args.get("day")) or today
    rows = appointments_of(hall["code"], shown, at)
    names = {queue["code"]: queue for queue in queues_of_hall(hall["code"], at)}
    states = [row["state"] for row in rows]
    return render_template(
        "appointments/day.html",
        hall=hall,
        halls=hall_choices(actor),
        day=shown,
        today=today,
        slots=[(slot, list(group)) for slot, group in groupby(rows, key=lambda row: row["slot_at"])],
        counts={state: states.count(state) for state in ("booked", "checked_in", "waitlisted", "no_show")},
        total=sum(state not in ENDED for state in states),
        queues=names,
        offered=bool(offers(hall["code"])),
        rules=rules_of(hall["code"]),
        gives=actor.may(Permission.TICKET_ISSUE),
        ends=_may_end(),
        key=new_key(),
        at=iso(at),
    )


def _may_end() -> bool:
    return bool(g.actor.may(Permission.TICKET_ISSUE) or g.actor.may(Permission.WINDOW_MANAGE))


def _day(text: str | None) -> date | None:
    try:
        found = date.fromisoformat(text or "")
    except ValueError:
        return None
    return found if 1970 < found.year < 9000 else None


def _back(hall: dict[str, Any]) -> AnyResponse:
    chosen = None if g.actor.hall else hall["code"]
    return redirect(url_for("appointments.day", day=_day(request.form.get("day")), hall=chosen), code=303)


@pages.post("/appointments/check-in")
@requires(Permission.TICKET_ISSUE)
def check_in_code() -> AnyResponse:
    """Check in whoever stands at the desk, by the QR code or the ID number."""
    actor = staff_with(Permission.TICKET_ISSUE)
    hall = hall_at_desk(actor)
    return _arrived(hall, lambda: arrive(hall["code"], actor, now(), **read_code(request.form.get("code", ""))))


@pages.post("/appointments/<int:number>/check-in")
@requires(Permission.TICKET_ISSUE)
def check_in(number: int) -> AnyResponse:
    """The same by a row of the list."""
    actor = staff_with(Permission.TICKET_ISSUE)
    hall = hall_at_desk(actor)
    return _arrived(hall, lambda: arrive_with(hall["code"], actor, now(), number))


def _arrived(hall: dict[str, Any], do: Any) -> AnyResponse:
    try:
        with once(g.actor):
            ticket = do()
    except Refusal as refusal:
        return _refused(hall, refusal)
    if not ticket["created"]:
        said = gettext("已经报到，号码 %(number)s", number=ticket["number"])
    elif ticket["punctual"]:
        said = gettext("报到成功，预约号 %(number)s", number=ticket["number"])
    else:
        said = gettext("已过报到时间，给了普通号 %(number)s", number=ticket["number"])
    flash(said, "ok" if ticket["created"] else "info")
    return _back(hall)


def _refused(hall: dict[str, Any], refusal: Refusal) -> AnyResponse:
    if not refusal.code.startswith(("appointment.", "person.", "queue.")):
        raise refusal
    flash(wording.told(refusal), "error")
    return _back(hall)


@pages.post("/appointments/<int:number>/<any(cancel, miss):step>")
@requires(Permission.TICKET_ISSUE, Permission.WINDOW_MANAGE)
def end(number: int, step: str) -> AnyResponse:
    """Give it back for somebody who asks for it, or say that nobody came."""
    actor = staff_with(Permission.TICKET_ISSUE, Permission.WINDOW_MANAGE)
    hall = hall_at_desk(actor)
    act, said = (cancel, gettext("预约已取消")) if step == "cancel" else (miss, gettext("已记爽约"))
    try:
        with once(actor):
            act(hall=hall["code"], actor=actor, at=now(), appointment_id=number)
    except Refusal as refusal:
        return _refused(hall, refusal)
    flash(said, "ok")
    return _back(hall)
