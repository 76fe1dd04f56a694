"""Many hands on one slot: never more than its capacity, one person once, and the waiting list in its order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app import eventlog
from app.db import db
from app.now import SHANGHAI
from app.queueing.appointment_models import Appointment
from tests.concurrency.conftest import HALL, THREADS, Doors, at_once
from tests.people import id_number, phone
from tests.web.visit import announce_calendar

SLOT = f"/halls/{HALL}/appointments"
CAPACITY = 4  # as every hall begins

Step = Callable[[], tuple[int, Any]]


@pytest.fixture
def slot_at(monkeypatch: pytest.MonkeyPatch, doors: Doors) -> str:
    """Nine o'clock of tomorrow; today is a working Tuesday."""
    announce_calendar()
    today = datetime(datetime.now(SHANGHAI).year + 1, 3, 2, 10, 0, tzinfo=SHANGHAI)
    today += timedelta(days=(1 - today.weekday()) % 7)
    monkeypatch.setattr("app.api.appointments.now", lambda: today)
    db.session.remove()
    return (today + timedelta(days=1)).replace(hour=9).isoformat()


def wishing(doors: Doors, slot_at: str, n: int, **more: Any) -> Step:
    person = {"name": "张三丰", "id_number": id_number(n), "phone": phone(n)}
    return lambda: doors.post(SLOT, {"queue": "A", "slot_at": slot_at, "person": person, **more})


def outcomes(answers: list[tuple[int, Any]]) -> Counter[Any]:
    return Counter(answer["state"] if status < 400 else answer["code"] for status, answer in answers)


def booked() -> int:
    db.session.rollback()
    query = select(func.count()).select_from(Appointment).where(Appointment.state == "booked")
    return db.session.execute(query).scalar_one()


def test_a_slot_never_takes_more_than_its_capacity(doors: Doors, slot_at: str) -> None:
    answers = at_once([wishing(doors, slot_at, n) for n in range(THREADS)])
    assert outcomes(answers) == {"booked": CAPACITY, "appointment.full": THREADS - CAPACITY}
    assert booked() == CAPACITY


def test_one_person_books_a_day_once_from_eight_threads(doors: Doors, slot_at: str) -> None:
    later = [(datetime.fromisoformat(slot_at) + timedelta(minutes=30 * n)).isoformat() for n in range(THREADS // 2)]
    answers = at_once([wishing(doors, at, 7) for at in (*later, *later)])
    found = outcomes(answers)
    assert found["booked"] == 1 == booked()
    assert found["appointment.ask_hall"] == THREADS - 1


def test_places_that_are_given_back_go_to_those_who_waited_first(doors: Doors, slot_at: str) -> None:
    held = [wishing(doors, slot_at, n)()[1] for n in range(CAPACITY)]
    waiting = [wishing(doors, slot_at, 10 + n, wait=True)()[1] for n in range(3)]
    giving: list[Step] = [lambda token=row["token"]: doors.post(f"/appointments/{token}/cancel") for row in held[:2]]
    late = [wishing(doors, slot_at, 20 + n, wait=True) for n in range(THREADS - 2)]
    answers = at_once([*giving, *late])
    assert [status for status, _ in answers[:2]] == [200, 200]
    found = outcomes(answers[2:])  # two places are waited for after two have moved up; five in all may wait
    assert set(found) <= {"waitlisted", "appointment.waiting_full"} and 2 <= found["waitlisted"] <= 4
    assert booked() == CAPACITY
    promoted = [
        row.event.appointment for row in eventlog.read(HALL, 0, 10_000) if row.event.kind == "appointment.promoted"
    ]
    assert promoted == [int(row["id"].rsplit("-", 1)[1]) for row in waiting[:2]]


def test_eight_kiosks_and_one_appointment_make_one_number(
    doors: Doors, slot_at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = wishing(doors, slot_at, 1)()[1]
    kiosks = [doors.kiosk() for _ in range(THREADS)]
    monkeypatch.setattr("app.api.tickets.now", lambda: datetime.fromisoformat(slot_at))
    body = {"appointment": made["token"]}
    answers = at_once([lambda token=token: doors.post(f"/halls/{HALL}/tickets", body, token) for token in kiosks])
    assert Counter(status for status, _ in answers) == {201: 1, 200: THREADS - 1}
    assert len({answer["token"] for _, answer in answers}) == 1
