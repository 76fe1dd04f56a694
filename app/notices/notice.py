"""What a kind of paper is: its name, the letter of its number, its facts, its copies, the hand that writes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.notices.remedies import remedy_on
from app.notices.shapes import check
from app.notices.wording import Pair, both_moments, day_of, due
from app.notices.writer import Row, Writer

Facts = Mapping[str, Any]

BOTH_SIDES: tuple[Pair, ...] = (
    ("第一联　存档", "Copy 1 · file"),
    ("第二联　交申请人", "Copy 2 · applicant"),
)


@dataclass(frozen=True, slots=True)
class Notice:
    """`letter` stands in the number: 受字〔2026〕第12号. `issued` and `law` say when it is issued and by what.

    `name` is the kind's; `title` may say it more exactly from the facts. `also` names the keys that these facts make
    necessary beyond the contract's own. `copies` are the marks of the sheets that are printed, one copy each.
    """

    kind: str
    letter: str
    name: Pair
    contract: type
    write: Callable[[Facts, Writer], None]
    issued: str
    law: str
    exact: Callable[[Facts], Pair] | None = None
    also: Callable[[Facts], Sequence[str]] | None = None
    copies: tuple[Pair, ...] = BOTH_SIDES

    def title(self, facts: Facts) -> Pair:
        return self.exact(facts) if self.exact else self.name

    def check(self, facts: Facts, *, issued: bool = True) -> None:
        """Refuse facts that this paper cannot be made of. Raises FactsWrong."""
        check(self.kind, self.contract, facts, issued=issued, also=self.also(facts) if self.also else ())


def matter(facts: Facts, *, limits: bool = True, times: bool = True, fee: bool = True) -> list[Row]:
    """The rows that every paper of a case opens with: numbers, matter, people and, if asked for, times and limits."""
    code: Row = [(("事项编码", "Matter code"), facts.get("item_code"))]
    department: Row = [(("办理部门", "Department"), "、".join(facts.get("departments") or []))]
    long = len(facts.get("item_code") or "") > 30  # would break in half a row
    rows: list[Row] = [
        [
            (("收件编号", "Case No."), facts.get("case_number")),
            (("受理编号", "Acceptance No."), facts.get("acceptance_number")),
        ],
        [(("事项名称", "Matter"), facts.get("item_name"))],
        *([code, department] if long else [[*code, *department]]),
        [
            (("申请人", "Applicant"), facts.get("applicant_name")),
            (("证件号码", "ID number"), facts.get("applicant_id_masked")),
        ],
        [(("代办人", "Agent"), facts.get("agent_name"))],
    ]
    if times:
        received, accepted = both_moments(facts.get("received_at")), both_moments(facts.get("accepted_at"))
        rows.append([(("收件时间", "Received"), received), (("受理时间", "Accepted"), accepted)])
    if limits:
        limits_row: Row = [
            (("承诺时限", "Promised limit"), due(facts, "promised")),
            (("法定时限", "Statutory limit"), due(facts, "statutory")),
        ]
        rows += [limits_row, *([[(("收费", "Fee"), facts.get("fee"))]] if fee else [])]
    return rows


def basis(facts: Facts, writer: Writer) -> None:
    """The articles of law, when there are any."""
    writer.section("法律依据", "Legal basis", facts.get("legal_basis"))


def remedies(facts: Facts, writer: Writer) -> None:
    """What may be done against this paper, by the law of its day."""
    remedy = remedy_on(day_of(facts["issued_at"]))
    writer.heading("救济途径", "Remedies")
    writer.paragraph(remedy.zh(facts.get("review_authority") or "", facts.get("court") or ""), remedy.en())


def with_organ(facts: Facts) -> dict[str, Any]:
    """The facts with the deciding department as the organ that seals."""
    return {**facts, "organ": facts.get("department") or next(iter(facts.get("departments") or []), None)}


def your(facts: Facts) -> str:
    """您（贵单位）, with the day of receipt where it is told."""
    received = both_moments(facts.get("received_at"))[0]
    return f"您（贵单位）{f'于{received}' if received else ''}"
