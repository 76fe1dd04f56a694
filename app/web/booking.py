"""Booking for everybody: choose, see the free slots by day, give a name, hold the appointment on the phone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from app.catalog.queries import item as item_of
from app.catalog.queries import item_asked_for
from app.errors import Refusal
from app.events import CITIZEN, Actor
from app.hall.queries import hall as hall_of
from app.now import SHANGHAI, local, now
from app.people import gate
from app.people.gate import public
from app.people.permissions import Permission
from app.queueing.appointment_queries import (
    appointment_view,
    find_appointment,
    offers,
    rules_of,
    slots_by_day,
)
from app.queueing.appointments import book, cancel
from app.queueing.queries import queue_for, queues_of_hall
from app.web import times, wording
from app.web.forms import limited, new_key, once, settings
from app.web.kiosk import queue_icon

pages = Blueprint("booking", __name__)

FIELD_OF = {"person.bad_id": "id_number", "person.bad_phone": "phone"}


@pages.get("/halls/<code>/appointments")
@public
def choose(code: str) -> str:
    """What it is about; then the free slots of its queue, day by day."""
    hall, at = hall_of(code), now()
    rows = {row["code"]: row for row in queues_of_hall(code, at)}
    offered = [rows[queue] for queue in offers(code)]
    item, queue = _wanted(code, rows)
    if queue is None:
        return render_template(
            "booking/choose.html", hall=hall, queues=offered, rules=rules_of(code), queue_icon=queue_icon
        )
    days = slots_by_day(code, queue["code"], at)
    first = next((n for n, day in enumerate(days) if any(slot["free"] for slot in day["slots"])), None)
    return render_template(
        "booking/slots.html",
        hall=hall,
        queue=queue,
        item=item,
        offered=queue in offered,
        days=days,
        first=first,
        rules=rules_of(code),
        item_code=item["code"] if item else None,
        wall=_wall,
    )


def _wanted(code: str, rows: dict[str, dict[str, Any]]) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """The item and the queue that were chosen. Refuses item.unknown, queue.none_for_item, queue.unknown."""
    item = item_of(request.values["item"]) if request.values.get("item") else None
    wish = queue_for(code, item["zone"]) if item else request.values.get("queue", "")
    if not wish:
        return None, None
    if wish not in rows:
        raise Refusal("queue.unknown")
    return item, rows[wish]


def _wall(at: str) -> str:
    """A slot as it stands in an address: 2026-03-03T09:00 on the wall of the hall."""
    return f"{local(datetime.fromisoformat(at)):%Y-%m-%dT%H:%M}"


def _slot() -> datetime:
    try:
        at = datetime.fromisoformat(request.values.get("slot", ""))
    except ValueError:
        raise Refusal("appointment.closed") from None
    if at.tzinfo is not None or not 1970 < at.year < 9000:
        raise Refusal("appointment.closed")
    return at.replace(tzinfo=SHANGHAI)


@pages.get("/halls/<code>/appointments/new")
@public
def fill(code: str) -> str | AnyResponse:
    """Who comes: name, ID number, phone. Without a slot, first the choice of one."""
    if not request.args.get("slot"):
        return redirect(url_for("booking.choose", code=hall_of(code)["code"]))
    return _form(code)


def _form(code: str, error: str = "", field: str = "", full: bool = False) -> str:
    hall, at = hall_of(code), now()
    item, queue = _wanted(code, {row["code"]: row for row in queues_of_hall(code, at)})
    if queue is None:
        raise Refusal("queue.unknown")
    slot_at = _slot()
    day = slots_by_day(code, queue["code"], at, slot_at.date(), 1)
    slot = next(
        (each for row in day for each in row["slots"] if _wall(each["slot_at"]) == f"{slot_at:%Y-%m-%dT%H:%M}"), None
    )
    return render_template(
        "booking/form.html",
        hall=hall,
        queue=queue,
        item=item,
        slot_at=slot_at,
        slot=slot,
        wait=full or bool(slot and slot["state"] == "full"),
        rules=rules_of(code),
        key=new_key(),
        form=request.form,
        error=error,
        field=field,
        wall=_wall,
    )


@pages.post("/halls/<code>/appointments/new")
@public
def send(code: str) -> str | tuple[str, int] | AnyResponse:
    """Book it. Pressed twice it is booked once."""
    limited(settings().ticket_limit)
    form, (actor, channel) = request.form, _who(hall_of(code)["code"])
    item, queue = _wanted(code, {row["code"]: row for row in queues_of_hall(code, now())})
    try:
        with once(actor):
            made = book(
                hall=code,
                actor=actor,
                at=now(),
                queue=queue["code"] if queue else "",
                slot_at=_slot(),
                channel=channel,
                person={name: form.get(name, "") for name in ("name", "id_number", "phone")},
                item=item["code"] if item else None,
                wait=form.get("wait") == "1",
            )
    except Refusal as refusal:
        if not refusal.code.startswith(("appointment.", "person.", "text.")):
            raise
        field = FIELD_OF.get(refusal.code, "name" if refusal.code.startswith("text.") else "")
        page = _form(code, wording.told(refusal), field, full=refusal.code == "appointment.full")
        return page, refusal.status
    return redirect(url_for("booking.appointment", token=made["token"]), code=303)


def _who(hall: str) -> tuple[Actor, str]:
    """Staff of the guide desk who book for somebody; else whoever is at the page."""
    staff = gate.staff()
    if staff is not None and staff.may(Permission.TICKET_ISSUE) and staff.hall in (None, hall):
        return staff, "guide"
    return CITIZEN, "web"


# ── holding it ──────────────────────────────────────────────────────────────────────────────────────────────────


@pages.get("/a/<token>")
@public
def appointment(token: str) -> str:
    """The appointment on a phone. Whoever has its address holds it; the name on it is masked."""
    return _page(token)


def _page(token: str, error: str = "") -> str:
    at = now()
    hall, appointment_id = find_appointment(token)
    view = appointment_view(hall, appointment_id, at)
    return render_template(
        "booking/appointment.html",
        token=token,
        appointment=view,
        hall=hall_of(hall),
        item=item_asked_for(view["item"]),
        rules=rules_of(hall),
        url=_url(token),
        key=new_key(),
        error=error,
        at=at,
    )


def _url(token: str) -> str:
    return f"{settings().public_url}{url_for('booking.appointment', token=token)}"


@pages.post("/a/<token>/cancel")
@public
def give_back(token: str) -> str | tuple[str, int] | AnyResponse:
    """The holder gives it back."""
    limited(settings().ticket_limit)
    hall, appointment_id = find_appointment(token)
    try:
        with once(CITIZEN):
            cancel(hall=hall, actor=CITIZEN, at=now(), appointment_id=appointment_id)
    except Refusal as refusal:
        if not refusal.code.startswith("appointment."):
            raise
        return _page(token, wording.told(refusal)), refusal.status
    return redirect(url_for("booking.appointment", token=token), code=303)


@pages.get("/a/<token>/appointment.ics")
@public
def calendar(token: str) -> Response:
    """The appointment for a calendar (RFC 5545), with a reminder two hours before."""
    hall, appointment_id = find_appointment(token)
    view, home = appointment_view(hall, appointment_id, now()), hall_of(hall)
    if not view["live"]:
        raise Refusal("appointment.illegal_step", state=view["state"])
    item = item_asked_for(view["item"])
    what = wording.named(item) if item else wording.named(view, "queue_name")
    come = gettext(
        "请在 %(opens)s–%(late)s 到大厅报到，带好身份证。",
        opens=times.clock(view["opens_at"]),
        late=times.clock(view["late_at"]),
    )
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Yichuang//Appointments//ZH",
        "BEGIN:VEVENT",
        f"UID:{view['id']}@{request.host.split(':')[0]}",
        f"DTSTAMP:{_utc(view['made_at'])}",
        f"DTSTART:{_utc(view['slot_at'])}",
        f"DTEND:{_utc(view['ends_at'])}",
        f"SUMMARY:{_text(gettext('预约：%(what)s', what=what))}",
        f"LOCATION:{_text(' '.join(filter(None, (wording.named(home), home['address']))))}",
        f"DESCRIPTION:{_text(come)}\\n{_text(_url(token))}",
        f"URL:{_url(token)}",
        f"STATUS:{'CONFIRMED' if view['state'] == 'booked' else 'TENTATIVE'}",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        f"DESCRIPTION:{_text(gettext('预约：%(what)s', what=what))}",
        "TRIGGER:-PT2H",
        "END:VALARM",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    body = "".join(f"{_folded(line)}\r\n" for line in lines)
    answer = Response(body, mimetype="text/calendar")
    answer.headers["Content-Disposition"] = 'attachment; filename="appointment.ics"'
    return answer


def _utc(at: str) -> str:
    return f"{datetime.fromisoformat(at).astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(value: str) -> str:
    """A value of type TEXT with its four signs escaped."""
    for sign in ("\\", ";", ","):
        value = value.replace(sign, f"\\{sign}")
    return value.replace("\n", "\\n")


def _folded(line: str) -> str:
    """Lines of at most 75 octets; a character is never cut in two."""
    parts, part = [], ""
    for character in line:
        if len((part + character).encode()) > 74:
            parts.append(part)
            part = ""
        part += character
    return "\r\n ".join([*parts, part])
