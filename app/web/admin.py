"""System administration 系统管理: the front page and the catalogue; its other parts are the admin_… modules."""

from __future__ import annotations

from flask import render_template, request
from sqlalchemy import func, select

from app.catalog.models import ServiceItem
from app.catalog.queries import departments, item, search_items
from app.db import db
from app.hall.queries import calendar, halls
from app.now import local_day, now
from app.people.gate import requires
from app.people.models import Device, Staff
from app.people.permissions import Permission
from app.web import (
    admin_appointments,
    admin_calendar,
    admin_calling,
    admin_devices,
    admin_preview,
    admin_staff,
    admin_windows,
)
from app.web.admin_parts import AREAS, pages
from app.web.desk import staff_with, whole

PARTS = (  # each adds its own pages
    *(admin_appointments, admin_calendar, admin_calling, admin_devices),
    *(admin_preview, admin_staff, admin_windows),
)


@pages.get("")
@requires(*AREAS)
def front() -> str:
    """How much there is of everything, and the way to each part."""
    staff_with(*AREAS)
    items = select(func.count()).select_from(ServiceItem).where(ServiceItem.active)
    people = select(func.count()).select_from(Staff).where(Staff.active)
    devices = select(func.count()).select_from(Device).where(Device.revoked_at.is_(None))
    in_force = calendar()
    counts = {
        name: db.session.execute(query).scalar_one()
        for name, query in (("items", items), ("people", people), ("devices", devices))
    }
    return render_template(
        "admin/front.html", counts=counts, halls=halls(), calendar=in_force, year=local_day(now()).year
    )


@pages.get("/catalog")
@requires(Permission.CATALOG_MANAGE)
def catalog() -> str:
    """Search the catalogue; where each guide comes from."""
    q, department = request.args.get("q", "")[:40], request.args.get("department", "")[:60]
    found = search_items(q=q, department=department, page=whole(request.args.get("page"), 1, most=10_000))
    versions = select(ServiceItem.version, func.count()).where(ServiceItem.active).group_by(ServiceItem.version)
    written = (
        select(func.count()).select_from(ServiceItem).where(ServiceItem.active, ServiceItem.guide_source == "written")
    )
    return render_template(
        "admin/catalog.html",
        q=q,
        department=department,
        departments=departments(),
        found=found,
        versions=db.session.execute(versions).all(),
        written=db.session.execute(written).scalar_one(),
    )


@pages.get("/catalog/<code>")
@requires(Permission.CATALOG_MANAGE)
def catalog_item(code: str) -> str:
    """One item: what was published and the guide, with its source."""
    return render_template("admin/item.html", item=item(code))
