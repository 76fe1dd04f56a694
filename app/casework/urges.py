"""Reading what supervision left with a case: urgings with their answers, and why it is late."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import privacy
from app.casework.cases import open_field
from app.casework.models import Case, CaseUrge
from app.catalog.queries import department_en
from app.now import iso


def seal_urge(hall: str, urge_id: int, column: str, text: str) -> str:
    """What was written, for the column `note` or `answer`."""
    return privacy.seal(text, f"case_urges.{column}|{hall}|{urge_id}")


def open_urge(session: Session, case: Case) -> CaseUrge | None:
    """The urging that waits for its answer; a case has at most one."""
    waiting = (CaseUrge.hall == case.hall, CaseUrge.case_id == case.id, CaseUrge.answered_at.is_(None))
    return session.execute(select(CaseUrge).where(*waiting)).scalar_one_or_none()


def urges_of(session: Session, case: Case) -> list[dict[str, Any]]:
    """The urgings of a case, the newest first; the first has no answer yet if one is awaited."""
    query = select(CaseUrge).where(CaseUrge.hall == case.hall, CaseUrge.case_id == case.id)
    return [urge_view(row) for row in session.execute(query.order_by(CaseUrge.id.desc())).scalars()]


def urge_view(row: CaseUrge) -> dict[str, Any]:
    """One urging as staff see it."""

    def opened(column: str, sealed: str | None) -> str | None:
        return None if sealed is None else privacy.open_sealed(sealed, f"case_urges.{column}|{row.hall}|{row.id}")

    return {
        "department": row.department,
        "department_en": department_en(row.department),
        "urged_by": row.urged_by,
        "urged_at": iso(row.urged_at),
        "note": opened("note", row.note_sealed),
        "answer_due_at": iso(row.answer_due_at),
        "answered_by": row.answered_by,
        "answered_at": iso(row.answered_at),
        "answer": opened("answer", row.answer_sealed),
    }


def overdue_of(case: Case) -> dict[str, Any] | None:
    """Why the case is late, as everybody may read it (优化营商环境条例 §36); None while nobody has said so."""
    told = open_field(case, "overdue")
    return {**told, "told_at": iso(case.overdue_told_at)} if told else None
