"""How a ticket is numbered, and how a queue's prefix may look (DOMAIN Q2)."""

from __future__ import annotations

FORBIDDEN_PREFIXES = frozenset("IO")  # mistaken for 1 and 0
OFFLINE_FIRST, OFFLINE_LAST = 9001, 9999  # the serials that kiosks print from while they are cut off


def number(prefix: str, serial: int) -> str:
    """Prefix and at least three digits: A001 … A999, then A1000. Raises ValueError for a prefix or serial that is none."""
    if len(prefix) != 1 or not "A" <= prefix <= "Z" or prefix in FORBIDDEN_PREFIXES:
        raise ValueError(f"not a prefix: {prefix!r}")
    if serial < 1:
        raise ValueError(f"not a serial: {serial}")
    return f"{prefix}{serial:03d}"
