"""时限计算明细: every day behind a limit, what it counted and why, as an annex to any paper that names a last day (K9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.notices.facts import LedgerFacts
from app.notices.notice import Facts, Notice, matter
from app.notices.wording import CLOCKS, Pair, both_moments, limit_en, moment_en, moment_zh
from app.notices.writer import Column, Row, Writer

WEEKDAYS: tuple[Pair, ...] = (
    ("周一", "Mon"),
    ("周二", "Tue"),
    ("周三", "Wed"),
    ("周四", "Thu"),
    ("周五", "Fri"),
    ("周六", "Sat"),
    ("周日", "Sun"),
)
RULES: dict[str, Pair] = {
    "WD": (
        "以工作日计算：起算当日不计入，自下一日起算，不含法定节假日和停止计算的期间，至最后一个工作日下班时届满。",
        "Working days: the day of the start is not counted, nor are holidays or stops; it ends at the close of the last.",
    ),
    "ND": (
        "以自然日计算：起算当日不计入，停止计算的期间除外；最后一日是休息日的，顺延至下一个工作日下班时届满。",
        "Calendar days: the first is not counted, nor are stops; a last day off gives way to the next working day.",
    ),
    "WH": (
        "以工作小时计算：自起算时刻起只计大厅开放时间，不含午休、节假日和停止计算的期间。",
        "Working hours: only the hall's opening hours count, without lunch, holidays and stops.",
    ),
    "NH": ("以小时计算：自起算时刻起连续计算，停止计算的期间除外。", "Hours on the clock, without stops."),
}


def write(facts: Facts, writer: Writer) -> None:
    writer.fields(
        [
            *matter(facts, limits=False),
            [(("工作日安排", "Calendar"), facts.get("calendar"))],
            [(("开放时间", "Opening hours"), facts.get("hours"))],
        ]
    )
    for ledger in facts["ledgers"]:
        _clock(ledger, writer)
    writer.note()
    writer.closing(facts, "业务专用章", receiver=None)


def _clock(ledger: Mapping[str, Any], writer: Writer) -> None:
    days = ledger["unit"] in ("WD", "ND")
    writer.heading(*CLOCKS[ledger["clock"]])
    writer.fields(_totals(ledger))
    writer.gap(4)
    writer.paragraph(*RULES[ledger["unit"]])
    if ledger.get("pauses"):
        writer.table(
            [
                Column(("停止计算的原因", "Stopped for"), 62),
                Column(("自", "From"), 48, "center"),
                Column(("至", "Until"), 48, "center"),
            ],
            [
                [
                    pause.get("name") or pause.get("ground"),
                    both_moments(pause["from_at"]),
                    both_moments(pause.get("until_at")) if pause.get("until_at") else ("尚未恢复", "still stopped"),
                ]
                for pause in ledger["pauses"]
            ],
        )
        writer.gap(4)
    writer.table(
        [
            Column(("日期", "Date"), 36),
            Column(("星期", "Day"), 16, "center"),
            Column(("日期性质", "Kind of day"), 44),
            Column(("计入", "Counted"), 22, "right"),
            Column(("累计", "Total"), 22, "right"),
            Column(("说明", "Note"), 30),
        ],
        [
            [
                (moment_zh(row["date"]), moment_en(row["date"])),
                WEEKDAYS[row["weekday"] - 1],
                (row["why_name"], row["why_name_en"]),
                _measure(row["counted"], days)[0] if row["counted"] else "—",
                _measure(row["total"], days)[0],
                _remark(row, days),
            ]
            for row in ledger["rows"]
        ],
        numbered=False,
    )


def _totals(ledger: Mapping[str, Any]) -> list[Row]:
    days, due_at = ledger["unit"] in ("WD", "ND"), ledger.get("due_at")
    used, remaining = ledger.get("used"), ledger.get("remaining")
    end: Pair = both_moments(due_at)
    if ledger.get("stopped") and not due_at:
        end = ("停止计算中，恢复后确定", "stopped; set when it runs again")
    elif ledger.get("provisional"):
        end = ("以公布的工作日安排为准", "once the calendar is announced")
    late = remaining is not None and remaining < 0
    return [
        [(("时限", "Limit"), (ledger["limit"], limit_en(ledger["limit"]))), (("届满", "Ends"), end)],
        [
            (("已经计入", "Used"), None if used is None else _measure(used, days)),
            (
                ("已超过", "Overdue by") if late else ("剩余", "Left"),
                None if remaining is None else _measure(abs(remaining), days),
            ),
        ],
    ]


def _measure(amount: int, days: bool) -> Pair:
    """3 日, or 2小时5分."""
    if days:
        return f"{amount} 日", f"{amount} d"
    hours, minutes = divmod(amount, 60)
    zh = f"{f'{hours}小时' if hours else ''}{f'{minutes}分' if minutes or not hours else ''}"
    return zh, f"{hours} h {minutes} min"


def _remark(row: Mapping[str, Any], days: bool) -> Pair | str:
    marks: list[Pair] = []
    if row["start"]:
        marks.append(("起算日，不计入", "day 0") if days else ("自当日起算", "start"))
    if row["paused"]:
        marks.append(("停止计算", "stopped"))
    if row["due"]:
        marks.append(("届满日", "last day"))
    return ("；".join(zh for zh, _ in marks), "; ".join(en for _, en in marks)) if marks else "　"


NOTICE = Notice(
    "ledger",
    "明",
    ("时限计算明细", "How the Limit Was Counted"),
    LedgerFacts,
    write,
    issued="申请人要求说明时限，或者对时限有异议时",
    law="行政许可法 §45、§82；民法典 §201、§203（参照）",
    copies=(("附件", "Annex"),),
)
