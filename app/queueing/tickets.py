"""Actions on a ticket before it is called: taking one, cancelling it, the close of day."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, text, update

from app import privacy
from app.action import Transaction, action
from app.errors import Refusal
from app.events import DayClosed, TicketCancelled, TicketExpired, TicketIssued
from app.now import iso
from app.queueing.models import Queue, Ticket
from app.queueing.queries import ahead_of, queue_wait
from app.queueing.rules.numbers import number
from app.queueing.rules.states import LIVE, Lane, TicketState, TicketStep, next_state
from app.words import clean, clean_id_number, clean_phone

_NEXT_SERIAL = text(
    "INSERT INTO ticket_serials (hall, queue, day, serial) VALUES (:hall, :queue, :day, 1) "
    "ON CONFLICT (hall, queue, day) DO UPDATE SET serial = ticket_serials.serial + 1 RETURNING serial"
)

_QUEUE = select(Queue.prefix, Queue.active).where(Queue.hall == bindparam("in_hall"), Queue.code == bindparam("of"))
_ISSUE = insert(Ticket.__table__)


def micros(at: datetime) -> int:
    """Microseconds since 1970 UTC, exactly."""
    return int(at.timestamp()) * 1_000_000 + at.microsecond


def read_person(person: Mapping[str, Any] | None) -> tuple[str | None, dict[str, str]]:
    """The blind index that recognises a person again, and the cleaned fields; (None, {}) for an anonymous ticket.

    Refuses person.bad_id, person.bad_phone and the refusals of `clean`.
    """
    person = person or {}
    fields = {}
    if person.get("name"):
        fields["name"] = clean(person["name"], "name")
    if person.get("id_number"):
        fields["id_number"] = clean_id_number(person["id_number"])
    if person.get("phone"):
        fields["phone"] = clean_phone(person["phone"])
    for kind in ("id_number", "phone"):
        if kind in fields:
            return privacy.blind_index(kind, fields[kind]), fields
    return None, fields


@action
def issue_ticket(
    tx: Transaction,
    *,
    queue: str,
    channel: str,
    person: Mapping[str, Any] | None = None,
    lane: str = Lane.NORMAL,
    item: str | None = None,
) -> dict[str, Any]:
    """Take a number 取号. Whoever holds a live ticket of this queue today is given that one again (`created` False).

    Refuses queue.unknown, queue.closed, lane.unknown, appointment.unavailable, auth.forbidden (a machine asking for the
    lane of returning supplements) and bad words. Locks the hall. Tells TicketIssued.
    """
    if lane not in set(Lane):
        raise Refusal("lane.unknown")
    if lane == Lane.APPOINTMENT:
        raise Refusal("appointment.unavailable")
    if lane == Lane.RETURNING and tx.actor.kind != "staff":
        raise Refusal("auth.forbidden")  # straight to the front: only somebody who has seen the papers says so
    key, fields = read_person(person)
    row = tx.execute(_QUEUE, {"in_hall": tx.hall, "of": queue}).one_or_none()
    if row is None:
        raise Refusal("queue.unknown")
    if not row.active:
        raise Refusal("queue.closed")
    if key is not None:
        held = select(Ticket).where(
            Ticket.hall == tx.hall,
            Ticket.queue == queue,
            Ticket.day == tx.day,
            Ticket.person_key == key,
            Ticket.state.in_(sorted(LIVE)),
        )
        live = tx.execute(held).scalar_one_or_none()
        if live is not None:
            return _issued(
                tx, live.id, live.number, live.queue, live.lane, live.state, live.queued_us, live.issued_at
            ) | {
                "token": privacy.open_sealed(live.token_sealed, f"tickets.token|{tx.hall}|{live.id}"),
                "created": False,
            }
    # a plain date parameter of text() is bound as each driver wants it
    serial = tx.execute(_NEXT_SERIAL, {"hall": tx.hall, "queue": queue, "day": tx.day.isoformat()}).scalar_one()
    printed = number(row.prefix, serial)
    ticket_id, token = tx.new_id(), privacy.new_token()
    values = {
        "hall": tx.hall,
        "id": ticket_id,
        "number": printed,
        "queue": queue,
        "day": tx.day,
        "lane": lane,
        "state": TicketState.WAITING,
        "item": item,
        "channel": channel,
        "person_key": key,
        "person_sealed": privacy.seal(json.dumps(fields), f"tickets.person|{tx.hall}|{ticket_id}") if fields else None,
        "token_hash": privacy.token_hash(token),
        "token_sealed": privacy.seal(token, f"tickets.token|{tx.hall}|{ticket_id}"),
        "queued_us": micros(tx.at),
        "issued_at": tx.at,
        "recalls": 0,
    }
    tx.execute(_ISSUE, values)
    day = tx.day.isoformat()
    tx.record(
        TicketIssued(ticket=ticket_id, number=printed, queue=queue, day=day, lane=lane, channel=channel, item=item)
    )
    issued = _issued(tx, ticket_id, printed, queue, lane, TicketState.WAITING, micros(tx.at), tx.at)
    return issued | {"token": token, "created": True}


def _issued(
    tx: Transaction,
    ticket_id: int,
    printed: str,
    queue: str,
    lane: str,
    state: str,
    queued_us: int,
    issued_at: datetime,
) -> dict[str, Any]:
    ahead = (
        ahead_of(tx.session, tx.hall, tx.day, queue, lane, queued_us, ticket_id) if state == TicketState.WAITING else 0
    )
    wait = queue_wait(tx.session, tx.hall, queue, ahead, tx.at)
    return {
        "id": f"{tx.hall}-{ticket_id}",
        "number": printed,
        "queue": queue,
        "lane": lane,
        "state": state,
        "ahead": ahead,
        "wait_low_s": wait[0] if wait else None,
        "wait_high_s": wait[1] if wait else None,
        "issued_at": iso(issued_at),
    }


@action
def cancel_ticket(tx: Transaction, *, ticket_id: int) -> dict[str, Any]:
    """Give a ticket back 取消; for the citizen who holds its token.

    Refuses ticket.unknown, ticket.illegal_step. Locks the hall. Tells TicketCancelled.
    """
    one = (Ticket.hall == tx.hall, Ticket.id == ticket_id)
    row = tx.execute(select(Ticket.number, Ticket.queue, Ticket.day, Ticket.state).where(*one)).one_or_none()
    if row is None:
        raise Refusal("ticket.unknown")
    state = next_state(TicketState(row.state), TicketStep.CANCEL)
    if state is None:
        raise Refusal("ticket.illegal_step", number=row.number, state=row.state)
    tx.execute(update(Ticket).where(*one).values(state=state, finished_at=tx.at))
    tx.record(TicketCancelled(ticket=ticket_id, number=row.number, queue=row.queue, day=row.day.isoformat()))
    return {"id": f"{tx.hall}-{ticket_id}", "number": row.number, "state": state}


@action
def close_day(tx: Transaction, *, before: str) -> dict[str, Any]:
    """Expire every unserved ticket of the business days before `before` (a local day, YYYY-MM-DD, itself excluded).

    A ticket that is at a window stays there until its clerk ends it. Locks the hall. Tells TicketExpired for each and
    one DayClosed a day.
    """
    columns = (Ticket.id, Ticket.number, Ticket.queue, Ticket.day, Ticket.state)
    query = select(*columns).where(
        Ticket.hall == tx.hall,
        Ticket.day < datetime.fromisoformat(before).date(),
        Ticket.state.in_([TicketState.WAITING, TicketState.PARKED, TicketState.NO_SHOW]),
    )
    expired: dict[str, int] = {}
    for row in tx.execute(query.order_by(Ticket.id)).all():
        one = (Ticket.hall == tx.hall, Ticket.id == row.id)
        tx.execute(update(Ticket).where(*one).values(state=TicketState.EXPIRED, finished_at=tx.at))
        day = row.day.isoformat()
        tx.record(TicketExpired(ticket=row.id, number=row.number, queue=row.queue, day=day))
        expired[day] = expired.get(day, 0) + 1
    for day, count in sorted(expired.items()):
        tx.record(DayClosed(day=day, expired=count))
    return {"expired": sum(expired.values())}
