"""Actions that stop, restart and lengthen the clocks of a case in review: special procedures, site checks, extension."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from app.action import Transaction, visiting_action
from app.casework import papers
from app.casework.cases import change, checked, clocks_of, end_stop, said, seal_field, set_alarm, start_stop
from app.casework.models import Case
from app.casework.moves import move_clocks, print_promise
from app.casework.parts import await_taking, own_review, own_stop
from app.casework.pre_review import await_sending_up, end_pre_review
from app.casework.queries import case_answer
from app.casework.rules.alarms import Alarm
from app.casework.rules.clocks import SiteGround, extended, extension_of
from app.casework.rules.states import CaseState, CaseStep
from app.errors import Refusal
from app.events import CaseExtended, CaseResumed, CaseSuspended
from app.hall.settings import schedule_in
from app.now import iso, local
from app.people.permissions import Permission
from app.words import clean

LONGEST_STOP_DAYS = 366
RANKS = {"head": Permission.CASE_EXTEND, "government": Permission.CASE_EXTEND_JOINT}
_APPROVERS = {"head": "本行政机关负责人", "government": "本级人民政府负责人"}


@visiting_action
def suspend_case(tx: Transaction, *, case_id: int, ground: str, days: int) -> dict[str, Any]:
    """Stop both clocks for a special procedure 特别程序, telling in writing how many days it needs (行政许可法 §45).

    Refuses case.illegal_step, case.ground (not one of the regime's), case.days, auth.foreign_department. Locks the hall.
    Tells CaseSuspended, ClocksMoved, NoticeIssued; CaseOverran when it lasts longer.
    """
    case, state = checked(tx, case_id, CaseStep.SUSPEND)
    if ground not in case.guide["rules"]["stop_grounds"]:
        raise Refusal("case.ground")
    return _stop(tx, case, state, "both", ground, days)


@visiting_action
def check_site(tx: Transaction, *, case_id: int, days: int, ground: str = SiteGround.SITE_CHECK) -> dict[str, Any]:
    """Go and see 现场勘验, or have it reviewed 技术审查: the promise waits for it, the statutory limit does not (C6).

    Refuses and tells as `suspend_case` does. Locks the hall.
    """
    case, state = checked(tx, case_id, CaseStep.CHECK_SITE)
    if ground not in set(SiteGround):
        raise Refusal("case.ground")
    return _stop(tx, case, state, "promised", ground, days)


def _stop(tx: Transaction, case: Case, state: CaseState, clocks: str, ground: str, days: int) -> dict[str, Any]:
    if not 1 <= days <= LONGEST_STOP_DAYS:
        raise Refusal("case.days", limit=LONGEST_STOP_DAYS)
    review = own_review(tx, case)
    until = tx.at + timedelta(days=days)
    start_stop(tx, case, review.department, clocks, ground, days)
    change(tx, case, state=state)
    set_alarm(tx, case, Alarm.STAGE, None)
    end_pre_review(tx, case)
    set_alarm(tx, case, Alarm.STOP, until)
    tx.record(CaseSuspended(**said(case), ground=ground, clock=clocks, days=days))
    move_clocks(tx, case, "suspended")
    told = {"ground": ground, "days": days, "clock": clocks}
    papers.issue(tx, case, "special_procedure", **told, from_at=iso(tx.at), until_on=local(until).date().isoformat())
    return case_answer(tx, case)


@visiting_action
def resume_case(tx: Transaction, *, case_id: int) -> dict[str, Any]:
    """The procedure, the check or the wait for a supplement is over, its department says; the stopped clocks run on.

    Refuses case.illegal_step, auth.foreign_department. Locks the hall. Tells CaseResumed, ClocksMoved.
    """
    case, state = checked(tx, case_id, CaseStep.RESUME)
    own_stop(tx, case)
    change(tx, case, state=state)
    tx.record(CaseResumed(**said(case), clock=end_stop(tx, case)))
    for alarm in (Alarm.STOP, Alarm.SUPPLEMENT):
        set_alarm(tx, case, alarm, None)
    await_taking(tx, case)
    await_sending_up(tx, case)
    move_clocks(tx, case, "resumed")
    print_promise(case)  # the notice of the stop told that the limit follows it
    return case_answer(tx, case)


@visiting_action
def extend_case(tx: Transaction, *, case_id: int, reason: str) -> dict[str, Any]:
    """Extend once, as far as the regime allows, before the statutory limit has passed, with the reason told (C7).

    A promise that has passed already stays broken: then the statutory limit alone grows.

    Refuses case.illegal_step, case.reason_required, case.not_extendable (the regime knows no extension, or counts in
    another unit), case.rank, case.extended_once, case.too_late, auth.foreign_department. Locks the hall. Tells
    CaseExtended, ClocksMoved, NoticeIssued.
    """
    case, state = checked(tx, case_id, CaseStep.EXTEND)
    own_review(tx, case)
    if not reason.strip():
        raise Refusal("case.reason_required")
    reason = clean(reason, "reason", limit=500, lines=True)
    more, rule = extension_of(case.guide), case.guide["rules"]["extension"]
    if more is None:
        raise Refusal("case.not_extendable")
    refuse_rank(tx, rule)
    if case.extended:
        raise Refusal("case.extended_once")
    if case.statutory_due_at is not None and tx.at >= case.statutory_due_at:
        raise Refusal("case.too_late")
    before = papers.day_of(case, case.statutory_due_at)
    clocks = clocks_of(tx.session, case)
    assert clocks is not None  # no step before acceptance extends
    given = extended(clocks, more, schedule_in(tx), tx.at).extension
    assert given is not None
    sealed = seal_field(tx.hall, case.id, "extension", reason)
    change(tx, case, state=state, extended=True, extension=given.to_json(), extension_sealed=sealed)
    tx.record(CaseExtended(**said(case), days=more.amount, clock=given.names))
    move_clocks(tx, case, "extended")
    approved_by = f"{_APPROVERS[rule['by']]} {papers.name_of(tx)}".strip()
    told = {"reasons": [reason], "days": more.amount, "clock": given.names, "approved_by": approved_by}
    papers.issue(tx, case, "extension", **told, previous_due_on=before, law=papers.law_of(case, "extension"))
    return case_answer(tx, case)


def refuse_rank(tx: Transaction, extension: Mapping[str, Any]) -> None:
    """Refuses case.rank to whoever may not extend by this rule of a regime: {…, by: head | government}."""
    if not tx.actor.may(RANKS[extension["by"]]):
        raise Refusal("case.rank")
