"""Batches: many issued papers printed as one file by the worker."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, g
from marshmallow import fields

from app.api.cases import CASE
from app.api.notices import PAPER
from app.api.noun import Noun
from app.api.reading import own_hall, row_id
from app.api.schemas import Nothing, Shape, Text, instant, listed, said
from app.notices import batches
from app.notices.batches import MOST
from app.notices.queries import notices_of_case
from app.now import now
from app.people.gate import requires
from app.people.permissions import Permission

noun = Noun("batches", "Many issued papers as one file")

OF_BATCH = "batch.unknown hall.unknown auth.foreign_hall"


class BatchRequest(Shape):
    """Papers by their ids, and all papers of cases by their numbers; `kind` leaves of these only one kind."""

    notices = listed(Text(limit=60), most=MOST, load_default=list)
    cases = listed(Text(limit=40), most=MOST, load_default=list)
    kind = Text(limit=40, load_default=None)


class Requested(Shape):
    id = said()
    total = fields.Integer(required=True)


class Batch(Requested):
    """`done` is a figure that may be forgotten; the file is there when it is `ready`."""

    done = fields.Integer(required=True)
    ready = fields.Boolean(required=True)
    requested_at = instant(required=True)
    requested_by = said()


@noun.post("/notices/batches", refuses=f"notice.unknown batch.empty batch.too_many batch.one_hall {CASE.refuses}")
@requires(Permission.CASE_READ)
@noun.arguments(BatchRequest)
@noun.response(201, Requested)
def request_batch(given: dict[str, Any]) -> Any:
    """Print many papers of one hall as one PDF. The worker draws it; ask `/notices/batches/{id}` how far it is."""
    wanted = [row_id(text, "notice.unknown") for text in given["notices"]]
    for number in given["cases"]:
        papers = notices_of_case(*CASE.seen(number))
        wanted += [(paper["hall"], paper["id"]) for paper in papers if given["kind"] in (None, paper["kind"])]
    hall, numbers = batches.of_one_hall(wanted)
    return batches.request_batch(hall=own_hall(g.actor, hall), actor=g.actor, at=now(), notices=numbers)


@noun.get("/notices/batches/<batch_id>", refuses=OF_BATCH)
@requires(Permission.CASE_READ)
@noun.response(200, Batch)
def read_batch(batch_id: str) -> Any:
    """How far a batch is."""
    return batches.batch(*_own_batch(batch_id), current_app.extensions["settings"])


@noun.post("/notices/batches/<batch_id>/again", refuses=OF_BATCH)
@requires(Permission.CASE_READ)
@noun.arguments(Nothing)
@noun.response(200, Requested)
def renew_batch(_given: dict[str, Any], batch_id: str) -> Any:
    """Make a batch again whose file is gone: files are kept for two days."""
    hall, number = _own_batch(batch_id)
    return batches.renew_batch(hall=hall, actor=g.actor, at=now(), batch_id=number)


@noun.get("/notices/batches/<batch_id>/file", refuses=f"{OF_BATCH} batch.not_ready")
@requires(Permission.CASE_READ)
@noun.response(200, PAPER, content_type="application/pdf", description="All papers of the batch, in order")
def read_batch_file(batch_id: str) -> Any:
    """The papers as one PDF, for who asked for them. They name people in full."""
    hall, number = _own_batch(batch_id)
    data = batches.read_file(hall, number, g.actor.ref, current_app.extensions["settings"])
    return Response(data, mimetype="application/pdf")


def _own_batch(text: str) -> tuple[str, int]:
    hall, number = row_id(text, "batch.unknown")
    return own_hall(g.actor, hall), number
