"""准予、不予决定书: what was decided; a refusal gives reasons, law and remedies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.notices.facts import DecisionFacts
from app.notices.notice import Notice, basis, matter, remedies, with_organ
from app.notices.wording import Pair, both_moments, moment_en, moment_zh
from app.notices.writer import Writer


def title(facts: Mapping[str, Any]) -> Pair:
    matter_kind = facts.get("matter_kind") or "办理"
    if facts["outcome"] == "granted":
        return f"准予{matter_kind}决定书", "Decision: Granted"
    return f"不予{matter_kind}决定书", "Decision: Refused"


def write(facts: Mapping[str, Any], writer: Writer) -> None:
    granted = facts["outcome"] == "granted"
    accepted = facts.get("accepted_at")
    said = facts.get("matter_kind") or "办理"
    verdict = f"符合法定条件、标准，决定准予{said}。" if granted else f"不符合法定条件、标准，决定不予{said}。"
    writer.salutation(facts["applicant_name"])
    writer.paragraph(
        [
            (f"您（贵单位）提出的“{facts['item_name']}”申请", False),
            (f"（{moment_zh(accepted)}受理）" if accepted else "", False),
            ("，经审查，", False),
            (verdict, True),
        ],
        f"Your application{f', accepted on {moment_en(accepted)},' if accepted else ''} "
        + ("meets the conditions and is granted." if granted else "fails the conditions and is refused."),
    )
    writer.gap(5)
    writer.fields(
        [
            *matter(facts, limits=False),
            [
                (("结果名称", "Result"), facts.get("result_name") if granted else None),
                (("证照编号", "Number"), facts.get("result_number")),
            ],
            [(("有效期至", "Valid until"), both_moments(facts.get("valid_until")))],
        ]
    )
    writer.section("理由", "Reasons", facts.get("reasons"))
    basis(facts, writer)
    if not granted:
        remedies(facts, writer)
    writer.note()
    writer.closing(with_organ(facts), "审批专用章")


def needed(facts: Mapping[str, Any]) -> list[str]:
    """A refusal has reasons and law (行政许可法 §38)."""
    return ["reasons", "legal_basis"] if facts.get("outcome") == "refused" else []


NOTICE = Notice(
    "decision",
    "决",
    ("决定书", "Decision"),
    DecisionFacts,
    write,
    issued="准予或者不予决定时",
    law="行政许可法 §38",
    exact=title,
    also=needed,
)
