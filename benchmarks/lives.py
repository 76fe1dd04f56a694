"""The lives of all tickets of a hall, replayed from its record through the one table of states and steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from app import events as e
from app.events import Event, Recorded
from app.now import local_day
from app.queueing.rules.policy import Policy, read_policy
from app.queueing.rules.states import AT_WINDOW, Lane, TicketState, TicketStep, legal_steps, next_state
from benchmarks.findings import Findings

S, T = TicketState, TicketStep
STEP_OF: dict[type[Event], TicketStep] = {
    e.TicketCalled: T.CALL,
    e.TicketRecalled: T.RECALL,
    e.TicketStarted: T.START,
    e.ItemFollowed: T.NEXT_ITEM,
    e.TicketFinished: T.FINISH,
    e.TicketMissed: T.NO_SHOW,
    e.TicketRestored: T.RESTORE,
    e.TicketParked: T.PARK,
    e.TicketUnparked: T.UNPARK,
    e.TicketTransferred: T.TRANSFER,
    e.TicketAbandoned: T.ABANDON,
    e.TicketCancelled: T.CANCEL,
    e.TicketDeferred: T.DEFER,
    e.TicketRejoined: T.REJOIN,
    e.TicketExpired: T.EXPIRE,
}
UNSERVED = frozenset({S.WAITING, S.PARKED, S.NO_SHOW})
_CALLS = (T.CALL, T.UNPARK)


@dataclass(slots=True)
class Life:
    """A ticket as the record has told of it so far."""

    ticket: int
    number: str
    queue: str
    lane: Lane
    day: str
    came_at: datetime
    given_at: datetime  # its first queue time: its arrival, or the booked time
    queued_at: datetime
    again: datetime | None = None  # it waits again: since when
    state: TicketState = S.WAITING
    to_window: str | None = None
    to_staff: str | None = None
    window: str | None = None
    deferred: bool = False
    transfers: int = 0
    calls: int = 0

    @property
    def in_pool(self) -> bool:
        """Whether any window of its queue may call it."""
        return self.state == S.WAITING and self.to_window is None and self.to_staff is None

    @property
    def place(self) -> tuple[datetime, int]:
        """What orders those of one lane."""
        return self.queued_at, self.ticket


@dataclass(slots=True)
class Seat:
    staff: str
    paused: bool = False


class Lives:
    """The hall after each event of its record. What an event says and cannot be is a finding, and changes nothing."""

    def __init__(self, found: Findings) -> None:
        self._found = found
        self.tickets: dict[int, Life] = {}
        self.waiting: dict[int, Life] = {}
        self.seats: dict[str, Seat] = {}
        self.weights: dict[str, dict[str, int] | None] = {}  # none: a record of before weights were told
        self.policy = read_policy({})
        self._at_window: dict[str, int] = {}

    def tell(self, row: Recorded) -> None:
        """The next event of the record."""
        match row.event:
            case e.TicketIssued() as event:
                self._issued(event, row)
            case e.TicketReminded() as event:
                self._reminded(event, row)
            case e.TicketTransferred(window=None) as event:
                self._released(event, row)
            case e.TicketEvent() as event:
                self._stepped(event, row)
            case e.WindowOpened() | e.WindowPaused() | e.WindowClosed() | e.WindowTakenOver() as event:
                self._seated(event, row)
            case e.WindowDefined() as event:
                told = len(event.weights) == len(event.queues)
                self.weights[event.window] = dict(zip(event.queues, event.weights, strict=True)) if told else None
            case e.PolicyChanged(policy=policy):
                self.policy = read_policy(policy)
            case e.DayClosed(day=day):
                self._closed(day, row)

    def tell_end(self) -> None:
        """Nobody was sent to a window or a clerk that is gone: nobody would ever call them."""
        staff = {seat.staff for seat in self.seats.values()}
        today = max((life.day for life in self.tickets.values()), default="")
        for life in self.waiting.values():
            gone = life.to_window not in (None, *self.seats) or life.to_staff not in (None, *staff)
            if gone and life.day == today:
                self._found.lost.append(f"{life.number} waits for {life.to_window or life.to_staff}, where nobody sits")

    def pool(self, queue: str, day: str, lane: Lane | None = None) -> Iterator[Life]:
        """Who waits in a queue for any of its windows."""
        for life in self.waiting.values():
            if life.in_pool and (life.queue, life.day) == (queue, day) and lane in (None, life.lane):
                yield life

    # ── tickets ────────────────────────────────────────────────────────────────────────────────────────────────

    def _issued(self, event: e.TicketIssued, row: Recorded) -> None:
        if event.ticket in self.tickets:
            self._found.duplicates.append(f"ticket {event.ticket} was issued twice")
        if event.arrived_at is None and event.day != _day(row.at):
            self._found.steps.append(f"{event.number} was given on {_day(row.at)} for {event.day}")
        queued_at = datetime.fromisoformat(event.queued_at) if event.queued_at else row.at
        life = Life(
            *(event.ticket, event.number, event.queue, Lane(event.lane), event.day),
            *(queued_at if event.arrived_at else row.at, queued_at, queued_at),
        )
        self.tickets[life.ticket] = self.waiting[life.ticket] = life

    def _stepped(self, event: e.TicketEvent, row: Recorded) -> None:
        life, step = self._known(event, row), STEP_OF[type(event)]
        if life is None:
            return
        state = next_state(life.state, step)
        if state is None or step not in legal_steps(life.state, deferred=life.deferred):
            faults = self._found.double_calls if step == T.CALL else self._found.steps
            faults.append(f"{step} of {life.number} at seq {row.seq}, which was {life.state}")
            return
        before = life.queued_at
        self._look_at_window(life, event, step, row)
        self._move(life, event, step, state)
        if step in (T.RESTORE, T.REJOIN, T.TRANSFER):
            life.again = row.at
            self._look_at_place(life, event, before, row)

    def _known(self, event: e.TicketEvent, row: Recorded) -> Life | None:
        """The ticket, if the event tells of it as it is."""
        life = self.tickets.get(event.ticket)
        queue = event.from_queue if isinstance(event, e.TicketTransferred) else event.queue
        if life is None or (life.number, life.day, life.queue) != (event.number, event.day, queue):
            self._found.record.append(f"{event.kind} of {event.number} at seq {row.seq}: there is no such ticket")
            return None
        return life

    def _look_at_window(self, life: Life, event: e.TicketEvent, step: TicketStep, row: Recorded) -> None:
        """A call goes to a free and open window; whatever is done at a window is done by who sits there."""
        window = getattr(event, "window", None)
        seat = self.seats.get(window or "")
        if step == T.CALL and life.day != _day(row.at):
            self._found.steps.append(f"{life.number} of {life.day} was called on {_day(row.at)}")
        if step in _CALLS:
            if seat is None or seat.paused:
                self._found.steps.append(f"{life.number} was called at seq {row.seq} to {window}, which is not open")
            if window in self._at_window:
                other = self.tickets[self._at_window[window]].number
                self._found.double_calls.append(f"{window} called {life.number} at seq {row.seq} and had {other}")
        elif life.state in AT_WINDOW and window != life.window:
            self._found.steps.append(
                f"{step} of {life.number} at seq {row.seq} at {window}, but it is at {life.window}"
            )
        dispatched = isinstance(event, e.TicketCalled) and event.mode == "dispatch"
        if (
            (step in _CALLS or life.state in AT_WINDOW)
            and seat
            and not dispatched
            and row.actor != f"staff:{seat.staff}"
        ):
            self._found.steps.append(f"{step} of {life.number} at seq {row.seq} by {row.actor}, who is not at {window}")

    def _move(self, life: Life, event: e.TicketEvent, step: TicketStep, state: TicketState) -> None:
        if life.state in AT_WINDOW and state not in AT_WINDOW:
            self._at_window.pop(life.window or "", None)
            life.window = None
        if step in _CALLS:
            life.window = getattr(event, "window", "")
            self._at_window[life.window] = life.ticket
            life.calls += 1
        if state != life.state and S.WAITING in (state, life.state):
            life.to_window = life.to_staff = None
        if isinstance(event, e.TicketTransferred):
            life.queue, life.to_window, life.to_staff = event.queue, event.to_window, event.to_staff
            life.transfers += 1
        queued_at = getattr(event, "queued_at", None)
        if queued_at:
            life.queued_at = datetime.fromisoformat(queued_at)
        life.state, life.deferred = state, step == T.DEFER
        if state == S.WAITING:
            self.waiting[life.ticket] = life
        else:
            self.waiting.pop(life.ticket, None)

    def _reminded(self, event: e.TicketReminded, row: Recorded) -> None:
        life = self._known(event, row)
        if life is not None and (life.state != S.PARKED or life.deferred):
            self._found.steps.append(f"reminded of {life.number} at seq {row.seq}, which was {life.state}")

    def _released(self, event: e.TicketTransferred, row: Recorded) -> None:
        """A ticket that waited for one window or clerk, which is left, waits for any of the queue."""
        life = self._known(event, row)
        if life is None:
            return
        if life.state != S.WAITING or life.in_pool or event.to_window or event.to_staff:
            self._found.steps.append(f"{life.number} was released at seq {row.seq} and had not been sent")
        life.to_window = life.to_staff = None

    # ── where they stand ───────────────────────────────────────────────────────────────────────────────────────

    def _look_at_place(self, life: Life, event: e.TicketEvent, before: datetime, row: Recorded) -> None:
        """Who waits again stands where the rules put them; and only on the day that it is."""
        if life.day != _day(row.at):
            self._found.steps.append(f"{life.number} of {life.day} waits again on {_day(row.at)}")
        others = [other for other in self._beside(life) if other is not life]
        earlier = sum(self._rank(other) < self._rank(life) for other in others)
        if isinstance(event, e.TicketTransferred):
            if life.transfers > self.policy.transfer_cap:
                self._found.steps.append(f"{life.number} was transferred {life.transfers} times")
            right = {
                "first": earlier == 0 and life.queued_at <= life.given_at,
                "sorted": life.queued_at == life.given_at,
                "last": life.queued_at == row.at,
            }[event.place]
        else:  # behind the next few, and never before its own old place
            right = earlier >= min(self.policy.restore_behind, len(others)) and life.queued_at >= before
            right &= life.queued_at == before or self._just_behind(life, others)
        if not right:
            self._found.order.append(
                f"{event.kind} of {life.number} at seq {row.seq}: {earlier} of {len(others)} before it"
            )

    def _just_behind(self, life: Life, others: Iterable[Life]) -> bool:
        """No further back than the rule says."""
        passed = timedelta(microseconds=1)
        return sum(self._rank(other) + passed < self._rank(life) for other in others) < self.policy.restore_behind

    def _beside(self, life: Life) -> Iterator[Life]:
        if life.in_pool:
            yield from self.pool(life.queue, life.day)
            return
        for other in self.waiting.values():
            if (other.day, other.to_window, other.to_staff) == (life.day, life.to_window, life.to_staff):
                yield other

    def _rank(self, life: Life) -> datetime:
        """By lane; the sent ones by arrival alone."""
        return life.queued_at - (start_of(self.policy, life) if life.in_pool else timedelta(0))

    # ── windows and days ───────────────────────────────────────────────────────────────────────────────────────

    def _seated(
        self, event: e.WindowOpened | e.WindowPaused | e.WindowClosed | e.WindowTakenOver, row: Recorded
    ) -> None:
        seat, window = self.seats.get(event.window), event.window
        elsewhere = any(other.staff == event.staff and code != window for code, other in self.seats.items())
        match event:
            case e.WindowOpened():
                right = not elsewhere and (seat is None or (seat.paused and seat.staff == event.staff))
            case e.WindowTakenOver(from_staff=gone):
                right = not elsewhere and seat is not None and seat.staff == gone
            case e.WindowPaused():
                right = seat is not None and not seat.paused and seat.staff == event.staff
            case _:
                right = seat is not None and seat.staff == event.staff
        if isinstance(event, e.WindowPaused | e.WindowClosed):
            right &= window not in self._at_window
        if not right or row.actor != f"staff:{event.staff}":
            self._found.steps.append(f"{event.kind} of {window} by {event.staff} at seq {row.seq}: {seat}")
        if isinstance(event, e.WindowClosed):
            self.seats.pop(window, None)
        else:
            self.seats[window] = Seat(event.staff, isinstance(event, e.WindowPaused))

    def _closed(self, day: str, row: Recorded) -> None:
        """After the close of a day whoever came on it is served, has left or has expired, or is at a window."""
        for life in self.tickets.values():
            if life.day <= day and life.state in UNSERVED:
                self._found.lost.append(f"{day} was closed at seq {row.seq} and {life.number} was left {life.state}")


def start_of(policy: Policy, life: Life) -> timedelta:
    """How much earlier its lane counts as having come."""
    return timedelta(minutes=policy.head_start_min.get(life.lane, 0))


def _day(at: datetime) -> str:
    return local_day(at).isoformat()
