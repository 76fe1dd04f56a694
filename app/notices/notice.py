"""What a kind of paper is: its name, the letter of its number, its facts, the hand that writes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.notices.facts import both_moments, due
from app.notices.writer import Pair, Row, Writer


@dataclass(frozen=True, slots=True)
class Notice:
    """`letter` stands in the number: 受字〔2026〕第12号. `titles` may depend on the facts."""

    kind: str
    letter: str
    titles: Callable[[Mapping[str, Any]], Pair] | Pair
    contract: type
    write: Callable[[Mapping[str, Any], Writer], None]

    def title(self, facts: Mapping[str, Any]) -> Pair:
        return self.titles if isinstance(self.titles, tuple) else self.titles(facts)


def matter(facts: Mapping[str, Any], *, limits: bool = True) -> list[Row]:
    """The rows that every paper of a case opens with: numbers, matter, people and, if asked for, limits."""
    code: Row = [(("事项编码", "Matter code"), facts.get("item_code"))]
    department: Row = [(("办理部门", "Department"), "、".join(facts.get("departments") or []))]
    long = len(facts.get("item_code") or "") > 30  # would break in half a row
    rows: list[Row] = [
        [
            (("收件编号", "Case No."), facts["case_number"]),
            (("受理编号", "Acceptance No."), facts.get("acceptance_number")),
        ],
        [(("事项名称", "Matter"), facts["item_name"])],
        *([code, department] if long else [[*code, *department]]),
        [
            (("申请人", "Applicant"), facts["applicant_name"]),
            (("证件号码", "ID number"), facts.get("applicant_id_masked")),
        ],
        [(("代办人", "Agent"), facts.get("agent_name"))],
        [
            (("收件时间", "Received"), both_moments(facts.get("received_at"))),
            (("受理时间", "Accepted"), both_moments(facts.get("accepted_at"))),
        ],
    ]
    if limits:
        limits_row: Row = [
            (("承诺时限", "Promised limit"), due(facts, "promised")),
            (("法定时限", "Statutory limit"), due(facts, "statutory")),
        ]
        rows += [limits_row, [(("收费", "Fee"), facts.get("fee"))]]
    return rows


def basis(facts: Mapping[str, Any], writer: Writer) -> None:
    """The articles of law, when there are any."""
    if facts.get("legal_basis"):
        writer.heading("法律依据", "Legal basis")
        writer.numbered(facts["legal_basis"])
