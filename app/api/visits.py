"""Visits: what a clerk does with the number at the window, and with those set aside."""

from __future__ import annotations

from typing import Any

from flask import g
from marshmallow import fields

from app.api.noun import Noun
from app.api.reading import own_hall, row_id
from app.api.schemas import Nothing, Shape, Text, instant, maybe, said, whole
from app.api.tickets import HeldTicket
from app.api.windows import Call
from app.errors import Refusal
from app.now import now
from app.people.gate import requires
from app.people.permissions import Permission
from app.queueing import calls, queries, serving
from app.queueing.rules.reasons import AbandonReason, ChoiceReason, ParkReason, Place
from app.queueing.rules.states import TicketState, legal_steps

noun = Noun("visits", "Numbers at the windows")

STEP = "ticket.unknown ticket.illegal_step hall.unknown auth.foreign_hall"
AT_WINDOW = f"{STEP} ticket.not_at_window"
OWN_WINDOW = "window.unknown window.not_open window.not_yours window.occupied"


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
    to_staff = fields.String(allow_none=True)
    transfers = fields.Integer()
    recall = fields.Integer()
    remind_at = instant()
    steps = fields.List(fields.String(), required=True)


class Visit(HeldTicket):
    """The same as the holder sees, and what a clerk wrote for the next one."""

    to_staff = maybe()
    note = said()


class ServiceStart(Shape):
    item = Text(
        limit=80, allow_none=True, load_default=None, metadata={"description": "What it was taken for by default"}
    )


class NextItem(Shape):
    item = Text(limit=80, required=True)


class Parking(Shape):
    """`reason` is a code of the list; any other text is kept as the note of `other`."""

    reason = Text(limit=100, load_default="", metadata={"examples": [reason.value for reason in ParkReason]})
    note = Text(limit=200, load_default="")
    remind_min = whole(1, serving.LONGEST_REMINDER_MIN, allow_none=True, load_default=None)


class Unparking(Shape):
    window = Text(limit=60, allow_none=True, load_default=None, metadata={"description": "The clerk's own by default"})


class Transfer(Shape):
    """To a `queue`, an open `window`, or a clerk (`staff`, the account) at one; `note` is for whoever calls it next."""

    queue = Text(limit=10, allow_none=True, load_default=None)
    window = Text(limit=60, allow_none=True, load_default=None)
    staff = Text(limit=60, allow_none=True, load_default=None)
    place = Text(limit=10, load_default="sorted", metadata={"enum": [place.value for place in Place]})
    note = Text(limit=200, load_default="")


class Abandonment(Shape):
    reason = Text(limit=20, load_default="gave-up", metadata={"enum": [reason.value for reason in AbandonReason]})


class ChosenNumber(Shape):
    """Why this number and not the next; `other` needs the note."""

    reason = Text(limit=20, required=True, metadata={"enum": [reason.value for reason in ChoiceReason]})
    note = Text(limit=200, load_default="")
    window = Text(limit=60, allow_none=True, load_default=None, metadata={"description": "The clerk's own by default"})


class PastCall(Shape):
    """`mode`: rule, dispatch, chosen, unpark. `waited_s` is null for who was called back."""

    window = said()
    at = instant(required=True)
    outcome = maybe()
    mode = said(metadata={"enum": ["rule", "dispatch", "chosen", "unpark"]})
    reason = maybe()
    waited_s = maybe(fields.Integer)
    arrived_at = maybe(instant)
    why = fields.Dict(keys=fields.String(), required=True)


def _act(action: Any, ticket_id: str, **more: Any) -> dict[str, Any]:
    hall, number = row_id(ticket_id, "ticket.unknown")
    answer = action(hall=hall, actor=g.actor, at=now(), ticket_id=number, **more)
    return answer | {"steps": [step.value for step in legal_steps(TicketState(answer["state"]))]}


@noun.post(
    "/tickets/<ticket_id>/call", refuses=f"{STEP} {OWN_WINDOW} reason.unknown reason.note_required ticket.day_over"
)
@requires(Permission.TICKET_CALL_ANY)
@noun.arguments(ChosenNumber)
@noun.response(200, Call)
def call_ticket(given: dict[str, Any], ticket_id: str) -> Any:
    """Call somebody whose turn it is not, and say why; who was passed over is kept with it."""
    hall, number = row_id(ticket_id, "ticket.unknown")
    return calls.call_chosen(
        hall=hall,
        actor=g.actor,
        at=now(),
        ticket_id=number,
        window=_own_window(given["window"], hall),
        reason=given["reason"],
        note=given["note"],
    )


@noun.post("/tickets/<ticket_id>/recall", refuses=f"{AT_WINDOW} ticket.recall_too_soon ticket.recall_limit")
@requires(Permission.TICKET_CALL)
@noun.arguments(Nothing)
@noun.response(200, DeskTicket)
def recall_ticket(_given: dict[str, Any], ticket_id: str) -> Any:
    """Call the number at one's window again."""
    return _act(calls.recall, ticket_id)


@noun.post("/tickets/<ticket_id>/start", refuses=f"{AT_WINDOW} item.unknown")
@requires(Permission.TICKET_CALL)
@noun.arguments(ServiceStart)
@noun.response(200, DeskTicket)
def start_ticket(given: dict[str, Any], ticket_id: str) -> Any:
    """The person has come; service begins."""
    return _act(serving.start, ticket_id, item=given["item"] or None)


@noun.post("/tickets/<ticket_id>/next-item", refuses=f"{AT_WINDOW} item.unknown")
@requires(Permission.TICKET_CALL)
@noun.arguments(NextItem)
@noun.response(200, DeskTicket)
def follow_item(given: dict[str, Any], ticket_id: str) -> Any:
    """The same visit goes on with another item."""
    return _act(serving.next_item, ticket_id, item=given["item"])


@noun.post("/tickets/<ticket_id>/finish", refuses=AT_WINDOW)
@requires(Permission.TICKET_CALL)
@noun.arguments(Nothing)
@noun.response(200, DeskTicket)
def finish_ticket(_given: dict[str, Any], ticket_id: str) -> Any:
    """The visit is over."""
    return _act(serving.finish, ticket_id)


@noun.post("/tickets/<ticket_id>/no-show", refuses=AT_WINDOW)
@requires(Permission.TICKET_CALL)
@noun.arguments(Nothing)
@noun.response(200, DeskTicket)
def miss_ticket(_given: dict[str, Any], ticket_id: str) -> Any:
    """Nobody came."""
    return _act(calls.no_show, ticket_id)


@noun.post(
    "/tickets/<ticket_id>/restore",
    refuses=f"{STEP} ticket.restore_too_late ticket.live_elsewhere ticket.day_over",
)
@requires(Permission.TICKET_CALL, Permission.TICKET_ISSUE)
@noun.arguments(Nothing)
@noun.response(200, DeskTicket)
def restore_ticket(_given: dict[str, Any], ticket_id: str) -> Any:
    """Let a missed number wait again, behind the next three; only staff, who see the person, and not a machine."""
    if g.actor.kind != "staff":
        raise Refusal("auth.forbidden")
    return _act(calls.restore, ticket_id)


@noun.post("/tickets/<ticket_id>/park", refuses=f"{AT_WINDOW} reason.unknown")
@requires(Permission.TICKET_CALL)
@noun.arguments(Parking)
@noun.response(200, DeskTicket)
def park_ticket(given: dict[str, Any], ticket_id: str) -> Any:
    """Set the visit aside; the person comes back, and the clerk is reminded of them."""
    reason, note = given["reason"], given["note"]
    if reason not in set(ParkReason):
        reason, note = ParkReason.OTHER.value, note or reason
    return _act(serving.park, ticket_id, reason=reason, note=note, remind_min=given["remind_min"])


@noun.post("/tickets/<ticket_id>/unpark", refuses=f"{STEP} {OWN_WINDOW}")
@requires(Permission.TICKET_CALL)
@noun.arguments(Unparking)
@noun.response(200, DeskTicket)
def unpark_ticket(given: dict[str, Any], ticket_id: str) -> Any:
    """Call a parked number back to one's window."""
    hall, _ = row_id(ticket_id, "ticket.unknown")
    return _act(calls.unpark, ticket_id, window=_own_window(given["window"], hall))


@noun.post(
    "/tickets/<ticket_id>/transfer",
    refuses=f"{AT_WINDOW} queue.unknown window.unknown window.not_open staff.not_at_window place.unknown "
    "ticket.live_elsewhere ticket.transfer_limit ticket.day_over",
)
@requires(Permission.TICKET_CALL)
@noun.arguments(Transfer)
@noun.response(200, DeskTicket)
def transfer_ticket(given: dict[str, Any], ticket_id: str) -> Any:
    """Send the person to another queue, straight to another window, or to a clerk; the number stays."""
    hall, _ = row_id(ticket_id, "ticket.unknown")
    return _act(
        serving.transfer,
        ticket_id,
        queue=given["queue"] or None,
        window=_window(given["window"], hall),
        staff=given["staff"] or None,
        place=given["place"],
        note=given["note"],
    )


@noun.post("/tickets/<ticket_id>/abandon", refuses=f"{AT_WINDOW} reason.unknown")
@requires(Permission.TICKET_CALL)
@noun.arguments(Abandonment)
@noun.response(200, DeskTicket)
def abandon_ticket(given: dict[str, Any], ticket_id: str) -> Any:
    """The person gave up."""
    return _act(serving.abandon, ticket_id, reason=given["reason"])


@noun.get("/tickets/<ticket_id>/visit", refuses="ticket.unknown hall.unknown auth.foreign_hall")
@requires(Permission.TICKET_CALL, Permission.HALL_WATCH)
@noun.response(200, Visit)
def read_visit(ticket_id: str) -> Any:
    """A ticket as staff see it: what was served where, what was left for the next clerk."""
    hall, number = row_id(ticket_id, "ticket.unknown")
    own_hall(g.actor, hall)
    return queries.ticket_view(hall, number, now(), staff=True)


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


def _own_window(text: str | None, hall: str) -> str:
    """The window that is named, else the one where the caller sits."""
    return _window(text, hall) or queries.window_of_staff(hall, g.actor.id) or ""
