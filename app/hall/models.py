"""Tables of the hall itself: halls, zones, windows, calendars, exceptional hours. Small and rarely written."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db import db, only_where


class Hall(db.Model):
    """A service hall 大厅. `hours` are its first daily hours, e.g. [["08:30", "12:00"], ["13:30", "18:00"]].

    `later_hours` are those that took their place, from a local day on: [["2026-12-01", [["09:00", "17:00"]]]].
    """

    __tablename__ = "halls"
    __table_args__ = (CheckConstraint("level IN ('county', 'township', 'village')", name="level"),)

    code: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    level: Mapped[str]
    parent: Mapped[str | None]
    case_prefix: Mapped[str] = mapped_column(unique=True)
    address: Mapped[str]
    phone: Mapped[str]
    hours: Mapped[list[Any]]
    later_hours: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    settings: Mapped[dict[str, Any]]


class Zone(db.Model):
    """A functional zone 区域 of a hall."""

    __tablename__ = "zones"
    __table_args__ = (ForeignKeyConstraint(["hall"], ["halls.code"]),)

    hall: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]


class Window(db.Model):
    """A window 窗口: comprehensive 综合, pickup 出件 or consult 咨询."""

    __tablename__ = "windows"
    __table_args__ = (
        ForeignKeyConstraint(["hall"], ["halls.code"]),
        ForeignKeyConstraint(["hall", "zone"], ["zones.hall", "zones.code"]),
        CheckConstraint("kind IN ('comprehensive', 'pickup', 'consult')", name="kind"),
    )

    hall: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name_zh: Mapped[str]
    name_en: Mapped[str]
    zone: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)


class Calendar(db.Model):
    """One imported version of the official calendar; the newest is in force, older ones explain old cases."""

    __tablename__ = "calendars"
    __table_args__ = (
        Index(
            "uq_calendars_current",
            "current",
            unique=True,
            **only_where("current"),
        ),
    )

    version: Mapped[str] = mapped_column(primary_key=True)
    imported_at: Mapped[datetime]
    data: Mapped[dict[str, Any]]
    current: Mapped[bool]


class ScheduleVersion(db.Model):
    """The schedule of a hall that some deadline was computed with (K6), kept for ever under its version.

    `calendar_version` is null while no calendar had been imported; closures and sessions are pairs of instants.
    """

    __tablename__ = "schedule_versions"
    __table_args__ = (
        ForeignKeyConstraint(["hall"], ["halls.code"]),
        ForeignKeyConstraint(["calendar_version"], ["calendars.version"]),
    )

    hall: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(primary_key=True)
    calendar_version: Mapped[str | None]
    hours: Mapped[list[Any]]
    later_hours: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    closures: Mapped[list[Any]]
    sessions: Mapped[list[Any]]
    kept_at: Mapped[datetime]


class HourException(db.Model):
    """Hours out of the ordinary: a closure (`opens` false) or a voluntary session (`opens` true)."""

    __tablename__ = "hour_exceptions"
    __table_args__ = (ForeignKeyConstraint(["hall"], ["halls.code"]),)

    hall: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    from_at: Mapped[datetime]
    to_at: Mapped[datetime]
    opens: Mapped[bool]
    reason: Mapped[str]
