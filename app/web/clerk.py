"""The clerk's console: one page with my queues, the visit at my window, and the case that comes of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response

from app.casework.intake import accept_case, receive_case
from app.casework.queries import case_view, cases_of_ticket, find_case, recent_cases
from app.catalog.queries import item as item_of
from app.catalog.queries import search_items
from app.errors import Refusal
from app.events import Actor
from app.now import local_day, now
from app.people import gate
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
from app.web import present
from app.web.case_history import paper_title
from app.web.forms import new_key, once
from app.words import clean, clean_id_number, clean_phone

pages = Blueprint("clerk", __name__, url_prefix="/clerk")

_ = lazy_gettext

FOUND = 8
STEPS = {
    "recall": calls.recall,
    "start": calls.start,
    "finish": calls.finish,
    "no-show": calls.no_show,
    "park": calls.park,
    "abandon": calls.abandon,
}
PAUSES = (_("午休"), _("会议"), _("交接"), _("设备故障"), _("临时离开"))


def clerk() -> tuple[Actor, str]:
    """The clerk who asks and the hall they work in. Refuses auth.required, auth.foreign_hall (staff of no one hall)."""
    actor = gate.staff()
    if actor is None:
        raise Refusal("auth.required")
    if actor.hall is None:
        raise Refusal("auth.foreign_hall")
    return actor, actor.hall


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
    form = _form_of(code, columns.get("ticket_id")) if code else {}
    return render_template(
        "clerk/console.html", **{**_blank(), **columns, **form}, recent=recent_cases(hall, actor.id, now())
    )


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


# ── the case form ───────────────────────────────────────────────────────────────────────────────────────────────


def _blank() -> dict[str, Any]:
    return {
        "guide": None,
        "found": None,
        "q": "",
        "form": {},
        "error": "",
        "error_field": "",
        "person_hint": {},
        "form_ticket": "",
    }


def _ticket_at_window() -> int | None:
    actor, hall = clerk()
    code = window_of_staff(hall, actor.id)
    mine = next((w for w in windows_of_hall(hall) if w["code"] == code), None)
    return int(mine["ticket"]["id"].rsplit("-", 1)[1]) if mine and mine["ticket"] else None


def _form_of(code: str, ticket_id: int | None) -> dict[str, Any]:
    _, hall = clerk()
    hint = person_of(hall, ticket_id) if ticket_id else {}
    return {"guide": item_of(code), "person_hint": hint, "form_ticket": ticket_id or ""}


@pages.get("/items")
@requires(Permission.CASE_ACCEPT)
def items() -> str:
    """The items that match what was typed, for the list under the field."""
    q = request.args.get("q", "")[:40]
    found = search_items(q=q, per_page=FOUND) if q.strip() else None
    return render_template("clerk/found.html", found=found, q=q)


@pages.get("/form")
@requires(Permission.CASE_ACCEPT)
def form() -> str:
    """The form of one item, or the search again."""
    code = request.args.get("item", "")
    values = {**_blank(), **(_form_of(code, _ticket_at_window()) if code else {})}
    return _part("clerk/form.html", **values, key=new_key)


def _part(template: str, **values: Any) -> str:
    """A part of the console: alone for htmx; for a plain form, or a press faster than htmx, in a page of its own."""
    if request.headers.get("HX-Request"):
        return render_template(template, **values)
    return render_template("clerk/alone.html", part=template, **values)


class _Typed(Exception):
    """Something in the form has to be put right: the sentence and the field beside which it stands."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.sentence, self.field = sentence, field


def _read() -> dict[str, Any]:
    """The case that the form describes. The applicant may be the person of the ticket, whose data stay on the server.

    A form that was opened for another visit is never taken for this one: names of two people could be mixed up.
    """
    _, hall = clerk()
    fields = request.form
    ticket_id = _ticket_at_window()
    if fields.get("ticket", "") != str(ticket_id or ""):
        raise _Typed(gettext("窗口的号票已经变了，请重新核对申请人"), "name")
    hint = person_of(hall, ticket_id) if ticket_id and fields.get("as_ticket") else {}
    applicant = {"kind": fields.get("kind", "person")}
    for name in ("name", "id_number", "phone"):
        applicant[name] = fields.get(name, "").strip() or hint.get(name, "")
    if not applicant["name"]:
        raise _Typed(gettext("请填写申请人的姓名或名称"), "name")
    if applicant["kind"] == "organisation" and fields.get("representative", "").strip():
        applicant["representative"] = fields["representative"]
    agent = {name: fields.get(f"agent_{name}", "").strip() for name in ("name", "id_number", "phone", "letter")}
    if any(agent.values()) and not agent["name"]:
        raise _Typed(gettext("请填写代办人的姓名"), "agent_name")
    materials = [
        {"code": name.removeprefix("m-"), "state": value} for name, value in fields.items() if name.startswith("m-")
    ]
    case = {
        "item": fields.get("item", ""),
        "applicant": applicant,
        "agent": agent if agent["name"] else None,
        "materials": materials,
        "ticket_id": ticket_id,
    }
    _proofread(applicant, "")
    _proofread(agent, "agent_")
    return case


def _proofread(party: dict[str, str], prefix: str) -> None:
    """Say beside its field what no case could be received with."""
    for name, value in party.items():
        try:
            if name == "id_number" and value:
                clean_id_number(value)
            elif name == "phone" and value:
                clean_phone(value)
            elif name in ("name", "representative", "letter"):
                clean(value, name, limit={"representative": 60}.get(name, 100), empty=True)
        except Refusal as refusal:
            raise _Typed(present.told(refusal), prefix + name) from None


def _again(sentence: str, field: str = "") -> str:
    """The form with what was typed and the sentence beside its field; htmx swaps it in where the form was."""
    values = {**_blank(), **_form_of(request.form.get("item", ""), _ticket_at_window()), "form": request.form}
    return _part("clerk/form.html", **values | {"error": sentence, "error_field": field}, key=new_key)


@pages.post("/check")
@requires(Permission.CASE_ACCEPT)
def check() -> str:
    """Check the answers before the case is taken in."""
    try:
        case = _read()
    except _Typed as fault:
        return _again(fault.sentence, fault.field)
    guide = item_of(case["item"])
    states = {m["code"]: m["state"] for m in case["materials"]}
    lines = [
        {**m, "state": states.get(m["code"], "missing" if m["required"] else "not_needed")} for m in guide["materials"]
    ]
    lacking = [m for m in lines if m["required"] and m["state"] not in ("received", "shared")]
    return _part(
        "clerk/check.html", case=case, guide=guide, lines=lines, lacking=lacking, form=request.form, key=new_key()
    )


@pages.post("/receive")
@requires(Permission.CASE_ACCEPT)
def receive() -> str | Response:
    """Take the case in and, when asked and nothing is missing, accept it at once. A second press changes nothing."""
    actor, hall = clerk()
    if request.form.get("next") == "back":
        return _again("")
    try:
        given = _read()
        with once(actor):
            case = receive_case(hall=hall, actor=actor, at=now(), window=window_of_staff(hall, actor.id), **given)
    except _Typed as fault:
        return _again(fault.sentence, fault.field)
    except Refusal as refusal:
        if refusal.status != 422:
            raise
        return _again(present.told(refusal), str(refusal.facts.get("field", "")))
    _, case_id = find_case(case["number"])
    if request.form.get("next") == "accept":
        try:
            accept_case(hall=hall, actor=actor, at=now(), case_id=case_id)
        except Refusal as refusal:  # a repeated press finds it accepted already
            if refusal.code != "case.illegal_step":
                raise
    codes = {name: case[name] for name in ("query_code", "pickup_code")}
    answer = make_response(
        _part("clerk/received.html", case=case_view(hall, case_id, now()), codes=codes, paper_title=paper_title)
    )
    answer.headers["HX-Trigger"] = "case-received"
    return answer
