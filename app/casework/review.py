"""Actions of the back office: take, decide, stop and resume the clocks, extend, return, forward, answer the window."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import select, update

from app import privacy
from app.action import Transaction, action
from app.casework import papers
from app.casework.cases import (
    change,
    checked,
    end_stop,
    lacking_papers,
    load,
    move_clocks,
    reviews_of,
    said,
    seal_field,
    start_stop,
    to_state,
)
from app.casework.models import Case, CaseReview
from app.casework.queries import case_answer
from app.casework.rules.clocks import EXTENSION_WD, Ground
from app.casework.rules.states import CaseState, CaseStep
from app.errors import Refusal
from app.events import (
    CaseDecided,
    CaseExtended,
    CaseForwarded,
    CaseNotAccepted,
    CaseResumed,
    CaseReturned,
    CaseReviewed,
    CaseSuspended,
    CaseTaken,
    NoRequestAnswered,
)
from app.hall.models import Hall
from app.hall.rules.clock import Unit
from app.people.permissions import Permission
from app.words import clean

LONGEST_STOP_DAYS = 366


@action
def take_case(tx: Transaction, *, case_id: int) -> dict[str, Any]:
    """Begin to review 领办. Refuses case.illegal_step, auth.foreign_department, case.intake_is_approver. Locks the hall."""
    case, state = checked(tx, case_id, CaseStep.TAKE)
    review = own_review(tx, case)
    _refuse_intake(tx, case)
    _set_review(tx, review, taken_by=tx.actor.name)
    change(tx, case, state=state)
    tx.record(CaseTaken(**said(case), department=review.department))
    return case_answer(tx, case)


@action
def decide_case(tx: Transaction, *, case_id: int, outcome: str, reason: str = "", basis: str = "") -> dict[str, Any]:
    """Grant or refuse for one's department; the last department's grant, or any refusal, decides the case.

    Refuses case.illegal_step, case.outcome, auth.foreign_department, case.intake_is_approver (C5), case.gap_open (C4),
    case.reason_required and case.basis_required for a refusal (C9), case.not_authorised. Locks the hall. Tells
    CaseReviewed or CaseDecided with its paper.
    """
    if outcome not in ("granted", "refused"):
        raise Refusal("case.outcome")
    case, _ = checked(tx, case_id, CaseStep.GRANT if outcome == "granted" else CaseStep.REFUSE)
    review = own_review(tx, case)
    _refuse_intake(tx, case)
    if case.tolerant and lacking_papers(tx, case):
        raise Refusal("case.gap_open")
    if outcome == "refused" and not reason.strip():
        raise Refusal("case.reason_required")
    if outcome == "refused" and not basis.strip():
        raise Refusal("case.basis_required")
    reason = clean(reason, "reason", limit=1000, lines=True, empty=True)
    basis = clean(basis, "basis", limit=300, lines=True, empty=True)
    _set_review(
        tx,
        review,
        state=outcome,
        decided_by=tx.actor.name,
        decided_at=tx.at,
        reason_sealed=privacy.seal(json.dumps(reason), _reason_context(review)) if reason else None,
        basis=basis or None,
    )
    waiting = [r for r in reviews_of(tx.session, tx.hall, case.id) if r.state in ("waiting", "open")]
    if outcome == "granted" and waiting:
        if not any(r.state == "open" for r in waiting):
            _set_review(tx, waiting[0], state="open")
        change(tx, case, state=to_state(case, CaseStep.REVIEW))
        tx.record(CaseReviewed(**said(case), department=review.department, outcome=outcome))
        return case_answer(tx, case)
    for other in waiting:
        _set_review(tx, other, state="waiting")
    step = CaseStep.GRANT if outcome == "granted" else CaseStep.REFUSE
    change(tx, case, state=to_state(case, step), outcome=outcome, decided_at=tx.at)
    tx.record(CaseDecided(**said(case), department=review.department, outcome=outcome))
    move_clocks(tx, case, "decided")
    legal = [line for line in [basis, *(papers.basis_text(b) for b in case.guide["legal_basis"])] if line]
    papers.issue(
        tx,
        case,
        "decision",
        outcome=outcome,
        department=review.department,
        matter_kind=papers.matter(case),
        reasons=[reason] if reason else None,
        legal_basis=legal,
    )
    return case_answer(tx, case)


@action
def suspend_case(tx: Transaction, *, case_id: int, ground: str, days: int) -> dict[str, Any]:
    """Stop both clocks for a special procedure 特别程序, telling how many days it needs (行政许可法 §45).

    Refuses case.illegal_step, case.ground, case.days, auth.foreign_department. Locks the hall. Tells CaseSuspended.
    """
    if ground not in set(Ground):
        raise Refusal("case.ground")
    if not 1 <= days <= LONGEST_STOP_DAYS:
        raise Refusal("case.days", limit=LONGEST_STOP_DAYS)
    case, state = checked(tx, case_id, CaseStep.SUSPEND)
    own_review(tx, case)
    start_stop(tx, case, "both", ground, days)
    change(tx, case, state=state)
    tx.record(CaseSuspended(**said(case), ground=ground, clock="both", days=days))
    move_clocks(tx, case, "suspended")
    return case_answer(tx, case)


@action
def resume_case(tx: Transaction, *, case_id: int) -> dict[str, Any]:
    """The special procedure is over; the clocks run on. Refuses case.illegal_step, auth.foreign_department. Locks the hall."""
    case, state = checked(tx, case_id, CaseStep.RESUME)
    own_review(tx, case)
    change(tx, case, state=state)
    tx.record(CaseResumed(**said(case), clock=end_stop(tx, case)))
    move_clocks(tx, load(tx, case_id), "resumed")
    return case_answer(tx, load(tx, case_id))


@action
def extend_case(tx: Transaction, *, case_id: int, reason: str) -> dict[str, Any]:
    """Extend once by ten working days, before the statutory limit has passed, with the reason told (行政许可法 §42).

    Refuses case.illegal_step, case.reason_required, case.not_extendable, case.extended_once, case.too_late,
    auth.foreign_department. Locks the hall. Tells CaseExtended, ClocksMoved.
    """
    case, state = checked(tx, case_id, CaseStep.EXTEND)
    own_review(tx, case)
    if not reason.strip():
        raise Refusal("case.reason_required")
    sealed = seal_field(tx.hall, case.id, "extension", clean(reason, "reason", limit=500, lines=True))
    if case.guide["statutory"]["unit"] != Unit.WD:
        raise Refusal("case.not_extendable")
    if case.extended:
        raise Refusal("case.extended_once")
    if case.statutory_due_at is not None and tx.at >= case.statutory_due_at:
        raise Refusal("case.too_late")
    change(tx, case, state=state, extended=True, extension_sealed=sealed)
    tx.record(CaseExtended(**said(case), days=EXTENSION_WD))
    move_clocks(tx, case, "extended")
    return case_answer(tx, case)


@action
def return_case(tx: Transaction, *, case_id: int, reason: str) -> dict[str, Any]:
    """Give the case back: in turn to the department before, otherwise to one's own department's inbox. Clocks run on.

    Refuses case.illegal_step, case.reason_required, auth.foreign_department. Locks the hall. Tells CaseReturned.
    """
    case, state = checked(tx, case_id, CaseStep.RETURN)
    review = own_review(tx, case)
    if not reason.strip():
        raise Refusal("case.reason_required")
    reason = clean(reason, "reason", limit=500, lines=True)
    before = [r for r in reviews_of(tx.session, tx.hall, case.id) if r.position < review.position]
    target = before[-1] if before and case.guide["routing"] == "in_turn" else review
    if target is not review:
        _set_review(tx, review, state="waiting", taken_by=None)
    note = privacy.seal(json.dumps(reason), _reason_context(target))
    _set_review(tx, target, state="open", taken_by=None, decided_by=None, decided_at=None, reason_sealed=note)
    change(tx, case, state=state)
    tx.record(CaseReturned(**said(case), department=target.department))
    return case_answer(tx, case)


@action
def forward_case(tx: Transaction, *, case_id: int, to_hall: str | None = None) -> dict[str, Any]:
    """Send the case up 转报 to the hall above, whose approvers decide; the clocks run on (C12).

    Refuses case.illegal_step, case.to_hall, auth.foreign_department. Locks the hall. Tells CaseForwarded.
    """
    case, state = checked(tx, case_id, CaseStep.FORWARD)
    own_review(tx, case)
    parent = tx.execute(select(Hall.parent).where(Hall.code == tx.hall)).scalar_one()
    target = to_hall or parent
    known = tx.execute(select(Hall.code).where(Hall.code == target)).one_or_none()
    if target is None or known is None or target == tx.hall:
        raise Refusal("case.to_hall")
    change(tx, case, state=state, forwarded_to=target)
    tx.record(CaseForwarded(**said(case), to_hall=target))
    return case_answer(tx, case)


@action
def answer_no_request(
    tx: Transaction, *, case_id: int, answer: str, reason: str = "", basis: str = ""
) -> dict[str, Any]:
    """The chief representative answers the window: `accept` (go on) or `not_accepted` with a written slip (C2, C9, C10).

    Refuses case.no_request_none, case.illegal_step, case.reason_required, case.basis_required, request.invalid. Locks
    the hall. Tells NoRequestAnswered and, for a no, CaseNotAccepted with its paper.
    """
    if answer not in ("accept", "not_accepted"):
        raise Refusal("request.invalid", detail="answer")
    case = load(tx, case_id)
    if not case.no_request_kind or case.no_request_answer:
        raise Refusal("case.no_request_none")
    if answer == "accept":
        change(tx, case, no_request_answer=answer)
        tx.record(NoRequestAnswered(**said(case), answer=answer))
        return case_answer(tx, case)
    state = to_state(case, CaseStep.NOT_ACCEPT)
    if not reason.strip():
        raise Refusal("case.reason_required")
    if not basis.strip():
        raise Refusal("case.basis_required")
    reason, basis = clean(reason, "reason", limit=1000, lines=True), clean(basis, "basis", limit=300, lines=True)
    change(tx, case, state=state, no_request_answer=answer, decided_at=tx.at, notice_due_at=None)
    tx.record(NoRequestAnswered(**said(case), answer=answer))
    tx.record(CaseNotAccepted(**said(case), ground=case.no_request_kind))
    papers.issue(tx, case, "non_acceptance", reasons=[reason], legal_basis=[basis])
    return case_answer(tx, case)


def own_review(tx: Transaction, case: Case) -> CaseReview:
    """The open review that the actor may act on: the own department's, or any as an authorised chief representative."""
    open_ = [review for review in reviews_of(tx.session, tx.hall, case.id) if review.state == "open"]
    for review in open_:
        if tx.actor.department == review.department:
            return review
    if tx.actor.department is None and tx.actor.may(Permission.CASE_ANSWER) and open_:
        if not case.guide["chief_may_decide"]:
            raise Refusal("case.not_authorised")
        return open_[0]
    if case.state not in (CaseState.ACCEPTED, CaseState.REVIEW, CaseState.SPECIAL, CaseState.FORWARDED):
        raise Refusal("case.illegal_step", number=case.number, state=case.state)
    raise Refusal("auth.foreign_department")


def _refuse_intake(tx: Transaction, case: Case) -> None:
    if tx.actor.id in (case.received_by, case.accepted_by):
        raise Refusal("case.intake_is_approver")


def _set_review(tx: Transaction, review: CaseReview, **values: Any) -> None:
    one = (
        CaseReview.hall == tx.hall,
        CaseReview.case_id == review.case_id,
        CaseReview.department == review.department,
    )
    tx.execute(update(CaseReview).where(*one).values(values))


def _reason_context(review: CaseReview) -> str:
    return f"case_reviews.reason|{review.hall}|{review.case_id}|{review.department}"
