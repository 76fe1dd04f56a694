"""Actions of a ticket's holder: taking it, giving it back, going away for a while and coming back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, insert, select, text, update

from app import privacy
from app.action import Transaction, action
from app.errors import Refusal
from app.events import TicketCancelled, TicketDeferred, TicketExpired, TicketIssued, TicketRejoined
from app.hall.models import Hall
from app.now import iso, local_day
from app.queueing.heads import ahead_of, is_closed_for, policy_of
from app.queueing.models import Queue, Ticket
from app.queueing.rules.numbers import number
from app.queueing.rules.policy import Policy, read_policy
from app.queueing.rules.reasons import ExpiryReason, Ground
from app.queueing.rules.states import LIVE, Lane, TicketState, TicketStep
from app.queueing.steps import (
    answer,
    checked,
    exactly,
    find_ticket,
    known_item,
    micros,
    move,
    one_of,
    refuse_past_day,
    said,
    wait_behind_the_next,
)
from app.words import clean, clean_id_number, clean_phone

LARGEST_PARTY = 50

_NEXT_SERIAL = text(
    "INSERT INTO ticket_serials (hall, queue, day, serial) VALUES (:hall, :queue, :day, 1) "
    "ON CONFLICT (hall, queue, day) DO UPDATE SET serial = ticket_serials.serial + 1 RETURNING serial"
)
_QUEUE = (
    select(Queue.prefix, Queue.active, Hall.settings)
    .join(Hall, Hall.code == Queue.hall)
    .where(Queue.hall == bindparam("in_hall"), Queue.code == bindparam("of"))
)
_HELD = (
    select(Ticket.id, Ticket.token_sealed, Ticket.person_key, Ticket.person_sealed)
    .where(Ticket.hall == bindparam("in_hall"), Ticket.queue == bindparam("of"), Ticket.day == bindparam("on"))
    .where(Ticket.state.in_(sorted(LIVE)))
    .order_by(Ticket.id)
)
_HELD_BY = _HELD.where(Ticket.person_key == bindparam("who"))
_HELD_BY_PHONE = _HELD.where(Ticket.phone_key == bindparam("who"))
_HELD_FOR = select(Ticket.id, Ticket.token_sealed).where(
    *(Ticket.hall == bindparam("in_hall"), Ticket.case_number == bindparam("of_case"), Ticket.day == bindparam("on")),
    Ticket.state.in_(sorted(LIVE)),
)
_ISSUE = insert(Ticket.__table__)


@dataclass(frozen=True, slots=True)
class Printed:
    """A ticket that a kiosk gave while it was cut off: from which block, what is on the paper, and when it was taken."""

    block_id: int
    number: str
    token: str
    arrived_at: datetime


def read_person(person: Mapping[str, Any] | None) -> tuple[dict[str, str], dict[str, str]]:
    """The blind indexes that recognise a person again, of `id_number` and `phone`, and the cleaned fields; ({}, {}) for an
    anonymous ticket.

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
    return {kind: privacy.blind_index(kind, fields[kind]) for kind in ("id_number", "phone") if kind in fields}, fields


@action
def issue_ticket(
    tx: Transaction,
    *,
    queue: str,
    channel: str,
    person: Mapping[str, Any] | None = None,
    lane: str = Lane.NORMAL,
    item: str | None = None,
    ground: str | None = None,
    party: int = 1,
    case_number: str | None = None,
    forecast: tuple[int, int] | None = None,
) -> dict[str, Any]:
    """Take a number 取号. Whoever holds a live ticket of this queue today is given that one again (`created` False); if
    they had gone away for a while, they are back with it.

    Refuses item.unknown, queue.unknown, queue.closed, queue.closed_for_today, lane.unknown, lane.needs_appointment,
    ground.unknown, party.size, auth.forbidden (a machine asking for the lane of returning supplements without a case,
    whose right the caller has proved) and bad words. Locks the hall. Tells TicketIssued, or TicketRejoined for who had
    gone away.
    """
    if lane not in set(Lane):
        raise Refusal("lane.unknown")
    if lane == Lane.APPOINTMENT:
        raise Refusal("lane.needs_appointment")
    if lane == Lane.RETURNING and tx.actor.kind != "staff" and not case_number:
        raise Refusal("auth.forbidden")  # straight to the front: only who has seen the papers, or the notice, says so
    if item:
        known_item(tx, item, offered=case_number is None)
    return give(
        tx,
        queue=queue,
        channel=channel,
        person=person,
        lane=lane,
        item=item,
        ground=ground,
        party=party,
        case_number=case_number,
        forecast=forecast,
    )


def give(
    tx: Transaction,
    *,
    queue: str,
    channel: str,
    person: Mapping[str, Any] | None = None,
    lane: str = Lane.NORMAL,
    item: str | None = None,
    ground: str | None = None,
    party: int = 1,
    case_number: str | None = None,
    forecast: tuple[int, int] | None = None,
    queued_at: datetime | None = None,
    appointment_id: int | None = None,
    block: Printed | None = None,
) -> dict[str, Any]:
    """Part of an action: give a ticket, or the live one that the person has. `queued_at` orders it (default: now).

    A queue that gives no tickets, or none any more today, refuses unless the paper is already in somebody's hand; whoever
    the hall asked to come is still given one: with an appointment, in time or late, and today with a supplement.
    """
    if not 1 <= party <= LARGEST_PARTY:
        raise Refusal("party.size", limit=LARGEST_PARTY)
    ground = one_of(Ground, ground, "ground.unknown") if ground and lane == Lane.PRIORITY else None
    keys, fields = read_person(person)
    row = tx.execute(_QUEUE, {"in_hall": tx.hall, "of": queue}).one_or_none()
    if row is None:
        raise Refusal("queue.unknown")
    arrived_at = block.arrived_at if block else tx.at
    day = local_day(arrived_at)
    live = _live(tx, queue, day, keys, fields, row.settings) if keys else None
    if live is None and case_number is not None:
        live = _live_of_case(tx, day, case_number)  # one case, one way to the front
    if live is not None:
        return live
    expected = block is not None or appointment_id is not None
    if not row.active and not expected:
        raise Refusal("queue.closed")
    if not expected and lane != Lane.RETURNING and is_closed_for(row.settings, day.isoformat()):
        raise Refusal("queue.closed_for_today")
    if block is None:
        # a plain date parameter of text() is bound as each driver wants it
        serial = tx.execute(_NEXT_SERIAL, {"hall": tx.hall, "queue": queue, "day": day.isoformat()}).scalar_one()
    printed = block.number if block else number(row.prefix, serial)
    ticket_id, token = tx.new_id(), block.token if block else privacy.new_token()
    queued_us = micros(queued_at or arrived_at)
    low_s, high_s = forecast or (None, None)
    values = {
        "hall": tx.hall,
        "id": ticket_id,
        "number": printed,
        "queue": queue,
        "day": day,
        "lane": lane,
        "state": TicketState.WAITING,
        "item": item,
        "channel": channel,
        "person_key": keys.get("id_number") or keys.get("phone"),
        "phone_key": keys.get("phone"),
        "person_sealed": _sealed(tx, ticket_id, fields) if fields else None,
        "token_hash": privacy.token_hash(token),
        "token_sealed": privacy.seal(token, f"tickets.token|{tx.hall}|{ticket_id}"),
        "queued_us": queued_us,
        "issued_at": arrived_at,
        "recalls": 0,
        "ground": ground,
        "party": party,
        "case_number": case_number,
        "appointment_id": appointment_id,
        "block_id": block.block_id if block else None,
        "forecast_low_s": low_s,
        "forecast_high_s": high_s,
    }
    tx.execute(_ISSUE, values)
    tx.record(
        TicketIssued(
            ticket=ticket_id,
            number=printed,
            queue=queue,
            day=day.isoformat(),
            lane=lane,
            channel=channel,
            item=item,
            ground=ground,
            party=party,
            appointment=appointment_id,
            case=case_number,
            forecast_low_s=low_s,
            forecast_high_s=high_s,
            queued_at=None if queued_us == micros(tx.at) else exactly(queued_us),
            arrived_at=block and iso(arrived_at),
        )
    )
    return _given(tx, ticket_id, token, created=True, forecast=forecast)


def _sealed(tx: Transaction, ticket_id: int, fields: Mapping[str, str]) -> str:
    return privacy.seal(json.dumps(fields), _person_of(tx, ticket_id))


def _person_of(tx: Transaction, ticket_id: int) -> str:
    return f"tickets.person|{tx.hall}|{ticket_id}"


def _held(tx: Transaction, queue: str, day: date, keys: Mapping[str, str]) -> Row[Any] | None:
    """The live ticket of a person: of their ID number, or one that was taken with their phone alone; who says nothing but
    a phone has the first one of it. Two ID numbers with one phone are two people.
    """
    own, phone = keys.get("id_number"), keys.get("phone")
    for query, who in ((_HELD_BY, own), (_HELD_BY if own else _HELD_BY_PHONE, phone)):
        if who is not None:
            found = tx.execute(query, {"in_hall": tx.hall, "of": queue, "on": day, "who": who}).first()
            if found is not None:
                return found
    return None


def _live(
    tx: Transaction,
    queue: str,
    day: date,
    keys: Mapping[str, str],
    fields: Mapping[str, str],
    settings: Mapping[str, Any],
) -> dict[str, Any] | None:
    """The ticket that the person holds already, which waits again if they had gone away; none when they hold none. Of who
    took it with a phone alone it is known from now on whose it is.
    """
    held = _held(tx, queue, day, keys)
    if held is None:
        return None
    row = find_ticket(tx, held.id)
    if row.deferred_at is not None and day == tx.day:
        policy = read_policy(settings.get("queue", {}))
        if tx.at > _rejoin_until(row, policy):
            move(tx, row, TicketState.EXPIRED, finished_at=tx.at, left_reason=ExpiryReason.NOT_BACK, remind_at=None)
            tx.record(TicketExpired(**said(row), reason=ExpiryReason.NOT_BACK))
            return None
        _rejoin(tx, row, policy)
    own = keys.get("id_number")
    if own and held.person_key != own:
        known = json.loads(privacy.open_sealed(held.person_sealed, _person_of(tx, held.id))) | fields
        one = (Ticket.hall == tx.hall, Ticket.id == held.id)
        tx.execute(update(Ticket).where(*one).values(person_key=own, person_sealed=_sealed(tx, held.id, known)))
    token = privacy.open_sealed(held.token_sealed, f"tickets.token|{tx.hall}|{held.id}")
    return _given(tx, held.id, token, created=False)


def _live_of_case(tx: Transaction, day: date, case_number: str) -> dict[str, Any] | None:
    """The live ticket that brings this case's supplement today, in whatever queue; none when there is none."""
    held = tx.execute(_HELD_FOR, {"in_hall": tx.hall, "on": day, "of_case": case_number}).first()
    if held is None:
        return None
    return _given(
        tx, held.id, privacy.open_sealed(held.token_sealed, f"tickets.token|{tx.hall}|{held.id}"), created=False
    )


def _given(
    tx: Transaction, ticket_id: int, token: str, *, created: bool, forecast: tuple[int, int] | None = None
) -> dict[str, Any]:
    row = find_ticket(tx, ticket_id)
    waiting = row.state == TicketState.WAITING
    low_s, high_s = forecast or (None, None)
    return {
        "id": f"{tx.hall}-{ticket_id}",
        "number": row.number,
        "queue": row.queue,
        "lane": row.lane,
        "state": row.state,
        "ahead": ahead_of(tx.session, tx.hall, row.day, row.queue, row.lane, row.queued_us, row.id) if waiting else 0,
        "wait_low_s": low_s,
        "wait_high_s": high_s,
        "issued_at": iso(row.issued_at),
        "token": token,
        "created": created,
    }


@action
def cancel_ticket(tx: Transaction, *, ticket_id: int) -> dict[str, Any]:
    """Give a ticket back 取消; for the citizen who holds its token.

    Refuses ticket.unknown, ticket.illegal_step. Locks the hall. Tells TicketCancelled.
    """
    row, state = checked(tx, ticket_id, TicketStep.CANCEL)
    move(tx, row, state, finished_at=tx.at, remind_at=None)
    tx.record(TicketCancelled(**said(row)))
    return {"id": f"{tx.hall}-{ticket_id}", "number": row.number, "state": state}


@action
def defer_ticket(tx: Transaction, *, ticket_id: int) -> dict[str, Any]:
    """Go away for a while and keep the number 暂离; for the citizen who holds its token, or a guide.

    Refuses ticket.unknown, ticket.illegal_step, ticket.defer_off where the hall does not offer it. Locks the hall.
    Tells TicketDeferred. Who is not back by `rejoin_until` loses the number (closing.remind_parked).
    """
    row, state = checked(tx, ticket_id, TicketStep.DEFER)
    policy = policy_of(tx.session, tx.hall, {})
    if not policy.rejoin_within_min:
        raise Refusal("ticket.defer_off")
    until = tx.at + timedelta(minutes=policy.rejoin_within_min)
    move(tx, row, state, deferred_at=tx.at, remind_at=until)
    tx.record(TicketDeferred(**said(row)))
    return answer(tx, row, state, rejoin_until=iso(until))


@action
def rejoin_ticket(tx: Transaction, *, ticket_id: int) -> dict[str, Any]:
    """Who had gone away is back 归队: behind the next three of the queue, never before their own old place (Q8).

    Refuses ticket.unknown, ticket.illegal_step, ticket.rejoin_too_late, ticket.day_over. Locks the hall. Tells
    TicketRejoined.
    """
    row, _ = checked(tx, ticket_id, TicketStep.REJOIN)
    refuse_past_day(tx, row)
    policy = policy_of(tx.session, tx.hall, {})
    if tx.at > _rejoin_until(row, policy):
        raise Refusal("ticket.rejoin_too_late", minutes=policy.rejoin_within_min)
    _rejoin(tx, row, policy)
    return answer(tx, row, TicketState.WAITING, window=None)


def _rejoin(tx: Transaction, row: Row[Any], policy: Policy) -> None:
    queued_us = wait_behind_the_next(tx, row, policy)
    tx.record(TicketRejoined(**said(row), queued_at=exactly(queued_us)))


def _rejoin_until(row: Row[Any], policy: Policy) -> datetime:
    return row.deferred_at + timedelta(minutes=policy.rejoin_within_min)
