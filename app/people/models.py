"""Tables of staff, their sessions, and devices."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db import db


class Staff(db.Model):
    """A person who works here. `hall` is None for those of the whole network, `department` set for approvers."""

    __tablename__ = "staff"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    username: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str]
    roles: Mapped[list[Any]]
    hall: Mapped[str | None]
    department: Mapped[str | None]
    active: Mapped[bool] = mapped_column(default=True)


class StaffSession(db.Model):
    """A signed-in session; its token is stored only as a hash. Revoked at logout and when the account changes."""

    __tablename__ = "staff_sessions"
    __table_args__ = (Index("ix_staff_sessions_staff", "staff_id"),)

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    opened_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class Device(db.Model):
    """A kiosk, screen or printer of one hall. Paired once with a six-figure code, then known by its token's hash."""

    __tablename__ = "devices"
    __table_args__ = (
        CheckConstraint("kind IN ('kiosk', 'screen', 'printer')", name="kind"),
        Index("ix_devices_hall", "hall"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hall: Mapped[str]
    kind: Mapped[str]
    zone: Mapped[str | None]
    name: Mapped[str]
    token_hash: Mapped[str | None] = mapped_column(unique=True)
    pairing_hash: Mapped[str | None] = mapped_column(unique=True)
    pairing_until: Mapped[datetime | None]
    registered_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
