"""Looking at what is masked: one field, one form or one paper, one reason, one line in the record (DOMAIN §7)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from app.action import Transaction, action, visiting_action
from app.casework.cases import load, open_field
from app.casework.joint_parts import load as load_joint
from app.casework.joint_queries import filled_form
from app.casework.levels_queries import works_with
from app.errors import Refusal
from app.events import FieldRevealed
from app.notices.models import NoticeRow
from app.notices.registry import PRIVATE
from app.privacy import REASONS

FIELDS = ("name", "id_number", "phone")


@visiting_action
def reveal_field(tx: Transaction, *, case_id: int, field: str, reason: str) -> dict[str, Any]:
    """The full value of one field of the applicant.

    Refuses case.unknown, auth.foreign_hall, reveal.reason, request.invalid. Locks the hall. Tells FieldRevealed.
    """
    if field not in FIELDS:
        raise Refusal("request.invalid", detail="field")
    if reason not in REASONS:
        raise Refusal("reveal.reason")
    case = load(tx, case_id)
    if not works_with(tx.actor.hall, tx.hall, case_id):
        raise Refusal("auth.foreign_hall")
    tx.look(FieldRevealed(of=f"case:{case.id}", field=field, reason=reason))
    return {"field": field, "value": open_field(case, "applicant").get(field, "")}


@action
def reveal_form(tx: Transaction, *, joint_id: int, reason: str) -> dict[str, Any]:
    """The merged form of a one-thing case as it was filled in. Refuses joint.unknown, reveal.reason.

    Locks the hall. Tells FieldRevealed.
    """
    if reason not in REASONS:
        raise Refusal("reveal.reason")
    joint = load_joint(tx, joint_id)
    tx.look(FieldRevealed(of=f"joint:{joint.id}", field="form", reason=reason))
    return {"form": filled_form(joint, whole=True)}


@visiting_action
def show_paper(tx: Transaction, *, notice_id: int, reason: str) -> dict[str, Any]:
    """Look at an issued paper; one that tells more of a person than the name goes into the record.

    Refuses notice.unknown, auth.foreign_hall, reveal.reason. Locks the hall. Tells FieldRevealed.
    """
    if reason not in REASONS:
        raise Refusal("reveal.reason")
    paper = select(NoticeRow.case_id, NoticeRow.kind).where(NoticeRow.hall == tx.hall, NoticeRow.id == notice_id)
    found = tx.execute(paper).one_or_none()
    if found is None:
        raise Refusal("notice.unknown")
    if not works_with(tx.actor.hall, tx.hall, found.case_id or 0):
        raise Refusal("auth.foreign_hall")
    if found.kind in PRIVATE:
        tx.look(FieldRevealed(of=f"case:{found.case_id}", field="paper", reason=reason, notice=notice_id))
    return {"notice": notice_id}
