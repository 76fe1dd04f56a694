"""Steps of a visit at the window: calling, serving, setting aside, passing on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from app.catalog.queries import search_items
from app.errors import Refusal
from app.events import Actor
from app.now import now
from app.people.gate import requires
from app.people.permissions import Permission
from app.queueing import calls
from app.queueing.queries import window_of_staff
from app.queueing.rules.reasons import AbandonReason, ParkReason, Place
from app.queueing.tickets import rejoin_ticket
from app.web.clerk_columns import columns
from app.web.clerk_parts import pages, part, ticket_at_window
from app.web.desk import staff_of_hall
from app.web.forms import new_key, once

FOUND = 8  # items offered for the next one of a visit

Form = MultiDict[str, str]


def _transfer(form: Form, _window: str) -> dict[str, Any]:
    kind, _, code = form.get("target", "").partition(":")
    target = {kind: code} if kind in ("queue", "window", "staff") and code else {}
    return {**target, "place": form.get("place") or Place.SORTED, "note": form.get("note", "")}


def _park(form: Form, _window: str) -> dict[str, Any]:
    minutes = form.get("remind_min", "").strip()
    if minutes and not (minutes.isascii() and minutes.isdigit() and len(minutes) < 4):
        raise Refusal("request.invalid", detail=gettext("请填写%(what)s", what=gettext("几分钟后提醒")))
    remind_min = int(minutes) if minutes else None
    return {"reason": form.get("reason") or ParkReason.OTHER, "note": form.get("note", ""), "remind_min": remind_min}


def _choice(form: Form, window: str) -> dict[str, Any]:
    return {"window": window, "reason": form.get("reason", ""), "note": form.get("note", "")}


def _nothing(_form: Form, _window: str) -> dict[str, Any]:
    return {}


def _window(_form: Form, window: str) -> dict[str, Any]:
    return {"window": window}


def _item(form: Form, _window: str) -> dict[str, Any]:
    return {"item": form.get("item", "")}


def _abandon(form: Form, _window: str) -> dict[str, Any]:
    return {"reason": form.get("reason") or AbandonReason.GAVE_UP}


# step → the action, and what of the form it takes
STEPS: dict[str, tuple[Callable[..., Any], Callable[[Form, str], dict[str, Any]]]] = {
    "choose": (calls.call_chosen, _choice),
    "recall": (calls.recall, _nothing),
    "start": (calls.start, _nothing),
    "finish": (calls.finish, _nothing),
    "no-show": (calls.no_show, _nothing),
    "restore": (calls.restore, _nothing),
    "rejoin": (rejoin_ticket, _nothing),
    "park": (calls.park, _park),
    "unpark": (calls.unpark, _window),
    "transfer": (calls.transfer, _transfer),
    "next-item": (calls.next_item, _item),
    "abandon": (calls.abandon, _abandon),
}


def answer(actor: Actor) -> str | Response:
    """After a step htmx gets the live columns, a plain form its page again; who only hands out has another desk."""
    if not actor.may(Permission.CASE_ACCEPT) and actor.may(Permission.CASE_HAND_OVER):
        return redirect(url_for("pickup.desk"), code=303)
    if request.headers.get("HX-Request"):
        return render_template("clerk/live.html", **columns())
    return redirect(url_for("clerk.console"), code=303)


@pages.post("/call")
@requires(Permission.TICKET_CALL)
def call() -> str | Response:
    """Call the next ticket to my window."""
    actor, hall = staff_of_hall()
    mine = window_of_staff(hall, actor.id)
    if mine is None:
        raise Refusal("window.not_open")
    with once(actor):
        called = calls.call_next(hall=hall, actor=actor, at=now(), window=mine)
    if called is None and not request.headers.get("HX-Request"):
        flash(gettext("现在没有人等候"), "info")
    return answer(actor)


@pages.post("/chosen")
@requires(Permission.TICKET_CALL_ANY)
def choose() -> str | Response:
    """Call the ticket that was picked from the list of who waits. Refuses ticket.unknown when none was."""
    chosen = request.form.get("ticket", "")
    if not (chosen.isascii() and chosen.isdigit() and len(chosen) < 19):
        raise Refusal("ticket.unknown")
    return _step(int(chosen), "choose")


@pages.post("/tickets/<int:ticket_id>/<step>")
@requires(Permission.TICKET_CALL)
def step(ticket_id: int, step: str) -> str | Response:
    """One step of a ticket at my window, or one that is set aside."""
    if step not in STEPS or step == "choose":
        raise Refusal("request.not_found")
    return _step(ticket_id, step)


def _step(ticket_id: int, step: str) -> str | Response:
    actor, hall = staff_of_hall()
    act, fields = STEPS[step]
    given = fields(request.form, window_of_staff(hall, actor.id) or "")
    with once(actor):
        act(hall=hall, actor=actor, at=now(), ticket_id=ticket_id, **given)
    return answer(actor)


# ── another item in the same visit ──────────────────────────────────────────────────────────────────────────────


@pages.get("/items")
@requires(Permission.TICKET_CALL)
def items() -> str:
    """The items that match, each a button that goes on with it; htmx puts them under the field."""
    staff_of_hall()
    q = request.args.get("q", "").strip()[:40]
    found = search_items(q, per_page=FOUND)["items"] if q else []
    return part("clerk/items.html", found=found, q=q, ticket_id=ticket_at_window(), key=new_key)
