"""送达回证: which papers were served on whom, how, where and when; what is not known is filled in by hand."""

from __future__ import annotations

from app.notices.facts import ServiceFacts
from app.notices.notice import Facts, Notice, matter
from app.notices.wording import Pair, moment_en, moment_zh
from app.notices.writer import Column, Row, Writer

MODES: dict[str, Pair] = {
    "direct": ("直接送达", "in person"),
    "leave": ("留置送达", "left behind"),
    "post": ("邮寄送达", "by post"),
    "electronic": ("电子送达", "electronic"),
    "public": ("公告送达", "by public notice"),
}
BLANK = "　"  # an empty field to write in


def write(facts: Facts, writer: Writer) -> None:
    recipient = facts.get("recipient") or facts["applicant_name"]
    at = facts.get("served_at")
    tracked: list[Row] = []
    if facts["mode"] == "post":
        tracked = [[(("邮件号码", "Tracking No."), facts.get("tracking_number") or BLANK)]]
    writer.fields(
        [
            *matter(facts, limits=False, times=False),
            [
                (("受送达人", "Served on"), recipient),
                (("与申请人关系", "Relation"), facts.get("recipient_relation") or BLANK),
            ],
            [(("送达方式", "Mode"), writer.options(MODES, facts["mode"]))],
            *tracked,
            [(("送达地点", "Place"), facts.get("place") or BLANK)],
            [
                (("送达时间", "Served at"), (moment_zh(at), moment_en(at)) if at else "　　年　　月　　日　　时"),
                (("送达人", "Served by"), facts.get("server_name") or BLANK),
            ],
        ]
    )
    writer.heading("送达文书", "Papers served")
    documents(facts, writer)
    writer.heading("拒收事由和见证", "Refusal and witness")
    writer.fields(
        [
            [(("拒收事由", "Why refused"), facts.get("refusal") or BLANK)],
            [(("见证人", "Witness"), facts.get("witness") or BLANK)],
        ]
    )
    writer.gap(5)
    writer.paragraph(
        "受送达人是公民的，本人不在时交与其同住的成年家属签收；是法人或者其他组织的，由其负责收件的人签收。"
        "邮寄送达的，以回执上注明的收件日期为送达日期。",
        "In the absence of the person an adult of the household may sign; for an organisation, whoever receives its "
        "mail. By post, the day on the return slip counts.",
    )
    drawn = (facts["signature"], moment_zh(at[:10]) if at else "") if facts.get("signature") else None
    writer.signatures(("受送达人（代收人）签名", "Received by"), ("见证人签名", "Witness"), drawn=drawn)
    writer.note()
    writer.closing(facts, "业务专用章", receiver=None)


def documents(facts: Facts, writer: Writer) -> None:
    """The list of papers and certificates that are handed over."""
    writer.table(
        [
            Column(("文书、证照名称", "Paper"), 78),
            Column(("文号、编号", "Number"), 60),
            Column(("份数", "Copies"), 20, "center"),
        ],
        [[each["name"], each.get("number"), str(each.get("copies") or 1)] for each in facts["documents"]],
    )


NOTICE = Notice(
    "service",
    "送",
    ("送达回证", "Proof of Service"),
    ServiceFacts,
    write,
    issued="送达决定书、证照时，由受送达人签名",
    law="行政许可法 §44；民事诉讼法 §87–§95（参照）",
    copies=(("存档联", "File copy"),),
)
