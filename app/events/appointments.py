"""Appointments: booked, waited for, kept or missed."""

from __future__ import annotations

from app.events.base import Event, published


@published
class AppointmentEvent(Event):
    """What every appointment event says: which one, for which queue, and its slot's begin."""

    appointment: int
    queue: str
    slot_at: str


@published
class AppointmentBooked(AppointmentEvent, kind="appointment.booked"):
    item: str | None = None
    channel: str


@published
class AppointmentWaitlisted(AppointmentEvent, kind="appointment.waitlisted"):
    item: str | None = None
    channel: str


@published
class AppointmentPromoted(AppointmentEvent, kind="appointment.promoted"):
    """A place became free and the first of the waiting list has it."""


@published
class AppointmentCancelled(AppointmentEvent, kind="appointment.cancelled"):
    by: str  # citizen, staff, or hall: it was shut at that time, so nobody missed anything


@published
class AppointmentCheckedIn(AppointmentEvent, kind="appointment.checked_in"):
    """`punctual` false: too late, so the ticket is of the normal lane."""

    ticket: int
    number: str
    punctual: bool = True

    @property
    def subject(self) -> str:
        return f"appointment:{self.appointment}"


@published
class AppointmentMissed(AppointmentEvent, kind="appointment.missed"):
    """Nobody came."""


@published
class AppointmentExpired(AppointmentEvent, kind="appointment.expired"):
    """The slot is over and no place became free."""


@published
class AppointmentRulesChanged(Event, kind="appointment_rules.changed"):
    """Slots and limits from now on, whole."""

    rules: dict[str, object]
