"""A day played again under other windows or rules, and how true the promised waits were."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import g
from marshmallow import fields, validate

from app.api.noun import Noun
from app.api.reading import own_hall
from app.api.schemas import Shape, Text, dated, instant, listed, maybe, said, whole
from app.api.statistics import YEARS
from app.now import local_day, now
from app.people.gate import requires
from app.people.permissions import Permission
from app.queueing import replay
from app.queueing.accuracy import accuracy

noun = Noun("replays", "What would have been: the record's own day under other windows or rules")

CODE = {"limit": 10, "required": True}
MINUTES = {"description": "Minutes"}


class Opening(Shape):
    """A window that is open as well; without `from` and `until` whenever the doors are."""

    window = Text(**CODE)
    queues = listed(Text(limit=10), most=40, required=True)
    from_ = Text(limit=5, data_key="from", load_default="")
    until = Text(limit=5, load_default="")


class Lesson(Shape):
    """A window that serves a queue as well."""

    window = Text(**CODE)
    queue = Text(**CODE)
    weight_min = whole(0, 120, load_default=0)


class ReplayQuestion(Shape):
    """What to change; the members of a policy that are left out stay as they were on that day."""

    day = fields.Date(
        load_default=None,
        allow_none=True,
        validate=YEARS,
        metadata={"description": "A local day; today by default"},
    )
    open = listed(fields.Nested(Opening), most=40, load_default=list)
    teach = listed(fields.Nested(Lesson), most=60, load_default=list)
    ratio = fields.List(fields.Integer(strict=True), allow_none=True, validate=validate.Length(equal=2))
    call_by_min = fields.Integer(strict=True, allow_none=True)
    head_start_min = fields.Dict(keys=fields.String(), values=fields.Integer(strict=True))
    conditions = listed(fields.Dict(), most=20)
    dispatch = fields.Boolean()
    comprehensive = fields.Boolean(load_default=False, metadata={"description": "Every window serves all queues"})
    suggest = fields.Boolean(load_default=False, metadata={"description": "Also say what would have helped most"})


class Waits(Shape):
    """From coming to the first call, in minutes; of who was never called, until they left or the windows closed."""

    people = fields.Integer(required=True)
    served = fields.Integer(required=True)
    mean = fields.Float(required=True)
    p50 = fields.Float(required=True)
    p90 = fields.Float(required=True)
    most = fields.Float(required=True)


class QueueWaits(Waits):
    queue = said()


class WindowLoad(Shape):
    """`idle`: free while people it serves waited; `cold`: free while only people it does not serve did. Minutes."""

    window = said()
    calls = fields.Integer(required=True)
    open = fields.Integer(required=True, metadata=MINUTES)
    busy = fields.Integer(required=True, metadata=MINUTES)
    idle = fields.Integer(required=True, metadata=MINUTES)
    cold = fields.Integer(required=True, metadata=MINUTES)


class HalfHour(Shape):
    at = instant(required=True)
    mean = fields.Float(required=True, metadata={"description": "Mean wait of who came then, in minutes"})
    people = fields.Integer(required=True)


class DayFigures(Waits):
    unserved = fields.Integer(required=True)
    waiting_min = fields.Integer(required=True, metadata={"description": "Of all people together"})
    queues = fields.List(fields.Nested(QueueWaits), required=True)
    windows = fields.List(fields.Nested(WindowLoad), required=True)
    curve = fields.List(fields.Nested(HalfHour), required=True)


class Drift(Shape):
    """How far the simulated day is from the recorded one. `chosen`: calls that clerks made out of turn."""

    calls = fields.Integer(required=True)
    same_window = fields.Integer(required=True)
    mean_min = fields.Float(required=True)
    chosen = fields.Integer(required=True)


class Advice(Shape):
    changes = fields.Dict(required=True, metadata={"description": "As this call takes them"})
    saved_min = fields.Integer(required=True, metadata={"description": "Of all people together"})
    mean_min = fields.Float(required=True)


class Replay(Shape):
    """`recorded` is what happened, `before` the same day simulated, `after` with the changes."""

    day = dated()
    changes = fields.Dict(required=True)
    people = fields.Integer(required=True)
    recorded = fields.Nested(Waits, required=True)
    before = fields.Nested(DayFigures, required=True)
    after = fields.Nested(DayFigures, required=True)
    saved_min = fields.Integer(required=True)
    drift = fields.Nested(Drift, required=True)
    suggestions = fields.List(fields.Nested(Advice), required=True)


class Days(Shape):
    from_ = fields.Date(
        data_key="from",
        load_default=None,
        validate=YEARS,
        metadata={"description": "A week before `until` by default"},
    )
    until = fields.Date(load_default=None, validate=YEARS, metadata={"description": "Included; today by default"})


class Score(Shape):
    """Shares of those `told` a range who were called inside it, sooner, later; mean errors in minutes.

    `naive`: people ahead × average service; `shared`: the same divided among the open windows.
    """

    people = fields.Integer(required=True)
    told = fields.Integer(required=True)
    inside = maybe(fields.Float)
    sooner = maybe(fields.Float)
    later = maybe(fields.Float)
    error_min = maybe(fields.Float)
    naive_error_min = maybe(fields.Float)
    shared_error_min = maybe(fields.Float)
    width_min = maybe(fields.Float)


class QueueScore(Score):
    queue = said()


class Accuracy(Score):
    from_ = fields.String(required=True, data_key="from", attribute="from", metadata={"format": "date"})
    to = dated()
    aim = fields.List(fields.Float(), required=True, metadata={"description": "Share inside that is aimed at"})
    queues = fields.List(fields.Nested(QueueScore), required=True)


HALLS = "hall.unknown auth.foreign_hall"


@noun.post(
    "/halls/<hall>/replays",
    refuses=f"{HALLS} window.unknown queue.unknown policy.invalid replay.too_many",
    acts=False,
)
@requires(Permission.HALL_WATCH)
@noun.arguments(ReplayQuestion)
@noun.response(200, Replay)
def replay_day(given: dict[str, Any], hall: str) -> Any:
    """Play a day of the record again with other windows or rules, and say what waits would have been."""
    code, at = own_hall(g.actor, hall), now()
    day, advise = given.pop("day") or local_day(at), given.pop("suggest")
    for each in given["open"]:
        each["from"] = each.pop("from_")
    kept = replay.day_of(code, day, at)
    wish = replay.read_changes(code, day, kept, given)
    found = replay.what_if(kept, wish.changes)
    advice = replay.suggestions(code, day, kept) if advise else []
    return {"day": day.isoformat(), "changes": wish.said, **found, "suggestions": advice}


@noun.get("/halls/<hall>/forecast-accuracy", refuses=HALLS)
@requires(Permission.HALL_WATCH)
@noun.arguments(Days, location="query")
@noun.response(200, Accuracy)
def forecast_accuracy(given: dict[str, Any], hall: str) -> Any:
    """How true the promised waits were: the share called within their range, and the error beside a naive estimate."""
    code = own_hall(g.actor, hall)
    last = given["until"] or local_day(now())
    return accuracy(code, given["from_"] or last - timedelta(days=6), last)
