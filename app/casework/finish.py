"""Instant items: finished on the spot 当场办结, or turned into a promise 即办转承诺 when that does not work out (K5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.action import Transaction, visiting_action
from app.casework import papers
from app.casework.cases import change, checked, ended_at, open_field, said, seal_field, set_alarm, wait
from app.casework.models import Case
from app.casework.moves import move_clocks
from app.casework.parts import own_review
from app.casework.pre_review import await_sending_up
from app.casework.queries import case_answer
from app.casework.rules.alarms import TAKE_WITHIN, Alarm
from app.casework.rules.clocks import read_limit
from app.casework.rules.states import CaseStep
from app.catalog.rules.classes import TimeClass, not_longer
from app.errors import Refusal
from app.events import CaseConverted, CaseDelivered
from app.hall.rules.clock import Unit
from app.now import iso, local_day
from app.people.permissions import Permission
from app.words import clean

ON_THE_SPOT = "on_the_spot"


@visiting_action
def finish_case(tx: Transaction, *, case_id: int) -> dict[str, Any]:
    """Hand over what was granted to the applicant who has waited at the window; one slip says all of it.

    Only whoever took the case in may, and only that day: nobody else knows without a code or an ID who is standing
    there. Refuses case.illegal_step, case.not_instant, case.on_the_spot. Locks the hall. Tells CaseDelivered,
    NoticeIssued.
    """
    case, state = checked(tx, case_id, CaseStep.FINISH)
    _only_instant(case)
    if tx.actor.id not in (case.received_by, case.accepted_by) or local_day(case.received_at) != tx.day:
        raise Refusal("case.on_the_spot")
    receiver = seal_field(tx.hall, case.id, "receiver", {"receiver": open_field(case, "applicant")["name"]})
    change(tx, case, state=state, delivered_at=tx.at, delivered_how=ON_THE_SPOT, receiver_sealed=receiver)
    tx.record(CaseDelivered(**said(case), how=ON_THE_SPOT))
    set_alarm(tx, case, Alarm.DELIVERY, None)
    stand_still(tx, case)
    served = {"documents": papers.documents(tx, case), "mode": "direct", "served_at": iso(tx.at)}
    papers.issue(tx, case, "service", **served, server_name=papers.name_of(tx) or None)
    return case_answer(tx, case)


def stand_still(tx: Transaction, case: Case) -> None:
    """Part of an action: the clocks of an instant case stand if the step has ended them; what stood already stays (K6)."""
    if case.took is None and ended_at(case) is not None:
        move_clocks(tx, case, "finished")


@visiting_action
def convert_case(tx: Transaction, *, case_id: int, limit: Mapping[str, Any], reason: str) -> dict[str, Any]:
    """Turn an instant case into one with a promised limit, with the reason told; its acceptance slip says until when.

    In time only, once, and never beyond the statutory limit; the clocks go on from where they began. Refuses
    case.illegal_step, case.not_instant, case.reason_required, case.convert_limit, case.convert_late,
    auth.foreign_department. Locks the hall. Tells CaseConverted, ClocksMoved, NoticeIssued.
    """
    case, state = checked(tx, case_id, CaseStep.CONVERT)
    _only_instant(case)
    if not tx.actor.may(Permission.CASE_ACCEPT):
        own_review(tx, case)
    if not reason.strip():
        raise Refusal("case.reason_required")
    try:
        promised = read_limit(limit)
    except (ValueError, KeyError, TypeError):
        raise Refusal("case.convert_limit") from None
    if promised.unit is Unit.NH or not not_longer(promised, read_limit(case.guide["statutory"])):
        raise Refusal("case.convert_limit")
    if not_longer(promised, read_limit(case.guide["promised"])):
        raise Refusal("case.convert_limit")
    if case.promised_due_at is not None and case.promised_due_at <= tx.at:
        raise Refusal("case.convert_late")
    sealed = seal_field(tx.hall, case.id, "conversion", clean(reason, "reason", limit=500, lines=True))
    agreed = {"amount": promised.amount, "unit": promised.unit.value}
    change(tx, case, state=state, converted=agreed, conversion_sealed=sealed)
    tx.record(CaseConverted(**said(case), **agreed))
    wait(tx, case, Alarm.STAGE, TAKE_WITHIN)
    await_sending_up(tx, case, case.clock_from_at)
    move_clocks(tx, case, "converted")
    papers.issue(tx, case, "acceptance", deemed=case.deemed_accepted)
    return case_answer(tx, case)


def _only_instant(case: Case) -> None:
    if case.converted or not TimeClass(case.guide["time_class"]).on_the_spot:
        raise Refusal("case.not_instant")
