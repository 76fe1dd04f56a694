"""Agency orders 代办: errands run for somebody."""

from __future__ import annotations

from app.events.base import Event, published


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
