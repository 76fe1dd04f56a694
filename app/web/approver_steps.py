"""What an approver may do to one case now, and what each step would do to both clocks before it is confirmed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext
from sqlalchemy import select

from app.casework.cases import clocks_of, reviews_of
from app.casework.models import Case, CaseReview
from app.casework.papers import basis_text
from app.casework.queries import find_case
from app.casework.review import LONGEST_STOP_DAYS
from app.casework.rules.clocks import CaseClocks, Clock, Ground, Stop
from app.casework.rules.states import CaseState, legal_steps
from app.catalog.queries import department_en
from app.db import db
from app.errors import Refusal
from app.events import Actor
from app.hall.queries import hall as hall_of
from app.hall.queries import schedule
from app.hall.rules.calendar import CalendarUnknown
from app.hall.rules.clock import DeadlineTooFar, Reckoning, reckon
from app.hall.rules.hours import Schedule
from app.people.permissions import Permission
from app.web import present

BOTH = frozenset(Clock)


def _case(hall: str, case_id: int) -> Case:
    row = db.session.execute(select(Case).where(Case.hall == hall, Case.id == case_id)).scalar_one_or_none()
    if row is None:
        raise Refusal("case.unknown")
    return row


def panel(view: dict[str, Any], actor: Actor, at: datetime) -> dict[str, Any]:
    """The steps that this actor may take now, why the others are shut, and what each does to the clocks."""
    hall, case_id = find_case(view["number"])
    case = _case(hall, case_id)
    legal = {step.value for step in legal_steps(CaseState(case.state))}
    review, why_not = _standing(case, actor)
    may = legal & {"take", "grant", "refuse", "suspend", "resume", "extend", "return", "forward", "request-supplement"}
    shut: dict[str, str] = {}
    if why_not or not actor.may(Permission.CASE_DECIDE):
        may = set()
    if actor.id in (case.received_by, case.accepted_by) and may:
        why_not = Refusal("case.intake_is_approver").sentence("en" if present.english() else "zh")
        may -= {"take", "grant", "refuse"}
    if case.extended and "extend" in may:
        shut["extend"] = _said("case.extended_once")
    elif case.statutory_due_at is not None and at >= case.statutory_due_at and "extend" in may:
        shut["extend"] = _said("case.too_late")
    if case.supplement_notices and not actor.may(Permission.CASE_OVERRIDE) and "request-supplement" in may:
        shut["request-supplement"] = _said("case.second_notice")
    above = hall_of(hall)["parent"]
    if not above:
        may.discard("forward")
    if review is not None and review.taken_by == actor.name:
        may.discard("take")
    effects = {step: effect(hall, case_id, step, at) for step in may - set(shut)}
    question = bool(
        case.no_request_kind
        and not case.no_request_answer
        and actor.may(Permission.CASE_ANSWER)
        and case.state in (CaseState.RECEIVED, CaseState.CORRECTION)
    )
    return {
        "may": may,
        "shut": shut,
        "why_not": why_not if view["steps"] and not question and case.clock_from_at else "",
        "effects": effects,
        "review": _department(review.department) if review else "",
        "taken_by": review.taken_by if review else None,
        "question": question,
        "grounds": [ground.value for ground in Ground],
        "longest": LONGEST_STOP_DAYS,
        "basis": [basis_text(basis) for basis in case.guide["legal_basis"]],
        "above": hall_of(above) if above else None,
        "back_to": _department(_back_to(case, review)),
        "last": _is_last(case, review),
    }


def refuse_foreign(hall: str, case_id: int, actor: Actor) -> None:
    """Refuses auth.foreign_department, case.not_authorised to whoever has no open part in the case."""
    case = _case(hall, case_id)
    open_ = [review for review in reviews_of(db.session(), hall, case_id) if review.state == "open"]
    if any(review.department == actor.department for review in open_) or not open_:
        return  # without an open part the step itself is refused
    if actor.department is None and actor.may(Permission.CASE_ANSWER):
        if case.guide["chief_may_decide"]:
            return
        raise Refusal("case.not_authorised")
    raise Refusal("auth.foreign_department")


def _standing(case: Case, actor: Actor) -> tuple[CaseReview | None, str]:
    """The open part that is the actor's, and why there is none."""
    open_ = [review for review in reviews_of(db.session(), case.hall, case.id) if review.state == "open"]
    mine = next((review for review in open_ if review.department == actor.department), None)
    if mine is not None or not open_:
        return mine, ""
    if actor.department is None and actor.may(Permission.CASE_ANSWER):
        return (open_[0], "") if case.guide["chief_may_decide"] else (None, _said("case.not_authorised"))
    return None, _said("auth.foreign_department")


def _said(code: str) -> str:
    return Refusal(code).sentence("en" if present.english() else "zh")


def _department(name: str) -> str:
    return department_en(name) if present.english() and name else name


def _back_to(case: Case, review: CaseReview | None) -> str:
    if review is None:
        return ""
    before = [r for r in reviews_of(db.session(), case.hall, case.id) if r.position < review.position]
    return before[-1].department if before and case.guide["routing"] == "in_turn" else review.department


def _is_last(case: Case, review: CaseReview | None) -> bool:
    """Whether this department's word decides the case."""
    waiting = [r for r in reviews_of(db.session(), case.hall, case.id) if r.state in ("waiting", "open")]
    return review is not None and all(r.department == review.department for r in waiting)


# ── what a step would do to the clocks ──────────────────────────────────────────────────────────────────────────


def effect(hall: str, case_id: int, step: str, at: datetime, *, days: int = 0) -> list[dict[str, Any]]:
    """A row a clock: how it stands `before` and would stand `after` the step at `at`; [] before acceptance.

    `days` (natural days) of a special procedure add when the limit would end if it took just so long.
    """
    session = db.session()
    case = _case(hall, case_id)
    clocks = clocks_of(session, case)
    if clocks is None:
        return []
    calendar = schedule(hall, session)
    rows = []
    for clock in Clock:
        before = _stand(clocks, clock, calendar, at)
        after = _stand(_after(clocks, step, at), clock, calendar, at)
        row = {
            "clock": clock.value,
            "before": words(before),
            "after": words(after),
            "moved": (before and before.due_at, before and before.stopped)
            != (after and after.due_at, after and after.stopped),
            "then": "",
        }
        if step in ("grant", "refuse"):
            row["after"] = _kept(before)
        if step == "suspend" and days:
            back = at + timedelta(days=days)
            resumed = replace(clocks, stops=[*clocks.stops, Stop(BOTH, at, back)])
            then = _stand(resumed, clock, calendar, back)
            row["then"] = gettext("若 %(days)s 天后恢复：%(due)s", days=days, due=words(then))
        rows.append(row)
    return rows


def _after(clocks: CaseClocks, step: str, at: datetime) -> CaseClocks:
    if step == "extend":
        return replace(clocks, extended=True)
    if step == "suspend":
        return replace(clocks, stops=[*clocks.stops, Stop(BOTH, at, None)])
    if step == "request-supplement":
        return replace(clocks, stops=[*clocks.stops, Stop(frozenset({Clock.PROMISED}), at, None)])
    if step == "resume":
        stops = [stop if stop.until_at else replace(stop, until_at=max(at, stop.from_at)) for stop in clocks.stops]
        return replace(clocks, stops=stops)
    return clocks


def _stand(clocks: CaseClocks, clock: Clock, calendar: Schedule, at: datetime) -> Reckoning | None:
    try:
        return reckon(clocks.start_at, clocks.limit(clock), clocks.pauses(clock), calendar, at=at)
    except (CalendarUnknown, DeadlineTooFar):
        return None


def words(stand: Reckoning | None) -> str:
    """The due instant, or why there is none."""
    if stand is None:
        return gettext("无法计算")
    if stand.due_at is not None:
        return present.stamp(stand.due_at)
    return _left(stand) if stand.stopped else gettext("日历尚未公布，暂不定日期")


def _left(stand: Reckoning) -> str:
    limit = {"amount": stand.limit.amount, "unit": stand.limit.unit.value}
    return present.remaining({"remaining": stand.remaining, "limit": limit, "stopped": stand.stopped})


def _kept(stand: Reckoning | None) -> str:
    return (
        gettext("办结，停止计时（%(left)s）", left=_left(replace(stand, stopped=False)))
        if stand
        else gettext("办结，停止计时")
    )
