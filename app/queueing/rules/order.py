"""Who is called next: call-by first, then the ratio, then the smallest rank among the heads of lanes (DOMAIN Q5, Q6, Q9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.now import local
from app.queueing.rules.policy import FRONT_MIN, MOST_MIN, Condition, Policy
from app.queueing.rules.states import Lane


@dataclass(frozen=True, slots=True)
class LaneHead:
    """The first waiting ticket of one lane of one queue.

    `queued_at` is its arrival, an appointment's booked time, or what a restore or a transfer made of it: it gives the
    place, and may lie ahead, or before the arrival. `waiting` says how many wait in its queue, for the conditions that ask.
    """

    ticket: int
    number: str
    queue: str
    lane: Lane
    queued_at: datetime
    direct: bool = False  # sent to this very window or clerk
    waiting: int = 0
    since: datetime | None = None  # since when its wait counts, as `waits_since` says; none: since its queue time

    @property
    def waited_from(self) -> datetime:
        """Since when its wait counts."""
        return self.since or self.queued_at


def waits_since(queued_at: datetime, arrived: datetime, again: datetime | None) -> datetime | None:
    """Since when the wait counts of whoever waits again since `again`; none of who waits for the first time.

    Since the queue time, as it orders. But a place further back than the moment of coming back takes nothing from the wait,
    and one that was given before the arrival adds nothing to it.
    """
    return None if again is None else max(arrived, min(queued_at, again))


@dataclass(frozen=True, slots=True)
class Tally:
    """How often each lane of a ratio was called at a window in the present round, while both lanes waited."""

    normal: int = 0
    priority: int = 0


def boosts(head: LaneHead, policy: Policy, at: datetime, window: str) -> list[Condition]:
    """The conditions that hold for a head when this window calls at `at`. They ask how long its place has counted: so none
    of them lets anybody overtake within a lane.
    """
    clock = local(at).time()
    waited = at - head.queued_at
    return [
        each
        for each in policy.conditions
        if each.queue in (None, head.queue)
        and each.lane in (None, head.lane)
        and each.window in (None, window)
        and (each.waiting_over is None or head.waiting > each.waiting_over)
        and (each.waited_over_min is None or waited > timedelta(minutes=each.waited_over_min))
        and (each.since is None or clock >= each.since)
        and (each.until is None or clock < each.until)
    ]


def head_start(head: LaneHead, policy: Policy, at: datetime, window: str = "") -> dict[str, int]:
    """The minutes that a head counts as having come earlier, by what gives them: lane, window, conditions; or direct.

    Who was sent to this window goes straight to the front, and among those who were only arrival counts.
    """
    if head.direct:
        return {"direct": FRONT_MIN}
    minutes = {"lane": policy.head_start_min.get(head.lane, 0), "window": policy.weight_min.get(head.queue, 0)}
    if policy.conditions:
        minutes["conditions"] = min(sum(each.minutes for each in boosts(head, policy, at, window)), MOST_MIN)
    return minutes


def rank(head: LaneHead, policy: Policy, at: datetime, window: str = "") -> datetime:
    """Arrival less the lane's head start, the window's weight for the queue and what the conditions give.

    So nobody is overtaken by anyone who came later than the largest of these together (`furthest_min`).
    """
    return head.queued_at - timedelta(minutes=sum(head_start(head, policy, at, window).values()))


def choose_next(
    heads: Sequence[LaneHead], policy: Policy, at: datetime, window: str = "", tally: Tally = Tally()
) -> tuple[LaneHead, dict[str, Any], Tally] | None:
    """The ticket that `pick` picks, why, and the window's tally after it; None when nobody waits.

    The explanation is plain JSON: `rule` (call_by, ratio, rank), `chosen`, and every candidate in the order of ranks
    with its wait and its rank relative to `at`, both in whole seconds (a larger `standing_s` ranks higher; an
    appointment that came early has waited less than nothing), and the minutes that made it. `back_s`: so many seconds
    behind its wait a restore has put it; less than nothing: before it, by a transfer.
    """
    picked = pick(heads, policy, at, window, tally)
    if picked is None:
        return None
    chosen, rule, after = picked
    candidates = sorted(
        (_candidate(head, head_start(head, policy, at, window), at) for head in heads),
        key=lambda each: each[0],
    )
    why: dict[str, Any] = {"rule": rule, "chosen": chosen.number, "candidates": [said for _, said in candidates]}
    if rule == "call_by":
        why["call_by_min"] = policy.call_by_min
    if after != tally:
        why["ratio"] = {"of": list(policy.ratio or ()), "called": [after.normal, after.priority]}
    return chosen, why, after


def pick(
    heads: Sequence[LaneHead], policy: Policy, at: datetime, window: str = "", tally: Tally = Tally()
) -> tuple[LaneHead, str, Tally] | None:
    """The ticket to call, the rule that decided, and the tally after it. The order of `heads` is nothing.

    1. call_by: of those who have waited as long as `call_by_min`, the one who came first. The ratio does not count it.
    2. ratio: while the normal and the priority lane both wait, the one that is not owed stands back.
    3. rank: the smallest; ties go to the lower ticket, which was issued earlier.

    Who was sent to this very window stands outside the ratio: it neither holds them back nor counts them.
    """
    if not heads:
        return None
    if policy.call_by_min is not None:
        limit = timedelta(minutes=policy.call_by_min)
        overdue = [head for head in heads if at - head.waited_from >= limit]
        if overdue:
            return min(overdue, key=lambda head: (head.waited_from, head.ticket)), "call_by", tally

    ranks = {head.ticket: (rank(head, policy, at, window), head.ticket) for head in heads}

    def standing(head: LaneHead) -> tuple[datetime, int]:
        return ranks[head.ticket]

    first = min(heads, key=standing)
    if policy.ratio is None or not {Lane.NORMAL, Lane.PRIORITY} <= {head.lane for head in heads}:
        return first, "rank", tally
    counted = _in_round(policy.ratio, tally)
    aside = Lane.PRIORITY if _normal_is_owed(policy.ratio, counted) else Lane.NORMAL
    chosen = min((head for head in heads if head.direct or head.lane != aside), key=standing)
    outside = chosen.direct or chosen.lane not in (Lane.NORMAL, Lane.PRIORITY)
    return chosen, "rank" if chosen is first else "ratio", tally if outside else _with(counted, chosen.lane)


def _in_round(ratio: tuple[int, int], tally: Tally) -> Tally:
    """What counts of a tally now: nothing once both lanes had their share. A round under one ratio never passes it; what
    an earlier ratio left counts for one share at most, so a change in mid-day makes neither lane wait for the morning.
    """
    normal, priority = ratio
    if tally.normal >= normal and tally.priority >= priority:
        return Tally()
    return Tally(min(tally.normal, normal), min(tally.priority, priority))


def _with(tally: Tally, lane: Lane) -> Tally:
    return Tally(tally.normal + (lane == Lane.NORMAL), tally.priority + (lane == Lane.PRIORITY))


def _normal_is_owed(ratio: tuple[int, int], tally: Tally) -> bool:
    """Whether the normal lane has had no more than its share: so each lane stays within one call of it."""
    normal, priority = ratio
    return tally.normal * priority <= tally.priority * normal


def _candidate(
    head: LaneHead, minutes: Mapping[str, int], at: datetime
) -> tuple[tuple[timedelta, int], dict[str, Any]]:
    """The key that sorts a candidate by rank, and what is said of it."""
    waited = at - head.waited_from
    ahead = timedelta(minutes=sum(minutes.values()))
    standing = at - head.queued_at + ahead
    said = {
        "number": head.number,
        "queue": head.queue,
        "lane": head.lane.value,
        "waited_s": _seconds(waited),
        "standing_s": _seconds(standing),
        "direct": head.direct,
        "minutes": {name: value for name, value in minutes.items() if value},
    }
    if head.waited_from != head.queued_at:
        said["back_s"] = _seconds(waited) + _seconds(ahead) - _seconds(standing)
    return (-standing, head.ticket), said


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())
