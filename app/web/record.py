"""The record in plain words: one sentence a kind of event, in the reader's language."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext, lazy_gettext

from app import events
from app.events import Event
from app.people.permissions import ROLES
from app.web import present

_ = lazy_gettext

# kind of event → what happened; %(…)s are the event's fields as `_facts` words them
TOLD: dict[str, Any] = {
    "hall.defined": _("登记大厅 %(name)s"),
    "zone.defined": _("登记区域 %(zone)s %(name)s"),
    "queue.defined": _("设置队列 %(queue)s %(name)s：%(active)s"),
    "window.defined": _("设置窗口 %(window)s，办理队列：%(queues)s"),
    "calendar.imported": _("启用日历 %(version)s（%(years)s）"),
    "closure.defined": _("%(removed)s%(opens)s：%(from_at)s 至 %(to_at)s"),
    "catalog.imported": _("导入事项目录 %(version)s，共 %(items)s 项"),
    "staff.defined": _("设置人员 %(staff)s：%(roles)s，%(active)s"),
    "session.opened": _("%(staff)s 登录"),
    "session.closed": _("%(staff)s 退出"),
    "device.registered": _("登记设备 %(device)s（%(device_kind)s）"),
    "device.paired": _("设备 %(device)s 完成配对"),
    "device.revoked": _("停用设备 %(device)s"),
    "field.revealed": _("查看 %(of)s 的%(field)s，理由：%(reason)s"),
    "window.opened": _("%(staff)s 开放窗口 %(window)s"),
    "window.paused": _("%(staff)s 暂停窗口 %(window)s"),
    "window.closed": _("%(staff)s 关闭窗口 %(window)s"),
    "ticket.issued": _("取号 %(number)s（%(lane)s通道）"),
    "ticket.called": _("窗口 %(window)s 叫号 %(number)s，已等候 %(waited_s)s"),
    "ticket.recalled": _("窗口 %(window)s 第 %(recall)s 次重呼 %(number)s"),
    "ticket.started": _("窗口 %(window)s 开始办理 %(number)s"),
    "ticket.finished": _("窗口 %(window)s 办完 %(number)s，用时 %(served_s)s"),
    "ticket.missed": _("%(number)s 过号（窗口 %(window)s）"),
    "ticket.restored": _("%(number)s 过号恢复，重新等候"),
    "ticket.parked": _("%(number)s 暂时离开窗口 %(window)s"),
    "ticket.unparked": _("窗口 %(window)s 叫回 %(number)s"),
    "ticket.transferred": _("%(number)s 从队列 %(from_queue)s 转到队列 %(queue)s %(to_window)s"),
    "ticket.abandoned": _("%(number)s 弃号"),
    "ticket.cancelled": _("%(number)s 由群众取消"),
    "ticket.expired": _("%(number)s 当日未办，失效"),
    "day.closed": _("%(day)s 日结，%(expired)s 张号票失效"),
    "case.received": _("收件 %(number)s"),
    "case.accepted": _("受理 %(number)s，受理号 %(acceptance_number)s%(deemed)s%(tolerant)s"),
    "case.not_accepted": _("%(number)s 不予受理：%(ground)s"),
    "case.supplement_requested": _("%(number)s 一次性告知补正 %(materials)s"),
    "case.supplemented": _("%(number)s 收到补正材料%(complete)s"),
    "case.routed": _("%(number)s 转办：%(departments)s"),
    "case.taken": _("%(number)s 由 %(department)s 领办"),
    "case.reviewed": _("%(number)s %(department)s：%(outcome)s"),
    "case.decided": _("%(number)s 办结，%(department)s：%(outcome)s"),
    "case.suspended": _("%(number)s 停钟：%(ground)s（%(clock)s）"),
    "case.resumed": _("%(number)s 恢复计时"),
    "case.extended": _("%(number)s 延期 %(days)s 个工作日"),
    "case.returned": _("%(number)s 退回到 %(department)s"),
    "case.forwarded": _("%(number)s 转报到 %(to_hall)s"),
    "case.no_requested": _("%(number)s 窗口请示：%(ground)s"),
    "case.no_answered": _("%(number)s 答复窗口：%(answer)s"),
    "case.withdrawn": _("%(number)s 撤回申请%(deemed)s"),
    "case.ready": _("%(number)s 结果到出件窗口"),
    "case.dispatched": _("%(number)s 寄出"),
    "case.delivered": _("%(number)s 已送达"),
    "case.clocks_moved": _("%(number)s 承诺时限 %(promised_due_at)s，法定时限 %(statutory_due_at)s"),
    "case.light_changed": _("%(number)s 变为%(light)s（%(department)s）"),
    "notice.issued": _("出具文书 %(number)s（%(notice_kind)s）"),
}
NOTICES = {
    "receipt": _("收件凭证"),
    "acceptance": _("受理通知书"),
    "supplement": _("补正告知书"),
    "non_acceptance": _("不予受理通知书"),
    "decision": _("决定书"),
    "pickup": _("领取通知"),
    "slip": _("号票"),
}
FIELDS = {"name": _("姓名"), "id_number": _("身份证号"), "phone": _("手机号")}
REASONS = {"verify": _("核对身份"), "contact": _("联系申请人"), "correct": _("更正信息"), "deliver": _("送达")}
ANSWERS = {"accept": _("可以受理"), "not_accepted": _("不予受理")}
_BOTH = _("两个时限")


def told(event: Event) -> str:
    """What happened, as a sentence."""
    return str(TOLD[event.kind]) % _facts(event.kind, events.encode(event))


def _facts(kind: str, body: dict[str, Any]) -> dict[str, str]:
    """Every field as a person reads it: codes by their word, instants by the hall's clock, lists by their parts."""
    facts = {key: _plain(value) for key, value in body.items()}
    if "name_zh" in body:
        facts["name"] = present.named({"name": body["name_zh"], "name_en": body["name_en"]})
    for key, of in (("lane", "lane"), ("outcome", "review"), ("device_kind", "device"), ("clock", "clock")):
        if key in body:
            facts[key] = present.word(body[key], of)
    if body.get("clock") == "both":
        facts["clock"] = str(_BOTH)
    for key in ("waited_s", "served_s"):
        if key in body:
            facts[key] = present.minutes(body[key])
    for key in ("from_at", "to_at", "promised_due_at", "statutory_due_at"):
        if key in body:
            facts[key] = present.stamp(body[key]) or "—"
    if "ground" in body:
        facts["ground"] = present.word(body["ground"], "ground" if kind == "case.suspended" else "no_request")
    if "light" in body:
        facts["light"] = present.light_word(body["light"])
    if "active" in body:
        facts["active"] = gettext("启用") if body["active"] else gettext("已停用")
    if kind == "staff.defined":
        english = present.english()
        facts["roles"] = gettext("、").join(ROLES[r][1 if english else 0] for r in body["roles"] if r in ROLES) or "—"
    if kind == "closure.defined":
        facts["removed"] = gettext("取消") if body["removed"] else ""
        facts["opens"] = gettext("延时服务") if body["opens"] else gettext("临时闭厅")
    if kind == "field.revealed":
        facts["field"] = str(FIELDS.get(body["field"], body["field"]))
        facts["reason"] = str(REASONS.get(body["reason"], body["reason"]))
    if kind == "case.no_answered":
        facts["answer"] = str(ANSWERS.get(body["answer"], body["answer"]))
    if kind == "notice.issued":
        facts["notice_kind"] = str(NOTICES.get(body["notice_kind"], body["notice_kind"]))
    if "deemed" in body:
        facts["deemed"] = gettext("（视为）") if body["deemed"] else ""
    if "tolerant" in body:
        facts["tolerant"] = gettext("（容缺）") if body["tolerant"] else ""
    if "complete" in body:
        facts["complete"] = gettext("，已齐全") if body["complete"] else ""
    if "to_window" in body:
        facts["to_window"] = gettext("（指定窗口 %(window)s）", window=body["to_window"]) if body["to_window"] else ""
    return facts


def _plain(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return gettext("、").join(str(part) for part in value) or "—"
    return "—" if value is None else str(value)


def who(ref: str) -> str:
    """`staff:clerk01` as a person reads it."""
    kind, _sep, name = ref.partition(":")
    if kind == "system":
        return gettext("系统")
    if kind == "citizen":
        return gettext("群众")
    return name or ref
