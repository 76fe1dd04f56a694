"""The published language: everything that can happen in a hall, one frozen dataclass an event.

Screens, printers, jobs and auditors read these and nothing else of the app. No event carries personal data: people
appear as ticket and case numbers, staff as account names. Fields are plain JSON values; instants are RFC 3339 text.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, ClassVar, get_origin, get_type_hints


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: staff, a device, a citizen holding a token, or the system itself.

    `hall` is None for staff of the whole network; `department` is set for those who decide for one.
    """

    kind: str
    id: int
    name: str
    hall: str | None = None
    permissions: frozenset[str] = frozenset()
    department: str | None = None

    @property
    def ref(self) -> str:
        """How the record names the actor."""
        return f"{self.kind}:{self.name}"

    def may(self, permission: str) -> bool:
        return permission in self.permissions


SYSTEM = Actor("system", 0, "system")
CITIZEN = Actor("citizen", 0, "citizen")

KINDS: dict[str, type[Event]] = {}


class Event:
    """Base of all events. `kind` is `noun.past`; `noun` says what its subject is."""

    __slots__ = ()
    kind: ClassVar[str]

    def __init_subclass__(cls, kind: str = "", **more: Any) -> None:
        super().__init_subclass__(**more)
        if kind:
            cls.kind = kind
            KINDS[kind] = cls

    @property
    def subject(self) -> str:
        """What the event is about, as `noun:id`, for reading one thing's history."""
        noun = self.kind.split(".")[0]
        own = getattr(self, noun, None)
        return "" if own is None else f"{noun}:{own}"


def encode(event: Event) -> dict[str, Any]:
    """The event's fields as a JSON object."""
    return asdict(event)  # type: ignore[call-overload]  # every event is a dataclass


def decode(kind: str, body: dict[str, Any]) -> Event:
    """The event that `encode` came from; fields added since keep their defaults, unknown ones are dropped."""
    cls = KINDS[kind]
    hints = get_type_hints(cls)
    known = {f.name for f in fields(cls)}  # type: ignore[arg-type]
    values = {k: tuple(v) if get_origin(hints[k]) is tuple else v for k, v in body.items() if k in known}
    return cls(**values)


@dataclass(frozen=True, slots=True)
class Recorded:
    """One row of a hall's record: the event, its place in the hall's own order, who and when (aware UTC)."""

    hall: str
    seq: int
    event: Event
    actor: str
    at: datetime


def published(cls: type) -> type:
    return dataclass(frozen=True, kw_only=True)(cls)


# ── the hall ────────────────────────────────────────────────────────────────────────────────────────────────────


@published
class HallDefined(Event, kind="hall.defined"):
    hall: str
    name_zh: str
    name_en: str


@published
class ZoneDefined(Event, kind="zone.defined"):
    zone: str
    name_zh: str
    name_en: str


@published
class QueueDefined(Event, kind="queue.defined"):
    queue: str
    prefix: str
    name_zh: str
    name_en: str
    zone: str
    active: bool = True


@published
class WindowDefined(Event, kind="window.defined"):
    window: str
    window_kind: str
    name_zh: str
    name_en: str
    zone: str
    queues: tuple[str, ...]
    active: bool = True


@published
class CalendarImported(Event, kind="calendar.imported"):
    version: str
    years: tuple[int, ...]


@published
class ClosureDefined(Event, kind="closure.defined"):
    from_at: str
    to_at: str
    opens: bool  # True: a voluntary session; False: an exceptional closure
    removed: bool = False


@published
class CatalogImported(Event, kind="catalog.imported"):
    version: str
    items: int
    guides: int


# ── people and devices ──────────────────────────────────────────────────────────────────────────────────────────


@published
class StaffDefined(Event, kind="staff.defined"):
    staff: str
    roles: tuple[str, ...]
    active: bool = True


@published
class SessionOpened(Event, kind="session.opened"):
    staff: str


@published
class SessionClosed(Event, kind="session.closed"):
    staff: str


@published
class DeviceRegistered(Event, kind="device.registered"):
    device: int
    device_kind: str
    zone: str | None


@published
class DevicePaired(Event, kind="device.paired"):
    device: int


@published
class DeviceRevoked(Event, kind="device.revoked"):
    device: int


@published
class FieldRevealed(Event, kind="field.revealed"):
    """Somebody looked at a masked value; `reason` is a code of a fixed list."""

    of: str
    field: str
    reason: str

    @property
    def subject(self) -> str:
        return self.of


# ── windows ─────────────────────────────────────────────────────────────────────────────────────────────────────


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


# ── tickets ─────────────────────────────────────────────────────────────────────────────────────────────────────


@published
class TicketEvent(Event):
    """What every ticket event says: which ticket, its printed number, its present queue, its business day."""

    ticket: int
    number: str
    queue: str
    day: str


@published
class TicketIssued(TicketEvent, kind="ticket.issued"):
    lane: str
    channel: str
    item: str | None = None


@published
class TicketCalled(TicketEvent, kind="ticket.called"):
    """`why` is the explanation that choose_next returned: candidates, ranks, rule."""

    lane: str
    window: str
    waited_s: int
    why: dict[str, Any]


@published
class TicketRecalled(TicketEvent, kind="ticket.recalled"):
    window: str
    recall: int


@published
class TicketStarted(TicketEvent, kind="ticket.started"):
    window: str


@published
class TicketFinished(TicketEvent, kind="ticket.finished"):
    window: str
    served_s: int


@published
class TicketMissed(TicketEvent, kind="ticket.missed"):
    window: str


@published
class TicketRestored(TicketEvent, kind="ticket.restored"):
    pass


@published
class TicketParked(TicketEvent, kind="ticket.parked"):
    window: str


@published
class TicketUnparked(TicketEvent, kind="ticket.unparked"):
    """Called again to the window after having been set aside."""

    window: str


@published
class TicketTransferred(TicketEvent, kind="ticket.transferred"):
    """`queue` is the new queue; `to_window` when only that window may call it."""

    from_queue: str
    window: str
    to_window: str | None = None


@published
class TicketAbandoned(TicketEvent, kind="ticket.abandoned"):
    window: str | None = None


@published
class TicketCancelled(TicketEvent, kind="ticket.cancelled"):
    pass


@published
class TicketExpired(TicketEvent, kind="ticket.expired"):
    pass


@published
class DayClosed(Event, kind="day.closed"):
    day: str
    expired: int


# ── cases ───────────────────────────────────────────────────────────────────────────────────────────────────────


@published
class CaseEvent(Event):
    """What every case event says: which case and its printed number."""

    case: int
    number: str


@published
class CaseReceived(CaseEvent, kind="case.received"):
    item: str
    window: str | None = None
    ticket: int | None = None


@published
class CaseAccepted(CaseEvent, kind="case.accepted"):
    acceptance_number: str
    tolerant: bool = False
    deemed: bool = False


@published
class CaseNotAccepted(CaseEvent, kind="case.not_accepted"):
    ground: str


@published
class SupplementRequested(CaseEvent, kind="case.supplement_requested"):
    materials: tuple[str, ...]


@published
class SupplementReceived(CaseEvent, kind="case.supplemented"):
    materials: tuple[str, ...]
    complete: bool


@published
class CaseRouted(CaseEvent, kind="case.routed"):
    departments: tuple[str, ...]
    routing: str


@published
class CaseTaken(CaseEvent, kind="case.taken"):
    department: str


@published
class CaseReviewed(CaseEvent, kind="case.reviewed"):
    """One department has spoken and others have not yet."""

    department: str
    outcome: str


@published
class CaseDecided(CaseEvent, kind="case.decided"):
    department: str
    outcome: str


@published
class CaseSuspended(CaseEvent, kind="case.suspended"):
    ground: str
    clock: str
    days: int


@published
class CaseResumed(CaseEvent, kind="case.resumed"):
    clock: str


@published
class CaseExtended(CaseEvent, kind="case.extended"):
    days: int


@published
class CaseReturned(CaseEvent, kind="case.returned"):
    department: str


@published
class CaseForwarded(CaseEvent, kind="case.forwarded"):
    to_hall: str


@published
class NoRequestRaised(CaseEvent, kind="case.no_requested"):
    ground: str


@published
class NoRequestAnswered(CaseEvent, kind="case.no_answered"):
    answer: str


@published
class CaseWithdrawn(CaseEvent, kind="case.withdrawn"):
    deemed: bool = False


@published
class CaseReady(CaseEvent, kind="case.ready"):
    pass


@published
class CaseDispatched(CaseEvent, kind="case.dispatched"):
    pass


@published
class CaseDelivered(CaseEvent, kind="case.delivered"):
    how: str


@published
class ClocksMoved(CaseEvent, kind="case.clocks_moved"):
    """The due instants after a step or a new calendar; None while a clock is stopped or the year is unknown."""

    promised_due_at: str | None
    statutory_due_at: str | None
    provisional: bool
    cause: str


@published
class LightChanged(CaseEvent, kind="case.light_changed"):
    light: str
    department: str


@published
class NoticeIssued(Event, kind="notice.issued"):
    notice: int
    notice_kind: str
    number: str
    case: int | None = None

    @property
    def subject(self) -> str:
        return f"case:{self.case}" if self.case else f"notice:{self.notice}"
