"""Papers between the levels: a point below collects, manifests carry, the hall they are addressed to takes over."""

from __future__ import annotations

from typing import Any

from flask import g
from marshmallow import fields

from app.api.case_shapes import STATES, CaseItem, NoticeLine, ReceivedCase, shown
from app.api.cases import CASE
from app.api.intake import RECEIVING, NewCase
from app.api.noun import Noun
from app.api.reading import acting_hall
from app.api.schemas import OfHall, Shape, Text, instant, listed, maybe, said
from app.api.steps import Steps, Subject
from app.casework import levels, levels_queries
from app.errors import Refusal
from app.now import now
from app.people.gate import requires
from app.people.permissions import Permission
from app.queueing.queries import window_of_staff

noun = Noun("manifests", "Papers on their way between halls")

P = Permission


class Collection(NewCase):
    class Meta(NewCase.Meta):
        exclude = ("ticket",)


class CollectedCase(ReceivedCase):
    """The draft just collected."""


class NewManifest(Shape):
    """Cases of one hall. Its own staff send up; staff of the hall to which they went send results down."""

    cases = listed(Text(limit=40), required=True, metadata={"description": "Case numbers"})
    to_hall = Text(limit=40, allow_none=True, load_default=None, metadata={"description": "The next above by default"})
    note = Text(limit=200, load_default="")


class Arrival(Shape):
    missing = listed(Text(limit=40), load_default=list, metadata={"description": "Cases whose papers are not in it"})
    notes = fields.Dict(keys=Text(limit=40), values=Text(limit=200), load_default=dict)
    accept_complete = fields.Boolean(load_default=True)
    shelf = Text(limit=20, load_default="")


class ManifestEntryOut(Shape):
    number = said()
    hall = said()
    item = fields.Nested(CaseItem, required=True)
    applicant = said(metadata={"description": "Masked"})
    state = said(metadata={"enum": STATES})
    entry = said(metadata={"enum": ["sent", "arrived", "missing"]})
    note = said()


class ManifestLine(Shape):
    number = said()
    hall = said(metadata={"description": "Whose cases it carries"})
    from_hall = said()
    to_hall = said()
    down = fields.Boolean(required=True)
    state = said(metadata={"enum": ["sent", "arrived"]})
    cases = fields.Integer(required=True)
    sent_at = instant(required=True)
    sent_by = said()
    arrived_at = maybe(instant)
    arrived_by = maybe()


class ManifestOut(ManifestLine):
    note = said()
    entries = fields.List(fields.Nested(ManifestEntryOut), required=True)
    notices = fields.List(fields.Nested(NoticeLine), required=True)


class ManifestDesk(Shape):
    on_the_way = fields.List(fields.Nested(ManifestLine), required=True)
    to_receive = fields.List(fields.Nested(ManifestLine), required=True)
    recent = fields.List(fields.Nested(ManifestLine), required=True)


def _on_its_road(own: str | None, hall: str, manifest_id: int) -> bool:
    """Whether a bundle comes from or goes to one's hall."""
    view = levels_queries.manifest_view(hall, manifest_id)
    return own in (None, view["from_hall"], view["to_hall"])


MANIFEST = Subject(
    "/manifests", "manifest", "manifest_id", levels_queries.find_manifest, ManifestOut, sees=_on_its_road
)
step = Steps(noun, MANIFEST)


@noun.post("/collected-cases", refuses=f"manifest.to_hall item.unknown {RECEIVING}")
@requires(P.CASE_ACCEPT)
@noun.arguments(Collection)
@noun.response(201, CollectedCase)
def collect_case(given: dict[str, Any]) -> Any:
    """Collect papers for the hall above; they are received when they arrive there."""
    hall = acting_hall(g.actor, given.pop("hall"))
    window = window_of_staff(hall, g.actor.id)
    return shown(levels.collect_case(hall=hall, actor=g.actor, at=now(), window=window, **given))


@noun.post(
    "/manifests",
    refuses="manifest.empty manifest.to_hall manifest.not_sendable manifest.on_its_way case.unknown auth.foreign_hall "
    "hall.unknown",
)
@requires(P.CASE_ACCEPT, P.CASE_HAND_OVER)
@noun.arguments(NewManifest)
@noun.response(201, ManifestOut)
def send_manifest(given: dict[str, Any]) -> Any:
    """Send a bundle; all its cases belong to one hall."""
    found = [CASE.found(number) for number in given.pop("cases")]
    if not found:
        raise Refusal("manifest.empty")
    if len({hall for hall, _ in found}) > 1:
        raise Refusal("request.invalid", detail="cases: of one hall")
    case_ids = [case_id for _, case_id in found]
    return shown(levels.send_manifest(hall=found[0][0], actor=g.actor, at=now(), case_ids=case_ids, **given))


@noun.get("/manifests", refuses="hall.unknown auth.foreign_hall")
@requires(P.CASE_ACCEPT, P.CASE_HAND_OVER, P.HALL_WATCH)
@noun.arguments(OfHall, location="query")
@noun.response(200, ManifestDesk)
def list_manifests(given: dict[str, Any]) -> Any:
    """What is on its way from a hall and to it, and what arrived lately."""
    return levels_queries.manifest_desk(acting_hall(g.actor, given["hall"]), now())


@noun.get("/manifests/<number>", refuses="manifest.unknown auth.foreign_hall")
@requires(P.CASE_ACCEPT, P.CASE_HAND_OVER, P.HALL_WATCH)
@noun.response(200, ManifestOut)
def read_manifest(number: str) -> Any:
    """One bundle and its cases, people masked."""
    return shown(levels_queries.manifest_view(*MANIFEST.seen(number)))


step(
    "arrive",
    levels.arrive_manifest,
    P.CASE_ACCEPT,
    P.CASE_HAND_OVER,
    says="Take a bundle over: collected cases are received as of now, results lie ready to be collected.",
    takes=Arrival,
    refuses="manifest.arrived manifest.not_in_it",
)
