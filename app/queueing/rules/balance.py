"""How well windows and queues fit each other: waits and idle windows of a day, and which single change would help most.

Waits are minutes from coming to the first call; of who was never called, until they left or the windows closed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.queueing.rules.changes import Changes, Lesson, Opening
from app.queueing.rules.day import Day, Span, joined
from app.queueing.rules.policy import Policy
from app.queueing.rules.simulate import Called, Outcome, run
from app.queueing.rules.states import Lane

HALF_HOUR = timedelta(minutes=30)
TRIED, PEOPLE_TRIED = (4, 18), 20_000  # single changes that are simulated for one list, fewer for very many people
HOT_QUEUES, COLD_WINDOWS = 2, 4
LEAST_MIN = 1.0  # what saves less over the whole day is noise


@dataclass(frozen=True, slots=True)
class Waits:
    """The waits of a group of people, in minutes."""

    people: int
    served: int
    mean: float
    p50: float
    p90: float
    most: float


@dataclass(frozen=True, slots=True)
class Load:
    """A window's day in minutes: open, with somebody there, and free while people waited.

    `idle`: of people it serves (the time until the next was called); `cold`: only of people it does not serve.
    """

    window: str
    calls: int
    open: float
    busy: float
    idle: float
    cold: float


@dataclass(frozen=True, slots=True)
class Balance:
    """A day in figures. `waiting_min` is the sum over all people."""

    everybody: Waits
    queues: Mapping[str, Waits]
    windows: tuple[Load, ...]
    curve: tuple[tuple[datetime, float, int], ...]  # by half hour: mean wait of who came then, how many came
    waiting_min: float
    unserved: int


def waited_min(day: Day, called: Mapping[int, float]) -> dict[int, float]:
    """Everybody's wait in minutes."""
    end = max((span[1] for desk in day.desks for span in desk.hours), default=day.begins)
    found = {}
    for visit in day.visits:
        seconds = called.get(visit.ticket)
        if seconds is None:
            left = next((turn.leaves_at for turn in visit.turns if turn.leaves_at), None)
            seconds = max((min(left or end, max(end, visit.at)) - visit.at).total_seconds(), 0.0)
        found[visit.ticket] = seconds / 60
    return found


def measure(day: Day, outcome: Outcome) -> Balance:
    """The figures of a day that was simulated, or happened."""
    waits = waited_min(day, outcome.waits)
    queues: dict[str, list[int]] = {}
    halves: dict[datetime, list[float]] = {}
    for visit in day.visits:
        queues.setdefault(visit.turns[0].queue, []).append(visit.ticket)
        halves.setdefault(_half(visit.at), []).append(waits[visit.ticket])
    return Balance(
        everybody=_waits(waits, outcome.waits, list(waits)),
        queues={queue: _waits(waits, outcome.waits, tickets) for queue, tickets in sorted(queues.items())},
        windows=_loads(day, outcome),
        curve=tuple((at, sum(own) / len(own), len(own)) for at, own in sorted(halves.items())),
        waiting_min=sum(waits.values()),
        unserved=len(outcome.waiting),
    )


def _half(at: datetime) -> datetime:
    return at.replace(minute=at.minute // 30 * 30, second=0, microsecond=0)


def _waits(waits: Mapping[int, float], called: Mapping[int, float], tickets: Sequence[int]) -> Waits:
    own = sorted(waits[ticket] for ticket in tickets)
    if not own:
        return Waits(0, 0, 0.0, 0.0, 0.0, 0.0)
    p50, p90 = (own[min(int(len(own) * share), len(own) - 1)] for share in (0.5, 0.9))
    return Waits(len(own), sum(t in called for t in tickets), sum(own) / len(own), p50, p90, own[-1])


def _loads(day: Day, outcome: Outcome) -> tuple[Load, ...]:
    stays: dict[str, list[Span]] = {}
    for queue, begin, end in outcome.stays:
        stays.setdefault(queue, []).append((begin, end))
    waiting = {queue: joined(spans) for queue, spans in stays.items()}
    anybody = joined(span for spans in stays.values() for span in spans)
    calls: dict[str, list[Called]] = {}
    for called in outcome.calls:
        calls.setdefault(called.window, []).append(called)
    found = []
    for desk in sorted(day.desks, key=lambda desk: desk.window):
        mine = calls.get(desk.window, [])
        busy = joined((each.at, each.until) for each in mine if each.until > each.at)
        free = _without(desk.hours, busy)
        own = joined(span for queue in desk.weight_min for span in waiting.get(queue, ()))
        idle = _overlap(free, own)
        cold = max(_overlap(free, anybody) - idle, 0.0)
        found.append(Load(desk.window, len(mine), _length(desk.hours), _length(busy), idle, cold))
    return tuple(found)


def _length(spans: Iterable[Span]) -> float:
    return sum((end - begin).total_seconds() for begin, end in spans) / 60


def _overlap(some: Sequence[Span], others: Sequence[Span]) -> float:
    """Minutes that lie in both; each list is in order and without overlaps."""
    total, n = 0.0, 0
    for begin, end in some:
        while n < len(others) and others[n][1] <= begin:
            n += 1
        for other, until in others[n:]:
            if other >= end:
                break
            total += (min(end, until) - max(begin, other)).total_seconds() / 60
    return total


def _without(spans: Sequence[Span], gone: Sequence[Span]) -> tuple[Span, ...]:
    left: list[Span] = []
    for begin, end in spans:
        for out, back in gone:
            if out < end and back > begin:
                if begin < out:
                    left.append((begin, out))
                begin = min(back, end)
        if begin < end:
            left.append((begin, end))
    return tuple(left)


# ── what would help ─────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One change, its effect over all people in minutes, and the mean wait that it would have left."""

    changes: Changes
    saved_min: float
    mean_min: float


def suggest(day: Day, closed: Sequence[str], hours: Sequence[Span]) -> list[Suggestion]:
    """Single changes in the order of the minutes that they would have saved all people together; helpful ones only.

    `closed`: windows of the hall that stood closed; they could be opened for `hours`.
    """
    base = run(day)
    now = measure(day, base)
    found = []
    tried = min(max(PEOPLE_TRIED // max(len(day.visits), 1), TRIED[0]), TRIED[1])
    for changes in _candidates(day, now, closed, hours)[:tried]:
        outcome = run(day, changes)
        waits = waited_min(day, outcome.waits)
        saved = now.waiting_min - sum(waits.values())
        if saved >= LEAST_MIN:
            found.append(Suggestion(changes, saved, sum(waits.values()) / max(len(waits), 1)))
    return sorted(found, key=lambda each: -each.saved_min)


def _candidates(day: Day, now: Balance, closed: Sequence[str], hours: Sequence[Span]) -> list[Changes]:
    hot = sorted(now.queues, key=lambda queue: -now.queues[queue].mean * now.queues[queue].people)[:HOT_QUEUES]
    serves = {desk.window: set(desk.weight_min) for desk in day.desks}
    every = {queue for queues in serves.values() for queue in queues} & set(now.queues)
    found = []
    if closed and hours and hot:
        found.append(Changes(open=(Opening(closed[0], {hot[0]: 0}, tuple(hours)),)))
        if len(every) > 1:
            found.append(Changes(open=(Opening(closed[0], dict.fromkeys(sorted(every), 0), tuple(hours)),)))
    if any(every - served for served in serves.values()):
        found.append(Changes(comprehensive=True))
    for queue in hot:
        cold = sorted((load for load in now.windows if queue not in serves[load.window]), key=_coldness)
        found.extend(Changes(teach=(Lesson(load.window, queue),)) for load in cold[:COLD_WINDOWS])
    found.extend(Changes(policy=policy) for policy in _policies(day.policy, day))
    return found


def _coldness(load: Load) -> tuple[float, str]:
    return -load.cold, load.window


def _policies(policy: Policy, day: Day) -> list[Policy]:
    """Other ratios and head starts, where there is a priority lane to speak of; and one rule without a limit."""
    if not any(turn.lane == Lane.PRIORITY for visit in day.visits for turn in visit.turns):
        return []
    ratios = [ratio for ratio in ((2, 1), (3, 1), (5, 1), None) if ratio != policy.ratio]
    return [*(replace(policy, ratio=ratio) for ratio in ratios)]
