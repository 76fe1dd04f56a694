"""The kiosk: three taps from "what is it about" to a number in the hand."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from app.catalog.queries import item as item_of
from app.catalog.queries import search_items
from app.errors import Refusal
from app.events import Actor
from app.hall.queries import hall as hall_of
from app.hall.queries import halls
from app.now import now
from app.people.gate import requires
from app.people.permissions import Permission
from app.queueing.queries import find_by_token, queue_for, queues_of_hall, ticket_view
from app.queueing.rules.states import Lane
from app.queueing.tickets import issue_ticket
from app.web import present
from app.web.forms import new_key, once, settings
from app.web.opening import open_now, too_late

pages = Blueprint("kiosk", __name__, url_prefix="/kiosk")

CATALOGUE_ZONES = "ABCDEF"
PER_PAGE = 6  # rows that fit a standing screen without scrolling
FOUND_PER_PAGE = 5  # and above the keyboard
HELP_ZONES = ("E", "F")  # where one goes who does not know where to go


def queue_icon(zone: str) -> str:
    """The picture of a catalogue zone."""
    icons = {
        "A": "building-store",
        "B": "home",
        "C": "heartbeat",
        "D": "building-factory-2",
        "E": "users-group",
        "F": "heart-handshake",
    }
    return icons.get(zone, "ticket")


def kiosk_actor() -> Actor:
    """The device, or the staff member who tries the pages."""
    able = [caller for caller in g.callers if caller.may(Permission.TICKET_ISSUE)]
    return next((caller for caller in able if caller.kind == "device"), able[0])


def hall_here() -> dict[str, Any]:
    """The hall of the device; the network's first for staff of no hall."""
    own = kiosk_actor().hall
    return hall_of(own) if own else halls()[0]


def zones_taken(hall: str) -> dict[str, str]:
    """Catalogue zone → the queue of the hall that takes its items."""
    taken = {}
    for zone in CATALOGUE_ZONES:
        try:
            taken[zone] = queue_for(hall, zone)
        except Refusal:
            continue
    return taken


def queue_row(hall: str, code: str) -> dict[str, Any]:
    """One queue with what stands at it now. Refuses queue.unknown."""
    row = next((queue for queue in queues_of_hall(hall, now()) if queue["code"] == code), None)
    if row is None:
        raise Refusal("queue.unknown")
    return row


def _page(template: str, **values: Any) -> str:
    return render_template(f"kiosk/{template}", queue_icon=queue_icon, **values)


@pages.get("")
@requires(Permission.TICKET_ISSUE)
def start() -> str:
    """First tap: what it is about."""
    hall, at = hall_here(), now()
    taken = zones_taken(hall["code"])
    unsure = next((taken[zone] for zone in HELP_ZONES if zone in taken), None)
    return _page(
        "start.html",
        hall=hall,
        queues=queues_of_hall(hall["code"], at),
        zone_of={queue: zone for zone, queue in reversed(taken.items())},
        unsure=unsure,
        open_now=open_now(hall["code"], at),
    )


@pages.get("/queue/<code>")
@requires(Permission.TICKET_ISSUE)
def choose(code: str) -> str:
    """Second tap: which item of this queue, or none in particular."""
    hall = hall_here()
    queue = queue_row(hall["code"], code)
    zones = [zone for zone, taken in zones_taken(hall["code"]).items() if taken == code]
    page = request.args.get("page", 1, type=int)
    found = search_items(zones=zones, page=page, per_page=PER_PAGE)
    return _page("choose.html", hall=hall, queue=queue, zone=zones[0] if zones else code, found=found)


@pages.get("/search")
@requires(Permission.TICKET_ISSUE)
def search() -> str:
    """The same by typing: Chinese, pinyin or initials. Answers with the list alone when a script asks."""
    hall = hall_here()
    q, page = request.args.get("q", "")[:40], request.args.get("page", 1, type=int)
    zones = list(zones_taken(hall["code"]))
    found = search_items(q=q, zones=zones, page=page, per_page=FOUND_PER_PAGE) if q.strip() else None
    template = "found.html" if request.headers.get("X-Part") else "search.html"
    return _page(template, hall=hall, q=q, found=found)


@pages.get("/take")
@requires(Permission.TICKET_ISSUE)
def confirm() -> str:
    """Third tap: see the wait and the papers, then take the number."""
    hall = hall_here()
    return _confirm_page(hall, request.args.get("queue", ""), request.args.get("item") or None)


def _confirm_page(hall: dict[str, Any], queue_code: str, item_code: str | None, error: str = "") -> str:
    item = item_of(item_code) if item_code else None
    queue = queue_row(hall["code"], queue_for(hall["code"], item["zone"]) if item else queue_code)
    at = now()
    return _page(
        "take.html",
        hall=hall,
        queue=queue,
        item=item,
        key=new_key(),
        error=error,
        grounds=priority_grounds(),
        open_now=open_now(hall["code"], at),
        late=too_late(hall["code"], at, queue["wait_high_s"]),
    )


def priority_grounds() -> list[tuple[str, str]]:
    """Who may take a number of the priority lane; the window asks for the paper that shows it."""
    return [
        ("elder", gettext("65 岁以上老年人")),
        ("disabled", gettext("残疾人")),
        ("pregnant", gettext("孕妇或带婴幼儿")),
        ("veteran", gettext("现役军人、退役军人、消防救援人员")),
    ]


@pages.post("/take")
@requires(Permission.TICKET_ISSUE)
def take() -> tuple[str, int] | AnyResponse:
    """Take the number. Pressed twice it is taken once; who holds a live one of this queue is shown that."""
    actor, hall = kiosk_actor(), hall_here()
    form = request.form
    item = form.get("item") or None
    queue = queue_for(hall["code"], item_of(item)["zone"]) if item else form.get("queue", "")
    lane = Lane.PRIORITY if form.get("ground") in dict(priority_grounds()) else Lane.NORMAL
    person = {"id_number": form.get("id_number", "").strip(), "phone": form.get("phone", "").strip()}
    try:
        with once(actor):
            ticket = issue_ticket(
                hall=hall["code"],
                actor=actor,
                at=now(),
                queue=queue,
                item=item,
                channel="kiosk" if actor.kind == "device" else "guide",
                lane=lane,
                person=person if any(person.values()) else None,
            )
    except Refusal as refusal:
        if not refusal.code.startswith("person."):
            raise
        sentence = refusal.sentence("en" if present.english() else "zh")
        return _confirm_page(hall, queue, item, sentence), refusal.status
    again = None if ticket["created"] else 1
    return redirect(url_for("kiosk.ticket", token=ticket["token"], again=again), code=303)


@pages.get("/ticket/<token>")
@requires(Permission.TICKET_ISSUE)
def ticket(token: str) -> str:
    """The number, what happens next, and the way to follow it on one's own phone."""
    hall, at = hall_here(), now()
    where, ticket_id = find_by_token(token)
    if where != hall["code"]:
        raise Refusal("auth.foreign_hall")
    view = ticket_view(where, ticket_id, at)
    url = f"{settings().public_url}{url_for('citizen.ticket', token=token)}"
    item = item_of(view["item"]) if view["item"] else None
    return _page("ticket.html", hall=hall, ticket=view, item=item, url=url, again=request.args.get("again"), at=at)
