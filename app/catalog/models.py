"""The table of service items: what was published, and the guide that this network adds to it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db import db


class ServiceItem(db.Model):
    """A service item 事项. `guide` is `app.catalog.rules.guide.Guide` as JSON; `version` names the import it came with."""

    __tablename__ = "service_items"
    __table_args__ = (Index("ix_service_items_department", "department"),)

    code: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    name: Mapped[str]
    name_en: Mapped[str]
    parent: Mapped[str]
    department: Mapped[str]
    task_type: Mapped[str]
    area_code: Mapped[str]
    zone: Mapped[str]
    guide_source: Mapped[str]
    guide: Mapped[dict[str, Any]]
    search_text: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    version: Mapped[str]
