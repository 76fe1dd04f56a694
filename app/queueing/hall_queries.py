"""Reading a hall's queues and windows: who waits, who serves, who sits where. Nothing here writes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from app.db import db
from app.errors import Refusal
from app.hall.models import Hall, Window
from app.now import iso, local_day
from app.queueing.forecasts import waits
from app.queueing.heads import is_closed_for
from app.queueing.models import Queue, Ticket, WindowQueue, WindowSession
from app.queueing.rules.states import AT_WINDOW, TicketState

_WINDOWS_OPEN = (
    select(WindowQueue.queue, func.count())
    .join(WindowSession, (WindowSession.hall == WindowQueue.hall) & (WindowSession.window == WindowQueue.window))
    .where(WindowQueue.hall == bindparam("key"), WindowSession.state == "open")
    .group_by(WindowQueue.queue)
)


def _windows_open(session: Session, hall: str) -> dict[str, int]:
    return dict(session.execute(_WINDOWS_OPEN, {"key": hall}).all())


def queues_of_hall(hall: str, at: datetime, *, waits_too: bool = True) -> list[dict[str, Any]]:
    """Every queue with how many wait, how many windows serve it, and the wait of somebody who came now.

    Without `waits_too` nobody reckons a wait, for who must be answered at once and shows none.
    """
    session, day = db.session(), local_day(at)
    counts = dict(
        session.execute(
            select(Ticket.queue, func.count())
            .where(Ticket.hall == hall, Ticket.day == day, Ticket.state == TicketState.WAITING)
            .group_by(Ticket.queue)
        ).all()
    )
    windows, expected = _windows_open(session, hall), waits(hall, at) if waits_too else {}
    settings = session.execute(select(Hall.settings).where(Hall.code == hall)).scalar_one_or_none() or {}
    gives = not is_closed_for(settings, day.isoformat())
    rows = session.execute(select(Queue).where(Queue.hall == hall).order_by(Queue.prefix)).scalars()
    result = []
    for queue in rows:
        waiting = counts.get(queue.code, 0)
        wait = expected.get(queue.code)
        result.append(
            {
                "code": queue.code,
                "prefix": queue.prefix,
                "name": queue.name_zh,
                "name_en": queue.name_en,
                "zone": queue.zone,
                "waiting": waiting,
                "windows_open": windows.get(queue.code, 0),
                "wait_low_s": wait[0] if wait else None,
                "wait_high_s": wait[1] if wait else None,
                "open": queue.active and gives,
            }
        )
    return result


def queue_for(hall: str, zone: str) -> str:
    """The queue of the hall that takes items of a catalogue zone. Refuses queue.none_for_item."""
    query = select(Queue.code, Queue.takes).where(Queue.hall == hall, Queue.active).order_by(Queue.code)
    for code, takes in db.session.execute(query):
        if zone in takes:
            return code
    raise Refusal("queue.none_for_item")


def zones_taken(hall: str) -> list[str]:
    """The catalogue zones whose items some queue of the hall takes, also while it gives no tickets."""
    taken = db.session.execute(select(Queue.takes).where(Queue.hall == hall)).scalars()
    return sorted({zone for zones in taken for zone in zones})


def windows_of_hall(hall: str) -> list[dict[str, Any]]:
    """Every window with its state, who is there, which queues it serves and the ticket it has."""
    session = db.session()
    queues: dict[str, list[str]] = {}
    for window, queue in session.execute(
        select(WindowQueue.window, WindowQueue.queue).where(WindowQueue.hall == hall).order_by(WindowQueue.queue)
    ):
        queues.setdefault(window, []).append(queue)
    live = {
        row.window: row
        for row in session.execute(
            select(WindowSession).where(WindowSession.hall == hall, WindowSession.state != "closed")
        ).scalars()
    }
    tickets = {
        row.window: row
        for row in session.execute(
            select(Ticket.window, Ticket.id, Ticket.number, Ticket.state, Ticket.called_at).where(
                Ticket.hall == hall, Ticket.state.in_(sorted(AT_WINDOW))
            )
        )
    }
    result = []
    every = session.execute(select(Window).where(Window.hall == hall, Window.active)).scalars()
    order = {"comprehensive": 0, "consult": 1, "pickup": 2}
    for window in sorted(every, key=lambda w: (order[w.kind], w.code)):
        open_, ticket = live.get(window.code), tickets.get(window.code)
        result.append(
            {
                "id": f"{hall}-{window.code}",
                "code": window.code,
                "kind": window.kind,
                "name": window.name_zh,
                "name_en": window.name_en,
                "zone": window.zone,
                "queues": queues.get(window.code, []),
                "state": open_.state if open_ else "closed",
                "staff": open_.staff if open_ else None,
                "since": iso(open_.changed_at) if open_ else None,
                "reason": open_.reason if open_ else None,
                "free_since": iso(open_.free_at) if open_ else None,
                "taken_from": open_.taken_from if open_ else None,
                "ticket": {
                    "id": f"{hall}-{ticket.id}",
                    "number": ticket.number,
                    "state": ticket.state,
                    "called_at": iso(ticket.called_at),
                }
                if ticket
                else None,
            }
        )
    return result


def window_of_staff(hall: str, staff_id: int) -> str | None:
    """The window at which this staff member sits now."""
    query = select(WindowSession.window).where(
        WindowSession.hall == hall, WindowSession.staff_id == staff_id, WindowSession.state != "closed"
    )
    return db.session.execute(query).scalar_one_or_none()


def longest_wait_s(hall: str, at: datetime) -> dict[str, int]:
    """Per queue, how many seconds its longest waiting person has been here."""
    query = (
        select(Ticket.queue, func.min(Ticket.issued_at))
        .where(Ticket.hall == hall, Ticket.day == local_day(at), Ticket.state == TicketState.WAITING)
        .group_by(Ticket.queue)
    )
    rows = db.session.execute(query).all()
    return {queue: max(int((at - first).total_seconds()), 0) for queue, first in rows}
