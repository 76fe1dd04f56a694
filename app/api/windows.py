"""Windows: who sits where, and the call of the next number."""

from __future__ import annotations

from typing import Any

from flask import Response, g
from marshmallow import fields

from app.api.noun import Noun
from app.api.reading import acting_hall, window_id
from app.api.schemas import Nothing, Shape, Text, instant, maybe, said
from app.now import now
from app.people.gate import requires
from app.people.permissions import Permission
from app.queueing import calls, windows
from app.queueing.queries import windows_of_hall

noun = Noun("windows", "Windows and their clerks")

AT = "window.unknown hall.unknown auth.foreign_hall"


class WindowQuery(Shape):
    hall = Text(limit=40, load_default="", metadata={"description": "One's own hall by default"})


class TicketAtWindow(Shape):
    id = said()
    number = said()
    state = said()
    called_at = instant(required=True)


class WindowNow(Shape):
    id = said()
    code = said()
    kind = said(metadata={"enum": ["comprehensive", "pickup", "consult"]})
    name = said()
    name_en = said()
    zone = said()
    queues = fields.List(fields.String(), required=True)
    state = said(metadata={"enum": ["open", "paused", "closed"]})
    staff = maybe()
    since = instant(required=True, allow_none=True)
    reason = maybe()
    free_since = maybe(instant)
    taken_from = maybe()
    ticket = fields.Nested(TicketAtWindow, required=True, allow_none=True)


class WindowState(Shape):
    id = said()
    code = said()
    hall = said()
    state = said(metadata={"enum": ["open", "paused", "closed"]})


class WindowOpening(Shape):
    """`take_over`: also when somebody left the window open; their session ends, what is there stays."""

    take_over = fields.Boolean(load_default=False, truthy={True}, falsy={False})


class Pause(Shape):
    reason = Text(limit=60, load_default="")


class CalledTicket(Shape):
    id = said()
    number = said()
    queue = said()
    lane = said()
    state = said()
    waited_s = fields.Integer(required=True)
    item = maybe()


class Call(Shape):
    """`why` names the rule and every candidate with its wait and its standing, in seconds."""

    ticket = fields.Nested(CalledTicket, required=True)
    why = fields.Dict(keys=fields.String(), required=True)


@noun.get("/windows", refuses="hall.unknown auth.foreign_hall")
@requires(Permission.WINDOW_OPEN, Permission.WINDOW_MANAGE, Permission.HALL_WATCH)
@noun.arguments(WindowQuery, location="query")
@noun.response(200, WindowNow(many=True))
def list_windows(given: dict[str, Any]) -> Any:
    """The windows of a hall: who is there, which queues they serve, which number they have."""
    return windows_of_hall(acting_hall(g.actor, given["hall"]))


@noun.post("/windows/<window>/open", refuses=f"{AT} window.already_open window.staff_elsewhere")
@requires(Permission.WINDOW_OPEN)
@noun.arguments(WindowOpening)
@noun.response(200, WindowState)
def open_window(given: dict[str, Any], window: str) -> Any:
    """Sit down at a window, take it over, or go on after a pause."""
    hall, code = window_id(window)
    return windows.open_window(hall=hall, actor=g.actor, at=now(), window=code, take_over=given["take_over"])


@noun.post(
    "/windows/<window>/pause",
    refuses=f"{AT} window.reason_required window.not_open window.not_yours window.occupied text.empty",
)
@requires(Permission.WINDOW_OPEN)
@noun.arguments(Pause)
@noun.response(200, WindowState)
def pause_window(given: dict[str, Any], window: str) -> Any:
    """Stop calling for a while, and say why."""
    hall, code = window_id(window)
    return windows.pause_window(hall=hall, actor=g.actor, at=now(), window=code, reason=given["reason"])


@noun.post("/windows/<window>/close", refuses=f"{AT} window.not_open window.not_yours window.occupied")
@requires(Permission.WINDOW_OPEN)
@noun.arguments(Nothing)
@noun.response(200, WindowState)
def close_window(_given: dict[str, Any], window: str) -> Any:
    """Leave the window."""
    hall, code = window_id(window)
    return windows.close_window(hall=hall, actor=g.actor, at=now(), window=code)


@noun.post("/windows/<window>/call-next", refuses=f"{AT} window.not_open window.not_yours window.occupied")
@requires(Permission.TICKET_CALL)
@noun.arguments(Nothing)
@noun.alt_response(204, description="Nobody waits there", success=True)
@noun.response(200, Call)
def call_next(_given: dict[str, Any], window: str) -> Any:
    """Call the number whose turn it is, and say why it is."""
    hall, code = window_id(window)
    called = calls.call_next(hall=hall, actor=g.actor, at=now(), window=code)
    return Response(status=204) if called is None else called
