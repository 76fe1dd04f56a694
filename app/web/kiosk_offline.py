"""The kiosk when the server is away: the page that goes on giving numbers, and the worker that shows it."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, send_from_directory

from app.hall.queries import hall as hall_of
from app.hall.queries import halls
from app.people.gate import requires
from app.people.permissions import Permission
from app.web.assets import ROOT
from app.web.kiosk import kiosk_actor, priority_grounds

pages = Blueprint("kiosk_offline", __name__, url_prefix="/kiosk")


@pages.get("/offline")
@requires(Permission.TICKET_ISSUE)
def shell() -> str:
    """The page that the browser keeps: queues and numbers are put in by its script. Nothing of a person is on it."""
    own = kiosk_actor().hall
    return render_template(
        "kiosk/offline.html", hall=hall_of(own) if own else halls()[0], grounds=priority_grounds(), offline=True
    )


@pages.get("/sw.js")
@requires(Permission.TICKET_ISSUE)
def worker() -> Response:
    """The service worker, whose realm is the kiosk alone."""
    answer = send_from_directory(ROOT, "kiosk-worker.js", mimetype="text/javascript")
    answer.headers["Service-Worker-Allowed"] = "/kiosk"
    answer.headers["Cache-Control"] = "no-cache"
    return answer


@pages.get("/pulse")
@requires(Permission.TICKET_ISSUE)
def pulse() -> tuple[str, int]:
    """Whether the house can be reached, its database too: the device was looked up to come here."""
    return "", 204
