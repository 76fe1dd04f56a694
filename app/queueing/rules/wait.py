"""How long a wait may be: a range from recent service times, or nothing when there is nothing to go by (Q12)."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

ENOUGH = 5  # finished services needed before a range is shown


def wait_range(ahead: int, service_s: Sequence[int], windows: int) -> tuple[int, int] | None:
    """Seconds until a ticket with `ahead` people before it is called, as (low, high).

    The 20th and 80th percentile of recent service times, times the rounds that the open windows need. None without an
    open window or with fewer than five recent services: an honest blank is better than a guess.
    """
    if windows < 1 or len(service_s) < ENOUGH or ahead < 0:
        return None
    ordered = sorted(service_s)
    low, high = (ordered[min(int(len(ordered) * share), len(ordered) - 1)] for share in (0.2, 0.8))
    rounds_low, rounds_high = ahead // windows, ceil((ahead + 1) / windows)
    return low * rounds_low, max(high * rounds_high, 60)
