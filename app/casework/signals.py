"""Part of other actions: plan who is told of a case's light, and when. The timer tells them (oversight.tell_signals)."""

from __future__ import annotations

from sqlalchemy import delete, insert, select

from app.action import Transaction
from app.casework.models import Case, CaseReview, CaseSignal
from app.casework.rules.ladder import LADDER, Level, Rung, tell_at
from app.hall.settings import schedule_in


def signal(tx: Transaction, case: Case, level: Level) -> None:
    """Plan the signals of one level, each rung once and for all; those that were planned before stay as they are.

    The owners are the departments whose part is open (else the item's own); higher rungs hear of the first of them.
    """
    calendar = schedule_in(tx)
    owners = owners_of(tx, case)
    mine = (CaseSignal.hall == tx.hall, CaseSignal.case_id == case.id, CaseSignal.level == level)
    planned = {
        (row.rung, row.department) for row in tx.execute(select(CaseSignal.rung, CaseSignal.department).where(*mine))
    }
    rungs = {rung for rung, _ in planned}
    for telling in LADDER[level]:
        owner = telling.rung is Rung.OWNER
        for department in owners if owner else owners[:1]:
            if (telling.rung, department) in planned or (not owner and telling.rung in rungs):
                continue
            row = {"hall": tx.hall, "id": tx.new_id(), "case_id": case.id, "level": level, "rung": telling.rung}
            when = tell_at(tx.at, telling.after, calendar)
            tx.execute(insert(CaseSignal), {**row, "department": department, "tell_at": when})


def forget_signals(tx: Transaction, case: Case, *levels: Level) -> None:
    """Begin these levels anew: what was told of an earlier occasion is in the record."""
    mine = (CaseSignal.hall == tx.hall, CaseSignal.case_id == case.id, CaseSignal.level.in_(levels))
    tx.execute(delete(CaseSignal).where(*mine))


def owners_of(tx: Transaction, case: Case) -> list[str]:
    """The departments that answer for the case now: those whose part is open, else the item's own."""
    open_ = (CaseReview.hall == tx.hall, CaseReview.case_id == case.id, CaseReview.state == "open")
    order = (CaseReview.position, CaseReview.department)
    departments = tx.execute(select(CaseReview.department).where(*open_).order_by(*order)).scalars().all()
    return list(departments) or [case.guide["department"]]
