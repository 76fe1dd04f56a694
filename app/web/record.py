"""The record in plain words: one sentence a kind of event, in the reader's language."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

from flask_babel import gettext, lazy_gettext

from app import events
from app.events import Event
from app.people.permissions import ROLES
from app.web import case_history, stories, times, wording

_ = lazy_gettext

# kind of event → what happened; %(…)s are the event's fields as `_facts` words them. The events of cases, one-thing
# cases and agency orders have their words in case_history and stories, which their own pages use too.
TOLD: dict[str, Any] = {
    "hall.defined": _("登记大厅 %(name)s"),
    "zone.defined": _("登记区域 %(zone)s %(name)s"),
    "queue.defined": _("设置队列 %(queue)s %(name)s：%(active)s"),
    "window.defined": _("设置窗口 %(window)s，办理队列：%(queues)s"),
    "policy.changed": _("修改叫号规则"),
    "calendar.imported": _("启用日历 %(version)s（%(years)s）"),
    "closure.defined": _("%(removed)s%(opens)s：%(from_at)s 至 %(to_at)s"),
    "hours.changed": _("每日开放时间改为 %(hours)s%(from_on)s"),
    "pay_place.changed": _("缴费地点改为 %(words)s"),
    "catalog.imported": _("导入事项目录 %(version)s，共 %(items)s 项"),
    "staff.defined": _("设置人员 %(staff)s：%(roles)s，%(active)s"),
    "session.opened": _("%(staff)s 登录"),
    "session.closed": _("%(staff)s 退出"),
    "device.registered": _("登记设备 %(device)s（%(device_kind)s）"),
    "device.paired": _("设备 %(device)s 完成配对"),
    "device.revoked": _("停用设备 %(device)s"),
    "window.opened": _("%(staff)s 开放窗口 %(window)s"),
    "window.paused": _("%(staff)s 暂停窗口 %(window)s"),
    "window.closed": _("%(staff)s 关闭窗口 %(window)s"),
    "window.taken_over": _("%(staff)s 从 %(from_staff)s 接管窗口 %(window)s"),
    "issuing.changed": _("%(issuing)s"),
    "ticket.issued": _("取号 %(number)s（%(lane)s通道）"),
    "ticket.called": _("窗口 %(window)s 叫号 %(number)s，已等候 %(waited_s)s"),
    "ticket.recalled": _("窗口 %(window)s 第 %(recall)s 次重呼 %(number)s"),
    "ticket.started": _("窗口 %(window)s 开始办理 %(number)s"),
    "ticket.item_followed": _("窗口 %(window)s 为 %(number)s 续办下一事项，前一项用时 %(served_s)s"),
    "ticket.finished": _("窗口 %(window)s 办完 %(number)s，用时 %(served_s)s"),
    "ticket.missed": _("%(number)s 过号（窗口 %(window)s）"),
    "ticket.restored": _("%(number)s 过号恢复，重新等候"),
    "ticket.deferred": _("%(number)s 暂离，保留号码"),
    "ticket.rejoined": _("%(number)s 归队，重新等候"),
    "ticket.parked": _("%(number)s 暂时离开窗口 %(window)s"),
    "ticket.reminded": _("提醒窗口 %(window)s 叫回 %(number)s"),
    "ticket.unparked": _("窗口 %(window)s 叫回 %(number)s"),
    "ticket.transferred": _("%(number)s 从队列 %(from_queue)s 转到队列 %(queue)s %(to_window)s"),
    "ticket.abandoned": _("%(number)s 弃号"),
    "ticket.cancelled": _("%(number)s 由群众取消"),
    "ticket.expired": _("%(number)s 当日未办，失效"),
    "day.closed": _("%(day)s 日结，%(expired)s 张号票失效"),
    "block.leased": _("取号机 %(device)s 借得离线号 %(first)s–%(last)s"),
    "block.closed": _("离线号段交回：用 %(used)s 个，作废 %(void)s"),
    "appointment.booked": _("预约 %(slot_at)s，队列 %(queue)s"),
    "appointment.waitlisted": _("候补 %(slot_at)s，队列 %(queue)s"),
    "appointment.promoted": _("候补成功：%(slot_at)s，队列 %(queue)s"),
    "appointment.cancelled": _("取消预约 %(slot_at)s，队列 %(queue)s（%(by)s）"),
    "appointment.checked_in": _("预约报到 %(number)s（%(slot_at)s%(punctual)s）"),
    "appointment.missed": _("爽约 %(slot_at)s，队列 %(queue)s"),
    "appointment.expired": _("候补未成 %(slot_at)s，队列 %(queue)s"),
    "appointment_rules.changed": _("修改预约规则"),
    "manifest.sent": _("%(number)s 从 %(from_hall)s 交运到 %(to_hall)s"),
    "manifest.arrived": _("%(number)s 到达 %(to_hall)s%(lost)s"),
    "batch.requested": _("请求批量打印 %(total)s 份文书"),
}


def told(event: Event) -> str:
    """What happened, as a sentence."""
    kind, body = event.kind, events.encode(event)
    if kind in TOLD:
        return str(TOLD[kind]) % _facts(kind, body)
    if kind in case_history.TITLES:
        title, note = case_history.line(kind, body)
    else:
        title, note = str(stories.TITLES[kind][0]), ""
    about = "" if kind == "notice.issued" else body.get("number") or body.get("of") or ""
    said = f"{about} {title}".strip()
    return f"{said}{gettext('：')}{note}" if note else said


def _facts(kind: str, body: dict[str, Any]) -> dict[str, str]:
    """Every field as a person reads it: codes by their word, instants by the hall's clock, lists by their parts."""
    facts = {key: _plain(value) for key, value in body.items()}
    if "name_zh" in body:
        facts["name"] = wording.named({"name": body["name_zh"], "name_en": body["name_en"]})
    for key, of in (("lane", "lane"), ("device_kind", "device")):
        if key in body:
            facts[key] = wording.word(body[key], of)
    for key in ("waited_s", "served_s"):
        if key in body:
            facts[key] = times.minutes(body[key])
    for key in ("from_at", "to_at", "slot_at"):
        if key in body:
            facts[key] = times.stamp(body[key]) or "—"
    if kind == "appointment.cancelled":
        by = {"citizen": gettext("群众"), "staff": gettext("工作人员"), "hall": gettext("大厅未开放")}
        facts["by"] = by.get(body["by"], body["by"])
    if kind == "appointment.checked_in":
        facts["punctual"] = "" if body["punctual"] else gettext("，迟到")
    if "active" in body:
        facts["active"] = gettext("启用") if body["active"] else gettext("已停用")
    if kind == "window.defined":
        served = zip_longest(body["queues"], body.get("weights", ()), fillvalue=0)
        facts["queues"] = gettext("、").join(_served(queue, minutes) for queue, minutes in served) or "—"
    if kind == "pay_place.changed":
        facts["words"] = wording.named({"name": body["words"], "name_en": body["words_en"]})
    if kind == "hours.changed":
        since = gettext("，从 %(day)s起", day=times.day(body["from_on"], year=True)) if body["from_on"] else ""
        facts["from_on"] = since
    if kind == "issuing.changed":
        facts["issuing"] = gettext("恢复取号") if body["open"] else gettext("停止取号，直到当日结束")
    if kind == "staff.defined":
        english = wording.english()
        facts["roles"] = gettext("、").join(ROLES[r][1 if english else 0] for r in body["roles"] if r in ROLES) or "—"
    if kind == "closure.defined":
        facts["removed"] = gettext("取消") if body["removed"] else ""
        facts["opens"] = gettext("延时服务") if body["opens"] else gettext("临时闭厅")
    if "to_window" in body:
        facts["to_window"] = gettext("（指定窗口 %(window)s）", window=body["to_window"]) if body["to_window"] else ""
    if kind.startswith("manifest."):
        for key in ("from_hall", "to_hall"):
            facts[key] = case_history.hall_name(body[key])
        missing = gettext("、").join(body.get("missing", ()))
        facts["lost"] = gettext("，缺 %(missing)s", missing=missing) if missing else ""
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


def _served(queue: str, minutes: int) -> str:
    """A queue that a window serves, with what its people count there as having waited longer."""
    if not minutes:
        return queue
    return gettext("%(queue)s（按多等 %(span)s）", queue=queue, span=times.minutes(60 * minutes))
