"""撤销决定书: a decision is taken back, why, by what law, and what may be done against it (行政许可法 §69)."""

from __future__ import annotations

from app.notices.facts import RevocationFacts
from app.notices.notice import Facts, Notice, basis, matter, remedies, with_organ
from app.notices.wording import Pair, both_moments, moment_en, moment_zh
from app.notices.writer import Writer


def title(facts: Facts) -> Pair:
    return f"撤销{facts.get('matter_kind') or '办理结果'}决定书", "Decision: Revoked"


def write(facts: Facts, writer: Writer) -> None:
    number, decided = facts.get("decision_number"), facts.get("decided_at")
    told = [text for text in (number, f"{moment_zh(decided)}作出" if decided else "") if text]
    what = facts.get("matter_kind") or "办理结果"
    writer.salutation(facts["applicant_name"])
    writer.paragraph(
        [
            (f"您（贵单位）就“{facts['item_name']}”取得的{what}", False),
            (f"（{'，'.join(told)}）" if told else "", False),
            (f"，经审查，决定撤销该{what}", True),
            ("，自本决定书送达之日起失去效力。", False),
        ],
        f"The decision{f' of {moment_en(decided)}' if decided else ''} is revoked. It loses effect on the day this "
        "paper is served.",
    )
    writer.gap(5)
    writer.fields(
        [
            *matter(facts, limits=False),
            [(("原决定书编号", "Decision No."), number), (("决定时间", "Decided"), both_moments(decided))],
            [
                (("结果名称", "Result"), facts.get("result_name")),
                (("证照编号", "Number"), facts.get("result_number")),
            ],
        ]
    )
    writer.section("撤销的理由", "Reasons", facts["reasons"])
    basis(facts, writer)
    remedies(facts, writer)
    writer.note()
    writer.closing(with_organ(facts), "审批专用章")


NOTICE = Notice(
    "revocation",
    "撤决",
    ("撤销决定书", "Decision: Revoked"),
    RevocationFacts,
    write,
    issued="撤销已作出的决定时",
    law="行政许可法 §69",
    exact=title,
)
