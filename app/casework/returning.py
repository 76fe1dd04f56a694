"""Who brings a supplement 补正返回: the case that waits for it, by its own receipt or by that of the whole one-thing case."""

from __future__ import annotations

from collections.abc import Callable

from app.casework.joint_models import JointCase
from app.casework.joint_parts import cases_of
from app.casework.joint_queries import find_joint, find_joint_by_query, find_joint_by_token
from app.casework.models import Case
from app.casework.pledges import may_follow
from app.casework.queries import find_by_query, find_by_query_token, find_case
from app.casework.rules.states import CaseState
from app.db import db
from app.errors import Refusal

SUPPLEMENT_DUE = frozenset({CaseState.CORRECTION, CaseState.REVIEW_CORRECTION})

_Found = tuple[str, int]


def by_number(hall: str, number: str) -> tuple[str, str]:
    """The number and the item of the case of this hall that waits, for staff, who have seen the papers.

    Like the others it takes the first part that waits of a one-thing case. Refuses case.unknown, auth.foreign_hall,
    case.no_supplement_due.
    """
    return _waiting(hall, lambda: find_case(number), lambda: find_joint(number))


def by_query(hall: str, number: str, code: str) -> tuple[str, str]:
    """The same for whoever knows the number and the query code of a receipt. Refuses case.query_mismatch too."""
    return _waiting(hall, lambda: find_by_query(number, code), lambda: find_joint_by_query(number, code))


def by_token(hall: str, token: str) -> tuple[str, str]:
    """The same for the link in a receipt's QR code."""
    return _waiting(hall, lambda: find_by_query_token(token), lambda: find_joint_by_token(token))


def _waiting(hall: str, of_one: Callable[[], _Found], of_whole: Callable[[], _Found]) -> tuple[str, str]:
    try:
        of_hall, row_id = of_one()
        kind: type[Case] | type[JointCase] = Case
    except Refusal as unknown:
        try:
            of_hall, row_id = of_whole()
            kind = JointCase
        except Refusal:
            raise unknown from None
    if of_hall != hall:
        raise Refusal("auth.foreign_hall")
    row = db.session.get_one(kind, (of_hall, row_id))
    cases = cases_of(db.session(), row) if isinstance(row, JointCase) else [row]
    due = next((case for case in cases if case.state in SUPPLEMENT_DUE or may_follow(db.session(), case)), None)
    if due is None:
        raise Refusal("case.no_supplement_due", number=row.number)
    return due.number, due.item
