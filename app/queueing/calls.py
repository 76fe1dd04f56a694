"""Actions of calling: next, again, start, finish, missed, restored, parked, transferred, abandoned."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Row, insert, select, update

from app import privacy
from app.action import Transaction, action
from app.errors import Refusal
from app.events import (
    TicketAbandoned,
    TicketCalled,
    TicketFinished,
    TicketMissed,
    TicketParked,
    TicketRecalled,
    TicketRestored,
    TicketStarted,
    TicketTransferred,
    TicketUnparked,
)
from app.hall.models import Window
from app.queueing.models import Call, Queue, Ticket, WindowQueue
from app.queueing.queries import heads_of_lanes, policy_of, ranked_waiting
from app.queueing.rules.order import choose_next
from app.queueing.rules.states import AT_WINDOW, TicketState, TicketStep, next_state
from app.queueing.tickets import micros
from app.queueing.windows import at_window, occupied_by
from app.words import clean


@action
def call_next(tx: Transaction, *, window: str) -> dict[str, Any] | None:
    """Call the next ticket 叫号 to the actor's window; None when nobody waits there.

    Refuses window.not_open, window.not_yours, window.occupied. Locks the hall. Tells TicketCalled with the reason.
    """
    at_window(tx, window, calling=True)
    number = occupied_by(tx, window)
    if number is not None:
        raise Refusal("window.occupied", number=number)
    weights = dict(
        tx.execute(
            select(WindowQueue.queue, WindowQueue.weight_min).where(
                WindowQueue.hall == tx.hall, WindowQueue.window == window
            )
        ).all()
    )
    policy = policy_of(tx.session, tx.hall, weights)
    choice = choose_next(heads_of_lanes(tx.session, tx.hall, tx.day, window, tuple(weights)), policy, tx.at)
    if choice is None:
        return None
    head, why = choice
    row = _ticket(tx, head.ticket)
    waited_s = int((tx.at - row.issued_at).total_seconds())
    _to_window(tx, row, window, why)
    event = TicketCalled(**_said(row), lane=row.lane, window=window, waited_s=waited_s, why=why)
    tx.record(event)
    ticket = {"id": f"{tx.hall}-{row.id}", "number": row.number, "queue": row.queue, "lane": row.lane}
    return {"ticket": ticket | {"waited_s": waited_s, "item": row.item, "state": "called"}, "why": why}


@action
def recall(tx: Transaction, *, ticket_id: int) -> dict[str, Any]:
    """Call the same ticket again 重呼.

    Refuses ticket.illegal_step, ticket.not_at_window, ticket.recall_too_soon, ticket.recall_limit. Locks the hall.
    """
    row, state = _at_mine(tx, ticket_id, TicketStep.RECALL)
    policy = policy_of(tx.session, tx.hall, {})
    if row.recalls >= policy.recalls:
        raise Refusal("ticket.recall_limit", limit=policy.recalls)
    since = tx.at - (row.recalled_at or row.called_at)
    gap = timedelta(seconds=policy.recall_gap_s)
    if since < gap:
        raise Refusal("ticket.recall_too_soon", seconds=int((gap - since).total_seconds()) + 1)
    _set(tx, row, state, recalls=row.recalls + 1, recalled_at=tx.at)
    tx.record(TicketRecalled(**_said(row), window=row.window, recall=row.recalls + 1))
    return _answer(tx, row, state) | {"recall": row.recalls + 1}


@action
def start(tx: Transaction, *, ticket_id: int) -> dict[str, Any]:
    """The person has come: service begins. Refuses ticket.illegal_step, ticket.not_at_window. Locks the hall."""
    row, state = _at_mine(tx, ticket_id, TicketStep.START)
    _set(tx, row, state, started_at=tx.at)
    tx.record(TicketStarted(**_said(row), window=row.window))
    return _answer(tx, row, state)


@action
def finish(tx: Transaction, *, ticket_id: int) -> dict[str, Any]:
    """The visit is over 办结. Refuses ticket.illegal_step, ticket.not_at_window. Locks the hall."""
    row, state = _at_mine(tx, ticket_id, TicketStep.FINISH)
    served_s = int((tx.at - row.started_at).total_seconds())
    _set(tx, row, state, finished_at=tx.at)
    _end_call(tx, row, "finished")
    tx.record(TicketFinished(**_said(row), window=row.window, served_s=served_s))
    return _answer(tx, row, state)


@action
def no_show(tx: Transaction, *, ticket_id: int) -> dict[str, Any]:
    """Nobody came 过号. Refuses ticket.illegal_step, ticket.not_at_window. Locks the hall."""
    row, state = _at_mine(tx, ticket_id, TicketStep.NO_SHOW)
    _set(tx, row, state, missed_at=tx.at)
    _end_call(tx, row, "no_show")
    tx.record(TicketMissed(**_said(row), window=row.window))
    return _answer(tx, row, state)


@action
def restore(tx: Transaction, *, ticket_id: int) -> dict[str, Any]:
    """A missed ticket waits again 过号恢复, behind the next three of its queue (Q8).

    Refuses ticket.illegal_step, ticket.restore_too_late, and ticket.live_elsewhere when the person has meanwhile taken
    a new number of this queue. Locks the hall.
    """
    row, state = _checked(tx, ticket_id, TicketStep.RESTORE)
    policy = policy_of(tx.session, tx.hall, {})
    if tx.at - row.missed_at > timedelta(minutes=policy.restore_within_min):
        raise Refusal("ticket.restore_too_late", minutes=policy.restore_within_min)
    _refuse_other_live(tx, row, row.queue)
    ranks = ranked_waiting(tx.session, tx.hall, tx.day, row.queue, policy, limit=policy.restore_behind)
    start_us = policy.head_start_min.get(row.lane, 0) * 60_000_000
    queued_us = ranks[-1] + start_us + 1 if ranks else micros(tx.at)
    _set(tx, row, state, window=None, to_window=None, queued_us=queued_us, recalls=0, recalled_at=None)
    tx.record(TicketRestored(**_said(row)))
    return _answer(tx, row, state)


@action
def park(tx: Transaction, *, ticket_id: int, reason: str = "") -> dict[str, Any]:
    """Set a visit aside 挂起: the person copies a paper and comes back to this window.

    Refuses ticket.illegal_step, ticket.not_at_window. Locks the hall.
    """
    row, state = _at_mine(tx, ticket_id, TicketStep.PARK)
    reason = clean(reason, "reason", limit=100, empty=True)
    note = privacy.seal(reason, f"tickets.note|{tx.hall}|{row.id}") if reason else None
    _set(tx, row, state, note_sealed=note)
    _end_call(tx, row, "parked")
    tx.record(TicketParked(**_said(row), window=row.window))
    return _answer(tx, row, state)


@action
def unpark(tx: Transaction, *, ticket_id: int, window: str) -> dict[str, Any]:
    """Call a parked ticket back to the actor's window.

    Refuses ticket.illegal_step, window.not_open, window.not_yours, window.occupied. Locks the hall.
    """
    row, state = _checked(tx, ticket_id, TicketStep.UNPARK)
    at_window(tx, window, calling=True)
    number = occupied_by(tx, window)
    if number is not None:
        raise Refusal("window.occupied", number=number)
    _to_window(tx, row, window, {"rule": "unpark", "chosen": row.number, "candidates": []})
    tx.record(TicketUnparked(**_said(row), window=window))
    return _answer(tx, row, state) | {"window": window}


@action
def transfer(tx: Transaction, *, ticket_id: int, queue: str | None = None, window: str | None = None) -> dict[str, Any]:
    """Send the person to another queue or straight to another window 转移; number and arrival stay.

    Refuses ticket.illegal_step, ticket.not_at_window, queue.unknown, window.unknown, ticket.live_elsewhere. Locks the
    hall.
    """
    row, state = _at_mine(tx, ticket_id, TicketStep.TRANSFER)
    if (queue is None) == (window is None):
        raise Refusal("request.invalid", detail="queue | window")
    if queue is not None:
        known = select(Queue.code).where(Queue.hall == tx.hall, Queue.code == queue, Queue.active)
        if tx.execute(known).one_or_none() is None:
            raise Refusal("queue.unknown")
        _refuse_other_live(tx, row, queue)
    else:
        known = select(Window.code).where(Window.hall == tx.hall, Window.code == window, Window.active)
        if tx.execute(known).one_or_none() is None:
            raise Refusal("window.unknown")
    target = queue or row.queue
    _set(tx, row, state, queue=target, to_window=window, window=None, recalls=0, recalled_at=None, started_at=None)
    _end_call(tx, row, "transferred")
    said = _said(row) | {"queue": target}
    tx.record(TicketTransferred(**said, from_queue=row.queue, window=row.window, to_window=window))
    return _answer(tx, row, state) | {"queue": target, "to_window": window, "window": None}


@action
def abandon(tx: Transaction, *, ticket_id: int) -> dict[str, Any]:
    """The person gave up 弃号. Refuses ticket.illegal_step, ticket.not_at_window (once called). Locks the hall."""
    row, state = _checked(tx, ticket_id, TicketStep.ABANDON)
    if row.state in AT_WINDOW:
        _refuse_foreign_window(tx, row)
    _set(tx, row, state, finished_at=tx.at)
    _end_call(tx, row, "abandoned")
    tx.record(TicketAbandoned(**_said(row), window=row.window))
    return _answer(tx, row, state)


def _ticket(tx: Transaction, ticket_id: int) -> Row[Any]:
    columns = (
        *(Ticket.id, Ticket.number, Ticket.queue, Ticket.day, Ticket.lane, Ticket.state, Ticket.item, Ticket.window),
        *(Ticket.issued_at, Ticket.called_at, Ticket.recalled_at, Ticket.recalls, Ticket.started_at, Ticket.missed_at),
        Ticket.person_key,
    )
    row = tx.execute(select(*columns).where(Ticket.hall == tx.hall, Ticket.id == ticket_id)).one_or_none()
    if row is None:
        raise Refusal("ticket.unknown")
    return row


def _checked(tx: Transaction, ticket_id: int, step: TicketStep) -> tuple[Row[Any], TicketState]:
    """The ticket and the state that the step leads to."""
    row = _ticket(tx, ticket_id)
    state = next_state(TicketState(row.state), step)
    if state is None:
        raise Refusal("ticket.illegal_step", number=row.number, state=row.state)
    return row, state


def _at_mine(tx: Transaction, ticket_id: int, step: TicketStep) -> tuple[Row[Any], TicketState]:
    """The same for a ticket that must be at the actor's own window."""
    row, state = _checked(tx, ticket_id, step)
    _refuse_foreign_window(tx, row)
    return row, state


def _refuse_foreign_window(tx: Transaction, row: Row[Any]) -> None:
    try:
        at_window(tx, row.window)
    except Refusal:
        raise Refusal("ticket.not_at_window") from None


def _refuse_other_live(tx: Transaction, row: Row[Any], queue: str) -> None:
    if row.person_key is None:
        return
    other = select(Ticket.number).where(
        Ticket.hall == tx.hall,
        Ticket.queue == queue,
        Ticket.day == row.day,
        Ticket.person_key == row.person_key,
        Ticket.id != row.id,
        Ticket.state.in_(["waiting", "called", "serving", "parked"]),
    )
    number = tx.execute(other).scalar_one_or_none()
    if number is not None:
        raise Refusal("ticket.live_elsewhere", number=number)


def _to_window(tx: Transaction, row: Row[Any], window: str, why: dict[str, Any]) -> None:
    _set(
        tx,
        row,
        TicketState.CALLED,
        window=window,
        to_window=None,
        called_at=tx.at,
        recalled_at=None,
        recalls=0,
        started_at=None,
    )
    call = {
        "hall": tx.hall,
        "id": tx.new_id(),
        "ticket_id": row.id,
        "window": window,
        "staff": tx.actor.name,
        "called_at": tx.at,
        "why": why,
    }
    tx.execute(insert(Call.__table__), call)


def _set(tx: Transaction, row: Row[Any], state: TicketState, **values: Any) -> None:
    one = (Ticket.hall == tx.hall, Ticket.id == row.id)
    tx.execute(update(Ticket.__table__).where(*one).values(state=state, **values))


def _end_call(tx: Transaction, row: Row[Any], outcome: str) -> None:
    open_call = (Call.hall == tx.hall, Call.ticket_id == row.id, Call.ended_at.is_(None))
    tx.execute(update(Call.__table__).where(*open_call).values(ended_at=tx.at, outcome=outcome))


def _said(row: Row[Any]) -> dict[str, Any]:
    return {"ticket": row.id, "number": row.number, "queue": row.queue, "day": row.day.isoformat()}


def _answer(tx: Transaction, row: Row[Any], state: TicketState) -> dict[str, Any]:
    ticket = {"id": f"{tx.hall}-{row.id}", "number": row.number, "queue": row.queue, "lane": row.lane}
    return ticket | {"state": state.value, "window": row.window, "item": row.item}
