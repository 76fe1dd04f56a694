"""Appointments over the API: free slots, booking, giving back, checking in, the rules; every answer against the document."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.now import SHANGHAI
from tests.api.asking import Asking
from tests.people import id_number, phone
from tests.web.visit import announce_calendar

PERSON = {"name": "张三丰", "id_number": id_number(1), "phone": phone(0)}
HALL = "/halls/luolong"


@pytest.fixture
def clock(app: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, datetime]:
    """The wall clock of what these routes ask, which the test moves; a working Tuesday of next year at first."""
    announce_calendar()
    year = datetime.now(SHANGHAI).year + 1
    tuesday = datetime(year, 3, 2, 9, 0, tzinfo=SHANGHAI)
    tuesday += timedelta(days=(1 - tuesday.weekday()) % 7)
    wall = {"now": tuesday}
    for module in ("appointments", "tickets"):
        monkeypatch.setattr(f"app.api.{module}.now", lambda: wall["now"])
    return wall


def wish(ask: Asking, n: int = 0, **more: Any) -> dict[str, Any]:
    """Tomorrow's first slot of queue A."""
    days = ask.get(f"{HALL}/slots?queue=A")
    return {"queue": "A", "slot_at": days[1]["slots"][0]["slot_at"], "person": PERSON, **more}


def test_slots_are_told_day_by_day(ask: Asking, clock: dict[str, datetime]) -> None:
    days = ask.get(f"{HALL}/slots?queue=A")
    assert len(days) == 8 and [day["closed"] for day in days].count("weekend") == 2
    later = (clock["now"] + timedelta(days=1)).date().isoformat()
    (one,) = ask.get(f"{HALL}/slots?queue=A&from={later}&days=1")
    assert one == days[1] and one["slots"][0]["slot_at"].startswith(f"{later}T08:30") and one["slots"][0]["free"] == 4
    ask.refused("hall.unknown", "GET", "/halls/nowhere/slots?queue=A")
    ask.refused("queue.unknown", "GET", f"{HALL}/slots?queue=Z")
    assert ask.get(f"{HALL}/slots") == days
    assert ask.get(f"{HALL}/slots?queue=A&from=2100-12-31&days=61") == []
    for query in ("?queue=A&days=0", "?queue=A&from=tomorrow", "?queue=A&from=9999-12-31&days=61"):
        ask.refused("request.invalid", "GET", f"{HALL}/slots{query}")


def test_an_item_that_nobody_knows_is_not_written_down(ask: Asking, clock: dict[str, datetime]) -> None:
    for words in ("张三丰 410305199001010011", "511A0005200008"):
        ask.refused("item.unknown", "POST", f"{HALL}/appointments", wish(ask, item=words))


def test_an_appointment_from_booking_to_the_number(ask: Asking, clock: dict[str, datetime]) -> None:
    given = wish(ask)
    made = ask.post(f"{HALL}/appointments", given, 201, key="one-press")
    assert made["state"] == "booked"
    assert ask.post(f"{HALL}/appointments", given, 201, key="one-press") == made
    told = ask.refused("appointment.ask_hall", "POST", f"{HALL}/appointments", given, key="another-press")
    stranger = {"name": "李四", "id_number": PERSON["id_number"], "phone": phone(9)}
    later = ask.get(f"{HALL}/slots?queue=B")[1]["slots"][-1]["slot_at"]
    other = {"queue": "B", "slot_at": later, "person": stranger}
    assert ask.refused("appointment.ask_hall", "POST", f"{HALL}/appointments", other)["title"] == told["title"]
    held = ask.get(f"/appointments/{made['token']}")
    assert (held["name"], held["phone"], held["cancellable"]) == ("张*丰", "138****1234", True)
    assert "token" not in held and PERSON["id_number"] not in str(held)
    kiosk = ask.device("kiosk")
    check_in = {"appointment": made["token"]}
    ask.refused("appointment.too_early", "POST", f"{HALL}/tickets", check_in, token=kiosk)
    clock["now"] = datetime.fromisoformat(given["slot_at"])
    ask.refused("auth.required", "POST", f"{HALL}/tickets", check_in)
    lilou = ask.device("kiosk", "lilou")
    ask.refused("appointment.other_hall", "POST", "/halls/lilou/tickets", check_in, token=lilou)
    ticket = ask.post(f"{HALL}/tickets", check_in, 201, token=kiosk)
    again = ask.post(f"{HALL}/appointments/check-in", {"id_number": PERSON["id_number"]}, 200, who="guide01")
    assert ticket["lane"] == "appointment" and again["punctual"] and again["token"] == ticket["token"]
    assert ask.get(f"/tickets/{ticket['token']}")["appointment"] == made["id"]
    ask.refused("appointment.illegal_step", "POST", f"/appointments/{made['token']}/cancel")


def test_a_full_slot_has_a_waiting_list_that_moves_up(ask: Asking, clock: dict[str, datetime]) -> None:
    rules = ask.get(f"{HALL}/appointment-rules")
    body = {"rules": rules["rules"] | {"capacity": 1}, "seen": rules["seen"]}
    answer = ask("PUT", f"{HALL}/appointment-rules", body, who="admin01")
    assert answer.status_code == 200 and answer.json["rules"]["capacity"] == 1
    first = ask.post(f"{HALL}/appointments", wish(ask), 201)
    other = wish(ask, person={"name": "李四", "id_number": id_number(2), "phone": phone(2)})
    ask.refused("appointment.full", "POST", f"{HALL}/appointments", other)
    waits = ask.post(f"{HALL}/appointments", other | {"wait": True}, 201)
    assert waits["state"] == "waitlisted" and ask.get(f"/appointments/{waits['token']}")["place"] == 1
    assert ask.post(f"/appointments/{first['token']}/cancel")["state"] == "cancelled"
    assert ask.get(f"/appointments/{waits['token']}")["state"] == "booked"
    ask.refused("appointment_rules.changed", "PUT", f"{HALL}/appointment-rules", body, who="admin01")
    ask.refused("auth.forbidden", "PUT", f"{HALL}/appointment-rules", body, who="guide01")


def test_what_is_refused(ask: Asking, clock: dict[str, datetime]) -> None:
    path, good = f"{HALL}/appointments", wish(ask)
    for changes, code in (
        ({"queue": "Z"}, "queue.unknown"),
        ({"queue": None}, "request.invalid"),
        ({"queue": None, "item": "no-such-item"}, "item.unknown"),
        ({"slot_at": "2026-13-01"}, "request.invalid"),
        ({"slot_at": "2027-03-03T08:30:00"}, "request.invalid"),  # no zone: which instant?
        ({"slot_at": "0001-01-01T00:00:00+08:00"}, "appointment.closed"),
        ({"slot_at": "9999-12-31T23:59:59-12:00"}, "appointment.closed"),
        ({"slot_at": (clock["now"] + timedelta(days=9)).isoformat()}, "appointment.too_far"),
        ({"person": PERSON | {"phone": "no"}}, "person.bad_phone"),
        ({"person": PERSON | {"id_number": "410305199001010011"}}, "person.bad_id"),  # its check digit is another
        ({"person": {"name": "张三"}}, "request.invalid"),
    ):
        ask.refused(code, "POST", path, good | changes)
    ask.refused("hall.unknown", "POST", "/halls/nowhere/appointments", good)
    ask.refused("appointment.unknown", "GET", "/appointments/nothing")
    ask.refused("appointment.unknown", "POST", "/appointments/nothing/cancel")
    desk = {"who": "guide01"}
    ask.refused("appointment.none_today", "POST", f"{path}/check-in", {"id_number": PERSON["id_number"]}, **desk)
    ask.refused("request.invalid", "POST", f"{path}/check-in", {}, **desk)
