"""Actions of the close of day: no more numbers, what still waits is served or explicitly expired, midnight, reminders."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, exists, select, update

from app.action import Transaction, action
from app.db import db
from app.errors import Refusal
from app.events import DayClosed, IssuingChanged, TicketExpired, TicketReminded
from app.hall.models import Hall
from app.queueing.heads import is_closed_for
from app.queueing.models import Queue, Ticket
from app.queueing.rules.reasons import BY_ITSELF, ExpiryReason
from app.queueing.rules.states import TicketState
from app.queueing.steps import move, one_of, said

REMINDERS = 200  # of one sweep at a time

_UNSERVED = [TicketState.WAITING, TicketState.PARKED, TicketState.NO_SHOW]


@action
def stop_issuing(tx: Transaction) -> dict[str, Any]:
    """Give no more tickets for the rest of the hall's day 停止取号; tomorrow begins as ever.

    Who waits is still called. Whom the hall asked to come, with an appointment or a supplement, is still given a ticket.
    Locks the hall. Tells IssuingChanged, unless it is stopped already.
    """
    return _set_issuing(tx, open_=False)


@action
def resume_issuing(tx: Transaction) -> dict[str, Any]:
    """Give tickets again 恢复取号. Locks the hall. Tells IssuingChanged, unless the hall gives them already."""
    return _set_issuing(tx, open_=True)


@action
def expire_rest(tx: Transaction, *, reason: str, queues: Collection[str] | None = None) -> dict[str, Any]:
    """Expire, for a reason, each ticket that waits, is parked or was missed 作废余号; all of the hall, or of some queues.

    What is at a window stays there until its clerk ends it. Refuses reason.unknown, queue.unknown, and
    queue.still_issuing while one of the queues gives tickets: somebody would come after the last. Locks the hall.
    Tells TicketExpired for each, and DayClosed when it was the whole hall.
    """
    code = one_of(ExpiryReason, reason)
    if code in BY_ITSELF:
        raise Refusal("reason.unknown")
    known = dict(tx.execute(select(Queue.code, Queue.active).where(Queue.hall == tx.hall)).all())
    meant = set(known if queues is None else queues)
    if not meant <= set(known):
        raise Refusal("queue.unknown")
    if not is_closed_for(_settings(tx), tx.day.isoformat()) and any(known[queue] for queue in meant):
        raise Refusal("queue.still_issuing")
    of = Ticket.__table__.c
    expired = expire(tx, of.day <= tx.day, of.queue.in_(sorted(meant)), reason=code)
    if queues is None:
        tx.record(DayClosed(day=tx.day.isoformat(), expired=len(expired)))
    return {"expired": len(expired), "numbers": [row.number for row in expired]}


@action
def close_day(tx: Transaction, *, before: str) -> dict[str, Any]:
    """Expire every unserved ticket of the business days before `before` (a local day, YYYY-MM-DD, itself excluded).

    A ticket that is at a window stays there until its clerk ends it. Locks the hall. Tells TicketExpired for each and
    one DayClosed a day.
    """
    expired = expire(tx, Ticket.__table__.c.day < datetime.fromisoformat(before).date(), reason=ExpiryReason.ROLLOVER)
    days = [row.day.isoformat() for row in expired]
    for day in sorted(set(days)):
        tx.record(DayClosed(day=day, expired=days.count(day)))
    return {"expired": len(expired)}


@action
def remind_parked(tx: Transaction) -> dict[str, Any]:
    """Remind the windows of parked tickets whose time is up, once each; who went away and is not back loses the number.

    Locks the hall. Tells TicketReminded, TicketExpired.
    """
    of = Ticket.__table__.c
    columns = (of.id, of.number, of.queue, of.day, of.window, of.deferred_at)
    due = select(*columns).where(of.hall == tx.hall, of.remind_at <= tx.at).order_by(of.remind_at).limit(REMINDERS)
    rows = tx.execute(due).all()
    for row in rows:
        if row.deferred_at is None:
            move(tx, row, TicketState.PARKED, remind_at=None)
            tx.record(TicketReminded(**said(row), window=row.window))
        else:
            lost = {"finished_at": tx.at, "left_reason": ExpiryReason.NOT_BACK.value, "remind_at": None}
            move(tx, row, TicketState.EXPIRED, **lost)
            tx.record(TicketExpired(**said(row), reason=ExpiryReason.NOT_BACK.value))
    return {"reminded": len(rows), "more": len(rows) == REMINDERS}


def reminders_due(hall: str, at: datetime) -> bool:
    """Whether `remind_parked` has something to do: one look at an index, without the hall's lock."""
    due = exists().where(Ticket.hall == hall, Ticket.remind_at <= at)
    return bool(db.session.execute(select(due)).scalar_one())


def _settings(tx: Transaction) -> dict[str, Any]:
    return tx.execute(select(Hall.settings).where(Hall.code == tx.hall)).scalar_one()


def _set_issuing(tx: Transaction, *, open_: bool) -> dict[str, Any]:
    settings, day = _settings(tx), tx.day.isoformat()
    if is_closed_for(settings, day) == open_:
        rest = {key: value for key, value in settings.items() if key != "closed_on"}
        changed = rest if open_ else {**rest, "closed_on": day}
        tx.execute(update(Hall.__table__).where(Hall.__table__.c.code == tx.hall).values(settings=changed))
        tx.record(IssuingChanged(day=day, open=open_))
    return {"hall": tx.hall, "day": day, "open": open_}


def expire(tx: Transaction, *which: ColumnElement[bool], reason: ExpiryReason) -> list[Row[Any]]:
    """Part of an action: expire what is unserved of these; one statement for all of them, one event for each."""
    of = Ticket.__table__.c
    unserved = (of.hall == tx.hall, of.state.in_(_UNSERVED), *which)
    columns = (of.id, of.number, of.queue, of.day)
    rows = list(tx.execute(select(*columns).where(*unserved).order_by(of.id)).all())
    if rows:
        ended = {"state": TicketState.EXPIRED, "finished_at": tx.at, "left_reason": reason.value, "remind_at": None}
        tx.execute(update(Ticket.__table__).where(*unserved).values(**ended))
    for row in rows:
        tx.record(TicketExpired(**said(row), reason=reason.value))
    return rows
