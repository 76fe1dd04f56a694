"""Where a case is, in plain words for its applicant: at which office since when, what happened, why the day is that day.

Nothing here names a person: only offices, papers by their titles, and days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext

from app import eventlog
from app.casework.cases import stops_of
from app.casework.models import CaseStop
from app.casework.queries import frozen_guide
from app.casework.rules.states import DECIDING, INTAKE, OVER, PICKUP, CaseState
from app.db import db
from app.events import Recorded, encode
from app.hall.queries import hall as hall_of
from app.notices.queries import notices_of_case
from app.now import iso
from app.web import case_history, times, wording

# what an applicant is told of the record; the rest is the office's own work
TOLD = frozenset(
    f"case.{name}"
    for name in (
        *("collected", "received", "backdated", "supplement_requested", "supplemented", "accepted", "not_accepted"),
        *("converted", "taken", "reviewed", "suspended", "resumed", "overran", "extended", "returned", "forwarded"),
        *("decided", "ready", "dispatched", "delivered", "signed", "checked", "revoked", "overdue_explained"),
        *("came_back", "reminded", "withdrawn", "voided"),
    )
)
# what brings the case into another office's hands
_MOVES = frozenset(
    f"case.{name}"
    for name in (
        *("collected", "received", "accepted", "taken", "reviewed", "returned", "forwarded", "decided", "ready"),
        *("dispatched", "delivered", "came_back", "withdrawn", "voided"),
    )
)
_OFFICE = "service"  # 送达回证 is filled in by the office; the applicant signs it and keeps none


def of(view: Mapping[str, Any], hall: str, case_id: int) -> dict[str, Any]:
    """All that the page says beyond the public view of the case."""
    guide = frozen_guide(hall, case_id)
    events = [row for row in eventlog.read_subject(hall, f"case:{case_id}") if row.event.kind in TOLD]
    stops = stops_of(db.session(), hall, case_id)
    rules = guide["rules"]
    state = CaseState(view["state"])
    return {
        "office": _office(view, state, events),
        "since": next((iso(row.at) for row in reversed(events) if row.event.kind in _MOVES), None),
        "now": _under_way(view, state) or _now(view, state, stops),
        "stops": [_stop(stop) for stop in stops],
        "stopped": next((_stop(stop) for stop in stops if stop.until_at is None), None) if state in DECIDING else None,
        "longer": [_longer(row) for row in events if row.event.kind in ("case.extended", "case.converted")],
        "overdue": state in DECIDING and view["promised"]["late"],
        "unlawful": state in DECIDING and view["statutory"]["late"],  # may come first, after a site check
        "to_bring": _to_bring(view, state, rules),
        "fee": guide["fee"] if guide["fee"]["basis"] else None,
        "story": _story(events, guide),
        "papers": [
            {"title": case_history.paper_title(paper), "number": paper["number"], "at": paper["issued_at"]}
            for paper in notices_of_case(hall, case_id)
            if paper["kind"] != _OFFICE
        ],
        "may_withdraw": state in INTAKE | DECIDING,
        "collect": state in PICKUP and not view["under_way_to"],
        "check_within": (guide["commitment"] or {}).get("check_within") if view["flags"]["on_commitment"] else None,
        "revoked": next((iso(row.at) for row in events if row.event.kind == "case.revoked"), None),
    }


def _office(view: Mapping[str, Any], state: CaseState, events: Sequence[Recorded]) -> str:
    """Which office has the case now; empty when it is over."""
    if state in INTAKE or state is CaseState.DRAFT:
        return wording.named(hall_of(view["handled_in"]))
    if state is CaseState.FORWARDED:
        above = [encode(row.event)["to_hall"] for row in events if row.event.kind == "case.forwarded"]
        return case_history.hall_name(above[-1]) if above else ""
    if _under_way(view, state):
        return ""
    if state in DECIDING:
        open_ = [part for part in view["departments"] if part["state"] == "open"]
        return gettext("、").join(wording.named(part, "department") for part in open_)
    return gettext("%(hall)s出件窗口", hall=wording.named(hall_of(view["handled_in"]))) if state in PICKUP else ""


def _under_way(view: Mapping[str, Any], state: CaseState) -> str:
    """To which office a result travels; empty when it lies somewhere."""
    if state not in PICKUP or not view["under_way_to"]:
        return ""
    return gettext("结果正在送往%(hall)s，到了再通知您", hall=case_history.hall_name(view["under_way_to"]))


def _now(view: Mapping[str, Any], state: CaseState, stops: Sequence[CaseStop]) -> str:
    """What goes on; a procedure that stops the clock by its own name."""
    ground = next((wording.word(stop.ground, "ground") for stop in stops if stop.until_at is None), "")
    if ground and state is CaseState.SPECIAL:
        return gettext("正在进行%(ground)s，时限暂停计算", ground=ground)
    if ground and state is CaseState.SITE_CHECK:
        return gettext("正在进行%(ground)s，承诺时限暂停计算", ground=ground)
    return note(view, state)


def _stop(stop: CaseStop) -> dict[str, Any]:
    return {
        "ground": stop.ground,
        "days": stop.days,
        "both": stop.clocks != "promised",
        "from_at": iso(stop.from_at),
        "until_at": iso(stop.until_at),
    }


def _longer(row: Recorded) -> dict[str, str]:
    title, particulars = case_history.line(row.event.kind, encode(row.event))
    return {"at": times.day(row.at), "title": title, "note": particulars}


def _to_bring(view: Mapping[str, Any], state: CaseState, rules: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is to be brought, the papers of one day together and the first day first, and whether more hangs on it.

    The application counts as withdrawn after a gap while nothing is decided, after a notice only before the acceptance:
    a department goes on without what it has asked for.
    """
    deemed = {
        True: state in DECIDING and rules["gap_overdue"] == "deemed_withdrawn",
        False: state in INTAKE and rules["supplement"]["overdue"] == "deemed_withdrawn",
    }
    days: dict[tuple[str, bool], list[Any]] = {}
    for paper in view["to_bring"]:
        days.setdefault((paper["bring_by"] or "", paper["tolerated"]), []).append(paper)
    return [
        {"by": by, "withdrawn_if_late": deemed[tolerated], "papers": papers}
        for (by, tolerated), papers in sorted(days.items(), key=lambda day: day[0][0] or "9")
    ]


def _story(events: Sequence[Recorded], guide: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What happened, the newest first, without who did it."""
    told: list[dict[str, Any]] = []
    for row in events:
        kind, body = row.event.kind, encode(row.event)
        title, particulars = case_history.line(kind, body, {"materials": guide["materials"]})
        if kind == "case.received":
            particulars = ""  # the window's code says nothing to an applicant
        if told and kind in case_history.FOLLOWS and told[-1]["at"] == iso(row.at):
            continue
        told.append({"title": title, "note": particulars, "at": iso(row.at)})
    return told[::-1]


def note(view: Mapping[str, Any], state: CaseState) -> str:
    """What goes on in this state, in one sentence."""
    if state is CaseState.CORRECTION and not view["to_bring"]:
        return gettext("材料已收齐，正在请示是否受理，结果书面告知您")
    notes = {
        CaseState.DRAFT: gettext("村（社区）已代收材料，正送往大厅"),
        CaseState.RECEIVED: gettext("窗口正在核对材料"),
        CaseState.CORRECTION: gettext("请补交材料，补齐后受理"),
        CaseState.ACCEPTED: gettext("已转交审批部门"),
        CaseState.REVIEW: gettext("审批部门正在审查"),
        CaseState.SPECIAL: gettext("正在进行听证、检验、鉴定或专家评审等特别程序，时限暂停计算"),
        CaseState.SITE_CHECK: gettext("正在现场勘验或技术审查，承诺时限暂停计算"),
        CaseState.REVIEW_CORRECTION: gettext("审查中发现材料需要补正，承诺时限暂停计算"),
        CaseState.FORWARDED: gettext("已转报上级办理"),
        CaseState.GRANTED: gettext("结果正在送往出件窗口"),
        CaseState.REFUSED: gettext("请到出件窗口领取决定书"),
        CaseState.READY: gettext("请凭领取码或身份证到出件窗口领取"),
        CaseState.NOT_REQUIRED: gettext("这件事不需要办理许可，通知书上写明了理由"),
        CaseState.NOT_ACCEPTED: gettext("不予受理，通知书上写明了理由和救济途径"),
        CaseState.WITHDRAWN: gettext("申请已撤回"),
        CaseState.DEEMED_WITHDRAWN: gettext("逾期未补正，视为撤回；材料备齐后可以重新申请"),
        CaseState.VOID: gettext("本件已终止"),
    }
    return notes.get(state, "")


def progress_steps(view: Mapping[str, Any]) -> list[dict[str, str]]:
    """收件 → 受理 → 审核 → 办结 → 领取 as a citizen reads them: what is done and when, where it is now, where it ended."""
    state = CaseState(view["state"])
    ended = state in OVER and state is not CaseState.DELIVERED
    steps = [
        {"name": gettext("收件"), "at": view["received_at"]},
        {"name": gettext("受理"), "at": view["accepted_at"]},
        {"name": gettext("审核"), "at": view["decided_at"] if view["outcome"] else None},
        {"name": gettext("办结"), "at": view["decided_at"] if view["outcome"] else None},
        {"name": gettext("领取"), "at": view["delivered_at"]},
    ]
    rows, here = [], False
    for step in steps:
        row = {
            "name": step["name"],
            "state": "done" if step["at"] else "todo",
            "at": times.stamp(step["at"]),
            "note": "",
        }
        if not step["at"] and not here:
            here = True
            row["state"] = "failed" if ended else "current"
            row["note"] = _under_way(view, state) or note(view, state)
        rows.append(row)
    if view["flags"]["deemed_accepted"]:
        rows[1]["note"] = gettext("没有按时告知您补正，依法自收件那天起算")
    if view["outcome"]:
        if view["delivery"] and view["delivery"]["how"] == "courier" and not view["delivery"]["signed"]:
            rows[4] |= {"state": "current", "note": gettext("已寄出，等收件人签收")}
        rows[3]["note"] = gettext("准予") if view["outcome"] == "granted" else gettext("不予")
    return rows
