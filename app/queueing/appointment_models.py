"""The table of appointments 预约: who will come when, for which queue."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db import among, db, only_where
from app.queueing.rules.appointments import COUNTS, AppointmentState


class Appointment(db.Model):
    """An appointment, or a place on the waiting list of its slot (state `waitlisted`, in the order of ids).

    `slot_at` is the slot's begin. Person and phone are known by blind indexes, so that the rules of Q10 count across halls.
    """

    __tablename__ = "appointments"
    __table_args__ = (
        CheckConstraint(among("state", AppointmentState), name="state"),
        Index("uq_appointments_token", "token_hash", unique=True),
        Index("ix_appointments_slot", "hall", "queue", "slot_at", **only_where(among("state", COUNTS))),
        Index("ix_appointments_day", "hall", "day", "slot_at"),
        Index("ix_appointments_person", "person_key", "day"),
        Index("ix_appointments_phone", "phone_key", "day"),
        Index("ix_appointments_due", "hall", "slot_at", **only_where("state IN ('booked', 'waitlisted')")),
    )

    hall: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    queue: Mapped[str]
    item: Mapped[str | None]
    day: Mapped[date]
    slot_at: Mapped[datetime]
    state: Mapped[str]
    channel: Mapped[str]
    person_key: Mapped[str]
    phone_key: Mapped[str]
    person_sealed: Mapped[str]
    token_hash: Mapped[str]
    token_sealed: Mapped[str]
    made_at: Mapped[datetime]
    ticket_id: Mapped[int | None]
    ended_at: Mapped[datetime | None]
