"""Who is still here at the close of day: who waits, is set aside or was missed, and who is at a window. Only reads."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.db import db
from app.hall.models import Hall
from app.now import iso, local_day
from app.queueing.heads import is_closed_for
from app.queueing.models import Ticket
from app.queueing.rules.states import OVER, TicketState


def gives_tickets(hall: str, at: datetime) -> bool:
    """Whether the hall has not been told to give no more tickets on the day of `at`."""
    settings = db.session.execute(select(Hall.settings).where(Hall.code == hall)).scalar_one()
    return not is_closed_for(settings, local_day(at).isoformat())


def remaining(hall: str, at: datetime) -> list[dict[str, Any]]:
    """Every ticket of this day or an earlier one that nothing has ended, by queue and arrival; numbers, no names."""
    columns = (
        *(Ticket.id, Ticket.number, Ticket.queue, Ticket.state, Ticket.lane, Ticket.window),
        *(Ticket.issued_at, Ticket.deferred_at),
    )
    live = sorted(state.value for state in TicketState if state not in OVER)
    query = select(*columns).where(Ticket.hall == hall, Ticket.day <= local_day(at), Ticket.state.in_(live))
    return [
        {
            "id": f"{hall}-{row.id}",
            "number": row.number,
            "queue": row.queue,
            "state": row.state,
            "lane": row.lane,
            "window": row.window,
            "issued_at": iso(row.issued_at),
            "deferred": row.deferred_at is not None,
        }
        for row in db.session.execute(query.order_by(Ticket.queue, Ticket.queued_us, Ticket.id))
    ]
