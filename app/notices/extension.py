"""延期通知书: the statutory limit is lengthened once, by whom, why, and the new last day (行政许可法 §42)."""

from __future__ import annotations

from app.notices.facts import ExtensionFacts
from app.notices.notice import Facts, Notice, matter, with_organ
from app.notices.wording import both_moments, counted_en, moment_en, moment_zh
from app.notices.writer import Writer

LAW = "《中华人民共和国行政许可法》第四十二条第一款"
JOINT_LAW = "《中华人民共和国行政许可法》第四十二条第二款"


def write(facts: Facts, writer: Writer) -> None:
    days, known = facts["days"], not facts.get("provisional")
    due_on = facts.get("statutory_due_on") if known else None
    promised_on = facts.get("promised_due_on") if known else None
    writer.salutation(facts["applicant_name"])
    both = facts.get("clock", "both") == "both"
    writer.paragraph(
        f"您（贵单位）申请的“{facts['item_name']}”，因下列理由不能在规定时限内作出决定。经{facts['approved_by']}批准，"
        f"{'办理时限' if both else '法定时限'}延长{days}个工作日"
        + (f"，至{moment_zh(due_on)}届满。" if due_on else "，届满日期以公布的工作日安排为准。"),
        f"Your case cannot be decided in time, for the reasons below. The {'' if both else 'statutory '}limit is extended by "
        f"{counted_en(days, 'working day')}"
        + (f", until {moment_en(due_on)}." if due_on else "; the last day follows once the calendar is announced."),
    )
    writer.gap(5)
    writer.fields(
        [
            *matter(facts, limits=False),
            [
                (("延长期限", "Extended by"), (f"{days}个工作日", counted_en(days, "working day"))),
                (("批准人", "Approved by"), facts["approved_by"]),
            ],
            [
                (("原法定期限至", "Was due on"), both_moments(facts.get("previous_due_on"))),
                (("延长后期限至", "Now due on"), both_moments(due_on)),
            ],
            [
                (
                    ("新承诺期限至", "Promised until") if both else ("承诺期限仍为", "Promise stays at"),
                    both_moments(promised_on),
                )
            ],
        ]
    )
    writer.section("延长的理由", "Reasons", facts["reasons"])
    law = facts.get("law") or (JOINT_LAW if facts.get("joint") else LAW)
    writer.section("法律依据", "Legal basis", [law])
    writer.heading("请您知悉", "Please note")
    writer.paragraph(
        "办理时限只延长一次。延长期限内作出决定的，将及时告知。",
        "A limit is extended only once. You will be told as soon as the decision is made.",
    )
    writer.note()
    writer.closing(with_organ(facts), "审批专用章")


NOTICE = Notice(
    "extension",
    "延",
    ("延长办理期限通知书", "Notice of Extension"),
    ExtensionFacts,
    write,
    issued="法定时限届满前，经批准延长时",
    law="行政许可法 §42",
)
