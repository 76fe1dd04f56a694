"""Actions of supervision 督办: urge and answer, say publicly why a case is late, tell the signals that are due."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import delete, insert, select, update

from app.action import Transaction, action, visiting_action
from app.casework import papers
from app.casework.cases import (
    change,
    checked,
    ended_at,
    load_each,
    reviews_of,
    said,
    seal_field,
    set_alarm,
    stands,
    wait,
)
from app.casework.models import Case, CaseReview, CaseSignal, CaseUrge
from app.casework.pre_review import pre_reviewing
from app.casework.queries import case_answer
from app.casework.rules.alarms import Alarm
from app.casework.rules.ladder import Level, Now, Rung, still_holds, tell_at
from app.casework.rules.states import DECIDING, PICKUP, STOPPED, CaseState, CaseStep
from app.casework.signals import forget_signals, owners_of, signal
from app.casework.urges import open_urge, seal_urge
from app.casework.watch import addressed_to, told_signals
from app.errors import Refusal
from app.events import CaseSignalled, CaseUrged, OverdueExplained, UrgeAnswered
from app.hall.rules.clock import Limit, Unit
from app.hall.rules.lights import Light
from app.hall.settings import schedule_in
from app.now import iso
from app.people.permissions import Permission
from app.words import clean

BATCH = 100  # signals at most in one transaction, so that clerks never wait long for the hall's lock
ANSWER_WITHIN = Limit(1, Unit.WD)


@visiting_action
def urge_case(tx: Transaction, *, case_id: int, note: str) -> dict[str, Any]:
    """Urge the owner of a case 督办; an answer is due by the end of the next working day.

    Refuses case.illegal_step, case.reason_required, case.urge_open. Locks the hall. Tells CaseUrged; the owner gets a
    signal in working hours, and the chief representative one when no answer came.
    """
    case, _ = checked(tx, case_id, CaseStep.URGE)
    note = _written(note, "note")
    if open_urge(tx.session, case) is not None:
        raise Refusal("case.urge_open")
    department, urge_id = owners_of(tx, case)[0], tx.new_id()
    due_at = wait(tx, case, Alarm.URGE, ANSWER_WITHIN)
    row = {"hall": tx.hall, "id": urge_id, "case_id": case.id, "department": department}
    row |= {"urged_by": tx.actor.name, "urged_at": tx.at, "answer_due_at": due_at}
    tx.execute(insert(CaseUrge), {**row, "note_sealed": seal_urge(tx.hall, urge_id, "note", note)})
    forget_signals(tx, case, Level.URGED, Level.UNANSWERED)
    signal(tx, case, Level.URGED)
    tx.record(CaseUrged(**said(case), department=department))
    return case_answer(tx, case)


@visiting_action
def answer_urge(tx: Transaction, *, case_id: int, answer: str) -> dict[str, Any]:
    """Whoever has the case now answers 督办答复: what holds it up, and what is done. A decision is no answer.

    Refuses case.illegal_step, case.urge_none, auth.foreign_department, case.reason_required. Locks the hall. Tells
    UrgeAnswered.
    """
    case, _ = checked(tx, case_id, CaseStep.ANSWER_URGE)
    urge = open_urge(tx.session, case)
    if urge is None:
        raise Refusal("case.urge_none")
    owners = _answering(tx, case)
    _refuse_foreign(tx, owners)
    sealed = seal_urge(tx.hall, urge.id, "answer", _written(answer, "answer"))
    one = (CaseUrge.hall == tx.hall, CaseUrge.id == urge.id)
    values = {"answered_by": tx.actor.name, "answered_at": tx.at, "answer_sealed": sealed}
    tx.execute(update(CaseUrge).where(*one).values(values))
    set_alarm(tx, case, Alarm.URGE, None)
    tx.record(UrgeAnswered(**said(case), department=tx.actor.department or owners[0]))
    return case_answer(tx, case)


@visiting_action
def explain_overdue(tx: Transaction, *, case_id: int, reason: str, estimate_on: str | None = None) -> dict[str, Any]:
    """Say publicly why a case is late 超期说明, and by which day it is expected (优化营商环境条例 §36).

    What was decided late is owed its reason still, but nothing is expected of it any more. What was said when the
    promise had passed says nothing of the statutory limit. `estimate_on` is a day, YYYY-MM-DD, not before today.
    Refuses case.illegal_step, case.not_overdue, auth.foreign_department, case.reason_required, request.invalid. Locks
    the hall. Tells OverdueExplained and issues the paper, which names nobody.
    """
    case, _ = checked(tx, case_id, CaseStep.EXPLAIN_OVERDUE)
    owners = _answering(tx, case)
    _refuse_foreign(tx, owners)
    now = stands(tx.session, case, tx.at)
    if now is None or now.light not in (Light.yellow, Light.red):
        raise Refusal("case.not_overdue")
    reason = _written(reason, "reason")
    ended, expected = ended_at(case), _expected(estimate_on, tx.day)
    if ended and expected:
        raise Refusal("request.invalid", detail="estimate_on")
    clock = "statutory" if now.light is Light.red else "promised"
    told = {"reason": reason, "clock": clock, "estimate_on": expected}
    change(tx, case, overdue_told_at=tx.at, overdue_sealed=seal_field(tx.hall, case.id, "overdue", told))
    tx.record(OverdueExplained(**said(case)))
    since = (now.statutory if clock == "statutory" else now.promised).due_at
    facts = {"reasons": [reason], "clock": clock, "overdue_since": iso(since), "estimate_on": expected}
    papers.issue(tx, case, "overdue", **facts, ended_at=iso(ended), department=tx.actor.department or owners[0])
    return case_answer(tx, case)


@action
def tell_signals(tx: Transaction) -> dict[str, Any]:
    """Tell the signals whose time has come, by the index on it; what is no longer true is told to nobody.

    With the doors shut they wait for the next opening, however late this sweep comes; what was planned with another
    schedule than today's waits until `sweep_calendar` has planned it anew. Locks the hall. Tells CaseSignalled.
    """
    due = (CaseSignal.hall == tx.hall, CaseSignal.tell_at <= tx.at, CaseSignal.told_at.is_(None))
    rows = tx.execute(select(CaseSignal).where(*due).order_by(CaseSignal.tell_at).limit(BATCH)).scalars().all()
    if not rows:
        return {"told": 0, "more": False}
    calendar = schedule_in(tx)
    full, rows = len(rows) == BATCH, [row for row in rows if row.schedule_version in (None, calendar.version)]
    opens_at = tell_at(tx.at, 0, calendar)
    if opens_at > tx.at:
        tx.execute(update(CaseSignal).where(*due).values(tell_at=opens_at))
        return {"told": 0, "more": False}
    cases = load_each(tx, [row.case_id for row in rows])
    now = _now_of_each(tx, rows, cases)
    told = [row for row in rows if still_holds(Level(row.level), now[row.id])]
    dropped = [row.id for row in rows if row not in told]
    tx.execute(delete(CaseSignal).where(CaseSignal.hall == tx.hall, CaseSignal.id.in_(dropped)))
    ids = [row.id for row in told]
    tx.execute(update(CaseSignal).where(CaseSignal.hall == tx.hall, CaseSignal.id.in_(ids)).values(told_at=tx.at))
    for row in told:
        case = cases[row.case_id]
        tx.record(CaseSignalled(**said(case), level=row.level, rung=row.rung, department=row.department))
    return {"told": len(told), "more": full and bool(rows)}


@visiting_action
def see_signals(tx: Transaction, *, signal_ids: Sequence[int] | None = None) -> dict[str, Any]:
    """Mark signals as seen, all of one's own without `signal_ids`; what is another's stays as it is.

    A signal goes to a desk, not to a person: who opens it first has seen it for the desk. Those of a case that came up
    are the upper hall's. Locks the hall.
    """
    mine = addressed_to(tx.actor)
    if mine is None:
        return {"seen": 0}
    new = told_signals(mine, CaseSignal.id).where(CaseSignal.hall == tx.hall, CaseSignal.seen_at.is_(None))
    if signal_ids is not None:
        new = new.where(CaseSignal.id.in_(list(signal_ids)))
    these = (CaseSignal.hall == tx.hall, CaseSignal.id.in_(tx.execute(new).scalars().all()))
    return {"seen": tx.execute(update(CaseSignal).where(*these).values(seen_at=tx.at)).rowcount}


def _now_of_each(tx: Transaction, rows: Iterable[CaseSignal], cases: Mapping[int, Case]) -> dict[int, Now]:
    """How the cases of these signals stand, as far as each asks, in three statements."""
    open_ = (CaseReview.hall == tx.hall, CaseReview.case_id.in_(cases), CaseReview.state == "open")
    parts = select(CaseReview.case_id, CaseReview.department).where(*open_, CaseReview.taken_by.is_(None))
    untaken = {tuple(part) for part in tx.execute(parts)}
    somewhere = {case_id for case_id, _ in untaken}
    waiting = (CaseUrge.hall == tx.hall, CaseUrge.case_id.in_(cases), CaseUrge.answered_at.is_(None))
    urged = set(tx.execute(select(CaseUrge.case_id).where(*waiting)).scalars())
    townships = pre_reviewing(tx.session)
    found = {}
    for row in rows:
        case = cases[row.case_id]
        state = CaseState(case.state)
        own = row.rung == Rung.OWNER  # who is above hears as long as anybody is late
        found[row.id] = Now(
            light=case.light,
            running=state in DECIDING | PICKUP and ended_at(case) is None,
            untaken=(case.id, row.department) in untaken if own else case.id in somewhere,
            below=case.handled_in in townships and state not in STOPPED,
            stopped=state in STOPPED,
            gap=case.gap_due_at is not None,
            unchecked=case.checked_at is None,
            waiting=state in PICKUP or case.under_way,
            urged=case.id in urged,
        )
    return found


def _answering(tx: Transaction, case: Case) -> list[str]:
    """The departments that answer for the case: those whose part is open, of a decided one all that had a part."""
    parts = reviews_of(tx.session, tx.hall, case.id)
    return [part.department for part in parts if part.state == "open"] or [part.department for part in parts]


def _refuse_foreign(tx: Transaction, departments: Iterable[str]) -> None:
    """Only a department that answers for the case speaks for it, or a chief representative for all of them."""
    chief = tx.actor.department is None and tx.actor.may(Permission.CASE_ANSWER)
    if not chief and tx.actor.department not in departments:
        raise Refusal("auth.foreign_department")


def _written(text: str, field: str) -> str:
    if not text.strip():
        raise Refusal("case.reason_required")
    return clean(text, field, limit=500, lines=True)


def _expected(day: str | None, today: date) -> str | None:
    """The expected day as the paper prints it. Refuses request.invalid for what is no day, or past."""
    if not day:
        return None
    try:
        expected = date.fromisoformat(day)
    except ValueError:
        raise Refusal("request.invalid", detail="estimate_on") from None
    if expected < today:
        raise Refusal("request.invalid", detail="estimate_on")
    return expected.isoformat()
