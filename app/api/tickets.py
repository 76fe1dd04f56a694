"""Tickets: taking a number, and what its holder sees and does."""

from __future__ import annotations

from typing import Any

from flask import g
from marshmallow import fields

from app.api.noun import Noun
from app.api.reading import digest, is_row_id, own_hall, plain, row_id, take_key
from app.api.schemas import Nothing, Shape, Text, instant, maybe, said, whole
from app.casework import returning
from app.catalog.queries import item as guide_of
from app.catalog.queries import item_asked_for
from app.errors import Refusal
from app.events import CITIZEN
from app.now import now
from app.people.gate import public, requires
from app.people.permissions import Permission
from app.queueing import arriving, forecasts, queries, tickets
from app.queueing.rules.reasons import Ground
from app.queueing.rules.states import Lane, TicketState

noun = Noun("tickets", "Numbers in the queue")

HOLDER = "ticket.unknown ticket.illegal_step hall.unknown auth.foreign_hall"


class Person(Shape):
    name = Text(limit=60, allow_none=True)
    id_number = Text(limit=60, allow_none=True)
    phone = Text(limit=40, allow_none=True)


class TicketWish(Shape):
    """`queue` or `item`; an item goes to the queue that takes it.

    Who brings a supplement asks for the lane `returning` with `case_number`; at a kiosk `query_code`, which stands on the
    receipt, proves whose it is, and the queue is that of the case.
    """

    queue = Text(limit=10, allow_none=True, load_default=None)
    item = Text(limit=80, allow_none=True, load_default=None)
    person = fields.Nested(Person, allow_none=True, load_default=None)
    lane = Text(limit=20, load_default="normal", metadata={"enum": [lane.value for lane in Lane]})
    ground = Text(
        limit=20,
        allow_none=True,
        load_default=None,
        metadata={"enum": [None, *(ground.value for ground in Ground)], "description": "Why in the priority lane"},
    )
    party = whole(1, tickets.LARGEST_PARTY, load_default=1, metadata={"description": "People who come with it"})
    case_number = Text(limit=40, allow_none=True, load_default=None)
    query_code = Text(limit=20, allow_none=True, load_default=None)
    appointment = Text(
        limit=80,
        allow_none=True,
        load_default=None,
        metadata={"description": "Check in: the token of the appointment; all else is known from it"},
    )


class IssuedTicket(Shape):
    id = said()
    number = said()
    token = said(metadata={"description": "The holder's own; 128 bits"})
    queue = said()
    lane = said()
    state = said()
    ahead = fields.Integer(required=True)
    wait_low_s = maybe(fields.Integer)
    wait_high_s = maybe(fields.Integer)
    issued_at = instant(required=True)


class ServedItem(Shape):
    """One item of a visit; it goes on while `ended_at` is null."""

    item = maybe()
    window = said()
    started_at = instant(required=True)
    ended_at = maybe(instant)
    outcome = maybe(metadata={"enum": [None, "finished", "next-item", "parked", "transferred"]})


class HeldTicket(Shape):
    """What the holder of the token sees. `window` is null until the number is called.

    `deferred`: gone away for a while, to be back by `rejoin_until`. `services` is the visit so far.
    """

    id = said()
    hall = said()
    number = said()
    queue = said()
    queue_name = said()
    queue_name_en = said()
    zone = said()
    lane = said()
    ground = maybe()
    party = fields.Integer(required=True)
    state = said(metadata={"enum": [state.value for state in TicketState]})
    item = maybe()
    ahead = fields.Integer(required=True)
    wait_low_s = maybe(fields.Integer)
    wait_high_s = maybe(fields.Integer)
    window = maybe()
    window_name = maybe()
    window_name_en = maybe()
    issued_at = instant(required=True)
    called_at = maybe(instant)
    started_at = maybe(instant)
    recalls = fields.Integer(required=True)
    to_window = maybe()
    transfers = fields.Integer(required=True)
    deferred = fields.Boolean(required=True)
    rejoin_until = maybe(instant)
    remind_at = maybe(instant)
    left_reason = maybe()
    case_number = maybe()
    appointment = maybe()
    services = fields.List(fields.Nested(ServedItem), required=True)
    steps = fields.List(fields.String(), required=True)


class SetAside(Shape):
    """A ticket whose holder went away, or is back; `rejoin_until` in the first case."""

    id = said()
    number = said()
    state = said()
    rejoin_until = instant(allow_none=True)


class CancelledTicket(Shape):
    id = said()
    number = said()
    state = said()


@noun.post(
    "/halls/<hall>/tickets",
    refuses="hall.unknown auth.foreign_hall queue.unknown queue.closed queue.closed_for_today queue.none_for_item "
    "item.unknown lane.unknown lane.needs_appointment ground.unknown party.size person.bad_id "
    "person.bad_phone text.empty case.unknown case.query_mismatch case.no_supplement_due "
    "appointment.unknown appointment.other_hall appointment.illegal_step appointment.too_early appointment.day_over "
    "appointment.none_today appointment.ticket_over",
)
@requires(Permission.TICKET_ISSUE)
@noun.arguments(TicketWish)
@noun.alt_response(200, schema=IssuedTicket, description="The live ticket that this person has already", success=True)
@noun.response(201, IssuedTicket)
def issue_ticket(given: dict[str, Any], hall: str) -> Any:
    """Take a number for a queue or an item, or check in with an appointment; who holds a live number of this queue today
    is given that again.
    """
    own_hall(g.actor, hall)
    if given["appointment"] is not None:
        answer = arriving.arrive(hall, g.actor, now(), token=plain(given["appointment"], "appointment.unknown"))
        return answer, 201 if answer["created"] else 200
    at = now()
    queue, item, case_number = given["queue"] or "", given["item"] or None, given["case_number"] or None
    if given["lane"] == Lane.RETURNING and case_number:
        if g.actor.kind == "staff":
            case_number, of_case = returning.by_number(hall, case_number)
        else:  # a machine has not seen the papers
            case_number, of_case = returning.by_query(hall, case_number, given["query_code"] or "")
        item = item or of_case
    if item:
        zone = guide_of(item)["zone"] if given["item"] else item_asked_for(item)["zone"]
        queue = queue or queries.queue_for(hall, zone)
    if not queue:
        raise Refusal("request.invalid", detail="queue | item: one of them is required")
    answer = tickets.issue_ticket(
        hall=hall,
        actor=g.actor,
        at=at,
        queue=queue,
        channel="kiosk" if g.actor.kind == "device" else "guide",
        person=given["person"],
        lane=given["lane"],
        item=item,
        ground=given["ground"],
        party=given["party"],
        case_number=case_number if given["lane"] == Lane.RETURNING else None,
        forecast=forecasts.promise(hall, queue, given["lane"], at),
    )
    return answer, 201 if answer["created"] else 200


@noun.get("/tickets/<token>", refuses="ticket.unknown", limited="tickets")
@public
@noun.response(200, HeldTicket)
def read_ticket(token: str) -> Any:
    """The ticket of a holder's token: its state, how many are ahead, the window once it is called."""
    return queries.ticket_view(*queries.find_by_token(plain(token, "ticket.unknown")), now())


@noun.post("/tickets/<token>/cancel", refuses="ticket.unknown ticket.illegal_step", limited="tickets")
@public
@noun.arguments(Nothing)
@noun.response(200, CancelledTicket)
def cancel_ticket(_given: dict[str, Any], token: str) -> Any:
    """Give the number back; for whoever holds its token."""
    hall, ticket = queries.find_by_token(plain(token, "ticket.unknown"))
    take_key("ticket:" + digest("ticket", token))
    return tickets.cancel_ticket(hall=hall, actor=CITIZEN, at=now(), ticket_id=ticket)


@noun.post("/tickets/<token>/defer", refuses=f"{HOLDER} ticket.defer_off", limited="tickets")
@public
@noun.arguments(Nothing)
@noun.response(200, SetAside)
def defer_ticket(_given: dict[str, Any], token: str) -> Any:
    """Go away for a while and keep the number; for whoever holds its token, or staff by its id."""
    return tickets.defer_ticket(at=now(), **_held(token))


@noun.post(
    "/tickets/<token>/rejoin",
    refuses=f"{HOLDER} ticket.rejoin_too_late ticket.day_over",
    limited="tickets",
)
@public
@noun.arguments(Nothing)
@noun.response(200, SetAside)
def rejoin_ticket(_given: dict[str, Any], token: str) -> Any:
    """Back again: wait behind the next few, never before one's old place; for the holder, or staff by its id."""
    return tickets.rejoin_ticket(at=now(), **_held(token))


def _held(text: str) -> dict[str, Any]:
    """Which ticket, and as whom: staff of the queue name it by its id, its holder by the token. Refuses ticket.unknown."""
    staff = next(
        (
            c
            for c in g.callers
            if c.kind == "staff" and (c.may(Permission.TICKET_CALL) or c.may(Permission.TICKET_ISSUE))
        ),
        None,
    )
    if staff is not None and is_row_id(text):
        take_key(staff.ref)
        hall, ticket = row_id(text, "ticket.unknown")
        return {"hall": hall, "actor": staff, "ticket_id": ticket}
    hall, ticket = queries.find_by_token(plain(text, "ticket.unknown"))
    take_key("ticket:" + digest("ticket", text))
    return {"hall": hall, "actor": CITIZEN, "ticket_id": ticket}
