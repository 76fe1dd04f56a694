"""Tables of what stands above single cases: one-thing cases, manifests of papers on their way, agency orders."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.casework.models import Application
from app.casework.rules.agency import Beneficiary, OrderState
from app.casework.rules.joint import JointState
from app.casework.rules.materials import MaterialState
from app.db import among, db, only_where
from app.hall.rules.lights import Light

_OPEN_JOINT = among("state", {JointState.RECEIVED, JointState.CORRECTION, JointState.ACCEPTED, JointState.DECIDED})
UNDATED = "due_at IS NULL AND state = 'running'"
_OPEN_ORDER = among("state", set(OrderState) - {OrderState.CLOSED, OrderState.CANCELLED})


class JointCase(Application, db.Model):
    """A one-thing case 一件事: one form, one set of papers and one receipt over the cases that name it in `joint_id`.

    Its id is of the hall's one count of ids, so that papers and sealed fields are told apart from those of cases.
    """

    __tablename__ = "joint_cases"
    __table_args__ = (
        CheckConstraint(among("state", JointState), name="state"),
        CheckConstraint(among("light", Light), name="light"),
        CheckConstraint("applicant_kind IN ('person', 'organisation')", name="applicant_kind"),
        Index("uq_joint_cases_number", "number", unique=True),
        Index("uq_joint_cases_query_token", "query_token_hash", unique=True),
        Index("ix_joint_cases_applicant", "applicant_key"),
        Index("ix_joint_cases_open", "hall", "order_at", "id", **only_where(_OPEN_JOINT)),
        Index("ix_joint_cases_received", "hall", "received_at"),
        Index("ix_joint_cases_version", "hall", "schedule_version", **only_where("decided_at IS NULL")),
    )

    theme: Mapped[str]
    form_sealed: Mapped[str]  # the merged form: key → what was answered
    received_at: Mapped[datetime]
    promise_version: Mapped[str | None]  # the schedule with which the promise on its acceptance was computed


class JointMaterial(db.Model):
    """One material of the merged set; it serves one or more parts."""

    __tablename__ = "joint_materials"
    __table_args__ = (
        ForeignKeyConstraint(["hall", "joint_id"], ["joint_cases.hall", "joint_cases.id"]),
        CheckConstraint(among("state", MaterialState), name="state"),
    )

    hall: Mapped[str] = mapped_column(primary_key=True)
    joint_id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    requested: Mapped[bool] = mapped_column(default=False)
    problem_sealed: Mapped[str | None]


class Manifest(db.Model):
    """A bundle of papers 物料流转 on its way between two halls. `hall` is the one whose cases it carries."""

    __tablename__ = "manifests"
    __table_args__ = (
        CheckConstraint("state IN ('sent', 'arrived')", name="state"),
        CheckConstraint("from_hall <> to_hall", name="halls"),
        Index("uq_manifests_number", "number", unique=True),
        Index("ix_manifests_to", "to_hall", "sent_at", **only_where("state = 'sent'")),
        Index("ix_manifests_from", "from_hall", "sent_at"),
    )

    hall: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[str]
    from_hall: Mapped[str]
    to_hall: Mapped[str]
    state: Mapped[str]
    sent_by: Mapped[str]
    sent_at: Mapped[datetime]
    arrived_by: Mapped[str | None]
    arrived_at: Mapped[datetime | None]
    note_sealed: Mapped[str | None]


class ManifestEntry(db.Model):
    """One case in a bundle; a case is on its way in one bundle at a time."""

    __tablename__ = "manifest_entries"
    __table_args__ = (
        ForeignKeyConstraint(["hall", "manifest_id"], ["manifests.hall", "manifests.id"]),
        ForeignKeyConstraint(["hall", "case_id"], ["cases.hall", "cases.id"]),
        Index("uq_manifest_entries_road", "hall", "case_id", unique=True, **only_where("state = 'sent'")),
        Index("ix_manifest_entries_case", "hall", "case_id"),
        CheckConstraint("state IN ('sent', 'arrived', 'missing')", name="state"),
    )

    hall: Mapped[str] = mapped_column(primary_key=True)
    manifest_id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str]
    note_sealed: Mapped[str | None]


class AgencyOrder(db.Model):
    """An agency order 代办单: somebody of the hall runs an errand for one who cannot come. Free of charge."""

    __tablename__ = "agency_orders"
    __table_args__ = (
        CheckConstraint(among("state", OrderState), name="state"),
        CheckConstraint(among("beneficiary", Beneficiary), name="beneficiary"),
        Index("uq_agency_orders_number", "number", unique=True),
        Index("ix_agency_orders_open", "hall", "order_at", "id", **only_where(_OPEN_ORDER)),
        Index("ix_agency_orders_ordered", "hall", "ordered_at"),
        Index("ix_agency_orders_undated", "hall", "schedule_version", **only_where(UNDATED)),
    )

    hall: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[str]
    state: Mapped[str]
    beneficiary: Mapped[str]
    principal_key: Mapped[str | None]
    principal_sealed: Mapped[str]
    wish_sealed: Mapped[str]  # what is wanted, the letter of authority, until when it holds
    item: Mapped[str | None]
    case_id: Mapped[int | None]  # the case that came of it
    ordered_by: Mapped[str]
    ordered_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    handled_by: Mapped[str | None]
    started_at: Mapped[datetime | None]  # everything needed was handed over: the clock runs from here
    due_at: Mapped[datetime | None]
    order_at: Mapped[datetime]  # the due instant, or the end of time without one
    completed_at: Mapped[datetime | None]
    result_sealed: Mapped[str | None]
    ended_at: Mapped[datetime | None]
    end_sealed: Mapped[str | None]  # why it was cancelled
    called_back_at: Mapped[datetime | None]
    satisfied: Mapped[bool | None]
    call_back_sealed: Mapped[str | None]
    schedule_version: Mapped[str | None]


class AgencyStop(db.Model):
    """An interruption 中止 of an agency order; open while `until_at` is null."""

    __tablename__ = "agency_stops"
    __table_args__ = (
        ForeignKeyConstraint(["hall", "order_id"], ["agency_orders.hall", "agency_orders.id"]),
        Index("ix_agency_stops_order", "hall", "order_id"),
        Index("uq_agency_stops_open", "hall", "order_id", unique=True, **only_where("until_at IS NULL")),
    )

    hall: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    order_id: Mapped[int]
    from_at: Mapped[datetime]
    until_at: Mapped[datetime | None]
    reason_sealed: Mapped[str]
