"""The local store of e-licences 电子证照: whose, which and until when; the number is sealed, the holder a blind index."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db import db, only_where


class ELicence(db.Model):
    """One licence in the hall that stored it; `case_id` when it is a result of our own."""

    __tablename__ = "e_licences"
    __table_args__ = (
        Index("ix_e_licences_holder", "holder_key", "title"),
        Index("uq_e_licences_case", "hall", "case_id", unique=True, **only_where("case_id IS NOT NULL")),
    )

    hall: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    holder_key: Mapped[str]
    title: Mapped[str]
    number_sealed: Mapped[str]
    issuer: Mapped[str]
    issued_on: Mapped[date]
    valid_until: Mapped[date | None]  # the last day; without one it holds until it is revoked
    revoked_on: Mapped[date | None]
    case_id: Mapped[int | None]
