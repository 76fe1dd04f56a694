"""一次性告知书: everything that is still missing or wrong, said once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.notices.facts import SupplementFacts, moment_en, moment_zh
from app.notices.notice import Notice, basis, matter
from app.notices.writer import Writer


def write(facts: Mapping[str, Any], writer: Writer) -> None:
    received, due_on = facts.get("received_at"), facts.get("supplement_due_on")
    writer.salutation(facts["applicant_name"])
    writer.paragraph(
        f"您（贵单位）{f'于{moment_zh(received)}' if received else ''}提交的“{facts['item_name']}”申请材料"
        f"不齐全或者不符合法定形式。现将需要补正的全部内容（共{len(facts['materials'])}项）一次性告知如下。",
        "Your application papers are incomplete or not in due form. This is everything that has to be "
        f"supplied ({len(facts['materials'])} entries), told at once.",
    )
    writer.gap(5)
    writer.fields(matter(facts, limits=False))
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


NOTICE = Notice("supplement", "补", ("补正材料一次性告知书", "One-Time Notice of Supplements"), SupplementFacts, write)
