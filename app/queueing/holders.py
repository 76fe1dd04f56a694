"""Reading what somebody holds today: by who they are, or by the case whose supplement they bring. Nothing here writes."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select

from app import privacy
from app.db import db
from app.queueing.models import Ticket
from app.queueing.rules.states import LIVE
from app.words import clean_id_number


def tickets_of_id(hall: str, day: date, id_number: str) -> list[int]:
    """The live tickets of who has this ID card, oldest first. Refuses person.bad_id."""
    return _live(hall, day, Ticket.person_key == privacy.blind_index("id_number", clean_id_number(id_number)))


def tickets_of_case(hall: str, day: date, number: str) -> list[int]:
    """The live tickets with which somebody brings this case's supplement."""
    return _live(hall, day, Ticket.case_number == number)


def _live(hall: str, day: date, whose: Any) -> list[int]:
    live = (Ticket.hall == hall, Ticket.day == day, Ticket.state.in_(sorted(LIVE)), whose)
    return list(db.session.execute(select(Ticket.id).where(*live).order_by(Ticket.id)).scalars())
