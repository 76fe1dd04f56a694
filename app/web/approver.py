"""The approver's desk 审批: an inbox by due time, and the steps of the case page with their effect on the clocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response as AnyResponse

from app.casework import review
from app.casework.intake import request_supplement
from app.casework.queries import case_view, find_case, inbox, no_requests, tab_counts
from app.catalog.queries import department_en, departments
from app.errors import Refusal
from app.events import Actor
from app.hall.rules.lights import Light
from app.now import now
from app.people import gate
from app.people.gate import requires
from app.people.permissions import Permission
from app.web import approver_steps, present
from app.web.desk import left, sentence, staff_with, whole
from app.web.forms import new_key, once

pages = Blueprint("approver", __name__, url_prefix="/approver")

_ = lazy_gettext
PROBLEM = 200  # characters of what is wrong with one paper

# tab of the inbox → its name; the states behind each are those of casework.queries.TABS
INBOX_TABS: dict[str, Any] = {
    "todo": _("待办"),
    "correction": _("补正中"),
    "special": _("特别程序"),
    "overdue": _("超期"),
    "done": _("已办"),
}


@pages.get("")
@requires(Permission.CASE_DECIDE)
def desk() -> str:
    """The cases of one's own department; a chief representative sees all, and the windows' questions."""
    actor = staff_with(Permission.CASE_DECIDE)
    tab = request.args.get("tab", "todo")
    return _desk(actor, tab if tab in INBOX_TABS or tab == "questions" else "todo")


def _desk(actor: Actor, tab: str, **values: Any) -> str:
    chief = actor.department is None and actor.may(Permission.CASE_ANSWER)
    light = request.args.get("light") if tab != "done" else None
    light = light if light in set(Light) else None
    wish = request.args.get("department", "")[:60]
    q = request.args.get("q", "").strip()[:40]
    at = now()
    known = [row["name"] for row in departments()] if chief else []
    department = (wish if wish in known else None) if chief else actor.department
    if department is None and not chief:  # an account without its department decides nothing
        cases, counts = {"items": [], "total": 0, "page": 1, "pages": 1}, dict.fromkeys(INBOX_TABS, 0)
    else:
        page = whole(request.args.get("page"), 1, most=100_000)
        cases = inbox(at=at, department=department, light=light, state=tab, q=q, page=page)
        counts = tab_counts(department=department)
    questions = no_requests() if chief else []
    return render_template(
        "approver/inbox.html",
        tab=tab,
        tabs=INBOX_TABS,
        counts=counts,
        cases=cases,
        chief=chief,
        department=department,
        department_shown=department_en(department) if present.english() and department else department,
        departments=departments() if chief else [],
        questions=questions,
        light=light,
        lights=list(Light),
        q=q,
        keys={row["number"]: new_key() for row in questions},
        **values,
    )


pages.add_app_template_filter(left)


# ── what the case page asks ─────────────────────────────────────────────────────────────────────────────────────


@pages.app_template_global()
def approving(case: dict[str, Any]) -> dict[str, Any] | None:
    """What the viewer may do to the case here, with its effects; None for who decides nothing."""
    actor = gate.staff()
    if actor is None or not (actor.may(Permission.CASE_DECIDE) or actor.may(Permission.CASE_ANSWER)):
        return None
    return approver_steps.panel(case, actor, now()) | {"refused": g.get("approver_refused"), "new_key": new_key}


@pages.get("/cases/<number>/effect")
@requires(Permission.CASE_DECIDE)
def effect(number: str) -> str:
    """What a special procedure of so many days does to both clocks: htmx asks while the days are typed."""
    staff_with(Permission.CASE_DECIDE)
    hall, case_id = find_case(number)
    days = whole(request.args.get("days"), most=review.LONGEST_STOP_DAYS)
    rows = approver_steps.effect(hall, case_id, "suspend", now(), days=days)
    return render_template("approver/_effect.html", rows=rows)


def _act(number: str, step: str, done: str, act: Callable[..., Any], **arguments: Any) -> tuple[str, int] | AnyResponse:
    """Do one step and go back to the case; a refusal shows the same form again with what was typed."""
    actor: Actor = g.actor
    hall, case_id = find_case(number)
    try:
        with once(actor):
            act(hall=hall, actor=actor, at=now(), case_id=case_id, **arguments)
    except Refusal as refusal:
        if refusal.code.startswith("auth."):
            raise
        g.approver_refused = {"step": step, "form": request.form, "sentence": sentence(refusal)}
        case = case_view(hall, case_id, now())
        return render_template("approver/act.html", case=case), refusal.status
    flash(done, "ok")
    return redirect(f"/cases/{number}", code=303)


@pages.post("/cases/<number>/take")
@requires(Permission.CASE_DECIDE)
def take(number: str) -> tuple[str, int] | AnyResponse:
    """Begin to review 领办."""
    return _act(number, "take", gettext("已领办"), review.take_case)


@pages.post("/cases/<number>/decide")
@requires(Permission.CASE_DECIDE)
def decide(number: str) -> tuple[str, int] | AnyResponse:
    """Grant, or refuse with reason and legal basis; the button pressed is the outcome."""
    outcome = request.form.get("outcome", "")
    given = {name: request.form.get(name, "").replace("\r\n", "\n") for name in ("reason", "basis")}
    done = gettext("已准予，文书已生成") if outcome == "granted" else gettext("已作出不予决定，文书已生成")
    return _act(number, f"decide-{outcome}", done, _decide, outcome=outcome, **given)


def _decide(**arguments: Any) -> None:
    view = review.decide_case(**arguments)
    if view["state"] not in ("granted", "refused"):
        flash(gettext("本部门意见已记录，办件转给下一部门"), "info")


@pages.post("/cases/<number>/suspend")
@requires(Permission.CASE_DECIDE)
def suspend(number: str) -> tuple[str, int] | AnyResponse:
    """Stop both clocks for a special procedure 特别程序."""
    days = whole(request.form.get("days"), most=10_000)
    ground = request.form.get("ground", "")
    return _act(
        number, "suspend", gettext("已进入特别程序，两个时限停钟"), review.suspend_case, ground=ground, days=days
    )


@pages.post("/cases/<number>/resume")
@requires(Permission.CASE_DECIDE)
def resume(number: str) -> tuple[str, int] | AnyResponse:
    """The special procedure is over."""
    return _act(number, "resume", gettext("特别程序结束，时限继续计算"), review.resume_case)


@pages.post("/cases/<number>/extend")
@requires(Permission.CASE_DECIDE)
def extend(number: str) -> tuple[str, int] | AnyResponse:
    """Extend once 延期."""
    return _act(number, "extend", gettext("已延期"), review.extend_case, reason=_reason())


@pages.post("/cases/<number>/return")
@requires(Permission.CASE_DECIDE)
def give_back(number: str) -> tuple[str, int] | AnyResponse:
    """Give the case back 退回."""
    return _act(number, "return", gettext("已退回"), review.return_case, reason=_reason())


@pages.post("/cases/<number>/forward")
@requires(Permission.CASE_DECIDE)
def forward(number: str) -> tuple[str, int] | AnyResponse:
    """Send the case up 转报."""
    return _act(number, "forward", gettext("已转报上级大厅"), review.forward_case)


@pages.post("/cases/<number>/request-supplement")
@requires(Permission.CASE_DECIDE)
def supplement(number: str) -> tuple[str, int] | AnyResponse:
    """Tell the applicant once what is missing; only whose review is open may, as with every other step here."""
    hall, case_id = find_case(number)
    approver_steps.refuse_foreign(hall, case_id, g.actor)
    items = [
        {"code": code, "problem": request.form.get(f"problem-{code}", "").strip()[: PROBLEM + 1] or None}
        for code in request.form.getlist("material")
    ]
    done = gettext("已一次性告知补正，承诺时限停钟")
    return _act(number, "request-supplement", done, request_supplement, items=items)


@pages.post("/cases/<number>/answer")
@requires(Permission.CASE_ANSWER)
def answer(number: str) -> tuple[str, int] | AnyResponse:
    """Answer a window's question: go on, or a written slip of non-acceptance with reason and legal basis."""
    given = {name: request.form.get(name, "").replace("\r\n", "\n") for name in ("answer", "reason", "basis")}
    said = gettext("已答复：可以受理") if given["answer"] == "accept" else gettext("已答复：不予受理，通知书已生成")
    if request.form.get("from") != "inbox":
        return _act(number, "answer", said, review.answer_no_request, **given)
    actor: Actor = g.actor
    hall, case_id = find_case(number)
    try:
        with once(actor):
            review.answer_no_request(hall=hall, actor=actor, at=now(), case_id=case_id, **given)
    except Refusal as refusal:
        refused = {"number": number, "form": request.form, "sentence": sentence(refusal)}
        return _desk(actor, "questions", refused=refused), refusal.status
    flash(said, "ok")
    return redirect(url_for("approver.desk", tab="questions"), code=303)


def _reason() -> str:
    return request.form.get("reason", "").replace("\r\n", "\n")
