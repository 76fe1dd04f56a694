"""容缺受理通知书 with 承诺书: accepted though something secondary is missing, and the applicant's word to bring it."""

from __future__ import annotations

from app.notices.acceptance import limits
from app.notices.facts import TolerantAcceptanceFacts
from app.notices.notice import Facts, Notice, basis, matter
from app.notices.wording import counted_en, moment_en, moment_zh, until
from app.notices.writer import Writer

CREDIT = (
    "未按承诺期限补齐材料、提供虚假材料或者作出虚假承诺的，依法承担相应责任，有关情况依法依规记入信用记录，并不再适用容缺受理。",
    "Whoever breaks this commitment or gives false materials answers for it by law; it is entered in the credit "
    "record, and tolerant acceptance is not granted again.",
)


def write(facts: Facts, writer: Writer) -> None:
    gaps, accepted = facts["gaps"], facts["accepted_at"]
    writer.salutation(facts["applicant_name"])
    item, number, number_en = facts["item_name"], len(gaps), counted_en(len(gaps), "secondary entry")
    if facts.get("deemed"):
        writer.paragraph(
            f"您（贵单位）提出的“{item}”申请，因未在法定期限内一次性告知需要补正的内容，"
            f"自收到申请材料之日起即为受理，受理日期为{moment_zh(accepted)}。主要材料齐全，次要材料缺{number}项，"
            "根据您（贵单位）的书面承诺，可以容缺补齐。",
            "Nobody told you in time what was missing, so your application counts as accepted "
            f"on {moment_en(accepted)}. On your written commitment {number_en} may follow.",
        )
    else:
        writer.paragraph(
            f"您（贵单位）提出的“{item}”申请，主要材料齐全，次要材料缺{number}项。"
            f"根据您（贵单位）的书面承诺，现决定自{moment_zh(accepted)}起容缺受理。",
            f"The main materials are complete; {number_en} may follow. On your written "
            f"commitment the application is accepted as of {moment_en(accepted)}.",
        )
    writer.gap(5)
    term = until(facts["gap_limit"], facts.get("gap_due_on"))
    writer.fields([*matter(facts), [(("补齐期限", "Bring by"), term)]])
    writer.heading("容缺材料", "May be brought later")
    writer.materials(gaps, problems=True)
    writer.heading("逾期后果", "If they do not come")
    writer.paragraph(
        facts.get("consequence") or "逾期未补齐的，将不能作出准予决定，并按有关规定处理。",
        "" if facts.get("consequence") else "Without them the application cannot be granted.",
        lines=True,
    )
    basis(facts, writer)
    limits(facts, writer)
    writer.note()
    writer.closing(facts, "受理专用章")
    _commitment(facts, writer)


def _commitment(facts: Facts, writer: Writer) -> None:
    term, foreign = until(facts["gap_limit"], facts.get("gap_due_on"))
    writer.part("容缺受理承诺书", "Commitment", facts["number"])
    writer.paragraph(
        f"本人（本单位）{facts['applicant_name']}申请办理“{facts['item_name']}”（{facts['case_number']}），"
        "因缺少下列材料，自愿申请容缺受理，并郑重承诺：",
        "I apply for tolerant acceptance because the materials below are missing, and commit myself as follows.",
    )
    writer.paragraph([(facts["commitment"], True)], lines=True)
    writer.numbered(
        [
            (
                f"在{term}内补齐下列全部材料，补齐的材料真实、合法、有效。",
                f"All materials below will be brought within {foreign}, true and valid.",
            ),
            ("已知晓逾期未补齐的后果，并自愿承担。", "The consequences of not doing so are known and accepted."),
            CREDIT,
        ]
    )
    writer.heading("容缺材料", "May be brought later")
    writer.materials(facts["gaps"], problems=True)
    writer.note()
    writer.signatures(("承诺人（签名或者盖章）", "Applicant"), ("经办人", "Clerk"))


NOTICE = Notice(
    "tolerant_acceptance",
    "容",
    ("容缺受理通知书", "Notice of Tolerant Acceptance"),
    TolerantAcceptanceFacts,
    write,
    issued="只缺次要材料，申请人书面承诺后",
    law="河南省优化营商环境条例 §35；安阳市政务服务条例 §24",
)
