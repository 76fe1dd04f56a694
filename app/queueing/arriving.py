"""Coming with an appointment, by whichever door: found by its token or the ID number, checked in, with the wait to expect."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.errors import Refusal
from app.events import Actor
from app.hall.queries import hall as hall_of
from app.queueing import forecasts
from app.queueing.appointment_queries import appointment_view, find_appointment, find_today
from app.queueing.appointments import check_in
from app.queueing.rules.states import Lane


def arrive(hall: str, actor: Actor, at: datetime, *, token: str = "", id_number: str = "") -> dict[str, Any]:
    """Check in at this hall with the token of an appointment, or with the ID number of who has one today.

    Answers as `appointments.check_in`. Refuses appointment.unknown, .none_today, .other_hall, person.bad_id and what that
    action refuses.
    """
    if token:
        of_hall, appointment_id = find_appointment(token)
        if of_hall != hall:
            raise Refusal("appointment.other_hall", hall=hall_of(of_hall)["name"])
    else:
        appointment_id = find_today(hall, id_number, at)
    return arrive_with(hall, actor, at, appointment_id)


def arrive_with(hall: str, actor: Actor, at: datetime, appointment_id: int) -> dict[str, Any]:
    """The same for an appointment that was found already. Refuses appointment.unknown and what the action refuses."""
    view = appointment_view(hall, appointment_id, at)
    lane = Lane.NORMAL if view["arrival"] == "late" else Lane.APPOINTMENT
    return check_in(
        hall=hall,
        actor=actor,
        at=at,
        appointment_id=appointment_id,
        channel="kiosk" if actor.kind == "device" else "guide",
        forecast=forecasts.promise(hall, view["queue"], lane, at),
    )
