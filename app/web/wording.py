"""What pages call things: the word for every state and kind, with its badge's tone, and names in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import get_locale, lazy_gettext

from app.errors import Refusal

_ = lazy_gettext
Word = tuple[Any, str]

# of what → code → (word, tone of its badge); the one place that names states on pages
WORDS: dict[str, dict[str, Word]] = {
    "ticket": {
        "waiting": (_("等候中"), "accent"),
        "called": (_("请到窗口"), "warn"),
        "serving": (_("办理中"), "good"),
        "parked": (_("暂时离开"), "warn"),
        "no_show": (_("已过号"), "bad"),
        "finished": (_("已办结"), ""),
        "abandoned": (_("已弃号"), ""),
        "cancelled": (_("已取消"), ""),
        "expired": (_("已失效"), ""),
    },
    "case": {
        "draft": (_("已代收"), "accent"),
        "site_check": (_("现场勘验"), "yellow"),
        "not_required": (_("不需许可"), ""),
        "void": (_("作废"), ""),
        "received": (_("已收件"), "accent"),
        "correction": (_("待补正"), "warn"),
        "accepted": (_("已受理"), "accent"),
        "review": (_("审查中"), "accent"),
        "special": (_("特别程序"), "yellow"),
        "review_correction": (_("审查补正"), "warn"),
        "forwarded": (_("已转报"), "accent"),
        "granted": (_("准予"), "good"),
        "refused": (_("不予"), "bad"),
        "ready": (_("待领取"), "good"),
        "delivered": (_("已送达"), ""),
        "not_accepted": (_("不予受理"), "bad"),
        "withdrawn": (_("已撤回"), ""),
        "deemed_withdrawn": (_("视为撤回"), ""),
    },
    "case_step": {
        "receive": (_("到窗收件"), ""),
        "backdate": (_("更正收件时间"), ""),
        "accept": (_("受理"), ""),
        "deem-accept": (_("视为受理"), ""),
        "request-supplement": (_("一次性告知补正"), ""),
        "supply": (_("补收材料"), ""),
        "complete": (_("补正齐全"), ""),
        "no-request": (_("请示不予受理"), ""),
        "go-on": (_("答复：可以受理"), ""),
        "not-accept": (_("答复：不予受理"), ""),
        "not-require": (_("答复：不需要办理许可"), ""),
        "convert": (_("转为承诺件"), ""),
        "take": (_("领办"), ""),
        "propose": (_("拟办"), ""),
        "review": (_("本部门同意"), ""),
        "grant": (_("作出准予决定"), ""),
        "refuse": (_("作出不予决定"), ""),
        "suspend": (_("特别程序"), ""),
        "check-site": (_("现场勘验、技术审查"), ""),
        "resume": (_("恢复审查，继续计时"), ""),
        "extend": (_("延期"), ""),
        "return": (_("退回"), ""),
        "forward": (_("转报上级"), ""),
        "urge": (_("督办"), ""),
        "answer-urge": (_("答复督办"), ""),
        "explain-overdue": (_("公开超期理由"), ""),
        "ready": (_("结果到窗"), ""),
        "finish": (_("当场办结"), ""),
        "hand-over": (_("交付"), ""),
        "dispatch": (_("邮寄"), ""),
        "sign": (_("快递签收"), ""),
        "come-back": (_("登记退件"), ""),
        "check": (_("事后核查承诺"), ""),
        "revoke": (_("撤销决定"), ""),
        "withdraw": (_("申请人撤回"), ""),
        "deem-withdraw": (_("视为撤回"), ""),
        "void": (_("作废"), ""),
    },
    "effect": {
        "none": (_("时限不变"), ""),
        "notice": (_("一次性告知期限起算"), ""),
        "notice-ends": (_("一次性告知期限终止"), ""),
        "start": (_("两个时限起算"), "accent"),
        "start-at-receipt": (_("两个时限自收件起算"), "accent"),
        "stop-both": (_("两个时限停钟"), "yellow"),
        "stop-promised": (_("承诺时限停钟"), "yellow"),
        "run-on": (_("继续计时"), "accent"),
        "change-promised": (_("改用承诺件时限"), "warn"),
        "lengthen": (_("时限延长"), "warn"),
        "freeze": (_("停止计时"), ""),
        "delivered": (_("送达期限终止"), ""),
    },
    "alarm": {
        "notice": (_("一次性告知期限"), ""),
        "supplement": (_("补正期限"), ""),
        "gap": (_("容缺补齐期限"), ""),
        "gap-soon": (_("提醒补齐容缺材料"), ""),
        "stop": (_("告知的所需时间到期"), ""),
        "stage": (_("领办期限"), ""),
        "pre-review": (_("初审期限"), ""),
        "unclaimed-3": (_("催领"), ""),
        "unclaimed-7": (_("再次催领"), ""),
        "unclaimed-10": (_("逾期未领"), ""),
        "delivery": (_("送达期限"), ""),
        "check": (_("事后核查期限"), ""),
        "urge": (_("督办答复期限"), ""),
    },
    "joint": {
        "received": (_("已收件"), "accent"),
        "correction": (_("待补正"), "warn"),
        "accepted": (_("正在办理"), "accent"),
        "decided": (_("全部办结"), "good"),
        "delivered": (_("已送达"), ""),
        "withdrawn": (_("已撤回"), ""),
    },
    "appointment": {
        "booked": (_("已预约"), "accent"),
        "waitlisted": (_("候补中"), "warn"),
        "checked_in": (_("已报到"), "good"),
        "cancelled": (_("预约已取消"), ""),
        "no_show": (_("爽约"), "bad"),
        "expired": (_("候补未成"), ""),
    },
    "manifest": {"sent": (_("在途"), "warn"), "arrived": (_("已接收"), "good"), "missing": (_("不在袋内"), "bad")},
    "agency": {
        "ordered": (_("已委托"), "accent"),
        "accepted": (_("等材料交齐"), "warn"),
        "running": (_("代办中"), "accent"),
        "interrupted": (_("已中止"), "yellow"),
        "completed": (_("待回访"), "good"),
        "closed": (_("已回访"), ""),
        "cancelled": (_("代办已终止"), ""),
    },
    "beneficiary": {
        "elderly": (_("老年人"), ""),
        "disabled": (_("残疾人"), ""),
        "sick": (_("病人"), ""),
        "weak": (_("行动不便者"), ""),
        "orphaned": (_("孤寡老人、留守儿童"), ""),
        "other": (_("其他不便到场者"), ""),
    },
    "window": {"open": (_("服务中"), "good"), "paused": (_("暂停服务"), "warn"), "closed": (_("未开放"), "")},
    "window_kind": {
        "comprehensive": (_("综合窗口"), ""),
        "pickup": (_("出件窗口"), ""),
        "consult": (_("咨询窗口"), ""),
    },
    "lane": {
        "normal": (_("普通"), ""),
        "priority": (_("优先"), "warn"),
        "appointment": (_("预约"), "accent"),
        "returning": (_("补正返回"), "accent"),
    },
    "priority_ground": {
        "elderly": (_("老年人"), ""),
        "disabled": (_("残疾人"), ""),
        "pregnant": (_("孕妇"), ""),
        "infant": (_("携带婴幼儿"), ""),
        "military": (_("军人及优抚对象"), ""),
    },
    "choice_reason": {
        "illness": (_("身体不适"), ""),
        "frail": (_("行动不便"), ""),
        "continued": (_("续办未完事项"), ""),
        "called-back": (_("通知回窗办理"), ""),
        "mistake": (_("纠正叫号差错"), ""),
        "order": (_("维护现场秩序"), ""),
        "other": (_("其他"), ""),
    },
    "park_reason": {
        "copy": (_("复印材料"), ""),
        "form": (_("填写表格"), ""),
        "fetch": (_("取材料"), ""),
        "photo": (_("拍照"), ""),
        "pay": (_("缴费"), ""),
        "colleague": (_("等待会商"), ""),
        "other": (_("其他"), ""),
    },
    "abandon_reason": {
        "gave-up": (_("本人放弃"), ""),
        "wrong-queue": (_("取错号"), ""),
        "not-ready": (_("材料未备齐"), ""),
        "elsewhere": (_("已在别处办理"), ""),
        "gone": (_("人已离开"), ""),
        "other": (_("其他"), ""),
    },
    "expiry_reason": {
        "rollover": (_("跨日失效"), ""),
        "not-back": (_("暂离未归"), ""),
        "closing": (_("下班闭厅"), ""),
        "agreed": (_("已约改日"), ""),
        "emergency": (_("突发情况"), ""),
        "outage": (_("系统故障"), ""),
    },
    "moved": {  # why a range of the wait is another than before
        "moved_up": (_("前面有人办完或离开"), ""),
        "moved_back": (_("有优先的人排到前面"), ""),
        "window_opened": (_("开了新的窗口"), ""),
        "window_closed": (_("有窗口暂停或关闭"), ""),
        "slower": (_("办理比预计的慢"), ""),
        "faster": (_("办理比预计的快"), ""),
    },
    "place": {
        "first": (_("排在最前"), ""),
        "sorted": (_("按到达先后"), ""),
        "last": (_("排在最后"), ""),
    },
    "review": {
        "waiting": (_("等待前一部门"), ""),
        "open": (_("正在办理"), "accent"),
        "granted": (_("同意"), "good"),
        "refused": (_("不同意"), "bad"),
    },
    "material": {
        "received": (_("已收"), "good"),
        "missing": (_("未交"), "bad"),
        "not_needed": (_("无需提交"), ""),
        "shared": (_("共享获取"), "accent"),
    },
    "material_kind": {"main": (_("主要材料"), ""), "secondary": (_("次要材料，可容缺"), "")},
    "material_form": {
        "original": (_("原件"), ""),
        "copy": (_("复印件"), ""),
        "both": (_("原件和复印件"), ""),
    },
    "time_class": {
        "instant": (_("即办件"), "good"),
        "half_day": (_("半日办结"), "good"),
        "one_day": (_("一日办结"), "accent"),
        "multi_day": (_("承诺件"), "accent"),
    },
    "routing": {"in_turn": (_("依次办理"), ""), "parallel": (_("并联办理"), "")},
    "channel": {
        "window": (_("窗口办理"), ""),
        "online": (_("网上办理"), ""),
        "kiosk": (_("自助终端"), ""),
        "post": (_("邮寄办理"), ""),
    },
    "result_kind": {
        "licence": (_("证照"), ""),
        "approval": (_("批文"), ""),
        "certificate": (_("证明"), ""),
        "record": (_("登记备案凭证"), ""),
        "benefit": (_("待遇补贴"), ""),
        "answer": (_("当场答复"), ""),
    },
    "task_type": {
        "1": (_("行政许可"), ""),
        "5": (_("行政给付"), ""),
        "7": (_("行政确认"), ""),
        "8": (_("行政奖励"), ""),
        "9": (_("行政裁决"), ""),
        "10": (_("其他行政权力"), ""),
        "20": (_("公共服务"), ""),
    },
    "regime": {
        "licensing": (_("行政许可程序"), ""),
        "confirmation": (_("行政确认程序"), ""),
        "public_service": (_("公共服务程序"), ""),
        "information_disclosure": (_("政府信息公开程序"), ""),
        "hotline": (_("热线工单程序"), ""),
        "public_opinion": (_("舆情回应程序"), ""),
    },
    "level": {
        "county": (_("区县大厅"), ""),
        "township": (_("乡镇便民服务中心"), ""),
        "village": (_("村级便民服务点"), ""),
    },
    "device": {"kiosk": (_("取号机"), ""), "screen": (_("显示屏"), ""), "printer": (_("打印机"), "")},
    "step": {
        "done": (_("已完成"), ""),
        "current": (_("进行中"), ""),
        "todo": (_("未开始"), ""),
        "failed": (_("已终止"), ""),
    },
    "clock": {"promised": (_("承诺时限"), ""), "statutory": (_("法定时限"), "")},
    "ground": {
        "hearing": (_("听证"), ""),
        "tender": (_("招标"), ""),
        "auction": (_("拍卖"), ""),
        "inspection": (_("检验"), ""),
        "testing": (_("检测"), ""),
        "quarantine": (_("检疫"), ""),
        "appraisal": (_("鉴定"), ""),
        "expert_review": (_("专家评审"), ""),
        "third_party": (_("征求第三方意见"), ""),
        "site_check": (_("现场勘验"), ""),
        "technical_review": (_("技术审查"), ""),
        "supplement": (_("补正材料"), ""),
        "notice": (_("一次性告知"), ""),
    },
    "delivered": {
        "window": (_("窗口领取"), ""),
        "courier": (_("邮寄"), ""),
        "on_the_spot": (_("当场交付"), ""),
    },
    "came_back": {
        "refused": (_("拒收"), ""),
        "absent": (_("无人签收"), ""),
        "address": (_("地址有误或查无此人"), ""),
        "other": (_("其他原因"), ""),
    },
    "signal": {
        "amber": (_("预警"), "warn"),
        "yellow": (_("黄牌"), "yellow"),
        "red": (_("红牌"), "bad"),
        "stage": (_("领办超时"), "yellow"),
        "pre-review": (_("初审超时"), "yellow"),
        "overrun": (_("特别程序超时"), "yellow"),
        "gap": (_("容缺将到期"), "warn"),
        "check": (_("核查到期"), "warn"),
        "delivery": (_("逾期未送达"), "bad"),
        "urged": (_("被督办"), "warn"),
        "unanswered": (_("督办逾期未答复"), "bad"),
    },
    "rung": {
        "owner": (_("承办部门"), ""),
        "chief": (_("首席代表"), ""),
        "supervisor": (_("督办员"), ""),
    },
    "period": {"day": (_("日报"), ""), "week": (_("周报"), ""), "month": (_("月报"), "")},
    "no_request": {
        "out_of_scope": (_("不属于受理范围"), ""),
        "conditions_unmet": (_("不符合条件"), ""),
        "materials_short": (_("材料无法补齐"), ""),
        "grey_area": (_("把握不准"), ""),
        "not_required": (_("不需要办理许可"), ""),
    },
    "kept": {"kept": (_("履行承诺"), "good"), "broken": (_("未履行承诺"), "bad")},
    "reveal": {
        "verify": (_("核对身份"), ""),
        "contact": (_("联系申请人"), ""),
        "correct": (_("更正信息"), ""),
        "deliver": (_("送达"), ""),
    },
    "person": {
        "name": (_("姓名"), ""),
        "id_number": (_("证件号"), ""),
        "phone": (_("电话"), ""),
        "paper": (_("文书"), ""),
        "form": (_("表单"), ""),
    },
    "unit": {"WD": (_("工作日"), ""), "WH": (_("工作小时"), ""), "ND": (_("自然日"), ""), "NH": (_("小时"), "")},
    "day": {
        "workday": (_("工作日"), ""),
        "weekend": (_("周末"), ""),
        "holiday": (_("法定节假日"), ""),
        "makeup": (_("调休上班"), "accent"),
        "unknown": (_("日历尚未公布"), "warn"),
        "closure": (_("临时闭厅"), "warn"),
        "session": (_("延时服务"), "accent"),
    },
}

LIGHTS: dict[str, Word] = {
    "green": (_("正常"), "good"),
    "amber": (_("预警"), "warn"),
    "yellow": (_("黄牌"), "yellow"),
    "red": (_("红牌"), "bad"),
    "stopped": (_("停钟"), ""),
}

# the fields that a refusal may name, as forms call them
FIELDS: dict[str, Any] = {
    "name": _("姓名或名称"),
    "id_number": _("证件号"),
    "id_type": _("证件类型"),
    "phone": _("电话"),
    "representative": _("法定代表人"),
    "letter": _("委托书"),
    "problem": _("需要补正的内容"),
    "reason": _("理由"),
    "basis": _("法律依据"),
    "shelf": _("存放位置"),
    "receiver": _("领取人"),
    "carrier": _("快递公司"),
    "tracking_number": _("快递单号"),
    "delivery": _("送达方式"),
    "wish": _("要办的事"),
    "note": _("备注"),
    "result": _("办理结果"),
    "address": _("地址"),
    "go_to": _("应去的机关"),
    "commitment": _("申请人的书面承诺"),
}


def english() -> bool:
    """Whether this page is read in English."""
    return str(get_locale() or "zh").startswith("en")


def word(code: Any, of: str) -> str:
    """The word for a code; a dash for one that the table has not."""
    entry = WORDS[of].get(str(code))
    return str(entry[0]) if entry else "—"


def tone(code: Any, of: str) -> str:
    """The tone of the badge that carries the word."""
    entry = WORDS[of].get(str(code))
    return entry[1] if entry else ""


def light_word(code: Any) -> str:
    entry = LIGHTS.get(str(code))
    return str(entry[0]) if entry else "—"


def light_tone(code: Any) -> str:
    entry = LIGHTS.get(str(code))
    return entry[1] if entry else ""


def named(thing: Mapping[str, Any] | None, field: str = "name") -> str:
    """`field` of a plain row in the reader's language: `field_en` when there is one and it is wanted."""
    if not thing:
        return ""
    return str((english() and thing.get(f"{field}_en")) or thing.get(field) or "")


def told(refusal: Refusal) -> str:
    """A refusal's sentence in the reader's language; the states and fields in it are named as pages name them."""
    facts = dict(refusal.facts)
    of = refusal.code.partition(".")[0]
    if "state" in facts and of in WORDS:
        facts["state"] = word(facts["state"], of)
    if facts.get("field") in FIELDS:
        facts["field"] = str(FIELDS[facts["field"]])
    return Refusal(refusal.code, **facts).sentence("en" if english() else "zh")
