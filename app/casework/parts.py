"""The departments' parts in deciding a case: whose they are, and who may not sign for them."""

from __future__ import annotations

import json
from collections.abc import Iterable

from app import privacy
from app.action import Transaction
from app.casework.cases import reviews_of, set_review, stands, stops_of, wait
from app.casework.models import Case, CaseReview, CaseStop
from app.casework.rules.alarms import TAKE_WITHIN, Alarm
from app.casework.rules.states import DECIDING, CaseState
from app.catalog.rules.classes import TimeClass
from app.errors import Refusal
from app.hall.settings import schedule_in
from app.people.permissions import Permission

SUPPLEMENT = "supplement"  # the ground of a stop that waits for the applicant's papers


def own_review(tx: Transaction, case: Case) -> CaseReview:
    """The open part that the actor may act on: the own department's, or any as an authorised chief representative.

    Refuses auth.foreign_department, case.not_authorised, case.illegal_step (nothing is being decided).
    """
    if CaseState(case.state) not in DECIDING:
        raise Refusal("case.illegal_step", number=case.number, state=case.state)
    return _own(tx, case, _open(tx, case))


def own_stop(tx: Transaction, case: Case) -> CaseReview:
    """The part for which the clock stands still now, if the actor may act on it: nobody ends another's hearing.

    Refuses auth.foreign_department, case.not_authorised.
    """
    whose = {stop.department for stop in stops_of(tx.session, tx.hall, case.id) if stop.until_at is None}
    return _own(tx, case, [part for part in _open(tx, case) if whose & {part.department, None}])


def asking_review(tx: Transaction, case: Case) -> CaseReview:
    """The open part for which papers are asked: the own one; whoever may override asks for the one that asked last.

    Refuses as `own_review` does.
    """
    if tx.actor.department is None and tx.actor.may(Permission.CASE_OVERRIDE):
        for stop in reversed(stops_of(tx.session, tx.hall, case.id)):
            for part in _open(tx, case):
                if times_asked([stop], part.department):
                    return part
    return own_review(tx, case)


def times_asked(stops: Iterable[CaseStop], department: str) -> int:
    """How often a department has asked for papers during its review, by the stops of the case."""
    return sum(stop.ground == SUPPLEMENT and stop.department in (department, None) for stop in stops)


def _open(tx: Transaction, case: Case) -> list[CaseReview]:
    return [review for review in reviews_of(tx.session, tx.hall, case.id) if review.state == "open"]


def own_part(tx: Transaction, case: Case) -> CaseReview:
    """The part that the actor's department had in a decided case. Refuses as `own_review` does."""
    return _own(tx, case, reviews_of(tx.session, tx.hall, case.id))


def _own(tx: Transaction, case: Case, parts: list[CaseReview]) -> CaseReview:
    for review in parts:
        if tx.actor.department == review.department:
            return review
    if tx.actor.department is None and tx.actor.may(Permission.CASE_ANSWER) and parts:
        if not case.guide["chief_may_decide"]:
            raise Refusal("case.not_authorised")
        return parts[0]
    raise Refusal("auth.foreign_department")


def await_taking(tx: Transaction, case: Case) -> None:
    """Part of an action: a part lies open that its department is expected to take up; at once on the spot.

    While the case stands still nobody can: then it is awaited anew when the case goes on.
    """
    untaken = any(part.taken_by is None for part in _open(tx, case))
    if untaken and not TimeClass(case.guide["time_class"]).on_the_spot:
        wait(tx, case, Alarm.STAGE, TAKE_WITHIN)


def close_parts(tx: Transaction, case: Case) -> None:
    """Part of an action: there is nothing left to decide, so no department is expected to any more."""
    for part in _open(tx, case):
        set_review(tx, case, part, state="waiting", took=taken(tx, case))


def taken(tx: Transaction, case: Case) -> int | None:
    """Part of an action: what of the promised limit is used by now, for a part that ends before its case."""
    now = stands(tx.session, case, tx.at, schedule_in(tx))
    return now.promised.used if now else None


def refuse_intake(tx: Transaction, case: Case) -> None:
    """Refuses case.intake_is_approver: who took a case in does not judge it (C5)."""
    if tx.actor.id in (case.received_by, case.accepted_by):
        raise Refusal("case.intake_is_approver")


def proposers(review: CaseReview) -> list[str]:
    """The accounts that have signed before the decision, in their order."""
    return (review.proposed_by or "").split()


def seal_words(review: CaseReview, column: str, words: str) -> str | None:
    """What was written in a part, for its column `note` or `reason`; None for nothing."""
    return privacy.seal(json.dumps(words, ensure_ascii=False), _context(review, column)) if words else None


def open_words(review: CaseReview, column: str) -> str | None:
    """What a sealed column of a part holds; None when it is empty."""
    sealed = getattr(review, f"{column}_sealed")
    return json.loads(privacy.open_sealed(sealed, _context(review, column))) if sealed else None


def _context(review: CaseReview, column: str) -> str:
    return f"case_reviews.{column}|{review.hall}|{review.case_id}|{review.department}"
