"""Midnight under load, on both databases: numbers begin again, nobody is lost, and what is left expires once."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import select

from app import eventlog
from app.db import db
from app.events import TicketExpired, TicketFinished, TicketIssued
from app.queueing.models import Ticket
from app.queueing.rules.states import OVER
from benchmarks.history import check_hall
from benchmarks.midnight import Night
from tests.concurrency.conftest import HALL


@pytest.mark.slow
def test_a_hall_goes_over_midnight_under_load(app: Flask) -> None:
    night = Night(app)
    night.live()
    assert check_hall(night.ops, HALL)[0].all() == []

    record = eventlog.read(HALL, 0, 100_000)
    given: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in record:
        if isinstance(row.event, TicketIssued):
            given[row.event.day, row.event.queue].append(row.event.number)
    days = sorted({day for day, _ in given})
    assert len(days) == 2 and all(len(given[day, queue]) > 1 for day in days for queue in night.queues)
    for (_, queue), numbers in given.items():
        assert numbers == [f"{queue}{serial:03d}" for serial in range(1, len(numbers) + 1)]

    # yesterday's: each ended once; of those who were left some waited, and all were expired by the first closing
    over = [row.event.ticket for row in record if isinstance(row.event, TicketExpired)]
    assert len(over) == len(set(over)) == sum(night.expired) and len(over) > 4
    yesterday = date.fromisoformat(days[0])
    states = Counter(db.session.execute(select(Ticket.state).where(Ticket.day == yesterday)).scalars())
    assert set(states) <= OVER and sum(states.values()) == sum(len(given[days[0], queue]) for queue in night.queues)
    finished = [row for row in record if isinstance(row.event, TicketFinished) and row.event.day == days[0]]
    assert any(row.at >= night.midnight for row in finished), "nobody was at a window at midnight"
