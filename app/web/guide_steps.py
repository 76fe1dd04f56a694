"""What the guide desk does for the holder of a ticket: back after a missed call, away for a while, back again, given up."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, url_for
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response as AnyResponse

from app.errors import Refusal
from app.now import now
from app.people.gate import requires
from app.people.permissions import Permission
from app.queueing.calls import restore
from app.queueing.tickets import cancel_ticket, defer_ticket, rejoin_ticket
from app.web import wording
from app.web.forms import once
from app.web.guide import guide_actor, hall_of_desk
from app.web.slips import find_today

pages = Blueprint("guide_steps", __name__, url_prefix="/guide")

_ = lazy_gettext

# step → the action, and what is said when it is done
STEPS = {
    "restore": (restore, _("%(number)s 已恢复排队")),
    "rejoin": (rejoin_ticket, _("%(number)s 已归队")),
    "defer": (defer_ticket, _("%(number)s 已暂离，保留号码")),
    "cancel": (cancel_ticket, _("%(number)s 已取消")),
}


@pages.post("/tickets/<number>/<any(restore, rejoin, defer, cancel):step>")
@requires(Permission.TICKET_ISSUE)
def act(number: str, step: str) -> AnyResponse:
    """One step of a ticket of today for its holder, who stands at the desk. Why not is said on the page of the ticket."""
    hall, actor = hall_of_desk(), guide_actor()
    ticket_id = find_today(hall["code"], number.upper()[:8])
    if ticket_id is None:
        raise Refusal("ticket.unknown")
    action, done = STEPS[step]
    try:
        with once(actor):
            answer = action(hall=hall["code"], actor=actor, at=now(), ticket_id=ticket_id)
        flash(str(done) % {"number": answer["number"]}, "ok")
    except Refusal as refusal:
        if refusal.status != 409:
            raise
        flash(wording.told(refusal), "error")
    return redirect(url_for("guide.ticket", number=number, hall=None if actor.hall else hall["code"]), code=303)
