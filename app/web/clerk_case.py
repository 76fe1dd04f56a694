"""The acceptance sheet of a case that was received: complete or not, what to tell, what to wait for, how to go on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import force_locale, gettext, lazy_gettext
from werkzeug.wrappers import Response

from app.casework.finish import convert_case, finish_case
from app.casework.intake import NO_REQUESTS, accept_case, raise_no_request
from app.casework.levels_queries import works_with
from app.casework.queries import case_view, find_case, frozen_guide
from app.casework.rules.clocks import read_limit
from app.casework.rules.materials import MaterialState
from app.casework.rules.states import DECIDING, INTAKE, CaseState
from app.casework.sharing import share_material
from app.casework.supplement import request_supplement, supply
from app.catalog.rules.classes import TimeClass
from app.errors import Refusal
from app.hall.queries import schedule
from app.hall.rules.clock import reckon
from app.now import iso, now
from app.people.gate import requires
from app.people.permissions import Permission
from app.web import wording
from app.web.case_history import last_issued, paper_title
from app.web.cases import takes
from app.web.clerk_parts import pages
from app.web.desk import staff_of_hall, whole
from app.web.forms import new_key, once

_ = lazy_gettext

# what is usually wrong with a paper → the words of the notice, and which of the two defects of 行政许可法 §32(4) it is
PROBLEMS: dict[str, tuple[Any, str]] = {
    "absent": (_("未提交"), "incomplete"),
    "pages": (_("缺页或缺附件"), "incomplete"),
    "copies": (_("份数不足"), "incomplete"),
    "blank": (_("内容没有填写完整"), "incomplete"),
    "form": (_("不符合法定形式"), "form"),
    "signature": (_("未签字或者未盖章"), "form"),
    "expired": (_("已过有效期"), "form"),
    "differs": (_("所填内容与证件不一致"), "form"),
    "unclear": (_("复印件不清晰"), "form"),
    "original": (_("没有原件供核对"), "form"),
}
HERE = (MaterialState.RECEIVED, MaterialState.SHARED)
LONGEST_PROBLEM = 200  # characters on the notice
COMMITMENT = "申请人承诺在期限内补齐上述材料，逾期自愿视为撤回。"  # goes onto a paper, which is in Chinese
PLEDGE = "申请人已知晓告知事项，符合办理条件，愿意承担不实承诺的法律责任。"
FIELD_OF = {
    "case.tolerant_commitment": "commitment",
    "case.tolerant_gap": "gap_limit",
    "case.commitment_required": "pledge",
    "case.no_request_kind": "kind",
    "case.reason_required": "reason",
    "case.nothing_missing": "ask",
}


def _own(number: str) -> tuple[str, int]:
    """(hall, id) of a case of the clerk's own hall, or one that went up to it. Refuses case.unknown, auth.foreign_hall."""
    hall, case_id = find_case(number[:40])
    if not works_with(staff_of_hall()[1], hall, case_id):
        raise Refusal("auth.foreign_hall")
    return hall, case_id


@pages.get("/cases/<number>")
@requires(Permission.CASE_ACCEPT)
def sheet(number: str) -> str:
    """The sheet of a case: its papers on the left, what may be done with it on the right."""
    return _sheet(*_own(number))


def _sheet(hall: str, case_id: int, **more: Any) -> str:
    """The sheet; `more` may hold `form` (what was typed), `way` (which part), `error` and `error_field`."""
    view, guide, at = case_view(hall, case_id, now()), frozen_guide(hall, case_id), now()
    lacking = [m for m in view["materials"] if m["required"] and m["state"] not in HERE]
    ways = _ways(view, guide, lacking)
    asked = more.get("way")
    shown = asked if asked in ways else _first_way(ways)  # to look for an e-licence is no part of its own
    return render_template(
        "clerk/case.html",
        **{"form": {}, "error": "", "error_field": "", **more, "way": shown},
        case=view,
        guide=guide,
        lacking=lacking,
        takes=[m["code"] for m in takes(view)],
        ways=ways,
        supplement=_supplement(hall, guide),
        promised=view["clocks"]["promised"]["limit"],
        longest=view["clocks"]["statutory"]["limit"],
        waiting=_waiting(view, ways),
        problems=PROBLEMS,
        no_request_kinds=NO_REQUESTS,
        commitment=COMMITMENT,
        pledge=PLEDGE,
        key=new_key,
        paper_title=paper_title,
        last_issued=last_issued,
        at=at,
    )


def _ways(view: Mapping[str, Any], guide: Mapping[str, Any], lacking: Sequence[Mapping[str, Any]]) -> list[str]:
    """What may be done on this sheet now, in the order in which it is offered."""
    steps, at_window = set(view["steps"]), CaseState(view["state"]) in INTAKE
    asked = bool(view["no_request"] and not view["no_request"]["answer"])
    told = view["flags"]["told"]
    secondary = bool(lacking) and all(m["kind"] == "secondary" for m in lacking)
    instant = TimeClass(view["item"]["time_class"]).on_the_spot
    offered = {
        "accept": "accept" in steps and not lacking and not asked,
        "supply": "supply" in steps and bool(takes(view)),
        "notice": "request-supplement" in steps and at_window and not told and bool(view["materials"]),
        "tolerant": "accept" in steps and secondary and not asked,
        "pledge": "accept" in steps and guide["commitment"] is not None and (secondary or not lacking) and not asked,
        "no-request": "no-request" in steps and not asked,
        "finish": "finish" in steps and instant,
        "convert": "convert" in steps and instant,
    }
    return [way for way, may in offered.items() if may]


def _first_way(ways: Sequence[str]) -> str:
    """The part that stands open: what most probably comes next. A conversion is asked for, never offered first."""
    return next((way for way in ("finish", "accept", "notice", "supply") if way in ways), "")


def _waiting(view: Mapping[str, Any], ways: Sequence[str]) -> str:
    """The departments whose decision the applicant waits for at the window; empty when it is not the window that waits."""
    if "convert" not in ways or CaseState(view["state"]) not in DECIDING:
        return ""
    parts = [wording.named(part, "department") for part in view["departments"] if part["state"] == "open"]
    return gettext("、").join(parts) or wording.named(view["item"], "department")


def _supplement(hall: str, guide: Mapping[str, Any]) -> dict[str, Any]:
    """Until when the applicant may bring what is missing, and what follows, as the case's regime has it."""
    rule = guide["rules"]["supplement"]
    due = reckon(now(), read_limit(rule["limit"]), [], schedule(hall)).due_at if rule["limit"] else None
    return {**rule, "due_at": iso(due) if due else None}


# ── one step ────────────────────────────────────────────────────────────────────────────────────────────────────


@pages.post("/cases/<number>/<way>")
@requires(Permission.CASE_ACCEPT)
def take(number: str, way: str) -> str | tuple[str, int] | Response:
    """One step of the sheet. What is refused comes back with what was typed, the sentence beside its field."""
    actor, _hall = staff_of_hall()
    if way not in STEPS:
        raise Refusal("request.not_found")
    hall, case_id = _own(number)
    again = {"form": request.form, "way": way}
    if way == "notice" and request.form.get("next") != "issue":
        if request.form.get("next") == "back":
            return _sheet(hall, case_id, **again)
        return _preview(hall, case_id)
    try:
        run, given = STEPS[way]()
        with once(actor):
            run(hall=hall, actor=actor, at=now(), case_id=case_id, **given)
    except Refusal as refusal:
        if refusal.status not in (409, 422):
            raise
        field = FIELD_OF.get(refusal.code, str(refusal.facts.get("field", "")))
        return _sheet(hall, case_id, **again, error=wording.told(refusal), error_field=field), refusal.status
    flash(str(DONE[way]), "ok")
    return redirect(url_for("clerk.sheet", number=number), code=303)


def _preview(hall: str, case_id: int) -> str | tuple[str, int]:
    """The notice as the applicant will read it, before it is issued: after that nothing more may be asked for."""
    asked = _asked()
    view, guide = case_view(hall, case_id, now()), frozen_guide(hall, case_id)
    told = {item["code"]: item for item in asked}
    lines = []
    for material in view["materials"]:
        lacks = material["required"] and material["state"] not in HERE
        if material["code"] in told or lacks:
            lines.append(
                {**material, "problem": "", **told.get(material["code"], {}), "added": material["code"] not in told}
            )
    if not lines:
        error = wording.told(Refusal("case.nothing_missing"))
        return _sheet(hall, case_id, form=request.form, way="notice", error=error, error_field="ask"), 422
    return render_template(
        "clerk/notice.html",
        case=view,
        lines=lines,
        supplement=_supplement(hall, guide),
        guide=guide,
        form=request.form,
        key=new_key(),
    )


def _asked() -> list[dict[str, str]]:
    """The ticked papers with the problem in the words of the paper, which is in Chinese whatever the page speaks."""
    fields, items = request.form, []
    for code in fields.getlist("ask"):
        phrase, defect = PROBLEMS.get(fields.get(f"why-{code}", ""), ("", "incomplete"))
        with force_locale("zh"):
            words = [str(phrase), fields.get(f"text-{code}", "").strip()]
        items.append({"code": code, "problem": "：".join(filter(None, words))[:LONGEST_PROBLEM], "defect": defect})
    return items


def _limit() -> dict[str, Any]:
    return {"amount": whole(request.form.get("amount")), "unit": request.form.get("unit", "WD")}


def _word(name: str) -> str:
    return request.form.get(name, "")[:1000]


STEPS: dict[str, Any] = {
    "accept": lambda: (accept_case, {}),
    "supply": lambda: (supply, {"items": [{"code": c, "state": "received"} for c in request.form.getlist("got")]}),
    "share": lambda: (share_material, {"code": _word("share")}),
    "notice": lambda: (request_supplement, {"items": _asked()}),
    "tolerant": lambda: (
        accept_case,
        {"tolerant": {"commitment": _word("commitment"), "gap_limit": _word("gap_limit")}},
    ),
    "pledge": lambda: (accept_case, {"commitment": {"text": _word("pledge")}}),
    "no-request": lambda: (raise_no_request, {"kind": _word("kind"), "reason": _word("reason")}),
    "finish": lambda: (finish_case, {}),
    "convert": lambda: (convert_case, {"limit": _limit(), "reason": _word("reason")}),
}
DONE = {
    "accept": _("已受理，两个时限从今天起算"),
    "supply": _("已记下补正材料"),
    "share": _("已用电子证照代替纸质材料"),
    "notice": _("已出具一次性告知书，请打印后交申请人"),
    "tolerant": _("已容缺受理，请打印承诺书由申请人签字"),
    "pledge": _("已按告知承诺受理，请打印承诺书由申请人签字"),
    "no-request": _("请示已送首席代表，请告知申请人稍候"),
    "finish": _("已当场办结，结果交给申请人"),
    "convert": _("已转为承诺件，申请人不必在窗口等候"),
}
