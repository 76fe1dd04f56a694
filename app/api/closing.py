"""The close of day: no more numbers, and what still waits is explicitly expired."""

from __future__ import annotations

from typing import Any

from flask import g
from marshmallow import fields

from app.api.noun import Noun
from app.api.reading import own_hall
from app.api.schemas import Shape, Text, dated, listed, said
from app.now import now
from app.people.gate import requires
from app.people.permissions import Permission
from app.queueing import closing
from app.queueing.rules.reasons import BY_ITSELF, ExpiryReason

noun = Noun("closing", "The close of day")

HALL = "hall.unknown auth.foreign_hall"


class IssuingOrder(Shape):
    open = fields.Boolean(required=True, truthy={True}, falsy={False})


class IssuingNow(Shape):
    """`open`: whether the hall gives tickets on its `day`; tomorrow it does again."""

    hall = said()
    day = dated()
    open = fields.Boolean(required=True)


class ExpiryOrder(Shape):
    """Of these `queues`, or of the whole hall."""

    reason = Text(
        limit=20, required=True, metadata={"enum": [reason.value for reason in ExpiryReason if reason not in BY_ITSELF]}
    )
    queues = listed(Text(limit=10), allow_none=True, load_default=None)


class Expired(Shape):
    expired = fields.Integer(required=True)
    numbers = fields.List(fields.String(), required=True)


@noun.post("/halls/<hall>/issuing", refuses=HALL)
@requires(Permission.WINDOW_MANAGE)
@noun.arguments(IssuingOrder)
@noun.response(200, IssuingNow)
def set_issuing(given: dict[str, Any], hall: str) -> Any:
    """Stop giving tickets for the rest of the day, or give them again; who waits is still called."""
    own_hall(g.actor, hall)
    if given["open"]:
        return closing.resume_issuing(hall=hall, actor=g.actor, at=now())
    return closing.stop_issuing(hall=hall, actor=g.actor, at=now())


@noun.post("/halls/<hall>/expire", refuses=f"{HALL} reason.unknown queue.unknown queue.still_issuing")
@requires(Permission.WINDOW_MANAGE)
@noun.arguments(ExpiryOrder)
@noun.response(200, Expired)
def expire_rest(given: dict[str, Any], hall: str) -> Any:
    """Expire whoever waits, is set aside or was missed, for a reason; who is at a window stays there."""
    own_hall(g.actor, hall)
    return closing.expire_rest(hall=hall, actor=g.actor, at=now(), reason=given["reason"], queues=given["queues"])
