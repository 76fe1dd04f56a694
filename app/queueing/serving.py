"""Actions of a visit: begun, another item, finished, set aside, passed on, given up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Row, func, select

from app.action import Transaction, action
from app.errors import Refusal
from app.events import (
    ItemFollowed,
    TicketAbandoned,
    TicketFinished,
    TicketParked,
    TicketStarted,
    TicketTransferred,
)
from app.hall.models import Window
from app.now import iso
from app.queueing.appointment_models import Appointment
from app.queueing.heads import policy_of, ranked_waiting, sent_to, start_us
from app.queueing.models import Queue, Ticket, WindowSession
from app.queueing.rules.policy import Policy
from app.queueing.rules.reasons import AbandonReason, ParkReason, Place
from app.queueing.rules.states import AT_WINDOW, Lane, TicketState, TicketStep
from app.queueing.seats import set_free
from app.queueing.steps import (
    answer,
    at_mine,
    begin_service,
    checked,
    end_call,
    end_service,
    exactly,
    known_item,
    micros,
    move,
    one_of,
    refuse_foreign_window,
    refuse_other_live,
    refuse_past_day,
    said,
    seal_note,
    waits_again,
)

LONGEST_REMINDER_MIN = 240


@action
def start(tx: Transaction, *, ticket_id: int, item: str | None = None) -> dict[str, Any]:
    """The person has come: service begins, of `item` or of what the ticket was taken for.

    Refuses ticket.illegal_step, ticket.not_at_window, item.unknown. Locks the hall. Tells TicketStarted.
    """
    row, state = at_mine(tx, ticket_id, TicketStep.START)
    item = known_item(tx, item, offered=True) if item else row.item
    move(tx, row, state, started_at=tx.at, item=item)
    begin_service(tx, row, item, arrived=True)
    tx.record(TicketStarted(**said(row), window=row.window, item=item))
    return answer(tx, row, state, item=item)


@action
def next_item(tx: Transaction, *, ticket_id: int, item: str) -> dict[str, Any]:
    """The same visit goes on with another item 续办: one service ends and another begins (Q14).

    Refuses ticket.illegal_step, ticket.not_at_window, item.unknown. Locks the hall. Tells ItemFollowed.
    """
    row, state = at_mine(tx, ticket_id, TicketStep.NEXT_ITEM)
    item = known_item(tx, item, offered=True)
    served_s = end_service(tx, row, "next-item")
    move(tx, row, state, item=item)
    begin_service(tx, row, item)
    tx.record(ItemFollowed(**said(row), window=row.window, item=item, served_s=served_s))
    return answer(tx, row, state, item=item)


@action
def finish(tx: Transaction, *, ticket_id: int) -> dict[str, Any]:
    """The visit is over 办结.

    Refuses ticket.illegal_step, ticket.not_at_window. Locks the hall. Tells TicketFinished.
    """
    row, state = at_mine(tx, ticket_id, TicketStep.FINISH)
    served_s = end_service(tx, row, "finished")
    move(tx, row, state, finished_at=tx.at)
    _leave_window(tx, row, "finished")
    tx.record(TicketFinished(**said(row), window=row.window, served_s=served_s))
    return answer(tx, row, state)


@action
def park(
    tx: Transaction, *, ticket_id: int, reason: str = ParkReason.OTHER, note: str = "", remind_min: int | None = None
) -> dict[str, Any]:
    """Set a visit aside 挂起: the person copies a paper and comes back to this window. The clerk is reminded of it.

    Refuses ticket.illegal_step, ticket.not_at_window, reason.unknown, request.invalid (a reminder of less than a minute
    or more than four hours) and bad words. Locks the hall. Tells TicketParked.
    """
    row, state = at_mine(tx, ticket_id, TicketStep.PARK)
    code = one_of(ParkReason, reason)
    if remind_min is None:
        remind_min = policy_of(tx.session, tx.hall, {}).park_remind_min
    if not 1 <= remind_min <= LONGEST_REMINDER_MIN:
        raise Refusal("request.invalid", detail=f"remind_min: 1–{LONGEST_REMINDER_MIN}")
    remind_at = tx.at + timedelta(minutes=remind_min)
    end_service(tx, row, "parked")
    move(tx, row, state, note_sealed=seal_note(tx, row, note), remind_at=remind_at, deferred_at=None)
    _leave_window(tx, row, "parked")
    tx.record(TicketParked(**said(row), window=row.window, reason=code.value, remind_at=iso(remind_at)))
    return answer(tx, row, state, remind_at=iso(remind_at))


@action
def transfer(
    tx: Transaction,
    *,
    ticket_id: int,
    queue: str | None = None,
    window: str | None = None,
    staff: str | None = None,
    place: str = Place.SORTED,
    note: str = "",
) -> dict[str, Any]:
    """Send the person to another queue, or straight to an open window or to a clerk at one 转移; the number stays.

    They stand there before everyone who waits now (`first`), by their arrival or booked time (`sorted`), or as if they came
    now (`last`), whatever place an earlier step gave them. The note is for the next clerk. Refuses ticket.illegal_step, ticket.not_at_window, ticket.day_over,
    ticket.transfer_limit, place.unknown, queue.unknown, window.unknown, window.not_open, staff.not_at_window,
    ticket.live_elsewhere and bad words. Locks the hall. Tells TicketTransferred.
    """
    row, state = at_mine(tx, ticket_id, TicketStep.TRANSFER)
    if (queue, window, staff).count(None) != 2:
        raise Refusal("request.invalid", detail="queue | window | staff")
    stands = one_of(Place, place, "place.unknown")
    refuse_past_day(tx, row)
    policy = policy_of(tx.session, tx.hall, {})
    if row.transfers >= policy.transfer_cap:
        raise Refusal("ticket.transfer_limit", limit=policy.transfer_cap)
    _refuse_target(tx, row, queue, window, staff)
    target = queue or row.queue
    queued_us = _queue_time(tx, row, stands, policy, target, window, staff)
    if row.state == TicketState.SERVING:
        end_service(tx, row, "transferred")
    sent = {"queue": target, "to_window": window, "to_staff": staff}
    more = {"transfers": row.transfers + 1, "note_sealed": seal_note(tx, row, note)}
    waits_again(tx, row, queued_us, **sent, **more)
    _leave_window(tx, row, "transferred")
    tx.record(
        TicketTransferred(
            **{**said(row), **sent},
            from_queue=row.queue,
            window=row.window,
            place=stands.value,
            queued_at=exactly(queued_us),
        )
    )
    return answer(tx, row, state, window=None, transfers=row.transfers + 1, **sent)


@action
def abandon(tx: Transaction, *, ticket_id: int, reason: str = AbandonReason.GAVE_UP) -> dict[str, Any]:
    """The person gave up 弃号.

    Refuses ticket.illegal_step, ticket.not_at_window (once called), reason.unknown. Locks the hall. Tells
    TicketAbandoned.
    """
    row, state = checked(tx, ticket_id, TicketStep.ABANDON)
    code = one_of(AbandonReason, reason)
    here = row.state in AT_WINDOW
    if here:
        refuse_foreign_window(tx, row)
    move(tx, row, state, finished_at=tx.at, left_reason=code.value, remind_at=None)
    if here:
        _leave_window(tx, row, "abandoned")
    tx.record(TicketAbandoned(**said(row), window=row.window if here else None, reason=code.value))
    return answer(tx, row, state)


def release(tx: Transaction, *, window: str | None, staff: str) -> int:
    """Part of an action: who waits for this window, or for the clerk who leaves or pauses, waits for any window of the queue again.

    Tells TicketTransferred for each, from no window; how many.
    """
    of = Ticket.__table__.c
    columns = (of.id, of.number, of.queue, of.day, of.queued_us)
    named = [sent_to(tx.hall, tx.day, None, staff)]
    if window is not None:
        named.append(sent_to(tx.hall, tx.day, window, None))
    rows = {row.id: row for each in named for row in tx.execute(select(*columns).where(*each)).all()}
    for _, row in sorted(rows.items()):
        move(tx, row, TicketState.WAITING, to_window=None, to_staff=None)
        tx.record(
            TicketTransferred(**said(row), from_queue=row.queue, window=None, queued_at=exactly(row.queued_us)),
        )
    return len(rows)


def _leave_window(tx: Transaction, row: Row[Any], outcome: str) -> None:
    end_call(tx, row, outcome)
    set_free(tx, row.window)


def _refuse_target(tx: Transaction, row: Row[Any], queue: str | None, window: str | None, staff: str | None) -> None:
    """Refuses a target that is none, or where nobody would ever call."""
    if queue is not None:
        known = select(Queue.code).where(Queue.hall == tx.hall, Queue.code == queue, Queue.active)
        if tx.execute(known).one_or_none() is None:
            raise Refusal("queue.unknown")
        refuse_other_live(tx, row, queue)
        return
    open_seat = (WindowSession.hall == tx.hall, WindowSession.state == "open")
    if window is not None:
        known = select(Window.code).where(Window.hall == tx.hall, Window.code == window, Window.active)
        if tx.execute(known).one_or_none() is None:
            raise Refusal("window.unknown")
        if tx.execute(select(WindowSession.id).where(*open_seat, WindowSession.window == window)).first() is None:
            raise Refusal("window.not_open")
    elif tx.execute(select(WindowSession.id).where(*open_seat, WindowSession.staff == staff)).first() is None:
        raise Refusal("staff.not_at_window")


def _queue_time(
    tx: Transaction,
    row: Row[Any],
    place: Place,
    policy: Policy,
    queue: str,
    window: str | None,
    staff: str | None,
) -> int:
    """The queue time that gives a transferred ticket its place; `first` never puts it behind its arrival."""
    if place == Place.LAST:
        return micros(tx.at)
    came = _came_us(tx, row)
    if place == Place.SORTED:
        return came
    if window is None and staff is None:
        ranks = ranked_waiting(tx.session, tx.hall, row.day, queue, policy, limit=1)
        before = ranks[0] + start_us(policy, Lane(row.lane)) - 1 if ranks else came
    else:
        first = select(func.min(Ticket.queued_us)).where(*sent_to(tx.hall, row.day, window, staff))
        before = (tx.execute(first).scalar_one() or came + 1) - 1
    return min(before, came)


def _came_us(tx: Transaction, row: Row[Any]) -> int:
    """The queue time with which the ticket was given: its arrival, of the appointment lane its booked time."""
    if row.lane != Lane.APPOINTMENT:
        return micros(row.issued_at)
    its_own = (Ticket.hall == Appointment.hall) & (Ticket.appointment_id == Appointment.id)
    booked = select(Appointment.slot_at).join(Ticket, its_own).where(Ticket.hall == tx.hall, Ticket.id == row.id)
    return micros(tx.execute(booked).scalar_one())
