"""The slots of a pickup shelf 出件架: A-01 to A-99, then B-01, and so on to Z-99."""

from __future__ import annotations

from collections.abc import Collection
from string import ascii_uppercase

SLOTS = 99  # on one shelf


def next_free(taken: Collection[str]) -> str:
    """The first slot that nothing lies in; "" when every shelf is full."""
    taken = {slot.strip().upper() for slot in taken}
    slots = (f"{shelf}-{number:02d}" for shelf in ascii_uppercase for number in range(1, SLOTS + 1))
    return next((slot for slot in slots if slot not in taken), "")
