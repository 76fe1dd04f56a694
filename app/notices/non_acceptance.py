"""不予受理、不受理通知书: not accepted, why, by what law, where to go instead, and what may be done against it."""

from __future__ import annotations

from app.notices.facts import NonAcceptanceFacts
from app.notices.notice import Facts, Notice, basis, matter, remedies, your
from app.notices.wording import Pair, moment_en
from app.notices.writer import Writer

# ground → (what the paper finds, in English); without a ground only that it is not accepted
FINDINGS: dict[str | None, Pair] = {
    "not_required": (
        "经审查，依法不需要取得行政许可（不需要办理本事项），现即时告知不受理。",
        "needs no licence and is therefore not taken up.",
    ),
    "out_of_scope": (
        "经审查，依法不属于本机关职权范围，决定不予受理。",
        "is outside our authority and is not accepted.",
    ),
    "conditions_unmet": ("经审查，不符合受理条件，决定不予受理。", "does not meet the conditions and is not accepted."),
    "materials_short": ("经审查，申请材料不符合受理要求，决定不予受理。", "lacks materials and is not accepted."),
    None: ("经审查，决定不予受理。", "is not accepted."),
}


def title(facts: Facts) -> Pair:
    if facts.get("ground") == "not_required":
        return "不受理通知书", "Notice: No Licence Needed"
    return "不予受理通知书", "Notice of Non-Acceptance"


def write(facts: Facts, writer: Writer) -> None:
    received, ground = facts.get("received_at"), facts.get("ground")
    finding, foreign = FINDINGS.get(ground, FINDINGS[None])
    writer.salutation(facts["applicant_name"])
    writer.paragraph(
        f"{your(facts)}提出的“{facts['item_name']}”申请，{finding}",
        f"Your application{f' of {moment_en(received)}' if received else ''} {foreign}",
    )
    writer.gap(5)
    writer.fields(matter(facts, limits=False))
    heading = "不受理的理由" if ground == "not_required" else "不予受理的理由"
    writer.section(heading, "Reasons", facts["reasons"])
    basis(facts, writer)
    if facts.get("go_to"):
        writer.heading("请您向以下单位提出申请", "Where to apply instead")
        writer.paragraph(facts["go_to"], lines=True)
    remedies(facts, writer)
    writer.note()
    writer.closing(facts, "受理专用章")


NOTICE = Notice(
    "non_acceptance",
    "不受",
    ("不予受理通知书", "Notice of Non-Acceptance"),
    NonAcceptanceFacts,
    write,
    issued="不需要许可、不属于本机关职权或者不符合受理条件时",
    law="行政许可法 §32",
    exact=title,
)
