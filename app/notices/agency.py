"""代办委托书、受理单、中止单、办结单: the four papers of an errand that the hall runs for somebody (全程代办)."""

from __future__ import annotations

from collections.abc import Callable

from app.notices.facts import AgencyFacts
from app.notices.notice import Facts, Notice
from app.notices.wording import Pair, both_moments, until
from app.notices.writer import Row, Writer

TITLES: dict[str, Pair] = {
    "order": ("代办委托书", "Agency: Letter of Authority"),
    "acceptance": ("代办受理单", "Agency: Taken On"),
    "interruption": ("代办中止单", "Agency: Interrupted"),
    "completion": ("代办办结单", "Agency: Completed"),
}


def title(facts: Facts) -> Pair:
    return TITLES[facts["form"]]


def write(facts: Facts, writer: Writer) -> None:
    _FORMS[facts["form"]](facts, writer)


def _order(facts: Facts, writer: Writer) -> None:
    agent = facts.get("agent_name") or "代办员"
    writer.paragraph(
        f"委托人{facts['applicant_name']}因办理“{facts['item_name']}”需要，现委托{agent}代为办理，委托事项和权限如下。",
        "The principal authorises the agent to handle the matter, with these tasks and powers.",
    )
    writer.gap(5)
    writer.fields(_rows(facts))
    writer.section("委托事项", "Tasks", facts.get("tasks") or ["代为提交申请材料、接收文书和领取办理结果。"])
    writer.section("委托权限", "Authority", facts.get("authority") or ["一般代理；不得代为承认、放弃或者变更权利。"])
    writer.heading("双方约定", "Terms")
    writer.numbered(
        [
            ("委托人提供的材料真实、合法、有效。", "The principal's materials are true and valid."),
            ("代办服务不收取任何费用，代办员不得泄露委托人的信息。", "The service is free and confidential."),
            ("委托人可以随时书面解除委托。", "The principal may end it at any time in writing."),
        ]
    )
    writer.signatures(("委托人（签名或者盖章）", "Principal"), ("代办员签名", "Agent"))
    writer.note()
    writer.closing(facts, "业务专用章", receiver=None)


def _acceptance(facts: Facts, writer: Writer) -> None:
    _to(facts, writer, "您委托的代办事项已经受理，由下列代办员全程办理。", "Your order is taken on by the agent below.")
    writer.section("代办内容", "Tasks", facts.get("tasks"))
    _foot(facts, writer)


def _interruption(facts: Facts, writer: Writer) -> None:
    _to(
        facts,
        writer,
        "您委托的代办事项因下列原因中止办理，原因消除后可以恢复。",
        "Your order is interrupted for the reasons below and can be resumed once they are gone.",
    )
    writer.section("中止的原因", "Reasons", facts.get("reasons"))
    _foot(facts, writer)


def _completion(facts: Facts, writer: Writer) -> None:
    _to(facts, writer, "您委托的代办事项已经办结，请核对并签收。", "Your order is completed. Please check and sign.")
    if facts.get("result"):
        writer.heading("办理结果", "Result")
        writer.paragraph(facts["result"], lines=True)
    _foot(facts, writer)


_FORMS: dict[str, Callable[[Facts, Writer], None]] = {
    "order": _order,
    "acceptance": _acceptance,
    "interruption": _interruption,
    "completion": _completion,
}


def _to(facts: Facts, writer: Writer, zh: str, en: str) -> None:
    writer.salutation(facts["applicant_name"])
    writer.paragraph(zh, en)
    writer.gap(5)
    writer.fields(_rows(facts))


def _rows(facts: Facts) -> list[Row]:
    return [
        [
            (("代办单号", "Order No."), facts["order_number"]),
            (("收件编号", "Case No."), facts.get("case_number")),
        ],
        [(("事项名称", "Matter"), facts["item_name"])],
        [
            (("委托人", "Principal"), facts["applicant_name"]),
            (("证件号码", "ID number"), facts.get("applicant_id_masked")),
        ],
        [(("服务对象", "For"), facts.get("beneficiary"))],
        [(("代办员", "Agent"), facts.get("agent_name")), (("联系电话", "Phone"), facts.get("agent_phone"))],
        [
            (("委托时间", "Ordered"), both_moments(facts.get("ordered_at"))),
            (("委托期限至", "Valid until"), both_moments(facts.get("valid_until"))),
        ],
        [(("代办时限", "Limit"), until(facts.get("limit"), facts.get("due_on")))],
        [
            (("中止时间", "Interrupted"), both_moments(facts.get("stopped_at"))),
            (("办结时间", "Completed"), both_moments(facts.get("completed_at"))),
        ],
    ]


def _foot(facts: Facts, writer: Writer) -> None:
    writer.note()
    writer.closing(facts, "业务专用章", receiver=("委托人签收", "Received by"))


def needed(facts: Facts) -> list[str]:
    """Whoever interrupts says why."""
    return ["reasons"] if facts.get("form") == "interruption" else []


NOTICE = Notice(
    "agency",
    "代",
    ("代办单", "Agency"),
    AgencyFacts,
    write,
    issued="代办的委托、受理、中止和办结时，各一份",
    law="大厅代办服务制度",
    exact=title,
    also=needed,
    copies=(("第一联　存档", "Copy 1 · file"), ("第二联　交委托人", "Copy 2 · principal")),
)
