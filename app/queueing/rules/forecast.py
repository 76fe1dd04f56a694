"""How long a wait will be (DOMAIN Q12): the present hall played forward many times under the real rule, with drawn lots.

Spans are seconds, times aware datetimes. The same present, past and seed give the same ranges.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from random import Random

from app.queueing.rules.day import Busy, Day, Desk, Span, Turn, Visit, joined
from app.queueing.rules.order import Tally
from app.queueing.rules.policy import MOST_MIN, Policy
from app.queueing.rules.simulate import Floor
from app.queueing.rules.states import Lane

ENOUGH = 5  # services of a queue that say something about the next one
PLENTY = 20  # services of today that need none from before: the first ones of a day are the short ones
KEPT = 60  # the latest so many of a queue are drawn from
LOW, HIGH = 0.2, 0.8  # the part of the runs that a range leaves out on either side
RUNS = (16, 40)  # least and most
CALLS = 1200  # that one forecast may simulate, unless the least number of runs needs more
DEAR = 3600  # visits that one forecast may cost, newcomers with them, before it makes do with fewer runs:
FEWEST = 8  # the second from below and from above are still the ends of the range
CHEAP = 18  # so many conditions make a visit cost as much again
PAUSED, LATE, BEYOND = timedelta(minutes=10), timedelta(minutes=15), timedelta(hours=2)
PACE = 0.14  # how far a whole hall may be slower or faster than lately, as a standard deviation
AHEAD_S = 90 * 60  # how far newcomers are imagined who might be called before somebody who is here
STEPS_S = ((15 * 60, 60), (60 * 60, 5 * 60))  # up to a wait of so long, the steps in which it is said
STEP_S = 10 * 60  # beyond
LEAST_S = 60  # nobody with people ahead is told less


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody who waits now, as the rule sees them; `window` when only that one may call them."""

    ticket: int
    queue: str
    lane: Lane
    queued_at: datetime
    window: str | None = None
    since: datetime | None = None  # since when the wait of who waits again counts


@dataclass(frozen=True, slots=True)
class Serving:
    """A window has somebody of this queue, called at `since`."""

    window: str
    queue: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Present:
    """The hall at `at`: who waits, who is served, and the windows with the hours at which they will go on calling."""

    at: datetime
    desks: tuple[Desk, ...]
    waiting: tuple[Waiting, ...] = ()
    serving: tuple[Serving, ...] = ()
    policy: Policy = field(default_factory=Policy)
    tallies: Mapping[str, Tally] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Past:
    """What is known from before: how long a call kept a window by queue, the latest last, and who keeps coming.

    `coming_s`: mean seconds between two people of a lane. `leaving`: the share that gives up before being called.
    """

    occupied_s: Mapping[str, Sequence[float]]
    coming_s: Mapping[tuple[str, Lane], float] = field(default_factory=dict)
    leaving: float = 0.0


@dataclass(frozen=True, slots=True)
class Range:
    """A wait in seconds: four in five are neither called sooner nor later. `sure`: the share of runs with a call."""

    low_s: int
    high_s: int
    sure: float = 1.0


@dataclass(frozen=True, slots=True)
class Forecast:
    """The range of everybody who waits, by ticket, and of who would come now, by queue; None: nobody can say."""

    at: datetime
    tickets: Mapping[int, Range | None]
    newcomers: Mapping[str, Range | None]
    places: Mapping[str, tuple[int, ...]]  # the tickets of a queue in the order of their ranks
    ranks: Mapping[str, tuple[datetime, ...]]

    def at_place(self, queue: str, ahead: int) -> Range | None:
        """The range of whoever has so many people of the queue before them; behind all of them, a newcomer's."""
        order = self.places.get(queue, ())
        return self.tickets.get(order[ahead]) if 0 <= ahead < len(order) else self.newcomers.get(queue)


def past_of(today: Mapping[str, Sequence[float]], before: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
    """What to draw from, by queue: today's services, with the last days' while they are few, else all of the hall's.

    Empty when the hall has nothing at all.
    """
    every = [span for spans in (*before.values(), *today.values()) for span in spans]
    known = {}
    for queue in sorted({*today, *before}):  # lots are drawn in this order
        own = list(today.get(queue, ()))
        if len(own) < PLENTY:
            own = [*_thinned(before.get(queue, ())), *own]
        known[queue] = (own if len(own) >= ENOUGH else every)[-KEPT:]
    return {queue: spans for queue, spans in known.items() if len(spans) >= ENOUGH}


def _thinned(spans: Sequence[float]) -> Sequence[float]:
    """Some of all hours of the day: an afternoon is slower than a morning."""
    return spans[:: max(len(spans) // (KEPT // 2), 1)]


def planned(
    at: datetime,
    doors: Sequence[Span],
    states: Mapping[str, str],
    usual: Mapping[str, Sequence[Span]],
) -> dict[str, tuple[Span, ...]]:
    """When each window will call for the rest of the day, as far as anybody can know at `at`.

    An open window stays until the doors close (`doors`: the hall's opening times of the day) and comes back with them;
    a paused one is back in ten minutes. A closed one comes when it came the last time (`usual`: those hours, moved to
    today), also a little late; a window that stayed open over noon the last time does so again.
    """
    return {
        window: _plan(at, doors, states.get(window, "closed"), usual.get(window, ())) for window in {*states, *usual}
    }


def _plan(at: datetime, doors: Sequence[Span], state: str, usual: Sequence[Span]) -> tuple[Span, ...]:
    here = state != "closed"
    start = at + PAUSED if state == "paused" else at
    spans: list[Span] = []
    if here and not any(opens <= at < closes for opens, closes in doors):
        again = next((opens for opens, _ in doors if opens > at), at + BEYOND)
        spans.append((start, again))  # on duty while the doors are shut
    for n, (opens, closes) in enumerate(doors):
        comes = next((begin for begin, end in usual if begin < closes and end > opens), None)
        if closes > at:
            if opens <= at and here:
                spans.append((start, closes))
            elif opens <= at and comes is not None and comes > at - LATE:
                spans.append((max(comes, at), closes))
            elif opens > at and (here or comes is not None):
                spans.append((max(opens, comes or opens), closes))
        if n + 1 < len(doors):
            again = doors[n + 1][0]
            stays = any(begin <= closes and end >= again for begin, end in usual)
            if closes > at and stays and (here or comes is not None):
                spans.append((closes, again))
    return joined((begin, end) for begin, end in spans if begin < end)


def forecast(present: Present, past: Past, queues: Collection[str], seed: int) -> Forecast:
    """Ranges for everybody who waits and for newcomers of these queues."""
    queues = [queue for queue in sorted(queues) if queue in past.occupied_s]
    asked = {_ghost(n): queue for n, queue in enumerate(queues)}
    drawn: dict[int, list[float]] = {ticket: [] for ticket in asked}
    drawn |= {each.ticket: [] for each in present.waiting}
    lots = Random(seed)  # noqa: S311  # lots, not secrets: the same seed must give the same forecast
    runs = _runs(present, past)
    for _ in range(runs):
        day = _drawn(present, past, asked, lots)
        for ticket, wait in Floor(day).run(asked=drawn).waits.items():
            if ticket in drawn:
                drawn[ticket].append(wait)
    ranked = _ranked(present)
    order = {queue: tuple(ticket for _, ticket in ranks) for queue, ranks in ranked.items()}
    place = {ticket: n for tickets in order.values() for n, ticket in enumerate(tickets)}
    return Forecast(
        present.at,
        {each.ticket: _range(drawn[each.ticket], runs, place.get(each.ticket, 0)) for each in present.waiting},
        {queue: _range(drawn[ticket], runs, len(order.get(queue, ()))) for ticket, queue in asked.items()},
        order,
        {queue: tuple(rank for rank, _ in ranks) for queue, ranks in ranked.items()},
    )


def _runs(present: Present, past: Past) -> int:
    """How often to play it: a long line, newcomers (until the line is called) and conditions make each time a dear one."""
    here = len(present.waiting) + len(present.serving) + 1
    newcomers = sum(_overtakes_s(present, *lane) / mean for lane, mean in past.coming_s.items())
    cost = (here + min(newcomers, here)) * (1 + len(present.policy.conditions) / CHEAP)
    runs = min(max(CALLS // here, RUNS[0]), RUNS[1])
    return max(min(runs, int(DEAR / cost)), FEWEST)


def _ghost(n: int) -> int:
    """A ticket for who only asks: behind all real ones, and in an order of their own."""
    return 2**40 + n


def _drawn(present: Present, past: Past, asked: Mapping[int, str], lots: Random) -> Day:
    """One way in which it may go on. Each run first draws what it believes of the pace: a few services may lie."""
    at, every = present.at, [span for spans in past.occupied_s.values() for span in spans]
    slow = lots.lognormvariate(0, PACE)
    pace = {queue: _believed(spans, slow, lots) for queue, spans in past.occupied_s.items()}
    usual = _believed(every, slow, lots) if every else [0.0]
    busy = tuple(
        Busy(
            each.window,
            at + timedelta(seconds=_rest(pace.get(each.queue, usual), (at - each.since).total_seconds(), lots)),
        )
        for each in present.serving
    )
    visits = []
    for each in present.waiting:
        service = _service(pace.get(each.queue, usual), past.leaving, lots)
        turn = Turn(each.queue, each.lane, service, queued_at=each.queued_at, since=each.since, window=each.window)
        visits.append(Visit(each.ticket, "", at, (turn,)))
    for ticket, queue in asked.items():
        visits.append(Visit(ticket, "", at, (Turn(queue, ghost=True),)))
    number = 2**41
    for (queue, lane), mean in past.coming_s.items():
        came, most = lots.expovariate(1 / mean), _overtakes_s(present, queue, lane)
        while came < most:
            number += 1
            then = at + timedelta(seconds=came)
            service = _service(pace.get(queue, usual), past.leaving, lots)
            visits.append(Visit(number, "", then, (Turn(queue, lane, service),)))
            came += lots.expovariate(1 / mean)
    return Day(at, tuple(visits), present.desks, present.policy, busy, present.tallies)


def _believed(spans: Sequence[float], slow: float, lots: Random) -> list[float]:
    return sorted(span * slow for span in lots.choices(spans, k=min(len(spans), KEPT)))


def _overtakes_s(present: Present, queue: str, lane: Lane) -> float:
    """How long after now somebody of this lane may come and still be called before who is here now.

    No rule but the ratio lets anybody overtake by more than their head start, weight and boosts together.
    """
    policy = present.policy
    if policy.ratio is not None and lane in (Lane.NORMAL, Lane.PRIORITY):
        return AHEAD_S
    weight = max((desk.weight_min.get(queue, 0) for desk in present.desks), default=0)
    fit = (each.minutes for each in policy.conditions if each.queue in (None, queue) and each.lane in (None, lane))
    return min(60 * (policy.head_start_min.get(lane, 0) + weight + min(sum(fit), MOST_MIN)), AHEAD_S)


def _service(spans: Sequence[float], leaving: float, lots: Random) -> float:
    """How long a window is kept; of somebody who proves to have gone, no time at all."""
    return 0.0 if leaving and lots.random() < leaving else lots.choice(spans)


def _rest(spans: Sequence[float], elapsed: float, lots: Random) -> float:
    """How much longer a service lasts that has lasted so long: one of those that lasted longer, else as long again."""
    first = bisect_right(spans, elapsed)
    if first < len(spans):
        return spans[lots.randrange(first, len(spans))] - elapsed
    return lots.expovariate(1 / max(elapsed / 3, 1.0))


def _ranked(present: Present) -> dict[str, list[tuple[datetime, int]]]:
    """(rank, ticket) of each queue in order, as `ahead` counts them: without who was sent to one window."""
    order: dict[str, list[tuple[datetime, int]]] = {}
    for each in present.waiting:
        if each.window is None:
            start = timedelta(minutes=present.policy.head_start_min.get(each.lane, 0))
            order.setdefault(each.queue, []).append((each.queued_at - start, each.ticket))
    return {queue: sorted(ranks) for queue, ranks in order.items()}


def _range(waits: Sequence[float], runs: int, ahead: int) -> Range | None:
    """The 20th to the 80th percentile of the runs, said in steps; None when fewer than half of them end in a call."""
    if len(waits) * 2 < runs or not waits:
        return None
    ordered = sorted(waits)
    low, high = (ordered[min(int(len(ordered) * share), len(ordered) - 1)] for share in (LOW, HIGH))
    return said(low, high, ahead, len(waits) / runs)


def said(low: float, high: float, ahead: int, sure: float = 1.0) -> Range:
    """A range in steps that people use, rounded outwards; at least a minute for who has people ahead."""
    least = LEAST_S if ahead else 0
    down = max(int(low // _step(low)) * _step(low), least)
    return Range(down, max(ceil(high / _step(high)) * _step(high), down + LEAST_S), sure)


def _step(seconds: float) -> int:
    n = bisect_left([most for most, _ in STEPS_S], seconds)
    return STEPS_S[n][1] if n < len(STEPS_S) else STEP_S
