"""Who is called next: the smallest rank among the heads of the lanes (DOMAIN Q5, Q6, Q9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.queueing.rules.states import Lane


@dataclass(frozen=True, slots=True)
class LaneHead:
    """The first waiting ticket of one lane of one queue. `queued_at` is its arrival, or what a restore made of it."""

    ticket: int
    number: str
    queue: str
    lane: Lane
    queued_at: datetime
    direct: bool = False  # sent to this very window


@dataclass(frozen=True, slots=True)
class Policy:
    """A hall's rules of calling. Head starts by lane, weights by queue (a window's speciality), both in minutes."""

    head_start_min: Mapping[Lane, int] = field(
        default_factory=lambda: {Lane.NORMAL: 0, Lane.PRIORITY: 15, Lane.APPOINTMENT: 0, Lane.RETURNING: 24 * 60}
    )
    weight_min: Mapping[str, int] = field(default_factory=dict)
    recalls: int = 3  # at most, before a no-show (Q8)
    recall_gap_s: int = 10
    restore_within_min: int = 30
    restore_behind: int = 3  # a restored ticket waits behind this many


def rank(head: LaneHead, policy: Policy) -> datetime:
    """Arrival less the lane's head start and the window's weight for the queue: whoever is smallest is next.

    So nobody is overtaken by anyone who came later than the largest head start plus the largest weight.
    """
    minutes = policy.head_start_min.get(head.lane, 0) + policy.weight_min.get(head.queue, 0)
    if head.direct:
        minutes += policy.head_start_min.get(Lane.RETURNING, 0)
    return head.queued_at - timedelta(minutes=minutes)


def choose_next(heads: Sequence[LaneHead], policy: Policy, at: datetime) -> tuple[LaneHead, dict[str, Any]] | None:
    """The ticket to call and why, or None when nobody waits. The order of `heads` does not matter.

    The explanation is plain JSON: the rule, and every candidate with its wait and its rank relative to `at`, both in
    whole seconds (a larger `standing_s` is called first); ties go to the lower ticket, which was issued earlier.
    """
    if not heads:
        return None
    ranked = sorted(heads, key=lambda head: (rank(head, policy), head.ticket))
    chosen = ranked[0]
    candidates = [
        {
            "number": head.number,
            "queue": head.queue,
            "lane": head.lane.value,
            "waited_s": int((at - head.queued_at).total_seconds()),
            "standing_s": int((at - rank(head, policy)).total_seconds()),
            "direct": head.direct,
        }
        for head in ranked
    ]
    return chosen, {"rule": "rank", "chosen": chosen.number, "candidates": candidates}
