"""Part of other actions: plan who is told of a case's light, and when. The timer tells them (oversight.tell_signals)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from sqlalchemy import delete, insert, select

from app.action import Transaction
from app.casework.models import Case, CaseReview, CaseSignal
from app.casework.rules.ladder import LADDER, Level, Rung, tell_at
from app.hall.settings import schedule_in


def signal(tx: Transaction, case: Case, level: Level, owners: Sequence[str] = ()) -> None:
    """Plan the signals of one level, each rung once and for all; those that were planned before stay as they are.

    The owners are the departments that it is about; unless they are named, those whose part is open (else the item's
    own). Higher rungs hear of the first of them.
    """
    signal_each(tx, [(case, level)], {case.id: owners} if owners else owners_of_each(tx, [case]))


def signal_each(tx: Transaction, levels: Sequence[tuple[Case, Level]], owners: Mapping[int, Sequence[str]]) -> None:
    """The same of many cases with two statements for all of them; `owners` of each case by its id."""
    if not levels:
        return
    calendar = schedule_in(tx)
    when = cache(lambda after: tell_at(tx.at, after, calendar))
    these = (
        CaseSignal.case_id.in_({case.id for case, _ in levels}),
        CaseSignal.level.in_({level for _, level in levels}),
    )
    known = select(CaseSignal.case_id, CaseSignal.level, CaseSignal.rung, CaseSignal.department)
    planned = {tuple(row) for row in tx.execute(known.where(CaseSignal.hall == tx.hall, *these))}
    rungs = {row[:3] for row in planned}
    rows = []
    for case, level in levels:
        for telling in LADDER[level]:
            owner, key = telling.rung is Rung.OWNER, (case.id, level, telling.rung)
            for department in owners[case.id] if owner else owners[case.id][:1]:
                if (*key, department) in planned or (not owner and key in rungs):
                    continue
                row = {"hall": tx.hall, "id": tx.new_id(), "case_id": case.id, "level": level, "rung": telling.rung}
                planned_with = {"from_at": tx.at, "schedule_version": calendar.version}
                rows.append({**row, "department": department, "tell_at": when(telling.after), **planned_with})
    if rows:
        tx.execute(insert(CaseSignal), rows)


def forget_signals(tx: Transaction, case: Case, *levels: Level) -> None:
    """Begin these levels anew: what was told of an earlier occasion is in the record."""
    mine = (CaseSignal.hall == tx.hall, CaseSignal.case_id == case.id, CaseSignal.level.in_(levels))
    tx.execute(delete(CaseSignal).where(*mine))


def owners_of(tx: Transaction, case: Case) -> list[str]:
    """The departments that answer for the case now: those whose part is open, else the item's own."""
    return owners_of_each(tx, [case])[case.id]


def owners_of_each(tx: Transaction, cases: Sequence[Case]) -> dict[int, list[str]]:
    """The same of many cases with one statement, by case id."""
    if not cases:
        return {}
    found: dict[int, list[str]] = {case.id: [] for case in cases}
    open_ = (CaseReview.hall == tx.hall, CaseReview.case_id.in_(found), CaseReview.state == "open")
    parts = select(CaseReview.case_id, CaseReview.department).where(*open_)
    for case_id, department in tx.execute(parts.order_by(CaseReview.position, CaseReview.department)):
        found[case_id].append(department)
    return {case.id: found[case.id] or [case.guide["department"]] for case in cases}
