"""Windows that open and close, and the tickets they call."""

from __future__ import annotations

from typing import Any

from app.events.base import Event, published

POLICY = "policy:queue"


@published
class WindowOpened(Event, kind="window.opened"):
    window: str
    staff: str


@published
class WindowPaused(Event, kind="window.paused"):
    """The reason, which a person typed, stays in the window's session."""

    window: str
    staff: str


@published
class WindowClosed(Event, kind="window.closed"):
    window: str
    staff: str


@published
class WindowTakenOver(Event, kind="window.taken_over"):
    """Another clerk sat down at a window that was left open; its ticket and its queues stay with the window."""

    window: str
    staff: str
    from_staff: str


@published
class PolicyChanged(Event, kind="policy.changed"):
    """The hall's rules of calling from now on, whole, as `read_policy` takes them."""

    policy: dict[str, Any]

    @property
    def subject(self) -> str:
        """One subject for all of them: the last one before a day says how that day called."""
        return POLICY


@published
class IssuingChanged(Event, kind="issuing.changed"):
    """The hall stopped giving tickets for the rest of its day, or gives them again."""

    day: str
    open: bool


@published
class TicketEvent(Event):
    """What every ticket event says: which ticket, its printed number, its present queue, its business day."""

    ticket: int
    number: str
    queue: str
    day: str


@published
class TicketIssued(TicketEvent, kind="ticket.issued"):
    """`forecast_*` is the range of the wait that the slip showed; `appointment` when one was checked in; `arrived_at`
    when the number was taken earlier than it was recorded, at a kiosk that was cut off.
    """

    lane: str
    channel: str
    item: str | None = None
    ground: str | None = None
    party: int = 1
    appointment: int | None = None
    case: str | None = None
    forecast_low_s: int | None = None
    forecast_high_s: int | None = None
    queued_at: str | None = None
    arrived_at: str | None = None


@published
class TicketCalled(TicketEvent, kind="ticket.called"):
    """`why` is the explanation that choose_next returned: candidates, ranks, rule."""

    lane: str
    window: str
    waited_s: int
    why: dict[str, Any]
    mode: str = "rule"  # rule, dispatch, chosen
    reason: str | None = None  # a code, when the clerk chose


@published
class TicketRecalled(TicketEvent, kind="ticket.recalled"):
    window: str
    recall: int


@published
class TicketStarted(TicketEvent, kind="ticket.started"):
    """The person is at the window; `item` is what is served first."""

    window: str
    item: str | None = None


@published
class ItemFollowed(TicketEvent, kind="ticket.item_followed"):
    """The same visit goes on with another item: one service has ended and another begun."""

    window: str
    item: str | None = None
    served_s: int


@published
class TicketFinished(TicketEvent, kind="ticket.finished"):
    window: str
    served_s: int


@published
class TicketMissed(TicketEvent, kind="ticket.missed"):
    window: str


@published
class TicketRestored(TicketEvent, kind="ticket.restored"):
    """A missed ticket waits again, as if it had come at `queued_at`."""

    queued_at: str | None = None


@published
class TicketDeferred(TicketEvent, kind="ticket.deferred"):
    """The citizen went away for a while and keeps the number."""


@published
class TicketRejoined(TicketEvent, kind="ticket.rejoined"):
    """And is back, as if they had come at `queued_at`, for any window of the queue."""

    queued_at: str


@published
class TicketParked(TicketEvent, kind="ticket.parked"):
    """The note, which a person typed, stays with the ticket; `reason` is a code."""

    window: str
    reason: str | None = None
    remind_at: str | None = None


@published
class TicketReminded(TicketEvent, kind="ticket.reminded"):
    """The time of a parked ticket is up: its window looks where the person is."""

    window: str


@published
class TicketUnparked(TicketEvent, kind="ticket.unparked"):
    """Called again to the window after having been set aside."""

    window: str


@published
class TicketTransferred(TicketEvent, kind="ticket.transferred"):
    """`queue` is the new queue; `to_window` or `to_staff` when only they may call it; `place` first, sorted or last.

    `window` is none for a ticket that went back to its queue because the window it waited for closed.
    """

    from_queue: str
    window: str | None
    to_window: str | None = None
    to_staff: str | None = None
    place: str = "sorted"
    queued_at: str | None = None


@published
class TicketAbandoned(TicketEvent, kind="ticket.abandoned"):
    window: str | None = None
    reason: str | None = None


@published
class TicketCancelled(TicketEvent, kind="ticket.cancelled"):
    pass


@published
class TicketExpired(TicketEvent, kind="ticket.expired"):
    """`reason`: rollover at midnight, or the code that a supervisor gave at the close of day."""

    reason: str | None = None


@published
class DayClosed(Event, kind="day.closed"):
    day: str
    expired: int


@published
class BlockLeased(Event, kind="block.leased"):
    """Numbers `first`…`last` of the queue's offline run belong to this kiosk until it gives them back."""

    block: int
    device: str
    queue: str
    day: str
    first: str
    last: str


@published
class BlockClosed(Event, kind="block.closed"):
    """The kiosk has told what it printed; the rest of the block is void."""

    block: int
    queue: str
    day: str
    used: int
    void: tuple[str, ...]
