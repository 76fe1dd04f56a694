"""Appointments: free slots by day, booking and giving back, checking in, and a hall's rules of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import g
from marshmallow import fields, validate

from app.api.noun import Noun
from app.api.reading import digest, known_hall, own_hall, plain, take_key
from app.api.schemas import Nothing, Shape, Text, dated, instant, maybe, said
from app.api.statistics import YEARS
from app.api.tickets import IssuedTicket
from app.catalog.queries import item as guide_of
from app.errors import Refusal
from app.events import CITIZEN
from app.now import now
from app.people.gate import public, requires
from app.people.permissions import Permission
from app.queueing import appointment_rules, appointments, arriving, queries
from app.queueing.appointment_queries import (
    appointment_view,
    find_appointment,
    offers,
    rules_digest,
    rules_of,
    slots_by_day,
)
from app.queueing.rules.appointments import AppointmentState, write_rules

noun = Noun("appointments", "Booked times, and the waiting lists of full ones")

ARRIVING = (
    "appointment.unknown appointment.none_today appointment.other_hall appointment.illegal_step "
    "appointment.too_early appointment.day_over appointment.ticket_over person.bad_id queue.unknown queue.closed "
    "queue.closed_for_today"
)
STATES = {"enum": [state.value for state in AppointmentState]}


class SlotQuestion(Shape):
    """Of which queue (by default the hall's first that takes appointments), from which day (today), for how many days (as
    far ahead as the hall goes).
    """

    queue = Text(limit=10, load_default=None)
    from_ = fields.Date(data_key="from", load_default=None, validate=YEARS)
    days = fields.Integer(load_default=None, validate=validate.Range(1, 61))


class FreeSlot(Shape):
    """`free` places of it are left; `waiting` people are on its waiting list, which is open while the state is `full`."""

    slot_at = instant(required=True)
    ends_at = instant(required=True)
    free = fields.Integer(required=True)
    waiting = fields.Integer(required=True)
    state = said(metadata={"enum": ["free", "full", "waiting_full"]})


class SlotDay(Shape):
    """`closed` says why there are none: the weekend, a holiday, the hall is shut, or the year's calendar is unknown."""

    day = dated()
    closed = said(metadata={"enum": ["", "weekend", "holiday", "shut", "unknown"]})
    slots = fields.List(fields.Nested(FreeSlot), required=True)


class Booker(Shape):
    """Whoever comes; all three are needed, and kept sealed."""

    name = Text(limit=60, required=True)
    id_number = Text(limit=60, required=True)
    phone = Text(limit=40, required=True)


class AppointmentWish(Shape):
    """`queue` or `item`. With `wait`, a place on the waiting list when the slot is full."""

    queue = Text(limit=10, allow_none=True, load_default=None)
    item = Text(limit=80, allow_none=True, load_default=None)
    slot_at = fields.AwareDateTime(required=True, format="iso")
    person = fields.Nested(Booker, required=True)
    wait = fields.Boolean(load_default=False)


class MadeAppointment(Shape):
    """`token` is the only proof of it: it shows, gives back and checks in."""

    id = said()
    token = said()
    state = said(metadata=STATES)
    queue = said()
    slot_at = instant(required=True)


class HeldAppointment(Shape):
    """What the holder of the token sees; name and phone are masked. `place` is that on the waiting list.

    Checking in runs from `opens_at` to `late_at`; later it gives a number of the normal lane. `shut`: the hall is closed
    at that time after all. `waits_until`: when the waiting list ends.
    """

    id = said()
    hall = said()
    queue = said()
    queue_name = said()
    queue_name_en = said()
    item = maybe()
    day = dated()
    slot_at = instant(required=True)
    ends_at = instant(required=True)
    opens_at = instant(required=True)
    late_at = instant(required=True)
    waits_until = instant(required=True)
    state = said(metadata=STATES)
    place = maybe(fields.Integer)
    shut = fields.Boolean(required=True)
    cancellable = fields.Boolean(required=True)
    name = said()
    phone = said()
    made_at = instant(required=True)


class EndedAppointment(Shape):
    id = said()
    state = said(metadata=STATES)


class CheckIn(Shape):
    """`token`, or `id_number` of who has an appointment today."""

    token = Text(limit=80, allow_none=True, load_default=None)
    id_number = Text(limit=60, allow_none=True, load_default=None)


class CheckedIn(IssuedTicket):
    """A number. `punctual` false: it was too late, and the number is of the normal lane."""

    punctual = fields.Boolean(required=True)


class AppointmentRules(Shape):
    """Minutes, people and counts; `by_queue` where a queue's capacity is another, 0 where it takes none."""

    open = fields.Boolean(required=True)
    slot_min = fields.Integer(required=True)
    capacity = fields.Integer(required=True)
    by_queue = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    days_ahead = fields.Integer(required=True)
    lead_min = fields.Integer(required=True)
    early_min = fields.Integer(required=True)
    late_min = fields.Integer(required=True)
    per_day = fields.Integer(required=True)
    per_week = fields.Integer(required=True)
    per_month = fields.Integer(required=True)
    misses = fields.Integer(required=True)
    block_months = fields.Integer(required=True)
    waiting = fields.Integer(required=True)


class AppointmentRulesInForce(Shape):
    rules = fields.Nested(AppointmentRules, required=True)
    seen = said(metadata={"description": "Digest of these rules; a change says which rules it was made over"})


class AppointmentRulesChange(Shape):
    """Rules whole: what is left out of them is the default."""

    rules = fields.Dict(keys=fields.String(), required=True, metadata={"description": "As GET gives them"})
    seen = Text(limit=40, load_default=None, allow_none=True)


@noun.get("/halls/<hall>/slots", refuses="hall.unknown queue.unknown", limited="tickets")
@public
@noun.arguments(SlotQuestion, location="query")
@noun.response(200, SlotDay(many=True))
def list_slots(given: dict[str, Any], hall: str) -> Any:
    """What can be booked of a queue, day by day; nothing at a hall without appointments."""
    code = known_hall(hall)
    queue = given["queue"] or next(iter(offers(code)), None)
    return slots_by_day(code, queue, now(), given["from_"], given["days"]) if queue else []


@noun.post(
    "/halls/<hall>/appointments",
    refuses="hall.unknown queue.unknown queue.closed queue.none_for_item item.unknown appointment.ask_hall "
    "appointment.not_offered appointment.closed appointment.too_late appointment.too_far appointment.full "
    "appointment.waiting_full text.empty person.bad_id person.bad_phone",
    limited="tickets",
)
@public
@noun.arguments(AppointmentWish)
@noun.response(201, MadeAppointment)
def make_appointment(given: dict[str, Any], hall: str) -> Any:
    """Book a slot of a queue or of the queue that takes an item; for anybody. Who has lost the token asks at the desk, and
    so does who may not book: why is told there alone.
    """
    code, item = known_hall(hall), given["item"] or None
    zone = guide_of(item)["zone"] if item else ""
    queue = given["queue"] or (queries.queue_for(code, zone) if zone else "")
    if not queue:
        raise Refusal("request.invalid", detail="queue | item: one of them is required")
    take_key("appointment:" + digest("person", given["person"]["id_number"]))
    return appointments.book(
        hall=code,
        actor=CITIZEN,
        at=now(),
        queue=queue,
        slot_at=_sane(given["slot_at"]),
        channel="api",
        person=given["person"],
        item=item,
        wait=given["wait"],
    )


def _sane(at: datetime) -> datetime:
    """An instant that every zone can hold. Refuses appointment.closed."""
    if not 1970 < at.year < 9000:
        raise Refusal("appointment.closed")
    return at


@noun.get("/appointments/<token>", refuses="appointment.unknown", limited="tickets")
@public
@noun.response(200, HeldAppointment)
def read_appointment(token: str) -> Any:
    """The appointment of a holder's token."""
    return appointment_view(*find_appointment(plain(token, "appointment.unknown")), now())


@noun.post(
    "/appointments/<token>/cancel",
    refuses="appointment.unknown appointment.illegal_step appointment.begun",
    limited="tickets",
)
@public
@noun.arguments(Nothing)
@noun.response(200, EndedAppointment)
def cancel_appointment(_given: dict[str, Any], token: str) -> Any:
    """Give it back before its time, for whoever holds the token; the first of the waiting list has the place then."""
    hall, appointment_id = find_appointment(plain(token, "appointment.unknown"))
    take_key("appointment:" + digest("appointment", token))
    return appointments.cancel(hall=hall, actor=CITIZEN, at=now(), appointment_id=appointment_id)


@noun.post(
    "/halls/<hall>/appointments/check-in",
    refuses=f"hall.unknown auth.foreign_hall party.size person.bad_phone {ARRIVING}",
)
@requires(Permission.TICKET_ISSUE)
@noun.arguments(CheckIn)
@noun.alt_response(200, schema=CheckedIn, description="The number that this person has already", success=True)
@noun.response(201, CheckedIn)
def check_in(given: dict[str, Any], hall: str) -> Any:
    """Check in at a kiosk or the guide desk: the number of who is there."""
    own_hall(g.actor, hall)
    token, id_number = given["token"] or "", given["id_number"] or ""
    if not token and not id_number:
        raise Refusal("request.invalid", detail="token | id_number: one of them is required")
    token = plain(token, "appointment.unknown") if token else ""
    answer = arriving.arrive(hall, g.actor, now(), token=token, id_number=id_number)
    return answer, 201 if answer["created"] else 200


@noun.get("/halls/<hall>/appointment-rules", refuses="hall.unknown")
@public
@noun.response(200, AppointmentRulesInForce)
def read_appointment_rules(hall: str) -> Any:
    """When and how often people may book, for everybody to read."""
    rules = rules_of(known_hall(hall))
    return {"rules": write_rules(rules), "seen": rules_digest(rules)}


@noun.put(
    "/halls/<hall>/appointment-rules",
    refuses="hall.unknown auth.foreign_hall appointment_rules.invalid appointment_rules.changed "
    "appointment_rules.unchanged",
)
@requires(Permission.WINDOW_MANAGE)
@noun.arguments(AppointmentRulesChange)
@noun.response(200, AppointmentRulesInForce)
def put_appointment_rules(given: dict[str, Any], hall: str) -> Any:
    """Set them from now on; what is booked stays booked."""
    return appointment_rules.set_rules(hall=own_hall(g.actor, hall), actor=g.actor, at=now(), **given)
