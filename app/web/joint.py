"""One-thing cases 一件事: choose a theme, one form and one checklist, check, one receipt; then the page of the whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, g, make_response, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response

from app.casework import joint, joint_collection, joint_receipt
from app.casework.joint_queries import find_joint, joint_ledger, joint_list, joint_view, to_bring
from app.casework.reveal import reveal_form
from app.casework.rules.joint import JointState, JointStep, line_of
from app.catalog.queries import theme as theme_of
from app.catalog.queries import themes
from app.errors import Refusal
from app.events import Actor
from app.now import now
from app.people.gate import requires
from app.people.permissions import Permission
from app.privacy import REASONS
from app.queueing.queries import person_of, window_of_staff
from app.web import receiving, wording
from app.web.case_history import paper_title
from app.web.clerk_parts import ticket_at_window
from app.web.desk import staff, staff_of_hall
from app.web.forms import new_key, once
from app.web.stories import tell

pages = Blueprint("joint", __name__, url_prefix="/joint")

P = Permission
HIDE_AFTER_S = 30
STEPS: dict[str, Any] = {
    "accept": joint.accept_joint,
    "request-supplement": joint.request_joint_supplement,
    "supply": joint.supply_joint,
    "extend": joint.extend_joint,
    "ready": joint_collection.ready_joint,
    "hand-over": joint_collection.hand_over_joint,
    "withdraw": joint.withdraw_joint,
}


@pages.get("")
@requires(P.CASE_READ)
def desk() -> str:
    """The themes of the hall, and the one-thing cases that are open."""
    actor = staff()
    state = request.args.get("state", "")
    page = request.args.get("page", 1, type=int)
    chosen = state if state in set(JointState) else None
    return render_template(
        "joint/desk.html",
        themes=themes() if actor.may(P.CASE_ACCEPT) and actor.hall else [],
        found=joint_list(at=now(), hall=actor.hall, state=chosen, page=page),
        state=chosen or "",
        states=[s.value for s in JointState],
    )


@pages.app_template_global()
def bundles(item: str = "") -> list[dict[str, Any]]:
    """The themes that a window offers: all of them, or those of which this item is a part."""
    return [one for one in themes() if not item or any(child["item"] == item for child in one["children"])]


# ── taking in ───────────────────────────────────────────────────────────────────────────────────────────────────


@pages.get("/new/<code>")
@requires(P.CASE_ACCEPT)
def new(code: str) -> str:
    """The merged form and the merged checklist of one theme."""
    return _form(code)


def _form(code: str, **more: Any) -> str:
    _actor, hall = staff_of_hall()
    theme, ticket_id = theme_of(code[:80]), ticket_at_window()
    return render_template(
        "joint/form.html",
        **{"form": {}, "error": "", "wrong": {}, **more},
        theme=theme,
        questions=[{**f, "options": [(c["code"], wording.named(c)) for c in f["choices"]]} for f in theme["form"]],
        person=person_of(hall, ticket_id) if ticket_id else {},
        ticket_id=ticket_id or "",
    )


def _read(theme: Mapping[str, Any]) -> dict[str, Any]:
    """The one-thing case that the form describes; the applicant may be the person of the ticket."""
    _actor, hall = staff_of_hall()
    fields = request.form
    ticket_id = ticket_at_window()
    hint = person_of(hall, ticket_id) if ticket_id and fields.get("as_ticket") else {}
    applicant = {"kind": fields.get("kind", "person")}
    for name in ("name", "id_number", "phone"):
        applicant[name] = fields.get(name, "").strip() or hint.get(name, "")
    agent = {name: fields.get(f"agent_{name}", "").strip() for name in ("name", "id_number", "phone", "letter")}
    return {
        "theme": theme["code"],
        "applicant": applicant,
        "agent": agent if any(agent.values()) else None,
        "form": {field["key"]: fields.get(f"a-{field['key']}", "") for field in theme["form"]},
        "materials": [
            {"code": m["code"], "state": fields.get(f"m-{m['code']}", "missing" if m["required"] else "not_needed")}
            for m in theme["materials"]
        ],
        "ticket_id": ticket_id,
    }


@pages.post("/new/<code>/check")
@requires(P.CASE_ACCEPT)
def check(code: str) -> str | tuple[str, int]:
    """Check the answers before the whole is taken in."""
    theme = theme_of(code[:80])
    given = _read(theme)
    try:
        wrong = joint_receipt.proofread(theme, given)
    except Refusal as refusal:
        return _again(theme, refusal)
    if wrong:
        return _marked(theme, wrong), 422
    states = {m["code"]: m["state"] for m in given["materials"]}
    first = min(child["position"] for child in theme["children"])
    now_items = {child["item"] for child in theme["children"] if child["position"] == first}
    lines = [
        {**m, "state": states[m["code"]], "wanted": any(use["item"] in now_items for use in m["serves"])}
        for m in theme["materials"]
    ]
    lacking = [m for m in lines if m["wanted"] and m["required"] and m["state"] not in ("received", "shared")]
    return render_template(
        "joint/check.html", theme=theme, given=given, lines=lines, lacking=lacking, form=request.form, key=new_key()
    )


def _again(theme: Mapping[str, Any], refusal: Refusal) -> tuple[str, int]:
    """The form with what was typed and why it cannot be taken in."""
    if refusal.status not in (409, 422):
        raise refusal
    return _form(theme["code"], form=request.form, error=wording.told(refusal)), refusal.status


def _marked(theme: Mapping[str, Any], wrong: Mapping[str, Refusal]) -> str:
    """The form with what was typed, and beside each field that is wrong what it wants."""
    asked = {f"a-{field['key']}": field for field in theme["form"]}
    told = {name: _wanted(refusal, asked.get(name)) for name, refusal in wrong.items()}
    error = ngettext("有 %(num)d 处要改，已在下面标出", "有 %(num)d 处要改，已在下面标出", len(told))
    return _form(theme["code"], form=request.form, error=error, wrong=told)


def _wanted(refusal: Refusal, field: Mapping[str, Any] | None) -> str:
    """What an answer must be; the question by its name in the reader's language."""
    if field is None:
        return wording.told(refusal)
    if field["type"] == "choice":
        return gettext("请选择一项")
    if refusal.code == "request.invalid":
        return gettext("请填数字，小数最多四位")
    return wording.told(Refusal(refusal.code, **{**refusal.facts, "field": wording.named(field, "label")}))


@pages.post("/new/<code>")
@requires(P.CASE_ACCEPT)
def receive(code: str) -> str | tuple[str, int]:
    """Take the whole in and, when asked, accept it at once; the page shows the codes. A second press changes nothing."""
    actor, hall = staff_of_hall()
    theme = theme_of(code[:80])
    if request.form.get("next") == "back":
        return _form(code, form=request.form)
    window = window_of_staff(hall, actor.id)
    try:
        with once(actor):
            view = joint_receipt.receive_joint(hall=hall, actor=actor, at=now(), window=window, **_read(theme))
    except Refusal as refusal:
        return _again(theme, refusal)
    if request.form.get("next") == "accept":
        try:
            joint.accept_joint(hall=hall, actor=actor, at=now(), joint_id=find_joint(view["number"])[1])
        except Refusal as refusal:  # a repeated press finds it accepted already
            if refusal.code != "joint.illegal_step":
                raise
    g.here = url_for("joint.page", number=view["number"])
    return _page(view["number"], codes={name: view[name] for name in ("query_code", "pickup_code")})


# ── the page of the whole ───────────────────────────────────────────────────────────────────────────────────────


def _own(number: str) -> tuple[Actor, str, int]:
    actor = staff()
    hall, joint_id = find_joint(number[:40])
    if actor.hall not in (None, hall):
        raise Refusal("auth.foreign_hall")
    return actor, hall, joint_id


def _page(number: str, **more: Any) -> str:
    actor, hall, joint_id = _own(number)
    at = now()
    view = joint_view(hall, joint_id, at)
    return render_template(
        "joint/page.html",
        **{"form": {}, "step": "", "error": "", "error_field": "", "codes": None, "revealed": None, **more},
        joint=view,
        reasons=REASONS if actor.may(P.CASE_REVEAL) else (),
        may={step for step in view["steps"] if _may(actor, view, step)},
        lacking=to_bring(view["materials"]),
        ledger=joint_ledger(hall, joint_id, at) if view["accepted_at"] else None,
        story=tell(view),
        running=view["state"] == "accepted",
        key=new_key,
        paper_title=paper_title,
        reads_cases=actor.may(P.CASE_READ),
        hands_out=actor.may(P.CASE_HAND_OVER) and not actor.may(P.CASE_ACCEPT),
    )


def _may(actor: Actor, view: Mapping[str, Any], step: str) -> bool:
    line = line_of(JointState(view["state"]), JointStep(step))
    return line is not None and any(actor.may(permission) for permission in line.who)


@pages.get("/<number>")
@requires(P.CASE_READ)
def page(number: str) -> str:
    """The whole: its parts, its clocks, its papers, what may be done."""
    return _page(number)


@pages.post("/<number>/reveal")
@requires(P.CASE_REVEAL)
def reveal(number: str) -> Response:
    """The form in full, with a reason that goes into the record; hidden again after half a minute."""
    actor, hall, joint_id = _own(number)
    reason = request.form.get("reason", "")
    shown = reveal_form(hall=hall, actor=actor, at=now(), joint_id=joint_id, reason=reason)
    answer = make_response(_page(number, revealed=shown["form"]))
    answer.headers["Refresh"] = f"{HIDE_AFTER_S}; url={url_for('joint.page', number=number)}"
    return answer


@pages.post("/<number>/<step>")
@requires(P.CASE_ACCEPT, P.CASE_HAND_OVER, P.CASE_EXTEND_JOINT)
def take(number: str, step: str) -> tuple[str, int] | Response:
    """One step with the whole. What is refused comes back with what was typed."""
    if step not in STEPS:
        raise Refusal("request.not_found")
    actor, hall, joint_id = _own(number)
    if step == "hand-over" and (lacking := receiving.missing(number)):
        told = {"form": request.form, "step": step, "error": lacking[0], "error_field": lacking[1]}
        return _page(number, **told), 422
    try:
        with once(actor):
            view = STEPS[step](hall=hall, actor=actor, at=now(), joint_id=joint_id, **_given(step))
    except Refusal as refusal:
        at_field = receiving.at_field(refusal)
        if refusal.status not in (409, 422) and not at_field:
            raise
        at_field = at_field or str(refusal.facts.get("field", ""))
        told = {"form": request.form, "step": step, "error": wording.told(refusal), "error_field": at_field}
        return _page(number, **told), refusal.status
    flash(_done(step, view), "ok")
    return redirect(url_for("joint.page", number=view["number"]), code=303)


def _given(step: str) -> dict[str, Any]:
    fields = request.form
    if step == "request-supplement":
        codes = fields.getlist("code")
        return {"items": [{"code": code, "problem": fields.get(f"problem-{code}", "")} for code in codes]}
    if step == "supply":
        return {"items": [{"code": code} for code in fields.getlist("code")]}
    if step == "extend":
        return {"reason": fields.get("reason", "")}
    if step == "ready":
        return {"shelf": fields.get("shelf", "")}
    if step == "hand-over":
        return {**receiving.given(), "only": fields.getlist("only")}
    return {}


def _done(step: str, view: Mapping[str, Any]) -> str:
    """What the step brought about, in one sentence."""
    if step == "supply":
        if view["state"] == "correction":
            return gettext("已记下补正材料，还有材料未交")
        *_before, last = view["history"]
        if any(row["kind"] == "joint.accepted" and row["at"] == last["at"] for row in view["history"]):
            return gettext("材料已收齐并一次受理，请把综合受理单交申请人")
        return gettext("材料已收下")
    return {
        "accept": gettext("已一次受理，请把综合受理单交申请人"),
        "request-supplement": gettext("已出具合并告知书，请打印后交申请人"),
        "extend": gettext("已延期，请把延期通知书交申请人"),
        "ready": gettext("结果已到窗，一个领取码领取全部"),
        "hand-over": gettext("已交付，签名已登记")
        if request.form.get("signature")
        else gettext("已交付，请申请人在送达回证上签字"),
        "withdraw": gettext("已按申请人意愿撤回"),
    }[step]
