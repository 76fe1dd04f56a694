"""收件凭证: what was handed in, when, to whom. It is not an acceptance and says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.notices.facts import ReceiptFacts
from app.notices.notice import Notice, matter
from app.notices.wording import counted_en, moment_en, moment_zh
from app.notices.writer import Writer


def write(facts: Mapping[str, Any], writer: Writer) -> None:
    materials = facts["materials"]
    writer.salutation(facts["applicant_name"])
    writer.paragraph(
        f"您（贵单位）于{moment_zh(facts['received_at'])}提交的“{facts['item_name']}”申请材料已收到，"
        f"清单共{len(materials)}项，特出具本凭证。",
        f"We received your application papers on {moment_en(facts['received_at'])}; "
        f"the list has {counted_en(len(materials), 'entry')}.",
    )
    writer.gap(5)
    writer.fields(matter(facts))
    writer.heading("材料清单", "Materials")
    writer.materials(materials)
    writer.heading("请您知悉", "Please note")
    writer.paragraph(
        "本凭证仅证明材料已经收到，不代表申请已被受理。材料齐全、符合法定形式的，将出具受理通知书；"
        "不齐全或者不符合法定形式的，将当场或者在五个工作日内一次性告知需要补正的全部内容，"
        "逾期不告知的，自收到申请材料之日起即为受理。",
        "This receipt proves that the papers were received; it is not yet an acceptance. If anything is "
        "missing you will be told everything at once, on the spot or within five working days; otherwise the "
        "application counts as accepted from the day of receipt.",
    )
    writer.note()
    writer.closing(facts, "收件专用章")


NOTICE = Notice(
    "receipt",
    "收",
    ("收件凭证", "Receipt of Application Papers"),
    ReceiptFacts,
    write,
    issued="收到申请材料时",
    law="行政许可法 §32",
)
