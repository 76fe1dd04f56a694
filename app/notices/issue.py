"""Issuing: a paper gets its number and its facts are frozen, inside the action that it speaks of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert, select, update

from app import privacy
from app.action import Transaction
from app.db import canonical
from app.events import NoticeIssued
from app.notices.facts import Issued
from app.notices.models import NoticeRow, NoticeSerial, place
from app.notices.registry import NOTICES
from app.now import iso


def issue_notice(
    tx: Transaction,
    *,
    kind: str,
    facts: Mapping[str, Any],
    case_id: int | None = None,
    ticket_id: int | None = None,
    language: str = "zh",
) -> dict[str, Any]:
    """Number a paper and freeze its facts; part of an action, not one itself. Answers `{id, number, kind}`.

    Facts keep the contract of the kind (facts.py) and are JSON values; `number` and `issued_at` are added
    here. Numbers run without gaps per hall, kind and local year: 受字〔2026〕第12号. The paper is drawn when
    it is asked for. *Raises* FactsWrong before anything is written. *Needs* the hall's lock, which `tx`
    holds. *Tells* NoticeIssued.
    """
    notice = NOTICES[kind]
    if language not in ("zh", "en"):
        raise ValueError(f"no paper in {language!r}")
    notice.check(facts, issued=False)
    number = f"{notice.letter}字〔{tx.day.year}〕第{_next_serial(tx, kind)}号"
    frozen = {**facts, **Issued(number=number, issued_at=iso(tx.at) or "")}
    notice_id = tx.new_id()
    row = {
        "hall": tx.hall,
        "id": notice_id,
        "case_id": case_id,
        "ticket_id": ticket_id,
        "kind": kind,
        "number": number,
        "language": language,
        "facts": privacy.seal(canonical(frozen), place(tx.hall, notice_id)),
        "issued_at": tx.at,
        "issued_by": tx.actor.ref,
    }
    tx.execute(insert(NoticeRow.__table__), row)
    tx.record(NoticeIssued(notice=notice_id, notice_kind=kind, number=number, case=case_id))
    return {"id": notice_id, "number": number, "kind": kind}


def _next_serial(tx: Transaction, kind: str) -> int:
    """The next number of the hall's year, from a counter row that goes back with the transaction."""
    key = {"hall": tx.hall, "kind": kind, "year": tx.day.year}
    mine = [getattr(NoticeSerial, name) == value for name, value in key.items()]
    last = tx.execute(select(NoticeSerial.last).where(*mine)).scalar_one_or_none()
    if last is None:
        tx.execute(insert(NoticeSerial.__table__), {**key, "last": 1})
        return 1
    tx.execute(update(NoticeSerial).where(*mine).values(last=last + 1))
    return int(last) + 1
