"""The courier's tariff: what delivery of a result costs by zone, read from `courier.toml` (DOMAIN C13)."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import Any

from app.catalog.rules.tables import HAN, read_integer, read_list, read_table, read_text

BY_TARIFF = "by_tariff"
CODE = re.compile("[a-z]{2,20}")
MOST_FEN = 100_00


@dataclass(frozen=True, slots=True)
class CourierZone:
    """A zone of delivery. `fee_fen` in fen (100 fen = 1 yuan); None: by the carrier's own tariff."""

    code: str
    name: str
    name_en: str
    fee_fen: int | None


def read_courier(document: str) -> tuple[CourierZone, ...]:
    """The zones of a tariff in its order. Raises ValueError when it is not to form or names a zone twice."""
    given = read_table(tomllib.loads(document), ("source", "source_en", "zone"))
    for name in ("source", "source_en"):
        read_text(given, name)
    zones = tuple(_zone(entry) for entry in read_list(given, "zone"))
    if not zones or len({zone.code for zone in zones}) != len(zones):
        raise ValueError("no zone, or one twice")
    return zones


def _zone(entry: Any) -> CourierZone:
    given = read_table(entry, ("code", "name", "name_en", "fee_fen"))
    by_tariff = given["fee_fen"] == BY_TARIFF
    zone = CourierZone(
        read_text(given, "code"),
        read_text(given, "name"),
        read_text(given, "name_en"),
        None if by_tariff else read_integer(given, "fee_fen"),
    )
    if not CODE.fullmatch(zone.code) or HAN.search(zone.name_en):
        raise ValueError(f"not a zone: {zone}")
    if zone.fee_fen is not None and not 0 <= zone.fee_fen <= MOST_FEN:
        raise ValueError(f"not a fee: {zone.fee_fen}")
    return zone
