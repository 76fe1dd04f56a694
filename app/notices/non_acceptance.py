"""不予受理通知书: not accepted, why, by what law, where to go instead, and what may be done against it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.notices.facts import NonAcceptanceFacts, day_of, moment_en, moment_zh
from app.notices.notice import Notice, basis, matter
from app.notices.remedies import remedy_on
from app.notices.writer import Writer


def write(facts: Mapping[str, Any], writer: Writer) -> None:
    received = facts.get("received_at")
    writer.salutation(facts["applicant_name"])
    writer.paragraph(
        f"您（贵单位）{f'于{moment_zh(received)}' if received else ''}提出的“{facts['item_name']}”申请，"
        "经审查，决定不予受理。",
        f"Your application{f' of {moment_en(received)}' if received else ''} is not accepted.",
    )
    writer.gap(5)
    writer.fields(matter(facts, limits=False))
    writer.heading("不予受理的理由", "Reasons")
    writer.numbered(facts["reasons"])
    basis(facts, writer)
    if facts.get("go_to"):
        writer.heading("请您向以下单位提出申请", "Where to apply instead")
        writer.paragraph(facts["go_to"], lines=True)
    remedy = remedy_on(day_of(facts["issued_at"]))
    writer.heading("救济途径", "Remedies")
    writer.paragraph(remedy.zh(facts.get("review_authority") or "", facts.get("court") or ""), remedy.en())
    writer.note()
    writer.closing(facts, "受理专用章")


NOTICE = Notice(
    "non_acceptance",
    "不受",
    ("不予受理通知书", "Notice of Non-Acceptance"),
    NonAcceptanceFacts,
    write,
)
