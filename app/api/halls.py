"""Halls: where they are, what is queued for, what their record says."""

from __future__ import annotations

from typing import Any

from flask import g
from marshmallow import fields

from app import eventlog, events
from app.api.noun import Noun
from app.api.reading import LARGEST_ID, known_hall, own_hall
from app.api.schemas import Shape, asked, instant, maybe, said
from app.hall import queries as hall_queries
from app.now import iso, now
from app.people.gate import public, requires
from app.people.permissions import Permission
from app.queueing.queries import queues_of_hall

noun = Noun("halls", "Halls, their queues and their record")


class Hall(Shape):
    code = said()
    name = said()
    name_en = said()
    level = said(metadata={"enum": ["county", "township", "village"]})
    parent = maybe()
    address = said()
    phone = said()
    hours = fields.List(fields.List(fields.String()), required=True, metadata={"description": "Daily, local time"})


class QueueNow(Shape):
    """`wait_low_s`–`wait_high_s`: the wait of somebody who came now; null with nothing to go by."""

    code = said()
    prefix = said()
    name = said()
    name_en = said()
    zone = said()
    waiting = fields.Integer(required=True)
    windows_open = fields.Integer(required=True)
    wait_low_s = maybe(fields.Integer)
    wait_high_s = maybe(fields.Integer)
    open = fields.Boolean(required=True)


class RecordQuery(Shape):
    after = asked(0, LARGEST_ID, 0)
    limit = asked(1, 1000, 500)


class RecordedEvent(Shape):
    seq = fields.Integer(required=True)
    kind = said()
    body = fields.Dict(keys=fields.String(), required=True)
    actor = said()
    at = instant(required=True)


@noun.get("/halls")
@public
@noun.response(200, Hall(many=True))
def list_halls() -> Any:
    """The halls of the network, the county's first."""
    return hall_queries.halls()


@noun.get("/halls/<hall>/queues", refuses="hall.unknown")
@public
@noun.response(200, QueueNow(many=True))
def list_queues(hall: str) -> Any:
    """The queues of a hall as they stand now."""
    return queues_of_hall(known_hall(hall), now())


@noun.get("/halls/<hall>/events", refuses="hall.unknown auth.foreign_hall")
@requires(Permission.EVENTS_READ)
@noun.arguments(RecordQuery, location="query")
@noun.response(200, RecordedEvent(many=True))
def read_events(given: dict[str, Any], hall: str) -> Any:
    """The hall's record after a sequence number, in order, without gaps."""
    rows = eventlog.read(own_hall(g.actor, hall), given["after"], given["limit"])
    return [
        {
            "seq": r.seq,
            "kind": r.event.kind,
            "body": events.encode(r.event),
            "actor": r.actor,
            "at": iso(r.at),
        }
        for r in rows
    ]
