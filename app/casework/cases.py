"""The parts that every action on a case shares: finding it, asking the table, moving its clocks, writing it back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, text, update
from sqlalchemy.orm import Session

from app import privacy
from app.action import Transaction
from app.casework.models import Case, CaseMaterial, CaseReview, CaseStop
from app.casework.rules.clocks import CaseClocks, Clock, Standing, Stop, read_limit, standing
from app.casework.rules.materials import Paper, missing
from app.casework.rules.states import DECIDING, CaseState, CaseStep, next_state
from app.errors import Refusal
from app.events import ClocksMoved, LightChanged
from app.hall.queries import schedule
from app.hall.rules.hours import Schedule
from app.now import iso

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


def checked(tx: Transaction, case_id: int, step: CaseStep) -> tuple[Case, CaseState]:
    """The case and the state that the step leads to. Refuses case.unknown, case.illegal_step."""
    case = load(tx, case_id)
    return case, to_state(case, step)


def to_state(case: Case, step: CaseStep) -> CaseState:
    """The state after the step. Refuses case.illegal_step."""
    state = next_state(CaseState(case.state), step)
    if state is None:
        raise Refusal("case.illegal_step", number=case.number, state=case.state)
    return state


def change(tx: Transaction, case: Case, **values: Any) -> None:
    """Write columns of the case; the loaded object follows."""
    for name, value in values.items():
        setattr(case, name, value)
    tx.session.flush()


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
    if case.clock_from_at is None:
        return None
    both = frozenset(Clock)
    stops = [
        Stop(both if stop.clocks == "both" else frozenset({Clock.PROMISED}), stop.from_at, stop.until_at)
        for stop in stops_of(session, case.hall, case.id)
    ]
    promised, statutory = read_limit(case.guide["promised"]), read_limit(case.guide["statutory"])
    return CaseClocks(promised, statutory, case.clock_from_at, stops, case.extended)


def stands(session: Session, case: Case, at: datetime, calendar: Schedule | None = None) -> Standing | None:
    """Both clocks and the light at `at`, or at the decision if that was earlier; None before acceptance."""
    clocks = clocks_of(session, case)
    if clocks is None:
        return None
    moment = min(at, case.decided_at) if case.decided_at else at
    return standing(clocks, calendar or schedule(case.hall, session), moment)


def schedule_version(calendar: Schedule) -> str:
    """Names what a deadline was computed with: the calendar's version and the hall's own hours and exceptions (K6)."""
    own = repr((calendar.hours, calendar.closures, calendar.sessions)).encode()
    return f"{calendar.calendar.version}|{hashlib.sha256(own).hexdigest()[:12]}"


def move_clocks(tx: Transaction, case: Case, cause: str) -> None:
    """Part of an action: recompute both clocks and the light after a step, and say so when a due instant moved.

    Only a case that is still being decided has a next change of light; a decided one keeps the light it had.
    """
    calendar = schedule(tx.hall, tx.session)
    now = stands(tx.session, case, tx.at, calendar)
    if now is None:
        return
    open_ = CaseState(case.state) in DECIDING
    before = (case.promised_due_at, case.statutory_due_at, case.provisional)
    after = (now.promised.due_at, now.statutory.due_at, now.provisional)
    light = case.light
    change(
        tx,
        case,
        promised_due_at=after[0],
        statutory_due_at=after[1],
        provisional=after[2],
        light=now.light.value,
        next_light_at=now.next_light_at if open_ else None,
        schedule_version=schedule_version(calendar),
    )
    if before != after:
        due = {"promised_due_at": iso(after[0]), "statutory_due_at": iso(after[1]), "provisional": after[2]}
        tx.record(ClocksMoved(**said(case), **due, cause=cause))
    if light != now.light.value:
        tell_light(tx, case)


def tell_light(tx: Transaction, case: Case) -> None:
    """Record the case's new light with the department that answers for it now."""
    open_ = [review.department for review in reviews_of(tx.session, tx.hall, case.id) if review.state == "open"]
    department = open_[0] if open_ else case.guide["department"]
    tx.record(LightChanged(**said(case), light=case.light, department=department))


def start_stop(tx: Transaction, case: Case, clocks: str, ground: str, days: int) -> None:
    """Part of an action: stop the clocks from now on."""
    row = {"hall": tx.hall, "id": tx.new_id(), "case_id": case.id, "clocks": clocks, "ground": ground, "days": days}
    tx.execute(insert(CaseStop), {**row, "from_at": tx.at, "until_at": None})


def end_stop(tx: Transaction, case: Case) -> str:
    """Part of an action: let the stopped clocks run again; returns which ones stood still ("" when none did)."""
    open_stop = (CaseStop.hall == tx.hall, CaseStop.case_id == case.id, CaseStop.until_at.is_(None))
    stopped = tx.execute(select(CaseStop.clocks).where(*open_stop)).scalar_one_or_none()
    if stopped:
        tx.execute(update(CaseStop).where(*open_stop).values(until_at=tx.at))
        tx.session.expire_all()
    return stopped or ""
