"""Reading the catalogue: one guide, a search, the departments, the one-thing themes. Nothing here writes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import func, select

from app.catalog.items import DATA, courier, regimes, written_guides, written_themes
from app.catalog.models import ServiceItem
from app.catalog.rules.guide import Fee, Guide, GuideSource, Regime, ResultKind, Routing
from app.catalog.rules.guides import parse_names
from app.catalog.rules.regimes import plain, rules_on
from app.catalog.rules.search import rank, terms
from app.catalog.rules.themes import Child, Theme, guide_of_child
from app.db import canonical, db
from app.errors import Refusal
from app.now import local_day, now
from app.words import clean

PER_PAGE = 20


def item(code: str, on: date | None = None) -> dict[str, Any]:
    """The published facts and the guide of one item, with the rules of its regime on a local day (default: today).

    Refuses item.unknown.
    """
    row = db.session.get(ServiceItem, clean(code, "item", limit=80))
    if row is None or not row.active:
        raise Refusal("item.unknown")
    rules = rules_in_force(row.guide["regime"], on)
    return {**row.guide, **_facts(row), "version": row.version, "rules": rules}


def item_asked_for(code: str | None) -> dict[str, Any] | None:
    """The guide of what a ticket or an appointment names, and whether it is still `offered`; None when it names none."""
    row = db.session.get(ServiceItem, code) if code else None
    return {**row.guide, **_facts(row), "offered": row.active} if row else None


def regime_rules(regime: str, on: date | None = None) -> dict[str, Any]:
    """The rules of a regime in force on a local day (default: today). Refuses regime.unknown."""
    if regime not in Regime.__members__.values():
        raise Refusal("regime.unknown")
    return rules_in_force(regime, on)


def rules_in_force(regime: str, on: date | None) -> dict[str, Any]:
    """The same for a regime that the catalogue itself names."""
    return plain(rules_on(regimes(), regime, on or local_day(now())))


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


def courier_zones() -> list[dict[str, Any]]:
    """The zones of delivery by courier with their fees in fen; None: by the carrier's tariff."""
    return [asdict(zone) for zone in courier()]


@lru_cache(maxsize=1)
def _names() -> Any:
    return parse_names((DATA / "names.toml").read_text(encoding="utf-8"))


def department_en(name: str) -> str:
    """The department's English name, or its Chinese one where none is known."""
    return _names().departments_en.get(name, name)


def themes(on: date | None = None) -> list[dict[str, Any]]:
    """The themes whose items are all in the catalogue, without the guides of their steps."""
    return [_theme_view(found, on) for found in written_themes().values() if _is_offered(found)]


def theme(code: str, on: date | None = None) -> dict[str, Any]:
    """One theme to freeze into a joint case: it reads like a guide, and each child has the guide to freeze into its own.

    `on`: the local day whose rules hold, by default today. Refuses theme.unknown.
    """
    found = written_themes().get(clean(code, "theme", limit=40))
    if found is None or not _is_offered(found):
        raise Refusal("theme.unknown")
    view = _theme_view(found, on)
    for child, shown in zip(found.children, view["children"], strict=True):
        shown["guide"] = _frozen_guide(child, on)
    return view


def _is_offered(found: Theme) -> bool:
    codes = {child.item for child in found.children}
    query = select(ServiceItem.code).where(ServiceItem.active, ServiceItem.code.in_(codes))
    return set(db.session.execute(query).scalars()) == codes


def _theme_view(found: Theme, on: date | None) -> dict[str, Any]:
    departments = list(dict.fromkeys(child.department for child in found.children))
    side_by_side = len({child.position for child in found.children}) == 1
    guides = {child.item: _guide_of(child) for child in found.children}
    stage_of = {child.item: child.stage for child in found.children}
    own = asdict(found)
    return _json(
        {name: own[name] for name in own if name not in ("children", "materials")}
        | {
            "department": found.lead_department,
            "department_en": department_en(found.lead_department),
            "lead_department_en": department_en(found.lead_department),
            "departments": departments,
            "routing": Routing.PARALLEL if side_by_side else Routing.IN_TURN,
            "parent": "",
            "task_type": "",
            "guide_source": GuideSource.WRITTEN,
            "source": GuideSource.WRITTEN,
            "theme": found.code,
            "regime_because": "",
            "fee": asdict(Fee()),
            "chief_may_decide": False,
            "result_kind": ResultKind.LICENCE,
            "visits": 1,
            "channels": ["window"],
            "conditions": [],
            "conditions_en": [],
            "gap_pass": False,
            "signatures": 2,
            "commitment": None,
            "version": hashlib.sha256(repr(found).encode()).hexdigest()[:12],
            "rules": rules_in_force(found.regime, on),
            "stages": [
                asdict(stage) | {"lead_department_en": department_en(stage.lead_department)} for stage in found.stages
            ],
            "children": [_child_view(child) for child in found.children],
            "materials": [
                asdict(merged.material)
                | {"serves": [asdict(one) for one in merged.serves]}
                | {"stage": _first_stage((stage_of[one.item] for one in merged.serves), found)}
                for merged in found.materials
            ],
            "results": [
                {"item": code, "name": guide.result_name, "name_en": guide.result_name_en}
                for code, guide in guides.items()
            ],
        }
    )


def _first_stage(stages: Iterable[str], found: Theme) -> str:
    """The stage in which a paper is first needed; "" where a theme has none."""
    order = [stage.code for stage in found.stages] or [""]
    return min(stages, key=order.index)


def _child_view(child: Child) -> dict[str, Any]:
    guide = _guide_of(child)
    own = asdict(child)
    return {name: own[name] for name in own if name != "guide"} | {
        "name_en": guide.name_en,
        "department_en": department_en(child.department),
        "result_name": guide.result_name,
        "result_name_en": guide.result_name_en,
    }


def _frozen_guide(child: Child, on: date | None) -> dict[str, Any]:
    """The guide of the item with the theme's promise; where the theme has a guide of its own, that one."""
    guide = item(child.item, on)
    if child.guide is not None:
        guide |= asdict(child.guide) | {
            "name": child.name,
            "department": child.department,
            "department_en": department_en(child.department),
            "guide_source": GuideSource.WRITTEN,
            "rules": rules_in_force(child.guide.regime, on),
        }
    return _json(guide | {"promised": asdict(child.promised)})


def _guide_of(child: Child) -> Guide:
    guide = guide_of_child(child, written_guides())
    if guide is None:
        raise LookupError(child.item)  # read_themes lets no such child through
    return guide


def _json(value: Any) -> Any:
    """JSON values only, as a case stores them."""
    return json.loads(canonical(value))
