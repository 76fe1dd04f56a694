"""Auto-dispatch 自动派单: where a hall has it on, the window that has rested longest is given the next ticket."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from app.action import Transaction, action
from app.db import db
from app.now import local_day
from app.queueing.calls import call_turn
from app.queueing.heads import policy_of
from app.queueing.models import Ticket, WindowSession
from app.queueing.rules.policy import Policy
from app.queueing.rules.states import TicketState


@action
def dispatch_next(tx: Transaction) -> dict[str, Any] | None:
    """Call the next ticket for the window that has been free the longest and has rested `rest_s`; None when the hall
    does not dispatch, no window has rested enough, or nobody waits for one that has.

    Whoever presses "next" at the same moment was first or comes second: a window that has a ticket is not free.
    Locks the hall. Tells TicketCalled.
    """
    policy = policy_of(tx.session, tx.hall, {})
    if not policy.dispatch:
        return None
    for window, staff in tx.execute(_rested(tx.hall, policy, tx.at)).all():
        called = call_turn(tx, window, staff, mode="dispatch")
        if called is not None:
            return {**called, "window": window}
    return None


def dispatch_due(hall: str, at: datetime) -> bool:
    """Whether `dispatch_next` may find something to do: cheap, and without the hall's lock."""
    session = db.session()
    policy = policy_of(session, hall, {})
    return policy.dispatch and _anybody_waits(session, hall, at) and _anyone_rested(session, hall, policy, at)


def _anybody_waits(session: Session, hall: str, at: datetime) -> bool:
    waits = exists().where(Ticket.hall == hall, Ticket.day == local_day(at), Ticket.state == TicketState.WAITING.value)
    return bool(session.execute(select(waits)).scalar_one())


def _anyone_rested(session: Session, hall: str, policy: Policy, at: datetime) -> bool:
    return session.execute(_rested(hall, policy, at).limit(1)).first() is not None


def _rested(hall: str, policy: Policy, at: datetime) -> Select[Any]:
    """Free windows that have rested enough, the longest first."""
    rested = WindowSession.free_at <= at - timedelta(seconds=policy.rest_s)
    query = select(WindowSession.window, WindowSession.staff).where(WindowSession.hall == hall)
    open_ = query.where(WindowSession.state == "open", rested)
    return open_.order_by(WindowSession.free_at, WindowSession.id)
