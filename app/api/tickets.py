"""Tickets: taking a number, the holder's view of it, and the clerk's steps."""

from __future__ import annotations

from typing import Any

from flask import g
from marshmallow import fields

from app.api.noun import Noun
from app.api.reading import digest, own_hall, plain, row_id, take_key
from app.api.schemas import Nothing, Shape, Text, instant, maybe, said
from app.catalog.queries import item as guide_of
from app.errors import Refusal
from app.events import CITIZEN
from app.now import now
from app.people.gate import public, requires
from app.people.permissions import Permission
from app.queueing import calls, queries, tickets
from app.queueing.rules.states import Lane, TicketState, legal_steps

noun = Noun("tickets", "Numbers in the queue")

STEP = "ticket.unknown ticket.illegal_step hall.unknown auth.foreign_hall"
AT_WINDOW = f"{STEP} ticket.not_at_window"


class Person(Shape):
    name = Text(limit=60, allow_none=True)
    id_number = Text(limit=60, allow_none=True)
    phone = Text(limit=40, allow_none=True)


class TicketWish(Shape):
    """`queue` or `item`; an item goes to the queue that takes it."""

    queue = Text(limit=10, allow_none=True, load_default=None)
    item = Text(limit=80, allow_none=True, load_default=None)
    person = fields.Nested(Person, allow_none=True, load_default=None)
    lane = Text(limit=20, load_default="normal", metadata={"enum": [lane.value for lane in Lane]})
    appointment = fields.Raw(allow_none=True, load_default=None, metadata={"description": "Not offered yet"})


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


class HeldTicket(Shape):
    """What the holder of the token sees. `window` is null until the number is called."""

    id = said()
    hall = said()
    number = said()
    queue = said()
    queue_name = said()
    queue_name_en = said()
    zone = said()
    lane = said()
    state = said(metadata={"enum": [state.value for state in TicketState]})
    item = maybe()
    ahead = fields.Integer(required=True)
    wait_low_s = maybe(fields.Integer)
    wait_high_s = maybe(fields.Integer)
    window = maybe()
    window_name = maybe()
    window_name_en = maybe()
    issued_at = instant(required=True)
    called_at = instant(required=True, allow_none=True)


class CancelledTicket(Shape):
    id = said()
    number = said()
    state = said()


class DeskTicket(Shape):
    """What a step made of a ticket; `steps` is what may be done with it next."""

    id = said()
    number = said()
    queue = said()
    lane = said()
    state = said(metadata={"enum": [state.value for state in TicketState]})
    window = maybe()
    item = maybe()
    to_window = fields.String(allow_none=True)
    recall = fields.Integer()
    steps = fields.List(fields.String(), required=True)


class Parking(Shape):
    reason = Text(limit=100, load_default="")


class Unparking(Shape):
    window = Text(limit=60, allow_none=True, load_default=None, metadata={"description": "The clerk's own by default"})


class Transfer(Shape):
    """`queue` or `window`."""

    queue = Text(limit=10, allow_none=True, load_default=None)
    window = Text(limit=60, allow_none=True, load_default=None)


class PastCall(Shape):
    window = said()
    at = instant(required=True)
    outcome = maybe()
    why = fields.Dict(keys=fields.String(), required=True)


@noun.post(
    "/halls/<hall>/tickets",
    refuses="hall.unknown auth.foreign_hall queue.unknown queue.closed queue.none_for_item item.unknown lane.unknown "
    "appointment.unavailable person.bad_id person.bad_phone text.empty",
)
@requires(Permission.TICKET_ISSUE)
@noun.arguments(TicketWish)
@noun.alt_response(200, schema=IssuedTicket, description="The live ticket that this person has already", success=True)
@noun.response(201, IssuedTicket)
def issue_ticket(given: dict[str, Any], hall: str) -> Any:
    """Take a number for a queue or an item; who holds a live one of this queue today is given that again."""
    own_hall(g.actor, hall)
    if given["appointment"] is not None:
        raise Refusal("appointment.unavailable")
    queue, item = given["queue"] or "", given["item"] or None
    if item:
        zone = guide_of(item)["zone"]
        queue = queue or queries.queue_for(hall, zone)
    if not queue:
        raise Refusal("request.invalid", detail="queue | item: one of them is required")
    answer = tickets.issue_ticket(
        hall=hall,
        actor=g.actor,
        at=now(),
        queue=queue,
        channel="kiosk" if g.actor.kind == "device" else "guide",
        person=given["person"],
        lane=given["lane"],
        item=item,
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


def _act(action: Any, ticket_id: str, **more: Any) -> dict[str, Any]:
    hall, number = row_id(ticket_id, "ticket.unknown")
    answer = action(hall=hall, actor=g.actor, at=now(), ticket_id=number, **more)
    return answer | {"steps": [step.value for step in legal_steps(TicketState(answer["state"]))]}


@noun.post("/tickets/<ticket_id>/recall", refuses=f"{AT_WINDOW} ticket.recall_too_soon ticket.recall_limit")
@requires(Permission.TICKET_CALL)
@noun.arguments(Nothing)
@noun.response(200, DeskTicket)
def recall_ticket(_given: dict[str, Any], ticket_id: str) -> Any:
    """Call the number at one's window again."""
    return _act(calls.recall, ticket_id)


@noun.post("/tickets/<ticket_id>/start", refuses=AT_WINDOW)
@requires(Permission.TICKET_CALL)
@noun.arguments(Nothing)
@noun.response(200, DeskTicket)
def start_ticket(_given: dict[str, Any], ticket_id: str) -> Any:
    """The person has come; service begins."""
    return _act(calls.start, ticket_id)


@noun.post("/tickets/<ticket_id>/finish", refuses=AT_WINDOW)
@requires(Permission.TICKET_CALL)
@noun.arguments(Nothing)
@noun.response(200, DeskTicket)
def finish_ticket(_given: dict[str, Any], ticket_id: str) -> Any:
    """The visit is over."""
    return _act(calls.finish, ticket_id)


@noun.post("/tickets/<ticket_id>/no-show", refuses=AT_WINDOW)
@requires(Permission.TICKET_CALL)
@noun.arguments(Nothing)
@noun.response(200, DeskTicket)
def miss_ticket(_given: dict[str, Any], ticket_id: str) -> Any:
    """Nobody came."""
    return _act(calls.no_show, ticket_id)


@noun.post("/tickets/<ticket_id>/restore", refuses=f"{STEP} ticket.restore_too_late ticket.live_elsewhere")
@requires(Permission.TICKET_CALL)
@noun.arguments(Nothing)
@noun.response(200, DeskTicket)
def restore_ticket(_given: dict[str, Any], ticket_id: str) -> Any:
    """Let a missed number wait again, behind the next three."""
    return _act(calls.restore, ticket_id)


@noun.post("/tickets/<ticket_id>/park", refuses=AT_WINDOW)
@requires(Permission.TICKET_CALL)
@noun.arguments(Parking)
@noun.response(200, DeskTicket)
def park_ticket(given: dict[str, Any], ticket_id: str) -> Any:
    """Set the visit aside; the person comes back to this window."""
    return _act(calls.park, ticket_id, reason=given["reason"])


@noun.post(
    "/tickets/<ticket_id>/unpark",
    refuses=f"{STEP} window.not_open window.not_yours window.occupied window.unknown",
)
@requires(Permission.TICKET_CALL)
@noun.arguments(Unparking)
@noun.response(200, DeskTicket)
def unpark_ticket(given: dict[str, Any], ticket_id: str) -> Any:
    """Call a parked number back to one's window."""
    hall, _ = row_id(ticket_id, "ticket.unknown")
    window = _window(given["window"], hall) or queries.window_of_staff(hall, g.actor.id) or ""
    return _act(calls.unpark, ticket_id, window=window)


@noun.post(
    "/tickets/<ticket_id>/transfer",
    refuses=f"{AT_WINDOW} queue.unknown window.unknown ticket.live_elsewhere",
)
@requires(Permission.TICKET_CALL)
@noun.arguments(Transfer)
@noun.response(200, DeskTicket)
def transfer_ticket(given: dict[str, Any], ticket_id: str) -> Any:
    """Send the person to another queue or straight to another window; number and arrival stay."""
    hall, _ = row_id(ticket_id, "ticket.unknown")
    return _act(calls.transfer, ticket_id, queue=given["queue"] or None, window=_window(given["window"], hall))


@noun.post("/tickets/<ticket_id>/abandon", refuses=AT_WINDOW)
@requires(Permission.TICKET_CALL)
@noun.arguments(Nothing)
@noun.response(200, DeskTicket)
def abandon_ticket(_given: dict[str, Any], ticket_id: str) -> Any:
    """The person gave up."""
    return _act(calls.abandon, ticket_id)


@noun.get("/tickets/<ticket_id>/why", refuses="ticket.unknown hall.unknown auth.foreign_hall")
@requires(Permission.TICKET_CALL, Permission.HALL_WATCH)
@noun.response(200, PastCall(many=True))
def read_calls(ticket_id: str) -> Any:
    """Every call of a ticket with the reason why it was its turn."""
    hall, number = row_id(ticket_id, "ticket.unknown")
    own_hall(g.actor, hall)
    queries.ticket_view(hall, number, now())
    return queries.why_called(hall, number)


def _window(text: str | None, hall: str) -> str | None:
    """The code of a window of this hall, from its code or its public id."""
    return text.removeprefix(f"{hall}-") if text else None
