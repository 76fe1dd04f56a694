"""Delivery: the result at the pickup window, into the right hands."""

from __future__ import annotations

from marshmallow import fields

from app.api.cases import CASE, STEP
from app.api.noun import Noun
from app.api.schemas import Shape, Text
from app.api.steps import Steps
from app.casework import delivery
from app.casework.rules.signature import LONGEST
from app.people.permissions import Permission

noun = Noun("delivery", "Handing results over")
step = Steps(noun, CASE, STEP)

HAND_OVER = Permission.CASE_HAND_OVER


class Shelf(Shape):
    shelf = Text(limit=20, load_default="", metadata={"description": "The next free slot by default"})


class AgentWithLetter(Shape):
    name = Text(limit=60, allow_none=True)
    letter = Text(limit=100, allow_none=True, metadata={"description": "The letter of authority; required"})
    id_number = Text(limit=60, allow_none=True)


class Receiver(Shape):
    """`pickup_code` or the applicant's `id_number`."""

    receiver = Text(limit=60, required=True)
    pickup_code = Text(limit=20, allow_none=True, load_default=None)
    id_number = Text(limit=60, allow_none=True, load_default=None)
    agent = fields.Nested(AgentWithLetter, allow_none=True, load_default=None)


class HandOver(Receiver):
    signature = Text(
        limit=LONGEST,
        allow_none=True,
        load_default=None,
        metadata={"description": "What the receiver drew: a PNG as a data URL"},
    )


class Dispatch(Shape):
    carrier = Text(limit=40, required=True)
    tracking_number = Text(limit=40, required=True)
    zone = Text(limit=20, allow_none=True, load_default=None, metadata={"description": "Of the courier's tariff"})
    address = Text(
        limit=200, allow_none=True, load_default=None, metadata={"description": "As chosen at receipt by default"}
    )


class Returned(Shape):
    """A parcel that came back."""

    reason = Text(limit=20, required=True, metadata={"enum": list(delivery.CAME_BACK)})
    shelf = Text(limit=20, load_default="", metadata={"description": "The next free slot by default"})


class Slip(Shape):
    receiver = Text(limit=60, required=True)
    signed_on = fields.Date(allow_none=True, load_default=None, metadata={"description": "Today by default"})


step("ready", delivery.ready_case, HAND_OVER, says="The result lies at the pickup window.", takes=Shelf)
step(
    "hand-over",
    delivery.hand_over,
    HAND_OVER,
    says="Give the result to whoever shows the code or the applicant's ID; an agent also shows a letter.",
    takes=HandOver,
    refuses="case.receiver_mismatch case.receiver_name case.agent_letter case.signature person.bad_id",
    limited="codes",
)
step(
    "dispatch",
    delivery.dispatch_case,
    HAND_OVER,
    says="Send the result by courier, at the fee of its zone.",
    takes=Dispatch,
    refuses="case.courier_zone",
)
step(
    "sign",
    delivery.sign_delivery,
    HAND_OVER,
    says="The courier's slip came back signed.",
    takes=Slip,
    refuses="case.not_dispatched case.sign_date",
)
step(
    "come-back",
    delivery.come_back,
    HAND_OVER,
    says="The courier brought the parcel back: it lies at the pickup window again.",
    takes=Returned,
    refuses="case.not_dispatched",
)
