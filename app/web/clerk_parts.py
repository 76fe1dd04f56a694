"""What the pages of the window share: their blueprint, the ticket there, and how a part of the console is answered."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request

from app.queueing.queries import window_of_staff, windows_of_hall
from app.web.desk import staff_of_hall

pages = Blueprint("clerk", __name__, url_prefix="/clerk")


def ticket_at_window() -> int | None:
    """The ticket that is at the clerk's window now."""
    actor, hall = staff_of_hall()
    code = window_of_staff(hall, actor.id)
    mine = next((w for w in windows_of_hall(hall) if w["code"] == code), None)
    return int(mine["ticket"]["id"].rsplit("-", 1)[1]) if mine and mine["ticket"] else None


def part(template: str, **values: Any) -> str:
    """A part of the console: alone for htmx; for a plain form, or a press faster than htmx, in a page of its own."""
    if request.headers.get("HX-Request"):
        return render_template(template, **values)
    return render_template("clerk/alone.html", part=template, **values)
