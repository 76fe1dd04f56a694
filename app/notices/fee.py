"""缴费通知书: what has to be paid, on what basis, by when and where."""

from __future__ import annotations

from app.notices.facts import FeeFacts
from app.notices.notice import Facts, Notice, matter
from app.notices.wording import both_moments, moment_en, moment_zh, yuan
from app.notices.writer import Column, Writer


def write(facts: Facts, writer: Writer) -> None:
    total, by = yuan(sum(line["amount_fen"] for line in facts["fees"])), facts.get("pay_by_on")
    writer.salutation(facts["applicant_name"])
    writer.paragraph(
        [
            (f"您（贵单位）申请的“{facts['item_name']}”，依照有关规定应当缴纳费用", False),
            (f"共计{total[0]}", True),
            (f"，请于{moment_zh(by)}前缴纳。" if by else "，请及时缴纳。", False),
        ],
        f"A fee of {total[1]} is due for your case{f', by {moment_en(by)}' if by else ''}.",
    )
    writer.gap(5)
    writer.fields(
        [
            *matter(facts, limits=False),
            [(("应缴合计", "Total"), total), (("缴费期限", "Pay by"), both_moments(by))],
            [(("缴费方式", "How to pay"), facts.get("pay_where"))],
        ]
    )
    writer.heading("收费明细", "Fees")
    rows = [
        [line["name"], [line["basis"], *([line["note"]] if line.get("note") else [])], yuan(line["amount_fen"])[0]]
        for line in facts["fees"]
    ]
    writer.table(
        [
            Column(("收费项目", "Fee"), 52),
            Column(("收费依据", "Basis"), 74),
            Column(("金额", "Amount"), 32, "right"),
        ],
        rows,
    )
    writer.heading("请您知悉", "Please note")
    writer.paragraph(
        facts.get("consequence") or "收费以上列项目和标准为限，缴费后请索取财政票据；未列明的费用可以拒绝缴纳。",
        "" if facts.get("consequence") else "Nothing beyond this list is due. Ask for an official receipt.",
        lines=True,
    )
    writer.note()
    writer.closing(facts, "业务专用章")


NOTICE = Notice(
    "fee",
    "缴",
    ("缴费通知书", "Notice of Fees"),
    FeeFacts,
    write,
    issued="事项依法收费时",
    law="行政许可法 §58、§59",
)
