"""Papers on their way to a browser, which shows them and prints them under their own numbers."""

from __future__ import annotations

from urllib.parse import quote

from flask import Response

from app.notices import queries


def pdf_answer(data: bytes, name: str) -> Response:
    """A PDF to be shown, called `name` when it is kept."""
    answer = Response(data, mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f"inline; filename*=UTF-8''{quote(name)}.pdf"
    return answer


def paper_answer(hall: str, notice_id: int) -> Response:
    """One issued paper, the same every time. Refuses notice.unknown."""
    return pdf_answer(queries.pdf(hall, notice_id), queries.notice(hall, notice_id)["number"])
