"""Actions of the back office: take, propose, decide, return, forward, answer the window, check and revoke."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from app.action import Transaction, visiting_action
from app.casework import papers
from app.casework.cases import (
    change,
    checked,
    clear_alarms,
    reviews_of,
    said,
    seal_field,
    set_alarm,
    set_review,
    to_state,
)
from app.casework.delivery import await_delivery
from app.casework.finish import stand_still
from app.casework.intake import all_in, is_told_late
from app.casework.joint_models import Manifest, ManifestEntry
from app.casework.licences import drop_result, keep_result
from app.casework.models import Case, CaseReview
from app.casework.moves import move_clocks
from app.casework.parts import (
    await_taking,
    close_parts,
    own_part,
    own_review,
    proposers,
    refuse_intake,
    seal_words,
    taken,
)
from app.casework.pledges import await_check, close_gap, open_gap
from app.casework.pre_review import await_sending_up, end_pre_review, has_papers
from app.casework.queries import case_answer
from app.casework.rules.alarms import Alarm
from app.casework.rules.ladder import Level
from app.casework.rules.states import CaseStep
from app.casework.signals import forget_signals, signal
from app.casework.steps import question_open
from app.casework.urges import open_urge
from app.errors import Refusal
from app.events import (
    CaseChecked,
    CaseDecided,
    CaseForwarded,
    CaseNotAccepted,
    CaseProposed,
    CaseReturned,
    CaseReviewed,
    CaseRevoked,
    CaseTaken,
    NoRequestAnswered,
)
from app.hall.queries import halls_above
from app.now import iso
from app.words import clean

OUTCOMES = {"granted": CaseStep.GRANT, "refused": CaseStep.REFUSE}
ANSWERS = {
    "accept": CaseStep.GO_ON,
    "not_accepted": CaseStep.NOT_ACCEPT,
    "not_required": CaseStep.NOT_REQUIRE,
}
FOUND = ("kept", "broken")


@visiting_action
def take_case(tx: Transaction, *, case_id: int) -> dict[str, Any]:
    """Begin to review 领办. Refuses case.illegal_step, auth.foreign_department, case.intake_is_approver. Locks the hall."""
    case, state = checked(tx, case_id, CaseStep.TAKE)
    review = own_review(tx, case)
    refuse_intake(tx, case)
    set_review(tx, case, review, taken_by=tx.actor.name)
    change(tx, case, state=state)
    tx.record(CaseTaken(**said(case), department=review.department))
    return case_answer(tx, case)


@visiting_action
def propose_case(tx: Transaction, *, case_id: int, outcome: str, note: str = "") -> dict[str, Any]:
    """Sign first 拟办: propose to somebody else of the department how to decide (at most two signatures by default, C5).

    Refuses case.illegal_step, case.outcome, auth.foreign_department, case.intake_is_approver, case.signatures (the next
    signature must be the decision), case.own_proposal. Locks the hall. Tells CaseProposed.
    """
    if outcome not in OUTCOMES:
        raise Refusal("case.outcome")
    case, state = checked(tx, case_id, CaseStep.PROPOSE)
    review = own_review(tx, case)
    refuse_intake(tx, case)
    limit = case.guide["signatures"]
    if review.signatures + 2 > limit:
        raise Refusal("case.signatures", limit=limit)
    _refuse_proposer(tx, review)
    note = clean(note, "note", limit=1000, lines=True, empty=True)
    set_review(
        tx,
        case,
        review,
        taken_by=review.taken_by or tx.actor.name,
        proposed_by=" ".join([*proposers(review), tx.actor.name]),
        proposal=outcome,
        signatures=review.signatures + 1,
        note_sealed=seal_words(review, "note", note),
    )
    change(tx, case, state=state)
    tx.record(CaseProposed(**said(case), department=review.department, outcome=outcome))
    return case_answer(tx, case)


@visiting_action
def decide_case(tx: Transaction, *, case_id: int, outcome: str, reason: str = "", basis: str = "") -> dict[str, Any]:
    """Grant or refuse for one's department; the last department's grant, or any refusal, decides the case.

    Refuses case.illegal_step, case.outcome, auth.foreign_department, case.not_authorised, case.intake_is_approver and
    case.own_proposal (C5), case.gap_open (C4), case.reason_required and case.basis_required for a refusal (C9). Locks
    the hall. Tells CaseReviewed, or CaseDecided with its paper.
    """
    if outcome not in OUTCOMES:
        raise Refusal("case.outcome")
    case, _ = checked(tx, case_id, OUTCOMES[outcome])
    review = own_review(tx, case)
    refuse_intake(tx, case)
    _refuse_proposer(tx, review)
    if open_gap(tx, case):
        raise Refusal("case.gap_open")
    reason, basis = _grounds(reason, basis, needed=outcome == "refused")
    set_review(
        tx,
        case,
        review,
        state=outcome,
        decided_by=tx.actor.name,
        decided_at=tx.at,
        signatures=review.signatures + 1,
        reason_sealed=seal_words(review, "reason", reason),
        basis=basis or None,
    )
    waiting = [r for r in reviews_of(tx.session, tx.hall, case.id) if r.state in ("waiting", "open")]
    if outcome == "granted" and waiting:
        change(tx, case, state=to_state(case, CaseStep.REVIEW))
        set_review(tx, case, review, took=taken(tx, case))
        if not any(r.state == "open" for r in waiting):
            set_review(tx, case, waiting[0], state="open")
            await_taking(tx, case)
            _tell_next(tx, case)
        tx.record(CaseReviewed(**said(case), department=review.department, outcome=outcome))
        return case_answer(tx, case)
    close_parts(tx, case)
    _close(tx, case, review, outcome, reason, basis)
    return case_answer(tx, case)


def _tell_next(tx: Transaction, case: Case) -> None:
    """Whoever gets a case that is late, or urged, hears of it; who is done with it hears no more."""
    if case.light in set(Level):
        signal(tx, case, Level(case.light))
    if open_urge(tx.session, case):
        forget_signals(tx, case, Level.URGED)
        signal(tx, case, Level.URGED)


def _close(tx: Transaction, case: Case, review: CaseReview, outcome: str, reason: str, basis: str) -> None:
    """Part of an action: the decision itself, its paper, and the check that follows a decision on commitment."""
    change(tx, case, state=to_state(case, OUTCOMES[outcome]), outcome=outcome, decided_at=tx.at)
    tx.record(CaseDecided(**said(case), department=review.department, outcome=outcome))
    clear_alarms(tx, case, keep=(Alarm.GAP, Alarm.GAP_SOON))
    await_delivery(tx, case)
    if outcome == "granted":
        await_check(tx, case)
        keep_result(tx, case)
    else:
        close_gap(tx, case)
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


@visiting_action
def return_case(tx: Transaction, *, case_id: int, reason: str) -> dict[str, Any]:
    """Give the case back: in turn to the department before, otherwise to one's own department's inbox. Clocks run on.

    A case that was sent up goes back to the hall that received it, and is no more the upper hall's. The signatures of
    the part that it returns to begin anew. Refuses case.illegal_step, case.reason_required, auth.foreign_department.
    Locks the hall. Tells CaseReturned.
    """
    case, state = checked(tx, case_id, CaseStep.RETURN)
    review = own_review(tx, case)
    if not reason.strip():
        raise Refusal("case.reason_required")
    reason = clean(reason, "reason", limit=500, lines=True)
    before = [r for r in reviews_of(tx.session, tx.hall, case.id) if r.position < review.position]
    target = before[-1] if before and case.guide["routing"] == "in_turn" else review
    anew = {"taken_by": None, "proposed_by": None, "proposal": None, "signatures": 0}
    if target is not review:
        set_review(tx, case, review, state="waiting", note_sealed=None, **anew)
    undecided = {"state": "open", "decided_by": None, "decided_at": None, "took": None}
    unsaid = {"note_sealed": seal_words(target, "note", reason), "reason_sealed": None, "basis": None}
    set_review(tx, case, target, **undecided, **unsaid, **anew)
    received_in = _received_in(tx, case)
    above = received_in if received_in != case.hall else None
    came_down = case.forwarded_to != above
    change(tx, case, state=state, forwarded_to=above, handled_in=received_in)
    await_taking(tx, case)
    if came_down:
        await_sending_up(tx, case)
    tx.record(CaseReturned(**said(case), department=target.department))
    return case_answer(tx, case)


def _received_in(tx: Transaction, case: Case) -> str:
    """The hall that received a case: its own, or of what was collected the one in which its papers arrived first."""
    came = (ManifestEntry.hall == case.hall, ManifestEntry.case_id == case.id, ManifestEntry.state == "arrived")
    bundle = (Manifest.hall == ManifestEntry.hall) & (Manifest.id == ManifestEntry.manifest_id)
    first = select(Manifest.to_hall).join(ManifestEntry, bundle).where(*came).order_by(Manifest.id).limit(1)
    return (tx.execute(first).scalar_one_or_none() if case.collected_at else None) or case.hall


@visiting_action
def forward_case(tx: Transaction, *, case_id: int, to_hall: str | None = None) -> dict[str, Any]:
    """Send the case up 转报 to a hall above the one that handles it, whose approvers decide; the clocks run on (C12).

    What a village has collected a township may pass on so. Refuses case.illegal_step, case.to_hall (not a hall above),
    auth.foreign_department, auth.foreign_hall. Locks the hall. Tells CaseForwarded.
    """
    case, state = checked(tx, case_id, CaseStep.FORWARD)
    own_review(tx, case)
    above = halls_above(case.handled_in, tx.session)
    target = to_hall or next(iter(above), None)
    if target is None or target not in above:
        raise Refusal("case.to_hall")
    change(tx, case, state=state, forwarded_to=target)
    if not has_papers(tx, case):
        end_pre_review(tx, case)
    tx.record(CaseForwarded(**said(case), to_hall=target))
    return case_answer(tx, case)


@visiting_action
def answer_no_request(
    tx: Transaction, *, case_id: int, answer: str, reason: str = "", basis: str = "", go_to: str = ""
) -> dict[str, Any]:
    """The chief representative answers the window: `accept` (go on), or a no with its written slip (C2, C9, C10).

    `not_accepted` says no to the applicant, `not_required` that no licence is needed; `go_to` is the authority that does
    take the matter. Where all that was asked for is in already, `accept` accepts the case (C3). Refuses
    case.no_request_none, case.illegal_step, case.told_late, case.reason_required, case.basis_required, request.invalid.
    Locks the hall. Tells NoRequestAnswered and, for a no, CaseNotAccepted with its paper.
    """
    if answer not in ANSWERS:
        raise Refusal("request.invalid", detail="answer")
    case, state = checked(tx, case_id, ANSWERS[answer])
    if not question_open(case):
        raise Refusal("case.no_request_none")
    if answer == "accept":
        change(tx, case, no_request_answer=answer)
        tx.record(NoRequestAnswered(**said(case), answer=answer))
        if case.supplied_at is not None:
            all_in(tx, case, paper=case.joint_id is None)
            change(tx, case, accepted_by=case.received_by)
        return case_answer(tx, case)
    if is_told_late(case, tx.at):
        raise Refusal("case.told_late")
    reason, basis = _grounds(reason, basis, needed=True)
    go_to = clean(go_to, "go_to", limit=100, empty=True)
    ground = "not_required" if answer == "not_required" else case.no_request_kind
    change(tx, case, state=state, no_request_answer=answer, decided_at=tx.at, notice_due_at=None)
    clear_alarms(tx, case)
    tx.record(NoRequestAnswered(**said(case), answer=answer))
    tx.record(CaseNotAccepted(**said(case), ground=ground))
    told = {"ground": ground, "reasons": [reason], "legal_basis": [basis], "go_to": go_to or None}
    papers.issue(tx, case, "non_acceptance", **told)
    return case_answer(tx, case)


@visiting_action
def check_case(tx: Transaction, *, case_id: int, outcome: str, note: str = "") -> dict[str, Any]:
    """Say whether the applicant has kept the word on which the case was granted 事后核查: `kept` or `broken`.

    A broken word needs a note of what was found; revoking is a step of its own. Refuses case.illegal_step,
    case.no_check, case.reason_required, auth.foreign_department, request.invalid. Locks the hall. Tells CaseChecked.
    """
    if outcome not in FOUND:
        raise Refusal("request.invalid", detail="outcome")
    case, state = checked(tx, case_id, CaseStep.CHECK)
    own_part(tx, case)
    if not case.on_commitment or case.checked_at is not None:
        raise Refusal("case.no_check")
    if outcome == "broken" and not note.strip():
        raise Refusal("case.reason_required")
    note = clean(note, "note", limit=1000, lines=True, empty=True)
    sealed = seal_field(tx.hall, case.id, "check", note) if note else None
    change(tx, case, state=state, checked_at=tx.at, check_outcome=outcome, check_sealed=sealed)
    set_alarm(tx, case, Alarm.CHECK, None)
    tx.record(CaseChecked(**said(case), outcome=outcome))
    return case_answer(tx, case)


@visiting_action
def revoke_case(tx: Transaction, *, case_id: int, reason: str, basis: str) -> dict[str, Any]:
    """Take a granted decision back 撤销, with reasons, law and remedies (行政许可法 §69).

    Refuses case.illegal_step, case.reason_required, case.basis_required, case.intake_is_approver,
    auth.foreign_department. Locks the hall. Tells CaseRevoked, NoticeIssued.
    """
    case, state = checked(tx, case_id, CaseStep.REVOKE)
    part = own_part(tx, case)
    refuse_intake(tx, case)
    if case.outcome != "granted":
        raise Refusal("case.illegal_step", number=case.number, state=case.state)
    reason, basis = _grounds(reason, basis, needed=True)
    change(tx, case, state=state, revoked_at=tx.at, end_sealed=seal_field(tx.hall, case.id, "end", reason))
    stand_still(tx, case)
    close_gap(tx, case)
    clear_alarms(tx, case)
    tx.record(CaseRevoked(**said(case), department=part.department))
    drop_result(tx, case)
    papers.issue(
        tx,
        case,
        "revocation",
        reasons=[reason],
        legal_basis=[basis],
        decision_number=papers.number_of(tx, case, "decision"),
        decided_at=iso(case.decided_at),
        department=part.department,
        matter_kind=papers.matter(case),
    )
    return case_answer(tx, case)


def _refuse_proposer(tx: Transaction, review: CaseReview) -> None:
    """Refuses case.own_proposal: each signature is another person's."""
    if tx.actor.name in proposers(review):
        raise Refusal("case.own_proposal")


def _grounds(reason: str, basis: str, *, needed: bool) -> tuple[str, str]:
    """Reason and legal basis as they go on a paper. Refuses case.reason_required, case.basis_required."""
    if needed and not reason.strip():
        raise Refusal("case.reason_required")
    if needed and not basis.strip():
        raise Refusal("case.basis_required")
    return (
        clean(reason, "reason", limit=1000, lines=True, empty=True),
        clean(basis, "basis", limit=300, lines=True, empty=True),
    )
