"""超期说明: why a case was not decided in time, for everybody to read (优化营商环境条例 §36). It names nobody."""

from __future__ import annotations

from app.notices.facts import OverdueFacts
from app.notices.notice import Facts, Notice, with_organ
from app.notices.wording import CLOCKS, both_moments, due, moment_en, moment_zh
from app.notices.writer import Writer


def write(facts: Facts, writer: Writer) -> None:
    clock, since, ended_at = facts["clock"], facts["overdue_since"], facts.get("ended_at")
    estimate = facts.get("estimate_on") or facts.get("estimate")
    zh, en = CLOCKS[clock]
    was, now = ("was", f", and was completed on {moment_en(ended_at)}") if ended_at else ("has been", "")
    writer.paragraph(
        f"收件编号{facts['case_number']}的“{facts['item_name']}”，自{moment_zh(since)}起超过{zh}，"
        f"{f'已于{moment_zh(ended_at)}办结' if ended_at else '尚未办结'}。现公开说明理由，并向申请人致歉。",
        f"Case {facts['case_number']} {was} past its {en[0].lower()}{en[1:]} since {moment_en(since)}{now}. The reasons "
        "are published here; we apologise to the applicant.",
    )
    writer.gap(5)
    writer.fields(
        [
            [
                (("收件编号", "Case No."), facts["case_number"]),
                (("事项编码", "Matter code"), facts.get("item_code")),
            ],
            [(("事项名称", "Matter"), facts["item_name"])],
            [(("办理部门", "Department"), facts.get("department") or "、".join(facts.get("departments") or []))],
            [
                (("超过的时限", "Limit passed"), (zh, en)),
                (("超期起始", "Overdue since"), both_moments(since)),
            ],
            [(CLOCKS[clock], due({**facts, f"{clock}_due_on": None}, clock))],
            [(("预计办结", "Expected"), both_moments(estimate))],
        ]
    )
    writer.section("超期的理由", "Reasons", facts["reasons"])
    writer.section("改进措施", "What is being done", facts.get("measures"))
    writer.heading("监督", "Supervision")
    writer.paragraph(
        "对办理超期有异议的，可以拨打监督电话或者到大厅“办不成事”反映窗口反映。",
        "To object, call the supervision number or go to the hall's complaints window.",
    )
    writer.note()
    writer.closing(with_organ(facts), "业务专用章", receiver=None, linked=False)


NOTICE = Notice(
    "overdue",
    "超",
    ("办理超期情况说明", "Overdue: Public Explanation"),
    OverdueFacts,
    write,
    issued="超过承诺或者法定时限，公开说明理由时",
    law="优化营商环境条例 §36",
    copies=(("公开", "Public"),),
)
