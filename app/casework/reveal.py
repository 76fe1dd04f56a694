"""Looking at a masked value: one field, one reason, one line in the record (DOMAIN §7)."""

from __future__ import annotations

from typing import Any

from app.action import Transaction, action
from app.casework.cases import load, open_field
from app.errors import Refusal
from app.events import FieldRevealed

FIELDS = ("name", "id_number", "phone")
REASONS = ("verify", "contact", "correct", "deliver")  # 核对身份 · 联系申请人 · 更正信息 · 送达


@action
def reveal_field(tx: Transaction, *, case_id: int, field: str, reason: str) -> dict[str, Any]:
    """The full value of one field of the applicant. Refuses case.unknown, reveal.reason, request.invalid.

    Locks the hall. Tells FieldRevealed.
    """
    if field not in FIELDS:
        raise Refusal("request.invalid", detail="field")
    if reason not in REASONS:
        raise Refusal("reveal.reason")
    case = load(tx, case_id)
    tx.record(FieldRevealed(of=f"case:{case.id}", field=field, reason=reason))
    return {"field": field, "value": open_field(case, "applicant").get(field, "")}
