"""Who is next, with few and with very many waiting: the cost of the heads of lanes must not grow with their number."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import text

from app.db import db
from app.now import local_day, now
from app.queueing.queries import heads_of_lanes
from app.queueing.rules.policy import Policy
from benchmarks import tables
from benchmarks.house import DATABASES, HALL, furnished

WAITING = (100, 10_000, 100_000)
HISTORY = 20_000  # tickets of the same day that are done: a planner may stumble over them
ROUNDS = 200

_COLUMNS = "hall, id, number, queue, day, lane, state, channel, token_hash, token_sealed, queued_us, issued_at, recalls"
_FILL = {
    "sqlite": f"""
        WITH RECURSIVE n(i) AS (SELECT :first UNION ALL SELECT i + 1 FROM n WHERE i < :last)
        INSERT INTO tickets ({_COLUMNS})
        SELECT :hall, i, 'N' || i, substr('ABCDEF', 1 + i % 6, 1), :day,
               CASE i % 20 WHEN 7 THEN 'priority' WHEN 13 THEN 'returning' ELSE 'normal' END,
               :state, 'kiosk', 'h' || i, '', i, :at, 0 FROM n""",
    "postgresql": f"""
        INSERT INTO tickets ({_COLUMNS})
        SELECT :hall, i, 'N' || i, substr('ABCDEF', 1 + i % 6, 1), CAST(:day AS date),
               CASE i % 20 WHEN 7 THEN 'priority' WHEN 13 THEN 'returning' ELSE 'normal' END,
               :state, 'kiosk', 'h' || i, '', i, CAST(:at AS timestamptz), 0
        FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS i""",
}


def measure(kind: str) -> dict[str, Any]:
    """Median of many looks, in ms, at each number of people waiting."""
    with furnished(kind):
        looks, filled = {}, 1_000_000
        _fill(kind, filled, HISTORY, "finished")
        filled += HISTORY
        there = 0
        for waiting in WAITING:
            _fill(kind, filled, waiting - there, "waiting")
            filled, there = filled + waiting - there, waiting
            db.session.execute(text("ANALYZE"))
            db.session.commit()
            looks[waiting] = _look()
    return {"database": kind, "history": HISTORY, "median_ms": looks}


def _fill(kind: str, first: int, count: int, state: str) -> None:
    at = now()
    values = {"hall": HALL, "first": first, "last": first + count - 1, "state": state}
    db.session.execute(text(_FILL[kind]), {**values, "day": local_day(at).isoformat(), "at": at.isoformat()})
    db.session.commit()


def _look() -> float:
    day, took, policy = local_day(now()), [], Policy(weight_min=dict.fromkeys("ABCDEF", 0))
    for _ in range(ROUNDS):
        began = time.perf_counter()
        heads = heads_of_lanes(db.session(), HALL, day, "W01", "clerk01", policy)
        took.append((time.perf_counter() - began) * 1000)
        assert len(heads) >= 6
    db.session.rollback()
    return tables.median(took)


def main() -> dict[str, Any]:
    """Measure, show, keep."""
    results = {kind: measure(kind) for kind in DATABASES}
    rows = []
    for kind, result in results.items():
        looks = result["median_ms"]
        rows.append([kind, *looks.values(), looks[WAITING[-1]] / looks[WAITING[0]]])
    tables.show(
        f"Heads of 24 lanes, {HISTORY:,} finished tickets of the day beside them (median ms of {ROUNDS})",
        ["database", *(f"{n:,} waiting" for n in WAITING), f"ratio {WAITING[-1] // WAITING[0]:,}×"],
        rows,
    )
    tables.keep("heads-of-lanes", results)
    return results
