"""The approver's desk 审批: an inbox by due time, and the steps of the case page with their effect on the clocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response as AnyResponse

from app.casework import review, special
from app.casework.finish import convert_case
from app.casework.inbox import MOST, inbox, no_requests, tab_counts
from app.casework.queries import case_view
from app.casework.rules.clocks import read_limit
from app.casework.rules.states import CaseStep
from app.casework.supplement import request_supplement
from app.catalog.queries import department_en, departments
from app.errors import Refusal
from app.events import Actor
from app.hall.rules.lights import Light
from app.now import now
from app.people import gate
from app.people.gate import requires
from app.people.permissions import Permission
from app.web import approver_steps, wording
from app.web.case_history import names_of
from app.web.cases import own_case
from app.web.desk import left, staff_with, whole
from app.web.forms import new_key, once

pages = Blueprint("approver", __name__, url_prefix="/approver")

_ = lazy_gettext
PROBLEM = 200  # characters of what is wrong with one paper

# tab of the inbox → its name; the states behind each are those of casework.rules.states.TABS
INBOX_TABS: dict[str, Any] = {
    "todo": _("待办"),
    "correction": _("补正中"),
    "special": _("特别程序"),
    "overdue": _("超期"),
    "pickup": _("待领取"),
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
    cases, counts = {"items": [], "total": 0, "more": False, "page": 1, "pages": 1}, dict.fromkeys(INBOX_TABS, 0)
    if department is not None or chief:  # an account without its department decides nothing
        page = whole(request.args.get("page"), 1, most=100_000)
        counts = tab_counts(department=department, hall=actor.hall)
        if tab != "questions":
            cases = inbox(at=at, hall=actor.hall, department=department, light=light, state=tab, q=q, page=page)
    questions = no_requests(actor.hall) if chief else []
    people = names_of({row["by"] for row in questions})
    return render_template(
        "approver/inbox.html",
        tab=tab,
        tabs=INBOX_TABS,
        counts={name: _counted(count) for name, count in counts.items()},
        cases=cases,
        chief=chief,
        department=department,
        department_shown=department_en(department) if wording.english() and department else department,
        departments=departments() if chief else [],
        questions=questions,
        people=people,
        light=light,
        lights=list(Light),
        q=q,
        keys={row["number"]: new_key() for row in questions},
        **values,
    )


def _counted(count: int) -> str:
    """A count as the tabs show it: as far as cases are counted, then 1000+."""
    return f"{MOST}+" if count >= MOST else str(count)


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
    """What a stop of so many days, or another limit, does to both clocks: htmx asks while the figures are typed."""
    actor = staff_with(Permission.CASE_DECIDE)
    hall, case_id = own_case(number, actor)
    asked = request.args.get("step", CaseStep.SUSPEND.value)
    step = CaseStep(asked) if asked in (*approver_steps.STOPS, CaseStep.CONVERT) else CaseStep.SUSPEND
    days = whole(request.args.get("days"), most=special.LONGEST_STOP_DAYS)
    limit = _limit(request.args.get("amount"), request.args.get("unit"))
    try:
        promised = read_limit(limit) if step is CaseStep.CONVERT else None
    except ValueError:
        promised = None
    rows = approver_steps.effect(hall, case_id, step, now(), days=days, promised=promised)
    return render_template("approver/_effect.html", rows=rows)


def _limit(amount: str | None, unit: str | None) -> dict[str, Any]:
    return {"amount": whole(amount, most=1000), "unit": unit or "WD"}


def _act(
    number: str, step: str, done: str | Callable[[Any], str], act: Callable[..., Any], **arguments: Any
) -> tuple[str, int] | AnyResponse:
    """Do one step and go back to the case; a refusal shows the same form again with what was typed.

    `done` is what is said afterwards, or makes it of what the step answers.
    """
    actor: Actor = g.actor
    hall, case_id = own_case(number, actor)
    try:
        with once(actor):
            answer = act(hall=hall, actor=actor, at=now(), case_id=case_id, **arguments)
    except Refusal as refusal:
        if refusal.code.startswith("auth."):
            raise
        g.here = url_for("cases.page", number=number)
        g.approver_refused = {"step": step, "form": request.form, "sentence": wording.told(refusal)}
        case = case_view(hall, case_id, now())
        return render_template("approver/act.html", case=case), refusal.status
    flash(done if isinstance(done, str) else done(answer), "ok")
    return redirect(f"/cases/{number}", code=303)


@pages.post("/cases/<number>/take")
@requires(Permission.CASE_DECIDE)
def take(number: str) -> tuple[str, int] | AnyResponse:
    """Begin to review 领办."""
    return _act(number, "take", gettext("已领办"), review.take_case)


@pages.post("/cases/<number>/propose")
@requires(Permission.CASE_DECIDE)
def propose(number: str) -> tuple[str, int] | AnyResponse:
    """Sign first 拟办; somebody else of the department decides."""
    outcome = request.form.get("outcome", "")
    done = gettext("已拟办，请本部门另一人决定")
    return _act(number, "propose", done, review.propose_case, outcome=outcome, **_texts("note"))


@pages.post("/cases/<number>/decide")
@requires(Permission.CASE_DECIDE)
def decide(number: str) -> tuple[str, int] | AnyResponse:
    """Grant, or refuse with reason and legal basis; the button pressed is the outcome."""
    outcome = request.form.get("outcome", "")
    step = "grant" if outcome == "granted" else "refuse"
    return _act(number, step, _decided, review.decide_case, outcome=outcome, **_texts("reason", "basis"))


def _decided(case: dict[str, Any]) -> str:
    """What became of the case: a decision with its paper, or one department's word while others have not spoken."""
    if case["state"] == "granted":
        return gettext("已准予，文书已生成")
    if case["state"] == "refused":
        return gettext("已作出不予决定，文书已生成")
    waiting = [part for part in case["departments"] if part["state"] == "open"]
    names = gettext("、").join(wording.named(part, "department") for part in waiting)
    return gettext("本部门意见已记录，还等%(departments)s审查", departments=names)


@pages.post("/cases/<number>/suspend")
@requires(Permission.CASE_DECIDE)
def suspend(number: str) -> tuple[str, int] | AnyResponse:
    """Stop both clocks for a special procedure 特别程序."""
    done = gettext("已进入特别程序，两个时限停钟，通知书已生成")
    return _act(number, "suspend", done, special.suspend_case, **_stop())


@pages.post("/cases/<number>/check-site")
@requires(Permission.CASE_DECIDE)
def check_site(number: str) -> tuple[str, int] | AnyResponse:
    """Go and see, or have it reviewed: only the promise waits 现场勘验、技术审查."""
    done = gettext("已开始勘验或审查，承诺时限停钟，通知书已生成")
    return _act(number, "check-site", done, special.check_site, **_stop())


def _stop() -> dict[str, Any]:
    days = whole(request.form.get("days"), most=10_000)
    return {"ground": request.form.get("ground", ""), "days": days}


@pages.post("/cases/<number>/resume")
@requires(Permission.CASE_DECIDE)
def resume(number: str) -> tuple[str, int] | AnyResponse:
    """The special procedure, the check or the wait for a supplement is over."""
    return _act(number, "resume", gettext("已恢复审查，时限继续计算"), special.resume_case)


@pages.post("/cases/<number>/extend")
@requires(Permission.CASE_DECIDE)
def extend(number: str) -> tuple[str, int] | AnyResponse:
    """Extend once 延期."""
    return _act(number, "extend", gettext("已延期"), special.extend_case, **_texts("reason"))


@pages.post("/cases/<number>/convert")
@requires(Permission.CASE_DECIDE)
def convert(number: str) -> tuple[str, int] | AnyResponse:
    """Turn an instant case into one with a promised limit 即办转承诺."""
    given = {"limit": _limit(request.form.get("amount"), request.form.get("unit")), **_texts("reason")}
    return _act(number, "convert", gettext("已转为承诺件"), convert_case, **given)


@pages.post("/cases/<number>/return")
@requires(Permission.CASE_DECIDE)
def give_back(number: str) -> tuple[str, int] | AnyResponse:
    """Give the case back 退回."""
    return _act(number, "return", gettext("已退回"), review.return_case, **_texts("reason"))


@pages.post("/cases/<number>/forward")
@requires(Permission.CASE_DECIDE)
def forward(number: str) -> tuple[str, int] | AnyResponse:
    """Send the case up 转报."""
    return _act(number, "forward", gettext("已转报上级大厅"), review.forward_case)


@pages.post("/cases/<number>/check")
@requires(Permission.CASE_DECIDE)
def check(number: str) -> tuple[str, int] | AnyResponse:
    """Say whether the applicant kept the word on which the case was granted 事后核查."""
    outcome = request.form.get("outcome", "")
    return _act(number, "check", gettext("核查结果已记录"), review.check_case, outcome=outcome, **_texts("note"))


@pages.post("/cases/<number>/revoke")
@requires(Permission.CASE_DECIDE)
def revoke(number: str) -> tuple[str, int] | AnyResponse:
    """Take a granted decision back 撤销."""
    done = gettext("已撤销决定，决定书已生成")
    return _act(number, "revoke", done, review.revoke_case, **_texts("reason", "basis"))


@pages.post("/cases/<number>/request-supplement")
@requires(Permission.CASE_DECIDE)
def supplement(number: str) -> tuple[str, int] | AnyResponse:
    """Tell the applicant once what is missing; only whose review is open may, as with every other step here."""
    hall, case_id = own_case(number, g.actor)
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
    """Answer a window's question: go on, or a written slip with reason, legal basis and where to go instead."""
    given = _texts("answer", "reason", "basis", "go_to")
    said = gettext("已答复：可以受理") if given["answer"] == "accept" else gettext("已答复，通知书已生成")
    if request.form.get("from") != "inbox":
        return _act(number, "answer", said, review.answer_no_request, **given)
    actor: Actor = g.actor
    hall, case_id = own_case(number, actor)
    try:
        with once(actor):
            review.answer_no_request(hall=hall, actor=actor, at=now(), case_id=case_id, **given)
    except Refusal as refusal:
        refused = {"number": number, "form": request.form, "sentence": wording.told(refusal)}
        return _desk(actor, "questions", refused=refused), refusal.status
    flash(said, "ok")
    return redirect(url_for("approver.desk", tab="questions"), code=303)


def _texts(*names: str) -> dict[str, str]:
    """What was typed in these fields, each line's end as one character."""
    return {name: request.form.get(name, "").replace("\r\n", "\n") for name in names}
