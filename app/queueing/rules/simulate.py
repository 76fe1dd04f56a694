"""A hall's day as a simulation of events under the real calling rule: what would have been called when, and by whom.

Nothing here is random: who draws lots draws them before (rules/forecast.py). Times are aware datetimes, spans are
seconds. The same day gives the same calls, always.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from heapq import heappop, heappush
from itertools import count

from app.queueing.rules.changes import AS_IT_WAS, Changes, changed
from app.queueing.rules.day import Day, Desk, Turn, Visit
from app.queueing.rules.order import LaneHead, Tally, pick, waits_since
from app.queueing.rules.policy import Policy
from app.queueing.rules.states import Lane


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
        self._events: list[tuple[datetime, int, int, Callable[[], None]]] = []
        self._asked: set[int] | None = None  # who is yet to be called before the day may stop; None: it goes to its end
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
                self._put(until, _FREE, partial(self._free, window))
            for opens, closes in window.desk.hours:
                if closes > day.begins:
                    self._put(opens, _OPEN, partial(self._open, window))
        for visit in sorted(day.visits, key=lambda visit: (visit.at, visit.ticket)):
            self._put(visit.at + timedelta(seconds=visit.turns[0].after_s), _JOIN, partial(self._join, visit, 0))

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

    def _put(self, at: datetime, kind: int, happens: Callable[[], None]) -> None:
        heappush(self._events, (max(at, self._day.begins), kind, next(self._order), happens))

    def run(self, *, until: datetime | None = None, asked: Collection[int] | None = None) -> Outcome:
        """Let the day pass: to its end, to `until` (excluded), or until everybody `asked` for has been called."""
        self._asked = None if asked is None else set(asked)
        events = self._events
        while events and (until is None or events[0][0] < until) and self._asked != set():
            self.at, _, _, happens = heappop(events)
            happens()
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
        again = bool(turn or said.after_s)
        joined = self.at if again else visit.at
        if self._look is not None and not turn:
            self._look(self, visit)
        queued_at = said.queued_at or joined - timedelta(seconds=said.ahead_s)
        since = said.since or waits_since(queued_at, visit.at, joined if again else None)
        direct = said.window is not None
        head = LaneHead(visit.ticket, visit.number, said.queue, said.lane, queued_at, direct, since=since)
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
            self._put(said.leaves_at, _LEAVE, partial(self._leave, stay))
        idle = [window for window in callers if window.free_at is not None and not window.due]
        for window in sorted(idle, key=lambda window: (window.free_at, window.desk.window)):
            self._ready(window)

    def _free(self, window: _Window) -> None:
        window.free_at = self.at
        self._ready(window, served=True)

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
        self._put(due, _CALL, partial(self._call, window))

    def _heads(self, window: _Window) -> dict[int, _Stay]:
        """The first of every lane that this window may call, by ticket."""
        found: dict[int, _Stay] = {}
        for pool in window.pools:
            while pool and pool[0][2].gone:
                heappop(pool)
            if pool:
                found[pool[0][1]] = pool[0][2]
        return found

    def _call(self, window: _Window) -> None:
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
            if self._asked is not None:
                self._asked.discard(stay.visit.ticket)
            if not stay.said.ghost:
                window.tally = tally
                self._serve(window, stay, rule)
                return

    def _counted(self, head: LaneHead) -> LaneHead:
        if not self._lengths or head.direct:
            return head
        many = self._count.get(head.queue, 0)
        return LaneHead(head.ticket, head.number, head.queue, head.lane, head.queued_at, waiting=many, since=head.since)

    def _serve(self, window: _Window, stay: _Stay, rule: str) -> None:
        said, visit = stay.said, stay.visit
        until = self.at + timedelta(seconds=said.walk_s + (said.service_s if said.comes else 0.0))
        waited = (self.at - stay.joined).total_seconds()
        facts = (said.queue, said.lane, window.desk.window, self.at, until, waited, rule)
        self.calls.append(Called(visit.ticket, stay.turn, visit.number, *facts))
        self._stays.append((said.queue, stay.joined, self.at))
        window.free_at = None
        self._put(until, _FREE, partial(self._free, window))
        if stay.turn + 1 < len(visit.turns):
            again = until + timedelta(seconds=visit.turns[stay.turn + 1].after_s)
            self._put(again, _JOIN, partial(self._join, visit, stay.turn + 1))


def run(day: Day, changes: Changes = AS_IT_WAS, *, until: datetime | None = None) -> Outcome:
    """Let the day pass, with the changes in it."""
    return Floor(changed(day, changes)).run(until=until)
