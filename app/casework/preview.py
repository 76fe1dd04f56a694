"""What a change of calendar or hours would do to the open cases, before anybody makes it (K6)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text

from app.casework.cases import clocks_from
from app.casework.models import RUNNING, Case, CaseStop
from app.casework.rules.clocks import Clock, reckoned
from app.db import db
from app.hall.queries import schedule as schedule_in_force
from app.hall.rules.hours import Schedule
from app.now import iso

MOST = 5_000  # open cases computed, the soonest due first: a preview must not hold up the server


def moved_by(hall: str, schedule: Schedule, at: datetime, limit: int) -> dict[str, Any]:
    """The open cases of a hall whose deadlines `schedule` would move, against the schedule in force.

    `earlier` and `later` count by the first clock that moves; a case that gains or loses its date (a year announced or
    taken back) counts only in `total`. `kept`: the promise would come later than the one that the applicant holds on
    paper; then the printed one stands. `items` are the first `limit`, soonest due first. `looked` of the `open` cases
    were computed, at most MOST.
    """
    running = (Case.hall == hall, text(RUNNING))
    total = db.session.execute(select(func.count()).select_from(Case).where(*running)).scalar_one()
    first = select(Case.id).where(*running).order_by(Case.order_at, Case.id).limit(MOST)
    these = (Case.hall == hall, Case.id.in_(first))
    cases = db.session.execute(select(Case).where(*these).order_by(Case.order_at, Case.id)).scalars().all()
    stops: dict[int, list[CaseStop]] = defaultdict(list)
    for stop in db.session.execute(
        select(CaseStop).where(CaseStop.hall == hall, CaseStop.case_id.in_(first))
    ).scalars():
        stops[stop.case_id].append(stop)
    in_force = schedule_in_force(hall)
    moved = [item for case in cases if (item := _move(case, stops[case.id], in_force, schedule, at))]
    directions = [item.pop("direction") for item in moved]
    return {
        "total": len(moved),
        "earlier": directions.count(-1),
        "later": directions.count(1),
        "kept": sum(item["kept"] for item in moved),
        "looked": len(cases),
        "open": total,
        "items": moved[:limit],
    }


def _move(
    case: Case, stops: list[CaseStop], in_force: Schedule, schedule: Schedule, at: datetime
) -> dict[str, Any] | None:
    """How one case would move; None when neither of its clocks does."""
    clocks = clocks_from(case, stops)
    if clocks is None:
        return None
    afresh = replace(clocks, promise_at=None)
    now, then = ({clock: reckoned(afresh, clock, each, at).due_at for clock in Clock} for each in (in_force, schedule))
    moves = [(now[clock], then[clock]) for clock in Clock if now[clock] != then[clock]]
    if not moves:
        return None
    dated = [(before, after) for before, after in moves if before and after]
    promise, printed = then[Clock.PROMISED], case.printed_due_at
    kept = bool(promise and printed and promise > printed)
    return {
        "number": case.number,
        "item_name": case.guide["name"],
        "item_name_en": case.guide["name_en"],
        "promised": {
            "before": iso(reckoned(clocks, Clock.PROMISED, in_force, at).due_at),
            "after": iso(printed if kept else promise),
        },
        "statutory": {"before": iso(now[Clock.STATUTORY]), "after": iso(then[Clock.STATUTORY])},
        "kept": kept,
        "direction": (-1 if dated[0][1] < dated[0][0] else 1) if dated else 0,
    }
