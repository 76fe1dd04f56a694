"""Tables of the queue. The hall comes first in every key; numbers and live tickets are guarded by the database too."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db import among, db, only_where
from app.queueing.rules.states import AT_WINDOW, LIVE, Lane, TicketState


class Queue(db.Model):
    """A queue 队列 and the prefix of its numbers. `takes` lists the catalogue zones whose items queue here."""

    __tablename__ = "queues"
    __table_args__ = (
        ForeignKeyConstraint(["hall", "zone"], ["zones.hall", "zones.code"]),
        Index("uq_queues_prefix", "hall", "prefix", unique=True),
    )

    hall: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    prefix: Mapped[str]
    name_zh: Mapped[str]
    name_en: Mapped[str]
    zone: Mapped[str]
    takes: Mapped[list[Any]]
    active: Mapped[bool] = mapped_column(default=True)


class WindowQueue(db.Model):
    """A window serves a queue; `weight_min` is how many minutes its speciality counts as having waited longer."""

    __tablename__ = "window_queues"
    __table_args__ = (
        ForeignKeyConstraint(["hall", "window"], ["windows.hall", "windows.code"]),
        ForeignKeyConstraint(["hall", "queue"], ["queues.hall", "queues.code"]),
    )

    hall: Mapped[str] = mapped_column(primary_key=True)
    window: Mapped[str] = mapped_column(primary_key=True)
    queue: Mapped[str] = mapped_column(primary_key=True)
    weight_min: Mapped[int] = mapped_column(default=0)


class TicketSerial(db.Model):
    """The last serial of a queue on one local business day; moved in the ticket's own transaction."""

    __tablename__ = "ticket_serials"

    hall: Mapped[str] = mapped_column(primary_key=True)
    queue: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    serial: Mapped[int]


class Ticket(db.Model):
    """A ticket 号票. `queued_us` orders a lane: the arrival in microseconds since 1970 UTC, or what a restore made of it."""

    __tablename__ = "tickets"
    __table_args__ = (
        CheckConstraint(among("state", TicketState), name="state"),
        CheckConstraint(among("lane", Lane), name="lane"),
        Index("uq_tickets_number", "hall", "day", "number", unique=True),
        Index("uq_tickets_token", "token_hash", unique=True),
        # Q1: one live ticket a person and queue; the day is in the key so that a forgotten one blocks nobody tomorrow
        Index(
            "uq_tickets_person",
            *("hall", "queue", "day", "person_key"),
            unique=True,
            **only_where(f"person_key IS NOT NULL AND {among('state', LIVE)}"),
        ),
        # Q4: a window holds one ticket at a time
        Index("uq_tickets_window", "hall", "window", unique=True, **only_where(among("state", AT_WINDOW))),
        # heads of lanes: only these columns in this order, so that the planner never walks past tickets
        Index(
            "ix_tickets_waiting",
            *("hall", "day", "queue", "lane", "queued_us", "id"),
            **only_where("state = 'waiting' AND to_window IS NULL"),
        ),
        Index(
            "ix_tickets_direct",
            *("hall", "day", "to_window", "queued_us", "id"),
            **only_where("state = 'waiting' AND to_window IS NOT NULL"),
        ),
        Index("ix_tickets_unfinished", "hall", "day", **only_where("state IN ('waiting', 'parked', 'no_show')")),
        Index("ix_tickets_finished", "hall", "queue", "finished_at"),
    )

    hall: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[str]
    queue: Mapped[str]
    day: Mapped[date]
    lane: Mapped[str]
    state: Mapped[str]
    item: Mapped[str | None]
    channel: Mapped[str]
    person_key: Mapped[str | None]
    person_sealed: Mapped[str | None]
    token_hash: Mapped[str]
    token_sealed: Mapped[str]
    queued_us: Mapped[int] = mapped_column(BigInteger)
    issued_at: Mapped[datetime]
    to_window: Mapped[str | None]
    window: Mapped[str | None]
    called_at: Mapped[datetime | None]
    recalled_at: Mapped[datetime | None]
    recalls: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[datetime | None]
    missed_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    note_sealed: Mapped[str | None]


class Call(db.Model):
    """One call of one ticket to one window, with the explanation of why it was this ticket's turn."""

    __tablename__ = "calls"
    __table_args__ = (
        ForeignKeyConstraint(["hall", "ticket_id"], ["tickets.hall", "tickets.id"]),
        Index("uq_calls_ticket", "hall", "ticket_id", unique=True, **only_where("ended_at IS NULL")),
        Index("uq_calls_window", "hall", "window", unique=True, **only_where("ended_at IS NULL")),
        Index("ix_calls_ticket", "hall", "ticket_id"),
    )

    hall: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    ticket_id: Mapped[int]
    window: Mapped[str]
    staff: Mapped[str]
    called_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    why: Mapped[dict[str, Any]]


class WindowSession(db.Model):
    """A clerk at a window, from opening to closing it."""

    __tablename__ = "window_sessions"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'paused', 'closed')", name="state"),
        Index("uq_window_sessions_window", "hall", "window", unique=True, **only_where("state <> 'closed'")),
        Index("uq_window_sessions_staff", "hall", "staff_id", unique=True, **only_where("state <> 'closed'")),
    )

    hall: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    window: Mapped[str]
    staff_id: Mapped[int]
    staff: Mapped[str]
    state: Mapped[str]
    opened_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    reason: Mapped[str | None]
