"""Actions of the timer: lights that change by themselves, and cases that a new calendar moves."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from app.action import Transaction, action
from app.casework.cases import move_clocks, schedule_version
from app.casework.models import Case
from app.casework.rules.states import DECIDING, CaseState
from app.db import db
from app.hall.queries import schedule

BATCH = 200  # cases at most in one transaction, so that clerks never wait long for the hall's lock


@action
def sweep_lights(tx: Transaction) -> dict[str, Any]:
    """Change the lights that are due, and only those: found by the index on their next change.

    Locks the hall. Tells LightChanged, and ClocksMoved where a due instant moved.
    """
    due = (
        select(Case).where(Case.hall == tx.hall, Case.next_light_at <= tx.at).order_by(Case.next_light_at).limit(BATCH)
    )
    cases = tx.execute(due).scalars().all()
    for case in cases:
        move_clocks(tx, case, "time")
    return {"changed": len(cases), "more": len(cases) == BATCH}


@action
def sweep_calendar(tx: Transaction) -> dict[str, Any]:
    """Recompute open cases whose deadlines were computed with another calendar or other hours (K6).

    Decided cases never change, and no printed paper does. Locks the hall. Tells ClocksMoved where a due instant moved.
    """
    version = schedule_version(schedule(tx.hall, tx.session))
    stale = select(Case).where(Case.hall == tx.hall, Case.state.in_(sorted(DECIDING)), Case.schedule_version != version)
    cases = tx.execute(stale.limit(BATCH)).scalars().all()
    for case in cases:
        move_clocks(tx, case, "calendar")
    return {"changed": len(cases), "more": len(cases) == BATCH}


def overdue_notices(hall: str, at: Any) -> list[int]:
    """Received cases of which nobody told the applicant in time; each is to be deemed accepted."""
    query = select(Case.id).where(Case.hall == hall, Case.state == CaseState.RECEIVED, Case.notice_due_at <= at)
    return list(db.session.execute(query.order_by(Case.notice_due_at).limit(BATCH)).scalars())
