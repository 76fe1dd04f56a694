"""Importing the catalogue: a published CSV joined with the guides written by hand."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from app.action import Transaction, network_action
from app.catalog.models import ServiceItem
from app.catalog.rules.courier import CourierZone, read_courier
from app.catalog.rules.csvfile import ItemRow, Problem, read_items
from app.catalog.rules.guide import Guide
from app.catalog.rules.guides import guide_of, read_guides
from app.catalog.rules.regimes import Regimes, read_regimes
from app.catalog.rules.search import index_text
from app.catalog.rules.theme_checks import read_themes
from app.catalog.rules.themes import Theme
from app.errors import Refusal
from app.events import CatalogImported

DATA = Path(__file__).parent / "data"


def read_catalog(data: bytes, *, skip_bad: bool = False) -> tuple[list[ItemRow], Mapping[str, Guide], list[Problem]]:
    """The items of a CSV with their written guides, and every line that cannot be read.

    Themes, regimes and the courier's tariff are read from the package whenever they are asked for, never stored:
    a case freezes what holds for it. They are read here too, so that no catalogue goes in force beside bad ones.

    Raises Refusal catalog.unreadable when there is such a line and `skip_bad` is not set; `facts["problems"]` of the
    caller's report are the returned problems, so callers print them first. A fault in our own data raises ValueError.
    """
    rows, problems = read_items(data)
    guides = written_guides()
    written_themes()
    courier()
    if problems and not skip_bad:
        return [], {}, problems
    return rows, guides, problems


@lru_cache(maxsize=1)
def written_guides() -> Mapping[str, Guide]:
    """The guides that come with the project, by implementation code. Raises ValueError when one is not to form."""
    ours, _ = read_items((DATA / "service-items.csv").read_bytes())
    guides, wrong = read_guides(texts("guides"), ours, regimes())
    if wrong:
        raise ValueError(f"guides written by hand are not to form: {wrong[:5]}")
    return guides


def texts(folder: str) -> dict[str, str]:
    """The texts of a folder of our data, by file name."""
    return {path.name: path.read_text(encoding="utf-8") for path in sorted((DATA / folder).glob("*.toml"))}


@lru_cache(maxsize=1)
def regimes() -> Regimes:
    """The regimes that come with the project. Raises ValueError when they are not to form."""
    return read_regimes((DATA / "regimes.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def written_themes() -> Mapping[str, Theme]:
    """The one-thing themes that come with the project, by code. Raises ValueError when one is not to form."""
    ours, _ = read_items((DATA / "service-items.csv").read_bytes())
    return read_themes(texts("themes"), ours, written_guides(), regimes())


@lru_cache(maxsize=1)
def courier() -> tuple[CourierZone, ...]:
    """The courier's tariff that comes with the project. Raises ValueError when it is not to form."""
    return read_courier((DATA / "courier.toml").read_text(encoding="utf-8"))


@network_action
def import_catalog(tx: Transaction, *, rows: list[ItemRow], guides: Mapping[str, Guide]) -> dict[str, Any]:
    """Put a catalogue in force. Items that it no longer names are closed, never deleted: old cases speak of them.

    Refuses catalog.unreadable for an empty one. Tells CatalogImported. Locks the network.
    """
    if not rows:
        raise Refusal("catalog.unreadable", count=0)
    version = hashlib.sha256(repr([(r, guides.get(r.implementation_code)) for r in rows]).encode()).hexdigest()[:12]
    known = set(tx.execute(select(ServiceItem.code)).scalars())
    values = [_values(position, row, guide_of(row, guides), version) for position, row in enumerate(rows)]
    table = ServiceItem.__table__
    tx.execute(update(table).values(active=False))
    new = [v for v in values if v["code"] not in known]
    old = [{f"{key}_": value for key, value in v.items()} for v in values if v["code"] in known]
    if new:
        tx.execute(insert(table), new)
    if old:
        columns = {key: bindparam(f"{key}_") for key in values[0] if key != "code"}
        tx.session.connection().execute(update(table).where(table.c.code == bindparam("code_")).values(columns), old)
    written = sum(1 for row in rows if row.implementation_code in guides)
    tx.record(CatalogImported(version=version, items=len(rows), guides=written))
    return {
        "version": version,
        "items": len(rows),
        "guides": written,
        "closed": len(known - {v["code"] for v in values}),
    }


def _values(position: int, row: ItemRow, guide: Guide, version: str) -> dict[str, Any]:
    code = row.implementation_code
    return {
        "code": code,
        "position": position,
        "name": row.item_name,
        "name_en": guide.name_en,
        "parent": row.parent_item,
        "department": row.department,
        "task_type": row.task_type.value,
        "area_code": row.area_code,
        "zone": guide.zone,
        "guide_source": guide.source.value,
        "guide": asdict(guide),
        "search_text": index_text(row.item_name, row.parent_item, row.department, guide.name_en, code),
        "active": True,
        "version": version,
    }
