"""The clerk's console: one page with my queues, the visit at my window, and the case that comes of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response

from app.casework.inbox import cases_of_ticket, recent_cases
from app.catalog.queries import item as item_of
from app.errors import Refusal
from app.events import Actor
from app.now import local_day, now
from app.people.gate import requires
from app.people.permissions import Permission
from app.queueing import calls
from app.queueing.queries import (
    longest_wait_s,
    person_of,
    queues_of_hall,
    set_aside,
    ticket_view,
    why_called,
    window_of_staff,
    windows_of_hall,
)
from app.queueing.windows import close_window, open_window, pause_window
from app.web import clerk_case
from app.web.clerk_intake import form_values
from app.web.clerk_parts import clerk, pages
from app.web.forms import new_key, once

PARTS = (clerk_case,)  # it adds its own pages, as the form does

_ = lazy_gettext

STEPS = {
    "recall": calls.recall,
    "start": calls.start,
    "finish": calls.finish,
    "no-show": calls.no_show,
    "park": calls.park,
    "abandon": calls.abandon,
}
PAUSES = (_("午休"), _("会议"), _("交接"), _("设备故障"), _("临时离开"))


def _side(actor: Actor, hall: str) -> dict[str, Any]:
    """The left column: the window I am at, its queues, and who may be taken up again."""
    at = now()
    windows = windows_of_hall(hall)
    mine = next((w for w in windows if w["code"] == window_of_staff(hall, actor.id)), None)
    served = mine["queues"] if mine else []
    kinds = {"comprehensive", "consult"} if actor.may(Permission.CASE_ACCEPT) else {"pickup"}
    queues = queues_of_hall(hall, at)
    return {
        "windows": windows,
        "seats": [window for window in windows if window["kind"] in kinds],
        "mine": mine,
        "queues": [queue for queue in queues if not mine or queue["code"] in served],
        "targets": [queue for queue in queues if queue["open"]],
        "longest": longest_wait_s(hall, at),
        "aside": set_aside(hall, local_day(at), served, at - timedelta(minutes=30)),
        "pauses": PAUSES,
    }


def _visit(hall: str, side: dict[str, Any]) -> dict[str, Any]:
    """The middle column: the ticket at my window, why it was called, who came and for what."""
    mine = side["mine"]
    if not mine or not mine["ticket"]:
        return {"ticket": None}
    ticket_id = int(mine["ticket"]["id"].rsplit("-", 1)[1])
    view = ticket_view(hall, ticket_id, now())
    found = why_called(hall, ticket_id)
    return {
        "ticket": view,
        "ticket_id": ticket_id,
        "item": item_of(view["item"]) if view["item"] else None,
        "person": person_of(hall, ticket_id),
        "why": found[-1] if found else None,
        "cases": cases_of_ticket(hall, ticket_id),
    }


def _columns() -> dict[str, Any]:
    actor, hall = clerk()
    side = _side(actor, hall)
    return {**side, **_visit(hall, side), "key": new_key, "hall": hall}


@pages.get("")
@requires(Permission.TICKET_CALL)
def console() -> str:
    """The whole console."""
    actor, hall = clerk()
    columns = _columns()
    code = request.args.get("item") or (columns["item"]["code"] if columns.get("item") else "")
    form = form_values({"item": code} if code else {}, columns.get("ticket_id"))
    return render_template("clerk/console.html", **columns, **form, recent=recent_cases(hall, actor.id, now()))


@pages.get("/live")
@requires(Permission.TICKET_CALL)
def live() -> str:
    """Both live columns, refreshed as the hall changes; the case form is left alone."""
    return render_template("clerk/live.html", **_columns())


@pages.get("/recent")
@requires(Permission.TICKET_CALL)
def recent() -> str:
    """The cases that I received today, alone."""
    actor, hall = clerk()
    return render_template("clerk/recent.html", recent=recent_cases(hall, actor.id, now()))


def _done(actor: Actor) -> str | Response:
    """Answer an action: htmx gets the live columns, a plain form its page again; who only hands out has another desk."""
    if not actor.may(Permission.CASE_ACCEPT) and actor.may(Permission.CASE_HAND_OVER):
        return redirect(url_for("pickup.desk"), code=303)
    if request.headers.get("HX-Request"):
        return live()
    return redirect(url_for("clerk.console"), code=303)


@pages.post("/windows/<code>/<step>")
@requires(Permission.WINDOW_OPEN)
def window(code: str, step: str) -> str | Response:
    """Open, pause or close a window."""
    actor, hall = clerk()
    step_of = {"open": open_window, "pause": pause_window, "close": close_window}.get(step)
    if step_of is None:
        raise Refusal("request.not_found")
    more = {"reason": request.form.get("reason", "")} if step == "pause" else {}
    with once(actor):
        step_of(hall=hall, actor=actor, at=now(), window=code, **more)
    return _done(actor)


@pages.post("/call")
@requires(Permission.TICKET_CALL)
def call() -> str | Response:
    """Call the next ticket to my window."""
    actor, hall = clerk()
    mine = window_of_staff(hall, actor.id)
    if mine is None:
        raise Refusal("window.not_open")
    with once(actor):
        answer = calls.call_next(hall=hall, actor=actor, at=now(), window=mine)
    if answer is None and not request.headers.get("HX-Request"):
        flash(gettext("现在没有人等候"), "info")
    return _done(actor)


@pages.post("/tickets/<int:ticket_id>/<step>")
@requires(Permission.TICKET_CALL)
def step(ticket_id: int, step: str) -> str | Response:
    """One step of a ticket at my window, or one that is set aside."""
    actor, hall = clerk()
    given: dict[str, Any] = {"hall": hall, "actor": actor, "at": now(), "ticket_id": ticket_id}
    with once(actor):
        if step == "unpark":
            calls.unpark(**given, window=window_of_staff(hall, actor.id) or "")
        elif step == "restore":
            calls.restore(**given)
        elif step == "transfer":
            target = request.form.get("target", "")
            kind, _, code = target.partition(":")
            calls.transfer(**given, **({kind: code} if kind in ("queue", "window") and code else {}))
        elif step == "park":
            calls.park(**given, reason=request.form.get("reason", "")[:100])
        elif step in STEPS:
            STEPS[step](**given)
        else:
            raise Refusal("request.not_found")
    return _done(actor)
