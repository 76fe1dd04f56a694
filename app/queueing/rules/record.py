"""A day of a hall out of its record: who came, what they needed, which windows were open, and what was really called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app import events as e
from app.events import Recorded
from app.queueing.rules.day import Day, Desk, Span, Turn, Visit, joined
from app.queueing.rules.policy import Policy
from app.queueing.rules.simulate import Called
from app.queueing.rules.states import Lane

UNKNOWN_S = 15.0  # the pace of windows that never had to call anybody who waited
_CALLING = (e.TicketCalled, e.TicketUnparked)
_ENDING = (e.TicketFinished, e.TicketMissed, e.TicketParked, e.TicketTransferred, e.TicketAbandoned)
_LEAVING = (e.TicketCancelled, e.TicketAbandoned, e.TicketDeferred)


@dataclass(frozen=True, slots=True)
class Kept:
    """What the record says of one day: all that a simulation needs, and the calls that there were.

    `chosen`: calls whose ticket a clerk named against the order; the simulation knows none of them.
    """

    day: Day
    calls: tuple[Called, ...]
    waits: Mapping[int, float]
    chosen: int = 0


@dataclass(slots=True)
class _Stay:
    """One turn as it happened."""

    queue: str
    lane: str
    joined: datetime
    queued_at: datetime
    window: str | None = None  # sent to it
    called: datetime | None = None
    at_window: str = ""
    started: datetime | None = None
    ended: datetime | None = None
    left: datetime | None = None
    unparked: bool = False


@dataclass(slots=True)
class _Ticket:
    number: str
    came: datetime
    stays: list[_Stay] = field(default_factory=list)

    @property
    def last(self) -> _Stay:
        return self.stays[-1]


class _Reading:
    """What is known while the record is read from morning to evening."""

    def __init__(self, begins: datetime, weights: Mapping[str, Mapping[str, int]]) -> None:
        self.begins, self.weights = begins, weights
        self.tickets: dict[int, _Ticket] = {}
        self.calls: list[tuple[int, int, str]] = []  # ticket, turn, mode
        self.open: dict[str, datetime] = {}
        self.hours: dict[str, list[Span]] = {}
        self.seats: dict[str, str] = {}  # staff → window
        self.gaps: dict[str, list[float]] = {}  # from the end of a service to the next call, with somebody waiting
        self.wakes: dict[str, list[float]] = {}  # from somebody's coming to a free window to the call
        self._freed: dict[str, datetime] = {}
        self._pool: dict[str, int] = {}
        self._sent: dict[str, int] = {}
        self._busy: set[str] = set()
        self._ready: dict[str, datetime | None] = {}

    def read(self, row: Recorded) -> None:
        event, at = row.event, row.at
        if isinstance(event, e.WindowOpened | e.WindowTakenOver):
            self.seats[event.staff] = event.window
            self.open.setdefault(event.window, at)
            self._look(event.window, at)
        elif isinstance(event, e.WindowPaused | e.WindowClosed):
            self._shut(event.window, at)
        elif isinstance(event, e.TicketIssued):
            self._issued(event, at)
        elif isinstance(event, e.TicketEvent) and event.ticket in self.tickets:
            self._moved(event, at)

    def _issued(self, event: e.TicketIssued, at: datetime) -> None:
        came = _instant(event.arrived_at) or at
        stay = _Stay(event.queue, event.lane, came, _instant(event.queued_at) or came)
        self.tickets[event.ticket] = _Ticket(event.number, came, [stay])
        self._comes(stay, at)

    def _moved(self, event: Any, at: datetime) -> None:
        ticket = self.tickets[event.ticket]
        stay = ticket.last
        if isinstance(event, e.TicketTransferred) and event.window is None and stay.called is None:
            self._goes(stay, at)  # who was sent to a window that closed waits among all again
            stay.window = None
            self._comes(stay, at)
            return
        if isinstance(event, _CALLING):
            if isinstance(event, e.TicketUnparked):
                stay = self._again(ticket, event, at, window=event.window, unparked=True)
            self._called(event, ticket, stay, at)
        elif isinstance(event, e.TicketStarted):
            stay.started = at
        elif stay.called is None:
            if isinstance(event, _LEAVING):
                stay.left = at
                self._goes(stay, at)
            elif isinstance(event, e.TicketRejoined):
                self._back(ticket, event, at)
            return
        elif isinstance(event, _ENDING) and stay.ended is None:
            stay.ended = at
            self._busy.discard(stay.at_window)
            self._freed[stay.at_window] = at
            self._look(stay.at_window, at)
        if isinstance(event, e.TicketTransferred):
            to = event.to_window or (self.seats.get(event.to_staff, "") if event.to_staff else None)
            self._again(ticket, event, at, window=to)
        elif isinstance(event, e.TicketRestored | e.TicketRejoined):
            self._again(ticket, event, at)

    def _again(
        self, ticket: _Ticket, event: Any, at: datetime, *, window: str | None = None, unparked: bool = False
    ) -> _Stay:
        """The same person waits once more."""
        before = ticket.last
        queued_at = _instant(getattr(event, "queued_at", None)) or before.queued_at
        stay = _Stay(event.queue, before.lane, at, queued_at, window, unparked=unparked)
        ticket.stays.append(stay)
        self._comes(stay, at)
        return stay

    def _back(self, ticket: _Ticket, event: e.TicketRejoined, at: datetime) -> None:
        """Who went away for a while waits from now on; the stay before it left nothing behind."""
        stay = ticket.last
        stay.joined, stay.left = at, None
        stay.queued_at = _instant(event.queued_at) or stay.queued_at
        self._comes(stay, at)

    def _called(self, event: Any, ticket: _Ticket, stay: _Stay, at: datetime) -> None:
        window = event.window
        stay.called, stay.at_window = at, window
        mode = "unpark" if stay.unparked else event.mode
        self.calls.append((event.ticket, len(ticket.stays) - 1, mode))
        self.open.setdefault(window, self.begins)  # open since yesterday, as far as the day can tell
        self._took(window, self._ready.get(window) or at, at)
        self._busy.add(window)
        self._ready[window] = None
        self._goes(stay, at)

    def end(self, until: datetime) -> None:
        """The day is over, or this is how far it has come."""
        for window in list(self.open):
            self._shut(window, until)

    # ── since when a window could have called somebody ──────────────────────────────────────────────────────────

    def _comes(self, stay: _Stay, at: datetime) -> None:
        if stay.window is not None:
            self._sent[stay.window] = self._sent.get(stay.window, 0) + 1
            self._look(stay.window, at)
            return
        self._pool[stay.queue] = self._pool.get(stay.queue, 0) + 1
        for window in self.open:
            if stay.queue in self.weights.get(window, ()):
                self._look(window, at)

    def _goes(self, stay: _Stay, at: datetime) -> None:
        if stay.window is not None:
            self._sent[stay.window] -= 1
            self._look(stay.window, at)
            return
        self._pool[stay.queue] -= 1
        if not self._pool[stay.queue]:
            for window in self.open:
                self._look(window, at)

    def _look(self, window: str, at: datetime) -> None:
        free = window in self.open and window not in self._busy
        somebody = self._sent.get(window, 0) or any(self._pool.get(queue) for queue in self.weights.get(window, ()))
        if not (free and somebody):
            self._ready[window] = None
        elif self._ready.get(window) is None:
            self._ready[window] = at

    def _took(self, window: str, since: datetime, at: datetime) -> None:
        spans = self.gaps if self._freed.get(window) == since else self.wakes
        spans.setdefault(window, []).append((at - since).total_seconds())

    def _shut(self, window: str, at: datetime) -> None:
        since = self._ready.get(window)
        if since is not None:  # somebody waited and was not called: it would have taken longer than this
            self._took(window, since, at)
        begin = self.open.pop(window, None)
        if begin is not None and begin < at:
            self.hours.setdefault(window, []).append((begin, at))
        self._look(window, at)


def fold(
    rows: Iterable[Recorded],
    *,
    begins: datetime,
    until: datetime,
    weights: Mapping[str, Mapping[str, int]],
    policy: Policy,
) -> Kept:
    """The day that these events tell, from `begins` to `until` (the end of the day, or now).

    How long somebody would have been served who never was is taken from others of the same queue.
    """
    reading = _Reading(begins, weights)
    for row in rows:
        reading.read(row)
    reading.end(until)
    usual = _usual(reading.tickets.values())
    visits = tuple(_visit(number, ticket, usual) for number, ticket in sorted(reading.tickets.items()))
    wakes = _middle([span for own in reading.wakes.values() for span in own])
    desks = tuple(
        Desk(
            *(window, weights.get(window, {}), joined(spans), tuple(reading.gaps.get(window, ())) or (UNKNOWN_S,)),
            _middle(reading.wakes.get(window, ()), wakes),
        )
        for window, spans in sorted(reading.hours.items())
    )
    calls = tuple(_call(reading.tickets, *each, until=until) for each in reading.calls)
    waits: dict[int, float] = {}
    for called in calls:
        waits.setdefault(called.ticket, (called.at - reading.tickets[called.ticket].came).total_seconds())
    chosen = sum(mode == "chosen" for _, _, mode in reading.calls)
    return Kept(Day(begins, visits, desks, policy), calls, waits, chosen)


def _middle(spans: Sequence[float], otherwise: float = UNKNOWN_S) -> float:
    return sorted(spans)[len(spans) // 2] if spans else otherwise


def _usual(tickets: Iterable[_Ticket]) -> dict[str, list[tuple[float, float]]]:
    """(walk, service) of everybody served, by queue."""
    found: dict[str, list[tuple[float, float]]] = {}
    for ticket in tickets:
        for stay in ticket.stays:
            if stay.called and stay.started and stay.ended:
                found.setdefault(stay.queue, []).append(_spans(stay, stay.started, stay.ended))
    return found


def _spans(stay: _Stay, started: datetime, ended: datetime) -> tuple[float, float]:
    assert stay.called is not None
    return (started - stay.called).total_seconds(), (ended - started).total_seconds()


def _visit(number: int, ticket: _Ticket, usual: Mapping[str, Sequence[tuple[float, float]]]) -> Visit:
    turns = []
    before = ticket.came
    for stay in ticket.stays:
        walk, service = _taken(number, stay, usual)
        after = max((stay.joined - before).total_seconds(), 0.0)
        kept = stay.queued_at <= ticket.came or stay.queued_at > stay.joined  # arrival or booked time, not a place
        turns.append(
            Turn(
                stay.queue,
                Lane(stay.lane),
                service,
                walk,
                comes=stay.called is None or stay.started is not None,
                queued_at=stay.queued_at if kept else None,
                ahead_s=0.0 if kept else (stay.joined - stay.queued_at).total_seconds(),
                window=stay.window,
                after_s=after,
                leaves_at=stay.left,
            )
        )
        before = stay.ended or stay.joined
    return Visit(number, ticket.number, ticket.came, tuple(turns))


def _taken(number: int, stay: _Stay, usual: Mapping[str, Sequence[tuple[float, float]]]) -> tuple[float, float]:
    """How long from call to window and how long there; of who was not served, or is at this moment, another's."""
    if stay.called and stay.ended:
        if stay.started is None:
            return (stay.ended - stay.called).total_seconds(), 0.0
        return _spans(stay, stay.started, stay.ended)
    others = usual.get(stay.queue) or [each for spans in usual.values() for each in spans] or [(30.0, 300.0)]
    return others[number % len(others)]


def _call(tickets: Mapping[int, _Ticket], number: int, turn: int, mode: str, *, until: datetime) -> Called:
    ticket = tickets[number]
    stay = ticket.stays[turn]
    assert stay.called is not None
    waited = (stay.called - stay.joined).total_seconds()
    facts = (stay.queue, Lane(stay.lane), stay.at_window, stay.called, stay.ended or max(until, stay.called))
    return Called(number, turn, ticket.number, *facts, waited, mode)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
