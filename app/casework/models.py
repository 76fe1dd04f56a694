"""Tables of casework. What people told us is sealed; what the law computes with is plain and indexed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.casework.rules.materials import MaterialState
from app.casework.rules.states import DECIDING, CaseState
from app.db import among, db, only_where
from app.hall.rules.lights import Light


class CaseSerial(db.Model):
    """The last serial of one kind of number on one local day; moved in the case's own transaction."""

    __tablename__ = "case_serials"

    hall: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    serial: Mapped[int]


class Case(db.Model):
    """A case 办件. `guide` is the item's guide as it stood at receipt: its limits and materials hold for this case."""

    __tablename__ = "cases"
    __table_args__ = (
        CheckConstraint(among("state", CaseState), name="state"),
        CheckConstraint(among("light", Light), name="light"),
        CheckConstraint("applicant_kind IN ('person', 'organisation')", name="applicant_kind"),
        Index("uq_cases_number", "number", unique=True),
        Index("uq_cases_query_token", "query_token_hash", unique=True),
        Index("ix_cases_applicant", "applicant_key"),
        Index("ix_cases_ticket", "hall", "ticket_id"),
        Index("ix_cases_state", "hall", "state"),
        Index("ix_cases_next_light", "hall", "next_light_at", **only_where("next_light_at IS NOT NULL")),
        Index("ix_cases_notice_due", "hall", "notice_due_at", **only_where("state = 'received'")),
        Index("ix_cases_open", "hall", "schedule_version", **only_where(among("state", DECIDING))),
    )

    hall: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[str]
    acceptance_number: Mapped[str | None]
    item: Mapped[str]
    guide: Mapped[dict[str, Any]]
    state: Mapped[str]
    applicant_kind: Mapped[str]
    applicant_key: Mapped[str | None]
    applicant_sealed: Mapped[str]
    agent_sealed: Mapped[str | None]
    delivery_sealed: Mapped[str | None]
    ticket_id: Mapped[int | None]
    window: Mapped[str | None]
    received_by: Mapped[int]
    accepted_by: Mapped[int | None]
    query_hash: Mapped[str]
    query_token_hash: Mapped[str]
    codes_sealed: Mapped[str]  # query code, query token, pickup code: printed again on a reprint
    pickup_hash: Mapped[str]
    tolerant: Mapped[bool] = mapped_column(default=False)
    deemed_accepted: Mapped[bool] = mapped_column(default=False)
    extended: Mapped[bool] = mapped_column(default=False)
    supplement_notices: Mapped[int] = mapped_column(default=0)
    received_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    clock_from_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    ready_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    notice_due_at: Mapped[datetime | None]
    gap_due_at: Mapped[datetime | None]
    promised_due_at: Mapped[datetime | None]
    statutory_due_at: Mapped[datetime | None]
    provisional: Mapped[bool] = mapped_column(default=False)
    light: Mapped[str]
    next_light_at: Mapped[datetime | None]
    schedule_version: Mapped[str]
    outcome: Mapped[str | None]
    shelf: Mapped[str | None]
    forwarded_to: Mapped[str | None]
    delivered_how: Mapped[str | None]
    receiver_sealed: Mapped[str | None]
    no_request_kind: Mapped[str | None]
    no_request_answer: Mapped[str | None]
    no_request_sealed: Mapped[str | None]
    commitment_sealed: Mapped[str | None]  # what the applicant promised for a tolerated gap
    extension_sealed: Mapped[str | None]  # why the case was extended, as told to the applicant


class CaseMaterial(db.Model):
    """The state of one material of one case; `requested` once the one-time notice has named it."""

    __tablename__ = "case_materials"
    __table_args__ = (
        ForeignKeyConstraint(["hall", "case_id"], ["cases.hall", "cases.id"]),
        CheckConstraint(among("state", MaterialState), name="state"),
    )

    hall: Mapped[str] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    requested: Mapped[bool] = mapped_column(default=False)
    problem_sealed: Mapped[str | None]


class CaseStop(db.Model):
    """A stop of a case's clocks: `clocks` is "both" or "promised"; open while `until_at` is null."""

    __tablename__ = "case_stops"
    __table_args__ = (
        ForeignKeyConstraint(["hall", "case_id"], ["cases.hall", "cases.id"]),
        CheckConstraint("clocks IN ('both', 'promised')", name="clocks"),
        Index("ix_case_stops_case", "hall", "case_id"),
        Index("uq_case_stops_open", "hall", "case_id", unique=True, **only_where("until_at IS NULL")),
    )

    hall: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    case_id: Mapped[int]
    clocks: Mapped[str]
    ground: Mapped[str]
    days: Mapped[int]
    from_at: Mapped[datetime]
    until_at: Mapped[datetime | None]


class CaseReview(db.Model):
    """One department's part in deciding a case. `state`: waiting its turn, open, granted or refused."""

    __tablename__ = "case_reviews"
    __table_args__ = (
        ForeignKeyConstraint(["hall", "case_id"], ["cases.hall", "cases.id"]),
        CheckConstraint("state IN ('waiting', 'open', 'granted', 'refused')", name="state"),
        Index("ix_case_reviews_open", "department", "hall", **only_where("state = 'open'")),
    )

    hall: Mapped[str] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(primary_key=True)
    department: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    state: Mapped[str]
    taken_by: Mapped[str | None]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    reason_sealed: Mapped[str | None]
    basis: Mapped[str | None]
