"""特别程序告知书: a procedure whose time is not counted begins, and how long it will take (行政许可法 §45)."""

from __future__ import annotations

from app.notices.facts import SpecialProcedureFacts
from app.notices.notice import Facts, Notice, matter, with_organ
from app.notices.wording import CLOCKS, Pair, both_moments, counted_en, moment_en, moment_zh, word
from app.notices.writer import Writer

GROUNDS: dict[str, Pair] = {
    "hearing": ("听证", "hearing"),
    "tender": ("招标", "tender"),
    "auction": ("拍卖", "auction"),
    "inspection": ("检验", "inspection"),
    "testing": ("检测", "testing"),
    "quarantine": ("检疫", "quarantine"),
    "appraisal": ("鉴定", "appraisal"),
    "expert_review": ("专家评审", "expert review"),
    "third_party": ("征求第三方意见", "consultation of third parties"),
    "site_check": ("现场勘验", "site check"),
    "technical_review": ("技术审查", "technical review"),
}
LAW = "《中华人民共和国行政许可法》第四十五条"
OWN_TIME = ("site_check", "technical_review")  # no law takes their time out of the statutory limit


def clock_of(facts: Facts) -> str:
    return str(facts.get("clock") or ("promised" if facts["ground"] in OWN_TIME else "both"))


def title(facts: Facts) -> Pair:
    if facts["ground"] in OWN_TIME:
        return f"{GROUNDS[facts['ground']][0]}告知书", f"Notice of {GROUNDS[facts['ground']][1].title()}"
    return "特别程序告知书", "Notice of a Special Procedure"


def write(facts: Facts, writer: Writer) -> None:
    (zh, en), clock = GROUNDS[facts["ground"]], clock_of(facts)
    stopped, stopped_en = CLOCKS[clock]
    writer.salutation(facts["applicant_name"])
    writer.paragraph(
        f"您（贵单位）申请的“{facts['item_name']}”，依法需要进行{zh}，自{moment_zh(facts['from_at'])}开始，"
        f"预计需要{facts['days']}日。该期间不计入{stopped}，结束后恢复计算。",
        f"Your case needs: {en}, from {moment_en(facts['from_at'])}, about {counted_en(facts['days'], 'day')}. That "
        "time is not counted "
        + ("in either limit." if clock == "both" else f"in the {stopped_en[0].lower()}{stopped_en[1:]}."),
    )
    writer.gap(5)
    writer.fields(
        [
            *matter(facts, fee=False),
            [
                (("程序种类", "Procedure"), GROUNDS[facts["ground"]]),
                (("所需时间", "Time needed"), (f"{facts['days']}日", counted_en(facts["days"], "day"))),
            ],
            [
                (("开始时间", "From"), both_moments(facts["from_at"])),
                (("预计结束", "Expected end"), both_moments(facts.get("until_on"))),
            ],
            [(("停止计算", "Stops"), word(CLOCKS, clock))],
            [(("实施单位", "Carried out by"), facts.get("performer"))],
        ]
    )
    writer.section("说明", "Explanation", facts.get("reasons"))
    if facts["ground"] in OWN_TIME:
        writer.heading("关于法定时限", "The statutory limit")
        writer.paragraph(
            "法律没有规定本程序的时间不计入法定时限，法定时限继续计算，不因本程序延长。",
            "No law takes this time out of the statutory limit: it runs on.",
        )
    law = [] if facts["ground"] in (*OWN_TIME, "third_party") else [LAW]
    writer.section("法律依据", "Legal basis", list(dict.fromkeys([*law, *(facts.get("legal_basis") or [])])))
    writer.note()
    writer.closing(with_organ(facts), "审批专用章")


NOTICE = Notice(
    "special_procedure",
    "特",
    ("特别程序告知书", "Notice of a Special Procedure"),
    SpecialProcedureFacts,
    write,
    issued="听证等八种程序、现场勘验或者技术审查开始时",
    law="行政许可法 §45",
    exact=title,
)
