"""Statistics of a hall's queue, and the ledger of its windows and clerks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import g
from marshmallow import fields, validate

from app.api.noun import Noun
from app.api.reading import own_hall
from app.api.schemas import Named, Shape, Text, asked, dated, instant, maybe, said
from app.errors import Refusal
from app.now import local_day, now
from app.people.gate import requires
from app.people.permissions import Permission
from app.queueing import days, ledgers, statistics

noun = Noun("statistics", "How long people waited and were served, and what windows did with their time")

YEARS = validate.Range(days.FIRST, days.LAST)
NUMBER = {"required": True}
SECONDS = {"description": "Whole seconds"}


class StatisticsQuery(Shape):
    """Local days, both included; by default the week that ends today. At most 92 days."""

    from_ = fields.Date(data_key="from", load_default=None, validate=YEARS)
    to = fields.Date(load_default=None, validate=YEARS)
    by = Text(limit=10, load_default="queue", validate=validate.OneOf(statistics.SIDES))


class Spread(Shape):
    """Of `count` times: the mean, nearest-rank percentiles and the largest, in seconds; null of none."""

    count = fields.Integer(**NUMBER)
    mean_s = maybe(fields.Float)
    p50_s = maybe(fields.Integer)
    p90_s = maybe(fields.Integer)
    most_s = maybe(fields.Integer)


class StatisticsTotal(Shape):
    """A call counts when it was made, a service when it began, a ticket when it was taken.

    `total` is from taking the number to the end of the visit. `in_time`: waits within the service level; rates are in
    percent. `issued` and what became of those tickets is null for windows and clerks.
    """

    calls = fields.Integer(**NUMBER)
    chosen = fields.Integer(**NUMBER)
    waiting = fields.Nested(Spread, **NUMBER)
    walking = fields.Nested(Spread, **NUMBER)
    serving = fields.Nested(Spread, **NUMBER)
    total = fields.Nested(Spread, **NUMBER)
    in_time = fields.Integer(**NUMBER)
    in_time_rate = maybe(fields.Float)
    missed = fields.Integer(**NUMBER)
    transferred = fields.Integer(**NUMBER)
    parked = fields.Integer(**NUMBER)
    given_up = fields.Integer(**NUMBER, metadata={"description": "Called and then abandoned"})
    issued = maybe(fields.Integer)
    served = maybe(fields.Integer)
    left = maybe(fields.Integer, metadata={"description": "Cancelled or abandoned"})
    absent = maybe(fields.Integer, metadata={"description": "Missed, and not back"})
    expired = maybe(fields.Integer)
    lost_rate = maybe(fields.Float, metadata={"description": "Share of the issued that left, were absent or expired"})


class StatisticsLine(StatisticsTotal, Named):
    key = said()


class WaitsOfHour(Spread):
    hour = fields.Integer(**NUMBER)


class HeatCell(Shape):
    weekday = fields.Integer(**NUMBER, metadata={"description": "0 is Monday"})
    hour = fields.Integer(**NUMBER)
    count = fields.Integer(**NUMBER)
    mean_s = fields.Float(**NUMBER)


class Statistics(Shape):
    """`before` is the total of as many days just before."""

    hall = said()
    from_ = dated(data_key="from", attribute="from")
    to = dated()
    by = said()
    made_at = instant(**NUMBER)
    service_level_min = fields.Integer(**NUMBER)
    total = fields.Nested(StatisticsTotal, **NUMBER)
    before = fields.Nested(StatisticsTotal, **NUMBER)
    rows = fields.List(fields.Nested(StatisticsLine), **NUMBER)
    more = fields.Boolean(**NUMBER, metadata={"description": "There are more rows than are listed"})
    hours = fields.List(fields.Nested(WaitsOfHour), **NUMBER)
    heat = fields.List(fields.Nested(HeatCell), **NUMBER)


class LedgerQuery(Shape):
    """`clerk` or `window`: only what is about that one. Shorter stretches than `least_s` are left out of the list."""

    day = fields.Date(load_default=None, validate=YEARS, metadata={"description": "Today by default"})
    window = Text(limit=20, load_default=None)
    clerk = Text(limit=60, load_default=None)
    least_s = asked(0, 3600, 0)


class OwnLedgerQuery(Shape):
    day = fields.Date(load_default=None, validate=YEARS, metadata={"description": "Today by default"})


class LedgerPolicy(Shape):
    quick_s = fields.Integer(**NUMBER)
    recalls = fields.Integer(**NUMBER)
    recall_gap_s = fields.Integer(**NUMBER)
    rest_s = fields.Integer(**NUMBER)


class LedgerSum(Named):
    """Whole seconds; open is the sum of paused, walking, serving, idle (somebody waited) and free (nobody did)."""

    key = said()
    from_ = instant(required=True, data_key="from", attribute="from")
    until = instant(**NUMBER)
    open_s = fields.Integer(**NUMBER, metadata=SECONDS)
    paused_s = fields.Integer(**NUMBER, metadata=SECONDS)
    walking_s = fields.Integer(**NUMBER, metadata=SECONDS)
    serving_s = fields.Integer(**NUMBER, metadata=SECONDS)
    idle_s = fields.Integer(**NUMBER, metadata=SECONDS)
    free_s = fields.Integer(**NUMBER, metadata=SECONDS)
    idle_times = fields.Integer(**NUMBER)
    longest_idle_s = fields.Integer(**NUMBER, metadata=SECONDS)
    calls = fields.Integer(**NUMBER)
    recalls = fields.Integer(**NUMBER)
    started = fields.Integer(**NUMBER)
    finished = fields.Integer(**NUMBER)
    missed = fields.Integer(**NUMBER)
    parked = fields.Integer(**NUMBER)
    transferred = fields.Integer(**NUMBER)
    abandoned = fields.Integer(**NUMBER)
    chosen = fields.Integer(**NUMBER)
    quick = fields.Integer(**NUMBER)
    entries = fields.Integer(**NUMBER)


class WindowSum(LedgerSum):
    staff = fields.List(fields.String(), **NUMBER)


class ClerkSum(LedgerSum):
    windows = fields.List(fields.String(), **NUMBER)


class WindowStretch(Shape):
    """An unbroken stretch of one use. `from_seq` and `to_seq` are the entries of the record that began and ended it."""

    window = said()
    staff = said()
    use = said(metadata={"enum": list(ledgers.USES)})
    begin = instant(**NUMBER)
    end = instant(**NUMBER)
    seconds = fields.Integer(**NUMBER)
    from_seq = maybe(fields.Integer)
    to_seq = maybe(fields.Integer)
    number = maybe()
    waiting = fields.Integer(**NUMBER, metadata={"description": "Idle: how many it might have called, at the most"})
    reason = maybe(metadata={"description": "Of a pause, as its clerk gave it"})


class LedgerEntry(Shape):
    """Something to look at again, with its evidence in the record. It is no judgement."""

    kind = said(metadata={"enum": list(ledgers.KINDS)})
    window = said()
    staff = said()
    at = instant(**NUMBER)
    from_seq = fields.Integer(**NUMBER)
    to_seq = fields.Integer(**NUMBER)
    number = maybe()
    facts = fields.Dict(keys=fields.String(), **NUMBER)


class WindowLedger(Shape):
    hall = said()
    day = dated()
    begin = instant(**NUMBER)
    end = instant(**NUMBER)
    policy = fields.Nested(LedgerPolicy, **NUMBER)
    windows = fields.List(fields.Nested(WindowSum), **NUMBER)
    clerks = fields.List(fields.Nested(ClerkSum), **NUMBER)
    stretches = fields.List(fields.Nested(WindowStretch), **NUMBER)
    entries = fields.List(fields.Nested(LedgerEntry), **NUMBER)


HALLS = "hall.unknown auth.foreign_hall"


@noun.get("/halls/<hall>/statistics", refuses=HALLS)
@requires(Permission.HALL_WATCH)
@noun.arguments(StatisticsQuery, location="query")
@noun.response(200, Statistics)
def queue_statistics(given: dict[str, Any], hall: str) -> Any:
    """Waiting, walking, serving and total times of some days, by one side, and what became of the tickets."""
    code, at = own_hall(g.actor, hall), now()
    last = given["to"] or local_day(at)
    first = given["from_"] or last - timedelta(days=6)
    found = statistics.statistics(code, first, last, given["by"], at)
    return found | {"before": statistics.totals(code, *statistics.days_before(first, last))}


@noun.get("/halls/<hall>/ledger", refuses=HALLS)
@requires(Permission.HALL_WATCH)
@noun.arguments(LedgerQuery, location="query")
@noun.response(200, WindowLedger)
def window_ledger(given: dict[str, Any], hall: str) -> Any:
    """One day of the windows: open, paused, walking, serving, idle, with evidence, and what is worth a second look."""
    code, at = own_hall(g.actor, hall), now()
    found = ledgers.day_ledger(code, given["day"] or local_day(at), at)
    if given["clerk"]:
        found = ledgers.of_clerk(found, given["clerk"])
    if given["window"]:
        found = ledgers.of_window(found, given["window"])
    return found | {"stretches": [row for row in found["stretches"] if row["seconds"] >= given["least_s"]]}


@noun.get("/ledger", refuses="auth.foreign_hall")
@requires(Permission.WINDOW_OPEN)
@noun.arguments(OwnLedgerQuery, location="query")
@noun.response(200, WindowLedger)
def own_ledger(given: dict[str, Any]) -> Any:
    """What the ledger says about oneself: the same that the supervisor sees."""
    if g.actor.hall is None:
        raise Refusal("auth.foreign_hall")
    at = now()
    found = ledgers.day_ledger(g.actor.hall, given["day"] or local_day(at), at)
    return ledgers.of_clerk(found, g.actor.name)
