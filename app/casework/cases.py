"""The parts that every action on a case shares: finding it, asking the table, moving its clocks, writing it back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import case as when
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.orm import Session

from app import privacy
from app.action import Transaction
from app.casework.models import Case, CaseAlarm, CaseMaterial, CaseReview, CaseStop, read_guides
from app.casework.rules.alarms import TOLD, Alarm, rings_at
from app.casework.rules.clocks import CaseClocks, Clock, Extension, Standing, Stop, deferred, read_limit, standing
from app.casework.rules.ladder import Level
from app.casework.rules.materials import Paper, missing
from app.casework.rules.states import TAB_OF, CaseState, CaseStep, line_of, next_state
from app.casework.signals import forget_signals
from app.catalog.rules.classes import TimeClass
from app.db import canonical
from app.errors import Refusal
from app.events import SYSTEM
from app.hall.queries import schedule, schedule_named
from app.hall.rules.clock import Limit
from app.hall.rules.hours import Schedule
from app.hall.settings import schedule_in

_KEEP_GUIDE = text("INSERT INTO kept_guides (digest, guide) VALUES (:digest, :guide) ON CONFLICT (digest) DO NOTHING")
_NEXT_SERIAL = text(
    "INSERT INTO case_serials (hall, kind, day, serial) VALUES (:hall, :kind, :day, 1) "
    "ON CONFLICT (hall, kind, day) DO UPDATE SET serial = case_serials.serial + 1 RETURNING serial"
)


def next_serial(tx: Transaction, kind: str) -> int:
    """The next serial of a kind of number today, in this hall, without gaps."""
    return tx.execute(_NEXT_SERIAL, {"hall": tx.hall, "kind": kind, "day": tx.day.isoformat()}).scalar_one()


def load(tx: Transaction, case_id: int) -> Case:
    """The case for the action to read; writes go through `change`. Refuses case.unknown."""
    row = tx.execute(select(Case).where(Case.hall == tx.hall, Case.id == case_id)).scalar_one_or_none()
    if row is None:
        raise Refusal("case.unknown")
    return row


def load_each(tx: Transaction, ids: Iterable[int]) -> dict[int, Case]:
    """Those of these cases that there are, by their ids, with their guides, in two statements."""
    wanted = set(ids)
    if not wanted:
        return {}
    found = tx.execute(select(Case).where(Case.hall == tx.hall, Case.id.in_(wanted))).scalars().all()
    read_guides(tx.session, {case.guide_digest for case in found})
    return {case.id: case for case in found}


def checked(tx: Transaction, case_id: int, step: CaseStep) -> tuple[Case, CaseState]:
    """The case and the state that the step leads to. Refuses case.unknown, case.illegal_step, auth.forbidden."""
    case = load(tx, case_id)
    return case, permitted(tx, case, step)


def permitted(tx: Transaction, case: Case, step: CaseStep) -> CaseState:
    """The state after the step, if the table lets this actor take it.

    Refuses auth.foreign_hall, case.illegal_step, auth.forbidden.
    """
    if tx.actor.hall not in (None, case.hall, case.forwarded_to):  # only the hall to which the papers went up
        raise Refusal("auth.foreign_hall")
    line = line_of(CaseState(case.state), step)
    if line is None:
        raise Refusal("case.illegal_step", number=case.number, state=case.state)
    if not any(tx.actor.may(permission) for permission in line.who) and tx.actor != SYSTEM:
        raise Refusal("auth.forbidden")
    return line.to


def to_state(case: Case, step: CaseStep) -> CaseState:
    """The state that follows by itself from what was done. Refuses case.illegal_step."""
    state = next_state(CaseState(case.state), step)
    if state is None:
        raise Refusal("case.illegal_step", number=case.number, state=case.state)
    return state


_FILED = frozenset({"state", "light", "promised_due_at", "statutory_due_at", "forwarded_to"})
NO_DUE = datetime(9999, 1, 1, tzinfo=UTC)  # inboxes put what has no due instant last


def change(tx: Transaction, case: Case, **values: Any) -> None:
    """Write columns of the case; the loaded object follows, and so does its place in the inboxes."""
    for name, value in values.items():
        setattr(case, name, value)
    if not _FILED.isdisjoint(values):
        file_case(tx, case)
    tx.session.flush()
    if "state" in values and case.joint_id:
        tx.do_later(("joint", case.joint_id), lambda: _tell_whole(tx, case.joint_id))


def _tell_whole(tx: Transaction, joint_id: int) -> None:
    """A part of a one-thing case has moved: the whole follows when the action has done its own work."""
    from app.casework.joint_parts import follow  # the whole stands above its parts, which know it only here

    follow(tx, joint_id)


def file_case(tx: Transaction, case: Case) -> None:
    """Part of an action: put the case and its departments' parts where the inboxes look for them."""
    file_cases(tx, [case])


_LATER = when((Case.tab.in_(("pickup", "done")), "done"), else_="later")
_FILE_PARTS = (
    update(CaseReview.__table__)
    .where(CaseReview.hall == Case.hall, CaseReview.case_id == Case.id)
    .values(
        tab=when((CaseReview.state == "open", Case.tab), (CaseReview.state == "waiting", _LATER), else_="done"),
        order_at=Case.order_at,
        light=Case.light,
        forwarded_to=Case.forwarded_to,
    )
)


def file_cases(tx: Transaction, cases: Sequence[Case]) -> None:
    """The same of many cases of the hall, with one statement for all their parts."""
    for case in cases:
        case.tab = TAB_OF[CaseState(case.state)]
        case.order_at = min(filter(None, (case.promised_due_at, case.statutory_due_at)), default=NO_DUE)
    tx.session.flush()
    if cases:
        these = (Case.hall == tx.hall, Case.id.in_([case.id for case in cases]))
        tx.execute(_FILE_PARTS.where(*these))


def add_review(tx: Transaction, case: Case, department: str, position: int, state: str) -> None:
    """Part of an action: give a department its part in deciding the case."""
    row = {"hall": tx.hall, "case_id": case.id, "department": department, "position": position, "state": state}
    tx.execute(insert(CaseReview), {**row, "tab": "later", "order_at": case.order_at, "light": case.light})
    file_case(tx, case)


def set_review(tx: Transaction, case: Case, review: CaseReview, **values: Any) -> None:
    """Part of an action: write columns of a department's part; its place in the inbox follows."""
    for name, value in values.items():
        setattr(review, name, value)
    tx.session.flush()
    file_case(tx, case)


def keep_guide(tx: Transaction, guide: Mapping[str, Any]) -> str:
    """Part of an action: the digest under which the guide is kept for the cases that follow it."""
    text_ = canonical(guide)
    digest = hashlib.sha256(text_.encode()).hexdigest()[:32]
    tx.execute(_KEEP_GUIDE, {"digest": digest, "guide": text_})
    return digest


def said(case: Case) -> dict[str, Any]:
    """The two fields that every case event has."""
    return {"case": case.id, "number": case.number}


def seal_field(case_hall: str, case_id: int, column: str, value: Any) -> str:
    return privacy.seal(json.dumps(value, ensure_ascii=False), f"cases.{column}|{case_hall}|{case_id}")


def open_field(case: Any, column: str) -> Any:
    """What a sealed column of a case holds; None when it is empty."""
    sealed = getattr(case, f"{column}_sealed")
    return None if sealed is None else json.loads(privacy.open_sealed(sealed, f"cases.{column}|{case.hall}|{case.id}"))


def papers_of(guide: Mapping[str, Any]) -> list[Paper]:
    """The materials of a frozen guide as the rules see them."""
    return [Paper(m["code"], m["name"], m["kind"] == "main", m["required"], m["sharable"]) for m in guide["materials"]]


def material_states(session: Session, hall: str, case_id: int) -> dict[str, Any]:
    """code → row of every material of the case."""
    query = select(CaseMaterial).where(CaseMaterial.hall == hall, CaseMaterial.case_id == case_id)
    return {row.code: row for row in session.execute(query).scalars()}


def lacking_papers(tx: Transaction, case: Case) -> list[Paper]:
    """The required papers that are still missing, a tolerated gap included."""
    states = {code: row.state for code, row in material_states(tx.session, tx.hall, case.id).items()}
    return missing(papers_of(case.guide), states)


def reviews_of(session: Session, hall: str, case_id: int) -> list[CaseReview]:
    """The departments' parts in their order."""
    query = select(CaseReview).where(CaseReview.hall == hall, CaseReview.case_id == case_id)
    return list(session.execute(query.order_by(CaseReview.position, CaseReview.department)).scalars())


def stops_of(session: Session, hall: str, case_id: int) -> list[CaseStop]:
    query = select(CaseStop).where(CaseStop.hall == hall, CaseStop.case_id == case_id).order_by(CaseStop.id)
    return list(session.execute(query).scalars())


def clocks_of(session: Session, case: Case) -> CaseClocks | None:
    """What the case's clocks are computed from; None before acceptance."""
    return clocks_from(case, stops_of(session, case.hall, case.id)) if case.clock_from_at else None


def clocks_from(case: Case, stops: Iterable[CaseStop]) -> CaseClocks | None:
    """The same of a case whose stops were read already."""
    if case.clock_from_at is None:
        return None
    both = frozenset(Clock)
    return CaseClocks(
        promised=read_limit(case.converted or case.guide["promised"]),
        statutory=read_limit(case.guide["statutory"]),
        start_at=case.clock_from_at,
        stops=[
            Stop(both if stop.clocks == "both" else frozenset({Clock.PROMISED}), stop.from_at, stop.until_at)
            for stop in stops
        ],
        extension=Extension.read(case.extension) if case.extension else None,
        promise_at=case.promise_at,
        promise_by=schedule_named(case.hall, case.promise_version)
        if case.promise_at and case.promise_version
        else None,
        next_day=deferred(case.guide["rules"]),
    )


def calendar_of(session: Session, case: Case) -> Schedule:
    """The schedule that the case's clocks follow: today's, or once they stand for good the one that they ended by (K6)."""
    if ended_at(case) is None:
        return schedule(case.hall, session)
    return schedule_named(case.hall, case.schedule_version, session)


def stands(session: Session, case: Case, at: datetime, calendar: Schedule | None = None) -> Standing | None:
    """Both clocks and the light at `at`, or at the decision if that was earlier; None before acceptance."""
    clocks = clocks_of(session, case)
    if clocks is None:
        return None
    ended = ended_at(case)
    done = ended is not None and ended <= at
    return standing(clocks, calendar or calendar_of(session, case), ended if ended and done else at, done=done)


def ended_at(case: Case) -> datetime | None:
    """When both clocks stand for good: at the decision, but of what is finished on the spot when the result is there.

    A promise of hours is measured to the applicant's hand, or to the shelf or the courier where nobody waits (K5).
    """
    if not TimeClass(case.guide["time_class"]).on_the_spot or case.converted or case.outcome != "granted":
        return case.decided_at
    return case.ready_at or case.dispatched_at or case.delivered_at or case.revoked_at


def start_stop(tx: Transaction, case: Case, department: str, clocks: str, ground: str, days: int) -> None:
    """Part of an action: stop the clocks from now on; whoever heard that an earlier wait overran hears of this one too."""
    forget_signals(tx, case, Level.OVERRUN)
    row = {"hall": tx.hall, "id": tx.new_id(), "case_id": case.id, "clocks": clocks, "ground": ground, "days": days}
    tx.execute(insert(CaseStop), {**row, "department": department, "from_at": tx.at, "until_at": None})


def end_stop(tx: Transaction, case: Case) -> str:
    """Part of an action: let the stopped clocks run again; returns which ones stood still ("" when none did)."""
    open_stop = (CaseStop.hall == tx.hall, CaseStop.case_id == case.id, CaseStop.until_at.is_(None))
    stopped = tx.execute(select(CaseStop.clocks).where(*open_stop)).scalar_one_or_none()
    if stopped:
        tx.execute(update(CaseStop).where(*open_stop).values(until_at=tx.at))
        tx.session.expire_all()
    return stopped or ""


def set_alarm(tx: Transaction, case: Case, kind: Alarm, due_at: datetime | None) -> None:
    """Part of an action: what happens to the case by itself at `due_at`; None takes the alarm away."""
    tx.execute(delete(CaseAlarm).where(*_alarms(tx, case), CaseAlarm.kind == kind))
    if due_at is not None:
        tx.execute(insert(CaseAlarm), {"hall": tx.hall, "case_id": case.id, "kind": kind, "due_at": due_at})


def wait(
    tx: Transaction,
    case: Case,
    kind: Alarm,
    limit: Limit,
    start: datetime | None = None,
    *,
    next_day: bool = False,
) -> datetime | None:
    """Part of an action: set an alarm `limit` after `start` (now), by the hall's calendar; when it rings, if known.

    A new calendar moves it, unless the applicant was told the day: what is printed stands. `next_day`: a start outside
    opening hours counts from the next working day (K4).
    """
    calendar, start = schedule_in(tx), start or tx.at
    within = {"amount": limit.amount, "unit": limit.unit.value, "next_day": next_day}
    due_at = rings_at(start, within, calendar)
    told = kind in TOLD and due_at is not None
    tx.execute(delete(CaseAlarm).where(*_alarms(tx, case), CaseAlarm.kind == kind))
    row = {"hall": tx.hall, "case_id": case.id, "kind": kind, "due_at": due_at, "from_at": start}
    tx.execute(insert(CaseAlarm), {**row, "within": within, "schedule_version": None if told else calendar.version})
    return due_at


def clear_alarms(tx: Transaction, case: Case, keep: Collection[Alarm] = ()) -> None:
    """Part of an action: nothing happens to the case by itself any more, but for what is kept.

    An urging is to be answered whatever becomes of its case.
    """
    tx.execute(delete(CaseAlarm).where(*_alarms(tx, case), CaseAlarm.kind.not_in((Alarm.URGE, *keep))))


def _alarms(tx: Transaction, case: Case) -> tuple[Any, ...]:
    return CaseAlarm.hall == tx.hall, CaseAlarm.case_id == case.id
