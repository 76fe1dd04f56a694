"""Actions of the pickup window: the result arrives, is handed over against code or ID, or sent by courier."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

from app import privacy
from app.action import Transaction, action
from app.casework import papers
from app.casework.cases import change, checked, open_field, said, seal_field
from app.casework.models import Case
from app.casework.queries import case_answer
from app.casework.rules.states import CaseStep
from app.errors import Refusal
from app.events import CaseDelivered, CaseDispatched, CaseReady
from app.now import iso
from app.words import clean, clean_id_number


@action
def ready_case(tx: Transaction, *, case_id: int, shelf: str = "") -> dict[str, Any]:
    """The result lies at the pickup window 待领取. Refuses case.illegal_step. Locks the hall. Tells CaseReady, NoticeIssued."""
    case, state = checked(tx, case_id, CaseStep.READY)
    shelf = clean(shelf, "shelf", limit=20, empty=True)
    change(tx, case, state=state, ready_at=tx.at, shelf=shelf or None)
    tx.record(CaseReady(**said(case)))
    codes = open_field(case, "codes")
    decided = {"ready_at": iso(tx.at), "decided_at": iso(case.decided_at)}
    papers.issue(tx, case, "pickup", pickup_code=codes["pickup_code"], **decided)
    return case_answer(tx, case)


@action
def hand_over(
    tx: Transaction,
    *,
    case_id: int,
    receiver: str,
    pickup_code: str | None = None,
    id_number: str | None = None,
    agent: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Give the result to whoever shows the code or the applicant's ID; an agent also a letter of authority (C13).

    Refuses case.illegal_step, case.receiver_mismatch, case.agent_letter, bad words. Locks the hall. Tells CaseDelivered.
    """
    case, state = checked(tx, case_id, CaseStep.HAND_OVER)
    if not _matches(case, pickup_code, id_number):
        raise Refusal("case.receiver_mismatch")
    if agent is not None and not str(agent.get("letter") or "").strip():
        raise Refusal("case.agent_letter")
    who: dict[str, Any] = {"receiver": clean(receiver, "receiver", limit=60)}
    if agent is not None:
        who["agent"] = {"name": clean(str(agent.get("name") or receiver), "name"), "letter": str(agent["letter"])[:100]}
        if agent.get("id_number"):
            who["agent"]["id_number"] = clean_id_number(str(agent["id_number"]))
    sealed = seal_field(tx.hall, case.id, "receiver", who)
    change(tx, case, state=state, delivered_at=tx.at, delivered_how="window", receiver_sealed=sealed)
    tx.record(CaseDelivered(**said(case), how="window"))
    return case_answer(tx, case)


def _matches(case: Case, pickup_code: str | None, id_number: str | None) -> bool:
    if pickup_code:
        index = privacy.blind_index("pickup", case.number + pickup_code)
        return hmac.compare_digest(index, case.pickup_hash)
    if id_number and case.applicant_key:
        return hmac.compare_digest(privacy.blind_index("id_number", id_number), case.applicant_key)
    return False


@action
def dispatch_case(tx: Transaction, *, case_id: int, carrier: str, tracking_number: str) -> dict[str, Any]:
    """Send the result by courier 邮寄. Refuses case.illegal_step, bad words. Locks the hall. Tells CaseDispatched, CaseDelivered."""
    case, state = checked(tx, case_id, CaseStep.DISPATCH)
    sent = {
        "carrier": clean(carrier, "carrier", limit=40),
        "tracking_number": clean(tracking_number, "tracking_number", limit=40),
    }
    sealed = seal_field(tx.hall, case.id, "receiver", sent)
    change(tx, case, state=state, delivered_at=tx.at, delivered_how="courier", receiver_sealed=sealed)
    tx.record(CaseDispatched(**said(case)))
    tx.record(CaseDelivered(**said(case), how="courier"))
    return case_answer(tx, case)
