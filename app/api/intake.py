"""Intake: what a clerk does with a case at the accepting window. No step here refuses an applicant."""

from __future__ import annotations

from typing import Any

from flask import g
from marshmallow import ValidationError, fields

from app.api.case_shapes import ReceivedCase, StaffCase, shown
from app.api.cases import OF_CASE, act
from app.api.noun import Noun
from app.api.reading import own_hall, row_id
from app.api.schemas import Nothing, Shape, Text, listed, whole
from app.casework import intake
from app.casework.rules.materials import MaterialState
from app.errors import Refusal
from app.now import now
from app.people.gate import requires
from app.people.permissions import Permission
from app.queueing.queries import ticket_view, window_of_staff

noun = Noun("intake", "Receiving and accepting cases")

STEP = f"{OF_CASE} case.illegal_step text.empty"
LONGEST_GAP = 366


class Party(Shape):
    name = Text(limit=100, required=True)
    id_type = Text(limit=40, allow_none=True)
    id_number = Text(limit=60, allow_none=True)
    phone = Text(limit=40, allow_none=True)


class Applicant(Party):
    kind = Text(limit=20, required=True, metadata={"enum": ["person", "organisation"]})
    representative = Text(limit=60, allow_none=True, metadata={"description": "Of an organisation"})


class Agent(Party):
    letter = Text(limit=100, allow_none=True, metadata={"description": "The letter of authority"})


class MaterialIn(Shape):
    code = Text(limit=80, required=True)
    state = Text(limit=20, load_default="received", metadata={"enum": [state.value for state in MaterialState]})


class NewCase(Shape):
    item = Text(limit=80, required=True, metadata={"description": "Implementation code"})
    applicant = fields.Nested(Applicant, required=True)
    materials = listed(fields.Nested(MaterialIn), load_default=list)
    ticket = Text(limit=60, allow_none=True, load_default=None, metadata={"description": "Of the present visit"})
    agent = fields.Nested(Agent, allow_none=True, load_default=None)
    delivery = fields.Dict(keys=Text(limit=20), values=Text(limit=200), allow_none=True, load_default=None)
    hall = Text(limit=40, allow_none=True, load_default=None, metadata={"description": "One's own by default"})


class GapLimit(Shape):
    amount = whole(1, LONGEST_GAP, required=True)
    unit = Text(limit=2, load_default="WD", metadata={"enum": ["WD", "WH", "ND", "NH"]})


GAP_LIMIT = {
    "type": "object",
    "required": ["amount"],
    "properties": {"amount": {"type": "integer", "minimum": 1}, "unit": {"enum": ["WD", "WH", "ND", "NH"]}},
}


class Days(fields.Field):
    """Working days as a number, or {amount, unit}."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        inner = GapLimit() if isinstance(value, dict) else whole(1, LONGEST_GAP)
        return inner.load(value) if isinstance(inner, GapLimit) else inner.deserialize(value, attr, data)


class Tolerance(Shape):
    commitment = Text(limit=500, load_default="")
    gap_limit = Days(
        allow_none=True,
        load_default=None,
        metadata={"oneOf": [{"type": "integer", "minimum": 1}, GAP_LIMIT, {"type": "null"}]},
    )


class Acceptance(Shape):
    tolerant = fields.Nested(Tolerance, allow_none=True, load_default=None)


class Lacking(Shape):
    code = Text(limit=80, required=True)
    problem = Text(limit=200, allow_none=True)


class Supplement(Shape):
    items = listed(fields.Nested(Lacking), required=True)


class Supplied(fields.Field):
    """A material's code, or {code, state}."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        if isinstance(value, str):
            value = {"code": value}
        if not isinstance(value, dict):
            raise ValidationError("Neither a code nor an object.")
        return MaterialIn().load(value)


class Supply(Shape):
    items = listed(
        Supplied(metadata={"oneOf": [{"type": "string"}, {"$ref": "#/components/schemas/MaterialIn"}]}),
        required=True,
    )


class NoRequestIn(Shape):
    kind = Text(limit=20, required=True, metadata={"enum": list(intake.NO_REQUESTS)})
    reason = Text(limit=500, load_default="")


@noun.post(
    "/cases",
    refuses="item.unknown case.applicant_kind case.material_unknown ticket.unknown auth.foreign_hall "
    "hall.unknown text.empty person.bad_id person.bad_phone",
)
@requires(Permission.CASE_ACCEPT)
@noun.arguments(NewCase)
@noun.response(201, ReceivedCase)
def receive_case(given: dict[str, Any]) -> Any:
    """Receive a case: its number, and the codes with which the applicant asks and collects."""
    ticket = row_id(given["ticket"], "ticket.unknown") if given["ticket"] else None
    hall = given["hall"] or g.actor.hall or (ticket[0] if ticket else None)
    if not hall:
        raise Refusal("request.invalid", detail="hall: required of those who belong to no single hall")
    own_hall(g.actor, hall)
    if ticket is not None:
        if ticket[0] != hall:
            raise Refusal("ticket.unknown")
        ticket_view(*ticket, now())
    answer = intake.receive_case(
        hall=hall,
        actor=g.actor,
        at=now(),
        item=given["item"],
        applicant=given["applicant"],
        materials=given["materials"],
        ticket_id=ticket[1] if ticket else None,
        agent=given["agent"],
        delivery=given["delivery"],
        window=window_of_staff(hall, g.actor.id),
    )
    return shown(answer)


@noun.post(
    "/cases/<number>/accept",
    refuses=f"{STEP} case.no_request_open case.materials_missing case.tolerant_main case.tolerant_commitment "
    "case.tolerant_gap",
)
@requires(Permission.CASE_ACCEPT)
@noun.arguments(Acceptance)
@noun.response(200, StaffCase)
def accept_case(given: dict[str, Any], number: str) -> Any:
    """Accept: both clocks start today. With `tolerant`, secondary materials may follow within a limit."""
    return act(intake.accept_case, number, tolerant=given["tolerant"])


@noun.post(
    "/cases/<number>/request-supplement",
    refuses=f"{STEP} case.nothing_missing case.material_unknown case.second_notice auth.foreign_department "
    "case.not_authorised",
)
@requires(Permission.CASE_ACCEPT, Permission.CASE_OVERRIDE, Permission.CASE_DECIDE)
@noun.arguments(Supplement)
@noun.response(200, StaffCase)
def request_supplement(given: dict[str, Any], number: str) -> Any:
    """Tell the applicant once all that is missing; in review the deciding department does, a second time a supervisor."""
    return act(intake.request_supplement, number, items=given["items"])


@noun.post("/cases/<number>/supply", refuses=f"{STEP} case.nothing_missing case.material_unknown")
@requires(Permission.CASE_ACCEPT)
@noun.arguments(Supply)
@noun.response(200, StaffCase)
def supply_materials(given: dict[str, Any], number: str) -> Any:
    """Take supplements in; when nothing is missing any more the case goes on by itself."""
    return act(intake.supply, number, items=given["items"])


@noun.post(
    "/cases/<number>/no-request",
    refuses=f"{STEP} case.no_request_kind case.no_request_open case.reason_required",
)
@requires(Permission.CASE_ACCEPT)
@noun.arguments(NoRequestIn)
@noun.response(200, StaffCase)
def raise_no_request(given: dict[str, Any], number: str) -> Any:
    """Ask the chief representative whether the case may be refused: a window has no veto."""
    return act(intake.raise_no_request, number, **given)


@noun.post("/cases/<number>/withdraw", refuses=STEP)
@requires(Permission.CASE_ACCEPT)
@noun.arguments(Nothing)
@noun.response(200, StaffCase)
def withdraw_case(_given: dict[str, Any], number: str) -> Any:
    """The applicant takes the application back."""
    return act(intake.withdraw_case, number)
