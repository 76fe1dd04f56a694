"""The figures of a report: which cases of a period each counts, and what of a case is a department's own.

A case counts once in the totals and by hall, clerk and item. By department it counts under each that has to decide in
it, so that those rows may add up to more. What it came to there is the department's own: its own decision, its own
stops and second notice, late and how long by its own decision against the case's limits from their start. A department
before whose decision another's refusal ended the case stands with the case; whose turn had not come did not decide.
Whoever decides last stands with the case too, for what is done on the spot is measured until the result is there (K5).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, not_, or_, select, true
from sqlalchemy import case as when

from app.casework.models import ENTERED, Case, CaseReview, CaseStop
from app.casework.parts import SUPPLEMENT
from app.casework.rules.states import CaseState
from app.casework.rules.tally import Span
from app.casework.watch import LATE
from app.hall.queries import halls
from app.hall.rules.lights import Light
from app.now import SHANGHAI

INSTANT = frozenset({"instant", "half_day", "one_day"})  # time classes that are promised to be finished on the spot
Part = type[CaseReview] | None  # one department's part, joined to its case; None: the case as a whole


@dataclass(frozen=True, slots=True)
class Figure:
    """One number: which instant puts a case into the period, and which of those cases, or parts of cases, count.

    `instant`: only items that are finished on the spot.
    """

    of: str  # received or decided
    counts: Callable[[Part], ColumnElement[bool]]
    instant: bool = False


_WITHDRAWN = (CaseState.WITHDRAWN, CaseState.DEEMED_WITHDRAWN)
_REFUSED_ENTRY = (CaseState.NOT_ACCEPTED, CaseState.NOT_REQUIRED)


def _always(_: Part) -> ColumnElement[bool]:
    return true()


def late(part: Part) -> ColumnElement[bool]:
    """Past the promise, or past the law while the promise stood still."""
    return _past(part, LATE, Case.promised_due_at, Case.statutory_due_at)


def _late_by_law(part: Part) -> ColumnElement[bool]:
    return _past(part, (Light.red,), Case.statutory_due_at)


def _past(part: Part, cards: Sequence[str], *due_at: Any) -> ColumnElement[bool]:
    """Past a limit: the light with which the clocks came to stand, or what it is while a result is on its way (K5).

    Of a part that was decided before the case, its own instant; what is decided at the due instant is in time.
    """
    shown = Case.light.in_(cards)
    if part is None:
        return shown
    before = part.decided_at < Case.decided_at
    missed = or_(*(part.decided_at > each for each in due_at))
    return when((and_(before, missed), true()), (before, false()), else_=shown)


def _silent(part: Part) -> ColumnElement[bool]:
    """Not explained: what was said of the promise says nothing of the law."""
    told_at = Case.overdue_told_at
    return or_(told_at.is_(None), and_(_late_by_law(part), told_at < Case.statutory_due_at))


def _granted(part: Part) -> ColumnElement[bool]:
    return Case.outcome == "granted" if part is None else part.state == "granted"


def _told_again(part: Part) -> ColumnElement[bool]:
    """A second notice by the window, or by one department during its review."""
    again = Case.review_notices > 1
    if part is not None:
        own = (CaseStop.hall == Case.hall, CaseStop.case_id == Case.id, CaseStop.ground == SUPPLEMENT)
        asked = select(func.count()).select_from(CaseStop).where(*own, whose(part.department))
        again = and_(again, asked.scalar_subquery() > 1)
    return or_(Case.supplement_notices > 1, again)


def whose(department: Any) -> ColumnElement[bool]:
    """A stop of the department; stops of old do not say whose they were."""
    return or_(CaseStop.department == department, CaseStop.department.is_(None))


FIGURES: dict[str, Figure] = {
    "received": Figure("received", _always),
    "not_accepted": Figure("received", lambda _: Case.state.in_(_REFUSED_ENTRY)),
    "withdrawn": Figure("received", lambda _: Case.state.in_(_WITHDRAWN)),
    "deemed": Figure("received", lambda _: Case.deemed_accepted),
    "tolerant": Figure("received", lambda _: Case.tolerant),
    "second_notice": Figure("received", _told_again),
    "instant": Figure("received", _always, instant=True),
    "converted": Figure("received", lambda _: Case.converted.is_not(None), instant=True),
    "decided": Figure("decided", _always),
    "granted": Figure("decided", _granted),
    "refused": Figure("decided", lambda part: not_(_granted(part))),
    "in_time": Figure("decided", lambda part: not_(late(part))),
    "late": Figure("decided", late),
    "late_statutory": Figure("decided", _late_by_law),
    "late_unexplained": Figure("decided", lambda part: and_(late(part), _silent(part))),
    "extended": Figure("decided", lambda _: Case.extended),
}


# cases whose clocks were stopped in the period, by which clocks stood
STOPS = {"special": "both", "promised_stops": "promised"}


def joined(query: Select[Any], part: Part, *which: ColumnElement[bool]) -> Select[Any]:
    """Each case with its departments' parts; none where it was not accepted."""
    if part is None:
        return query
    return query.outerjoin(part, and_(part.hall == Case.hall, part.case_id == Case.id, *which))


def cohort(of: str, hall: str | None, span: Span, part: Part = None) -> list[ColumnElement[bool]]:
    """Cases received or decided in the period, or the parts that ended with or before that decision.

    What was void before anything was done with it was never received.
    """
    if of == "received":
        return [*between(Case.hall, Case.received_at, hall, span), ENTERED]
    had = [] if part is None else [or_(part.decided_at.is_not(None), part.took.is_not(None))]
    return [*between(Case.hall, Case.decided_at, hall, span), Case.outcome.in_(("granted", "refused")), *had]


def between(of: Any, column: Any, hall: str | None, span: Span) -> list[ColumnElement[bool]]:
    """What an index on hall and instant holds of the period; of all halls, when none is named."""
    begin, end = span.instants(SHANGHAI)
    codes = [hall] if hall else [row["code"] for row in halls()]
    return [of.in_(codes), column >= begin, column < end]
