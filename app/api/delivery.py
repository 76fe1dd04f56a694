"""Delivery: the result at the pickup window, into the right hands."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from app.api.case_shapes import StaffCase
from app.api.cases import OF_CASE, act
from app.api.noun import Noun
from app.api.schemas import Shape, Text
from app.casework import delivery
from app.people.gate import requires
from app.people.permissions import Permission

noun = Noun("delivery", "Handing results over")

STEP = f"{OF_CASE} case.illegal_step text.empty"


class Shelf(Shape):
    shelf = Text(limit=20, load_default="")


class AgentWithLetter(Shape):
    name = Text(limit=60, allow_none=True)
    letter = Text(limit=100, allow_none=True, metadata={"description": "The letter of authority; required"})
    id_number = Text(limit=60, allow_none=True)


class HandOver(Shape):
    """`pickup_code` or the applicant's `id_number`."""

    receiver = Text(limit=60, required=True)
    pickup_code = Text(limit=20, allow_none=True, load_default=None)
    id_number = Text(limit=60, allow_none=True, load_default=None)
    agent = fields.Nested(AgentWithLetter, allow_none=True, load_default=None)


class Dispatch(Shape):
    carrier = Text(limit=40, required=True)
    tracking_number = Text(limit=40, required=True)


@noun.post("/cases/<number>/ready", refuses=STEP)
@requires(Permission.CASE_HAND_OVER)
@noun.arguments(Shelf)
@noun.response(200, StaffCase)
def ready_case(given: dict[str, Any], number: str) -> Any:
    """The result lies at the pickup window."""
    return act(delivery.ready_case, number, **given)


@noun.post("/cases/<number>/hand-over", refuses=f"{STEP} case.receiver_mismatch case.agent_letter person.bad_id")
@requires(Permission.CASE_HAND_OVER)
@noun.arguments(HandOver)
@noun.response(200, StaffCase)
def hand_over(given: dict[str, Any], number: str) -> Any:
    """Give the result to whoever shows the code or the applicant's ID; an agent also shows a letter."""
    return act(delivery.hand_over, number, **given)


@noun.post("/cases/<number>/dispatch", refuses=STEP)
@requires(Permission.CASE_HAND_OVER)
@noun.arguments(Dispatch)
@noun.response(200, StaffCase)
def dispatch_case(given: dict[str, Any], number: str) -> Any:
    """Send the result by courier."""
    return act(delivery.dispatch_case, number, **given)
