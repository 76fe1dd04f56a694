"""What a day at the windows was: the stretches of every window, and the steps worth a second look (DOMAIN Q7).

A pure fold over the hall's record. It says what happened and where the record says so. It gives nobody a mark.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from app import events as e
from app.events import Recorded
from app.queueing.rules.crowd import Crowd, Waiting
from app.queueing.rules.entries import Entry, Kind, Miss
from app.queueing.rules.policy import Policy, read_policy
from app.queueing.rules.stretches import Stretch, Stretches, Use


@dataclass(frozen=True, slots=True)
class AtWindow:
    """A call that is not over: who was called, when, and since when the person is there."""

    ticket: int
    number: str
    called_at: datetime
    seq: int
    staff: str
    started: bool = False
    recalls: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Seat:
    """A window that somebody has opened."""

    staff: str
    paused: bool = False
    call: AtWindow | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """All that the fold knows between two entries of the record: with it, it goes on from any moment."""

    serves: Mapping[str, frozenset[str]] = field(default_factory=dict)
    seats: Mapping[str, Seat] = field(default_factory=dict)
    waiting: Mapping[int, Waiting] = field(default_factory=dict)
    called: frozenset[int] = frozenset()  # tickets that were called at least once
    policy: Policy = field(default_factory=Policy)


@dataclass(frozen=True, slots=True)
class DayLedger:
    """What was from `begin` to `end`. `counts` are by (window, clerk): calls, started, finished, missed and so on."""

    begin: datetime
    end: datetime
    stretches: tuple[Stretch, ...]
    entries: tuple[Entry, ...]
    misses: tuple[Miss, ...]
    counts: Mapping[tuple[str, str], Mapping[str, int]]
    standing: Standing


def fold(rows: Iterable[Recorded], begin: datetime, end: datetime, standing: Standing) -> DayLedger:
    """The ledger of the record from `begin` until before `end`, given how things stood at `begin`."""
    reading = _Reading(begin, standing)
    for row in rows:
        reading.read(row)
    return reading.closed(end)


class _Reading:
    def __init__(self, begin: datetime, standing: Standing) -> None:
        self.begin = begin
        self.policy = standing.policy
        self.serves = dict(standing.serves)
        self.seats = dict(standing.seats)
        self.crowd = Crowd(standing.waiting)
        self.called_once = set(standing.called)
        self.free: set[str] = set()  # open windows without a ticket
        self.stretches = Stretches()
        self.entries: list[Entry] = []
        self.misses: list[Miss] = []
        self.actor = ""  # who did what is read now
        self.counts: dict[tuple[str, str], Counter[str]] = {}
        for window in self.seats:
            self._look(window, begin, None)

    def read(self, row: Recorded) -> None:
        step = _STEPS.get(type(row.event))
        if step is not None:
            self.actor = row.actor
            step(self, row.event, row.at, row.seq)

    def closed(self, end: datetime) -> DayLedger:
        return DayLedger(
            begin=self.begin,
            end=end,
            stretches=self.stretches.until(end),
            entries=tuple(self.entries),
            misses=tuple(self.misses),
            counts=self.counts,
            standing=Standing(self.serves, self.seats, self.crowd.waiting, frozenset(self.called_once), self.policy),
        )

    # ── windows ─────────────────────────────────────────────────────────────────────────────────────────────────

    def opened(self, event: e.WindowOpened, at: datetime, seq: int) -> None:
        seat = self.seats.get(event.window)
        self.seats[event.window] = replace(seat, paused=False) if seat else Seat(event.staff)
        self._look(event.window, at, seq)

    def paused(self, event: e.WindowPaused, at: datetime, seq: int) -> None:
        if event.window in self.seats:
            self.seats[event.window] = replace(self.seats[event.window], paused=True)
            self._look(event.window, at, seq)

    def closed_window(self, event: e.WindowClosed, at: datetime, seq: int) -> None:
        self.seats.pop(event.window, None)
        self._look(event.window, at, seq)

    def taken_over(self, event: e.WindowTakenOver, at: datetime, seq: int) -> None:
        before = self.seats.get(event.window)
        self.seats[event.window] = Seat(event.staff, call=before.call if before else None)
        facts = {"from_staff": event.from_staff}
        number = before.call.number if before and before.call else None
        self.entries.append(Entry(Kind.TAKEN_OVER, event.window, event.staff, at, seq, seq, number, facts))
        self._look(event.window, at, seq)

    def defined(self, event: e.WindowDefined, at: datetime, seq: int) -> None:
        self.serves[event.window] = frozenset(event.queues)
        self._look(event.window, at, seq)

    def changed_policy(self, event: e.PolicyChanged, at: datetime, seq: int) -> None:
        self.policy = read_policy(event.policy)

    # ── who waits ───────────────────────────────────────────────────────────────────────────────────────────────

    def issued(self, event: e.TicketIssued, at: datetime, seq: int) -> None:
        self._comes(event.ticket, Waiting(event.number, event.queue, at), at, seq)

    def back(self, event: e.TicketRestored | e.TicketRejoined, at: datetime, seq: int) -> None:
        self._comes(event.ticket, Waiting(event.number, event.queue, at), at, seq)

    def gone(self, event: e.TicketEvent, at: datetime, seq: int) -> None:
        self._goes(event.ticket, at, seq)

    def transferred(self, event: e.TicketTransferred, at: datetime, seq: int) -> None:
        if event.window is None:
            before = self.crowd.remove(event.ticket)
            since = before.since if before else at
            self._comes(event.ticket, Waiting(event.number, event.queue, since), at, seq)
            return
        sent = Waiting(event.number, event.queue, at, event.to_window, event.to_staff)
        call = self._at(event.window, event.ticket)
        if event.place == "first" and call is not None:
            facts = {"to": event.to_window or event.to_staff or event.queue}
            staff = self.seats[event.window].staff
            self.entries.append(Entry(Kind.SENT_FIRST, event.window, staff, at, call.seq, seq, event.number, facts))
        self._end(event.window, event.ticket, at, seq, "transferred")
        self._comes(event.ticket, sent, at, seq)

    # ── a call ──────────────────────────────────────────────────────────────────────────────────────────────────

    def called(self, event: e.TicketCalled, at: datetime, seq: int) -> None:
        self._call(event, at, seq)
        if event.mode != "chosen":
            return
        why = event.why
        facts = {
            "reason": event.reason,
            "by_rule": why.get("by_rule"),
            "passed_over": list(why.get("passed_over") or ()),
            "ahead": why.get("ahead"),
            "waited_s": event.waited_s,
        }
        staff = self.seats[event.window].staff if event.window in self.seats else ""
        self.entries.append(Entry(Kind.CHOSEN, event.window, staff, at, seq, seq, event.number, facts))
        self._count(event.window, staff, "chosen")

    def unparked(self, event: e.TicketUnparked, at: datetime, seq: int) -> None:
        self._call(event, at, seq)

    def recalled(self, event: e.TicketRecalled, at: datetime, seq: int) -> None:
        call = self._at(event.window, event.ticket)
        if call is not None:
            self._set_call(event.window, replace(call, recalls=(*call.recalls, at)))
            self._count(event.window, call.staff, "recalls")

    def started(self, event: e.TicketStarted, at: datetime, seq: int) -> None:
        call = self._at(event.window, event.ticket)
        if call is not None:
            self._set_call(event.window, replace(call, started=True))
            self._count(event.window, self.seats[event.window].staff, "started")
            self._look(event.window, at, seq)

    def finished(self, event: e.TicketFinished, at: datetime, seq: int) -> None:
        self._end(event.window, event.ticket, at, seq, "finished")

    def parked(self, event: e.TicketParked, at: datetime, seq: int) -> None:
        self._end(event.window, event.ticket, at, seq, "parked")

    def abandoned(self, event: e.TicketAbandoned, at: datetime, seq: int) -> None:
        if event.window is not None:
            self._end(event.window, event.ticket, at, seq, "abandoned", reason=event.reason)
            return
        self._goes(event.ticket, at, seq)
        kind, _, who = self.actor.partition(":")
        if kind == "staff" and event.ticket not in self.called_once:
            window = next((code for code, seat in sorted(self.seats.items()) if seat.staff == who), "")
            facts = {"reason": event.reason, "queue": event.queue}
            self.entries.append(Entry(Kind.CLEARED, window, who, at, seq, seq, event.number, facts))

    def missed(self, event: e.TicketMissed, at: datetime, seq: int) -> None:
        call = self._at(event.window, event.ticket)
        if call is None:
            return
        allowed = (self.policy.recalls, self.policy.recall_gap_s)
        span = (call.called_at, at, call.seq, seq)
        self.misses.append(Miss(event.window, call.staff, call.number, *span, call.recalls, *allowed))
        self._end(event.window, event.ticket, at, seq, "missed")

    def _call(self, event: e.TicketCalled | e.TicketUnparked, at: datetime, seq: int) -> None:
        self.called_once.add(event.ticket)
        seat = self.seats.get(event.window)
        if seat is not None:
            self.seats[event.window] = replace(seat, call=AtWindow(event.ticket, event.number, at, seq, seat.staff))
            self._count(event.window, seat.staff, "calls")
            self._look(event.window, at, seq)
        self._goes(event.ticket, at, seq)

    def _end(self, window: str, ticket: int, at: datetime, seq: int, how: str, **facts: Any) -> None:
        call = self._at(window, ticket)
        if call is None:
            return
        took = at - call.called_at
        if not call.started and took < timedelta(seconds=self.policy.quick_s):
            facts |= {"how": how, "seconds": int(took.total_seconds()), "recalls": len(call.recalls)}
            self.entries.append(Entry(Kind.QUICK, window, call.staff, at, call.seq, seq, call.number, facts))
            self._count(window, call.staff, "quick")
        seat = self.seats[window]
        self.seats[window] = replace(seat, call=None)
        self._count(window, call.staff if how == "missed" else seat.staff, how)
        self._look(window, at, seq)

    def _at(self, window: str | None, ticket: int) -> AtWindow | None:
        seat = self.seats.get(window or "")
        return seat.call if seat and seat.call and seat.call.ticket == ticket else None

    def _set_call(self, window: str, call: AtWindow) -> None:
        self.seats[window] = replace(self.seats[window], call=call)

    def _count(self, window: str, staff: str, what: str) -> None:
        self.counts.setdefault((window, staff), Counter())[what] += 1

    # ── what follows for the windows ────────────────────────────────────────────────────────────────────────────

    def _comes(self, ticket: int, person: Waiting, at: datetime, seq: int) -> None:
        self.crowd.add(ticket, person)
        self._look_at_free(at, seq)

    def _goes(self, ticket: int, at: datetime, seq: int) -> None:
        if self.crowd.remove(ticket) is not None:
            self._look_at_free(at, seq)

    def _look_at_free(self, at: datetime, seq: int) -> None:
        for window in sorted(self.free):
            self._look(window, at, seq)

    def _look(self, window: str, at: datetime, seq: int | None) -> None:
        """See what a window does from now on; begin a new stretch when that is something else."""
        seat = self.seats.get(window)
        if seat is None:
            self.stretches.cut(window, at, seq)
            self.free.discard(window)
            return
        (self.free.discard if seat.paused or seat.call else self.free.add)(window)
        served = self.serves.get(window, frozenset())
        waiting = 0
        if seat.call is not None:
            use = Use.SERVING if seat.call.started else Use.WALKING
        elif seat.paused:
            use = Use.PAUSED
        else:
            waiting = self.crowd.size(window, seat.staff, served)
            use = Use.IDLE if waiting else Use.FREE
        number = seat.call.number if seat.call else None
        if self.stretches.lasts(window, use, seat.staff, number, waiting):
            return
        if use == Use.IDLE:
            number = self.crowd.longest(window, seat.staff, served)
        self.stretches.enter(window, use, seat.staff, at, seq, number, waiting)


_Step = Callable[[_Reading, Any, datetime, int], None]
_STEPS: dict[type, _Step] = {
    e.WindowOpened: _Reading.opened,
    e.WindowPaused: _Reading.paused,
    e.WindowClosed: _Reading.closed_window,
    e.WindowTakenOver: _Reading.taken_over,
    e.WindowDefined: _Reading.defined,
    e.PolicyChanged: _Reading.changed_policy,
    e.TicketIssued: _Reading.issued,
    e.TicketRestored: _Reading.back,
    e.TicketRejoined: _Reading.back,
    e.TicketDeferred: _Reading.gone,
    e.TicketCancelled: _Reading.gone,
    e.TicketExpired: _Reading.gone,
    e.TicketTransferred: _Reading.transferred,
    e.TicketCalled: _Reading.called,
    e.TicketUnparked: _Reading.unparked,
    e.TicketRecalled: _Reading.recalled,
    e.TicketStarted: _Reading.started,
    e.TicketFinished: _Reading.finished,
    e.TicketParked: _Reading.parked,
    e.TicketAbandoned: _Reading.abandoned,
    e.TicketMissed: _Reading.missed,
}
