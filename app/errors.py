"""The one way to say no: a refusal with a stable code, its HTTP status and its sentence in both languages."""

from __future__ import annotations

from typing import Any

# code → (HTTP status, 中文, English). A code never changes its meaning; new ones are added to their room's section.
REFUSALS: dict[str, tuple[int, str, str]] = {
    # asking
    "request.invalid": (422, "请求内容有误：{detail}", "The request is not valid: {detail}"),
    "request.not_json": (400, "请求正文不是有效的 JSON", "The request body is not valid JSON"),
    "request.not_found": (404, "没有这个页面或资源", "There is no such page or resource"),
    "request.method": (405, "此地址不支持该操作", "This address does not allow that method"),
    "request.too_large": (413, "提交的内容过大", "The request is too large"),
    "request.too_many": (429, "操作过于频繁，请稍后再试", "Too many requests; try again later"),
    "request.csrf": (400, "页面已过期，请刷新后重试", "This page has expired; reload it and try again"),
    "request.media_type": (415, "请以 application/json 提交", "Send application/json"),
    "text.invalid": (422, "{field}含有不能使用的字符", "{field} contains characters that cannot be used"),
    "text.too_long": (422, "{field}最多 {limit} 个字符", "{field} may have at most {limit} characters"),
    "text.empty": (422, "请填写{field}", "{field} is required"),
    "idempotency.mismatch": (422, "同一幂等键用于不同的请求", "This Idempotency-Key was used with another request"),
    "idempotency.key": (422, "幂等键须为 1–255 个可见字符", "An Idempotency-Key has 1–255 printable characters"),
    "server.failed": (500, "系统出错，已记录，请稍后再试", "Something went wrong and was logged; try again later"),
    # who asks
    "auth.required": (401, "请先登录", "Sign in first"),
    "auth.invalid": (401, "凭证无效或已过期", "The token is invalid or has expired"),
    "auth.wrong_password": (401, "账号或密码不正确", "Wrong account or password"),
    "auth.forbidden": (403, "您没有此项权限", "You do not have this permission"),
    "auth.foreign_hall": (403, "不能操作其他大厅的事务", "This belongs to another hall"),
    "auth.foreign_department": (403, "该办件由其他部门办理", "This case belongs to another department"),
    # the hall
    "hall.unknown": (404, "没有这个大厅", "There is no such hall"),
    "hall.busy": (503, "大厅正忙，请重试", "The hall is busy; try again"),
    "window.unknown": (404, "没有这个窗口", "There is no such window"),
    "window.not_open": (409, "窗口未开放", "The window is not open"),
    "window.already_open": (409, "窗口正由他人使用", "Somebody else is at this window"),
    "window.not_yours": (403, "您不在这个窗口", "You are not at this window"),
    "window.occupied": (409, "请先结束当前号票 {number}", "Finish ticket {number} first"),
    "window.staff_elsewhere": (409, "您已在 {window} 窗口，请先关闭", "You are at window {window}; close it first"),
    "window.reason_required": (422, "请说明暂停原因", "Say why the window pauses"),
    "closure.invalid": (422, "结束时间须晚于开始时间", "The end must be after the start"),
    "calendar.cannot_read": (422, "日历数据有误：{detail}", "The calendar cannot be read: {detail}"),
    # people
    "staff.unknown": (404, "没有这个人员", "There is no such person"),
    "staff.exists": (409, "账号已存在", "This account exists already"),
    "staff.weak_password": (422, "密码至少 10 位", "A password has at least 10 characters"),
    "staff.unknown_role": (422, "没有角色“{role}”", "There is no role “{role}”"),
    "device.unknown": (404, "没有这台设备", "There is no such device"),
    "device.kind": (422, "设备类型应为 kiosk、screen 或 printer", "A device is a kiosk, a screen or a printer"),
    "device.bad_code": (404, "配对码无效或已过期", "The pairing code is invalid or has expired"),
    # the catalogue
    "item.unknown": (404, "没有这个事项", "There is no such item"),
    "catalog.unreadable": (
        422,
        "有 {count} 行无法读取，未导入任何内容",
        "{count} lines cannot be read; nothing was imported",
    ),
    # tickets
    "queue.unknown": (404, "没有这个队列", "There is no such queue"),
    "queue.closed": (409, "该队列已停止取号", "This queue gives no tickets now"),
    "queue.none_for_item": (409, "本大厅不办理该事项", "This hall does not take this item"),
    "ticket.unknown": (404, "没有这张号票", "There is no such ticket"),
    "ticket.illegal_step": (
        409,
        "号票 {number} 现在不能这样操作（{state}）",
        "Ticket {number} cannot do that now ({state})",
    ),
    "ticket.recall_too_soon": (409, "请 {seconds} 秒后再重呼", "Wait {seconds} s before calling again"),
    "ticket.recall_limit": (409, "已重呼 {limit} 次，请做过号处理", "Called {limit} times already; mark a no-show"),
    "ticket.restore_too_late": (
        409,
        "过号已超过 {minutes} 分钟，请重新取号",
        "Missed over {minutes} min ago; take a new ticket",
    ),
    "ticket.not_at_window": (403, "该号票不在您的窗口", "This ticket is not at your window"),
    "ticket.live_elsewhere": (
        409,
        "该人员在此队列已有号票 {number}",
        "This person already holds ticket {number} there",
    ),
    "lane.unknown": (422, "没有这个通道", "There is no such lane"),
    "person.bad_id": (422, "身份证件号码有误", "The ID number is not valid"),
    "person.bad_phone": (422, "手机号码有误", "The phone number is not valid"),
    "appointment.unavailable": (422, "预约取号尚未开通", "Appointments are not offered yet"),
    # cases
    "case.unknown": (404, "没有这个办件", "There is no such case"),
    "case.illegal_step": (
        409,
        "办件 {number} 现在不能这样操作（{state}）",
        "Case {number} cannot do that now ({state})",
    ),
    "case.material_unknown": (422, "事项没有材料 {code}", "The item has no material {code}"),
    "case.materials_missing": (409, "材料不齐：{names}", "Materials are missing: {names}"),
    "case.nothing_missing": (422, "没有选择需要补正的材料", "No material was chosen for the notice"),
    "case.second_notice": (409, "补正只能一次性告知", "A supplement may be requested only once"),
    "case.tolerant_main": (409, "主要材料不能容缺：{names}", "A main material cannot be tolerated: {names}"),
    "case.tolerant_commitment": (422, "容缺受理须有书面承诺", "Tolerant acceptance needs a written commitment"),
    "case.tolerant_gap": (422, "补齐期限不得长于承诺时限", "The gap limit must not exceed the promised limit"),
    "case.gap_open": (409, "容缺材料尚未补齐", "Tolerated materials are still missing"),
    "case.intake_is_approver": (403, "受理人不得审批本件", "Who accepted a case may not decide it"),
    "case.reason_required": (422, "请填写理由", "A reason is required"),
    "case.basis_required": (422, "请填写法律依据", "The legal basis is required"),
    "case.outcome": (422, "决定应为 granted 或 refused", "An outcome is granted or refused"),
    "case.ground": (422, "不是法定的特别程序", "This is not a ground that stops the clock"),
    "case.days": (422, "天数应为 1–{limit}", "Days must be 1–{limit}"),
    "case.not_extendable": (
        409,
        "法定期限不按工作日计算，延期依专门规定办理",
        "The limit is not in working days; its own law says how it is extended",
    ),
    "case.extended_once": (409, "延期只能一次", "A case may be extended only once"),
    "case.too_late": (409, "法定期限已过", "The statutory limit has passed"),
    "case.not_authorised": (403, "该事项未授权首席代表决定", "The chief representative may not decide this item"),
    "case.no_request_kind": (422, "不予受理请示的类别有误", "Unknown kind of no-request"),
    "case.no_request_open": (409, "首席代表尚未答复", "The chief representative has not answered yet"),
    "case.no_request_none": (409, "没有待答复的请示", "There is no open no-request"),
    "case.receiver_mismatch": (403, "领取码或证件号不符", "The code or ID number does not match"),
    "case.query_mismatch": (404, "办件编号或查询码不符", "The number or the query code does not match"),
    "case.agent_letter": (422, "代领须有委托书", "An agent needs a letter of authority"),
    "case.applicant_kind": (
        422,
        "申请人类型应为 person 或 organisation",
        "An applicant is a person or an organisation",
    ),
    "case.to_hall": (422, "不能转报到该大厅", "The case cannot be forwarded to that hall"),
    "notice.unknown": (404, "没有这份文书", "There is no such notice"),
    "reveal.reason": (422, "请选择查看理由", "Choose a reason for looking"),
    "deadline.invalid": (422, "时限参数有误：{detail}", "The deadline cannot be computed: {detail}"),
}


class Refusal(Exception):
    """The house says no and has changed nothing. `facts` fill the sentence; they never hold personal data."""

    def __init__(self, code: str, /, **facts: Any) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts
        self.status, self._zh, self._en = REFUSALS[code]

    def sentence(self, language: str = "zh") -> str:
        """What a person is told."""
        text = self._en if language.startswith("en") else self._zh
        return text.format_map(_Facts(self.facts))


class _Facts(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"
