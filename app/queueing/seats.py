"""Who sits at which window, and since when a window is free: parts of the actions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, bindparam, select, update

from app.action import Transaction
from app.errors import Refusal
from app.queueing.models import Ticket, WindowPause, WindowSession
from app.queueing.rules.states import AT_WINDOW

_SEAT = select(WindowSession.id, WindowSession.staff_id, WindowSession.staff, WindowSession.state).where(
    WindowSession.hall == bindparam("in_hall"), WindowSession.window == bindparam("at"), WindowSession.state != "closed"
)
_OCCUPIED = select(Ticket.number).where(
    Ticket.hall == bindparam("in_hall"), Ticket.window == bindparam("at"), Ticket.state.in_(sorted(AT_WINDOW))
)
_LIVE_SEAT = (
    WindowSession.hall == bindparam("in_hall"),
    WindowSession.window == bindparam("at"),
    WindowSession.state == "open",
)
_SET_FREE = update(WindowSession.__table__).where(*_LIVE_SEAT).values(free_at=bindparam("since"))


def seat_at(tx: Transaction, window: str) -> Row[Any] | None:
    """The session at the window, open or paused."""
    return tx.execute(_SEAT, {"in_hall": tx.hall, "at": window}).one_or_none()


def at_window(tx: Transaction, window: str, *, calling: bool = False) -> Row[Any]:
    """The actor's session at the window. Refuses window.not_open (when `calling`, also paused) and window.not_yours."""
    seat = seat_at(tx, window)
    if seat is None or (calling and seat.state != "open"):
        raise Refusal("window.not_open")
    if seat.staff_id != tx.actor.id:
        raise Refusal("window.not_yours")
    return seat


def occupied_by(tx: Transaction, window: str) -> str | None:
    """The number of the ticket at the window, if one is there."""
    return tx.execute(_OCCUPIED, {"in_hall": tx.hall, "at": window}).scalar_one_or_none()


def refuse_occupied(tx: Transaction, window: str) -> None:
    """Refuses window.occupied."""
    number = occupied_by(tx, window)
    if number is not None:
        raise Refusal("window.occupied", number=number)


def set_free(tx: Transaction, window: str) -> None:
    """From now on no ticket is at the window; its rest begins, unless it is paused."""
    tx.execute(_SET_FREE, {"in_hall": tx.hall, "at": window, "since": tx.at})


def set_busy(tx: Transaction, window: str) -> None:
    """A ticket is at the window."""
    tx.execute(_SET_FREE, {"in_hall": tx.hall, "at": window, "since": None})


def change_seat(tx: Transaction, session_id: int, **values: Any) -> None:
    """Write down what became of a session."""
    one = (WindowSession.hall == tx.hall, WindowSession.id == session_id)
    tx.execute(update(WindowSession.__table__).where(*one).values(changed_at=tx.at, **values))


def end_pause(tx: Transaction, window: str) -> None:
    """Write down that the pause of the window is over."""
    of = WindowPause.__table__.c
    tx.execute(
        update(WindowPause.__table__)
        .where(of.hall == tx.hall, of.window == window, of.to_at.is_(None))
        .values(to_at=tx.at)
    )
