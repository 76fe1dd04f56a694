"""Reading issued papers: the list of a case, one paper's facts, and the paper itself."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import select

from app import privacy
from app.db import db
from app.errors import Refusal
from app.notices.models import NoticeRow, place
from app.notices.paper import Order, render, render_all
from app.notices.registry import NOTICES, PRIVATE
from app.now import iso


def notice(hall: str, notice_id: int) -> dict[str, Any]:
    """One issued paper with its facts opened: names in full, so show it only to those who may see the case.

    Refuses `notice.unknown`.
    """
    row = db.session.execute(
        select(NoticeRow).where(NoticeRow.hall == hall, NoticeRow.id == notice_id)
    ).scalar_one_or_none()
    if row is None:
        raise Refusal("notice.unknown")
    return {**_summary(row), "facts": _facts(row)}


def notices_of_case(hall: str, case_id: int) -> list[dict[str, Any]]:
    """The papers of a case, oldest first, under their exact titles, without their facts."""
    query = select(NoticeRow).where(NoticeRow.hall == hall, NoticeRow.case_id == case_id).order_by(NoticeRow.id)
    return [_summary(row) for row in db.session.execute(query).scalars()]


def pdf(hall: str, notice_id: int, *, language: str | None = None) -> bytes:
    """The paper, the same every time; `language` "en" prints English beside it. Refuses `notice.unknown`."""
    paper = notice(hall, notice_id)
    return render(paper["kind"], paper["facts"], language=language or paper["language"])


def opens_to(reader: str, kind: str, issued_by: str) -> bool:
    """Whether an actor (a `ref`) opens a paper without saying why: it holds no phone and no address, or is their own."""
    return kind not in PRIVATE or issued_by == reader


def pdf_of_case(hall: str, case_id: int, reader: str, since: int = 0, *, language: str | None = None) -> bytes:
    """The papers of a case as one file, oldest first, from the paper `since` on, but for those that ask the reader why.

    Refuses `notice.unknown`.
    """
    mine = (NoticeRow.hall == hall, NoticeRow.case_id == case_id, NoticeRow.id >= since)
    found = db.session.execute(select(NoticeRow).where(*mine).order_by(NoticeRow.id)).scalars()
    rows = [row for row in found if opens_to(reader, row.kind, row.issued_by)]
    if not rows:
        raise Refusal("notice.unknown")
    orders = [Order(row.kind, _facts(row), language or row.language) for row in rows]
    last = orders[-1].facts
    return render_all(orders, title=rows[-1].number, author=last["hall_name"], at=last["issued_at"])


def _facts(row: NoticeRow) -> dict[str, Any]:
    return dict(json.loads(privacy.open_sealed(row.facts, place(row.hall, row.id))))


def _summary(row: NoticeRow) -> dict[str, Any]:
    kind = NOTICES[row.kind]
    title_zh, title_en = kind.title(_facts(row)) if kind.exact else kind.name
    return {
        "hall": row.hall,
        "id": row.id,
        "case_id": row.case_id,
        "ticket_id": row.ticket_id,
        "kind": row.kind,
        "title_zh": title_zh,
        "title_en": title_en,
        "number": row.number,
        "language": row.language,
        "issued_at": iso(row.issued_at),
        "issued_by": row.issued_by,
    }
