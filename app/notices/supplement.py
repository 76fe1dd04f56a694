"""一次性告知书: everything that is still missing or wrong, said once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.notices.facts import SupplementFacts
from app.notices.notice import Notice, basis, matter, your
from app.notices.wording import counted_en, moment_en, moment_zh
from app.notices.writer import Writer


def write(facts: Mapping[str, Any], writer: Writer) -> None:
    due_on = facts.get("supplement_due_on")
    writer.salutation(facts["applicant_name"])
    writer.paragraph(
        f"{your(facts)}提交的“{facts['item_name']}”申请材料"
        f"不齐全或者不符合法定形式。现将需要补正的全部内容（共{len(facts['materials'])}项）一次性告知如下。",
        "Your application papers are incomplete or not in due form. This is everything that has to be "
        f"supplied ({counted_en(len(facts['materials']), 'entry')}), told at once.",
    )
    writer.gap(5)
    writer.fields(matter(facts, limits=False))
    if facts.get("repeat_reason"):
        writer.heading("再次告知的原因", "Why you are told again")
        writer.paragraph(facts["repeat_reason"], lines=True)
    writer.heading("需要补正的全部内容", "All that has to be supplied")
    writer.materials(facts["materials"], problems=True)
    basis(facts, writer)
    writer.heading("如何补正", "How to supply")
    writer.paragraph(
        (f"请于{moment_zh(due_on)}前" if due_on else "请")
        + "携带本告知书和补正材料到本大厅办理。全部补正材料提交齐全的，自收齐之日起予以受理。",
        (
            f"Please bring this notice and the materials by {moment_en(due_on)}."
            if due_on
            else "Please bring both to the hall."
        )
        + " The application is accepted on the day everything is in.",
    )
    if facts.get("consequence"):
        writer.paragraph(facts["consequence"], lines=True)
    writer.note()
    writer.closing(facts, "业务专用章")


NOTICE = Notice(
    "supplement",
    "补",
    ("补正材料一次性告知书", "One-Time Notice of Supplements"),
    SupplementFacts,
    write,
    issued="材料不齐全或者不符合法定形式，收件后五个工作日内",
    law="行政许可法 §32",
)
