"""The events of a case in plain words: a title, a note and what the clocks did. The case page and the record read them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from flask_babel import gettext, lazy_gettext
from sqlalchemy import select

from app.casework.rules.states import Effect
from app.catalog.queries import department_en
from app.db import db
from app.errors import Refusal
from app.hall.queries import hall as hall_of
from app.notices.registry import NOTICES
from app.people.models import Staff
from app.web import times, wording

_ = lazy_gettext
Body = Mapping[str, Any]

# kind of event → (what happened, tone of its dot); the one place that names the events of a case
TITLES: dict[str, tuple[Any, str]] = {
    "case.received": (_("收件"), "accent"),
    "case.accepted": (_("受理"), "accent"),
    "case.not_accepted": (_("不予受理"), "bad"),
    "case.supplement_requested": (_("一次性告知，请申请人补正"), "warn"),
    "case.supplemented": (_("收到补正材料"), "accent"),
    "case.routed": (_("分办到审批部门"), "accent"),
    "case.taken": (_("审批部门领办"), "accent"),
    "case.proposed": (_("拟办"), "accent"),
    "case.reviewed": (_("一个部门已审"), "accent"),
    "case.decided": (_("作出决定"), "good"),
    "case.suspended": (_("时限暂停计算"), "warn"),
    "case.resumed": (_("时限恢复计算"), "accent"),
    "case.overran": (_("超过告知的所需时间"), "bad"),
    "case.extended": (_("延长期限"), "warn"),
    "case.returned": (_("退回"), "warn"),
    "case.forwarded": (_("转报上级大厅"), "accent"),
    "case.no_requested": (_("窗口请示：拟不予受理"), "warn"),
    "case.no_answered": (_("首席代表答复请示"), "accent"),
    "case.withdrawn": (_("撤回"), "bad"),
    "case.collected": (_("代收材料"), "accent"),
    "case.backdated": (_("更正收件时间"), "warn"),
    "case.converted": (_("转为承诺件"), "warn"),
    "case.voided": (_("作废"), "bad"),
    "case.reminded": (_("提醒申请人"), ""),
    "case.ready": (_("结果到出件窗口"), "good"),
    "case.dispatched": (_("寄出"), "good"),
    "case.delivered": (_("送达"), "good"),
    "case.signed": (_("邮寄件已签收"), "good"),
    "case.came_back": (_("邮寄件退回"), "warn"),
    "case.checked": (_("事后核查承诺"), "accent"),
    "case.revoked": (_("撤销决定"), "bad"),
    "case.clocks_moved": (_("计算期限"), ""),
    "case.light_changed": (_("亮灯变化"), "warn"),
    "case.urged": (_("督办员催办"), "warn"),
    "case.urge_answered": (_("答复督办"), "accent"),
    "case.overdue_explained": (_("公开超期理由"), "warn"),
    "case.signalled": (_("发出信号"), ""),
    "notice.issued": (_("出具文书"), ""),
    "case.material_shared": (_("查到电子证照，共享获取材料"), "accent"),
    "field.recalled": (_("同一申请人再次办事，调取已有信息"), ""),
    "licence.stored": (_("结果存入电子证照库"), "good"),
    "field.revealed": (_("查看完整信息"), ""),
}
EFFECTS = {
    "case.received": Effect.NOTICE,
    "case.backdated": Effect.NOTICE,
    "case.accepted": Effect.START,
    "case.not_accepted": Effect.NOTICE_ENDS,
    "case.converted": Effect.CHANGE_PROMISED,
    "case.resumed": Effect.RUN_ON,
    "case.extended": Effect.LENGTHEN,
    "case.decided": Effect.FREEZE,
    "case.withdrawn": Effect.FREEZE,
    "case.delivered": Effect.DELIVERED,
}  # of a stop, and of a deemed acceptance, see `effect`
FOLLOWS = frozenset(
    {
        *("case.routed", "case.clocks_moved", "notice.issued", "case.light_changed", "case.signalled"),
        *("case.material_shared", "licence.stored", "case.suspended", "case.resumed", "case.delivered"),
    }
)  # what a step brings along


def story(view: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The history of a case view, newest first: one entry a step, with what followed from it under the same title."""
    names = actor_names(view["history"])
    papers = {paper["id"]: paper for paper in view["notices"]}
    entries: list[dict[str, Any]] = []
    for row in view["history"]:
        kind, body = row["kind"], row["body"]
        title, note = line(kind, body, view)
        paper = papers.get(body["notice"]) if kind == "notice.issued" else None
        told = {"title": title, "note": note, "paper": paper, "effect": effect(kind, body)}
        last = entries[-1] if entries else None
        if last and kind in FOLLOWS and (last["at"], last["actor"]) == (row["at"], row["actor"]):
            last["more"].append(told)
            last["effect"] = last["effect"] or told["effect"]
            continue
        who, tone = names.get(row["actor"], ""), TITLES[kind][1] if kind in TITLES else ""
        entries.append({**told, "tone": tone, "at": row["at"], "actor": row["actor"], "who": who, "more": []})
    return entries[::-1]


def last_issued(papers: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The papers that the last step issued; those of one step bear one instant."""
    return [paper for paper in papers if paper["issued_at"] == papers[-1]["issued_at"]]


def problem_words(problem: str | None) -> str:
    """What is wrong with a paper: the phrase of the list in the reader's language, then what somebody wrote himself."""
    phrase, mark, own = (problem or "").partition("：")
    return (gettext(phrase) if phrase else "") + (gettext("：") + own if mark else "")


def line(kind: str, body: Body, view: Mapping[str, Any] | None = None) -> tuple[str, str]:
    """(what happened, the particulars) of one event; without the view of its case, papers go by their codes."""
    title, note = TITLES.get(kind, (kind, ""))[0], NOTES.get(kind)
    if kind == "case.collected" and view and view.get("joint"):
        title = gettext("随一件事收下材料")
    return str(title), note(body, view or {}) if note else ""


def effect(kind: str, body: Body) -> Effect | None:
    """What the event did to the clocks; None for one that leaves them alone."""
    if kind == "case.accepted" and body["deemed"]:
        return Effect.START_AT_RECEIPT
    if kind == "case.suspended":
        return Effect.STOP_PROMISED if body["clock"] == "promised" else Effect.STOP_BOTH
    if kind == "case.resumed" and not body["clock"]:
        return None
    return EFFECTS.get(kind)


def actor_names(history: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Each actor's reference → what a reader calls it: staff by name and account, a device, the citizen, the system."""
    refs = {row["actor"] for row in history}
    accounts = {ref.removeprefix("staff:") for ref in refs if ref.startswith("staff:")}
    known = names_of(accounts)
    kinds = {"system": gettext("系统"), "citizen": gettext("群众"), "device": gettext("设备")}
    names = {}
    for ref in refs:
        kind, _sep, name = ref.partition(":")
        names[ref] = f"{known[name]} {name}" if kind == "staff" and name in known else kinds.get(kind, name)
    return names


def names_of(accounts: Collection[str]) -> dict[str, str]:
    """Account → the name of its person; accounts that are gone are left out."""
    return dict(db.session.execute(select(Staff.username, Staff.name).where(Staff.username.in_(accounts))).all())


def _department(name: str) -> str:
    return department_en(name) if wording.english() else name


def _materials(codes: Sequence[str], view: Mapping[str, Any]) -> str:
    names = {material["code"]: wording.named(material) for material in view.get("materials", ())}
    return gettext("、").join(names.get(code, code) for code in codes)


def _accepted(body: Body, _view: Mapping[str, Any]) -> str:
    how = [body["acceptance_number"]]
    if body["tolerant"]:
        how.append(gettext("容缺受理"))
    if body["deemed"]:
        how.append(gettext("逾期未告知，自收件之日起视为受理"))
    return " · ".join(how)


def _outcome(body: Body, _view: Mapping[str, Any]) -> str:
    return f"{_department(body['department'])} · {wording.word(body['outcome'], 'case')}"


def _stopped(body: Body, _view: Mapping[str, Any]) -> str:
    parts = [wording.word(body["ground"], "ground")]
    if body["days"]:
        parts.append(gettext("预计 %(span)s", span=times.span(int(body["days"]), "ND")))
    return " · ".join(parts)


def lengthened(span: str, clock: str) -> str:
    """An extension in words, and that it left the promise alone where it did."""
    return span if clock == "both" else gettext("%(span)s，只延长法定期限", span=span)


def _moved(body: Body, _view: Mapping[str, Any]) -> str:
    if body["provisional"]:
        return gettext("放假安排公布后确定到期日")
    due = {gettext("承诺到期"): body["promised_due_at"], gettext("法定到期"): body["statutory_due_at"]}
    told = [f"{name} {times.stamp(when)}" for name, when in due.items() if when]
    return " · ".join(told) or gettext("停钟期间没有到期日")


def hall_name(code: str) -> str:
    """A hall as the reader calls it; its code once it is no longer defined."""
    try:
        return wording.named(hall_of(code))
    except Refusal:
        return code


def _revealed(body: Body, view: Mapping[str, Any]) -> str:
    paper = next((paper_title(paper) for paper in view.get("notices", ()) if paper["id"] == body.get("notice")), "")
    return f"{paper or wording.word(body['field'], 'person')} · {wording.word(body['reason'], 'reveal')}"


def _signalled(body: Body, _view: Mapping[str, Any]) -> str:
    level, rung = wording.word(body["level"], "signal"), wording.word(body["rung"], "rung")
    return f"{level} → {rung} · {_department(body['department'])}"


def _paper(body: Body, view: Mapping[str, Any]) -> str:
    papers = view.get("notices", ())
    title = next((paper_title(paper) for paper in papers if paper["id"] == body["notice"]), "")
    return f"{title or NOTICES[body['notice_kind']].name[1 if wording.english() else 0]} {body['number']}"


def paper_title(paper: Mapping[str, Any]) -> str:
    """The title of an issued paper in the reader's language."""
    return str(paper["title_en"] if wording.english() else paper["title_zh"])


NOTES: dict[str, Callable[[Body, Mapping[str, Any]], str]] = {
    "case.received": lambda body, view: wording.named(view, "window_name") or body["window"] or "",
    "case.accepted": _accepted,
    "case.not_accepted": lambda body, _view: wording.word(body["ground"], "no_request"),
    "case.material_shared": lambda body, view: _materials([body["material"]], view),
    "licence.stored": lambda body, _view: str(body["title"]),
    "case.backdated": lambda body, _view: gettext("更正为 %(when)s", when=times.stamp(body["received_at"])),
    "case.converted": lambda body, _view: times.span(int(body["amount"]), body["unit"]),
    "case.reminded": lambda body, _view: {
        "collect": gettext("领取结果"),
        "supplement": gettext("补正材料"),
    }.get(body["of"], gettext("补齐容缺材料")),
    "case.supplement_requested": lambda body, view: (
        _materials(body["materials"], view) + (gettext("（再次告知）") if body["second"] else "")
    ),
    "case.supplemented": lambda body, view: (
        _materials(body["materials"], view) + (gettext("，已补齐") if body["complete"] else "")
    ),
    "case.routed": lambda body, _view: gettext("、").join(_department(name) for name in body["departments"]),
    "case.taken": lambda body, _view: _department(body["department"]),
    "case.reviewed": _outcome,
    "case.decided": _outcome,
    "case.proposed": _outcome,
    "case.checked": lambda body, _view: wording.word(body["outcome"], "kept"),
    "case.revoked": lambda body, _view: _department(body["department"]),
    "case.overran": lambda body, _view: wording.word(body["ground"], "ground"),
    "case.suspended": _stopped,
    "case.extended": lambda body, _view: lengthened(times.span(int(body["days"]), "WD"), body["clock"]),
    "case.returned": lambda body, _view: _department(body["department"]),
    "case.forwarded": lambda body, _view: hall_name(body["to_hall"]),
    "case.no_requested": lambda body, _view: wording.word(body["ground"], "no_request"),
    "case.no_answered": lambda body, _view: {
        "accept": gettext("同意收件，继续办理"),
        "not_required": gettext("不需要办理许可"),
        "lapsed": gettext("逾期未答复，视为受理"),
    }.get(body["answer"], gettext("不予受理")),
    "case.withdrawn": lambda body, _view: gettext("逾期未补正，视为撤回") if body["deemed"] else "",
    "case.delivered": lambda body, _view: wording.word(body["how"], "delivered"),
    "case.came_back": lambda body, _view: wording.word(body["reason"], "came_back"),
    "case.clocks_moved": _moved,
    "case.light_changed": lambda body, _view: (
        f"{wording.light_word(body['light'])} · {_department(body['department'])}"
    ),
    "case.urged": lambda body, _view: _department(body["department"]),
    "case.urge_answered": lambda body, _view: _department(body["department"]),
    "case.signalled": _signalled,
    "notice.issued": _paper,
    "field.revealed": _revealed,
}
