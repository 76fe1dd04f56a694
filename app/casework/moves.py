"""Part of other actions: the clocks of cases computed anew after a step, by the hall's schedule of today, and told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.action import Transaction
from app.casework.cases import clocks_from, ended_at, file_cases, said
from app.casework.models import Case, CaseStop, read_guides
from app.casework.rules.clocks import standing
from app.casework.rules.ladder import Level
from app.casework.signals import owners_of_each, signal_each
from app.events import ClocksMoved, LightChanged
from app.hall.rules.hours import Schedule
from app.hall.settings import keep_schedule, schedule_in
from app.now import iso

KEEPING = frozenset({"calendar", "time", "decided", "finished", "withdrawn"})
"""Causes that change nothing of what was promised: no printed promise moves later for them (C14)."""


def move_clocks(tx: Transaction, case: Case, cause: str) -> bool:
    """Part of an action: recompute both clocks and the light after a step, and say so when a due instant moved.

    Only a case whose clocks run has a next change of light; one that has ended keeps the light it had. A step
    computes the promise anew; a new calendar (`cause` calendar) may not put off what is printed. True when it would
    have, so that the applicant is told. A new light is told with the department that answers for the case now, and it
    is planned who hears of it (K8).
    """
    return bool(move_all(tx, [case], cause))


def move_all(tx: Transaction, cases: Sequence[Case], cause: str) -> list[Case]:
    """The same of many cases with a few statements for all of them, told case by case in the order given.

    Answers the cases whose promise a new calendar would have put off.
    """
    calendar = schedule_in(tx)
    keep_schedule(tx, calendar)
    read_guides(tx.session, {case.guide_digest for case in cases})
    stops = _stops_of_each(tx, cases)
    moves = [_move(case, stops[case.id], calendar, tx.at, cause) for case in cases]
    file_cases(tx, [move.case for move in moves if move.told or move.lit])
    tx.session.flush()
    lit = [move.case for move in moves if move.lit]
    owners = owners_of_each(tx, lit)
    for move in moves:
        if move.told:
            tx.record(ClocksMoved(**said(move.case), **move.told, cause=cause))
        if move.lit:
            department = owners[move.case.id][0]
            tx.record(LightChanged(**said(move.case), light=move.case.light, department=department))
    levels = [(case, Level(case.light)) for case in lit if case.light in set(Level) and ended_at(case) is None]
    signal_each(tx, levels, owners)
    return [move.case for move in moves if move.kept]


def print_promise(case: Case) -> None:
    """Part of an action: what is said in writing of the promise from now on is what the clocks say now (C14)."""
    case.printed_due_at = case.promised_due_at
    if case.promise_at is None:  # a kept one goes on as it was printed first
        case.promise_version = case.schedule_version


@dataclass(frozen=True, slots=True)
class _Move:
    """What recomputing changed of a case: the due instants to tell, if one moved, its light, a promise that was kept."""

    case: Case
    told: dict[str, Any] | None = None
    lit: bool = False
    kept: bool = False


def _move(case: Case, stops: Sequence[CaseStop], calendar: Schedule, at: datetime, cause: str) -> _Move:
    """Set what the clocks say at `at`; nothing is written yet."""
    case.promise_at = None
    clocks, ended = clocks_from(case, stops), ended_at(case)
    if clocks is None:
        return _Move(case)
    moment, done = min(at, ended) if ended else at, ended is not None
    now = standing(clocks, calendar, moment, done=done)
    printed, fresh = case.printed_due_at, now.promised.due_at
    stays = cause in KEEPING or (printed is not None and printed <= at)  # and no step mends a broken promise
    kept = stays and printed is not None and fresh is not None and fresh > printed
    if kept:
        case.promise_at = printed
        clocks = clocks_from(case, stops) or clocks
        now = standing(clocks, calendar, moment, done=done)
    before = (case.promised_due_at, case.statutory_due_at, case.provisional)
    after = (now.promised.due_at, now.statutory.due_at, now.provisional)
    lit = case.light != now.light.value
    case.promised_due_at, case.statutory_due_at, case.provisional = after
    case.light = now.light.value
    case.next_light_at = None if ended else now.next_light_at
    case.schedule_version = calendar.version
    case.took = now.promised.used if ended else None
    due = {"promised_due_at": iso(after[0]), "statutory_due_at": iso(after[1]), "provisional": after[2]}
    return _Move(case, due if before != after else None, lit, kept)


def _stops_of_each(tx: Transaction, cases: Sequence[Case]) -> dict[int, list[CaseStop]]:
    found: dict[int, list[CaseStop]] = {case.id: [] for case in cases}
    query = select(CaseStop).where(CaseStop.hall == tx.hall, CaseStop.case_id.in_(found)).order_by(CaseStop.id)
    for stop in tx.execute(query).scalars():
        found[stop.case_id].append(stop)
    return found
