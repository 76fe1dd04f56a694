"""告知承诺书: what the law asks for, the applicant's word that it is so, and when that will be checked."""

from __future__ import annotations

from app.notices.facts import CommitmentFacts
from app.notices.notice import Facts, Notice, basis, matter
from app.notices.wording import Pair, both_moments, limit_en, moment_en, moment_zh
from app.notices.writer import Writer

COMMITMENTS: tuple[Pair, ...] = (
    ("所填写的基本信息和提交的材料真实、准确。", "The information and materials given are true and exact."),
    ("已经知晓行政机关告知的全部内容。", "Everything told by the authority is known."),
    ("自身能够满足告知的条件、标准和技术要求。", "The conditions, standards and requirements are met."),
    ("上述承诺是本人（本单位）真实意思的表示，愿意接受核查。", "This is my true will; it may be checked."),
)
LIABILITY: tuple[Pair, ...] = (
    (
        "核查发现不符合条件或者承诺不实的，责令限期整改；逾期不整改或者整改后仍不符合条件的，依法撤销决定。",
        "If the check finds otherwise, time is given to put it right; failing that, the decision is revoked.",
    ),
    (
        "因虚假承诺造成损失的，依法承担责任；不实承诺依法依规记入信用记录，不再适用告知承诺。",
        "Whoever gave a false word answers for the harm; it is entered in the credit record.",
    ),
)


def write(facts: Facts, writer: Writer) -> None:
    writer.paragraph(
        f"就“{facts['item_name']}”实行告知承诺办理。行政机关告知如下，由申请人选择并书面承诺。",
        "This matter is decided on the applicant's word. The authority tells the following; the applicant commits.",
    )
    writer.gap(5)
    writer.fields(
        [
            *matter(facts, limits=False),
            [
                (("核查期限", "Check"), _check(facts)),
                (("承诺时间", "Committed"), both_moments(facts.get("committed_at"))),
            ],
        ]
    )
    writer.section("行政机关告知的条件", "Conditions told", facts["conditions"])
    basis(facts, writer)
    writer.section("法律责任", "Liability", facts.get("liability") or LIABILITY)
    writer.section("申请人承诺", "The applicant commits", facts.get("commitments") or COMMITMENTS)
    writer.signatures(("申请人（签名或者盖章）", "Applicant"), ("行政机关经办人", "Clerk"))
    writer.note()
    writer.closing(facts, "业务专用章", receiver=None)


def _check(facts: Facts) -> Pair:
    by, limit = facts.get("check_by_on"), facts.get("check_limit")
    if by:
        return f"{moment_zh(by)}前", f"by {moment_en(by)}"
    return (limit, limit_en(limit)) if limit else ("", "")


NOTICE = Notice(
    "commitment",
    "诺",
    ("告知承诺书", "Notification and Commitment"),
    CommitmentFacts,
    write,
    issued="按告知承诺办理时，由申请人签名",
    law="安阳市政务服务条例 §26",
)
