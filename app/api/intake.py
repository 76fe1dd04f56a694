"""Intake: what a clerk does with a case at the accepting window, and what a supervisor puts right there.

No step here refuses an applicant.
"""

from __future__ import annotations

from typing import Any

from flask import g
from marshmallow import ValidationError, fields, validate

from app.api.case_shapes import ReceivedCase, shown
from app.api.cases import CASE, STEP
from app.api.deadlines import when
from app.api.items import UNITS
from app.api.noun import Noun
from app.api.reading import acting_hall, row_id
from app.api.schemas import Shape, Text, listed, whole
from app.api.steps import Reason, Steps
from app.casework import corrections, finish, intake, supplement
from app.casework.rules.materials import MaterialState
from app.errors import Refusal
from app.now import now
from app.people.gate import requires
from app.people.permissions import Permission
from app.queueing.queries import ticket_view, window_of_staff

noun = Noun("intake", "Receiving and accepting cases")
step = Steps(noun, CASE, STEP)

ACCEPT, OVERRIDE = Permission.CASE_ACCEPT, Permission.CASE_OVERRIDE
LONGEST_GAP = 366
RECEIVING = (
    "case.applicant_kind case.material_unknown licence.expired licence.revoked auth.foreign_hall hall.unknown text.empty "
    "person.bad_id person.bad_phone"
)


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


class Application(Shape):
    applicant = fields.Nested(Applicant, required=True)
    materials = listed(fields.Nested(MaterialIn), load_default=list)
    ticket = Text(limit=60, allow_none=True, load_default=None, metadata={"description": "Of the present visit"})
    agent = fields.Nested(Agent, allow_none=True, load_default=None)
    delivery = fields.Dict(keys=Text(limit=20), values=Text(limit=200), allow_none=True, load_default=None)
    hall = Text(limit=40, allow_none=True, load_default=None, metadata={"description": "One's own by default"})


class NewCase(Application):
    item = Text(limit=80, required=True, metadata={"description": "Implementation code"})


class GapLimit(Shape):
    amount = whole(1, LONGEST_GAP, required=True)
    unit = Text(limit=2, load_default="WD", metadata={"enum": UNITS})


GAP_LIMIT = {
    "type": "object",
    "required": ["amount"],
    "properties": {"amount": {"type": "integer", "minimum": 1}, "unit": {"enum": UNITS}},
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


class Word(Shape):
    text = Text(limit=500, load_default="", metadata={"description": "What the applicant commits to in writing"})


class Acceptance(Shape):
    tolerant = fields.Nested(Tolerance, allow_none=True, load_default=None)
    commitment = fields.Nested(
        Word, allow_none=True, load_default=None, metadata={"description": "Where the item is decided on a commitment"}
    )


class Lacking(Shape):
    code = Text(limit=80, required=True)
    problem = Text(limit=200, allow_none=True)
    defect = Text(
        limit=20,
        allow_none=True,
        validate=validate.OneOf(supplement.DEFECTS),
        metadata={"description": "Incomplete, or not in the form that the law asks for"},
    )


class Supplement(Shape):
    items = listed(fields.Nested(Lacking), required=True)
    repeat_reason = Text(limit=500, load_default="", metadata={"description": "Of a second notice: why it is allowed"})


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


class NewLimit(Reason):
    limit = fields.Nested(GapLimit, required=True)


class Backdating(Reason):
    received_at = when(required=True)


class NoRequestIn(Reason):
    kind = Text(limit=20, required=True, metadata={"enum": list(intake.NO_REQUESTS)})


def at_window(given: dict[str, Any]) -> dict[str, Any]:
    """The application with where it is made, as actions want it: `hall`, `window` and `ticket_id` of the visit.

    Refuses ticket.unknown, request.invalid, hall.unknown, auth.foreign_hall.
    """
    asked, text = given.pop("hall"), given.pop("ticket")
    ticket = row_id(text, "ticket.unknown") if text else None
    hall = acting_hall(g.actor, asked or g.actor.hall or (ticket[0] if ticket else None))
    if ticket is not None:
        if ticket[0] != hall:
            raise Refusal("ticket.unknown")
        ticket_view(*ticket, now())
    ticket_id = ticket[1] if ticket else None
    return given | {"hall": hall, "window": window_of_staff(hall, g.actor.id), "ticket_id": ticket_id}


@noun.post("/cases", refuses=f"item.unknown ticket.unknown {RECEIVING}")
@requires(ACCEPT)
@noun.arguments(NewCase)
@noun.response(201, ReceivedCase)
def receive_case(given: dict[str, Any]) -> Any:
    """Receive a case: its number, and the codes with which the applicant asks and collects."""
    return shown(intake.receive_case(actor=g.actor, at=now(), **at_window(given)))


step(
    "accept",
    intake.accept_case,
    ACCEPT,
    says="Accept: the clocks start. With `tolerant`, secondary materials may follow; with `commitment`, a word replaces them.",
    takes=Acceptance,
    refuses="case.no_request_open case.materials_missing case.tolerant_main case.tolerant_commitment "
    "case.tolerant_gap case.not_on_commitment case.commitment_required",
)
step(
    "request-supplement",
    supplement.request_supplement,
    ACCEPT,
    OVERRIDE,
    Permission.CASE_DECIDE,
    says="Tell the applicant once all that is missing; in review the deciding department does, a second time a supervisor.",
    takes=Supplement,
    refuses="case.nothing_missing case.material_unknown case.second_notice case.told_late case.reason_required "
    "auth.foreign_department case.not_authorised",
)
step(
    "supply",
    supplement.supply,
    ACCEPT,
    says="Take supplements in; when nothing is missing any more the case goes on by itself.",
    takes=Supply,
    refuses="case.nothing_missing case.material_unknown licence.expired licence.revoked",
)
step(
    "no-request",
    intake.raise_no_request,
    ACCEPT,
    says="Ask the chief representative whether the case may be refused: a window has no veto.",
    takes=NoRequestIn,
    refuses="case.no_request_kind case.no_request_open case.reason_required",
)
step("withdraw", intake.withdraw_case, ACCEPT, says="The applicant takes the application back.")
step(
    "finish",
    finish.finish_case,
    ACCEPT,
    says="Hand over on the spot what was granted to the applicant who waited at the window.",
    refuses="case.not_instant case.on_the_spot",
)
step(
    "convert",
    finish.convert_case,
    ACCEPT,
    Permission.CASE_DECIDE,
    says="Turn an instant case into one with a promised limit, with the reason told.",
    takes=NewLimit,
    refuses="case.not_instant case.reason_required case.convert_limit case.convert_late auth.foreign_department "
    "case.not_authorised",
)
step(
    "void",
    corrections.void_case,
    OVERRIDE,
    ACCEPT,
    says="Void what should never have been entered; a window only what it collected for another hall.",
    takes=Reason,
    refuses="case.reason_required",
)
step(
    "backdate",
    corrections.backdate_receipt,
    OVERRIDE,
    says="Move a receipt back to when the papers really came in; the applicant gets a new one.",
    takes=Backdating,
    refuses="case.reason_required case.backdate_bounds deadline.invalid",
)
