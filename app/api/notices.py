"""Notices: the papers issued in a case, and each as PDF."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flask import Response, g
from marshmallow import validate

from app.api.case_shapes import NoticeLine, notice_line
from app.api.cases import CASE
from app.api.noun import Noun
from app.api.reading import known_hall, row_id
from app.api.schemas import Shape, Text
from app.casework.levels_queries import works_with
from app.casework.reveal import show_paper
from app.errors import Refusal
from app.notices import queries
from app.notices.paper import LANGUAGES
from app.now import now
from app.people.gate import requires
from app.people.permissions import Permission
from app.privacy import REASONS

noun = Noun("notices", "Issued papers")

PAPER = {"type": "string", "format": "binary"}
SAME = "The paper, the same every time"
OF_PAPER = "notice.unknown hall.unknown auth.foreign_hall"


class Print(Shape):
    language = Text(
        limit=2,
        load_default=None,
        validate=validate.OneOf(LANGUAGES),
        metadata={"description": "en: English beside the Chinese; else as it was issued"},
    )


class Look(Print):
    reason = Text(limit=20, required=True, metadata={"enum": list(REASONS)})


@noun.get("/cases/<number>/notices", refuses=CASE.refuses)
@requires(Permission.CASE_READ)
@noun.response(200, NoticeLine(many=True))
def list_notices(number: str) -> Any:
    """The papers of a case, oldest first."""
    return [notice_line(notice) for notice in queries.notices_of_case(*CASE.seen(number))]


@noun.get("/notices/<notice_id>.pdf", refuses=f"{OF_PAPER} reveal.reason")
@requires(Permission.CASE_READ)
@noun.arguments(Print, location="query")
@noun.response(200, PAPER, content_type="application/pdf", description=SAME)
def read_notice(printed: dict[str, Any], notice_id: str) -> Any:
    """One paper as it was issued. It names people in full; others than its issuer POST why they open a courier slip."""
    hall, number = _paper(notice_id)
    issued = queries.notice(hall, number)
    if not works_with(g.actor.hall, hall, issued["case_id"] or 0):
        raise Refusal("auth.foreign_hall")
    if not queries.opens_to(g.actor.ref, issued["kind"], issued["issued_by"]):
        raise Refusal("reveal.reason")
    return _pdf(hall, number, **printed)


@noun.post("/notices/<notice_id>.pdf", refuses=f"{OF_PAPER} reveal.reason")
@requires(Permission.CASE_REVEAL)
@noun.arguments(Look)
@noun.response(200, PAPER, content_type="application/pdf", description=SAME)
def reveal_notice(given: dict[str, Any], notice_id: str) -> Any:
    """One paper, also one that tells phone and address; the look goes into the record."""
    hall, number = _paper(notice_id)
    show_paper(hall=hall, actor=g.actor, at=now(), notice_id=number, reason=given["reason"])
    return _pdf(hall, number, language=given["language"])


def _paper(notice_id: str) -> tuple[str, int]:
    hall, number = row_id(notice_id, "notice.unknown")
    if g.actor.hall != hall:
        known_hall(hall)
    return hall, number


def _pdf(hall: str, number: int, *, language: str | None = None) -> Response:
    name = quote(f"{queries.notice(hall, number)['number']}.pdf")
    response = Response(queries.pdf(hall, number, language=language), mimetype="application/pdf")
    response.headers["Content-Disposition"] = f"inline; filename*=UTF-8''{name}"
    return response
