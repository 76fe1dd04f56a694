"""The clerk's console: one page with my queues, the visit at my window, and the case that comes of it."""

from __future__ import annotations

from typing import Any

from flask import render_template, request
from werkzeug.wrappers import Response

from app.casework.inbox import recent_cases
from app.errors import Refusal
from app.now import now
from app.people.gate import requires
from app.people.permissions import Permission
from app.queueing.windows import close_window, open_window, pause_window
from app.web import clerk_case, clerk_visit
from app.web.clerk_columns import columns
from app.web.clerk_intake import form_values
from app.web.clerk_parts import pages
from app.web.desk import staff_of_hall
from app.web.forms import once

PARTS = (clerk_case, clerk_visit)  # they add their own pages, as the form does


@pages.get("")
@requires(Permission.TICKET_CALL)
def console() -> str:
    """The whole console."""
    actor, hall = staff_of_hall()
    shown = columns()
    named = shown.get("item")
    code = request.args.get("item") or (named["code"] if named and named["offered"] else "")
    form = form_values({"item": code} if code else {}, shown.get("ticket_id"))
    return render_template("clerk/console.html", **shown, **form, recent=recent_cases(hall, actor.id, now()))


@pages.get("/live")
@requires(Permission.TICKET_CALL)
def live() -> str:
    """Both live columns, refreshed as the hall changes; the case form is left alone."""
    return render_template("clerk/live.html", **columns())


@pages.get("/recent")
@requires(Permission.TICKET_CALL)
def recent() -> str:
    """The cases that I received today, alone."""
    actor, hall = staff_of_hall()
    return render_template("clerk/recent.html", recent=recent_cases(hall, actor.id, now()))


@pages.post("/windows/<code>/<step>")
@requires(Permission.WINDOW_OPEN)
def window(code: str, step: str) -> str | Response:
    """Open, take over, pause or close a window."""
    actor, hall = staff_of_hall()
    steps: dict[str, tuple[Any, dict[str, Any]]] = {
        "open": (open_window, {}),
        "take-over": (open_window, {"take_over": True}),
        "pause": (pause_window, {"reason": request.form.get("reason", "")}),
        "close": (close_window, {}),
    }
    if step not in steps:
        raise Refusal("request.not_found")
    act, more = steps[step]
    with once(actor):
        act(hall=hall, actor=actor, at=now(), window=code, **more)
    return clerk_visit.answer(actor)
