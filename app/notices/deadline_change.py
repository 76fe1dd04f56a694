"""时限调整告知书: a limit's last day moved, or is known now; a day that was printed before is never moved later (K6)."""

from __future__ import annotations

from app.notices.facts import DeadlineChangeFacts
from app.notices.notice import Facts, Notice, matter
from app.notices.wording import CLOCKS, Pair, moment_en, moment_zh, word
from app.notices.writer import Column, Writer

CAUSES: dict[str, Pair] = {
    "calendar": ("国务院公布的工作日安排有调整", "the official calendar of working days changed"),
    "closure": ("大厅开放时间有调整", "the hall's opening hours changed"),
    "resumed": ("停止计算期间已经结束，时限恢复计算", "the clock runs again after a stop"),
    "corrected": ("收件时间已经更正", "the instant of receipt was corrected"),
}
UNKNOWN: Pair = ("以公布为准", "to be announced")
ANNOUNCED: Pair = ("办理时限届满日期告知书", "Notice of the Last Day")


def title(facts: Facts) -> Pair:
    return ANNOUNCED if facts["cause"] == "announced" else NAME


def write(facts: Facts, writer: Writer) -> None:
    clocks, announced = facts["clocks"], facts["cause"] == "announced"
    kept = any(move.get("promise_on") for move in clocks)
    writer.salutation(facts["applicant_name"])
    if announced:
        writer.paragraph(
            f"您（贵单位）申请的“{facts['item_name']}”，此前因有关年度的工作日安排尚未公布，未能告知办理时限的届满日期。"
            "现工作日安排已经公布，届满日期如下。",
            "The last day could not be told before. The calendar of the year has been announced; the limits end on the "
            "days below.",
        )
    else:
        zh, en = CAUSES[facts["cause"]]
        writer.paragraph(
            f"您（贵单位）申请的“{facts['item_name']}”，因{zh}，办理时限的届满日期重新计算如下。",
            f"The last day of the limit of your case was computed again, because {en}.",
        )
    writer.gap(5)
    writer.fields(
        [
            *matter(facts, limits=False),
            [(("日历版本", "Calendar"), facts.get("calendar"))],
        ]
    )
    writer.heading("届满日期", "Last days")
    moved = ("原届满日期", "Before"), ("重新计算", "Now"), ("以此为准", "What counts")
    days = [("届满日期", "Last day")] if announced else moved
    writer.table(
        [Column(("时限", "Limit"), 44), *(Column(name, 126 / len(days), "center") for name in days)],
        [
            [
                word(CLOCKS, move["clock"]),
                *([] if announced else [_day(move.get("before_on")), _day(move.get("after_on"))]),
                _day(move.get("promise_on") or move.get("after_on")),
            ]
            for move in clocks
        ],
        numbered=False,
    )
    if kept:
        writer.heading("已经承诺的日期不变", "What was promised stays")
        writer.paragraph(
            "此前文书上载明的承诺日期早于重新计算的日期，大厅仍按已经载明的日期办结，不因本次调整推迟。",
            "An earlier paper printed an earlier day. The hall keeps that day; it is not moved later.",
        )
    writer.section("说明", "Explanation", facts.get("reasons"))
    writer.note()
    writer.closing(facts, "业务专用章")


def _day(text: str | None) -> Pair:
    return (moment_zh(text), moment_en(text)) if text else UNKNOWN


NAME: Pair = ("办理时限调整告知书", "Notice of a Changed Last Day")
NOTICE = Notice(
    "deadline_change",
    "调",
    NAME,
    DeadlineChangeFacts,
    write,
    issued="日历或者开放时间改变，届满日期移动时；有关年度的日历公布，届满日期确定时",
    law="行政许可法 §82",
    exact=title,
)
