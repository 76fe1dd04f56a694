"""一件事综合受理单: one form, one set of materials, and the matters and departments that follow from them (C11)."""

from __future__ import annotations

from app.notices.facts import JointReceiptFacts
from app.notices.notice import Facts, Notice, basis, matter
from app.notices.wording import DELIVERIES, Pair, counted_en, moment_en, moment_zh, until, word
from app.notices.writer import Column, Writer


def write(facts: Facts, writer: Writer) -> None:
    children, materials, delivery = facts["children"], facts["materials"], facts.get("delivery")
    writer.salutation(facts["applicant_name"])
    accepted = bool(facts.get("accepted_at"))
    writer.paragraph(
        f"您（贵单位）于{moment_zh(facts['received_at'])}提出的“{facts['theme']}”一件事申请"
        f"{'已经综合受理' if accepted else '材料已经收到'}，涉及{len(children)}个事项，提交一套材料共{len(materials)}项，由下列部门分别办理，结果统一送达。",
        f"Your joint application of {moment_en(facts['received_at'])} covers {counted_en(len(children), 'matter')} with "
        f"one set of {counted_en(len(materials), 'entry')}. The departments work side by side; the results come together.",
    )
    writer.gap(5)
    writer.fields(
        [
            [(("一件事", "Joint matter"), facts["theme"])],
            *matter({**facts, "departments": [], "item_name": None, "item_code": None}),
            [
                (("牵头部门", "Lead"), facts.get("lead_department")),
                (("送达方式", "Delivery"), word(DELIVERIES, delivery) if delivery else None),
            ],
        ]
    )
    writer.heading("办理事项", "Matters")
    writer.table(
        [
            Column(("事项名称", "Matter"), 56),
            Column(("办理部门", "Department"), 36),
            Column(("办理时限", "Limit"), 36),
            Column(("办理结果", "Result"), 30),
        ],
        [
            [
                [child["item_name"], *([child["case_number"]] if child.get("case_number") else [])],
                child["department"],
                until(child.get("limit"), child.get("due_on")),
                child.get("result_name"),
            ]
            for child in children
        ],
    )
    writer.heading("材料清单", "Materials")
    writer.materials(materials)
    basis(facts, writer)
    writer.heading("请您知悉", "Please note")
    writer.paragraph(
        "各部门共用本清单材料，不再要求重复提交。个别事项不予办理的，其他事项可以继续办理并先行送达。",
        "No department asks for these materials again. If one matter is refused, the others go on.",
    )
    if not accepted:
        writer.paragraph(
            "本单仅证明材料已经收到。材料齐全、符合法定形式的，一次受理；需要补正的，当场或者在五个工作日内用一张告知书"
            "一次性告知全部内容。",
            "This paper proves that the papers were received. They are accepted at once if complete; otherwise one notice, "
            "within five working days, tells everything that is missing.",
        )
    writer.note()
    writer.closing(facts, "受理专用章" if accepted else "收件专用章")


def title(facts: Facts) -> Pair:
    """At receipt it is not an acceptance, and does not call itself one."""
    return ("一件事综合受理单", "Joint Case: Acceptance") if facts.get("accepted_at") else NOTICE.name


NOTICE = Notice(
    "joint_receipt",
    "联",
    ("一件事综合收件单", "Joint Case: Receipt"),
    JointReceiptFacts,
    write,
    issued="一件事综合收件、受理时，各一份",
    law="行政许可法 §26",
    exact=title,
)
