"""邮寄交寄单: what goes by courier, to whom, in which fee zone; it travels with the parcel and tells no code."""

from __future__ import annotations

from app.notices.facts import CourierFacts
from app.notices.notice import Facts, Notice
from app.notices.service import documents
from app.notices.wording import both_moments
from app.notices.writer import Writer


def write(facts: Facts, writer: Writer) -> None:
    fee, paid = facts.get("courier_fee"), facts.get("paid")
    mark = ("（已付）", " (paid)") if paid else ("（到付）", " (on delivery)")
    writer.fields(
        [
            [
                (("承运单位", "Carrier"), facts["carrier"]),
                (("邮件号码", "Tracking No."), facts.get("tracking_number") or "　"),
            ],
            [
                (("计费区域", "Zone"), facts.get("zone")),
                (("邮寄费", "Fee"), (fee + (mark[0] if paid is not None else ""), fee + mark[1]) if fee else None),
            ],
            [(("交寄时间", "Sent"), both_moments(facts.get("dispatched_at")))],
        ]
    )
    writer.heading("收件人", "To")
    writer.fields(
        [
            [(("姓名（名称）", "Name"), facts["receiver_name"]), (("电话", "Phone"), facts.get("receiver_phone"))],
            [(("地址", "Address"), facts["receiver_address"])],
        ]
    )
    writer.heading("寄件人", "From")
    writer.fields(
        [
            [(("寄件单位", "Sender"), facts["hall_name"]), (("电话", "Phone"), facts.get("hall_phone"))],
            [(("地址", "Address"), facts.get("hall_address"))],
            [(("收件编号", "Case No."), facts["case_number"])],
        ]
    )
    writer.heading("内件清单", "Contents")
    documents(facts, writer)
    writer.heading("签收说明", "On delivery")
    writer.paragraph(
        "请核对内件后签收；收件人签收日期为送达日期。他人代收的，请注明与收件人的关系。",
        "Check the contents before signing; the day of your signature is the day of service. Whoever signs for "
        "somebody else says in what relation.",
    )
    writer.signatures(("收件人（代收人）签收", "Received by"), ("揽收人", "Courier"))
    writer.note()
    writer.closing(facts, "业务专用章", receiver=None, linked=False)


NOTICE = Notice(
    "courier",
    "邮",
    ("邮寄交寄单", "Courier Slip"),
    CourierFacts,
    write,
    issued="办理结果邮寄送达时",
    law="行政许可法 §44",
    copies=(("第一联　存档", "Copy 1 · file"), ("第二联　随件", "Copy 2 · with the parcel")),
)
