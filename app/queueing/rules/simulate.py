"""A hall's day as a simulation of events under the real calling rule: what would have been called when, and by whom.

Nothing here is random: who draws lots draws them before (rules/forecast.py). Times are aware datetimes, spans are
seconds. The same day gives the same calls, always.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count

from app.queueing.rules.order import LaneHead, Tally, pick
from app.queueing.rules.policy import Policy
from app.queueing.rules.states import Lane

Span = tuple[datetime, datetime]  # from inclusive, until exclusive


@dataclass(frozen=True, slots=True)
class Turn:
    """One stay in a queue, ended by one call.

    It is ranked by `queued_at` (an appointment, an arrival that a transfer keeps), else by the moment of joining less
    `ahead_s` (what a restore gave). `walk_s` lies between call and service; of somebody who does not come it is how
    long the window waited.
    """

    queue: str
    lane: Lane = Lane.NORMAL
    service_s: float = 0.0
    walk_s: float = 0.0
    comes: bool = True
    queued_at: datetime | None = None
    ahead_s: float = 0.0
    window: str | None = None  # only this window may call it
    after_s: float = 0.0  # joins so long after the turn before it has ended, the first one after coming
    leaves_at: datetime | None = None  # gives up then, unless called before
    ghost: bool = False  # only asks when it would be called: takes no window's time and nobody's place


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody with a ticket: comes at `at`, and takes one turn after the other (transfers, restores)."""

    ticket: int
    number: str
    at: datetime
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class Desk:
    """A window: the weights of the queues it serves, when it calls, and its pace.

    `gap_s`: how long it takes to press "next" after a service when somebody waits; the n-th time the n-th gap, and after
    the last one they begin anew. `wake_s`: how long when somebody comes to a window that has been free.
    """

    window: str
    weight_min: Mapping[str, int]
    hours: tuple[Span, ...]
    gap_s: tuple[float, ...] = (0.0,)
    wake_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Busy:
    """A window has somebody when the simulation begins, and will until `until`."""

    window: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Day:
    """All that the rule needs: who comes, which windows are open, and the hall's policy.

    Nothing happens before `begins`; whoever came earlier waits already.
    """

    begins: datetime
    visits: tuple[Visit, ...]
    desks: tuple[Desk, ...]
    policy: Policy = field(default_factory=Policy)
    busy: tuple[Busy, ...] = ()
    tallies: Mapping[str, Tally] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Called:
    """One call. `waited_s` since this turn joined; `until` is when the window was free again."""

    ticket: int
    turn: int
    number: str
    queue: str
    lane: Lane
    window: str
    at: datetime
    until: datetime
    waited_s: float
    rule: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of the day. `waits`: seconds from coming to the first call; who is not in it was never called."""

    calls: tuple[Called, ...]
    waits: Mapping[int, float]
    stays: tuple[tuple[str, datetime, datetime], ...]  # (queue, from, until) of everybody who waited
    waiting: tuple[int, ...]  # still there at the end


@dataclass(slots=True)
class _Stay:
    """Somebody in a queue now; `head` is how the rule sees them."""

    visit: Visit
    turn: int
    joined: datetime
    head: LaneHead
    gone: bool = False

    @property
    def said(self) -> Turn:
        return self.visit.turns[self.turn]


@dataclass(slots=True)
class _Window:
    desk: Desk
    policy: Policy
    tally: Tally
    opens: list[datetime]
    pools: list[_Pool]  # every lane it calls from, and who was sent to it
    free_at: datetime | None = None  # None: somebody is there
    due: bool = False  # a call is on its way
    pressed: int = 0  # how often it called straight after a service

    def open_at(self, at: datetime) -> bool:
        n = bisect_right(self.opens, at) - 1
        return n >= 0 and at < self.desk.hours[n][1]


# what happens at the same instant happens in this order: windows fall free and people join before anybody is called
_FREE, _JOIN, _LEAVE, _OPEN, _CALL = range(5)
_Pool = list[tuple[datetime, int, _Stay]]


class Floor:
    """The hall while a day passes. `run` lets it pass; `look`, when given, is shown the floor at every coming."""

    def __init__(self, day: Day, look: Callable[[Floor, Visit], None] | None = None) -> None:
        self.at = day.begins
        self.calls: list[Called] = []
        self._day, self._look = day, look
        self._lanes: dict[tuple[str, Lane], _Pool] = {}
        self._direct: dict[str, _Pool] = {desk.window: [] for desk in day.desks}
        self._count: dict[str, int] = {}
        self._lengths = any(each.waiting_over is not None for each in day.policy.conditions)
        self._waits: dict[int, float] = {}
        self._stays: list[tuple[str, datetime, datetime]] = []
        self._order = count()
        self._events: list[tuple[datetime, int, int, object]] = []
        self._windows = {desk.window: self._window(desk) for desk in day.desks}
        self._serving: dict[str, list[_Window]] = {}
        for window in self._windows.values():
            for queue in window.desk.weight_min:
                self._serving.setdefault(queue, []).append(window)
        taken = {each.window: each.until for each in day.busy}
        for window in self._windows.values():
            until = taken.get(window.desk.window)
            if until is not None:
                window.free_at = None
                self._put(until, _FREE, window)
            for opens, closes in window.desk.hours:
                if closes > day.begins:
                    self._put(opens, _OPEN, window)
        for visit in sorted(day.visits, key=lambda visit: (visit.at, visit.ticket)):
            self._put(visit.at + timedelta(seconds=visit.turns[0].after_s), _JOIN, (visit, 0))

    def _window(self, desk: Desk) -> _Window:
        tally = self._day.tallies.get(desk.window, Tally())
        fit = (each for each in self._day.policy.conditions if each.window in (None, desk.window))
        own = tuple(each for each in fit if each.queue is None or each.queue in desk.weight_min)  # no other can hold
        policy = replace(self._day.policy, weight_min=desk.weight_min, conditions=own)
        pools = [self._lane(queue, lane) for queue in desk.weight_min for lane in Lane]
        pools.append(self._direct[desk.window])
        return _Window(desk, policy, tally, [opens for opens, _ in desk.hours], pools, self._day.begins)

    def _lane(self, queue: str, lane: Lane) -> _Pool:
        return self._lanes.setdefault((queue, lane), [])

    def _put(self, at: datetime, kind: int, what: object) -> None:
        heappush(self._events, (max(at, self._day.begins), kind, next(self._order), what))

    def run(self, *, until: datetime | None = None, asked: Collection[int] | None = None) -> Outcome:
        """Let the day pass: to its end, to `until` (excluded), or until everybody `asked` for has been called."""
        left = None if asked is None else set(asked)
        events = self._events
        while events and (until is None or events[0][0] < until) and left != set():
            self.at, kind, _, what = heappop(events)
            if kind == _CALL:
                self._call(what, left)  # type: ignore[arg-type]
            elif kind == _FREE:
                what.free_at = self.at  # type: ignore[attr-defined]
                self._ready(what, served=True)  # type: ignore[arg-type]
            elif kind == _JOIN:
                self._join(*what)  # type: ignore[misc]
            elif kind == _LEAVE:
                self._leave(what)  # type: ignore[arg-type]
            else:
                self._open(what)  # type: ignore[arg-type]
        here = [stay for stay in self.waiting() if not stay.said.ghost]
        stays = [*self._stays, *((stay.head.queue, stay.joined, self.at) for stay in here)]
        return Outcome(tuple(self.calls), self._waits, tuple(stays), tuple(stay.visit.ticket for stay in here))

    def waiting(self) -> list[_Stay]:
        """Everybody who waits now."""
        pools = (*self._lanes.values(), *self._direct.values())
        return [stay for pool in pools for _, _, stay in pool if not stay.gone]

    def taken(self) -> dict[str, Called]:
        """Every window that has somebody, with the call that brought them."""
        last = {called.window: called for called in self.calls}
        return {code: last[code] for code, window in self._windows.items() if window.free_at is None and code in last}

    def tallies(self) -> dict[str, Tally]:
        return {code: window.tally for code, window in self._windows.items()}

    def _join(self, visit: Visit, turn: int) -> None:
        said = visit.turns[turn]
        joined = self.at if turn or said.after_s else visit.at
        if self._look is not None and not turn:
            self._look(self, visit)
        queued_at = said.queued_at or joined - timedelta(seconds=said.ahead_s)
        head = LaneHead(visit.ticket, visit.number, said.queue, said.lane, queued_at, said.window is not None)
        stay = _Stay(visit, turn, joined, head)
        if said.window is not None:
            pool = self._direct.setdefault(said.window, [])
            callers = [self._windows[said.window]] if said.window in self._windows else []
        else:
            pool = self._lane(said.queue, said.lane)
            callers = self._serving.get(said.queue, [])
            self._count[said.queue] = self._count.get(said.queue, 0) + (not said.ghost)
        heappush(pool, (queued_at, visit.ticket, stay))
        if said.leaves_at is not None:
            self._put(said.leaves_at, _LEAVE, stay)
        idle = [window for window in callers if window.free_at is not None and not window.due]
        for window in sorted(idle, key=lambda window: (window.free_at, window.desk.window)):
            self._ready(window)

    def _open(self, window: _Window) -> None:
        if window.free_at is not None:
            window.free_at = self.at
            self._ready(window)

    def _leave(self, stay: _Stay) -> None:
        if not stay.gone:
            self._take_out(stay)
            self._stays.append((stay.head.queue, stay.joined, self.at))

    def _take_out(self, stay: _Stay) -> None:
        stay.gone = True
        if not stay.head.direct and not stay.said.ghost:
            self._count[stay.head.queue] -= 1

    def _ready(self, window: _Window, *, served: bool = False) -> None:
        """Let the window call when its time has come, if it can and if there is somebody."""
        if window.free_at is None or window.due or not window.open_at(self.at) or not self._heads(window):
            return
        if self._day.policy.dispatch:
            due = max(self.at, window.free_at + timedelta(seconds=self._day.policy.rest_s))
        elif served:
            gaps = window.desk.gap_s
            due = self.at + timedelta(seconds=gaps[window.pressed % len(gaps)])
            window.pressed += 1
        else:
            due = self.at + timedelta(seconds=window.desk.wake_s)
        window.due = True
        self._put(due, _CALL, window)

    def _heads(self, window: _Window) -> dict[int, _Stay]:
        """The first of every lane that this window may call, by ticket."""
        found: dict[int, _Stay] = {}
        for pool in window.pools:
            while pool and pool[0][2].gone:
                heappop(pool)
            if pool:
                found[pool[0][1]] = pool[0][2]
        return found

    def _call(self, window: _Window, asked: set[int] | None) -> None:
        window.due = False
        if window.free_at is None or not window.open_at(self.at):
            return
        while stays := self._heads(window):
            heads = [self._counted(stay.head) for stay in stays.values()]
            chosen = pick(heads, window.policy, self.at, window.desk.window, window.tally)
            if chosen is None:
                return
            head, rule, tally = chosen
            stay = stays[head.ticket]
            self._take_out(stay)
            self._waits.setdefault(stay.visit.ticket, (self.at - stay.visit.at).total_seconds())
            if asked is not None:
                asked.discard(stay.visit.ticket)
            if not stay.said.ghost:
                window.tally = tally
                self._serve(window, stay, rule)
                return

    def _counted(self, head: LaneHead) -> LaneHead:
        if not self._lengths or head.direct:
            return head
        many = self._count.get(head.queue, 0)
        return LaneHead(head.ticket, head.number, head.queue, head.lane, head.queued_at, waiting=many)

    def _serve(self, window: _Window, stay: _Stay, rule: str) -> None:
        said, visit = stay.said, stay.visit
        until = self.at + timedelta(seconds=said.walk_s + (said.service_s if said.comes else 0.0))
        waited = (self.at - stay.joined).total_seconds()
        facts = (said.queue, said.lane, window.desk.window, self.at, until, waited, rule)
        self.calls.append(Called(visit.ticket, stay.turn, visit.number, *facts))
        self._stays.append((said.queue, stay.joined, self.at))
        window.free_at = None
        self._put(until, _FREE, window)
        if stay.turn + 1 < len(visit.turns):
            again = until + timedelta(seconds=visit.turns[stay.turn + 1].after_s)
            self._put(again, _JOIN, (visit, stay.turn + 1))


# ── what might have been otherwise ──────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Opening:
    """Window `window` serves `queues` (with weights in minutes) as well during these hours."""

    window: str
    weight_min: Mapping[str, int]
    hours: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Lesson:
    """Window `window` learns a queue, with this weight in minutes."""

    window: str
    queue: str
    weight_min: int = 0


@dataclass(frozen=True, slots=True)
class Changes:
    """What to change about a day before it passes again; nothing by default."""

    open: tuple[Opening, ...] = ()
    teach: tuple[Lesson, ...] = ()
    policy: Policy | None = None
    comprehensive: bool = False  # 综合受理: every open window serves all queues that any of them serves


def changed(day: Day, changes: Changes) -> Day:
    """The day with the changes in it. A window that already was open keeps its hours and gains the new ones."""
    desks = {desk.window: desk for desk in day.desks}
    for opening in changes.open:
        known = desks.get(opening.window)
        own = known or Desk(opening.window, {}, (), *_usual(day.desks))
        hours = joined([*own.hours, *opening.hours])
        weights = {**own.weight_min, **opening.weight_min}
        desks[opening.window] = replace(own, weight_min=weights, hours=hours)
    for lesson in changes.teach:
        if lesson.window in desks:
            own = desks[lesson.window]
            desks[lesson.window] = replace(own, weight_min={**own.weight_min, lesson.queue: lesson.weight_min})
    if changes.comprehensive:
        every = dict.fromkeys(sorted({queue for desk in desks.values() for queue in desk.weight_min}), 0)
        desks = {code: replace(desk, weight_min={**every, **desk.weight_min}) for code, desk in desks.items()}
    return replace(day, desks=tuple(desks.values()), policy=changes.policy or day.policy)


def _usual(desks: Sequence[Desk]) -> tuple[tuple[float, ...], float]:
    """The middle pace of the others, for a window that has none of its own."""
    gaps, wakes = sorted(gap for desk in desks for gap in desk.gap_s), sorted(desk.wake_s for desk in desks)
    return ((gaps[len(gaps) // 2],), wakes[len(wakes) // 2]) if gaps else ((0.0,), 0.0)


def joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The spans in order, those that touch made one."""
    result: list[Span] = []
    for begin, end in sorted(spans):
        if result and begin <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((begin, end))
    return tuple(result)


def run(day: Day, changes: Changes = Changes(), *, until: datetime | None = None) -> Outcome:
    """Let the day pass, with the changes in it."""
    return Floor(changed(day, changes)).run(until=until)
