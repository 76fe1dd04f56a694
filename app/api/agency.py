"""Agency orders 代办: errands for those who cannot come, in three working days and free of charge."""

from __future__ import annotations

from typing import Any

from flask import g
from marshmallow import fields, validate

from app.api.case_shapes import OPTIONAL_INSTANT, HistoryLine, MaskedParty, NoticeLine, shown
from app.api.intake import Party
from app.api.items import Limit
from app.api.noun import Noun
from app.api.reading import own_hall, plain
from app.api.schemas import Nothing, PageQuery, Shape, Text, instant, maybe, said
from app.casework import agency, agency_queries
from app.casework.reveal import REASONS
from app.casework.rules.agency import Beneficiary, OrderState
from app.errors import Refusal
from app.now import now
from app.people.gate import requires
from app.people.permissions import Permission

noun = Noun("agency-orders", "Errands for those who cannot come")

P = Permission
OF_ORDER = "agency.unknown auth.foreign_hall hall.unknown"
STEP = f"{OF_ORDER} agency.illegal_step"
ORDER_STATES = [state.value for state in OrderState]
BENEFICIARIES = [kind.value for kind in Beneficiary]


class NewOrder(Shape):
    beneficiary = Text(limit=20, required=True, metadata={"enum": BENEFICIARIES})
    principal = fields.Nested(Party, required=True)
    wish = Text(limit=300, required=True, metadata={"description": "What is wanted"})
    letter = Text(limit=100, load_default="", metadata={"description": "The letter of authority"})
    item = Text(limit=80, allow_none=True, load_default=None)
    address = Text(limit=100, load_default="")
    hall = Text(limit=40, allow_none=True, load_default=None, metadata={"description": "One's own by default"})


class OrderAcceptance(Shape):
    complete = fields.Boolean(load_default=False, metadata={"description": "All that is needed was handed over"})


class OrderReason(Shape):
    reason = Text(limit=300, load_default="")


class OrderResult(Shape):
    """What was handed over, or the case that came of it, or both."""

    result = Text(limit=300, load_default="")
    case_number = Text(limit=40, allow_none=True, load_default=None)


class CallBack(Shape):
    satisfied = fields.Boolean(required=True)
    note = Text(limit=300, load_default="")


class OrderReveal(Shape):
    reason = Text(limit=20, required=True, metadata={"enum": list(REASONS)})


class Principal(Shape):
    name = said()
    id_number = maybe()
    phone = maybe()
    address = maybe()


class OrderItem(Shape):
    code = said()
    name = said()
    name_en = said()


class OrderClock(Shape):
    limit = fields.Nested(Limit, required=True)
    due_at = instant(**OPTIONAL_INSTANT)
    remaining = fields.Integer(required=True)
    stopped = fields.Boolean(required=True)
    provisional = fields.Boolean(required=True)


class OrderStop(Shape):
    from_at = instant(required=True)
    until_at = instant(**OPTIONAL_INSTANT)
    reason = said()


class OrderDates(Shape):
    number = said()
    hall = said()
    state = said(metadata={"enum": ORDER_STATES})
    beneficiary = said(metadata={"enum": BENEFICIARIES})
    item = fields.Nested(OrderItem, required=True, allow_none=True)
    light = said()
    clock = fields.Nested(OrderClock, required=True)
    handled_by = maybe()
    ordered_at = instant(required=True)
    accepted_at = instant(**OPTIONAL_INSTANT)
    started_at = instant(**OPTIONAL_INSTANT)
    completed_at = instant(**OPTIONAL_INSTANT)
    called_back_at = instant(**OPTIONAL_INSTANT)
    satisfied = maybe(fields.Boolean)


class OrderLine(OrderDates):
    principal = said(metadata={"description": "Masked"})


class OrderOut(OrderDates):
    principal = fields.Nested(MaskedParty, required=True)
    wish = said()
    letter = said()
    has_address = fields.Boolean(required=True)
    case = maybe()
    result = maybe()
    ended = maybe()
    call_back = maybe()
    stops = fields.List(fields.Nested(OrderStop), required=True)
    history = fields.List(fields.Nested(HistoryLine), required=True)
    notices = fields.List(fields.Nested(NoticeLine), required=True)
    steps = fields.List(fields.String(), required=True)


class OrderPage(Shape):
    items = fields.List(fields.Nested(OrderLine), required=True)
    total = fields.Integer(required=True)
    page = fields.Integer(required=True)
    pages = fields.Integer(required=True)


class OrderFilter(PageQuery):
    state = Text(limit=20, load_default=None, validate=validate.OneOf(ORDER_STATES))
    hall = Text(limit=40, load_default=None)


def act(action: Any, number: str, **more: Any) -> dict[str, Any]:
    """Run an action on the order of this number as the caller, now."""
    hall, order_id = agency_queries.find_order(plain(number, "agency.unknown"))
    return shown(action(hall=hall, actor=g.actor, at=now(), order_id=order_id, **more))


@noun.post(
    "/agency-orders",
    refuses="agency.beneficiary item.unknown text.empty person.bad_id person.bad_phone auth.foreign_hall hall.unknown",
)
@requires(P.AGENCY_HANDLE)
@noun.arguments(NewOrder)
@noun.response(201, OrderOut)
def order_errand(given: dict[str, Any]) -> Any:
    """Take an order for somebody who cannot come."""
    hall = given.pop("hall") or g.actor.hall
    if not hall:
        raise Refusal("request.invalid", detail="hall: required of those who belong to no single hall")
    return shown(agency.order_errand(hall=own_hall(g.actor, hall), actor=g.actor, at=now(), **given))


@noun.get("/agency-orders", refuses="hall.unknown auth.foreign_hall")
@requires(P.AGENCY_HANDLE, P.HALL_WATCH)
@noun.arguments(OrderFilter, location="query")
@noun.response(200, OrderPage)
def list_orders(given: dict[str, Any]) -> Any:
    """The orders that still ask for something, soonest due first, or those of one state."""
    hall = own_hall(g.actor, given.pop("hall")) if given["hall"] else given.pop("hall") or g.actor.hall
    return agency_queries.order_list(at=now(), hall=hall, **given)


@noun.get("/agency-orders/<number>", refuses=OF_ORDER)
@requires(P.AGENCY_HANDLE, P.HALL_WATCH)
@noun.response(200, OrderOut)
def read_order(number: str) -> Any:
    """One order, the principal masked."""
    hall, order_id = agency_queries.find_order(plain(number, "agency.unknown"))
    if g.actor.hall not in (None, hall):
        raise Refusal("auth.foreign_hall")
    return shown(agency_queries.order_view(hall, order_id, now()))


@noun.post("/agency-orders/<number>/accept", refuses=STEP)
@requires(P.AGENCY_HANDLE)
@noun.arguments(OrderAcceptance)
@noun.response(200, OrderOut)
def accept_order(given: dict[str, Any], number: str) -> Any:
    """Take the order on; the clock starts when everything needed was handed over."""
    return act(agency.accept_order, number, **given)


@noun.post("/agency-orders/<number>/start", refuses=STEP)
@requires(P.AGENCY_HANDLE)
@noun.arguments(Nothing)
@noun.response(200, OrderOut)
def start_order(_given: dict[str, Any], number: str) -> Any:
    """Everything needed was handed over: three working days run."""
    return act(agency.start_order, number)


@noun.post("/agency-orders/<number>/interrupt", refuses=f"{STEP} case.reason_required text.empty")
@requires(P.AGENCY_HANDLE)
@noun.arguments(OrderReason)
@noun.response(200, OrderOut)
def interrupt_order(given: dict[str, Any], number: str) -> Any:
    """Stop with a reason; the clock stands still."""
    return act(agency.interrupt_order, number, **given)


@noun.post("/agency-orders/<number>/resume", refuses=STEP)
@requires(P.AGENCY_HANDLE)
@noun.arguments(Nothing)
@noun.response(200, OrderOut)
def resume_order(_given: dict[str, Any], number: str) -> Any:
    """Go on."""
    return act(agency.resume_order, number)


@noun.post("/agency-orders/<number>/complete", refuses=f"{STEP} agency.result_required case.unknown")
@requires(P.AGENCY_HANDLE)
@noun.arguments(OrderResult)
@noun.response(200, OrderOut)
def complete_order(given: dict[str, Any], number: str) -> Any:
    """Done: what was handed over, or the case that came of it."""
    return act(agency.complete_order, number, **given)


@noun.post("/agency-orders/<number>/call-back", refuses=STEP)
@requires(P.AGENCY_HANDLE)
@noun.arguments(CallBack)
@noun.response(200, OrderOut)
def call_back(given: dict[str, Any], number: str) -> Any:
    """What the principal says afterwards."""
    return act(agency.call_back, number, **given)


@noun.post("/agency-orders/<number>/cancel", refuses=f"{STEP} case.reason_required text.empty")
@requires(P.AGENCY_HANDLE)
@noun.arguments(OrderReason)
@noun.response(200, OrderOut)
def cancel_order(given: dict[str, Any], number: str) -> Any:
    """End the order with nothing done."""
    return act(agency.cancel_order, number, **given)


@noun.post("/agency-orders/<number>/reveal", refuses=f"{OF_ORDER} reveal.reason")
@requires(P.AGENCY_HANDLE)
@noun.arguments(OrderReveal)
@noun.response(200, Principal)
def reveal_principal(given: dict[str, Any], number: str) -> Any:
    """Whom to visit or call, in full; the look goes into the record."""
    hall, order_id = agency_queries.find_order(plain(number, "agency.unknown"))
    return agency.reveal_principal(hall=hall, actor=g.actor, at=now(), order_id=order_id, **given)
