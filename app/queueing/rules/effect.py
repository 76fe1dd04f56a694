"""What other rules of calling would have made of a day: everybody's wait and call, before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.queueing.rules.balance import waited_min
from app.queueing.rules.day import Day
from app.queueing.rules.policy import Policy
from app.queueing.rules.simulate import Outcome, run
from app.queueing.rules.states import Lane

MOVED_S = 60  # whoever would have waited so much longer or shorter has been moved


@dataclass(frozen=True, slots=True)
class Figures:
    """The waits of a lane in minutes; the quantiles are waits that somebody had."""

    people: int
    mean: float
    p50: float
    p90: float
    most: float


@dataclass(frozen=True, slots=True)
class Moved:
    """One person's wait in seconds under either rules, and when they would have been called; None for never."""

    number: str
    queue: str
    lane: Lane
    before_s: int
    after_s: int
    before_at: datetime | None
    after_at: datetime | None


@dataclass(frozen=True, slots=True)
class Effect:
    """`moved`: those whose wait differs by MOVED_S or more, the most first."""

    tickets: int
    before: Mapping[Lane, Figures]
    after: Mapping[Lane, Figures]
    moved: tuple[Moved, ...]


def ruled(day: Day, policy: Policy, weights: Mapping[str, Mapping[str, int]]) -> Day:
    """The day under these rules: the same people and windows; each window serves what it served."""
    desks = tuple(
        replace(
            desk,
            weight_min={queue: weights.get(desk.window, {}).get(queue, own) for queue, own in desk.weight_min.items()},
        )
        for desk in day.desks
    )
    return replace(day, policy=policy, desks=desks)


def effect(before: Day, after: Day) -> Effect:
    """What differs between two days that the same people came to."""
    played = [(day, run(day)) for day in (before, after)]
    waits = [waited_min(day, outcome.waits) for day, outcome in played]
    calls = [_called_at(outcome) for _, outcome in played]
    lanes: dict[Lane, list[int]] = {}
    moved = []
    for visit in before.visits:
        first, ticket = visit.turns[0], visit.ticket
        lanes.setdefault(first.lane, []).append(ticket)
        then, now = (round(60 * own[ticket]) for own in waits)
        if abs(then - now) >= MOVED_S:
            at = (own.get(ticket) for own in calls)
            moved.append(Moved(visit.number, first.queue, first.lane, then, now, *at))
    figures = [{lane: _figures([own[t] for t in lanes[lane]]) for lane in Lane if lane in lanes} for own in waits]
    moved.sort(key=lambda each: (-abs(each.after_s - each.before_s), each.number))
    return Effect(len(before.visits), figures[0], figures[1], tuple(moved))


def _called_at(outcome: Outcome) -> dict[int, datetime]:
    first: dict[int, datetime] = {}
    for call in sorted(outcome.calls, key=lambda each: each.at):
        first.setdefault(call.ticket, call.at)
    return first


def _figures(waits: Sequence[float]) -> Figures:
    own = sorted(waits)
    p50, p90 = (own[min(int(len(own) * share), len(own) - 1)] for share in (0.5, 0.9))
    return Figures(len(own), sum(own) / len(own), p50, p90, own[-1])
