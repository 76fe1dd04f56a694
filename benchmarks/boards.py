"""What is shown and what is stored, held against the lives of the record: boards, waiting counts, rows of tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import func, select

from app.db import db
from app.events import Recorded
from app.queueing.heads import instant
from app.queueing.models import Call, Service, Ticket, WindowSession
from app.queueing.rules.states import AT_WINDOW, TicketState
from benchmarks.findings import Findings
from benchmarks.lives import Life, Lives
from displays import frames


def board_of(hall: str, record: Iterable[Recorded]) -> dict[str, Any]:
    """The board that the fold draws after the whole record."""
    state = frames.empty(hall)
    for row in record:
        state = frames.fold(state, row)
    return frames.frame(state)


def check_board(found: Findings, lives: Lives, frame: Mapping[str, Any]) -> None:
    """A board shows who waits, by queue, and who is at which window; of its own day."""
    today = [life for life in lives.tickets.values() if life.day == frame["day"]]
    waiting = Counter(life.queue for life in today if life.state == TicketState.WAITING)
    shown = Counter({row["code"]: row["waiting"] for row in frame["queues"]})
    _differ(found, "the board", "who wait", +shown, waiting)
    at_windows = {(life.number, life.window, life.state.value) for life in today if life.state in AT_WINDOW}
    serving = {(row["number"], row["window"], row["state"]) for row in frame["now_serving"]}
    _differ(found, "the board", "at windows", serving, at_windows)
    open_ = {window: "paused" if seat.paused else "open" for window, seat in lives.seats.items()}
    windows = {row["code"]: row["state"] for row in frame["windows"] if row["state"] != "closed"}
    _differ(found, "the board", "windows", windows, open_)


def check_tables(found: Findings, lives: Lives, hall: str) -> None:
    """The rows of the queue's tables say what the record says. Reads the database of the application context."""
    session = db.session()
    columns = (Ticket.id, Ticket.number, Ticket.queue, Ticket.lane, Ticket.day, Ticket.state, Ticket.queued_us)
    more = (Ticket.to_window, Ticket.to_staff, Ticket.transfers)
    rows = {row.id: row for row in session.execute(select(*columns, *more).where(Ticket.hall == hall))}
    if rows.keys() != lives.tickets.keys():
        found.board.append(
            f"tickets {sorted(rows.keys() ^ lives.tickets.keys())} are in the table or in the record only"
        )
    for number in sorted(rows.keys() & lives.tickets.keys()):
        _differ(found, "the table", rows[number].number, _row(rows[number]), _row(lives.tickets[number]))
    calls = dict(
        session.execute(select(Call.ticket_id, func.count()).where(Call.hall == hall).group_by(Call.ticket_id)).all()
    )
    _differ(
        found, "the table", "calls", calls, {life.ticket: life.calls for life in lives.tickets.values() if life.calls}
    )
    open_calls = set(
        session.execute(select(Call.ticket_id).where(Call.hall == hall, Call.ended_at.is_(None))).scalars()
    )
    at_window = {life.ticket for life in lives.tickets.values() if life.state in AT_WINDOW}
    _differ(found, "the table", "open calls", open_calls, at_window)
    serving = {life.ticket for life in lives.tickets.values() if life.state == TicketState.SERVING}
    query = select(Service.ticket_id).where(Service.hall == hall, Service.ended_at.is_(None))
    _differ(found, "the table", "open services", set(session.execute(query).scalars()), serving)
    seat = (WindowSession.window, WindowSession.staff, WindowSession.state)
    seats = session.execute(select(*seat).where(WindowSession.hall == hall, WindowSession.state != "closed")).all()
    open_ = {(window, each.staff, "paused" if each.paused else "open") for window, each in lives.seats.items()}
    _differ(found, "the table", "seats", {tuple(row) for row in seats}, open_)
    db.session.rollback()


def _row(of: Any) -> tuple[Any, ...]:
    """What a row of tickets and a life must agree on."""
    day = of.day.isoformat() if isinstance(of.day, date) else of.day
    queued_at = of.queued_at if isinstance(of, Life) else instant(of.queued_us)
    said = (of.number, of.queue, str(of.lane), day, str(of.state), queued_at, of.transfers)
    waits = of.state == TicketState.WAITING
    return (*said, of.to_window if waits else None, of.to_staff if waits else None)


def _differ(found: Findings, what: str, of: str, shown: Any, told: Any) -> None:
    if shown != told:
        found.board.append(f"{what} says of {of} {shown}, the record {told}")
