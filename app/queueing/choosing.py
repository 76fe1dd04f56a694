"""Whom a clerk who may choose could call (Q7): everyone who waits for the window, in the order of the rule. Only reads."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, text

from app.db import db
from app.now import local_day
from app.queueing.heads import head_of, heads_of_lanes, policy_of, weights_of
from app.queueing.models import Ticket
from app.queueing.rules.order import pick, rank

MOST = 100  # people listed; beyond, the rule calls


def choosable(hall: str, window: str, staff: str, at: datetime) -> dict[str, Any]:
    """`turn`: the number that the rule would call; `rows`: who waits for this window, each with `over`, the numbers that
    stand before it. The ratio of lanes, which looks back at the calls of the day, is left to the call itself.
    """
    session, day = db.session(), local_day(at)
    weights = weights_of(session, hall, window)
    policy = policy_of(session, hall, weights)
    picked = pick(heads_of_lanes(session, hall, day, window, staff, policy), policy, at, window)
    columns = (Ticket.id, Ticket.number, Ticket.queue, Ticket.lane, Ticket.queued_us, Ticket.issued_at)
    more = (Ticket.waiting_since, Ticket.to_window, Ticket.to_staff)
    here = or_(Ticket.to_window == window, Ticket.to_staff == staff)
    pool = Ticket.queue.in_(sorted(weights)) & Ticket.to_window.is_(None) & Ticket.to_staff.is_(None)
    waiting = (Ticket.hall == hall, Ticket.day == day, Ticket.state == text("'waiting'"), or_(here, pool))
    rows = session.execute(select(*columns, *more).where(*waiting).order_by(Ticket.queued_us).limit(MOST)).all()
    heads = [head_of(row, direct=row.to_window is not None or row.to_staff is not None) for row in rows]
    heads.sort(key=lambda head: (rank(head, policy, at, window), head.ticket))
    numbers = [head.number for head in heads]
    return {
        "turn": picked[0].number if picked else None,
        "rows": [
            {
                "id": head.ticket,
                "number": head.number,
                "queue": head.queue,
                "lane": head.lane.value,
                "waited_s": max(int((at - head.waited_from).total_seconds()), 0),
                "direct": head.direct,
                "over": numbers[:place],
            }
            for place, head in enumerate(heads)
        ],
    }
