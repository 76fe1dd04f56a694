"""The guide desk 导办台: take a number for somebody, find a ticket, print its slip again, see the queues."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from app.catalog.queries import item as item_of
from app.catalog.queries import item_asked_for, search_items
from app.db import db
from app.errors import Refusal
from app.events import Actor
from app.hall.queries import hall as hall_of
from app.hall.queries import halls
from app.now import now
from app.people.gate import requires
from app.people.permissions import Permission
from app.queueing import forecasts
from app.queueing.queries import (
    find_by_token,
    longest_wait_s,
    policy_of,
    queue_for,
    queues_of_hall,
    ticket_view,
    token_of,
    why_called,
)
from app.queueing.tickets import LARGEST_PARTY, issue_ticket
from app.web import wording
from app.web.desk import staff_with, whole
from app.web.forms import new_key, once, settings
from app.web.kiosk import lane_of, priority_grounds, queue_icon, zones_taken
from app.web.slips import find_today, slip_pdf

pages = Blueprint("guide", __name__, url_prefix="/guide")

PER_PAGE = 8


def guide_actor() -> Actor:
    """The staff member at the desk; a kiosk has its own pages. Refuses auth.required, auth.forbidden."""
    return staff_with(Permission.TICKET_ISSUE)


def hall_of_desk() -> dict[str, Any]:
    """The hall of the staff member; whoever is of the whole network chooses one by `?hall=`."""
    actor = guide_actor()
    if actor.hall:
        return hall_of(actor.hall)
    wish = request.values.get("hall")
    return hall_of(wish) if wish else halls()[0]


def _desk(hall: dict[str, Any], **values: Any) -> str:
    at = now()
    choices = [] if guide_actor().hall else halls()
    return render_template(
        "guide/desk.html",
        hall=hall,
        halls=choices,
        queues=queues_of_hall(hall["code"], at),
        longest=longest_wait_s(hall["code"], at),
        key=new_key(),
        grounds=priority_grounds(),
        largest_party=LARGEST_PARTY,
        queue_icon=queue_icon,
        at=at,
        **values,
    )


@pages.get("")
@requires(Permission.TICKET_ISSUE)
def desk() -> str:
    """Search an item or choose a queue, then take the number beside it."""
    hall = hall_of_desk()
    code = request.args.get("item", "")
    item = item_of(code) if code else None
    queue = queue_for(hall["code"], item["zone"]) if item else request.args.get("queue", "")
    return _desk(hall, item=item, queue=queue, q=request.args.get("q", "")[:40], found=_found(hall), form={})


def _found(hall: dict[str, Any]) -> dict[str, Any] | None:
    q = request.args.get("q", "")[:40]
    if not q.strip():
        return None
    return search_items(q=q, zones=list(zones_taken(hall["code"])), per_page=PER_PAGE)


@pages.get("/search")
@requires(Permission.TICKET_ISSUE)
def search() -> str:
    """The items that match, alone: htmx puts them under the field."""
    hall = hall_of_desk()
    return render_template("guide/found.html", hall=hall, found=_found(hall), q=request.args.get("q", "")[:40])


@pages.get("/queues")
@requires(Permission.TICKET_ISSUE)
def queues() -> str:
    """The table of queues alone, refreshed as the hall changes."""
    hall, at = hall_of_desk(), now()
    rows = queues_of_hall(hall["code"], at)
    return render_template("guide/queues.html", queues=rows, longest=longest_wait_s(hall["code"], at), at=at)


@pages.post("/tickets")
@requires(Permission.TICKET_ISSUE)
def take() -> tuple[str, int] | AnyResponse:
    """Take a number for somebody who stands at the desk; the fields about the person may stay empty."""
    hall, actor, form = hall_of_desk(), guide_actor(), request.form
    code = form.get("item") or None
    item = item_of(code) if code else None
    queue = queue_for(hall["code"], item["zone"]) if item else form.get("queue", "")
    person = {name: form.get(name, "").strip() for name in ("name", "id_number", "phone")}
    lane, ground = lane_of(form.get("ground"))
    at = now()
    forecast = forecasts.promise(hall["code"], queue, lane, at)
    try:
        with once(actor):
            ticket = issue_ticket(
                hall=hall["code"],
                actor=actor,
                at=at,
                queue=queue,
                item=code,
                channel="guide",
                lane=lane,
                ground=ground,
                party=whole(form.get("party"), 1),
                forecast=forecast,
                person=person if any(person.values()) else None,
            )
    except Refusal as refusal:
        errors = {
            "person.bad_id": "id_number",
            "person.bad_phone": "phone",
            "queue.unknown": "queue",
            "party.size": "party",
        }
        field = errors.get(refusal.code, "name" if refusal.code.startswith("text.") else "")
        if not field:
            raise
        sentence = gettext("请选择队列") if field == "queue" else refusal.sentence("en" if wording.english() else "zh")
        page = _desk(hall, item=item, queue=queue, q="", found=None, form=form, error_field=field, error=sentence)
        return page, refusal.status
    if not ticket["created"]:
        flash(gettext("此人今天在该队列已有号票 %(number)s", number=ticket["number"]), "info")
    where, ticket_id = find_by_token(ticket["token"])
    return redirect(url_for("guide.ticket", number=ticket["number"], hall=where if not actor.hall else None), code=303)


@pages.get("/tickets")
@requires(Permission.TICKET_ISSUE)
def find() -> AnyResponse:
    """Go to the ticket whose number was typed."""
    hall = hall_of_desk()
    number = request.args.get("number", "").strip().upper()[:8]
    if not number or find_today(hall["code"], number) is None:
        shown = number if number.isascii() and number.isalnum() else ""
        flash(gettext("今天没有号票 %(number)s", number=shown) if shown else gettext("请输入号码，例如 A001"), "warn")
        return redirect(url_for("guide.desk", hall=request.args.get("hall")))
    return redirect(url_for("guide.ticket", number=number, hall=request.args.get("hall")))


@pages.get("/tickets/<number>")
@requires(Permission.TICKET_ISSUE)
def ticket(number: str) -> str:
    """One ticket of today: where it stands, why it was called, its slip again."""
    hall = hall_of_desk()
    ticket_id = find_today(hall["code"], number.upper()[:8])
    if ticket_id is None:
        raise Refusal("ticket.unknown")
    view = ticket_view(hall["code"], ticket_id, now(), staff=True)
    url = f"{settings().public_url}{url_for('citizen.ticket', token=token_of(hall['code'], ticket_id))}"
    item = item_asked_for(view["item"])
    calls = why_called(hall["code"], ticket_id)
    policy = policy_of(db.session(), hall["code"], {})
    facts = {"ticket": view, "item": item, "calls": calls, "url": url, "policy": policy, "key": new_key}
    return render_template("guide/ticket.html", hall=hall, **facts)


@pages.get("/tickets/<number>/slip.pdf")
@requires(Permission.TICKET_ISSUE)
def slip(number: str) -> Response:
    """The slip again 补打, as an 80 mm page."""
    hall = hall_of_desk()
    ticket_id = find_today(hall["code"], number.upper()[:8])
    if ticket_id is None:
        raise Refusal("ticket.unknown")
    return Response(slip_pdf(hall["code"], ticket_id, reprint=True), mimetype="application/pdf")
