"""撤回申请确认书、视为撤回通知书: the application is taken back, or counts as taken back, and what is returned."""

from __future__ import annotations

from app.notices.facts import WithdrawalFacts
from app.notices.notice import Facts, Notice, basis, matter, remedies, your
from app.notices.wording import Pair, both_moments, moment_en, moment_zh
from app.notices.writer import Writer


def title(facts: Facts) -> Pair:
    if facts.get("deemed"):
        return "视为撤回申请通知书", "Notice: Application Deemed Withdrawn"
    return "撤回申请确认书", "Withdrawal Confirmed"


def write(facts: Facts, writer: Writer) -> None:
    at, due_on, deemed = facts["withdrawn_at"], facts.get("supplement_due_on"), facts.get("deemed")
    writer.salutation(facts["applicant_name"])
    if deemed:
        writer.paragraph(
            f"{your(facts)}提出的“{facts['item_name']}”申请，"
            + (f"至{moment_zh(due_on)}" if due_on else "在规定期限内")
            + f"未补齐材料，自{moment_zh(at)}起视为撤回申请，办理程序终止。",
            f"The materials asked for were not supplied{f' by {moment_en(due_on)}' if due_on else ' in time'}. The "
            f"application counts as withdrawn as of {moment_en(at)}.",
        )
    else:
        writer.paragraph(
            f"{your(facts)}提出的“{facts['item_name']}”申请，已根据您（贵单位）的要求于{moment_zh(at)}撤回，办理程序终止。",
            f"As you asked, the application is withdrawn as of {moment_en(at)}.",
        )
    writer.gap(5)
    writer.fields(
        [
            *matter(facts, limits=False),
            [
                (("补正期限至", "Was due by"), both_moments(due_on)),
                (("撤回时间", "Withdrawn"), both_moments(at)),
            ],
        ]
    )
    writer.section("理由" if deemed else "撤回的理由", "Reasons", facts.get("reasons"))
    if deemed:
        basis(facts, writer)
    if facts.get("returned"):
        writer.heading("退还的材料", "Returned materials")
        writer.materials(facts["returned"])
    writer.heading("请您知悉", "Please note")
    writer.paragraph(
        "撤回不影响您（贵单位）再次提出申请；再次申请的，已经提交且仍然有效的材料可以继续使用。",
        "You may apply again at any time; materials that are still valid can be used again.",
    )
    if deemed:
        remedies(facts, writer)
    writer.note()
    writer.closing(facts, "受理专用章")


def needed(facts: Facts) -> list[str]:
    """What ends an application against the applicant's will has reasons and law."""
    return ["reasons", "legal_basis"] if facts.get("deemed") else []


NOTICE = Notice(
    "withdrawal",
    "撤",
    ("撤回申请确认书", "Withdrawal Confirmed"),
    WithdrawalFacts,
    write,
    issued="申请人撤回，或者逾期未补正依规视为撤回时",
    law="安阳市政务服务条例 §24、§36",
    exact=title,
    also=needed,
)
