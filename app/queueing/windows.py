"""Actions of a clerk on a window: open, take over, pause, close."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, select

from app.action import Transaction, action
from app.errors import Refusal
from app.events import WindowClosed, WindowOpened, WindowPaused, WindowTakenOver
from app.hall.models import Window
from app.queueing.models import WindowPause, WindowSession
from app.queueing.seats import at_window, change_seat, end_pause, occupied_by, refuse_occupied, seat_at
from app.queueing.serving import release
from app.words import clean


@action
def open_window(tx: Transaction, *, window: str, take_over: bool = False) -> dict[str, Any]:
    """Sit down at a window, or go on after a pause. With `take_over`, also at one that somebody left open: their session
    ends, and what is at the window stays there 接管.

    Refuses window.unknown, window.already_open (by somebody else), window.staff_elsewhere. Locks the hall.
    Tells WindowOpened or WindowTakenOver, unless the actor has it open already; TicketTransferred for who waited for the
    clerk that left.
    """
    exists = select(Window.code).where(Window.hall == tx.hall, Window.code == window, Window.active)
    if tx.execute(exists).one_or_none() is None:
        raise Refusal("window.unknown")
    seat = seat_at(tx, window)
    if seat is not None and seat.staff_id == tx.actor.id:
        if seat.state == "paused":
            end_pause(tx, window)
            change_seat(tx, seat.id, state="open", reason=None, free_at=tx.at)
            tx.record(WindowOpened(window=window, staff=tx.actor.name))
        return _answer(tx, window, "open")
    if seat is not None and not take_over:
        raise Refusal("window.already_open", staff=seat.staff)
    _refuse_elsewhere(tx)
    if seat is None:
        _sit_down(tx, window, free_at=tx.at)
        tx.record(WindowOpened(window=window, staff=tx.actor.name))
        return _answer(tx, window, "open")
    if seat.state == "paused":
        end_pause(tx, window)
    change_seat(tx, seat.id, state="closed", reason=None, closed_at=tx.at, free_at=None)
    _sit_down(tx, window, free_at=None if occupied_by(tx, window) else tx.at, taken_from=seat.staff)
    tx.record(WindowTakenOver(window=window, staff=tx.actor.name, from_staff=seat.staff))
    release(tx, window=None, staff=seat.staff)
    return _answer(tx, window, "open")


@action
def pause_window(tx: Transaction, *, window: str, reason: str) -> dict[str, Any]:
    """Stop calling for a while, with a reason that supervisors read; who was sent to the window or to its clerk waits for
    any window of the queue again, because nobody knows how long a pause lasts.

    Refuses window.reason_required, window.not_open, window.not_yours, window.occupied and bad words. Locks the hall.
    Tells WindowPaused, TicketTransferred.
    """
    if not reason.strip():
        raise Refusal("window.reason_required")
    reason = clean(reason, "reason", limit=60)
    seat = at_window(tx, window, calling=True)
    refuse_occupied(tx, window)
    change_seat(tx, seat.id, state="paused", reason=reason, free_at=None)
    pause = {"session_id": seat.id, "window": window, "staff": seat.staff, "reason": reason, "from_at": tx.at}
    tx.execute(insert(WindowPause.__table__), {"hall": tx.hall, "id": tx.new_id(), **pause})
    tx.record(WindowPaused(window=window, staff=tx.actor.name))
    release(tx, window=window, staff=seat.staff)
    return _answer(tx, window, "paused")


@action
def close_window(tx: Transaction, *, window: str) -> dict[str, Any]:
    """Leave the window; who was sent to it or to its clerk waits for any window of the queue again.

    Refuses window.not_open, window.not_yours, window.occupied. Locks the hall. Tells WindowClosed, TicketTransferred.
    """
    seat = at_window(tx, window)
    refuse_occupied(tx, window)
    if seat.state == "paused":
        end_pause(tx, window)
    change_seat(tx, seat.id, state="closed", reason=None, closed_at=tx.at, free_at=None)
    tx.record(WindowClosed(window=window, staff=tx.actor.name))
    release(tx, window=window, staff=seat.staff)
    return _answer(tx, window, "closed")


def _refuse_elsewhere(tx: Transaction) -> None:
    mine = select(WindowSession.window).where(
        WindowSession.hall == tx.hall, WindowSession.staff_id == tx.actor.id, WindowSession.state != "closed"
    )
    elsewhere = tx.execute(mine).scalar_one_or_none()
    if elsewhere is not None:
        raise Refusal("window.staff_elsewhere", window=elsewhere)


def _sit_down(tx: Transaction, window: str, **more: Any) -> None:
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
    tx.execute(insert(WindowSession.__table__), row | more)


def _answer(tx: Transaction, window: str, state: str) -> dict[str, Any]:
    return {"id": f"{tx.hall}-{window}", "code": window, "hall": tx.hall, "state": state}
