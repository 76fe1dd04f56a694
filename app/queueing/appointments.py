"""Actions of appointments 预约: booking, giving back, checking in, missing; the waiting list, and what time ends."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, exists, func, insert, or_, select, update

from app import privacy
from app.action import Transaction, action
from app.db import db
from app.errors import Refusal
from app.events import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentCheckedIn,
    AppointmentExpired,
    AppointmentMissed,
    AppointmentPromoted,
    AppointmentWaitlisted,
)
from app.hall.models import Hall
from app.hall.queries import schedule as schedule_of
from app.hall.rules.calendar import CalendarUnknown
from app.hall.rules.hours import Interval, Schedule, later
from app.hall.settings import schedule_in
from app.now import iso, local, local_day
from app.queueing.appointment_models import Appointment
from app.queueing.appointment_queries import history_of, rules_of
from app.queueing.heads import ahead_of
from app.queueing.models import Queue, Ticket
from app.queueing.rules import appointments as rulebook
from app.queueing.rules.appointments import (
    HOLDS,
    AppointmentState,
    AppointmentStep,
    Arrival,
    No,
    Rules,
)
from app.queueing.rules.states import OVER, Lane, TicketState
from app.queueing.steps import known_item
from app.queueing.tickets import give, read_person
from app.words import checked_id_number, clean, clean_phone

SWEEP = 200  # of one sweep at a time

_of = Appointment.__table__.c
_COLUMNS = (
    *(_of.id, _of.queue, _of.item, _of.day, _of.slot_at, _of.state, _of.person_sealed, _of.ticket_id),
    *(_of.person_key, _of.phone_key),
)


@action
def book(
    tx: Transaction,
    *,
    queue: str,
    slot_at: datetime,
    channel: str,
    person: Mapping[str, Any],
    item: str | None = None,
    wait: bool = False,
) -> dict[str, Any]:
    """Book a slot 预约; with `wait`, take a place on the waiting list 候补 when the slot is full. Name, ID number and
    phone are all needed; the limits count every hall's appointments of this ID number and, as of a family, of this
    phone, unless staff book, who see whom it is for.

    Refuses item.unknown, queue.unknown, queue.closed, appointment.not_offered, .closed (no such slot), .too_late, .too_far,
    .full, .waiting_full and bad words; to staff .twice, .blocked, .limit_day, .limit_week, .limit_month, for all of which
    everybody else is told .ask_hall. Locks the hall, so that no slot takes more than its capacity; of other halls it only
    reads: two halls at the same instant may both say yes. Tells AppointmentBooked or AppointmentWaitlisted.
    """
    fields = {
        "name": clean(person.get("name") or "", "name"),
        "id_number": checked_id_number(person.get("id_number") or ""),
        "phone": clean_phone(person.get("phone") or ""),
    }
    keys, _ = read_person(fields)
    if item:
        known_item(tx, item, offered=True)
    rules = rules_of(tx.hall, tx.session)
    slot = _bookable(tx, queue, slot_at, rules)
    day = local_day(slot[0])
    no = _against(tx, queue, slot[0], keys, rules)
    if no is not None and tx.actor.kind == "staff":
        raise Refusal(no.code, **no.facts)
    state = AppointmentState.BOOKED
    if _held(tx, queue, slot) >= rules.capacity_of(queue):
        if not wait:
            raise Refusal("appointment.full")
        if len(_waiting(tx, queue, slot)) >= rules.waiting:
            raise Refusal("appointment.waiting_full")
        state = AppointmentState.WAITLISTED
    if no is not None:  # after all else: a slot that cannot be had tells nobody about others
        phone = tx.execute(select(Hall.phone).where(Hall.code == tx.hall)).scalar_one()
        raise Refusal("appointment.ask_hall", phone=phone)
    token = privacy.new_token()
    appointment_id = tx.new_id()
    row = {
        "hall": tx.hall,
        "id": appointment_id,
        "queue": queue,
        "item": item,
        "day": day,
        "slot_at": slot[0],
        "state": state,
        "channel": channel,
        "person_key": keys["id_number"],
        "phone_key": keys["phone"],
        "person_sealed": privacy.seal(json.dumps(fields), f"appointments.person|{tx.hall}|{appointment_id}"),
        "token_hash": privacy.token_hash(token),
        "token_sealed": privacy.seal(token, f"appointments.token|{tx.hall}|{appointment_id}"),
        "made_at": tx.at,
    }
    tx.execute(insert(Appointment.__table__), row)
    begins = str(iso(slot[0]))
    said = {"appointment": appointment_id, "queue": queue, "slot_at": begins, "item": item, "channel": channel}
    if state is AppointmentState.BOOKED:
        tx.record(AppointmentBooked(**said))
    else:
        tx.record(AppointmentWaitlisted(**said))
    return {"id": f"{tx.hall}-{appointment_id}", "token": token, "state": state, "queue": queue, "slot_at": begins}


def _against(tx: Transaction, queue: str, at: datetime, keys: Mapping[str, str], rules: Rules) -> No | None:
    """What is against this person's having this slot; None when nothing is."""
    mine = (_of.hall == tx.hall, _of.person_key == keys["id_number"], _of.queue == queue, _of.slot_at == at)
    if tx.execute(select(exists().where(*mine, _of.state.in_(sorted(rulebook.COUNTS))))).scalar_one():
        return No("appointment.twice")
    for kind in ("id_number",) if tx.actor.kind == "staff" else ("id_number", "phone"):
        own = rules if kind == "id_number" else rules.of_phone()
        no = rulebook.may_book(history_of(kind, keys[kind], tx.day, rules, tx.session), local_day(at), own, tx.day)
        if no is not None:
            return no
    return None


def _bookable(tx: Transaction, queue: str, at: datetime, rules: Rules) -> Interval:
    """The slot that begins at `at`, when this queue takes people then."""
    active = tx.execute(select(Queue.active).where(Queue.hall == tx.hall, Queue.code == queue)).scalar_one_or_none()
    if active is None:
        raise Refusal("queue.unknown")
    if not active:
        raise Refusal("queue.closed")
    if not rules.capacity_of(queue):
        raise Refusal("appointment.not_offered")
    day = local_day(at)
    if day > tx.day + timedelta(days=rules.days_ahead):
        raise Refusal("appointment.too_far", days=rules.days_ahead)
    slot = next((slot for slot in rulebook.slots(day, schedule_in(tx), rules) if slot[0] == at), None)
    if slot is None:
        raise Refusal("appointment.closed")
    if tx.at >= rulebook.closes_at(slot[0], rules):
        raise Refusal("appointment.too_late")
    return slot


@action
def cancel(tx: Transaction, *, appointment_id: int) -> dict[str, Any]:
    """Give an appointment, or a place on the waiting list, back 取消: by the citizen with its token until the slot begins,
    by staff also later. The first of the waiting list has the place then.

    Refuses appointment.unknown, .illegal_step, .begun. Locks the hall. Tells AppointmentCancelled, AppointmentPromoted.
    """
    row, state = _checked(tx, appointment_id, AppointmentStep.CANCEL)
    by_staff = tx.actor.kind == "staff"
    if not by_staff and tx.at >= row.slot_at:
        raise Refusal("appointment.begun")
    _move(tx, row.id, state, ended_at=tx.at)
    tx.record(AppointmentCancelled(**_said(row), by="staff" if by_staff else "citizen"))
    if row.state == AppointmentState.BOOKED:
        move_up(tx, row.queue, row.slot_at, rules_of(tx.hall, tx.session))
    return {"id": f"{tx.hall}-{row.id}", "state": state}


@action
def check_in(
    tx: Transaction, *, appointment_id: int, channel: str, forecast: tuple[int, int] | None = None
) -> dict[str, Any]:
    """Check in 报到, at a kiosk or the guide desk: being in the hall is what it proves, so a phone cannot do it.

    In time, the ticket is of the appointment lane and ranked by the booked time; later than that, of the normal lane
    (`punctual` False). Who holds a live ticket of this queue keeps it; who has checked in is shown that ticket again, as
    long as it leads to a window.
    Refuses appointment.unknown, .illegal_step, .too_early, .day_over, .ticket_over and what taking a number refuses.
    Locks the hall. Tells TicketIssued, AppointmentCheckedIn.
    """
    row = _find(tx, appointment_id)
    if row.state == AppointmentState.CHECKED_IN:
        return _again(tx, row)
    row, state = _checked(tx, appointment_id, AppointmentStep.CHECK_IN)
    rules = rules_of(tx.hall, tx.session)
    if row.day < tx.day:
        raise Refusal("appointment.day_over")
    arrival = rulebook.check_in(row.slot_at, tx.at, rules)
    if arrival is Arrival.EARLY:
        opens_at = local(later(row.slot_at, -timedelta(minutes=rules.early_min)))
        raise Refusal("appointment.too_early", opens_at=f"{opens_at:%Y-%m-%d %H:%M}")
    on_time = arrival is Arrival.ON_TIME
    ticket = give(
        tx,
        queue=row.queue,
        channel=channel,
        person=json.loads(privacy.open_sealed(row.person_sealed, f"appointments.person|{tx.hall}|{row.id}")),
        lane=Lane.APPOINTMENT if on_time else Lane.NORMAL,
        item=row.item,
        forecast=forecast,
        queued_at=row.slot_at if on_time else None,
        appointment_id=row.id,
    )
    punctual = ticket["lane"] == Lane.APPOINTMENT  # who held a ticket already keeps it as it is
    ticket_id = int(ticket["id"].rsplit("-", 1)[1])
    _move(tx, row.id, state, ended_at=tx.at, ticket_id=ticket_id)
    tx.record(AppointmentCheckedIn(**_said(row), ticket=ticket_id, number=ticket["number"], punctual=punctual))
    return ticket | {"punctual": punctual}


def _again(tx: Transaction, row: Row[Any]) -> dict[str, Any]:
    """The ticket that was given at the first check-in, as it stands. Refuses appointment.ticket_over."""
    ticket = tx.session.get(Ticket, (tx.hall, row.ticket_id))
    assert ticket is not None  # written in the transaction that checked in
    if ticket.state in OVER:
        raise Refusal("appointment.ticket_over", number=ticket.number)
    place = (ticket.day, ticket.queue, ticket.lane, ticket.queued_us, ticket.id)
    return {
        "id": f"{tx.hall}-{ticket.id}",
        "number": ticket.number,
        "queue": ticket.queue,
        "lane": ticket.lane,
        "state": ticket.state,
        "ahead": ahead_of(tx.session, tx.hall, *place) if ticket.state == TicketState.WAITING else 0,
        "wait_low_s": None,
        "wait_high_s": None,
        "issued_at": iso(ticket.issued_at),
        "token": privacy.open_sealed(ticket.token_sealed, f"tickets.token|{tx.hall}|{ticket.id}"),
        "created": False,
        "punctual": ticket.lane == Lane.APPOINTMENT,
    }


@action
def miss(tx: Transaction, *, appointment_id: int) -> dict[str, Any]:
    """Say that nobody came 记爽约, when it is too late to be in time; who comes the same day after all may check in.

    Refuses appointment.unknown, .illegal_step, .not_missed. Locks the hall. Tells AppointmentMissed.
    """
    row, state = _checked(tx, appointment_id, AppointmentStep.MISS)
    if rulebook.check_in(row.slot_at, tx.at, rules_of(tx.hall, tx.session)) is not Arrival.LATE:
        raise Refusal("appointment.not_missed")
    _move(tx, row.id, state, ended_at=tx.at)
    tx.record(AppointmentMissed(**_said(row)))
    return {"id": f"{tx.hall}-{row.id}", "state": state}


# ── what happens by itself ──────────────────────────────────────────────────────────────────────────────────────


@action
def sweep(tx: Transaction) -> dict[str, Any]:
    """End what time has ended: at the close of business the appointments of those who did not come, and each waiting list
    when its slot can no longer be booked. Nobody is said to have missed a time at which the hall or queue was shut, nor
    who took a number of the queue that day without checking in.

    Locks the hall. Tells AppointmentMissed, AppointmentCheckedIn, AppointmentCancelled (by the hall), AppointmentExpired.
    """
    rules, schedule = rules_of(tx.hall, tx.session), schedule_in(tx)
    due = select(*_COLUMNS).where(_of.hall == tx.hall, _due(rules, schedule, tx.at)).order_by(_of.slot_at, _of.id)
    rows = tx.execute(due.limit(SWEEP)).all()
    active = set(tx.execute(select(Queue.code).where(Queue.hall == tx.hall, Queue.active)).scalars())
    for row in rows:
        if row.state == AppointmentState.WAITLISTED:
            _move(tx, row.id, AppointmentState.EXPIRED, ended_at=tx.at)
            tx.record(AppointmentExpired(**_said(row)))
        elif (taken := _taken_by(tx, row)) is not None:
            _move(tx, row.id, AppointmentState.CHECKED_IN, ended_at=tx.at, ticket_id=taken.id)
            tx.record(AppointmentCheckedIn(**_said(row), ticket=taken.id, number=taken.number, punctual=False))
        elif row.queue in active and was_open(schedule, row.slot_at):
            _move(tx, row.id, AppointmentState.NO_SHOW, ended_at=tx.at)
            tx.record(AppointmentMissed(**_said(row)))
        else:
            _move(tx, row.id, AppointmentState.CANCELLED, ended_at=tx.at)
            tx.record(AppointmentCancelled(**_said(row), by="hall"))
    return {"ended": len(rows), "more": len(rows) == SWEEP}


def _taken_by(tx: Transaction, row: Row[Any]) -> Row[Any] | None:
    """The first number of the queue that who has this appointment took on its day, and not for another appointment."""
    there = (Ticket.hall == tx.hall, Ticket.day == row.day, Ticket.queue == row.queue, Ticket.appointment_id.is_(None))
    theirs = Ticket.person_key.in_((row.person_key, row.phone_key))
    return tx.execute(select(Ticket.id, Ticket.number).where(*there, theirs).order_by(Ticket.id)).first()


def sweep_due(hall: str, at: datetime) -> bool:
    """Whether `sweep` has something to do: one look at an index, without the hall's lock."""
    due = exists().where(_of.hall == hall, _due(rules_of(hall), schedule_of(hall), at))
    return bool(db.session.execute(select(due)).scalar_one())


def _due(rules: Rules, schedule: Schedule, at: datetime) -> Any:
    over = min(_given_up(schedule, at), later(at, -timedelta(minutes=rules.late_min)))
    waited = (_of.state == AppointmentState.WAITLISTED, _of.slot_at <= later(at, timedelta(minutes=rules.lead_min)))
    missed = (_of.state == AppointmentState.BOOKED, _of.slot_at < over)
    return or_(waited[0] & waited[1], missed[0] & missed[1])


def _given_up(schedule: Schedule, at: datetime) -> datetime:
    """Slots before this instant are given up: those of past days, and today's once the doors have shut for the day."""
    today = local_day(at)
    ends = [schedule.close_of_business(today)]
    with suppress(CalendarUnknown):
        ends += [end for _begin, end in schedule.open_intervals(today)]
    return at if at >= max(ends) else schedule.whole(today)[0]


def was_open(schedule: Schedule, at: datetime) -> bool:
    """Whether the doors are open then, as far as the calendar says."""
    try:
        return schedule.is_open(at)
    except CalendarUnknown:
        return False


def move_up(tx: Transaction, queue: str, at: datetime, rules: Rules) -> None:
    """Let the waiting list of the slot that holds `at` move up as far as there is room, in the order of joining it."""
    slot = rulebook.slot_at(at, rulebook.slots(local_day(at), schedule_in(tx), rules))
    if slot is None or tx.at >= rulebook.closes_at(slot[0], rules):
        return
    room = max(rules.capacity_of(queue) - _held(tx, queue, slot), 0)
    for row in _waiting(tx, queue, slot)[:room]:
        _move(tx, row.id, AppointmentState.BOOKED)
        tx.record(AppointmentPromoted(**_said(row)))


# ── parts ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _find(tx: Transaction, appointment_id: int) -> Row[Any]:
    query = select(*_COLUMNS).where(_of.hall == tx.hall, _of.id == appointment_id)
    row = tx.execute(query).one_or_none()
    if row is None:
        raise Refusal("appointment.unknown")
    return row


def _checked(tx: Transaction, appointment_id: int, step: AppointmentStep) -> tuple[Row[Any], AppointmentState]:
    """The appointment and the state that the step leads to."""
    row = _find(tx, appointment_id)
    state = rulebook.next_state(AppointmentState(row.state), step)
    if state is None:
        raise Refusal("appointment.illegal_step", state=row.state)
    return row, state


def _move(tx: Transaction, appointment_id: int, state: AppointmentState, **values: Any) -> None:
    one = (_of.hall == tx.hall, _of.id == appointment_id)
    tx.execute(update(Appointment.__table__).where(*one).values(state=state, **values))


def _said(row: Row[Any]) -> dict[str, Any]:
    return {"appointment": row.id, "queue": row.queue, "slot_at": str(iso(row.slot_at))}


def _in(tx: Transaction, queue: str, slot: Interval) -> tuple[Any, ...]:
    return (_of.hall == tx.hall, _of.queue == queue, _of.slot_at >= slot[0], _of.slot_at < slot[1])


def _held(tx: Transaction, queue: str, slot: Interval) -> int:
    """How many have a place in the slot."""
    query = select(func.count()).where(*_in(tx, queue, slot), _of.state.in_(sorted(HOLDS)))
    return int(tx.execute(query).scalar_one())


def _waiting(tx: Transaction, queue: str, slot: Interval) -> list[Row[Any]]:
    """Its waiting list, in order."""
    waits = _of.state == AppointmentState.WAITLISTED
    return list(tx.execute(select(*_COLUMNS).where(*_in(tx, queue, slot), waits).order_by(_of.id)).all())
