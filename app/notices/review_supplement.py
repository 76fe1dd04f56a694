"""审查阶段补正通知书: the review found something amiss; what to bring, and which clock stands still meanwhile."""

from __future__ import annotations

from app.notices.facts import ReviewSupplementFacts
from app.notices.notice import Facts, Notice, basis, matter, with_organ
from app.notices.wording import counted_en, moment_en, moment_zh
from app.notices.writer import Writer


def write(facts: Facts, writer: Writer) -> None:
    due_on, from_at, law = facts.get("supplement_due_on"), facts.get("from_at"), facts.get("pause_basis")
    materials = facts["materials"]
    writer.salutation(facts["applicant_name"])
    writer.paragraph(
        f"您（贵单位）申请的“{facts['item_name']}”，在审查中发现下列材料需要补正（共{len(materials)}项）"
        + (f"，请于{moment_zh(due_on)}前提交。" if due_on else "，请及时提交。"),
        f"The review found that {counted_en(len(materials), 'entry')} must be supplied"
        + (f" by {moment_en(due_on)}." if due_on else "."),
    )
    writer.gap(5)
    writer.fields(matter(facts, fee=False))
    if facts.get("repeat_reason"):
        writer.heading("再次告知的原因", "Why you are told again")
        writer.paragraph(facts["repeat_reason"], lines=True)
    writer.section("审查意见", "Findings", facts.get("findings"))
    writer.heading("需要补正的全部内容", "All that has to be supplied")
    writer.materials(materials, problems=True)
    writer.heading("关于办理时限", "About the limits")
    since = f"自{moment_zh(from_at)}起" if from_at else "补正期间"
    if law:
        writer.paragraph(
            f"依据{law}，{since}停止计算办理时限，补正材料全部提交之日起恢复计算。",
            "By the law named in the Chinese text the limits stand still until everything is in.",
        )
    else:
        writer.paragraph(
            f"{since}停止计算承诺时限，补正材料全部提交之日起恢复计算；法定时限继续计算，不因补正延长。",
            "The promised limit stands still until everything is in; the statutory limit runs on.",
        )
    if facts.get("consequence"):
        writer.paragraph(facts["consequence"], lines=True)
    basis(facts, writer)
    writer.note()
    writer.closing(with_organ(facts), "审批专用章")


NOTICE = Notice(
    "review_supplement",
    "审补",
    ("审查阶段补正通知书", "Notice of Supplements During Review"),
    ReviewSupplementFacts,
    write,
    issued="审查中发现材料需要补正时",
    law="行政许可法 §34",
)
