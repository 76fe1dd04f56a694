"""What happens to a case, from its receipt to its delivery, with its clocks and lights."""

from __future__ import annotations

from app.events.base import Event, published


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
    clock: str = "both"  # or statutory: the promise had passed, or counts in another unit


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
class CaseCameBack(CaseEvent, kind="case.came_back"):
    """The courier brought the parcel back; it lies at the pickup window again."""

    reason: str  # refused, absent, address, other


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
