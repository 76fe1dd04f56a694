"""Reading appointments: free slots by day, one appointment for its holder, the day of a hall, the rules. No writing."""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import privacy
from app.db import canonical, db
from app.errors import Refusal
from app.hall.models import Hall
from app.hall.queries import schedule as schedule_of
from app.hall.rules.calendar import CalendarUnknown
from app.hall.rules.hours import later
from app.now import iso, local_day
from app.queueing.appointment_models import Appointment
from app.queueing.models import Queue, Ticket
from app.queueing.rules import appointments as rulebook
from app.queueing.rules.appointments import (
    COUNTS,
    HOLDS,
    AppointmentState,
    Arrival,
    Past,
    Rules,
    legal_steps,
    read_rules,
    write_rules,
)
from app.words import clean_id_number

_of = Appointment.__table__.c


# ── the rules ───────────────────────────────────────────────────────────────────────────────────────────────────


def rules_of(hall: str, session: Session | None = None) -> Rules:
    """The hall's rules of appointments in force. Refuses hall.unknown."""
    settings = (session or db.session()).execute(select(Hall.settings).where(Hall.code == hall)).scalar_one_or_none()
    if settings is None:
        raise Refusal("hall.unknown", hall=hall)
    return read_rules(settings.get("appointments", {}))


def rules_digest(rules: Rules) -> str:
    """By which a change says which rules it was made over."""
    return hashlib.sha256(canonical(write_rules(rules)).encode()).hexdigest()[:16]


# ── slots ───────────────────────────────────────────────────────────────────────────────────────────────────────


def offers(hall: str) -> list[str]:
    """The codes of the queues of a hall that take appointments. Refuses hall.unknown."""
    rules = rules_of(hall)
    codes = db.session.execute(
        select(Queue.code).where(Queue.hall == hall, Queue.active).order_by(Queue.code)
    ).scalars()
    return [code for code in codes if rules.capacity_of(code)]


def slots_by_day(
    hall: str, queue: str, at: datetime, first: date | None = None, days: int | None = None
) -> list[dict[str, Any]]:
    """What can be booked of a queue, day by day from `first` (today), as far ahead as the rules go.

    A day is {day, closed: "" | weekend | holiday | shut | unknown, slots}; a slot {slot_at, ends_at, free, waiting,
    state: free | full | waiting_full}. Slots that can no longer be booked are left out. Refuses hall.unknown,
    queue.unknown.
    """
    rules, schedule, today = rules_of(hall), schedule_of(hall), local_day(at)
    active = db.session.execute(
        select(Queue.active).where(Queue.hall == hall, Queue.code == queue)
    ).scalar_one_or_none()
    if active is None:
        raise Refusal("queue.unknown")
    first = max(first or today, today)
    last = today + timedelta(days=rules.days_ahead)
    if first > last:
        return []
    if days is not None:
        last = min(last, first + timedelta(days=days - 1))
    capacity = rules.capacity_of(queue) if active else 0
    span = (_of.slot_at >= schedule.whole(first)[0], _of.slot_at < schedule.whole(max(last, first))[1])
    counts = select(_of.slot_at, _of.state, func.count().label("people")).where(
        *(_of.hall == hall, _of.queue == queue, *span, _of.state.in_(sorted(COUNTS)))
    )
    rows = db.session.execute(counts.group_by(_of.slot_at, _of.state)).all()
    found = []
    for day in (first + timedelta(days=n) for n in range((last - first).days + 1)):
        listed = []
        all_slots = rulebook.slots(day, schedule, rules) if capacity else ()
        for begin, end in all_slots:
            if at >= rulebook.closes_at(begin, rules):
                continue
            here = [row for row in rows if begin <= row.slot_at < end]
            held = sum(row.people for row in here if row.state in HOLDS)
            waiting = sum(row.people for row in here if row.state == AppointmentState.WAITLISTED)
            free = max(capacity - held, 0)
            state = "free" if free else "full" if waiting < rules.waiting else "waiting_full"
            slot = {"slot_at": iso(begin), "ends_at": iso(end), "free": free, "waiting": waiting, "state": state}
            listed.append(slot)
        closed = "" if all_slots or not capacity else _why_closed(schedule, day)
        found.append({"day": day.isoformat(), "closed": closed, "slots": listed})
    return found


def _why_closed(schedule: Any, day: date) -> str:
    try:
        kind = schedule.calendar.reason(day)[0]
    except CalendarUnknown:
        return "unknown"
    return kind if kind in ("weekend", "holiday") else "shut"


# ── one appointment ─────────────────────────────────────────────────────────────────────────────────────────────


def find_appointment(token: str) -> tuple[str, int]:
    """(hall, id) of a holder's token. Refuses appointment.unknown."""
    query = select(_of.hall, _of.id).where(_of.token_hash == privacy.token_hash(token))
    row = db.session.execute(query).one_or_none()
    if row is None:
        raise Refusal("appointment.unknown")
    return row.hall, row.id


def find_today(hall: str, id_number: str, at: datetime) -> int:
    """The appointment of today with which who has this ID number checks in: the next one that was not kept yet, else the
    last one that was. Refuses person.bad_id, appointment.none_today.
    """
    key = privacy.blind_index("id_number", clean_id_number(id_number))
    mine = (_of.person_key == key, _of.day == local_day(at), _of.hall == hall)
    states = (AppointmentState.BOOKED, AppointmentState.NO_SHOW, AppointmentState.CHECKED_IN)
    query = select(_of.id, _of.state).where(*mine, _of.state.in_(states)).order_by(_of.slot_at)
    rows = db.session.execute(query).all()
    if not rows:
        raise Refusal("appointment.none_today")
    open_ = [row for row in rows if row.state == AppointmentState.BOOKED]
    return int((open_ or rows[::-1])[0].id)


def appointment_view(hall: str, appointment_id: int, at: datetime) -> dict[str, Any]:
    """What its holder and the staff see. Name and phone are masked. Refuses appointment.unknown.

    `place` is that on the waiting list; `shut` says that the hall is closed at that time after all; `checkable` whether
    one could check in now, `opens_at` from when; `cancellable` by the citizen.
    """
    row = db.session.get(Appointment, (hall, appointment_id))
    if row is None:
        raise Refusal("appointment.unknown")
    rules = rules_of(hall)
    queue = db.session.get(Queue, (hall, row.queue))
    assert queue is not None  # queues are switched off, never taken away
    waits = row.state == AppointmentState.WAITLISTED
    view = _seen(row, rules, at)
    return view | {
        "queue_name": queue.name_zh,
        "queue_name_en": queue.name_en,
        "zone": queue.zone,
        "ends_at": iso(later(row.slot_at, timedelta(minutes=rules.slot_min))),
        "opens_at": iso(later(row.slot_at, -timedelta(minutes=rules.early_min))),
        "late_at": iso(later(row.slot_at, timedelta(minutes=rules.late_min))),
        "waits_until": iso(rulebook.closes_at(row.slot_at, rules)),
        "place": _place(row) if waits else None,
        "shut": not _is_open(hall, row.slot_at) if view["live"] else False,
        "cancellable": view["live"] and at < row.slot_at,
        "ticket_token": ticket_token(hall, row.ticket_id) if row.ticket_id is not None else None,
    }


def _seen(row: Appointment, rules: Rules, at: datetime) -> dict[str, Any]:
    person = json.loads(privacy.open_sealed(row.person_sealed, f"appointments.person|{row.hall}|{row.id}"))
    arrival = rulebook.check_in(row.slot_at, at, rules)
    open_ = row.state in (AppointmentState.BOOKED, AppointmentState.NO_SHOW) and row.day == local_day(at)
    return {
        "id": f"{row.hall}-{row.id}",
        "hall": row.hall,
        "queue": row.queue,
        "item": row.item,
        "day": row.day.isoformat(),
        "slot_at": iso(row.slot_at),
        "state": row.state,
        "live": row.state in (AppointmentState.BOOKED, AppointmentState.WAITLISTED),
        "channel": row.channel,
        "name": privacy.mask_name(person["name"]),
        "phone": privacy.mask_phone(person["phone"]),
        "made_at": iso(row.made_at),
        "ended_at": iso(row.ended_at),
        "arrival": arrival.value,
        "checkable": open_ and arrival is not Arrival.EARLY,
        "missable": row.state == AppointmentState.BOOKED and arrival is Arrival.LATE,
        "steps": sorted(legal_steps(AppointmentState(row.state))),
    }


def _place(row: Appointment) -> int:
    slot = (_of.hall == row.hall, _of.queue == row.queue, _of.slot_at == row.slot_at, _of.id <= row.id)
    waits = _of.state == AppointmentState.WAITLISTED
    return int(db.session.execute(select(func.count()).where(*slot, waits)).scalar_one())


def _is_open(hall: str, at: datetime) -> bool:
    try:
        return schedule_of(hall).is_open(at)
    except CalendarUnknown:
        return False


def token_of(hall: str, appointment_id: int) -> str:
    """The holder's token, for whoever prints it again. Refuses appointment.unknown."""
    row = db.session.get(Appointment, (hall, appointment_id))
    if row is None:
        raise Refusal("appointment.unknown")
    return privacy.open_sealed(row.token_sealed, f"appointments.token|{hall}|{appointment_id}")


def ticket_token(hall: str, ticket_id: int) -> str:
    """The token of the ticket that the check-in gave."""
    row = db.session.get(Ticket, (hall, ticket_id))
    assert row is not None  # written in the transaction that checked in
    return privacy.open_sealed(row.token_sealed, f"tickets.token|{hall}|{ticket_id}")


def history_of(kind: str, key: str, today: date, rules: Rules, session: Session | None = None) -> list[Past]:
    """The appointments of an ID number or a phone (`kind`) in every hall, as far back as the rules look."""
    since = today - timedelta(days=31 * (rules.block_months + 2))
    theirs = {"id_number": _of.person_key, "phone": _of.phone_key}[kind] == key
    query = select(_of.day, _of.state).where(theirs, _of.day >= since)
    return [Past(row.day, AppointmentState(row.state)) for row in (session or db.session()).execute(query)]


# ── the day ─────────────────────────────────────────────────────────────────────────────────────────────────────


def appointments_of(hall: str, day: date, at: datetime) -> list[dict[str, Any]]:
    """Every appointment of a day in the order of slots, then of booking; masked. `number` is the ticket's."""
    rules = rules_of(hall)
    query = (
        select(Appointment, Ticket.number)
        .outerjoin(Ticket, (Ticket.hall == Appointment.hall) & (Ticket.id == Appointment.ticket_id))
        .where(Appointment.hall == hall, Appointment.day == day)
        .order_by(Appointment.slot_at, Appointment.id)
    )
    return [_seen(row, rules, at) | {"number": number} for row, number in db.session.execute(query)]
