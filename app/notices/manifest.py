"""物料流转凭证: which papers went from one desk or hall to another, and who signed for them."""

from __future__ import annotations

from app.notices.facts import ManifestFacts
from app.notices.notice import Facts, Notice
from app.notices.wording import FORMS, both_moments
from app.notices.writer import Column, Writer


def write(facts: Facts, writer: Writer) -> None:
    entries = facts["entries"]
    writer.fields(
        [
            [(("移交方", "From"), facts["from_name"]), (("接收方", "To"), facts["to_name"])],
            [(("流转事由", "Purpose"), facts.get("purpose"))],
            [
                (("收件编号", "Case No."), facts.get("case_number")),
                (("申请人", "Applicant"), facts.get("applicant_name")),
            ],
            [(("事项名称", "Matter"), facts.get("item_name"))],
            [
                (("移交时间", "Handed over"), both_moments(facts.get("handed_over_at"))),
                (("移交人", "By"), facts.get("handed_over_by")),
            ],
            [
                (("接收时间", "Taken over"), both_moments(facts.get("taken_over_at"))),
                (("接收人", "By"), facts.get("taken_over_by")),
            ],
            [(("传递方式", "Carried by"), facts.get("carrier"))],
        ]
    )
    writer.heading(f"移交清单（共{len(entries)}项）", f"Handed over ({len(entries)})")
    writer.table(
        [
            Column(("材料、文书名称", "Paper"), 62),
            Column(("收件编号", "Case No."), 38),
            Column(("形式", "Form"), 22, "center"),
            Column(("份数", "Copies"), 14, "center"),
            Column(("备注", "Note"), 22),
        ],
        [
            [
                each["name"],
                each.get("case_number") or facts.get("case_number"),
                writer.word(FORMS, each.get("form")),
                writer.count(each),
                each.get("note"),
            ]
            for each in entries
        ],
    )
    writer.gap(6)
    writer.paragraph(
        "移交、接收双方当面核对清单后签名；上级部门不得要求申请人重复提供上列材料。",
        "Both sides check the list and sign. Nobody may ask the applicant for these papers again.",
    )
    writer.signatures(("移交人签名", "Handed over by"), ("接收人签名", "Taken over by"))
    writer.note()
    bundle = not facts.get("case_number")  # its own address; the page of a single case is not for everybody on the way
    writer.closing(
        facts, "业务专用章", receiver=None, linked=bundle, scan=("扫码核对、接收", "Scan to check and take over")
    )


NOTICE = Notice(
    "manifest",
    "流",
    ("物料流转凭证", "Manifest of Papers"),
    ManifestFacts,
    write,
    issued="材料在窗口、部门或者大厅之间移交时",
    law="行政许可法 §35、§43",
    copies=(("第一联　移交方留存", "Copy 1 · from"), ("第二联　接收方留存", "Copy 2 · to")),
)
