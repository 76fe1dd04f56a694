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
class HoursChanged(Event, kind="hours.changed"):
    hours: tuple[str, ...]  # daily opening intervals, e.g. "08:30-12:00"


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


@published
class ApplicantRecalled(Event, kind="field.recalled"):
    """A clerk looked whether an applicant is known, by the full ID number, and saw masked data of `case` or nobody."""

    case: int | None

    @property
    def subject(self) -> str:
        return f"case:{self.case}" if self.case else "field:recalled"


@published
class LicenceStored(Event, kind="licence.stored"):
    """An e-licence came into the local store; `case` when it is a result of our own."""

    licence: int
    title: str
    case: int | None = None

    @property
    def subject(self) -> str:
        return f"case:{self.case}" if self.case else f"licence:{self.licence}"


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
    """`second`: against the rule that the applicant is told once, by a supervisor's override (C2)."""

    materials: tuple[str, ...]
    second: bool = False


@published
class SupplementReceived(CaseEvent, kind="case.supplemented"):
    materials: tuple[str, ...]
    complete: bool


@published
class MaterialShared(CaseEvent, kind="case.material_shared"):
    """An e-licence of the store stands for this material; which one is kept with the case."""

    material: str


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
class CaseCollected(CaseEvent, kind="case.collected"):
    """Taken in at a point that may not receive 代收; it is received where the papers arrive."""

    item: str


@published
class CaseBackdated(CaseEvent, kind="case.backdated"):
    """A supervisor corrected the instant of receipt; the reason is kept with the case."""

    received_at: str
    before: str


@published
class CaseConverted(CaseEvent, kind="case.converted"):
    """An instant case that could not be finished at once goes on with a promised limit."""

    amount: int
    unit: str


@published
class CaseProposed(CaseEvent, kind="case.proposed"):
    """A first signature: what is proposed to whoever decides for the department."""

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
class CaseVoided(CaseEvent, kind="case.voided"):
    pass


@published
class CaseRevoked(CaseEvent, kind="case.revoked"):
    """A decision was taken back 撤销 (行政许可法 §69)."""

    department: str


@published
class CaseChecked(CaseEvent, kind="case.checked"):
    """The check after a decision on the applicant's word 告知承诺: kept or broken."""

    outcome: str


@published
class CaseUrged(CaseEvent, kind="case.urged"):
    department: str


@published
class UrgeAnswered(CaseEvent, kind="case.urge_answered"):
    department: str


@published
class OverdueExplained(CaseEvent, kind="case.overdue_explained"):
    pass


@published
class CaseSignalled(CaseEvent, kind="case.signalled"):
    """Somebody was told of a light: `level` of it, `rung` of the ladder, the department concerned."""

    level: str
    rung: str
    department: str


@published
class CaseReminded(CaseEvent, kind="case.reminded"):
    """The applicant was reminded: of what to bring or to collect."""

    of: str


@published
class CaseOverran(CaseEvent, kind="case.overran"):
    """A special procedure or check lasts longer than the applicant was told."""

    ground: str
    department: str


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
class CaseSigned(CaseEvent, kind="case.signed"):
    """The courier's slip came back signed."""


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


# ── one-thing cases, papers on their way, errands ───────────────────────────────────────────────────────────────


@published
class JointEvent(Event):
    """What every event of a one-thing case 一件事 says; its parts are cases with events of their own."""

    joint: int
    number: str


@published
class JointReceived(JointEvent, kind="joint.received"):
    theme: str
    cases: tuple[str, ...]
    window: str | None = None
    ticket: int | None = None


@published
class JointSupplementRequested(JointEvent, kind="joint.supplement_requested"):
    materials: tuple[str, ...]


@published
class JointSupplemented(JointEvent, kind="joint.supplemented"):
    materials: tuple[str, ...]
    complete: bool


@published
class JointAccepted(JointEvent, kind="joint.accepted"):
    pass


@published
class JointBegan(JointEvent, kind="joint.began"):
    """The turn of these later parts has come."""

    cases: tuple[str, ...]


@published
class JointExtended(JointEvent, kind="joint.extended"):
    amount: int
    unit: str


@published
class JointDecided(JointEvent, kind="joint.decided"):
    granted: int
    parts: int


@published
class JointReady(JointEvent, kind="joint.ready"):
    cases: tuple[str, ...]


@published
class JointHandedOver(JointEvent, kind="joint.handed_over"):
    cases: tuple[str, ...]


@published
class JointDelivered(JointEvent, kind="joint.delivered"):
    """Nothing is left to hand out."""


@published
class JointWithdrawn(JointEvent, kind="joint.withdrawn"):
    pass


@published
class ManifestEvent(Event):
    """What every event of a bundle of papers between two halls says."""

    manifest: int
    number: str
    from_hall: str
    to_hall: str


@published
class ManifestSent(ManifestEvent, kind="manifest.sent"):
    cases: tuple[str, ...]


@published
class ManifestArrived(ManifestEvent, kind="manifest.arrived"):
    """`missing`: cases on the list whose papers were not in the bundle."""

    cases: tuple[str, ...]
    missing: tuple[str, ...]


@published
class AgencyEvent(Event):
    """What every event of an agency order 代办 says. For whom and why it is run stays out of the record."""

    agency: int
    number: str


@published
class AgencyOrdered(AgencyEvent, kind="agency.ordered"):
    item: str | None = None


@published
class AgencyAccepted(AgencyEvent, kind="agency.accepted"):
    pass


@published
class AgencyStarted(AgencyEvent, kind="agency.started"):
    """Everything needed was handed over: the three working days run."""

    due_at: str | None


@published
class AgencyInterrupted(AgencyEvent, kind="agency.interrupted"):
    pass


@published
class AgencyResumed(AgencyEvent, kind="agency.resumed"):
    due_at: str | None


@published
class AgencyCompleted(AgencyEvent, kind="agency.completed"):
    case: str | None = None
    in_time: bool = True


@published
class AgencyCalledBack(AgencyEvent, kind="agency.called_back"):
    satisfied: bool


@published
class AgencyCancelled(AgencyEvent, kind="agency.cancelled"):
    pass


@published
class BatchRequested(Event, kind="batch.requested"):
    """Somebody wants issued papers as one file; asked for again when the file is gone."""

    batch: int
    total: int


@published
class NoticeIssued(Event, kind="notice.issued"):
    notice: int
    notice_kind: str
    number: str
    case: int | None = None

    @property
    def subject(self) -> str:
        return f"case:{self.case}" if self.case else f"notice:{self.notice}"
