"""Agency orders 代办: errands for those who cannot come, in three working days and free of charge."""

from __future__ import annotations

from typing import Any

from flask import g
from marshmallow import fields, validate

from app.api.case_shapes import MaskedParty, Stepwise, shown
from app.api.intake import Party
from app.api.items import Limit
from app.api.noun import Noun
from app.api.reading import acting_hall, watched_hall
from app.api.schemas import HallPageQuery, Named, Page, Shape, Text, instant, maybe, said
from app.api.steps import Steps, Subject
from app.casework import agency, agency_queries
from app.casework.rules.agency import Beneficiary, OrderState
from app.now import now
from app.people.gate import requires
from app.people.permissions import Permission
from app.privacy import REASONS

noun = Noun("agency-orders", "Errands for those who cannot come")

P = Permission
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


class OrderItem(Named):
    code = said()


class OrderClock(Shape):
    limit = fields.Nested(Limit, required=True)
    due_at = maybe(instant)
    remaining = fields.Integer(required=True)
    late = fields.Boolean(required=True)
    stopped = fields.Boolean(required=True)
    running = fields.Boolean(required=True)
    provisional = fields.Boolean(required=True)


class OrderStop(Shape):
    from_at = instant(required=True)
    until_at = maybe(instant)
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
    accepted_at = maybe(instant)
    started_at = maybe(instant)
    completed_at = maybe(instant)
    called_back_at = maybe(instant)
    satisfied = maybe(fields.Boolean)


class OrderLine(OrderDates):
    principal = said(metadata={"description": "Masked"})


class OrderOut(OrderDates, Stepwise):
    principal = fields.Nested(MaskedParty, required=True)
    wish = said()
    letter = said()
    has_address = fields.Boolean(required=True)
    case = maybe()
    result = maybe()
    ended = maybe()
    call_back = maybe()
    stops = fields.List(fields.Nested(OrderStop), required=True)


class OrderPage(Page):
    items = fields.List(fields.Nested(OrderLine), required=True)


class OrderFilter(HallPageQuery):
    state = Text(limit=20, load_default=None, validate=validate.OneOf(ORDER_STATES))


ORDER = Subject("/agency-orders", "agency", "order_id", agency_queries.find_order, OrderOut)
step = Steps(noun, ORDER, "agency.illegal_step")


@noun.post(
    "/agency-orders",
    refuses="agency.beneficiary item.unknown text.empty person.bad_id person.bad_phone auth.foreign_hall hall.unknown",
)
@requires(P.AGENCY_HANDLE)
@noun.arguments(NewOrder)
@noun.response(201, OrderOut)
def order_errand(given: dict[str, Any]) -> Any:
    """Take an order for somebody who cannot come."""
    hall = acting_hall(g.actor, given.pop("hall"))
    return shown(agency.order_errand(hall=hall, actor=g.actor, at=now(), **given))


@noun.get("/agency-orders", refuses="hall.unknown auth.foreign_hall")
@requires(P.AGENCY_HANDLE, P.HALL_WATCH)
@noun.arguments(OrderFilter, location="query")
@noun.response(200, OrderPage)
def list_orders(given: dict[str, Any]) -> Any:
    """The orders that still ask for something, soonest due first, or those of one state."""
    return agency_queries.order_list(at=now(), hall=watched_hall(g.actor, given.pop("hall")), **given)


@noun.get("/agency-orders/<number>", refuses=ORDER.refuses)
@requires(P.AGENCY_HANDLE, P.HALL_WATCH)
@noun.response(200, OrderOut)
def read_order(number: str) -> Any:
    """One order, the principal masked."""
    return shown(agency_queries.order_view(*ORDER.seen(number), now()))


step(
    "accept",
    agency.accept_order,
    P.AGENCY_HANDLE,
    says="Take the order on; the clock starts when everything needed was handed over.",
    takes=OrderAcceptance,
)
step(
    "start",
    agency.start_order,
    P.AGENCY_HANDLE,
    says="Everything needed was handed over: three working days run.",
)
step(
    "interrupt",
    agency.interrupt_order,
    P.AGENCY_HANDLE,
    says="Stop with a reason; the clock stands still.",
    takes=OrderReason,
    refuses="case.reason_required text.empty",
)
step("resume", agency.resume_order, P.AGENCY_HANDLE, says="Go on.")
step(
    "complete",
    agency.complete_order,
    P.AGENCY_HANDLE,
    says="Done: what was handed over, or the case that came of it.",
    takes=OrderResult,
    refuses="agency.result_required agency.foreign_case case.unknown",
)
step(
    "call-back",
    agency.call_back,
    P.AGENCY_HANDLE,
    says="What the principal says afterwards.",
    takes=CallBack,
)
step(
    "cancel",
    agency.cancel_order,
    P.AGENCY_HANDLE,
    says="End the order with nothing done.",
    takes=OrderReason,
    refuses="case.reason_required text.empty",
)


@noun.post("/agency-orders/<number>/reveal", refuses=f"{ORDER.refuses} reveal.reason")
@requires(P.AGENCY_HANDLE)
@noun.arguments(OrderReveal)
@noun.response(200, Principal)
def reveal_principal(given: dict[str, Any], number: str) -> Any:
    """Whom to visit or call, in full; the look goes into the record."""
    return ORDER.act(agency.reveal_principal, number, **given)
