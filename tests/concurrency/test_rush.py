"""Eight kiosks and eight windows at once, and the same with the lock taken out, to see that it is the lock that holds."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import select

from app import eventlog
from app.db import db
from app.queueing.models import Call, Ticket
from benchmarks.history import Findings, check
from benchmarks.load import Log, rush
from tests.concurrency.conftest import HALL, THREADS, Doors

EACH = 12


@pytest.fixture
def log(doors: Doors) -> Log:
    return Log(doors.ask)


def rush_through(doors: Doors, log: Log) -> Findings:
    """The whole run, and what the checker finds in it."""
    kiosks = [doors.kiosk() for _ in range(THREADS)]
    clerks = {f"W{n:02d}": doors.sign_in(f"clerk{n:02d}") for n in range(1, THREADS + 1)}
    for window, token in clerks.items():
        log.tell("open", f"/windows/{HALL}-{window}/open", None, token, number=window)
    rush(log, HALL, kiosks, clerks, each=EACH)
    db.session.rollback()
    return check(log.ops, eventlog.read(HALL, 0, 100_000), eventlog.verify(HALL))[0]


def test_a_rush_gives_every_number_once_and_calls_in_order(doors: Doors, log: Log) -> None:
    found = rush_through(doors, log)
    assert found.all() == []
    issued = [op for op in log.ops if op.what == "issue" and op.outcome == "ok"]
    called = [op for op in log.ops if op.what == "call" and op.outcome == "ok"]
    assert len(issued) == len(called) == THREADS * EACH

    # the tables tell the same as the record
    numbers = list(db.session.execute(select(Ticket.number).where(Ticket.hall == HALL)).scalars())
    assert Counter(numbers) == Counter(op.number for op in issued)
    for queue in "ABC":
        serials = sorted(int(number[1:]) for number in numbers if number[0] == queue)
        assert serials == list(range(1, len(serials) + 1))
    times_called = Counter(db.session.execute(select(Call.ticket_id).where(Call.hall == HALL)).scalars())
    assert set(times_called.values()) == {1}
    assert set(db.session.execute(select(Ticket.state)).scalars()) == {"finished"}
    assert eventlog.verify(HALL) is None


def test_the_same_rush_without_the_lock_goes_wrong(doors: Doors, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin. SQLite answers with `database is locked`, PostgreSQL with broken keys and lost updates."""
    monkeypatch.setattr("app.db.LOCKING", False)
    found = rush_through(doors, log)
    faults = Counter(fault.split(" ")[0] + " " + fault.split(" ")[1] for fault in found.all())
    assert faults, "without the lock nothing went wrong: this test proves nothing any more"
    assert any(fault.startswith(("issue failed", "call failed")) for fault in faults), faults
