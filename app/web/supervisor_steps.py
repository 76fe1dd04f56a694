"""What supervision does on the page of a case: urge, answer, say publicly why it is late."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from app.casework import oversight
from app.casework.queries import case_view
from app.errors import Refusal
from app.events import Actor
from app.now import local_day, now
from app.people import gate
from app.people.gate import requires
from app.people.permissions import Permission
from app.web import wording
from app.web.case_history import names_of
from app.web.cases import own_case
from app.web.desk import staff_with
from app.web.filters import silent
from app.web.forms import new_key, once

pages = Blueprint("supervisor_steps", __name__)


@pages.app_template_global()
def overseeing(case: dict[str, Any]) -> dict[str, Any] | None:
    """What the case page shows of supervision to the viewer; None when there is nothing to show or to do."""
    actor = gate.staff()
    if actor is None:
        return None
    waiting = next((urge for urge in case["urges"] if not urge["answered_at"]), None)
    waiting = waiting if "answer-urge" in case["steps"] else None
    late = "explain-overdue" in case["steps"]
    owner = _owns(actor, case)
    may = {
        "urge": "urge" in case["steps"] and actor.may(Permission.CASE_OVERRIDE) and waiting is None,
        "answer": waiting is not None and owner,
        "explain": late and owner,
    }
    if not (case["urges"] or case["overdue"] or late or any(may.values())):
        return None
    return {
        "may": may,
        "waiting": waiting,
        "silent": silent(case),
        "people": names_of({who for urge in case["urges"] for who in (urge["urged_by"], urge["answered_by"]) if who}),
        "refused": g.get("oversight_refused") or {"step": "", "form": {}, "sentence": ""},
        "today": local_day(now()).isoformat(),
        "new_key": new_key,
    }


def _owns(actor: Actor, case: dict[str, Any]) -> bool:
    """Whether the actor speaks for a department that answers for the case: by an open part, or one in the decision."""
    if not actor.may(Permission.CASE_DECIDE):
        return False
    if actor.department is None:
        return actor.may(Permission.CASE_ANSWER)
    every = [part["department"] for part in case["departments"]]
    owners = [part["department"] for part in case["departments"] if part["state"] == "open"] or every
    return actor.department in owners


@pages.post("/cases/<number>/urge")
@requires(Permission.CASE_OVERRIDE)
def urge(number: str) -> tuple[str, int] | AnyResponse:
    """Urge the owner 督办."""
    staff_with(Permission.CASE_OVERRIDE)
    return _act(
        number, "urge", gettext("已督办，承办部门须在下一个工作日结束前答复"), oversight.urge_case, note=_text("note")
    )


@pages.post("/cases/<number>/answer-urge")
@requires(Permission.CASE_DECIDE)
def answer(number: str) -> tuple[str, int] | AnyResponse:
    """Answer an urging 督办答复."""
    staff_with(Permission.CASE_DECIDE)
    return _act(number, "answer", gettext("已答复督办"), oversight.answer_urge, answer=_text("answer"))


@pages.post("/cases/<number>/explain-overdue")
@requires(Permission.CASE_DECIDE)
def explain(number: str) -> tuple[str, int] | AnyResponse:
    """Say publicly why the case is late 超期说明."""
    staff_with(Permission.CASE_DECIDE)
    given = {"reason": _text("reason"), "estimate_on": request.form.get("estimate_on", "").strip()[:10] or None}
    return _act(number, "explain", gettext("超期理由已公开，说明已生成"), oversight.explain_overdue, **given)


def _act(number: str, step: str, done: str, act: Callable[..., Any], **arguments: Any) -> tuple[str, int] | AnyResponse:
    """Do one step and go back to the case; a refusal shows the same form again with what was typed."""
    actor: Actor = g.actor
    hall, case_id = own_case(number, actor)
    try:
        with once(actor):
            act(hall=hall, actor=actor, at=now(), case_id=case_id, **arguments)
    except Refusal as refusal:
        if refusal.status not in (409, 422):
            raise
        g.oversight_refused = {"step": step, "form": request.form, "sentence": wording.told(refusal)}
        return render_template("supervisor/act.html", case=case_view(hall, case_id, now())), refusal.status
    flash(done, "ok")
    return redirect(url_for("cases.page", number=number), code=303)


def _text(name: str) -> str:
    return request.form.get(name, "").replace("\r\n", "\n")
