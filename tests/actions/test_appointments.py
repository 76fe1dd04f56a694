"""Appointments on both databases: booked within limits, given back, moved up, kept or missed; what is refused comes first."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from app import eventlog
from app.db import db
from app.events import CITIZEN, SYSTEM
from app.hall.settings import add_exception
from app.now import SHANGHAI, iso
from app.people.permissions import DEVICES
from app.queueing import arriving, closing
from app.queueing.appointment_models import Appointment
from app.queueing.appointment_queries import appointment_view, appointments_of, find_appointment, slots_by_day
from app.queueing.appointment_rules import set_rules
from app.queueing.appointments import book, cancel, check_in, miss, sweep, sweep_due
from app.queueing.models import Ticket
from app.queueing.setup import set_queue_active
from app.queueing.tickets import cancel_ticket
from tests.actions.conftest import ID, Hall, number_of, refused
from tests.people import id_number, phone


def person(n: int = 0) -> dict[str, str]:
    return {"name": "张三丰", "id_number": id_number(n), "phone": phone(n)}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


TODAY = "2026-03-02"  # a Monday; `spring` stands at 10:00
TUESDAY = at("2026-03-03T09:00")


def take(hall: Hall, n: int = 0, slot: datetime = TUESDAY, queue: str = "A", **more: Any) -> dict[str, Any]:
    given = {"channel": "web", "person": person(n), **more}
    return hall.do(book, CITIZEN, queue=queue, slot_at=slot, **given)


def at_desk(hall: Hall, **more: Any) -> dict[str, Any]:
    given = {"queue": "A", "slot_at": more.pop("slot", TUESDAY), "channel": "guide", "person": person(), **more}
    return hall.do(book, "guide01", **given)


def told(start: str = "appointment.") -> list[str]:
    db.session.rollback()
    kinds = [row.event.kind for row in eventlog.read("luolong", 0, 5000)]
    return [kind.removeprefix(start) for kind in kinds if kind.startswith(start)]


def seen(hall: Hall, made: dict[str, Any]) -> dict[str, Any]:
    db.session.rollback()
    view = appointment_view("luolong", number_of(made), hall.at)
    db.session.rollback()
    return view


def slot_of(hall: Hall, slot: datetime, queue: str = "A") -> dict[str, Any]:
    db.session.rollback()
    days = slots_by_day("luolong", queue, hall.at)
    return next(each for day in days for each in day["slots"] if each["slot_at"] == iso(slot))


def rules(hall: Hall, **changes: Any) -> None:
    hall.do(set_rules, "admin01", rules=changes)


# ── booking ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"queue": "Z"}, "queue.unknown"),
        ({"slot": at("2026-03-03T09:10")}, "appointment.closed"),  # no slot begins then
        ({"slot": at("2026-03-03T12:00")}, "appointment.closed"),  # lunch
        ({"slot": at("2026-03-07T09:00")}, "appointment.closed"),  # Saturday
        ({"slot": at("2026-03-10T09:00")}, "appointment.too_far"),
        ({"slot": at("2026-03-02T10:30")}, "appointment.too_late"),  # half an hour before
        ({"slot": at("2026-03-02T09:00")}, "appointment.too_late"),
        ({"person": person() | {"name": ""}}, "text.empty"),
        ({"person": person() | {"id_number": ""}}, "person.bad_id"),
        ({"person": person() | {"phone": ""}}, "person.bad_phone"),
    ],
)
def test_what_cannot_be_booked(spring, arguments, code) -> None:
    before = eventlog.heads()
    with refused(code):
        take(spring, **arguments)
    assert eventlog.heads() == before


def test_a_slot_takes_its_capacity_and_no_more(spring) -> None:
    rules(spring, capacity=2, waiting=1)
    first, second = take(spring, 1), take(spring, 2)
    assert (first["state"], first["slot_at"]) == ("booked", "2026-03-03T09:00:00.000+08:00")
    with refused("appointment.full"):
        take(spring, 3)
    assert take(spring, 3, wait=True)["state"] == "waitlisted"
    with refused("appointment.waiting_full"):
        take(spring, 4, wait=True)
    assert slot_of(spring, TUESDAY) | {"ends_at": ""} == {
        "slot_at": iso(TUESDAY),
        "ends_at": "",
        "free": 0,
        "waiting": 1,
        "state": "waiting_full",
    }
    assert take(spring, 4, queue="B")["state"] == "booked"  # each queue has its own places
    rules(spring, capacity=2, waiting=1, slot_min=60)  # 09:00 lies within 08:30–09:30 now
    with refused("appointment.full"):
        take(spring, 5, slot=at("2026-03-03T08:30"))
    assert second["token"] != first["token"] and find_appointment(second["token"]) == ("luolong", number_of(second))


def test_where_none_are_taken(spring) -> None:
    rules(spring, by_queue={"A": 0})
    with refused("appointment.not_offered"):
        take(spring)
    spring.do(set_queue_active, "admin01", queue="B", active=False)
    with refused("queue.closed"):
        take(spring, queue="B")
    rules(spring, open=False)
    with refused("appointment.not_offered"):
        take(spring, queue="C")


def test_limits_count_every_queue_and_hall(spring, staff) -> None:
    take(spring)
    with refused("appointment.twice"):
        at_desk(spring)
    with refused("appointment.limit_day"):
        at_desk(spring, queue="B", slot=at("2026-03-03T15:00"))
    book(
        hall="lilou",
        actor=CITIZEN,
        at=spring.at,
        queue="A",
        slot_at=at("2026-03-04T09:00"),
        channel="web",
        person=person(),
    )
    with refused("appointment.limit_week") as refusal:
        at_desk(spring, slot=at("2026-03-05T09:00"))
    assert refusal.value.facts == {"most": 2}
    again = take(spring, slot=at("2026-03-09T09:00"))  # next week
    spring.do(cancel, CITIZEN, appointment_id=number_of(again))
    assert take(spring, slot=at("2026-03-09T15:00"))["state"] == "booked"  # what was given back does not count


def test_no_personal_data_leaves_the_sealed_fields(spring) -> None:
    made = take(spring)
    spring.at = at("2026-03-03T09:00")
    spring.do(check_in, spring.kiosk, appointment_id=number_of(made), channel="kiosk")
    db.session.rollback()
    written = repr([row.event for row in eventlog.read("luolong", 0, 5000)])
    row = db.session.get(Appointment, ("luolong", number_of(made)))
    stored = repr({column.name: getattr(row, column.name) for column in Appointment.__table__.columns})
    view = repr(appointment_view("luolong", number_of(made), spring.at) | {"ticket_token": ""})
    listed = repr(appointments_of("luolong", spring.at.date(), spring.at))
    for text in (written, stored, view, listed):
        assert "张三丰" not in text and person()["id_number"] not in text and "13812341234" not in text
        assert made["token"] not in text
    assert "张*丰" in view and "138****1234" in listed


@pytest.mark.parametrize("spelt", ["410305199001010011", "41030519900101001X", "4103 0519 9001 0100 11"])
def test_a_residents_number_needs_its_check_digit(spring, spelt) -> None:
    with refused("person.bad_id"):
        take(spring, person=person() | {"id_number": spelt})
    assert take(spring, person=person() | {"id_number": "410305199001010012"})["state"] == "booked"
    assert take(spring, person=person(1) | {"id_number": "E12345678"})["state"] == "booked"  # a passport has none


def test_who_is_not_at_the_desk_learns_nothing_of_others_appointments(spring) -> None:
    take(spring)
    stranger = {"name": "李四", "id_number": person()["id_number"], "phone": phone(50)}
    said = set()
    for slot, queue in ((TUESDAY, "A"), (at("2026-03-03T15:00"), "B")):  # the very slot, the day
        with refused("appointment.ask_hall") as refusal:
            take(spring, slot=slot, queue=queue, person=stranger)
        said.add((refusal.value.sentence("zh"), refusal.value.sentence("en")))
    take(spring, slot=at("2026-03-05T09:00"))
    with refused("appointment.ask_hall") as refusal:  # the week
        take(spring, slot=at("2026-03-06T09:00"), person=stranger)
    said.add((refusal.value.sentence("zh"), refusal.value.sentence("en")))
    ((zh, en),) = said
    assert "0379-65980000" in zh and "0379-65980000" in en
    assert refusal.value.facts == {"phone": "0379-65980000"}


def test_a_full_slot_is_full_for_everybody_who_is_not_at_the_desk(spring) -> None:
    rules(spring, capacity=1)
    take(spring)
    with refused("appointment.full"):
        take(spring)
    with refused("appointment.twice"):
        at_desk(spring)


def test_a_phone_books_no_more_than_a_family_needs_and_the_desk_helps_a_larger_one(spring) -> None:
    family = [person(n) | {"phone": phone(0)} for n in range(4)]
    for each in family[:3]:
        take(spring, person=each)
    with refused("appointment.ask_hall"):
        take(spring, person=family[3])
    assert at_desk(spring, person=family[3])["state"] == "booked"
    assert take(spring, 5, queue="B")["state"] == "booked"


# ── giving back, moving up ──────────────────────────────────────────────────────────────────────────────────────


def test_who_gives_back_makes_room_for_the_first_who_waits(spring) -> None:
    rules(spring, capacity=1)
    first = take(spring, 1)
    waiting = [take(spring, n, wait=True) for n in (2, 3, 4)]
    assert [seen(spring, made)["place"] for made in waiting] == [1, 2, 3]
    spring.do(cancel, CITIZEN, appointment_id=number_of(waiting[0]))
    spring.do(cancel, CITIZEN, appointment_id=number_of(first))
    assert [seen(spring, made)["state"] for made in waiting] == ["cancelled", "booked", "waitlisted"]
    assert told() == ["booked", *["waitlisted"] * 3, "cancelled", "cancelled", "promoted"]
    with refused("appointment.illegal_step"):
        spring.do(cancel, CITIZEN, appointment_id=number_of(first))
    rules(spring, capacity=2)  # more room lets the next one up too
    assert seen(spring, waiting[2])["state"] == "booked"
    assert sum(kind == "promoted" for kind in told()) == 2


def test_nobody_moves_up_when_it_is_too_late_to_come(spring) -> None:
    rules(spring, capacity=1)
    first, waits = take(spring, 1), take(spring, 2, wait=True)
    spring.at = at("2026-03-03T08:30")
    assert sweep_due("luolong", spring.at)
    spring.do(cancel, CITIZEN, appointment_id=number_of(first))
    assert seen(spring, waits)["state"] == "waitlisted"
    assert spring.do(sweep, SYSTEM) == {"ended": 1, "more": False}
    assert seen(spring, waits)["state"] == "expired" and told()[-1] == "expired"
    assert not sweep_due("luolong", spring.at)


def test_a_citizen_gives_back_before_the_time_and_staff_also_after(spring) -> None:
    made, unknown = take(spring), 999_999
    spring.at = TUESDAY
    with refused("appointment.begun"):
        spring.do(cancel, CITIZEN, appointment_id=number_of(made))
    with refused("appointment.unknown"):
        spring.do(cancel, CITIZEN, appointment_id=unknown)
    spring.do(cancel, "guide01", appointment_id=number_of(made))
    assert seen(spring, made)["state"] == "cancelled"


# ── coming ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_comes_in_time_is_ranked_by_the_booked_time(spring) -> None:
    made = take(spring, item=None)
    arrive = {"appointment_id": number_of(made), "channel": "kiosk"}
    with refused("appointment.too_early"):
        spring.do(check_in, spring.kiosk, **arrive)
    spring.at = at("2026-03-03T08:44:59")
    with refused("appointment.too_early") as refusal:
        spring.do(check_in, spring.kiosk, **arrive)
    assert refusal.value.facts == {"opens_at": "2026-03-03 08:45"}
    spring.at = at("2026-03-03T08:50")
    walk_in = spring.take()
    ticket = spring.do(check_in, spring.kiosk, **arrive)
    assert (ticket["lane"], ticket["punctual"], ticket["created"], ticket["ahead"]) == ("appointment", True, True, 1)
    row = db.session.get(Ticket, ("luolong", number_of(ticket)))
    assert row.queued_us == int(TUESDAY.timestamp()) * 1_000_000 and row.appointment_id == number_of(made)
    db.session.rollback()
    again = spring.later(minutes=1).do(check_in, spring.kiosk, **arrive)
    assert (again["id"], again["token"], again["created"]) == (ticket["id"], ticket["token"], False)
    assert told("ticket.") == ["issued", "issued"] and told()[-1] == "checked_in"
    spring.open()
    assert spring.call()["ticket"]["number"] == walk_in["number"]  # who came before the booked time
    with refused("appointment.illegal_step"):
        spring.do(cancel, "guide01", appointment_id=number_of(made))


def test_who_has_a_number_already_keeps_it_and_is_told_so(spring) -> None:
    made = take(spring, 3)
    spring.at = at("2026-03-03T08:50")
    held = spring.take(person=person(3))
    arrive = {"appointment_id": number_of(made), "channel": "kiosk"}
    for _ in range(2):
        ticket = spring.do(check_in, spring.kiosk, **arrive)
        assert (ticket["id"], ticket["lane"], ticket["punctual"]) == (held["id"], "normal", False)


def test_who_gave_the_ticket_back_is_sent_to_the_desk(spring) -> None:
    made = take(spring)
    spring.at = at("2026-03-03T08:50")
    arrive = {"appointment_id": number_of(made), "channel": "kiosk"}
    ticket = spring.do(check_in, spring.kiosk, **arrive)
    spring.do(cancel_ticket, CITIZEN, ticket_id=number_of(ticket))
    with refused("appointment.ticket_over") as refusal:
        spring.do(check_in, spring.kiosk, **arrive)
    assert refusal.value.facts == {"number": ticket["number"]}
    assert told("ticket.") == ["issued", "cancelled"]


def test_who_comes_late_is_in_the_normal_lane_from_now(spring) -> None:
    made = take(spring)
    spring.at = at("2026-03-03T09:10:01")
    ticket = spring.do(check_in, "guide01", appointment_id=number_of(made), channel="guide")
    assert (ticket["lane"], ticket["punctual"]) == ("normal", False)
    row = db.session.get(Ticket, ("luolong", number_of(ticket)))
    assert row.queued_us == int(spring.at.timestamp()) * 1_000_000


def test_a_hall_that_gives_no_more_numbers_still_takes_who_booked(spring) -> None:
    in_time, late = take(spring, 1), take(spring, 2, slot=at("2026-03-03T08:30"))
    of_queue = take(spring, 3, queue="B")
    spring.at = at("2026-03-03T08:55")
    spring.do(closing.stop_issuing, "supervisor01")
    spring.do(set_queue_active, "admin01", queue="B", active=False)
    with refused("queue.closed_for_today"):
        spring.take()
    for made, lane in ((in_time, "appointment"), (late, "normal"), (of_queue, "appointment")):
        ticket = spring.do(check_in, "guide01", appointment_id=number_of(made), channel="guide")
        assert (ticket["lane"], ticket["created"]) == (lane, True)
    spring.at = at("2026-03-03T18:00")
    assert spring.do(sweep, SYSTEM)["ended"] == 0 and "missed" not in told()


def test_checking_in_by_token_or_by_id_number_in_this_hall(spring, kiosk) -> None:
    other = book(hall="lilou", actor=CITIZEN, at=spring.at, queue="A", slot_at=TUESDAY, channel="web", person=person(1))
    made = take(spring)
    spring.at = TUESDAY
    with refused("appointment.other_hall") as refusal:
        arriving.arrive("luolong", spring.kiosk, spring.at, token=other["token"])
    assert "李楼" in refusal.value.facts["hall"]
    for nobody in ({"token": "nothing"}, {"id_number": ID}, {"id_number": person(1)["id_number"]}):
        with refused("appointment.unknown" if "token" in nobody else "appointment.none_today"):
            arriving.arrive("luolong", spring.kiosk, spring.at, **nobody)
    first = arriving.arrive(
        "luolong", spring.kiosk, spring.at, id_number=f" {person()['id_number'][:6]} {person()['id_number'][6:]}"
    )
    again = arriving.arrive("luolong", spring.kiosk, spring.at, token=made["token"])
    assert first["id"] == again["id"] and (first["created"], again["created"]) == (True, False)
    foreign = type(kiosk)("device", 8, "kiosk-8", "lilou", DEVICES["kiosk"])
    with refused("auth.foreign_hall"):
        arriving.arrive("luolong", foreign, spring.at, token=made["token"])


# ── not coming ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_two_misses_block_until_their_day(spring) -> None:
    for day in (3, 4):
        take(spring, slot=at(f"2026-03-{day:02d}T09:00"))
    spring.at = at("2026-03-03T17:59")
    assert not sweep_due("luolong", spring.at)  # they might still come, late
    spring.at = at("2026-03-03T18:00")
    assert spring.do(sweep, SYSTEM)["ended"] == 1
    spring.at = at("2026-03-05T00:00")  # nobody was there in the evening
    assert spring.do(sweep, SYSTEM)["ended"] == 1 and told()[-2:] == ["missed", "missed"]
    with refused("appointment.blocked") as refusal:
        at_desk(spring, slot=at("2026-03-10T09:00"))
    assert refusal.value.facts == {"until": "2026-06-04", "misses": 2}
    with refused("appointment.ask_hall") as refusal:
        take(spring, slot=at("2026-03-10T09:00"))
    assert refusal.value.facts == {"phone": "0379-65980000"}
    spring.at = at("2026-06-04T08:00")
    assert take(spring, slot=at("2026-06-05T09:00"))["state"] == "booked"


def test_staff_say_that_nobody_came_and_who_comes_after_all_has_missed_nothing(spring) -> None:
    made = take(spring)
    spring.at = at("2026-03-03T09:10")
    with refused("appointment.not_missed"):
        spring.do(miss, "guide01", appointment_id=number_of(made))
    spring.later(seconds=1).do(miss, "guide01", appointment_id=number_of(made))
    assert seen(spring, made)["state"] == "no_show"
    ticket = spring.later(hours=1).do(check_in, "guide01", appointment_id=number_of(made), channel="guide")
    assert ticket["lane"] == "normal" and seen(spring, made)["state"] == "checked_in"
    other = take(spring, 1, slot=at("2026-03-03T14:00"))
    spring.at = at("2026-03-04T09:00")
    with refused("appointment.day_over"):
        spring.do(check_in, "guide01", appointment_id=number_of(other), channel="guide")


def test_who_came_and_took_a_number_without_checking_in_has_missed_nothing(spring) -> None:
    came, missed = take(spring, 1), take(spring, 2)
    before = take(spring, 2, slot=at("2026-03-04T09:00"))
    spring.at = at("2026-03-03T09:30")
    ticket = spring.take(person=person(1))
    spring.do(cancel_ticket, CITIZEN, ticket_id=number_of(ticket))
    spring.take("B", person=person(2))  # for something else
    spring.at = at("2026-03-03T18:00")
    assert spring.do(sweep, SYSTEM)["ended"] == 2
    assert [seen(spring, made)["state"] for made in (came, missed, before)] == ["checked_in", "no_show", "booked"]
    assert appointments_of("luolong", spring.at.date(), spring.at)[0]["number"] == ticket["number"]


def test_nobody_misses_a_time_at_which_the_hall_was_shut(spring) -> None:
    shut, of_queue, missed = take(spring, 1), take(spring, 2, queue="B"), take(spring, 3, slot=at("2026-03-03T15:00"))
    span = {"from_at": at("2026-03-03T08:00"), "to_at": at("2026-03-03T12:00")}
    spring.do(add_exception, "admin01", **span, opens=False, reason="停电")
    assert seen(spring, shut)["shut"] and not seen(spring, missed)["shut"]
    spring.do(set_queue_active, "admin01", queue="B", active=False)
    spring.at = at("2026-03-03T18:00")
    assert spring.do(sweep, SYSTEM)["ended"] == 3
    states = [seen(spring, made)["state"] for made in (shut, of_queue, missed)]
    assert states == ["cancelled", "cancelled", "no_show"]
    assert [row.event.by for row in eventlog.read("luolong", 0, 5000) if row.event.kind == "appointment.cancelled"] == [
        "hall",
        "hall",
    ]


# ── the rules ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_rules_are_set_whole_and_over_those_that_were_seen(spring) -> None:
    answer = spring.do(set_rules, "admin01", rules={"capacity": 3, "by_queue": {"B": 1}})
    assert answer["rules"]["capacity"] == 3 and answer["rules"]["late_min"] == 10
    for given, code in (
        ({"rules": {"capacity": 3, "by_queue": {"B": 1}}}, "appointment_rules.unchanged"),
        ({"rules": {"capacity": 5}, "seen": "another"}, "appointment_rules.changed"),
        ({"rules": {"capacity": -1}}, "appointment_rules.invalid"),
        ({"rules": {"by_queue": {"Z": 1}}}, "appointment_rules.invalid"),
    ):
        with refused(code):
            spring.do(set_rules, "admin01", **given)
    spring.do(set_rules, "admin01", rules={}, seen=answer["seen"])
    changed = [
        row.event.rules for row in eventlog.read("luolong", 0, 5000) if row.event.kind == "appointment_rules.changed"
    ]
    assert [each["capacity"] for each in changed] == [3, 4]


def test_slots_are_listed_day_by_day_with_the_reason_of_an_empty_one(spring) -> None:
    spring.do(
        add_exception,
        "admin01",
        from_at=at("2026-03-05T00:00"),
        to_at=at("2026-03-06T00:00"),
        opens=False,
        reason="停电",
    )
    days = slots_by_day("luolong", "A", spring.at)
    assert [(day["day"][-2:], day["closed"]) for day in days] == [
        ("02", ""),
        ("03", ""),
        ("04", ""),
        ("05", "shut"),
        ("06", ""),
        ("07", "weekend"),
        ("08", "weekend"),
        ("09", ""),
    ]
    assert days[0]["slots"][0]["slot_at"] == "2026-03-02T11:00:00.000+08:00"  # 10:30 can no longer be booked
    assert len(days[1]["slots"]) == 16 and {slot["free"] for slot in days[1]["slots"]} == {4}
    two = slots_by_day("luolong", "A", spring.at, first=(spring.at + timedelta(days=1)).date(), days=2)
    assert [day["day"] for day in two] == ["2026-03-03", "2026-03-04"]
    with refused("queue.unknown"):
        slots_by_day("luolong", "Z", spring.at)
