"""Papers on their way to a browser, which shows them and prints them under their own numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from flask import Response, render_template, request

from app.casework.reveal import show_paper
from app.errors import Refusal
from app.events import Actor
from app.notices import queries
from app.now import now
from app.people.permissions import Permission
from app.privacy import REASONS
from app.web.case_history import paper_title


def asked_why(actor: Actor, hall: str, paper: Mapping[str, Any]) -> str | None:
    """The page that asks why somebody else's paper with phone and address is opened; None when there is nothing to ask.

    What was told goes into the record. Refuses auth.foreign_hall, auth.forbidden, reveal.reason.
    """
    if queries.opens_to(actor.ref, paper["kind"], paper["issued_by"]):
        return None
    if not actor.may(Permission.CASE_REVEAL):
        raise Refusal("auth.forbidden")
    if request.method != "POST":
        return render_template("cases/why.html", paper=paper, reasons=REASONS, paper_title=paper_title)
    show_paper(hall=hall, actor=actor, at=now(), notice_id=paper["id"], reason=request.form.get("reason", ""))
    return None


def pdf_answer(data: bytes, name: str) -> Response:
    """A PDF to be shown, called `name` when it is kept."""
    answer = Response(data, mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f"inline; filename*=UTF-8''{quote(name)}.pdf"
    return answer


def language_asked() -> str | None:
    """English beside the Chinese where the address asks for it; else as the paper was issued."""
    return "en" if request.args.get("language") == "en" else None


def paper_answer(hall: str, notice_id: int) -> Response:
    """One issued paper, the same every time. Refuses notice.unknown."""
    paper = queries.pdf(hall, notice_id, language=language_asked())
    return pdf_answer(paper, queries.notice(hall, notice_id)["number"])
