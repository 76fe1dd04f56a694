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
    "window.already_open": (409, "窗口正由 {staff} 使用", "{staff} is at this window"),
    "window.not_yours": (403, "您不在这个窗口", "You are not at this window"),
    "window.occupied": (409, "请先结束当前号票 {number}", "Finish ticket {number} first"),
    "window.staff_elsewhere": (409, "您已在 {window} 窗口，请先关闭", "You are at window {window}; close it first"),
    "window.reason_required": (422, "请说明暂停原因", "Say why the window pauses"),
    "policy.invalid": (422, "叫号规则填写有误：{field}", "The rules of calling are not valid: {field}"),
    "policy.unchanged": (422, "与现行的叫号规则相同，没有改动", "Those are the rules in force; nothing would change"),
    "replay.too_many": (422, "一次最多试 {most} 项改动", "At most {most} changes can be tried at once"),
    "policy.changed": (
        409,
        "叫号规则刚被改动，请重新预览后再确认",
        "The rules of calling have just been changed; preview again before confirming",
    ),
    "weight.invalid": (422, "提前分钟数应为 0–{most} 的整数", "Minutes are whole numbers from 0 to {most}"),
    "closure.invalid": (422, "结束时间须晚于开始时间", "The end must be after the start"),
    "hours.invalid": (
        422,
        "开放时间写作 08:30-12:00 13:30-18:00，按先后、不重叠",
        "Write opening hours as 08:30-12:00 13:30-18:00, in order and without overlap",
    ),
    "hours.past": (
        422,
        "已经过去的开放时间不能改：从明天起，或者从今天起、只改此刻以后的钟点",
        "Opening hours of the past cannot change: begin tomorrow, or today with hours that differ only later than now",
    ),
    "schedule.unchanged": (
        422,
        "与现行的开放时间或日历相同，没有改动",
        "That is what is in force; nothing would change",
    ),
    "schedule.changed": (
        409,
        "开放时间或日历刚被改动，请重新预览后再确认",
        "The hours or the calendar have just been changed; preview again before confirming",
    ),
    "calendar.no_year": (
        422,
        "{year} 年的日历还没有公布或导入",
        "The calendar of {year} has not been announced or imported",
    ),
    "calendar.makeup_weekday": (
        422,
        "只有周六、周日可以设为调休上班",
        "Only a Saturday or Sunday can be made a make-up day",
    ),
    "calendar.version_taken": (
        409,
        "版本 {version} 已有另一份日历，请换一个版本名",
        "Version {version} names another calendar; give this one a version of its own",
    ),
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
    "theme.unknown": (404, "没有这个“一件事”主题", "There is no such one-thing service"),
    "regime.unknown": (404, "没有这种办理制度", "There is no such regime"),
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
    "ticket.transfer_limit": (409, "最多转移 {limit} 次", "A ticket is passed on at most {limit} times"),
    "ticket.day_over": (
        409,
        "号票 {number} 属于前一工作日，不能再排队",
        "Ticket {number} is of a day that is over and cannot wait again",
    ),
    "ticket.defer_off": (409, "本大厅不提供暂离", "This hall does not let people leave and come back"),
    "ticket.rejoin_too_late": (
        409,
        "暂离已超过 {minutes} 分钟，请重新取号",
        "Away for over {minutes} min; take a new ticket",
    ),
    "queue.closed_for_today": (409, "今日已停止取号", "No more tickets are given today"),
    "queue.still_issuing": (
        409,
        "请先停止取号，再作废余号",
        "Stop giving tickets before those who still wait are sent home",
    ),
    "staff.not_at_window": (409, "该人员不在开放的窗口", "This person is at no open window"),
    "reason.unknown": (422, "请从列表中选择原因", "Choose a reason of the list"),
    "reason.note_required": (422, "选择“其他”时请写明情况", "With “other”, say what it is"),
    "ground.unknown": (422, "没有这种优先情形", "There is no such ground of priority"),
    "place.unknown": (422, "位置应为 first、sorted 或 last", "The place is first, sorted or last"),
    "party.size": (422, "同行人数应为 1–{limit}", "A party is of 1–{limit} people"),
    "block.unknown": (404, "没有这个号段", "There is no such block of numbers"),
    "block.size": (422, "号段应为 1–{limit} 个号", "A block has 1–{limit} numbers"),
    "block.held": (409, "本机今日在此队列已有号段", "This device has a block of this queue today already"),
    "block.none_left": (409, "今日离线号段已用尽", "No offline numbers are left for today"),
    "block.foreign_number": (422, "号码 {number} 不在此号段", "Number {number} is not of this block"),
    "lane.needs_appointment": (422, "预约号须凭预约报到取得", "The lane of appointments is for who checks in with one"),
    "lane.unknown": (422, "没有这个通道", "There is no such lane"),
    "person.bad_id": (422, "身份证件号码有误", "The ID number is not valid"),
    "person.bad_phone": (422, "手机号码有误", "The phone number is not valid"),
    "appointment.unknown": (404, "没有这个预约", "There is no such appointment"),
    "appointment.none_today": (404, "今天没有您的预约", "You have no appointment today"),
    "appointment.not_offered": (
        409,
        "该队列不接受预约，请到现场取号",
        "This queue takes no appointments; take a number",
    ),
    "appointment.closed": (409, "这个时段大厅不开放预约", "The hall takes no appointments at that time"),
    "appointment.full": (409, "这个时段已约满", "This slot is full"),
    "appointment.waiting_full": (409, "这个时段的候补也已满", "The waiting list of this slot is full too"),
    "appointment.too_late": (409, "这个时段已停止预约", "It is too late to book this slot"),
    "appointment.too_far": (409, "只能预约今后 {days} 天内的时段", "Only the next {days} days can be booked"),
    "appointment.too_early": (
        409,
        "未到报到时间，请在 {opens_at} 以后来",
        "It is too early; check in from {opens_at} on",
    ),
    "appointment.ticket_over": (
        409,
        "这次预约已经报到，号票 {number} 已结束或已取消。还要办事，请到导办台",
        "This appointment was checked in, and its ticket {number} is over or was given back. Please ask at the guide desk",
    ),
    "appointment.day_over": (409, "预约的日期已过", "The day of this appointment is over"),
    "appointment.other_hall": (409, "您的预约在另一个大厅：{hall}", "Your appointment is at another hall: {hall}"),
    "appointment.begun": (
        409,
        "预约时间已到，不能再取消",
        "The appointment's time has come; it can no longer be cancelled",
    ),
    "appointment.not_missed": (
        409,
        "还可以按时报到，不能记为爽约",
        "They may still come in time and have missed nothing",
    ),
    "appointment.ask_hall": (
        409,
        "现在不能用这些信息在网上预约，请打大厅电话 {phone} 或到导办台办理；仍可到现场取号",
        "This cannot be booked online with these details. Call the hall on {phone} or ask at the guide desk; you may still "
        "come and take a number",
    ),
    "appointment.twice": (409, "您已约了这个时段", "You have this slot already"),
    "appointment.limit_day": (409, "每人每天最多预约 {most} 次", "At most {most} a day for one person"),
    "appointment.limit_week": (409, "每人每周最多预约 {most} 次", "At most {most} a week for one person"),
    "appointment.limit_month": (409, "每人每月最多预约 {most} 次", "At most {most} a month for one person"),
    "appointment.blocked": (
        409,
        "一个月内爽约 {misses} 次，{until} 起才能再预约；仍可到现场取号",
        "{misses} appointments of one month were missed; booking opens again on {until}. You may still take a number",
    ),
    "appointment.illegal_step": (
        409,
        "预约现在不能这样操作（{state}）",
        "The appointment cannot do that now ({state})",
    ),
    "appointment_rules.invalid": (422, "预约规则填写有误：{field}", "The rules of appointments are not valid: {field}"),
    "appointment_rules.unchanged": (
        422,
        "与现行的预约规则相同，没有改动",
        "Those are the rules in force; nothing would change",
    ),
    "appointment_rules.changed": (
        409,
        "预约规则刚被改动，请刷新后重试",
        "The rules of appointments have just been changed; reload and try again",
    ),
    # cases
    "case.unknown": (404, "没有这个办件", "There is no such case"),
    "case.illegal_step": (
        409,
        "办件 {number} 现在不能这样操作（{state}）",
        "Case {number} cannot do that now ({state})",
    ),
    "case.material_unknown": (422, "事项没有材料 {code}", "The item has no material {code}"),
    "case.materials_missing": (409, "材料不齐：{names}", "Materials are missing: {names}"),
    "case.not_sharable": (422, "材料 {code} 不能共享获取", "Material {code} cannot be shared"),
    "licence.none": (409, "没有查到可用的电子证照：{name}", "No e-licence was found for {name_en}"),
    "licence.expired": (409, "电子证照已过有效期（{day}）：{name}", "The e-licence expired ({day}): {name_en}"),
    "licence.revoked": (409, "电子证照已撤销：{name}", "The e-licence was revoked: {name_en}"),
    "case.no_supplement_due": (
        409,
        "办件 {number} 没有待补正的材料",
        "Case {number} waits for no supplement",
    ),
    "case.nothing_missing": (422, "没有选择需要补正的材料", "No material was chosen for the notice"),
    "case.second_notice": (409, "补正只能一次性告知", "A supplement may be requested only once"),
    "case.tolerant_main": (409, "主要材料不能容缺：{names}", "A main material cannot be tolerated: {names}"),
    "case.tolerant_commitment": (422, "容缺受理须有书面承诺", "Tolerant acceptance needs a written commitment"),
    "case.tolerant_gap": (422, "补齐期限不得长于承诺时限", "The gap limit must not exceed the promised limit"),
    "case.commitment_required": (
        422,
        "告知承诺须有申请人的书面承诺",
        "Notification with commitment needs the applicant's written word",
    ),
    "case.not_on_commitment": (409, "该事项未实行告知承诺", "The item is not decided on a commitment"),
    "case.told_late": (
        409,
        "一次性告知期限已过，自收件之日起即为受理",
        "The time to tell what is missing has passed; the case counts as accepted as of the receipt",
    ),
    "case.backdate_bounds": (
        422,
        "收件时间只能更正为 {earliest} 之后、现收件时间之前",
        "The receipt may only be moved back, to no earlier than {earliest}",
    ),
    "case.not_instant": (409, "不是当场办结的事项，或已转为承诺件", "Not finished on the spot, or already converted"),
    "case.on_the_spot": (
        409,
        "当场交付限受理人当日办理；请凭领取码或证件发放",
        "Only who took the case in may hand over on the spot, that day; else by code or ID",
    ),
    "case.convert_limit": (
        422,
        "承诺件时限须长于原时限，且不得超过法定时限",
        "The new limit must be longer than the promised one and no longer than the statutory one",
    ),
    "case.convert_late": (409, "即办时限已过，不能再转为承诺件", "The limit has passed; it is too late to convert"),
    "case.gap_open": (409, "容缺材料尚未补齐", "Tolerated materials are still missing"),
    "case.intake_is_approver": (403, "受理人不得审批本件", "Who accepted a case may not decide it"),
    "case.reason_required": (422, "请填写理由", "A reason is required"),
    "case.basis_required": (422, "请填写法律依据", "The legal basis is required"),
    "case.outcome": (422, "决定应为 granted 或 refused", "An outcome is granted or refused"),
    "case.ground": (422, "不是法定的特别程序", "This is not a ground that stops the clock"),
    "case.days": (422, "天数应为 1–{limit}", "Days must be 1–{limit}"),
    "case.not_extendable": (
        409,
        "该事项的程序规则没有规定这种期限可以延长",
        "The rules that this case follows do not let its limit be extended",
    ),
    "case.rank": (403, "延期须由有权负责人批准", "An extension needs approval of a higher rank"),
    "case.signatures": (
        409,
        "签批不得超过 {limit} 人次，请直接作出决定",
        "No more than {limit} signatures; the next one must decide",
    ),
    "case.own_proposal": (
        403,
        "拟办人不得自行签批，须由他人决定",
        "Who proposed may not sign again; somebody else decides",
    ),
    "case.no_check": (409, "没有需要事后核查的承诺", "There is no commitment to be checked"),
    "case.extended_once": (409, "延期只能一次", "A case may be extended only once"),
    "case.too_late": (409, "法定期限已过", "The statutory limit has passed"),
    "case.not_authorised": (403, "该事项未授权首席代表决定", "The chief representative may not decide this item"),
    "case.no_request_kind": (422, "请选择请示的类别", "Choose what kind of case this is"),
    "case.no_request_open": (409, "首席代表尚未答复", "The chief representative has not answered yet"),
    "case.no_request_none": (409, "没有待答复的请示", "There is no open no-request"),
    "case.receiver_mismatch": (403, "领取码或证件号不符", "The code or ID number does not match"),
    "case.receiver_name": (
        422,
        "领取人不是申请人、法定代表人或收件时登记的代办人；他人代领须有委托书",
        "The receiver is neither the applicant, its representative nor the agent named at receipt; others need a letter",
    ),
    "case.query_mismatch": (404, "办件编号或查询码不符", "The number or the query code does not match"),
    "case.signature": (422, "签名图片须为不超过 60 kB 的 PNG", "A signature is a PNG picture of at most 60 kB"),
    "case.courier_zone": (422, "没有这个寄送区域", "There is no such delivery zone"),
    "case.not_dispatched": (409, "没有待签收的邮寄件", "Nothing was sent that waits for a signature"),
    "case.sign_date": (422, "签收日期应在寄出之日至今天之间", "The day of signing lies between dispatch and today"),
    "case.agent_letter": (422, "代领须有委托书", "An agent needs a letter of authority"),
    "case.applicant_kind": (
        422,
        "申请人类型应为 person 或 organisation",
        "An applicant is a person or an organisation",
    ),
    "case.to_hall": (422, "不能转报到该大厅", "The case cannot be forwarded to that hall"),
    "case.urge_none": (409, "没有待答复的督办", "There is no urging to answer"),
    "case.urge_open": (409, "上一次督办还没有答复", "The last urging has not been answered yet"),
    "case.not_overdue": (409, "办件没有超期，不需要说明", "The case is not overdue; there is nothing to explain"),
    "signal.unknown": (404, "没有这条信号", "There is no such signal"),
    # one-thing cases, papers on their way, agency orders
    "joint.unknown": (404, "没有这个一件事办件", "There is no such one-thing case"),
    "joint.illegal_step": (
        409,
        "一件事办件 {number} 现在不能这样操作（{state}）",
        "One-thing case {number} cannot do that now ({state})",
    ),
    "joint.nothing_granted": (409, "还没有可以放到窗口的结果", "There is no result to put at the window yet"),
    "joint.nothing_decided": (409, "还没有可以领取的结果", "There is nothing to collect yet"),
    "joint.query_mismatch": (404, "编号或查询码不符", "The number or the query code does not match"),
    "manifest.unknown": (404, "没有这份交接单", "There is no such manifest"),
    "manifest.empty": (422, "请选择要移交的办件", "Choose the cases to hand over"),
    "manifest.not_sendable": (409, "办件 {number} 现在不能随交接单移交", "Case {number} cannot travel now"),
    "manifest.on_its_way": (409, "办件 {number} 已在途中", "Case {number} is on its way already"),
    "manifest.to_hall": (422, "不能移交到该大厅", "Papers cannot be sent to that hall"),
    "manifest.not_in_it": (422, "交接单 {number} 里没有 {case}", "{case} is not in manifest {number}"),
    "manifest.arrived": (409, "交接单 {number} 已经接收", "Manifest {number} has arrived already"),
    "agency.unknown": (404, "没有这个代办单", "There is no such agency order"),
    "agency.illegal_step": (
        409,
        "代办单 {number} 现在不能这样操作（{state}）",
        "Agency order {number} cannot do that now ({state})",
    ),
    "agency.beneficiary": (422, "代办对象类别有误", "Unknown kind of beneficiary"),
    "agency.foreign_case": (
        409,
        "办件 {number} 不是这位委托人的，或已关联别的代办单",
        "Case {number} is of another person or errand",
    ),
    "agency.result_required": (422, "请填写办理结果或关联办件", "Say what came of it, or name the case"),
    "notice.unknown": (404, "没有这份文书", "There is no such notice"),
    "batch.unknown": (404, "没有这个打印批次", "There is no such batch"),
    "batch.empty": (422, "没有可以打印的文书", "There is no paper to print"),
    "batch.too_many": (422, "一批最多 {limit} 份文书", "A batch holds at most {limit} papers"),
    "batch.one_hall": (422, "一批文书须属于同一个大厅", "The papers of a batch belong to one hall"),
    "batch.not_ready": (409, "文件还没有生成，请稍候", "The file is not ready yet"),
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
