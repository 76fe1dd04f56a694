"""Notices: the papers issued in a case, and each as PDF."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flask import Response, g

from app.api.case_shapes import NoticeLine, notice_line
from app.api.cases import CASE
from app.api.noun import Noun
from app.api.reading import known_hall, row_id
from app.casework.levels_queries import works_with
from app.errors import Refusal
from app.notices import queries
from app.people.gate import requires
from app.people.permissions import Permission

noun = Noun("notices", "Issued papers")

PAPER = {"type": "string", "format": "binary"}


@noun.get("/cases/<number>/notices", refuses=CASE.refuses)
@requires(Permission.CASE_READ)
@noun.response(200, NoticeLine(many=True))
def list_notices(number: str) -> Any:
    """The papers of a case, oldest first."""
    return [notice_line(notice) for notice in queries.notices_of_case(*CASE.seen(number))]


@noun.get("/notices/<notice_id>.pdf", refuses="notice.unknown hall.unknown auth.foreign_hall")
@requires(Permission.CASE_READ)
@noun.response(200, PAPER, content_type="application/pdf", description="The paper, the same every time")
def read_notice(notice_id: str) -> Any:
    """One paper as it was issued. It names people in full."""
    hall, number = row_id(notice_id, "notice.unknown")
    if g.actor.hall != hall:
        known_hall(hall)
    issued = queries.notice(hall, number)
    if not works_with(g.actor.hall, hall, issued["case_id"] or 0):
        raise Refusal("auth.foreign_hall")
    name = quote(f"{issued['number']}.pdf")
    response = Response(queries.pdf(hall, number), mimetype="application/pdf")
    response.headers["Content-Disposition"] = f"inline; filename*=UTF-8''{name}"
    return response
