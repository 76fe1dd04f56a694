"""Pages for everybody: the phone page of a ticket, the progress of a case, the guide of an item."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from app.casework.joint_queries import find_joint_by_query, find_joint_by_token, public_joint
from app.casework.queries import deadline_ledger, find_by_query, find_by_query_token, public_view
from app.casework.rules.states import DECIDING
from app.catalog.queries import departments, item_asked_for, search_items
from app.catalog.queries import item as item_of
from app.db import db
from app.errors import Refusal
from app.events import CITIZEN
from app.hall.queries import hall as hall_of
from app.hall.queries import halls
from app.now import now
from app.people.gate import public
from app.queueing.forecasts import steady
from app.queueing.queries import find_by_token, policy_of, queues_of_hall, ticket_view, why_called, windows_of_hall
from app.queueing.tickets import cancel_ticket, defer_ticket, rejoin_ticket
from app.web import whereabouts, wording
from app.web.forms import limited, new_key, once, settings
from app.web.kiosk import queue_icon, zones_taken
from app.web.ledger import ledger_answer
from app.web.opening import open_now

pages = Blueprint("citizen", __name__)

PER_PAGE = 20
_JOINT = re.compile(r"[A-Z]{1,8}YJ\d{8}")  # how the numbers of one-thing cases begin

CALLED_STATES = ("called", "serving", "parked", "no_show", "finished")  # a call has been made, and why is said
HOLDING = {"cancel": cancel_ticket, "defer": defer_ticket, "rejoin": rejoin_ticket}

# ── the ticket on a phone ───────────────────────────────────────────────────────────────────────────────────────


@pages.get("/t/<token>")
@public
def ticket(token: str) -> str:
    """The phone page of a ticket. Whoever has its address holds the ticket; there is no name on it."""
    return render_template("citizen/ticket.html", **_ticket(token))


@pages.get("/t/<token>/now")
@public
def ticket_now(token: str) -> str:
    """The part of the phone page that changes."""
    return render_template("citizen/ticket_now.html", **_ticket(token))


def _ticket(token: str) -> dict[str, Any]:
    at = now()
    hall, ticket_id = find_by_token(token)
    view = ticket_view(hall, ticket_id, at)
    shown = steady(hall, ticket_id, at)
    if shown:
        view |= {"wait_low_s": shown["low_s"], "wait_high_s": shown["high_s"]}
    return {
        "token": token,
        "ticket": view,
        "moved": shown["moved"] if shown else None,
        "call": next(iter(why_called(hall, ticket_id)[-1:]), None) if view["state"] in CALLED_STATES else None,
        "hall": hall_of(hall),
        "item": item_asked_for(view["item"]),
        "policy": policy_of(db.session(), hall, {}),
        "open_now": open_now(hall, at),
        "at": at,
        "key": new_key,
    }


@pages.post("/t/<token>/<any(cancel, defer, rejoin):step>")
@public
def hold(token: str, step: str) -> tuple[str, int] | AnyResponse:
    """What the holder may do: give the ticket back, go away for a while and keep it, be back."""
    hall, ticket_id = find_by_token(token)
    try:
        with once(CITIZEN):
            HOLDING[step](hall=hall, actor=CITIZEN, at=now(), ticket_id=ticket_id)
    except Refusal as refusal:
        if refusal.status != 409:
            raise
        return render_template("citizen/ticket.html", **_ticket(token), error=_unheld(step, refusal)), refusal.status
    return redirect(url_for("citizen.ticket", token=token), code=303)


def _unheld(step: str, refusal: Refusal) -> str:
    if refusal.code != "ticket.illegal_step":
        return wording.told(refusal)
    state = wording.word(refusal.facts.get("state"), "ticket")
    if step == "cancel":
        return gettext("号票现在不能取消：%(state)s", state=state)
    return gettext("号票现在不能这样办：%(state)s", state=state)


# ── the progress of a case ──────────────────────────────────────────────────────────────────────────────────────


@pages.get("/progress")
@public
def progress() -> str:
    return render_template("citizen/progress.html", error="", number="")


@pages.post("/progress")
@public
def progress_of() -> str | tuple[str, int]:
    """Number and query code of the receipt show the case; they stay out of the address."""
    limited(settings().ticket_limit)
    number, code = request.form.get("number", "")[:40], request.form.get("query_code", "")[:20]
    limited(settings().login_limit, number.strip().upper())
    try:
        if _JOINT.match(number.strip().upper()):
            return _joint_page(*find_joint_by_query(number, code))
        hall, case_id = find_by_query(number, code)
    except Refusal as refusal:
        error = refusal.sentence("en" if wording.english() else "zh")
        return render_template("citizen/progress.html", error=error, number=number), refusal.status
    return _case_page(hall, case_id)


@pages.get("/c/<token>")
@public
def case(token: str) -> str:
    """The same page from the QR code of the receipt, of one case or of a whole one-thing case."""
    try:
        hall, case_id = find_by_query_token(token)
    except Refusal:
        return _joint_page(*find_joint_by_token(token))
    return _case_page(hall, case_id, paper_href=url_for("citizen.deadline_paper", token=token))


@pages.get("/c/<token>/deadline.pdf")
@public
def deadline_paper(token: str) -> Response:
    """Why both deadlines fall on their days, for whoever has the link of the receipt; without a whole name."""
    limited(settings().ticket_limit)
    return ledger_answer(*find_by_query_token(token), now())


def _joint_page(hall: str, joint_id: int) -> str:
    """Every part of a one-thing case in plain words."""
    at = now()
    view = public_joint(hall, joint_id, at)
    return render_template("joint/public.html", joint=view, at=at, running=view["state"] == "accepted")


def _case_page(hall: str, case_id: int, paper_href: str = "") -> str:
    at = now()
    view = public_view(hall, case_id, at)
    ledger = deadline_ledger(hall, case_id, at)["promised"]
    return render_template(
        "citizen/case.html",
        case=view,
        told=whereabouts.of(view, hall, case_id),
        steps=whereabouts.progress_steps(view),
        ledger=ledger,
        paper_href=paper_href,
        hall=hall_of(view["handled_in"]),
        at=at,
        running=view["state"] in DECIDING,
    )


# ── the guide ───────────────────────────────────────────────────────────────────────────────────────────────────


@pages.get("/halls/<code>/items")
@public
def items(code: str) -> str:
    """Look up what a hall does: Chinese, pinyin or initials, by department or zone."""
    hall = hall_of(code)
    q, department = request.args.get("q", "")[:60], request.args.get("department", "")[:60]
    taken = zones_taken(code)
    zone = request.args.get("zone", "")
    zones = [zone] if zone in taken else list(taken)
    page = request.args.get("page", 1, type=int)
    found = search_items(q=q, department=department, zones=zones, page=page, per_page=PER_PAGE)
    return render_template(
        "citizen/items.html",
        hall=hall,
        q=q,
        department=department,
        zone=zone if zone in taken else "",
        zones=_zone_names(),
        found=found,
        departments=departments(),
    )


def _zone_names() -> dict[str, dict[str, str]]:
    """Catalogue zones by letter, named as the first hall of the network names its queues."""
    first = halls()[0]["code"]
    queues = {queue["code"]: queue for queue in queues_of_hall(first, now())}
    return {zone: queues[queue] for zone, queue in zones_taken(first).items()}


@pages.get("/items/<code>")
@public
def item(code: str) -> str:
    """The guide of one item 办事指南: what it takes, where, how long, and on which law it rests. Printable."""
    guide = item_of(code)
    places = []
    for hall in halls():
        queue = zones_taken(hall["code"]).get(guide["zone"])
        if queue is not None:
            row = next(q for q in queues_of_hall(hall["code"], now()) if q["code"] == queue)
            serving = [w for w in windows_of_hall(hall["code"]) if queue in w["queues"]]
            windows = [w for w in serving if w["zone"] == row["zone"]] or serving
            places.append({"hall": hall, "queue": row, "windows": windows})
    url = f"{settings().public_url}{url_for('citizen.item', code=code)}"
    return render_template("citizen/item.html", item=guide, places=places, url=url, icon_of=queue_icon, at=now())
