"""The papers that were issued, their facts sealed, the counters of their numbers, and who asked for many at once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import JSONText, db


class NoticeRow(db.Model):
    """One issued paper. Its row is written once: a reprint is made of the same facts."""

    __tablename__ = "notices"
    __table_args__ = (
        UniqueConstraint("hall", "kind", "number"),
        Index("ix_notices_case", "hall", "case_id", "id"),
        Index("ix_notices_ticket", "hall", "ticket_id", "id"),
    )

    hall: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    case_id: Mapped[int | None]
    ticket_id: Mapped[int | None]
    kind: Mapped[str]
    number: Mapped[str]
    language: Mapped[str]
    facts: Mapped[str]  # sealed JSON: it names people
    issued_at: Mapped[datetime]
    issued_by: Mapped[str]


class NoticeSerial(db.Model):
    """The last number given to a kind of paper in a hall's year."""

    __tablename__ = "notice_serials"

    hall: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]


class NoticeBatch(db.Model):
    """Papers that somebody asked for as one file: their ids, in order. The file itself can be made again."""

    __tablename__ = "notice_batches"
    __table_args__ = (Index("ix_notice_batches_requested", "hall", "requested_at"),)

    hall: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    notices: Mapped[list[int]] = mapped_column(JSONText)
    requested_at: Mapped[datetime]
    requested_by: Mapped[str]


def place(hall: str, notice_id: int) -> str:
    """What the sealed facts of a paper are bound to."""
    return f"notices.facts|{hall}|{notice_id}"
