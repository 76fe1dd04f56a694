"""审查阶段补正材料接收凭证: what the review had asked for came in, and since when the clock runs again."""

from __future__ import annotations

from app.notices.facts import ReviewSupplementReceiptFacts
from app.notices.notice import Facts, Notice
from app.notices.supplement_receipt import supplied
from app.notices.wording import due, moment_en, moment_zh
from app.notices.writer import Writer


def write(facts: Facts, writer: Writer) -> None:
    resumed = facts.get("resumed_at")
    supplied(facts, writer)
    writer.heading("关于办理时限", "About the limits")
    if facts["complete"]:
        limit, limit_en = due(facts, "promised")
        writer.paragraph(
            (f"自{moment_zh(resumed)}起恢复计算承诺时限" if resumed else "承诺时限恢复计算")
            + (f"，承诺时限为{limit}。" if limit else "。"),
            f"The promised limit runs on{f' since {moment_en(resumed)}' if resumed else ''}"
            + (f": {limit_en}." if limit else "."),
        )
    else:
        writer.paragraph(
            "上列材料仍需补正，全部提交后恢复计算承诺时限；法定时限继续计算。",
            "The promised limit stands still until everything is in; the statutory limit runs on.",
        )
    writer.note()
    writer.closing(facts, "收件专用章")


NOTICE = Notice(
    "review_supplement_receipt",
    "审补收",
    ("审查阶段补正材料接收凭证", "Receipt of Supplements During Review"),
    ReviewSupplementReceiptFacts,
    write,
    issued="收到审查阶段的补正材料时",
    law="行政许可法 §34",
)
