"""缴费通知书: what has to be paid, on what basis, by when and where."""

from __future__ import annotations

from app.notices.facts import FeeFacts
from app.notices.notice import Facts, Notice, matter
from app.notices.wording import limit_en, moment_en, moment_zh, until, yuan
from app.notices.writer import Column, Writer


def write(facts: Facts, writer: Writer) -> None:
    total = yuan(sum(line["amount_fen"] for line in facts["fees"]))
    by, within, where = facts.get("pay_by_on"), facts.get("pay_within"), facts.get("pay_where")
    soon, soon_en = "请及时缴纳。", ""
    if by:
        soon, soon_en = f"请于{moment_zh(by)}前缴纳。", f", by {moment_en(by)}"
    elif within:
        soon, soon_en = f"请自本通知书发出之日起 {within}内缴纳。", f", within {limit_en(within)} of this notice"
    writer.salutation(facts["applicant_name"])
    writer.paragraph(
        [
            (f"您（贵单位）申请的“{facts['item_name']}”，依照有关规定应当缴纳费用", False),
            (f"共计{total[0]}", True),
            (f"，{soon}", False),
        ],
        f"A fee of {total[1]} is due for your case{soon_en}.",
    )
    writer.gap(5)
    writer.fields(
        [
            *matter(facts, limits=False),
            [(("应缴合计", "Total"), total), (("缴费期限", "Pay by"), until(within, by))],
            [(("缴费地点", "Where to pay"), (where, facts.get("pay_where_en") or "") if where else None)],
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
