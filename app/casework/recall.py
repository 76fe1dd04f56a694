"""Knowing an applicant again: by the full ID number, in one's own hall, masked, and written down."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from app import privacy
from app.action import Transaction, action
from app.casework.cases import open_field
from app.casework.models import Case
from app.db import db
from app.errors import Refusal
from app.events import ApplicantRecalled
from app.words import clean_id_number


@action
def recall_applicant(tx: Transaction, *, id_number: str) -> dict[str, Any]:
    """Who has applied in this hall with this ID number, masked: {found, case_id, kind, name, id_number, phone}.

    A look that finds nobody is recorded too: whoever tries number after number is seen. Refuses person.bad_id. Locks
    the hall. Tells ApplicantRecalled.
    """
    number = clean_id_number(id_number)
    key = privacy.blind_index("id_number", number)
    query = select(Case).where(Case.hall == tx.hall, Case.applicant_key == key)
    case = tx.execute(query.order_by(Case.id.desc()).limit(1)).scalar_one_or_none()
    tx.record(ApplicantRecalled(case=case.id if case else None))
    if case is None:
        return {"found": False}
    applicant = open_field(case, "applicant")
    return {
        "found": True,
        "case_id": case.id,
        "kind": case.applicant_kind,
        "name": privacy.mask_name(applicant["name"]),
        "id_number": privacy.mask_id(applicant["id_number"]),
        "phone": privacy.mask_phone(applicant["phone"]) if applicant.get("phone") else "",
    }


def applicant_again(hall: str, case_id: int) -> dict[str, str]:
    """The applicant of an earlier case in full, for the next case of the same person. Refuses case.unknown."""
    row = db.session.execute(select(Case).where(Case.hall == hall, Case.id == case_id)).scalar_one_or_none()
    if row is None:
        raise Refusal("case.unknown")
    return {"kind": row.applicant_kind, **open_field(row, "applicant")}
