"""Actions of a clerk on a window: open, pause, close."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, insert, select, update

from app.action import Transaction, action
from app.errors import Refusal
from app.events import WindowClosed, WindowOpened, WindowPaused
from app.hall.models import Window
from app.queueing.models import Ticket, WindowSession
from app.queueing.rules.states import AT_WINDOW
from app.words import clean


@action
def open_window(tx: Transaction, *, window: str) -> dict[str, Any]:
    """Sit down at a window, or go on after a pause.

    Refuses window.unknown, window.already_open (by somebody else), window.staff_elsewhere. Locks the hall.
    Tells WindowOpened, unless the actor has it open already.
    """
    exists = select(Window.code).where(Window.hall == tx.hall, Window.code == window, Window.active)
    if tx.execute(exists).one_or_none() is None:
        raise Refusal("window.unknown")
    session = _session(tx, window)
    if session is not None and session.staff_id != tx.actor.id:
        raise Refusal("window.already_open")
    if session is None:
        mine = select(WindowSession.window).where(
            WindowSession.hall == tx.hall, WindowSession.staff_id == tx.actor.id, WindowSession.state != "closed"
        )
        elsewhere = tx.execute(mine).scalar_one_or_none()
        if elsewhere is not None:
            raise Refusal("window.staff_elsewhere", window=elsewhere)
        row = {
            "hall": tx.hall,
            "id": tx.new_id(),
            "window": window,
            "staff_id": tx.actor.id,
            "staff": tx.actor.name,
            "state": "open",
            "opened_at": tx.at,
            "changed_at": tx.at,
        }
        tx.execute(insert(WindowSession), row)
    elif session.state == "open":
        return _answer(tx, window, "open")
    else:
        _change(tx, session.id, state="open", reason=None)
    tx.record(WindowOpened(window=window, staff=tx.actor.name))
    return _answer(tx, window, "open")


@action
def pause_window(tx: Transaction, *, window: str, reason: str) -> dict[str, Any]:
    """Stop calling for a while, with a reason that supervisors read.

    Refuses window.reason_required, window.not_open, window.not_yours, window.occupied. Locks the hall. Tells
    WindowPaused.
    """
    if not reason.strip():
        raise Refusal("window.reason_required")
    reason = clean(reason, "reason", limit=60)
    session = at_window(tx, window)
    _refuse_occupied(tx, window)
    if session.state == "paused":
        raise Refusal("window.not_open")
    _change(tx, session.id, state="paused", reason=reason)
    tx.record(WindowPaused(window=window, staff=tx.actor.name))
    return _answer(tx, window, "paused")


@action
def close_window(tx: Transaction, *, window: str) -> dict[str, Any]:
    """Leave the window. Refuses window.not_open, window.not_yours, window.occupied. Locks the hall. Tells WindowClosed."""
    session = at_window(tx, window)
    _refuse_occupied(tx, window)
    _change(tx, session.id, state="closed", reason=None, closed_at=tx.at)
    tx.record(WindowClosed(window=window, staff=tx.actor.name))
    return _answer(tx, window, "closed")


def at_window(tx: Transaction, window: str, *, calling: bool = False) -> Row[Any]:
    """The actor's session at the window. Refuses window.not_open (when `calling`, also paused) and window.not_yours."""
    session = _session(tx, window)
    if session is None or (calling and session.state != "open"):
        raise Refusal("window.not_open")
    if session.staff_id != tx.actor.id:
        raise Refusal("window.not_yours")
    return session


def occupied_by(tx: Transaction, window: str) -> str | None:
    """The number of the ticket at the window, if one is there."""
    query = select(Ticket.number).where(
        Ticket.hall == tx.hall, Ticket.window == window, Ticket.state.in_(sorted(AT_WINDOW))
    )
    return tx.execute(query).scalar_one_or_none()


def _refuse_occupied(tx: Transaction, window: str) -> None:
    number = occupied_by(tx, window)
    if number is not None:
        raise Refusal("window.occupied", number=number)


def _session(tx: Transaction, window: str) -> Row[Any] | None:
    columns = (WindowSession.id, WindowSession.staff_id, WindowSession.state)
    live = (WindowSession.hall == tx.hall, WindowSession.window == window, WindowSession.state != "closed")
    return tx.execute(select(*columns).where(*live)).one_or_none()


def _change(tx: Transaction, session_id: int, **values: Any) -> None:
    one = (WindowSession.hall == tx.hall, WindowSession.id == session_id)
    tx.execute(update(WindowSession).where(*one).values(changed_at=tx.at, **values))


def _answer(tx: Transaction, window: str, state: str) -> dict[str, Any]:
    return {"id": f"{tx.hall}-{window}", "code": window, "hall": tx.hall, "state": state}
