"""Reading one ticket: its holder's view, the clerks' view, its visit, its calls. Nothing here writes."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select

from app import privacy
from app.db import db
from app.errors import Refusal
from app.hall.models import Window
from app.now import iso
from app.queueing.forecasts import wait_of
from app.queueing.heads import ahead_of, policy_of, sent_to
from app.queueing.models import Call, Queue, Service, Ticket
from app.queueing.rules.states import AT_WINDOW, TicketState, legal_steps


def find_by_token(token: str) -> tuple[str, int]:
    """(hall, ticket id) of a citizen's token. Refuses ticket.unknown."""
    query = select(Ticket.hall, Ticket.id).where(Ticket.token_hash == privacy.token_hash(token))
    row = db.session.execute(query).one_or_none()
    if row is None:
        raise Refusal("ticket.unknown")
    return row.hall, row.id


def ticket_view(hall: str, ticket_id: int, at: datetime, *, staff: bool = False) -> dict[str, Any]:
    """What a ticket's holder and the clerks see: number, state, place, range, window, its visit so far. No personal data.

    `note` is there only for `staff`: what a clerk wrote for the next one. Refuses ticket.unknown.
    """
    session = db.session()
    row = session.execute(select(Ticket).where(Ticket.hall == hall, Ticket.id == ticket_id)).scalar_one_or_none()
    if row is None:
        raise Refusal("ticket.unknown")
    waiting = row.state == TicketState.WAITING
    ahead = _ahead(row) if waiting else 0
    wait = wait_of(hall, row.queue, row.lane, at, ahead) if waiting else None
    queue = session.execute(select(Queue).where(Queue.hall == hall, Queue.code == row.queue)).scalar_one()
    names = select(Window.name_zh, Window.name_en).where(Window.hall == hall, Window.code == row.window)
    window = session.execute(names).one_or_none() if row.window else None
    deferred = row.state == TicketState.PARKED and row.deferred_at is not None
    until = _rejoin_until(row) if deferred else None
    return {
        "id": f"{hall}-{row.id}",
        "hall": hall,
        "number": row.number,
        "queue": row.queue,
        "queue_name": queue.name_zh,
        "queue_name_en": queue.name_en,
        "zone": queue.zone,
        "lane": row.lane,
        "ground": row.ground,
        "party": row.party,
        "state": row.state,
        "item": row.item,
        "ahead": ahead,
        "wait_low_s": wait[0] if wait else None,
        "wait_high_s": wait[1] if wait else None,
        "window": row.window if row.state in AT_WINDOW or row.state == TicketState.PARKED else None,
        "window_name": window.name_zh if window else None,
        "window_name_en": window.name_en if window else None,
        "issued_at": iso(row.issued_at),
        "called_at": iso(row.called_at),
        "started_at": iso(row.started_at),
        "recalls": row.recalls,
        "to_window": row.to_window,
        "to_staff": row.to_staff,
        "transfers": row.transfers,
        "deferred": deferred,
        "rejoin_until": iso(until),
        "remind_at": None if deferred else iso(row.remind_at),
        "left_reason": row.left_reason,
        "case_number": row.case_number,
        "appointment": f"{hall}-{row.appointment_id}" if row.appointment_id is not None else None,
        "services": services_of(hall, ticket_id),
        "steps": [step.value for step in legal_steps(TicketState(row.state), deferred=deferred)],
        **({"note": _note(row)} if staff else {}),
    }


def services_of(hall: str, ticket_id: int) -> list[dict[str, Any]]:
    """The visit so far: what was served, where, from when to when; the last one may go on."""
    query = select(Service).where(Service.hall == hall, Service.ticket_id == ticket_id).order_by(Service.id)
    return [
        {
            "item": each.item,
            "window": each.window,
            "started_at": iso(each.started_at),
            "ended_at": iso(each.ended_at),
            "outcome": each.outcome,
        }
        for each in db.session.execute(query).scalars()
    ]


def _ahead(row: Ticket) -> int:
    session = db.session()
    if row.to_window is None and row.to_staff is None:
        return ahead_of(session, row.hall, row.day, row.queue, row.lane, row.queued_us, row.id)
    before = or_(Ticket.queued_us < row.queued_us, and_(Ticket.queued_us == row.queued_us, Ticket.id < row.id))
    query = select(func.count()).where(*sent_to(row.hall, row.day, row.to_window, row.to_staff), before)
    return session.execute(query).scalar_one()


def _rejoin_until(row: Ticket) -> datetime:
    policy = policy_of(db.session(), row.hall, {})
    return row.deferred_at + timedelta(minutes=policy.rejoin_within_min)


def _note(row: Ticket) -> str:
    return privacy.open_sealed(row.note_sealed, f"tickets.note|{row.hall}|{row.id}") if row.note_sealed else ""


def person_of(hall: str, ticket_id: int) -> dict[str, str]:
    """Who took the ticket, as far as they said; {} for an anonymous one. Only for staff pages, which mask it."""
    query = select(Ticket.person_sealed).where(Ticket.hall == hall, Ticket.id == ticket_id)
    sealed = db.session.execute(query).scalar_one_or_none()
    return json.loads(privacy.open_sealed(sealed, f"tickets.person|{hall}|{ticket_id}")) if sealed else {}


def token_of(hall: str, ticket_id: int) -> str:
    """The holder's token again, for a reprint of the slip. Refuses ticket.unknown."""
    query = select(Ticket.token_sealed).where(Ticket.hall == hall, Ticket.id == ticket_id)
    sealed = db.session.execute(query).scalar_one_or_none()
    if sealed is None:
        raise Refusal("ticket.unknown")
    return privacy.open_sealed(sealed, f"tickets.token|{hall}|{ticket_id}")


def set_aside(hall: str, day: date, queues: list[str], since: datetime) -> list[dict[str, Any]]:
    """Parked tickets, and missed ones since `since`, of these queues: what a clerk may take up again.

    `deferred` are those who went away of their own accord: they rejoin, and are not called past the queue.
    """
    missed = and_(Ticket.state == TicketState.NO_SHOW, Ticket.missed_at > since)
    columns = (
        Ticket.id,
        Ticket.number,
        Ticket.queue,
        Ticket.state,
        Ticket.window,
        Ticket.deferred_at,
        Ticket.remind_at,
    )
    query = select(*columns).where(
        Ticket.hall == hall,
        Ticket.day == day,
        Ticket.queue.in_(queues),
        or_(Ticket.state == TicketState.PARKED, missed),
    )
    return [
        {
            "id": f"{hall}-{r.id}",
            "number": r.number,
            "queue": r.queue,
            "state": r.state,
            "window": r.window,
            "deferred": r.deferred_at is not None,
            "remind_at": iso(r.remind_at) if r.deferred_at is None else None,
        }
        for r in db.session.execute(query.order_by(Ticket.id))
    ]


def why_called(hall: str, ticket_id: int) -> list[dict[str, Any]]:
    """Every call of the ticket with its stored reason, oldest first (Q9)."""
    query = select(Call).where(Call.hall == hall, Call.ticket_id == ticket_id).order_by(Call.id)
    return [
        {
            "window": c.window,
            "at": iso(c.called_at),
            "outcome": c.outcome,
            "mode": c.mode,
            "reason": c.reason,
            "waited_s": c.waited_s,
            "arrived_at": iso(c.arrived_at),
            "why": c.why,
        }
        for c in db.session.execute(query).scalars()
    ]
