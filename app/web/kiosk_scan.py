"""What is held before the kiosk: the slip of a number, the receipt of a case whose supplement is due, an ID card."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.casework import returning
from app.catalog.queries import item_asked_for
from app.errors import Refusal
from app.now import local_day, now
from app.people.gate import requires
from app.people.permissions import Permission
from app.queueing import forecasts
from app.queueing.holders import tickets_of_case, tickets_of_id
from app.queueing.queries import find_by_token, queue_for, token_of
from app.queueing.rules.states import Lane
from app.queueing.tickets import issue_ticket
from app.web import wording
from app.web.forms import limited, new_key, once, settings
from app.web.kiosk import hall_here, kiosk_actor, page

pages = Blueprint("kiosk_scan", __name__, url_prefix="/kiosk")

SAID_HERE = frozenset(
    {"auth.foreign_hall", "case.no_supplement_due", "case.query_mismatch", "case.unknown"}
    | {"person.bad_id", "request.too_many", "ticket.unknown"}
)
_ID_CARD = re.compile(r"\d{17}[\dX]", re.ASCII)
_LINK = re.compile(r"(?:^|/)([tca])/([\w-]+)/?(?:[?#].*)?$", re.ASCII)  # of a ticket, a receipt, an appointment


@pages.get("/scan")
@requires(Permission.TICKET_ISSUE)
def scan() -> str:
    """Hold something before the reader, or type the two codes of a receipt."""
    return _scan_page()


def _scan_page(error: str = "") -> str:
    return page("scan.html", hall=hall_here(), key=new_key(), error=error, typed=request.form.get("number", "")[:40])


@pages.post("/scan")
@requires(Permission.TICKET_ISSUE)
def scanned() -> tuple[str, int] | AnyResponse:
    """Go where the code leads: to the number one holds already, or to a number straight for the window."""
    form = request.form
    try:
        limited(settings().ticket_limit, kiosk_actor().ref)
        if form.get("number") or form.get("query_code"):
            limited(settings().login_limit, form.get("number", "")[:40].strip().upper())
            number, code = form.get("number", "")[:40], form.get("query_code", "")[:20]
            return _returning(*returning.by_query(hall_here()["code"], number, code))
        return _read(form.get("code", "").strip()[:300])
    except Refusal as refusal:
        if refusal.code not in SAID_HERE:
            raise
        return _scan_page(refusal.sentence("en" if wording.english() else "zh")), refusal.status


def _read(code: str) -> AnyResponse:
    """An address of a QR code, or the number of an ID card. Refuses what neither is with ticket.unknown."""
    if _ID_CARD.fullmatch(code.upper()):
        return _of_person(code.upper())
    link = _LINK.search(code)
    if link is None:
        raise Refusal("ticket.unknown")
    kind, token = link.groups()
    if kind == "a":  # an appointment has a page of its own
        return redirect(url_for("appointments.kiosk"), code=303)
    if kind == "t":
        where, ticket_id = find_by_token(token)
        _refuse_foreign(where)
        return redirect(url_for("kiosk.ticket", token=token_of(where, ticket_id), again=1), code=303)
    return _returning(*returning.by_token(hall_here()["code"], token))


def _of_person(id_number: str) -> AnyResponse:
    """The newest number of the person who holds the card. Refuses ticket.unknown."""
    hall = hall_here()["code"]
    held = tickets_of_id(hall, local_day(now()), id_number)
    if not held:
        raise Refusal("ticket.unknown")
    return redirect(url_for("kiosk.ticket", token=token_of(hall, held[-1]), again=1), code=303)


def _returning(number: str, item: str) -> AnyResponse:
    """Who brings the papers that a notice asked for in this case gets a number straight for the window, or the one they
    have. Refuses queue.none_for_item and what issue_ticket refuses.
    """
    actor, at, hall = kiosk_actor(), now(), hall_here()["code"]
    held = tickets_of_case(hall, local_day(at), number)
    if held:
        return redirect(url_for("kiosk.ticket", token=token_of(hall, held[-1]), again=1), code=303)
    guide = item_asked_for(item)
    assert guide is not None  # every case is of an item, if perhaps of one that is offered no longer
    queue = queue_for(hall, guide["zone"])
    forecast = forecasts.promise(hall, queue, Lane.RETURNING, at)
    with once(actor):
        ticket: dict[str, Any] = issue_ticket(
            hall=hall,
            actor=actor,
            at=at,
            queue=queue,
            item=item,
            channel="kiosk" if actor.kind == "device" else "guide",
            lane=Lane.RETURNING,
            case_number=number,
            forecast=forecast,
        )
    return redirect(url_for("kiosk.ticket", token=ticket["token"]), code=303)


def _refuse_foreign(hall: str) -> None:
    if hall != hall_here()["code"]:
        raise Refusal("auth.foreign_hall")
