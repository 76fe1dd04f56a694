"""What the pages of the window share: their blueprint, who asks, and how a part of the console is answered."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request

from app.errors import Refusal
from app.events import Actor
from app.people import gate
from app.queueing.queries import window_of_staff, windows_of_hall

pages = Blueprint("clerk", __name__, url_prefix="/clerk")


def clerk() -> tuple[Actor, str]:
    """The clerk who asks and the hall they work in. Refuses auth.required, auth.foreign_hall (staff of no one hall)."""
    actor = gate.staff()
    if actor is None:
        raise Refusal("auth.required")
    if actor.hall is None:
        raise Refusal("auth.foreign_hall")
    return actor, actor.hall


def ticket_at_window() -> int | None:
    """The ticket that is at the clerk's window now."""
    actor, hall = clerk()
    code = window_of_staff(hall, actor.id)
    mine = next((w for w in windows_of_hall(hall) if w["code"] == code), None)
    return int(mine["ticket"]["id"].rsplit("-", 1)[1]) if mine and mine["ticket"] else None


def part(template: str, **values: Any) -> str:
    """A part of the console: alone for htmx; for a plain form, or a press faster than htmx, in a page of its own."""
    if request.headers.get("HX-Request"):
        return render_template(template, **values)
    return render_template("clerk/alone.html", part=template, **values)
