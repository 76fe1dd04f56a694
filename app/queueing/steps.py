"""What the steps of a ticket share: finding and checking it, moving it, its call and its service. Parts of the actions."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Row, bindparam, insert, select, update

from app import privacy
from app.action import Transaction
from app.catalog.models import ServiceItem
from app.errors import Refusal
from app.now import local
from app.queueing.heads import instant, ranked_waiting, start_us
from app.queueing.models import Call, Service, Ticket
from app.queueing.rules.order import Tally
from app.queueing.rules.policy import Policy
from app.queueing.rules.states import LIVE, Lane, TicketState, TicketStep, legal_steps, next_state
from app.queueing.seats import at_window, set_busy
from app.words import clean

Code = TypeVar("Code", bound=enum.StrEnum)

_TICKET = select(
    *(Ticket.id, Ticket.number, Ticket.queue, Ticket.day, Ticket.lane, Ticket.state, Ticket.item, Ticket.person_key),
    *(Ticket.issued_at, Ticket.waiting_since, Ticket.queued_us, Ticket.to_window, Ticket.to_staff, Ticket.window),
    *(
        Ticket.called_at,
        Ticket.first_called_at,
        Ticket.recalled_at,
        Ticket.recalls,
        Ticket.started_at,
        Ticket.missed_at,
    ),
    *(Ticket.deferred_at, Ticket.transfers),
).where(Ticket.hall == bindparam("in_hall"), Ticket.id == bindparam("of"))

_OTHER_LIVE = select(Ticket.number).where(
    *(Ticket.hall == bindparam("in_hall"), Ticket.queue == bindparam("at"), Ticket.day == bindparam("on")),
    *(Ticket.person_key == bindparam("who"), Ticket.id != bindparam("but"), Ticket.state.in_(sorted(LIVE))),
)


def micros(at: datetime) -> int:
    """Microseconds since 1970 UTC, exactly."""
    return int(at.timestamp()) * 1_000_000 + at.microsecond


def exactly(queued_us: int) -> str:
    """A queue time as events tell it: to the microsecond, since one of them may decide who is first."""
    return local(instant(queued_us)).isoformat(timespec="microseconds")


def one_of(codes: type[Code], code: str, refusal: str = "reason.unknown") -> Code:
    """The member of a fixed list. Refuses what is not in it."""
    if code not in set(codes):
        raise Refusal(refusal)
    return codes(code)


def find_ticket(tx: Transaction, ticket_id: int) -> Row[Any]:
    """The ticket as it stands. Refuses ticket.unknown."""
    row = tx.execute(_TICKET, {"in_hall": tx.hall, "of": ticket_id}).one_or_none()
    if row is None:
        raise Refusal("ticket.unknown")
    return row


def checked(tx: Transaction, ticket_id: int, step: TicketStep) -> tuple[Row[Any], TicketState]:
    """The ticket and the state that the step leads to. Refuses ticket.unknown, ticket.illegal_step."""
    row = find_ticket(tx, ticket_id)
    state = next_state(TicketState(row.state), step)
    if state is None or step not in legal_steps(TicketState(row.state), deferred=row.deferred_at is not None):
        raise Refusal("ticket.illegal_step", number=row.number, state=row.state)
    return row, state


def at_mine(tx: Transaction, ticket_id: int, step: TicketStep) -> tuple[Row[Any], TicketState]:
    """The same for a ticket that must be at the actor's own window. Refuses ticket.not_at_window too."""
    row, state = checked(tx, ticket_id, step)
    refuse_foreign_window(tx, row)
    return row, state


def refuse_foreign_window(tx: Transaction, row: Row[Any]) -> None:
    """Refuses ticket.not_at_window."""
    try:
        at_window(tx, row.window)
    except Refusal:
        raise Refusal("ticket.not_at_window") from None


def refuse_other_live(tx: Transaction, row: Row[Any], queue: str) -> None:
    """Before a ticket lives in a queue (again): refuses ticket.live_elsewhere when its person has another there (Q1)."""
    if row.person_key is None:
        return
    given = {"in_hall": tx.hall, "at": queue, "on": row.day, "who": row.person_key, "but": row.id}
    number = tx.execute(_OTHER_LIVE, given).scalar_one_or_none()
    if number is not None:
        raise Refusal("ticket.live_elsewhere", number=number)


def refuse_past_day(tx: Transaction, row: Row[Any]) -> None:
    """Before a ticket waits again: refuses ticket.day_over, because nobody calls what waits on a day that is gone."""
    if row.day != tx.day:
        raise Refusal("ticket.day_over", number=row.number)


def known_item(tx: Transaction, item: str, *, offered: bool) -> str:
    """The item, when the catalogue has it, and where asked for offers it today. Refuses item.unknown."""
    of = ServiceItem.__table__.c
    active = tx.execute(select(of.active).where(of.code == item)).scalar_one_or_none()
    if active is None or (offered and not active):
        raise Refusal("item.unknown")
    return item


def move(tx: Transaction, row: Row[Any], state: TicketState, **values: Any) -> None:
    """Write down the ticket's new state and what goes with it."""
    of = Ticket.__table__.c
    tx.execute(
        update(Ticket.__table__).where(of.hall == tx.hall, of.id == row.id).values(state=state, **values),
    )


def waits_again(tx: Transaction, row: Row[Any], queued_us: int, **values: Any) -> None:
    """Let the ticket wait as if it had come at `queued_us`; whoever calls it counts its wait from now."""
    gone: dict[str, Any] = {"window": None, "recalls": 0, "recalled_at": None, "started_at": None, "deferred_at": None}
    gone |= {"remind_at": None, "to_window": None, "to_staff": None}
    move(tx, row, TicketState.WAITING, **{**gone, "queued_us": queued_us, "waiting_since": tx.at, **values})


def wait_behind_the_next(tx: Transaction, row: Row[Any], policy: Policy) -> int:
    """Let a ticket wait again behind the next `restore_behind` of its queue, but never before its own old place; its
    queue time. Where nobody waits it has its old place.
    """
    ranks = ranked_waiting(tx.session, tx.hall, row.day, row.queue, policy, limit=policy.restore_behind)
    behind = ranks[-1] + start_us(policy, Lane(row.lane)) + 1 if ranks else row.queued_us
    queued_us = max(row.queued_us, behind)
    waits_again(tx, row, queued_us)
    return queued_us


def seal_note(tx: Transaction, row: Row[Any], note: str) -> str | None:
    """What a clerk wrote for the next one, sealed; none for nothing. Refuses the refusals of `clean`."""
    note = clean(note, "note", limit=200, empty=True)
    return privacy.seal(note, f"tickets.note|{tx.hall}|{row.id}") if note else None


# ── a call and a service ────────────────────────────────────────────────────────────────────────────────────────

_PUT_CALL = insert(Call.__table__)


def call_to(
    tx: Transaction,
    row: Row[Any],
    *,
    window: str,
    staff: str,
    why: dict[str, Any],
    mode: str,
    tally: Tally,
    waited_s: int | None,
    **more: Any,
) -> None:
    """Call the ticket to the window: its state, the call with its reason, the window that is busy from now on."""
    move(
        tx,
        row,
        TicketState.CALLED,
        window=window,
        to_window=None,
        to_staff=None,
        called_at=tx.at,
        first_called_at=row.first_called_at or tx.at,
        recalled_at=None,
        recalls=0,
        started_at=None,
        remind_at=None,
    )
    call = {
        "hall": tx.hall,
        "id": tx.new_id(),
        "ticket_id": row.id,
        "window": window,
        "staff": staff,
        "called_at": tx.at,
        "why": why,
        "queue": row.queue,
        "lane": row.lane,
        "mode": mode,
        "waited_s": waited_s,
        "tally_normal": tally.normal,
        "tally_priority": tally.priority,
    }
    tx.execute(_PUT_CALL, call | more)
    set_busy(tx, window)


def waited_s(tx: Transaction, row: Row[Any]) -> int:
    """Whole seconds since the ticket was taken, transferred, restored or had come back."""
    return max(int((tx.at - (row.waiting_since or row.issued_at)).total_seconds()), 0)


def end_call(tx: Transaction, row: Row[Any], outcome: str) -> None:
    """The ticket's open call is over, if it has one."""
    of = Call.__table__.c
    open_call = (of.hall == tx.hall, of.ticket_id == row.id, of.ended_at.is_(None))
    tx.execute(update(Call.__table__).where(*open_call).values(ended_at=tx.at, outcome=outcome))


def begin_service(tx: Transaction, row: Row[Any], item: str | None, *, arrived: bool = False) -> None:
    """The ticket's item is served from now on, under its open call; `arrived`: the person has just come to the window."""
    of = Call.__table__.c
    open_call = (of.hall == tx.hall, of.ticket_id == row.id, of.ended_at.is_(None))
    if arrived:
        came = update(Call.__table__).where(*open_call).values(arrived_at=tx.at).returning(of.id)
        call_id = tx.execute(came).scalar_one()
    else:
        call_id = tx.execute(select(of.id).where(*open_call)).scalar_one()
    service = {
        "hall": tx.hall,
        "id": tx.new_id(),
        "ticket_id": row.id,
        "call_id": call_id,
        "queue": row.queue,
        "window": row.window,
        "staff": tx.actor.name,
        "item": item,
        "started_at": tx.at,
    }
    tx.execute(insert(Service.__table__), service)


def end_service(tx: Transaction, row: Row[Any], outcome: str) -> int:
    """The open service is over; its whole seconds. A visit that began before services were kept counts from its start."""
    of = Service.__table__.c
    open_service = (of.hall == tx.hall, of.ticket_id == row.id, of.ended_at.is_(None))
    ended = update(Service.__table__).where(*open_service).values(ended_at=tx.at, outcome=outcome)
    began = tx.execute(ended.returning(of.started_at)).scalar_one_or_none() or row.started_at
    return int((tx.at - began).total_seconds())


# ── telling ─────────────────────────────────────────────────────────────────────────────────────────────────────


def said(row: Row[Any]) -> dict[str, Any]:
    """The fields that every event of the ticket has."""
    return {"ticket": row.id, "number": row.number, "queue": row.queue, "day": row.day.isoformat()}


def answer(tx: Transaction, row: Row[Any], state: TicketState, **changed: Any) -> dict[str, Any]:
    """What a step answers: the ticket after it."""
    ticket = {"id": f"{tx.hall}-{row.id}", "number": row.number, "queue": row.queue, "lane": row.lane}
    return ticket | {"state": state.value, "window": row.window, "item": row.item} | changed
