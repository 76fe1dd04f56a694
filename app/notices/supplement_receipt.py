"""补正材料接收凭证: what was supplied, and whether everything that was asked for is now there."""

from __future__ import annotations

from app.notices.facts import SupplementReceiptFacts
from app.notices.notice import Facts, Notice, matter
from app.notices.wording import counted_en, moment_en, moment_zh
from app.notices.writer import Writer


def write(facts: Facts, writer: Writer) -> None:
    supplied(facts, writer)
    writer.heading("请您知悉", "Please note")
    if facts.get("accepted_at"):  # a gap that was tolerated, or a case that counts as accepted
        accepted(facts, writer)
    elif facts["complete"] and facts.get("held"):
        writer.paragraph(
            "需要补正的材料已全部收齐。申请是否受理正在请示，结果将书面告知；"
            f"予以受理的，自{moment_zh(facts['supplied_at'][:10])}起受理。",
            "Everything that was asked for is in. Whether the application is accepted is still to be answered, in "
            "writing; if it is, then as of that day.",
        )
    elif facts["complete"] and not facts.get("supplement_number"):
        writer.paragraph(
            "申请材料已全部收齐，是否受理将另行书面告知。",
            "Everything is in. You will be told in writing whether the application is accepted.",
        )
    elif facts["complete"]:
        writer.paragraph(
            f"需要补正的材料已全部收齐，申请自{moment_zh(facts['supplied_at'][:10])}起予以受理，受理通知书另行出具。",
            "Everything that was asked for is in. The application is accepted as of that day; the notice follows.",
        )
    else:
        writer.paragraph(
            "上列材料仍需补正，请按一次性告知书载明的内容和期限补齐；全部补正后予以受理。",
            "The materials listed as outstanding are still needed, as the one-time notice says. The application is "
            "accepted once everything is in.",
        )
    writer.note()
    writer.closing(facts, "收件专用章")


def accepted(facts: Facts, writer: Writer) -> None:
    """The case goes on as it was accepted, whatever came in."""
    day = facts["accepted_at"][:10]
    if facts["complete"]:
        writer.paragraph(
            f"所缺材料已全部补齐。您的申请已于{moment_zh(day)}受理，办理时限照常计算。",
            f"Nothing is missing any more. The application was accepted on {moment_en(day)} and its limits run on.",
        )
    else:
        writer.paragraph(
            f"上列材料尚未补齐，请按已经出具的通知书载明的期限补齐。您的申请已于{moment_zh(day)}受理，办理时限照常计算。",
            "Please bring what is outstanding by the day that the notice names. The application was accepted on "
            f"{moment_en(day)} and its limits run on.",
        )


def supplied(facts: Facts, writer: Writer) -> None:
    """What came in, what is still missing."""
    materials, number = facts["materials"], facts.get("supplement_number")
    answered = f"（{number}）" if number else ""
    writer.salutation(facts["applicant_name"])
    writer.paragraph(
        f"您（贵单位）于{moment_zh(facts['supplied_at'])}就“{facts['item_name']}”提交的补正材料{answered}"
        f"已收到，共{len(materials)}项，特出具本凭证。",
        f"We received {counted_en(len(materials), 'entry')} of supplementary materials on "
        f"{moment_en(facts['supplied_at'])}.",
    )
    writer.gap(5)
    complete = ("是，已全部收齐", "yes") if facts["complete"] else ("否，仍有材料需要补正", "no, some are outstanding")
    writer.fields([*matter(facts, limits=False), [(("是否齐全", "Complete"), complete)]])
    writer.heading("本次收到的材料", "Received now")
    writer.materials(materials)
    if facts.get("outstanding"):
        writer.heading("仍需补正的材料", "Still outstanding")
        writer.materials(facts["outstanding"], problems=True)


NOTICE = Notice(
    "supplement_receipt",
    "补收",
    ("补正材料接收凭证", "Receipt of Supplements"),
    SupplementReceiptFacts,
    write,
    issued="收到补正材料时",
    law="行政许可法 §32",
)
