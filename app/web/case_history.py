"""How the history of a case reads: what was done, by whom, and what that brought with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask_babel import gettext, lazy_gettext
from sqlalchemy import select

from app.catalog.queries import department_en
from app.db import db
from app.errors import Refusal
from app.hall.queries import hall as hall_of
from app.people.models import Staff
from app.web import present

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
    "case.reviewed": (_("一个部门已审"), "accent"),
    "case.decided": (_("作出决定"), "good"),
    "case.suspended": (_("时限暂停计算"), "warn"),
    "case.resumed": (_("时限恢复计算"), "accent"),
    "case.extended": (_("延长期限"), "warn"),
    "case.returned": (_("退回"), "warn"),
    "case.forwarded": (_("转报上级大厅"), "accent"),
    "case.no_requested": (_("窗口请示：拟不予受理"), "warn"),
    "case.no_answered": (_("首席代表答复请示"), "accent"),
    "case.withdrawn": (_("撤回"), "bad"),
    "case.ready": (_("结果到出件窗口"), "good"),
    "case.dispatched": (_("寄出"), "good"),
    "case.delivered": (_("送达"), "good"),
    "case.clocks_moved": (_("重新计算期限"), ""),
    "case.light_changed": (_("亮灯变化"), "warn"),
    "notice.issued": (_("出具文书"), ""),
    "field.revealed": (_("查看完整信息"), ""),
}
FOLLOWS = frozenset(
    {"case.routed", "case.clocks_moved", "notice.issued", "case.light_changed"}
)  # what a step brings along


def story(view: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The history of a case view, newest first: one entry a step, with what followed from it under the same title."""
    names = _names(view["history"])
    entries: list[dict[str, Any]] = []
    for row in view["history"]:
        title, tone = TITLES.get(row["kind"], (row["kind"], ""))
        line = {"title": str(title), "note": _note(row["kind"], row["body"], view)}
        last = entries[-1] if entries else None
        if last and row["kind"] in FOLLOWS and (last["at"], last["actor"]) == (row["at"], row["actor"]):
            last["more"].append(line)
            continue
        who = names.get(row["actor"], "")
        entries.append({**line, "tone": tone, "at": row["at"], "actor": row["actor"], "who": who, "more": []})
    return entries[::-1]


def _names(history: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Each actor's reference → what a reader calls it: a clerk by name and account, a device, the citizen, the system."""
    refs = {row["actor"] for row in history}
    accounts = {ref.removeprefix("staff:") for ref in refs if ref.startswith("staff:")}
    known = dict(db.session.execute(select(Staff.username, Staff.name).where(Staff.username.in_(accounts))).all())
    kinds = {"system": gettext("系统"), "citizen": gettext("群众"), "device": gettext("设备")}
    names = {}
    for ref in refs:
        kind, _sep, name = ref.partition(":")
        names[ref] = f"{known[name]} {name}" if kind == "staff" and name in known else kinds.get(kind, name)
    return names


def _department(name: str) -> str:
    return department_en(name) if present.english() else name


def _materials(codes: Sequence[str], view: Mapping[str, Any]) -> str:
    names = {material["code"]: present.named(material) for material in view["materials"]}
    return gettext("、").join(names.get(code, code) for code in codes)


def _accepted(body: Body, _view: Mapping[str, Any]) -> str:
    how = [body["acceptance_number"]]
    if body["tolerant"]:
        how.append(gettext("容缺受理"))
    if body["deemed"]:
        how.append(gettext("逾期未告知，自收件之日起视为受理"))
    return " · ".join(how)


def _outcome(body: Body, _view: Mapping[str, Any]) -> str:
    return f"{_department(body['department'])} · {present.word(body['outcome'], 'case')}"


def _stopped(body: Body, _view: Mapping[str, Any]) -> str:
    parts = [present.word(body["ground"], "ground")]
    if body["days"]:
        parts.append(gettext("预计 %(days)s 天", days=body["days"]))
    parts.append(gettext("只停承诺时限") if body["clock"] == "promised" else gettext("两个时限都停"))
    return " · ".join(parts)


def _moved(body: Body, _view: Mapping[str, Any]) -> str:
    if body["provisional"]:
        return gettext("放假安排公布后确定到期日")
    due = body["promised_due_at"]
    return gettext("承诺到期 %(when)s", when=present.stamp(due)) if due else gettext("停钟期间没有到期日")


def _forwarded(body: Body, _view: Mapping[str, Any]) -> str:
    try:
        return present.named(hall_of(body["to_hall"]))
    except Refusal:
        return str(body["to_hall"])


def _revealed(body: Body, _view: Mapping[str, Any]) -> str:
    return f"{present.word(body['field'], 'person')} · {present.word(body['reason'], 'reveal')}"


def _paper(body: Body, view: Mapping[str, Any]) -> str:
    title = next((paper_title(paper) for paper in view["notices"] if paper["id"] == body["notice"]), "")
    return f"{title} {body['number']}".strip()


def paper_title(paper: Mapping[str, Any]) -> str:
    """The title of an issued paper in the reader's language."""
    return str(paper["title_en"] if present.english() else paper["title_zh"])


NOTES: dict[str, Callable[[Body, Mapping[str, Any]], str]] = {
    "case.received": lambda _body, view: present.named(view, "window_name"),
    "case.accepted": _accepted,
    "case.not_accepted": lambda body, _view: present.word(body["ground"], "no_request"),
    "case.supplement_requested": lambda body, view: _materials(body["materials"], view),
    "case.supplemented": lambda body, view: (
        _materials(body["materials"], view) + (gettext("，已补齐") if body["complete"] else "")
    ),
    "case.routed": lambda body, _view: gettext("、").join(_department(name) for name in body["departments"]),
    "case.taken": lambda body, _view: _department(body["department"]),
    "case.reviewed": _outcome,
    "case.decided": _outcome,
    "case.suspended": _stopped,
    "case.extended": lambda body, _view: present.span(int(body["days"]), "WD"),
    "case.returned": lambda body, _view: _department(body["department"]),
    "case.forwarded": _forwarded,
    "case.no_requested": lambda body, _view: present.word(body["ground"], "no_request"),
    "case.no_answered": lambda body, _view: (
        gettext("同意收件，继续办理") if body["answer"] == "accept" else gettext("不予受理")
    ),
    "case.withdrawn": lambda body, _view: gettext("逾期未补正，视为撤回") if body["deemed"] else "",
    "case.delivered": lambda body, _view: gettext("邮寄") if body["how"] == "courier" else gettext("窗口领取"),
    "case.clocks_moved": _moved,
    "case.light_changed": lambda body, _view: (
        f"{present.light_word(body['light'])} · {_department(body['department'])}"
    ),
    "notice.issued": _paper,
    "field.revealed": _revealed,
}


def _note(kind: str, body: Body, view: Mapping[str, Any]) -> str:
    note = NOTES.get(kind)
    return note(body, view) if note else ""
