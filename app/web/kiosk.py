"""The kiosk: three taps from "what is it about" to a number in the hand."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.catalog.queries import departments as departments_of
from app.catalog.queries import item as item_of
from app.catalog.queries import item_asked_for, search_items
from app.catalog.queries import theme as theme_of
from app.catalog.queries import themes as themes_of
from app.errors import Refusal
from app.events import Actor
from app.hall.queries import hall as hall_of
from app.hall.queries import halls, schedule
from app.hall.rules.calendar import CalendarUnknown
from app.now import now
from app.people.gate import requires
from app.people.permissions import Permission
from app.queueing import forecasts
from app.queueing.queries import find_by_token, queue_for, queues_of_hall, ticket_view
from app.queueing.rules.reasons import Ground
from app.queueing.rules.states import Lane
from app.queueing.tickets import LARGEST_PARTY, issue_ticket
from app.web import wording
from app.web.desk import whole
from app.web.forms import new_key, once, settings
from app.web.opening import open_now
from app.web.slips import is_on_paper, no_show_rule

pages = Blueprint("kiosk", __name__, url_prefix="/kiosk")

CATALOGUE_ZONES = "ABCDEF"
PER_PAGE = 6  # rows that fit a standing screen without scrolling
FOUND_PER_PAGE = 5  # and above the keyboard
DEPARTMENTS_PER_PAGE = 12
HELP_ZONES = ("E", "F")  # where one goes who does not know where to go
REFUSED_HERE = ("person.", "party.")  # what is said on the page that asks


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


def page(template: str, **values: Any) -> str:
    """A page of the kiosk, with what its scripts must know of this device."""
    return render_template(f"kiosk/{template}", queue_icon=queue_icon, device=device_facts(), **values)


def device_facts() -> dict[str, Any]:
    """What a kiosk's scripts are told: its hall, its reader, and whether it is lent numbers for when it is cut off."""
    actor, own = kiosk_actor(), settings()
    reader = own.kiosk_reader or ("simulated" if own.demo else "keys")
    return {"hall": actor.hall, "reader": reader, "lends": actor.kind == "device" and own.kiosk_block > 0}


@pages.get("")
@requires(Permission.TICKET_ISSUE)
def start() -> str:
    """First tap: what it is about."""
    hall, at = hall_here(), now()
    taken = zones_taken(hall["code"])
    unsure = next((taken[zone] for zone in HELP_ZONES if zone in taken), None)
    queues = queues_of_hall(hall["code"], at, waits_too=False)
    zone_of = {queue: zone for zone, queue in reversed(taken.items())}
    stopped = bool(queues) and not any(queue["open"] for queue in queues)
    lent = [
        {
            **{name: queue[name] for name in ("code", "name", "name_en", "open")},
            "icon": queue_icon(zone_of.get(queue["code"], queue["zone"])),
        }
        for queue in queues
    ]
    return page(
        "start.html",
        hall=hall,
        queues=queues,
        lent=lent,
        zone_of=zone_of,
        unsure=None if stopped else unsure,
        open_now=open_now(hall["code"], at),
        stopped=stopped,
        opens_again=opens_again(hall["code"]) if stopped else None,
    )


def opens_again(hall: str) -> Any:
    """When the doors open the next time; None where the calendar cannot say."""
    try:
        return schedule(hall).next_open(now())
    except CalendarUnknown:
        return None


@pages.get("/queue/<code>")
@requires(Permission.TICKET_ISSUE)
def choose(code: str) -> str:
    """Second tap: which item of this queue, or none in particular."""
    hall = hall_here()
    queue = queue_row(hall["code"], code)
    zones = [zone for zone, taken in zones_taken(hall["code"]).items() if taken == code]
    number = request.args.get("page", 1, type=int)
    found = search_items(zones=zones, page=number, per_page=PER_PAGE)
    return page("choose.html", hall=hall, queue=queue, zone=zones[0] if zones else code, found=found)


@pages.get("/search")
@requires(Permission.TICKET_ISSUE)
def search() -> str:
    """The same by typing: Chinese, pinyin or initials. Answers with the list alone when a script asks."""
    hall = hall_here()
    q, number = request.args.get("q", "")[:40], request.args.get("page", 1, type=int)
    zones = list(zones_taken(hall["code"]))
    found = search_items(q=q, zones=zones, page=number, per_page=FOUND_PER_PAGE) if q.strip() else None
    template = "found.html" if request.headers.get("X-Part") else "search.html"
    return page(template, hall=hall, q=q, found=found)


@pages.get("/themes")
@requires(Permission.TICKET_ISSUE)
def themes() -> str:
    """By what happens in life: things for which several items are done at once."""
    taken = zones_taken(hall_here()["code"])
    offered = [theme for theme in themes_of() if first_zone(theme) in taken]
    return page("themes.html", hall=hall_here(), themes=offered)


def first_zone(theme: dict[str, Any]) -> str:
    """The catalogue zone of a theme's first step, where its visit begins."""
    return str(item_of(theme["children"][0]["item"])["zone"])


@pages.get("/departments")
@requires(Permission.TICKET_ISSUE)
def departments() -> str:
    """By the department whose name one knows."""
    rows = departments_of()
    number = max(request.args.get("page", 1, type=int), 1)
    shown = rows[(number - 1) * DEPARTMENTS_PER_PAGE : number * DEPARTMENTS_PER_PAGE]
    of = {"page": number, "pages": max(-(-len(rows) // DEPARTMENTS_PER_PAGE), 1)}
    return page("departments.html", hall=hall_here(), departments=shown, of=of)


@pages.get("/items")
@requires(Permission.TICKET_ISSUE)
def items() -> str | AnyResponse:
    """The items of one department that this hall takes; without one, the departments."""
    hall, department = hall_here(), request.args.get("department", "")[:60]
    if not department:
        return redirect(url_for("kiosk.departments"))
    number = request.args.get("page", 1, type=int)
    zones = list(zones_taken(hall["code"]))
    found = search_items(department=department, zones=zones, page=number, per_page=PER_PAGE)
    known = next((row for row in departments_of() if row["name"] == department), None)
    if known is None:
        raise Refusal("request.not_found")
    return page("items.html", hall=hall, department=known, found=found)


@pages.get("/take")
@requires(Permission.TICKET_ISSUE)
def confirm() -> str:
    """Third tap: see the wait and the papers, then take the number."""
    given = request.args
    return _confirm_page(given.get("queue", ""), given.get("item") or None, given.get("theme") or None)


def _confirm_page(queue_code: str, item_code: str | None, theme_code: str | None = None, error: str = "") -> str:
    hall, at = hall_here(), now()
    theme = theme_of(theme_code) if theme_code else None
    item = item_of(theme["children"][0]["item"] if theme else item_code) if theme or item_code else None
    queue = queue_row(hall["code"], queue_for(hall["code"], item["zone"]) if item else queue_code)
    guide = f"{settings().public_url}{url_for('citizen.item', code=item['code'])}" if item else ""
    return page(
        "take.html",
        hall=hall,
        queue=queue,
        item=item,
        shown=theme or item,
        theme=theme,
        guide_url=guide,
        key=new_key(),
        error=error,
        grounds=priority_grounds(),
        largest_party=LARGEST_PARTY,
        open_now=open_now(hall["code"], at),
        late=forecasts.too_late(hall["code"], queue["code"], at),
    )


def priority_grounds() -> list[tuple[str, Any]]:
    """Who may take a number of the priority lane; the window asks for the paper that shows it."""
    return [(ground.value, wording.word(ground, "priority_ground")) for ground in Ground]


def lane_of(ground: str | None) -> tuple[Lane, str | None]:
    """The lane that a ground of the list gives, with the ground; the normal one without."""
    return (Lane.PRIORITY, ground) if ground in set(Ground) else (Lane.NORMAL, None)


@pages.post("/take")
@requires(Permission.TICKET_ISSUE)
def take() -> tuple[str, int] | AnyResponse:
    """Take the number. Pressed twice it is taken once; who holds a live one of this queue is shown that."""
    actor, hall, at = kiosk_actor(), hall_here(), now()
    form = request.form
    item = form.get("item") or None
    queue = queue_for(hall["code"], item_of(item)["zone"]) if item else form.get("queue", "")
    lane, ground = lane_of(form.get("ground"))
    person = {"id_number": form.get("id_number", "").strip(), "phone": form.get("phone", "").strip()}
    forecast = forecasts.promise(hall["code"], queue, lane, at)
    try:
        with once(actor):
            ticket = issue_ticket(
                hall=hall["code"],
                actor=actor,
                at=at,
                queue=queue,
                item=item,
                channel="kiosk" if actor.kind == "device" else "guide",
                lane=lane,
                ground=ground,
                party=whole(form.get("party"), 1),
                person=person if any(person.values()) else None,
                forecast=forecast,
            )
    except Refusal as refusal:
        if not refusal.code.startswith(REFUSED_HERE):
            raise
        sentence = refusal.sentence("en" if wording.english() else "zh")
        return _confirm_page(queue, item, form.get("theme") or None, sentence), refusal.status
    again = None if ticket["created"] else 1
    return redirect(url_for("kiosk.ticket", token=ticket["token"], again=again), code=303)


@pages.get("/ticket/<token>")
@requires(Permission.TICKET_ISSUE)
def ticket(token: str) -> str:
    """The number, what happens next, and the way to follow it on one's own phone. Its slip can be printed here again."""
    hall, at = hall_here(), now()
    where, ticket_id = _held_here(token)
    view = ticket_view(where, ticket_id, at)
    return page(
        "ticket.html",
        hall=hall,
        ticket=view,
        item=item_asked_for(view["item"]),
        url=f"{settings().public_url}{url_for('citizen.ticket', token=token)}",
        again=request.args.get("again"),
        token=token,
        paper=settings().printer != "off",
        rule=no_show_rule(where),
        at=at,
    )


@pages.get("/ticket/<token>/paper")
@requires(Permission.TICKET_ISSUE)
def paper(token: str) -> dict[str, bool]:
    """Whether the printer has taken the slip: where it has not after a while, the page says so."""
    return {"printed": is_on_paper(*_held_here(token))}


def _held_here(token: str) -> tuple[str, int]:
    """The ticket of this token. Refuses ticket.unknown, auth.foreign_hall."""
    where, ticket_id = find_by_token(token)
    if where != hall_here()["code"]:
        raise Refusal("auth.foreign_hall")
    return where, ticket_id
