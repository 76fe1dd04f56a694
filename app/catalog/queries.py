"""Reading the catalogue: one guide, a search, the departments. Nothing here writes."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import func, select

from app.catalog.items import DATA
from app.catalog.models import ServiceItem
from app.catalog.rules.guides import parse_names
from app.catalog.rules.search import rank, terms
from app.db import db
from app.errors import Refusal
from app.words import clean

PER_PAGE = 20


def item(code: str) -> dict[str, Any]:
    """The published facts and the guide of one item. Refuses item.unknown."""
    row = db.session.get(ServiceItem, clean(code, "item", limit=80))
    if row is None or not row.active:
        raise Refusal("item.unknown")
    return {**row.guide, **_facts(row), "version": row.version}


def _facts(row: Any) -> dict[str, Any]:
    return {
        "code": row.code,
        "name": row.name,
        "name_en": row.name_en,
        "parent": row.parent,
        "department": row.department,
        "department_en": department_en(row.department),
        "task_type": row.task_type,
        "zone": row.zone,
        "guide_source": row.guide_source,
    }


def search_items(
    q: str = "",
    department: str = "",
    zone: str = "",
    page: int = 1,
    per_page: int = PER_PAGE,
    zones: list[str] | None = None,
) -> dict[str, Any]:
    """Items that match every word of `q` (Chinese, pinyin or initials), best first; all of them for an empty `q`.

    The database sieves by substring, then the pure rank orders what is left: at most the whole catalogue, 1,135 rows.
    Written guides come before default ones where they match equally well.
    """
    query = select(
        *(
            ServiceItem.code,
            ServiceItem.name,
            ServiceItem.name_en,
            ServiceItem.parent,
            ServiceItem.department,
        ),
        *(ServiceItem.task_type, ServiceItem.zone, ServiceItem.guide_source, ServiceItem.search_text),
        ServiceItem.position,
    ).where(ServiceItem.active)
    if department:
        query = query.where(ServiceItem.department == department)
    if zone:
        query = query.where(ServiceItem.zone == zone)
    if zones is not None:
        query = query.where(ServiceItem.zone.in_(zones))
    wanted = terms(q)
    for term in wanted:
        query = query.where(func.lower(ServiceItem.search_text).contains(term, autoescape=True))
    rows = db.session.execute(query.order_by(ServiceItem.position)).all()
    if q.strip():
        ranked = [(rank(q, row.search_text), row.guide_source != "written", row.position, row) for row in rows]
        rows = [r[-1] for r in sorted((r for r in ranked if r[0] is not None), key=lambda r: r[:3])] if wanted else []
    else:
        rows = sorted(rows, key=lambda row: (row.guide_source != "written", row.position))
    page = max(page, 1)
    found = [_facts(row) for row in rows[(page - 1) * per_page : page * per_page]]
    return {"items": found, "total": len(rows), "page": page, "pages": max(-(-len(rows) // per_page), 1)}


def departments() -> list[dict[str, Any]]:
    """Every department with how many items it owns, in the catalogue's order."""
    query = (
        select(ServiceItem.department, func.count(), func.min(ServiceItem.position))
        .where(ServiceItem.active)
        .group_by(ServiceItem.department)
        .order_by(func.min(ServiceItem.position))
    )
    return [
        {"name": name, "name_en": department_en(name), "items": count} for name, count, _ in db.session.execute(query)
    ]


@lru_cache(maxsize=1)
def _names() -> Any:
    return parse_names((DATA / "names.toml").read_text(encoding="utf-8"))


def department_en(name: str) -> str:
    """The department's English name, or its Chinese one where none is known."""
    return _names().departments_en.get(name, name)
