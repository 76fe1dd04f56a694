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
    """A ticket 号票. `queued_us` orders a lane: microseconds since 1970 UTC of the arrival, an appointment's booked time, or
    what a restore or transfer made of it. `to_window` or `to_staff`: only that window or that clerk may call it.
    """

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
        Index("ix_tickets_phone", "hall", "queue", "day", "phone_key", **only_where("phone_key IS NOT NULL")),
        # Q4: a window holds one ticket at a time
        Index("uq_tickets_window", "hall", "window", unique=True, **only_where(among("state", AT_WINDOW))),
        # heads of lanes: only these columns in this order, so that the planner never walks past tickets
        Index(
            "ix_tickets_pool",
            *("hall", "day", "queue", "lane", "queued_us", "id"),
            **only_where("state = 'waiting' AND to_window IS NULL AND to_staff IS NULL"),
        ),
        Index(
            "ix_tickets_direct",
            *("hall", "day", "to_window", "queued_us", "id"),
            **only_where("state = 'waiting' AND to_window IS NOT NULL"),
        ),
        Index(
            "ix_tickets_named",
            *("hall", "day", "to_staff", "queued_us", "id"),
            **only_where("state = 'waiting' AND to_staff IS NOT NULL"),
        ),
        Index("ix_tickets_case", "hall", "case_number", **only_where("case_number IS NOT NULL")),
        Index("ix_tickets_remind", "hall", "remind_at", **only_where("remind_at IS NOT NULL")),
        Index("uq_tickets_block", "hall", "block_id", "number", unique=True, **only_where("block_id IS NOT NULL")),
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
    person_key: Mapped[str | None]  # of the ID number, or of the phone when there is none
    phone_key: Mapped[str | None]
    person_sealed: Mapped[str | None]
    token_hash: Mapped[str]
    token_sealed: Mapped[str]
    queued_us: Mapped[int] = mapped_column(BigInteger)
    issued_at: Mapped[datetime]
    waiting_since: Mapped[
        datetime | None
    ]  # since it was transferred, restored or had come back; none: since it was taken
    to_window: Mapped[str | None]
    window: Mapped[str | None]
    called_at: Mapped[datetime | None]
    recalled_at: Mapped[datetime | None]
    recalls: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[datetime | None]
    missed_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    note_sealed: Mapped[str | None]
    ground: Mapped[str | None]  # why it is in the priority lane: a code
    party: Mapped[int] = mapped_column(default=1, server_default="1")  # people who came with this number
    to_staff: Mapped[str | None]
    transfers: Mapped[int] = mapped_column(default=0, server_default="0")
    first_called_at: Mapped[datetime | None]
    remind_at: Mapped[datetime | None]  # parked: when the clerk is reminded
    deferred_at: Mapped[datetime | None]  # parked by the citizen, who went away for a while
    left_reason: Mapped[str | None]  # a code: why it was abandoned or expired
    appointment_id: Mapped[int | None]
    case_number: Mapped[str | None]  # whose supplement it brings
    block_id: Mapped[int | None]  # of a kiosk that was cut off
    forecast_low_s: Mapped[int | None]  # what was promised when it was taken (Q12)
    forecast_high_s: Mapped[int | None]


class Call(db.Model):
    """One call of one ticket to one window, with the explanation of why it was this ticket's turn.

    `mode`: rule (the clerk pressed next), dispatch (the hall did), chosen (the clerk named the ticket, with a reason),
    unpark. The tallies are the window's ratio after this call, so that the next call needs nothing else.
    """

    __tablename__ = "calls"
    __table_args__ = (
        ForeignKeyConstraint(["hall", "ticket_id"], ["tickets.hall", "tickets.id"]),
        Index("uq_calls_ticket", "hall", "ticket_id", unique=True, **only_where("ended_at IS NULL")),
        Index("uq_calls_window", "hall", "window", unique=True, **only_where("ended_at IS NULL")),
        Index("ix_calls_ticket", "hall", "ticket_id"),
        Index("ix_calls_window_last", "hall", "window", "id"),
        Index("ix_calls_at", "hall", "called_at"),
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
    queue: Mapped[str | None]
    lane: Mapped[str | None]
    mode: Mapped[str] = mapped_column(default="rule", server_default="rule")
    reason: Mapped[str | None]  # a code; of a chosen call
    reason_sealed: Mapped[str | None]  # what the clerk wrote to it
    waited_s: Mapped[int | None]  # since it was taken, transferred, restored or had come back
    arrived_at: Mapped[datetime | None]  # the person stood at the window
    tally_normal: Mapped[int] = mapped_column(default=0, server_default="0")
    tally_priority: Mapped[int] = mapped_column(default=0, server_default="0")


class Service(db.Model):
    """One item served in a visit 办理: a ticket may need several, one after another, also at several windows (Q14)."""

    __tablename__ = "services"
    __table_args__ = (
        ForeignKeyConstraint(["hall", "ticket_id"], ["tickets.hall", "tickets.id"]),
        Index("uq_services_ticket", "hall", "ticket_id", unique=True, **only_where("ended_at IS NULL")),
        Index("ix_services_ended", "hall", "queue", "ended_at"),
        Index("ix_services_started", "hall", "started_at"),
    )

    hall: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    ticket_id: Mapped[int]
    call_id: Mapped[int]
    queue: Mapped[str]
    window: Mapped[str]
    staff: Mapped[str]
    item: Mapped[str | None]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None]  # finished, next-item, parked, transferred


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
    free_at: Mapped[datetime | None]  # since when no ticket is here and calling is open
    taken_from: Mapped[str | None]  # whose session this one took over


class WindowPause(db.Model):
    """A pause of a window 暂停服务 with the reason that its clerk gave; open while `to_at` is none."""

    __tablename__ = "window_pauses"
    __table_args__ = (
        Index("uq_window_pauses_open", "hall", "window", unique=True, **only_where("to_at IS NULL")),
        Index("ix_window_pauses_from", "hall", "from_at"),
    )

    hall: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    session_id: Mapped[int]
    window: Mapped[str]
    staff: Mapped[str]
    reason: Mapped[str]
    from_at: Mapped[datetime]
    to_at: Mapped[datetime | None]


class NumberBlock(db.Model):
    """Numbers lent to a kiosk 号段, for the time when it cannot reach the server. They are a run of their own.

    `first`…`last` are serials of the queue's offline run, which begins at 9001; `tokens_sealed` holds their tokens.
    """

    __tablename__ = "number_blocks"
    __table_args__ = (
        CheckConstraint("state IN ('leased', 'closed')", name="state"),
        Index("uq_number_blocks_first", "hall", "queue", "day", "first", unique=True),
        Index(
            "uq_number_blocks_device",
            *("hall", "device_id", "queue", "day"),
            unique=True,
            **only_where("state = 'leased'"),
        ),
    )

    hall: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    device_id: Mapped[int]
    queue: Mapped[str]
    day: Mapped[date]
    first: Mapped[int]
    last: Mapped[int]
    state: Mapped[str]
    leased_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    used: Mapped[int] = mapped_column(default=0, server_default="0")
    tokens_sealed: Mapped[str]
