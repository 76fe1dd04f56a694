"""催领、催补通知: a result that nobody collected, or papers that are still to be brought."""

from __future__ import annotations

from app.notices.facts import ReminderFacts
from app.notices.notice import Facts, Notice, matter
from app.notices.pickup import code, what_to_bring
from app.notices.wording import Pair, both_moments, limit_en, moment_en, moment_zh
from app.notices.writer import Writer


def title(facts: Facts) -> Pair:
    if facts["of"] == "collect":
        return "催领通知", "Reminder: Please Collect"
    return "催补材料通知", "Reminder: Materials Outstanding"


def write(facts: Facts, writer: Writer) -> None:
    writer.salutation(facts["applicant_name"])
    if facts["of"] == "collect":
        _collect(facts, writer)
    else:
        _bring(facts, writer)
    writer.note()
    writer.closing(facts, "业务专用章")


def _times(facts: Facts) -> tuple[Pair, str | Pair | None]:
    times = facts.get("times")
    return ("提醒次数", "Reminder"), (f"第{times}次", f"No. {times}") if times else None


def _collect(facts: Facts, writer: Writer) -> None:
    waited, ready = facts.get("waited"), facts["ready_at"]
    result = facts.get("result_name") or "办理结果"
    writer.paragraph(
        f"您（贵单位）申请的“{facts['item_name']}”，{result}自{moment_zh(ready)}起可以领取"
        + (f"，至今已{waited}" if waited else "")
        + "，尚未领取。请尽快到本大厅出件窗口领取，也可以申请邮寄。",
        f"The result has been ready since {moment_en(ready)}"
        + (f" ({limit_en(waited)})" if waited else "")
        + " and is still here. Please collect it, or ask for it by courier.",
    )
    if facts.get("pickup_code"):
        code(facts, writer)
    else:
        writer.gap(5)
    writer.fields(
        [
            *matter(facts, limits=False, times=False),
            [(("可领时间", "Ready since"), both_moments(ready)), _times(facts)],
            [(("领取地点", "Place"), facts.get("hall_address"))],
            [(("开放时间", "Opening hours"), facts.get("opening_hours"))],
        ]
    )
    what_to_bring(writer)


def _bring(facts: Facts, writer: Writer) -> None:
    due_on, gap = facts.get("due_on"), facts["of"] == "gap"
    what = "承诺补齐的容缺材料" if gap else "需要补正的材料"
    writer.paragraph(
        f"您（贵单位）申请的“{facts['item_name']}”，{what}尚未补齐，"
        + (f"请于{moment_zh(due_on)}前提交。" if due_on else "请尽快提交。"),
        "Materials for your case are still outstanding. Please bring them"
        + (f" by {moment_en(due_on)}." if due_on else " soon."),
    )
    writer.gap(5)
    writer.fields([*matter(facts, limits=False), [(("补齐期限", "Bring by"), both_moments(due_on)), _times(facts)]])
    writer.heading("尚未补齐的材料", "Outstanding")
    writer.materials(facts["materials"], problems=True)
    if facts.get("consequence"):
        writer.heading("请您知悉", "Please note")
        writer.paragraph(facts["consequence"], lines=True)


def needed(facts: Facts) -> list[str]:
    """Who is to collect is told since when; who is to bring, what."""
    return ["ready_at"] if facts.get("of") == "collect" else ["materials"]


NOTICE = Notice(
    "reminder",
    "催",
    ("催领通知", "Reminder"),
    ReminderFacts,
    write,
    issued="结果三个、七个工作日无人领取，或者补正、容缺期限将至时",
    law="大厅出件服务制度",
    exact=title,
    also=needed,
)
