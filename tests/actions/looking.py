"""What the tests of the queue set, and what they look up of what a step has left behind."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event, select

from app import eventlog
from app.catalog.models import ServiceItem
from app.db import db
from app.hall.models import Hall as HallRow
from app.queueing import calls, queries
from app.queueing.models import Ticket, WindowSession
from tests.actions.conftest import number_of


def set_policy(**policy: object) -> None:
    """What an admin's settings would say."""
    row = db.session.get(HallRow, "luolong")
    row.settings = {**row.settings, "queue": policy}
    db.session.commit()


def told(ticket: dict | None = None, kind: type | None = None) -> list:
    """The events of one ticket, or of one kind, in order."""
    if ticket is not None:
        found = [r.event for r in eventlog.read_subject("luolong", f"ticket:{number_of(ticket)}")]
    else:
        found = [r.event for r in eventlog.read("luolong", 0, 100_000)]
    db.session.rollback()
    return [e for e in found if kind is None or isinstance(e, kind)]


def row_of(ticket: dict) -> Ticket:
    found = db.session.execute(
        select(Ticket).where(Ticket.hall == "luolong", Ticket.id == number_of(ticket))
    ).scalar_one()
    db.session.expunge(found)
    db.session.rollback()
    return found


def seat(window: str = "W01") -> WindowSession:
    query = select(WindowSession).where(WindowSession.window == window, WindowSession.state != "closed")
    found = db.session.execute(query).scalar_one()
    db.session.expunge(found)
    db.session.rollback()
    return found


def line(hall, queue: str = "A") -> list[str]:
    found = queries.waiting_numbers("luolong", queue, hall.at.date())
    db.session.rollback()
    return found


def items(count: int) -> list[str]:
    found = list(db.session.execute(select(ServiceItem.code).order_by(ServiceItem.code).limit(count)).scalars())
    db.session.rollback()
    return found


def of_number(number: str) -> int:
    found = db.session.execute(select(Ticket.id).where(Ticket.number == number)).scalar_one()
    db.session.rollback()
    return found


def finished(hall, who: str = "clerk01", window: str = "W01") -> str:
    ticket = hall.later(seconds=1).call(who, window)["ticket"]
    hall.step(calls.start, ticket, who)
    hall.step(calls.finish, ticket, who)
    return ticket["number"]


def count_statements(work) -> int:
    """How many statements the engine is given."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return len(asked)
