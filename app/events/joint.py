"""One-thing cases 一件事: several cases taken in and handed out as one."""

from __future__ import annotations

from app.events.base import Event, published


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
    clock: str = "both"


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
