"""The close of day 下班: no more numbers, who is still here, what becomes of them, each with its reason."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response as AnyResponse

from app.events import Actor
from app.now import now
from app.people.gate import requires
from app.people.permissions import Permission
from app.queueing import closing
from app.queueing.queries import queues_of_hall, windows_of_hall
from app.queueing.remaining import gives_tickets, remaining
from app.queueing.rules.reasons import BY_ITSELF, ExpiryReason
from app.queueing.rules.states import AT_WINDOW
from app.web import wording
from app.web.case_history import names_of
from app.web.desk import hall_at_desk, hall_choices, staff_with
from app.web.forms import new_key, once

pages = Blueprint("closing", __name__, url_prefix="/supervisor/closing")

NAMED = 12  # numbers that a sentence lists


@pages.get("")
@requires(Permission.WINDOW_MANAGE)
def desk() -> str:
    """Whether numbers are given, and who is still here; the part that changes is fetched again by itself."""
    actor = staff_with(Permission.WINDOW_MANAGE)
    template = "supervisor/_closing.html" if request.headers.get("X-Part") else "supervisor/closing.html"
    return render_template(template, **_shown(actor))


def _shown(actor: Actor) -> dict[str, Any]:
    hall, at = hall_at_desk(actor), now()
    rows = remaining(hall["code"], at)
    here = [row for row in rows if row["state"] in AT_WINDOW]
    left = [row for row in rows if row["state"] not in AT_WINDOW]
    windows = [window for window in windows_of_hall(hall["code"]) if window["state"] != "closed"]
    queues = queues_of_hall(hall["code"], at)
    return {
        "hall": hall,
        "halls": hall_choices(actor),
        "gives": gives_tickets(hall["code"], at),
        "left": left,
        "here": here,
        "queues": [
            {**queue, "left": [row for row in left if row["queue"] == queue["code"]]}
            for queue in queues
            if any(row["queue"] == queue["code"] for row in left)
        ],
        "windows": windows,
        "people": names_of({window["staff"] for window in windows}),
        "reasons": [
            (code.value, wording.word(code, "expiry_reason")) for code in ExpiryReason if code not in BY_ITSELF
        ],
        "key": new_key,
        "at": at,
    }


@pages.post("/issuing")
@requires(Permission.WINDOW_MANAGE)
def issuing() -> AnyResponse:
    """Give no more numbers today, or give them again."""
    actor = staff_with(Permission.WINDOW_MANAGE)
    hall = hall_at_desk(actor)["code"]
    resume = request.form.get("open") == "1"
    with once(actor):
        (closing.resume_issuing if resume else closing.stop_issuing)(hall=hall, actor=actor, at=now())
    flash(gettext("已恢复取号") if resume else gettext("已停止取号，明天照常开始"), "ok")
    return _back(actor, hall)


@pages.post("/expire")
@requires(Permission.WINDOW_MANAGE)
def expire() -> AnyResponse:
    """Expire who still waits, of the queues that are ticked. None ticked is nothing done."""
    actor = staff_with(Permission.WINDOW_MANAGE)
    hall = hall_at_desk(actor)["code"]
    queues = request.form.getlist("queue")
    every = {row["queue"] for row in remaining(hall, now()) if row["state"] not in AT_WINDOW} <= set(queues)
    if not queues:
        flash(gettext("请选择队列"), "warn")
        return _back(actor, hall)
    with once(actor):
        answer = closing.expire_rest(
            hall=hall,
            actor=actor,
            at=now(),
            reason=request.form.get("reason", ""),
            queues=None if every else queues,
        )
    flash(_expired(answer["numbers"]), "ok")
    return _back(actor, hall)


def _expired(numbers: list[str]) -> str:
    if not numbers:
        return gettext("没有要作废的号票")
    listed = gettext("、").join(numbers[:NAMED]) + (gettext("等") if len(numbers) > NAMED else "")
    return gettext("%(said)s：%(numbers)s", said=_count(len(numbers)), numbers=listed)


def _count(number: int) -> str:
    return ngettext("已作废 %(num)d 张号票", "已作废 %(num)d 张号票", number)


def _back(actor: Actor, hall: str) -> AnyResponse:
    return redirect(url_for("closing.desk", hall=None if actor.hall else hall), code=303)
