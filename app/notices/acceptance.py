"""受理通知书: the application is accepted, and by when it will be decided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.notices.facts import AcceptanceFacts
from app.notices.notice import Notice, basis, matter
from app.notices.wording import DELIVERIES, moment_en, moment_zh, word
from app.notices.writer import Writer


def write(facts: Mapping[str, Any], writer: Writer) -> None:
    item, accepted = facts["item_name"], facts["accepted_at"]
    writer.salutation(facts["applicant_name"])
    if facts.get("deemed"):
        writer.paragraph(
            f"您（贵单位）提出的“{item}”申请，因未在法定期限内一次性告知需要补正的内容，"
            f"自收到申请材料之日起即为受理，受理日期为{moment_zh(accepted)}。",
            "Nobody told you in time what was missing, so your application counts as accepted "
            f"on {moment_en(accepted)}.",
        )
    else:
        writer.paragraph(
            f"您（贵单位）提出的“{item}”申请，属于本机关职权范围，材料齐全、符合法定形式，"
            f"现决定自{moment_zh(accepted)}起予以受理。",
            f"Your application is complete and in due form. It is accepted as of {moment_en(accepted)}.",
        )
    writer.gap(5)
    delivery = facts.get("delivery")
    writer.fields([*matter(facts), [(("送达方式", "Delivery"), word(DELIVERIES, delivery) if delivery else None)]])
    if facts.get("materials"):
        writer.heading("材料清单", "Materials")
        writer.materials(facts["materials"])
    basis(facts, writer)
    limits(facts, writer)
    writer.note()
    writer.closing(facts, "受理专用章")


def limits(facts: Mapping[str, Any], writer: Writer) -> None:
    """How the limits are counted, and the special procedure that is foreseen."""
    writer.heading("办理时限说明", "About the limits")
    writer.paragraph(
        "以上工作日时限自受理次日起算，不含法定节假日。依法需要听证、招标、拍卖、检验、检测、检疫、"
        "鉴定和专家评审的，所需时间不计入法定时限，并将书面告知。",
        "Limits in working days start on the day after acceptance and leave out public holidays. Hearings, "
        "tenders, auctions, inspections, tests, quarantine, appraisals and expert reviews stop the statutory "
        "limit; you will be told in writing.",
    )
    if facts.get("special"):
        writer.paragraph(
            [("本事项预计需要的特别程序：", True), (facts["special"], False)], "A special procedure is foreseen."
        )


NOTICE = Notice(
    "acceptance",
    "受",
    ("受理通知书", "Notice of Acceptance"),
    AcceptanceFacts,
    write,
    issued="受理时；当场办结的不再出具",
    law="行政许可法 §32",
)
