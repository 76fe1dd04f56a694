"""The page of one case, which every desk shares: who, where it stands, both clocks, papers, history, what may be done."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from app.casework.agency_queries import order_view
from app.casework.corrections import backdate_receipt, void_case
from app.casework.intake import NO_REQUESTS, accept_case, raise_no_request, withdraw_case
from app.casework.joint_queries import joint_number
from app.casework.levels_queries import works_with
from app.casework.models import Case, CaseAlarm, CaseReview
from app.casework.queries import case_view, deadline_ledger, find_case, frozen_guide
from app.casework.reveal import FIELDS, reveal_field
from app.casework.rules.alarms import Alarm
from app.casework.rules.materials import HERE
from app.casework.rules.states import DECIDING, INTAKE, CaseState
from app.casework.supplement import request_supplement, supply
from app.db import db
from app.errors import Refusal
from app.events import Actor
from app.notices import queries as papers
from app.now import iso, now
from app.people.gate import requires
from app.people.permissions import Permission
from app.privacy import REASONS
from app.web import times, wording
from app.web.case_history import last_issued, names_of, paper_title, problem_words, story
from app.web.desk import instant, staff, whole
from app.web.forms import new_key, once
from app.web.ledger import ledger_answer
from app.web.prints import asked_why, language_asked, paper_answer, pdf_answer

pages = Blueprint("cases", __name__)

P = Permission
_PAPER = re.compile(r"([a-z][a-z0-9-]{0,38})-([1-9][0-9]{0,8})", re.ASCII)
STEPS: dict[str, tuple[Any, frozenset[Permission]]] = {
    "accept": (accept_case, frozenset({P.CASE_ACCEPT})),
    "request-supplement": (request_supplement, frozenset({P.CASE_ACCEPT, P.CASE_OVERRIDE})),
    "supply": (supply, frozenset({P.CASE_ACCEPT})),
    "no-request": (raise_no_request, frozenset({P.CASE_ACCEPT})),
    "withdraw": (withdraw_case, frozenset({P.CASE_ACCEPT})),
    "backdate": (backdate_receipt, frozenset({P.CASE_OVERRIDE})),
    "void": (void_case, frozenset({P.CASE_OVERRIDE})),
}
HIDE_AFTER_S = 30
COMMITMENT = "申请人承诺在期限内补齐上述材料，逾期自愿视为撤回。"  # goes onto a paper, which is in Chinese
pages.add_app_template_filter(problem_words)


def own_case(number: str, actor: Actor) -> tuple[str, int]:
    """(hall, id) of a case that the actor may see. Refuses case.unknown, auth.foreign_hall."""
    hall, case_id = find_case(number[:40])
    if not works_with(actor.hall, hall, case_id):
        raise Refusal("auth.foreign_hall")
    return hall, case_id


def case_page(number: str, **more: Any) -> str:
    """The page of a case; `more` may hold `form` (what was typed), `step` (which form), `error` (why it was refused)."""
    actor, at = staff(P.CASE_READ), now()
    hall, case_id = own_case(number, actor)
    view = case_view(hall, case_id, at)
    guide = frozen_guide(hall, case_id)
    ledger = deadline_ledger(hall, case_id, at) if view["accepted_at"] else None
    whole = whole_of(hall, case_id)
    return render_template(
        "cases/page.html",
        **{"form": {}, "step": "", "error": "", "revealed": {}, **more},
        actor=actor,
        case=view,
        ledger=ledger,
        bars={name: bar(view["clocks"][name], rows) for name, rows in (ledger or {}).items() if rows},
        waits=waits(hall, case_id, CaseState(view["state"]), guide["rules"], at),
        whole=whole,
        people=people_of(view),
        story=story(view | whole),
        panel_steps=window_steps(view, actor),
        may_reveal=actor.may(P.CASE_REVEAL),
        reveal_reasons=REASONS,
        no_request_kinds=NO_REQUESTS,
        lacking=[m for m in view["materials"] if m["required"] and m["state"] not in HERE],
        takes=takes(view),
        running=view["state"] in DECIDING,
        commitment=COMMITMENT,
        key=new_key,
        paper_title=paper_title,
        last_issued=last_issued,
        at=at,
    )


def bar(clock: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A clock as a bar: hundredths that are used, stood still, are left or late, and the same in words.

    What stood still is told in days only; hours that stood still are within their day.
    """
    natural = clock["limit"]["unit"] in ("ND", "NH")
    days = clock["unit"] == "day"
    parts = {
        "used": min(clock["used"], clock["used"] + clock["remaining"]),
        "stopped": sum(row["paused"] and (natural or bool(row["working"])) for row in rows) if days else 0,
        "left": max(clock["remaining"], 0),
        "late": max(-clock["remaining"], 0),
    }
    total, unit = sum(parts.values()) or 1, clock["limit"]["unit"]
    said = {name: times.span(size, unit) if days else times.minutes(size * 60) for name, size in parts.items()}
    words = {
        "used": gettext("已用 %(used)s", used=said["used"]),
        "stopped": gettext("停钟 %(stopped)s", stopped=said["stopped"]),
        "left": gettext("还剩 %(left)s", left=said["left"]),
        "late": gettext("超期 %(late)s", late=said["late"]),
    }
    return {
        "parts": {name: round(size * 100 / total, 2) for name, size in parts.items()},
        "words": gettext("，").join(words[name] for name, size in parts.items() if size),
    }


_OVERDUE = {"deemed_accepted": "deem-accept", "deemed_withdrawn": "deem-withdraw"}


def waits(hall: str, case_id: int, state: CaseState, rules: Mapping[str, Any], at: datetime) -> list[dict[str, Any]]:
    """What the case waits for by itself, the soonest first, and what follows when the day has passed.

    Nothing follows on what a department has asked for, nor on a gap after the decision.
    """
    mine = (CaseAlarm.hall == hall, CaseAlarm.case_id == case_id, CaseAlarm.due_at.is_not(None))
    untaken = select(CaseReview.hall).where(
        CaseReview.hall == hall,
        CaseReview.case_id == case_id,
        CaseReview.state == "open",
        CaseReview.taken_by.is_(None),
    )
    if not db.session.execute(untaken.limit(1)).first():
        mine += (CaseAlarm.kind != Alarm.STAGE,)  # it rings for parts only that nobody has taken
    rows = db.session.execute(select(CaseAlarm.kind, CaseAlarm.due_at).where(*mine).order_by(CaseAlarm.due_at))
    follows = {
        Alarm.NOTICE: rules["not_notified"],
        Alarm.SUPPLEMENT: rules["supplement"]["overdue"] if state in INTAKE else "",
        Alarm.GAP: rules["gap_overdue"] if state in DECIDING else "",
    }
    return [
        {"kind": kind, "due_at": iso(due_at), "late": due_at <= at, "then": _OVERDUE.get(follows.get(kind, ""), "")}
        for kind, due_at in rows
    ]


def whole_of(hall: str, case_id: int) -> dict[str, str]:
    """The numbers of the one-thing case and the agency order of which this case is a part; {} for neither."""
    mine = select(Case.joint_id, Case.agency_id).where(Case.hall == hall, Case.id == case_id)
    joint, agency = db.session.execute(mine).one()
    found = {"joint": joint_number(hall, joint)} if joint else {}
    return found | ({"agency": order_view(hall, agency, now())["number"]} if agency else {})


def people_of(view: Mapping[str, Any]) -> dict[str, str]:
    """The accounts that the view names beside its history → the names of these people."""
    parts = view["departments"]
    accounts = {
        account
        for part in parts
        for key in ("taken_by", "proposed_by", "decided_by")
        if part[key]
        for account in part[key].split()
    }
    accounts |= {(view["no_request"] or {}).get("by")} - {None}
    return names_of(accounts)


def takes(view: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The materials that a window takes in now: those that are missing, after a decision those that were tolerated."""
    undecided = CaseState(view["state"]) in INTAKE | DECIDING
    return [m for m in view["materials"] if m["tolerated"] or (undecided and m["state"] == "missing")]


def window_steps(view: Mapping[str, Any], actor: Actor) -> set[str]:
    """The steps of this panel that the actor may take now. A second notice is a supervisor's; in review it is theirs too."""
    legal = {step for step in view["steps"] if step in STEPS}
    may = {step for step in legal if any(actor.may(permission) for permission in STEPS[step][1])}
    at_window = CaseState(view["state"]) in INTAKE
    asked = any(part["asked"] for part in view["departments"] if part["state"] == "open")
    told_before = view["flags"]["told"] if at_window else asked
    if "request-supplement" in may and not actor.may(P.CASE_OVERRIDE) and (told_before or not at_window):
        may.discard("request-supplement")
    if "request-supplement" in may and actor.may(P.CASE_OVERRIDE) and not (told_before or actor.may(P.CASE_ACCEPT)):
        may.discard("request-supplement")  # the first notice is the window's own, or the department's
    if not takes(view):
        may.discard("supply")
    request_open = view["no_request"] and not view["no_request"]["answer"]
    return may - {"accept", "no-request"} if request_open else may


@pages.get("/cases/<number>")
@requires(P.CASE_READ)
def page(number: str) -> str:
    """The page of one case, people masked."""
    return case_page(number)


@pages.post("/cases/<number>/<step>")
@requires(P.CASE_READ)
def take(number: str, step: str) -> tuple[str, int] | AnyResponse:
    """One step at the window. What is refused comes back with what was typed."""
    if step not in STEPS:
        raise Refusal("request.not_found")
    run, demands = STEPS[step]
    actor = staff(*demands)
    hall, case_id = own_case(number, actor)
    try:
        given = _read(step)
        with once(actor):
            view = run(hall=hall, actor=actor, at=now(), case_id=case_id, **given)
    except Refusal as refusal:
        if refusal.status not in (409, 422):
            raise
        return case_page(number, form=request.form, step=step, error=wording.told(refusal)), refusal.status
    flash(_done(step, view), "ok")
    return redirect(url_for("cases.page", number=view["number"]), code=303)


def _read(step: str) -> dict[str, Any]:
    """What the form of a step says, as its action wants it."""
    fields = request.form
    if step == "accept":
        if not fields.get("tolerant"):
            return {"tolerant": None}
        return {
            "tolerant": {"commitment": fields.get("commitment", "")[:1000], "gap_limit": fields.get("gap_limit", "")}
        }
    if step == "request-supplement":
        codes = fields.getlist("code")
        items = [{"code": code, "problem": fields.get(f"problem-{code}", "")} for code in codes]
        return {"items": items, "repeat_reason": fields.get("repeat_reason", "")}
    if step == "supply":
        return {"items": [{"code": code, "state": "received"} for code in fields.getlist("code")]}
    if step == "no-request":
        return {"kind": fields.get("kind", ""), "reason": fields.get("reason", "")}
    if step == "void":
        return {"reason": fields.get("reason", "")}
    if step == "backdate":
        return {
            "received_at": instant(fields.get("received_at"), gettext("收件时间")),
            "reason": fields.get("reason", ""),
        }
    return {}


def _done(step: str, view: Mapping[str, Any]) -> str:
    """What the step brought about, in one sentence."""
    if step == "supply":
        lacking = any(m["state"] == "missing" and (m["required"] or m["requested"]) for m in view["materials"])
        return gettext("已记下补正材料，还有材料未交") if lacking else gettext("材料已补齐")
    sentences = {
        "accept": gettext("已受理，两个时限从今天起算"),
        "request-supplement": gettext("已出具一次性告知书，请打印后交申请人"),
        "no-request": gettext("请示已送首席代表，请告知申请人稍候"),
        "withdraw": gettext("已按申请人意愿撤回"),
        "backdate": gettext("收件时间已更正，新的收件凭证已生成"),
        "void": gettext("已作废，编号不再使用"),
    }
    return sentences[step]


@pages.post("/cases/<number>/reveal")
@requires(P.CASE_REVEAL)
def reveal(number: str) -> tuple[str, int] | AnyResponse | str:
    """One masked field in full, with a reason that goes into the record; it hides again after half a minute."""
    actor = staff(P.CASE_REVEAL)
    hall, case_id = own_case(number, actor)
    field, reason = request.form.get("field", ""), request.form.get("reason", "")
    given = {"case_id": case_id, "field": field, "reason": reason}
    if field not in FIELDS:
        raise Refusal("request.invalid", detail="field")
    shown = reveal_field(hall=hall, actor=actor, at=now(), **given)
    if request.headers.get("HX-Request"):
        masked = case_view(hall, case_id, now())["applicant"][field] or ""
        return render_template("cases/revealed.html", value=shown["value"], masked=masked, seconds=HIDE_AFTER_S)
    answer = Response(case_page(number, revealed={field: shown["value"]}))
    answer.headers["Refresh"] = (
        f"{HIDE_AFTER_S}; url={url_for('cases.page', number=number)}"  # hides without scripts too
    )
    return answer


@pages.get("/cases/<number>/deadline.pdf")
@requires(P.CASE_READ)
def deadline_paper(number: str) -> Response:
    """Why both deadlines fall on their days, to be printed: drawn from the record as it stands, the applicant masked."""
    hall, case_id = own_case(number, staff(P.CASE_READ))
    return ledger_answer(hall, case_id, now())


@pages.get("/cases/<number>/papers.pdf")
@requires(P.CASE_READ)
def all_papers(number: str) -> Response:
    """The papers of a case as one file to print at once: all, or from the paper `since` on. They name people in full.

    A courier slip that somebody else issued is left out; it is opened alone.
    """
    actor, since = staff(P.CASE_READ), whole(request.args.get("since"))
    hall, case_id = own_case(number, actor)
    return pdf_answer(papers.pdf_of_case(hall, case_id, actor.ref, since, language=language_asked()), number[:40])


@pages.route("/notices/<public_id>.pdf", methods=["GET", "POST"])
@requires(P.CASE_READ)
def paper(public_id: str) -> Response | str:
    """One issued paper as PDF, the same every time. It names people in full; a courier slip asks others why."""
    actor, found = staff(P.CASE_READ), _PAPER.fullmatch(public_id)
    if found is None:
        raise Refusal("notice.unknown")
    hall, notice_id = found[1], int(found[2])
    issued = papers.notice(hall, notice_id)
    if not works_with(actor.hall, hall, issued["case_id"] or 0):
        raise Refusal("auth.foreign_hall")
    asked = asked_why(actor, hall, issued)
    return asked or paper_answer(hall, notice_id)
