"""What an approver may do to one case now, and what each step would do to both clocks before it is confirmed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext
from sqlalchemy import select

from app.casework.cases import clocks_of, reviews_of, stops_of
from app.casework.models import Case, CaseReview
from app.casework.papers import basis_text, law_of
from app.casework.parts import open_words, proposers, times_asked
from app.casework.queries import find_case
from app.casework.rules.clocks import CaseClocks, Clock, SiteGround, after_step, extension_of, reckoned
from app.casework.rules.states import DECIDING, INTAKE, CaseState, CaseStep, Effect, line_of
from app.casework.special import LONGEST_STOP_DAYS, RANKS
from app.casework.steps import question_open
from app.catalog.queries import department_en
from app.db import db
from app.errors import Refusal
from app.events import Actor
from app.hall.queries import hall as hall_of
from app.hall.queries import schedule
from app.hall.rules.calendar import CalendarUnknown
from app.hall.rules.clock import DeadlineTooFar, Limit, Reckoning
from app.hall.rules.hours import Schedule
from app.people.permissions import Permission
from app.web import times, wording
from app.web.case_history import names_of

T = CaseStep
SIGNED = frozenset({T.TAKE, T.PROPOSE, T.GRANT, T.REFUSE, T.REVOKE})  # not by whoever took the case in (C5)
PROCEDURE = frozenset(
    {T.REQUEST_SUPPLEMENT, T.SUSPEND, T.CHECK_SITE, T.RESUME, T.EXTEND, T.CONVERT, T.RETURN, T.FORWARD, T.CHECK}
)
MOVING = frozenset(
    {T.GRANT, T.REFUSE, T.REQUEST_SUPPLEMENT, T.SUSPEND, T.CHECK_SITE, T.RESUME, T.EXTEND}
)  # whose effect on the due days is known before anything is typed
STOPS = frozenset({T.SUSPEND, T.CHECK_SITE})


def _case(hall: str, case_id: int) -> Case:
    row = db.session.execute(select(Case).where(Case.hall == hall, Case.id == case_id)).scalar_one_or_none()
    if row is None:
        raise Refusal("case.unknown")
    return row


def panel(view: Mapping[str, Any], actor: Actor, at: datetime) -> dict[str, Any]:
    """The steps that this actor may take now, why the others are shut, and what each does to the clocks."""
    hall, case_id = find_case(view["number"])
    case = _case(hall, case_id)
    state, deciding = CaseState(case.state), CaseState(case.state) in DECIDING
    parts = reviews_of(db.session(), hall, case_id)
    mine, why_not = _standing(case, [p for p in parts if p.state == "open"] if deciding else parts, actor)
    if deciding and any(p.department == actor.department and p.decided_at for p in parts):
        why_not = gettext("本部门已经办结，等其他部门办理")
    here = {step for step in map(T, view["steps"]) if step in SIGNED | PROCEDURE and state not in INTAKE}
    if case.extended and line_of(state, T.EXTEND):
        here.add(T.EXTEND)  # to say that it was done once
    may = {step for step in here if _may(state, step, actor)} if mine is not None else set()
    taker = actor.id in (case.received_by, case.accepted_by)
    if taker and may & SIGNED:
        why_not, may = _said("case.intake_is_approver"), may - SIGNED
    may -= _senseless(case, mine, actor)
    shut = {step: words for step, words in _shut(view, case, mine, actor, at).items() if step in may}
    last = _is_last(parts, mine)
    question = _question(case, actor)
    above = hall_of(case.handled_in)["parent"]
    return {
        "may": may,
        "shut": shut,
        "why_not": why_not if here and deciding and not question else "",
        "effects": _effects(case, (may & MOVING) - set(shut) - (set() if last else {T.GRANT}), at),
        "clock": {step: _line_effect(state, step, last) for step in may},
        "review": _department(mine.department) if mine and deciding else "",
        "taken_by": names_of([mine.taken_by]).get(mine.taken_by, mine.taken_by)
        if mine and deciding and mine.taken_by
        else "",
        "signed": _signed(mine) if mine and deciding else None,
        "question": question,
        "grounds": case.guide["rules"]["stop_grounds"],
        "site_grounds": [ground.value for ground in SiteGround],
        "longest": LONGEST_STOP_DAYS,
        "basis": [basis_text(basis) for basis in case.guide["legal_basis"]],
        "extension": case.guide["rules"]["extension"],
        "broken": case.promised_due_at is not None and at >= case.promised_due_at,
        "laws": {rule: law_of(case, rule) or "" for rule in ("extension", "stop_grounds")},
        "supplement": case.guide["rules"]["supplement"],
        "statutory": case.guide["statutory"],
        "above": hall_of(above) if above else None,
        "back_to": _department(_back_to(case, parts, mine)),
        "last": last,
    }


def _may(state: CaseState, step: CaseStep, actor: Actor) -> bool:
    line = line_of(state, step)
    if line is None:
        return False
    if step is T.EXTEND:  # who decides sees it too, and why it is shut
        return actor.may(Permission.CASE_DECIDE)
    return any(actor.may(permission) for permission in line.who)


def _question(case: Case, actor: Actor) -> bool:
    """Whether a window waits for this chief representative's answer."""
    return question_open(case) and case.state in INTAKE and actor.may(Permission.CASE_ANSWER)


def _senseless(case: Case, mine: CaseReview | None, actor: Actor) -> set[CaseStep]:
    """Steps that the table has and the facts of this part rule out."""
    found = set()
    if mine is not None and (mine.taken_by == actor.name or mine.proposed_by):
        found.add(T.TAKE)
    if mine is not None and (mine.signatures + 2 > case.guide["signatures"] or actor.name in proposers(mine)):
        found.add(T.PROPOSE)
    if not case.guide["rules"]["stop_grounds"]:
        found.add(T.SUSPEND)
    if extension_of(case.guide) is None:
        found.add(T.EXTEND)
    if not hall_of(case.handled_in)["parent"]:
        found.add(T.FORWARD)
    if case.outcome != "granted":
        found.add(T.REVOKE)
    return found


def _shut(
    view: Mapping[str, Any], case: Case, mine: CaseReview | None, actor: Actor, at: datetime
) -> dict[CaseStep, str]:
    """Steps that are shown although they cannot be taken, with the reason why."""
    shut = {}
    if mine is not None and actor.name in proposers(mine):
        shut |= dict.fromkeys((T.GRANT, T.REFUSE), _said("case.own_proposal"))
    elif not case.guide["gap_pass"] and any(material["tolerated"] for material in view["materials"]):
        shut |= dict.fromkeys((T.GRANT, T.REFUSE), _said("case.gap_open"))
    rule = case.guide["rules"]["extension"]
    if rule is not None and not actor.may(RANKS[rule["by"]]):
        shut[T.EXTEND] = _said("case.rank")
    if case.extended:
        shut[T.EXTEND] = _said("case.extended_once")
    elif case.statutory_due_at is not None and at >= case.statutory_due_at:
        shut[T.EXTEND] = _said("case.too_late")
    stops = stops_of(db.session(), case.hall, case.id)
    if mine is not None and times_asked(stops, mine.department):  # a supervisor asks again, on the case's own page
        shut[T.REQUEST_SUPPLEMENT] = _said("case.second_notice")
    whose = {stop.department for stop in stops if stop.until_at is None} - {None}
    if whose and actor.department is not None and actor.department not in whose:
        shut[T.RESUME] = _said("auth.foreign_department")
    if case.promised_due_at is not None and at >= case.promised_due_at:
        shut[T.CONVERT] = _said("case.convert_late")
    return shut


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


def _standing(case: Case, parts: list[CaseReview], actor: Actor) -> tuple[CaseReview | None, str]:
    """The part among these that the actor speaks for, and why there is none."""
    mine = next((review for review in parts if review.department == actor.department), None)
    if mine is not None or not parts:
        return mine, ""
    if actor.department is None and actor.may(Permission.CASE_ANSWER):
        return (parts[0], "") if case.guide["chief_may_decide"] else (None, _said("case.not_authorised"))
    return None, _said("auth.foreign_department")


def _signed(review: CaseReview) -> dict[str, Any] | None:
    """The signatures before the decision, or why the part came back; None for neither."""
    note = open_words(review, "note")
    if not review.proposed_by and not note:
        return None
    accounts = proposers(review)
    names = names_of(accounts)
    by = gettext("、").join(names.get(account, account) for account in accounts)
    return {"by": by, "outcome": review.proposal, "note": note}


def _said(code: str) -> str:
    return wording.told(Refusal(code))


def _department(name: str) -> str:
    return department_en(name) if wording.english() and name else name


def _back_to(case: Case, parts: list[CaseReview], review: CaseReview | None) -> str:
    if review is None:
        return ""
    before = [part for part in parts if part.position < review.position]
    return before[-1].department if before and case.guide["routing"] == "in_turn" else review.department


def _is_last(parts: list[CaseReview], review: CaseReview | None) -> bool:
    """Whether this department's word decides the case."""
    waiting = [part for part in parts if part.state in ("waiting", "open")]
    return review is not None and all(part.department == review.department for part in waiting)


# ── what a step would do to the clocks ──────────────────────────────────────────────────────────────────────────


def _line_effect(state: CaseState, step: CaseStep, last: bool) -> str:
    """What the table says that the step does to the clocks."""
    line = line_of(state, T.REVIEW if step is T.GRANT and not last else step)
    return (line.effect if line else Effect.NONE).value


def effect(
    hall: str, case_id: int, step: CaseStep, at: datetime, *, days: int = 0, promised: Limit | None = None
) -> list[dict[str, Any]]:
    """A row a clock: how it stands `before` and would stand `after` the step at `at`; [] before acceptance.

    `days` (natural days) of a stop add when the limit would end if it took just so long; `promised` is the limit that
    an instant case would get.
    """
    case = _case(hall, case_id)
    clocks = clocks_of(db.session(), case)
    if clocks is None or case.decided_at is not None:
        return []
    return _effect(case, clocks, schedule(hall, db.session()), step, at, days, promised)


def _effects(case: Case, steps: Collection[CaseStep], at: datetime) -> dict[CaseStep, list[dict[str, Any]]]:
    session = db.session()
    clocks = clocks_of(session, case)
    if clocks is None or case.decided_at is not None:
        return {}
    calendar = schedule(case.hall, session)
    return {step: _effect(case, clocks, calendar, step, at, 0, None) for step in steps}


def _effect(
    case: Case,
    clocks: CaseClocks,
    calendar: Schedule,
    step: CaseStep,
    at: datetime,
    days: int,
    promised: Limit | None,
) -> list[dict[str, Any]]:
    later = after_step(clocks, step, at, calendar, extension_of(case.guide))
    if step is T.CONVERT and promised is not None:
        later = replace(later, promised=promised, promise_at=None)
    rows = []
    for clock in Clock:
        before, after = _stand(clocks, clock, calendar, at), _stand(later, clock, calendar, at)
        row = {"clock": clock.value, "before": words(before), "after": words(after), "then": ""}
        if step in (T.GRANT, T.REFUSE):
            row["after"] = _kept(before)
        if step in STOPS and days:
            back = at + timedelta(days=days)
            then = _stand(after_step(later, T.RESUME, back, calendar, None), clock, calendar, back)
            row["then"] = gettext("若 %(span)s后恢复：%(due)s", span=times.span(days, "ND"), due=words(then))
        rows.append(row)
    return rows


def _stand(clocks: CaseClocks, clock: Clock, calendar: Schedule, at: datetime) -> Reckoning | None:
    try:
        return reckoned(clocks, clock, calendar, at)
    except (CalendarUnknown, DeadlineTooFar):
        return None


def words(stand: Reckoning | None) -> str:
    """The due instant, or why there is none."""
    if stand is None:
        return gettext("无法计算")
    if stand.due_at is not None:
        return times.stamp(stand.due_at)
    return _left(stand) if stand.stopped else gettext("日历尚未公布，暂不定日期")


def _left(stand: Reckoning) -> str:
    limit = {"amount": stand.limit.amount, "unit": stand.limit.unit.value}
    return times.remaining({"remaining": stand.remaining, "limit": limit, "stopped": stand.stopped})


def _kept(stand: Reckoning | None) -> str:
    return (
        gettext("办结，停止计时（%(left)s）", left=_left(replace(stand, stopped=False)))
        if stand
        else gettext("办结，停止计时")
    )
