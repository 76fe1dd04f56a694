"""Signals 预警信号: what a desk was told of, opened from one list by owner, chief representative and supervisor."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from app.casework import oversight, watch
from app.errors import Refusal
from app.events import Actor
from app.now import now
from app.people import gate
from app.people.gate import requires
from app.people.permissions import Permission
from app.web.desk import staff_with
from app.web.forms import safe_next

pages = Blueprint("signals", __name__, url_prefix="/signals")

WHO = (Permission.CASE_DECIDE, Permission.CASE_ANSWER, Permission.CASE_EXTEND, Permission.CASE_OVERRIDE)
_ID = re.compile(r"([a-z][a-z0-9-]{0,38})-([1-9][0-9]{0,9})", re.ASCII)


@pages.app_template_global()
def desk_signals() -> dict[str, Any] | None:
    """What waits for the viewer: new signals, urgings to answer, late cases that lack their reason; None for no one."""
    actor = gate.staff()
    if actor is None or not any(actor.may(permission) for permission in WHO):
        return None
    silent = watch.unexplained(actor.hall, actor.department)
    return {"new": watch.new_signals(actor), "urges": _urges(actor), "silent": silent}


def _urges(actor: Actor) -> list[dict[str, Any]]:
    """A department's own; to supervisors and chief representatives all of the hall, or of the network."""
    if actor.department:
        return watch.open_urges(hall=actor.hall, department=actor.department)
    return watch.open_urges(hall=actor.hall)


@pages.get("")
@requires(*WHO)
def desk() -> str:
    """The signals of one's desk, those not opened yet on top."""
    actor = staff_with(*WHO)
    template = "supervisor/_signals.html" if request.headers.get("X-Part") else "supervisor/signals.html"
    silent = watch.open_cases(at=now(), hall=actor.hall, department=actor.department, silent=True)
    own = bool(actor.department)
    return render_template(template, signals=watch.signals_of(actor), urges=_urges(actor), silent=silent, own=own)


@pages.get("/strip")
@requires(*WHO)
def strip() -> str:
    """The line above an inbox that says what waits; fetched again when something changes."""
    staff_with(*WHO)
    return render_template("supervisor/_strip.html")


@pages.post("/open")
@requires(*WHO)
def open_signal() -> AnyResponse:
    """Mark one signal as seen and go to its case. Seen twice is seen once: no key is needed."""
    actor = staff_with(*WHO)
    found = _ID.fullmatch(request.form.get("signal", ""))
    if found is None:
        raise Refusal("signal.unknown")
    oversight.see_signals(hall=found[1], actor=actor, at=now(), signal_ids=[int(found[2])])
    return redirect(safe_next(request.form.get("next"), url_for("signals.desk")), code=303)


@pages.post("/seen")
@requires(*WHO)
def see_all() -> AnyResponse:
    """Mark all of the desk's signals as seen."""
    actor = staff_with(*WHO)
    seen = sum(oversight.see_signals(hall=code, actor=actor, at=now())["seen"] for code in watch.halls_of_new(actor))
    flash(ngettext("%(num)d 条信号已标为看过", "%(num)d 条信号已标为看过", seen), "ok")
    return redirect(url_for("signals.desk"), code=303)
