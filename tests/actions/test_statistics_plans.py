"""A month of statistics is read along indexes of time, not through the years before it; on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, text

from app.db import db
from app.queueing import statistics
from app.queueing.models import Call, Service, Ticket
from tests.actions.conftest import MORNING, Hall

DAYS, A_DAY = 400, 8  # a month is a small part of it, as it is in any hall after a year
WAYS = ("ix_calls_at", "ix_services_started", "uq_tickets_number")  # each begins with hall and time
FIRST = MORNING.date() + timedelta(days=60)


@pytest.fixture
def long_past(hall: Hall) -> Hall:
    """A hall with a long past, as large as a test can wait for; what a planner must know of it is counted."""
    rows: dict[Any, list[dict[str, Any]]] = {Ticket: [], Call: [], Service: []}
    for n in range(DAYS * A_DAY):
        at = MORNING + timedelta(days=n // A_DAY, minutes=20 * (n % A_DAY))
        own = {"hall": "luolong", "queue": "ABCDEF"[n % 6], "id": 1_000_000 + n}
        visit = {"ticket_id": own["id"], "window": f"W{n % 9:02d}", "staff": f"clerk{n % 9:02d}"}
        number = {"number": f"A{n % A_DAY:03d}", "day": at.date(), "queued_us": n, "issued_at": at, "channel": "kiosk"}
        paper = {"token_hash": f"hash of {n}", "token_sealed": "sealed" * 20, "lane": "normal", "state": "finished"}
        rows[Ticket].append({**own, **number, **paper})
        over = {"ended_at": at + timedelta(minutes=9), "outcome": "finished"}
        called = {"called_at": at + timedelta(minutes=3), "arrived_at": at + timedelta(minutes=4), "waited_s": 180}
        rows[Call].append({**own, **visit, **over, **called, "why": {}, "lane": "normal"})
        rows[Service].append({**own, **visit, **over, "call_id": own["id"], "started_at": called["arrived_at"]})
    for of, values in rows.items():
        db.session.execute(insert(of.__table__), values)
    db.session.commit()
    db.session.execute(text("ANALYZE"))
    db.session.commit()
    return hall


def test_a_month_is_read_along_the_indexes_of_time(long_past: Hall) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        if "FROM calls" in statement or "FROM services" in statement or "FROM tickets" in statement:
            asked.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    for by in statistics.SIDES:
        for only in (None, ("queue", "A")):
            statistics.statistics("luolong", FIRST, FIRST + timedelta(days=30), by, long_past.at, only)
    event.remove(db.engine, "before_cursor_execute", note)
    db.session.rollback()
    assert len(asked) == len(statistics.SIDES) * 2 * 4  # calls twice, services, and tickets unless they are a window's
    with db.engine.connect() as connection:
        server = connection.dialect.name == "postgresql"
        for statement, parameters in asked:
            plan = connection.exec_driver_sql(f"EXPLAIN {'' if server else 'QUERY PLAN '}{statement}", parameters)
            steps = [str(row[0 if server else 3]) for row in plan]
            whole = [step for step in steps if "Seq Scan" in step or step.startswith("SCAN")]
            # to each call PostgreSQL may find its ticket in a hash of them all, where that is cheaper than by its key
            assert [step for step in whole if not ("JOIN tickets" in statement and "on tickets" in step)] == [], steps
            along = next((n for n, step in enumerate(steps) if any(way in step for way in WAYS)), None)
            assert along is not None, steps
            bounds = steps[along + server]  # PostgreSQL says them on the next line
            assert any(column in bounds for column in ("called_at", "started_at", "day")), steps
