"""The rules of calling: what a hall calls by, setting it, and what it would have done to a day that was."""

from __future__ import annotations

from typing import Any

from flask import g
from marshmallow import fields

from app.api.noun import Noun
from app.api.reading import known_hall, own_hall
from app.api.schemas import Shape, Text, dated, instant, maybe, said
from app.api.statistics import YEARS
from app.now import local_day, now
from app.people.gate import public, requires
from app.people.permissions import Permission
from app.queueing.calling_rules import last_day, preview, proposed, rules_in_force, set_policy, shown

noun = Noun("policies", "The rules of calling")

INVALID = "policy.invalid window.unknown queue.unknown weight.invalid"
MINUTES = {"description": "Window → queue → minutes that the queue's people count there as having waited longer"}


class CallingCondition(Shape):
    """WHEN all that is said here is so, THEN it counts as having waited `minutes` longer."""

    minutes = fields.Integer(required=True)
    queue = fields.String()
    lane = fields.String()
    window = fields.String()
    waiting_over = fields.Integer(metadata={"description": "More than so many wait in its queue"})
    waited_over_min = fields.Integer()
    since = fields.String(metadata={"description": "Local time of day, 09:00"})
    until = fields.String(metadata={"description": "Itself excluded"})


class CallingPolicy(Shape):
    """Times are whole minutes (`_min`) or seconds (`_s`)."""

    head_start_min = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    ratio = fields.List(
        fields.Integer(),
        required=True,
        allow_none=True,
        metadata={"description": "So many of the normal lane for so many of the priority lane, when both wait"},
    )
    call_by_min = maybe(
        fields.Integer, metadata={"description": "Who has waited so long comes before every other rule"}
    )
    conditions = fields.List(fields.Nested(CallingCondition), required=True)
    recalls = fields.Integer(required=True)
    recall_gap_s = fields.Integer(required=True)
    restore_within_min = fields.Integer(required=True)
    restore_behind = fields.Integer(required=True)
    rejoin_within_min = fields.Integer(required=True)
    park_remind_min = fields.Integer(required=True)
    dispatch = fields.Boolean(required=True)
    rest_s = fields.Integer(required=True)
    quick_s = fields.Integer(required=True)
    service_level_min = fields.Integer(required=True)
    transfer_cap = fields.Integer(required=True)


class CallingRules(Shape):
    """`furthest_min`: nobody is called by rank before somebody who came more than so many minutes earlier."""

    policy = fields.Nested(CallingPolicy, required=True)
    weights = fields.Dict(keys=fields.String(), values=fields.Dict(), required=True, metadata=MINUTES)
    furthest_min = fields.Integer(required=True)
    seen = said(metadata={"description": "Digest of these rules; a change says which rules it was made over"})


class PolicyProposal(Shape):
    """A policy whole: what is left out of it is the default. What is left out of `weights` stays."""

    policy = fields.Dict(keys=fields.String(), required=True, metadata={"description": "As GET gives it"})
    weights = fields.Dict(
        keys=fields.String(),
        values=fields.Dict(keys=fields.String(), values=fields.Integer(strict=True)),
        load_default=None,
        metadata=MINUTES,
    )


class PolicyChange(PolicyProposal):
    seen = Text(limit=40, load_default=None, allow_none=True)


class PolicyQuestion(PolicyProposal):
    day = fields.Date(
        load_default=None,
        allow_none=True,
        validate=YEARS,
        metadata={"description": "Whose record is played again; by default the last day with numbers before today"},
    )


class LaneWaits(Shape):
    """Minutes."""

    people = fields.Integer(required=True)
    mean = fields.Float(required=True)
    p50 = fields.Float(required=True)
    p90 = fields.Float(required=True)
    most = fields.Float(required=True)


class MovedTicket(Shape):
    """Whose wait would differ by a minute or more; `…_at` is null when they would not have been called."""

    number = said()
    queue = said()
    lane = said()
    before_s = fields.Integer(required=True)
    after_s = fields.Integer(required=True)
    before_at = maybe(instant)
    after_at = maybe(instant)


class PolicyEffect(Shape):
    """Waits by lane under the rules in force and under the proposed ones; both are simulated from the day's record."""

    day = dated()
    tickets = fields.Integer(required=True)
    before = fields.Dict(keys=fields.String(), values=fields.Nested(LaneWaits), required=True)
    after = fields.Dict(keys=fields.String(), values=fields.Nested(LaneWaits), required=True)
    moved = fields.List(fields.Nested(MovedTicket), required=True)


@noun.get("/halls/<hall>/policy", refuses="hall.unknown")
@public
@noun.response(200, CallingRules)
def read_policy(hall: str) -> Any:
    """The rules by which a hall calls, for everybody to read."""
    return shown(rules_in_force(known_hall(hall)))


@noun.put("/halls/<hall>/policy", refuses=f"hall.unknown auth.foreign_hall {INVALID} policy.unchanged policy.changed")
@requires(Permission.WINDOW_MANAGE)
@noun.arguments(PolicyChange)
@noun.response(200, CallingRules)
def put_policy(given: dict[str, Any], hall: str) -> Any:
    """Set the rules of calling from the next call on; with `seen`, only over the rules that were looked at."""
    return set_policy(hall=own_hall(g.actor, hall), actor=g.actor, at=now(), **given)


@noun.post("/halls/<hall>/policy/preview", refuses=f"hall.unknown auth.foreign_hall {INVALID}", acts=False)
@requires(Permission.WINDOW_MANAGE)
@noun.arguments(PolicyQuestion)
@noun.response(200, PolicyEffect)
def preview_policy(given: dict[str, Any], hall: str) -> Any:
    """What these rules would have made of a day that was: waits by lane, and who would have been called when."""
    code, at = own_hall(g.actor, hall), now()
    day = given["day"] or last_day(code, local_day(at))
    return preview(code, day, at, proposed(code, given["policy"], given["weights"]))
