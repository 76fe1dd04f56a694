"""领取通知: the result is ready, where it lies and what to bring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.notices.facts import PickupFacts
from app.notices.notice import Notice, matter
from app.notices.prose import Style
from app.notices.wording import both_moments
from app.notices.writer import LABEL, Writer

CODE = Style(size=24, leading=32, bold=True, align="center", tracking=6)


def write(facts: Mapping[str, Any], writer: Writer) -> None:
    result = facts.get("result_name") or "办理结果"
    writer.salutation(facts["applicant_name"])
    writer.paragraph(
        f"您（贵单位）申请的“{facts['item_name']}”已经办结，{result}可以领取。请凭领取码到本大厅出件窗口领取。",
        "Your case has been decided and the result can be collected with the code below.",
    )
    code(facts, writer)
    writer.fields(
        [
            [(("领取窗口", "Window"), facts.get("window"))],
            [
                (("办结时间", "Decided"), both_moments(facts.get("decided_at"))),
                (("可领时间", "Ready since"), both_moments(facts.get("ready_at"))),
            ],
            [(("领取地点", "Place"), facts.get("hall_address"))],
            [(("开放时间", "Opening hours"), facts.get("opening_hours"))],
            *matter(facts, limits=False, times=False),
            [(("结果名称", "Result"), facts.get("result_name"))],
        ]
    )
    what_to_bring(writer)
    writer.note()
    writer.closing(facts, "业务专用章")


def code(facts: Mapping[str, Any], writer: Writer) -> None:
    """The pickup code, large."""
    writer.gap(4)
    writer.paragraph("领取码" + (" Pickup code" if writer.bilingual else ""), style=replace(LABEL, align="center"))
    writer.paragraph(facts["pickup_code"], style=CODE)
    writer.gap(6)


def what_to_bring(writer: Writer) -> None:
    writer.section(
        "领取须知",
        "What to bring",
        [
            ("本人领取：请携带有效身份证件原件和领取码。", "In person: your ID document and the code."),
            (
                "代为领取：请携带授权委托书、申请人身份证件复印件和代领人身份证件原件。",
                "By an agent: a letter of authority, a copy of your ID document and the agent's own.",
            ),
            ("领取时请当场核对证照、文书内容并签收。", "Check the result on the spot and sign for it."),
        ],
    )


NOTICE = Notice(
    "pickup",
    "领",
    ("领取通知", "Notice of Pickup"),
    PickupFacts,
    write,
    issued="结果到达出件窗口时",
    law="行政许可法 §44",
)
