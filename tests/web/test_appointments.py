"""Pages of appointments: free slots by day, one press one booking, the holder's page, the kiosk, the day, the rules."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.db import db
from app.events import CITIZEN
from app.now import SHANGHAI
from app.queueing.appointment_models import Appointment
from app.queueing.appointment_queries import rules_of
from app.queueing.appointment_rules import set_rules
from app.queueing.appointments import book
from app.web import appointments as web_appointments
from app.web.appointments import read_code
from tests.people import id_number, phone
from tests.web.visit import Visitor, announce_calendar, enter, said

ID_NUMBER = id_number(100)
PERSON = {"name": "张三丰", "id_number": ID_NUMBER, "phone": phone(0)}
CHOOSE = "/halls/luolong/appointments"


class Wall:
    """The clock of these pages; a working Tuesday, 09:00, at first."""

    def __init__(self, at: datetime) -> None:
        self.now = at

    def slot(self, days: int = 1, clock: str = "09:00") -> str:
        return f"{(self.now + timedelta(days=days)).date()}T{clock}"


@pytest.fixture
def wall(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Wall:
    announce_calendar()
    day = datetime(datetime.now(SHANGHAI).year + 1, 3, 2, 9, 0, tzinfo=SHANGHAI)
    clock = Wall(day + timedelta(days=(1 - day.weekday()) % 7))
    for module in ("booking", "appointments", "kiosk", "guide", "citizen"):
        monkeypatch.setattr(f"app.web.{module}.now", lambda: clock.now)
    return clock


def rows(app: Flask) -> list[Appointment]:
    with app.app_context():
        return list(db.session.execute(select(Appointment).order_by(Appointment.id)).scalars())


def reserve(app: Flask, wall: Wall, n: int = 0, **more: Any) -> dict[str, Any]:
    person = PERSON | {"id_number": id_number(n), "phone": phone(n)}
    slot = datetime.fromisoformat(more.pop("slot", wall.slot())).replace(tzinfo=SHANGHAI)
    given = {"queue": "A", "slot_at": slot, "channel": "web", "person": person, **more}
    with app.app_context():
        return book(hall="luolong", actor=CITIZEN, at=wall.now, **given)


def rule(app: Flask, staff: Any, wall: Wall, **changes: Any) -> None:
    set_rules(hall="luolong", actor=staff("admin01"), at=wall.now, rules=changes)


# ── booking ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_citizen_books_from_the_list_of_free_slots(app: Flask, wall: Wall) -> None:
    visitor = Visitor(app)
    visitor.get(CHOOSE)
    assert f"{CHOOSE}?queue=A" in visitor.links(CHOOSE)
    shown = said(visitor.get(f"{CHOOSE}?queue=A").text)
    assert "周末休息" in shown and "余 4" in shown
    link = f"{CHOOSE}/new?queue=A&slot={wall.slot()}"
    assert link in visitor.links(f"{CHOOSE}/new")
    visitor.get(link)
    fields = {name: visitor.hidden(name) for name in ("idempotency_key", "queue", "slot")} | PERSON
    answers = [visitor.post(f"{CHOOSE}/new", fields) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert answers[0].location == answers[1].location and len(rows(app)) == 1
    held = said(visitor.get(answers[0].location).text)
    assert "请在 08:45–09:10 报到" in held and "张*丰" in held and "138****1234" in held
    assert "张三丰" not in visitor.page and ID_NUMBER not in visitor.page
    assert visitor.links("/a/")[-1].endswith("/appointment.ics")


def test_what_is_wrong_is_said_on_the_form_and_what_was_typed_stays(app: Flask, wall: Wall) -> None:
    visitor = Visitor(app)
    visitor.get(f"{CHOOSE}/new?queue=A&slot={wall.slot()}")
    good = {"queue": "A", "slot": wall.slot(), **PERSON}
    for changes, status, words in (
        ({"id_number": "一二三"}, 422, "身份证件号码有误"),
        ({"phone": "no"}, 422, "手机号码有误"),
        ({"name": " "}, 422, "请填写姓名"),
        ({"slot": wall.slot(20)}, 409, "只能预约今后 7 天内的时段"),
        ({"slot": wall.slot(1, "12:30")}, 409, "这个时段大厅不开放预约"),
    ):
        answer = visitor.post(
            f"{CHOOSE}/new", good | changes | {"idempotency_key": f"press-{status}-{words}".encode().hex()[:80]}
        )
        assert answer.status_code == status and words in said(answer.text), said(answer.text)
        assert changes.get("phone", PERSON["phone"]) in answer.text
    assert rows(app) == []
    for address in (f"{CHOOSE}/new?queue=A&slot=soon", f"{CHOOSE}/new?queue=A&slot=2027-03-03T09:00Z"):
        assert visitor.get(address).status_code == 409
    assert visitor.get(f"{CHOOSE}?queue=Z").status_code == 404
    assert visitor.get("/a/nothing").status_code == 404


def test_public_booking_is_rate_limited_and_needs_its_token(
    app: Flask, wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = Visitor(app)
    fields = {"queue": "A", "slot": wall.slot(), **PERSON}
    with app.app_context():
        bare = app.test_client().post(f"{CHOOSE}/new", data=fields)
    assert bare.status_code == 400 and rows(app) == []

    monkeypatch.setitem(app.extensions, "settings", replace(app.extensions["settings"], ticket_limit="1/day"))
    answers = [visitor.post(f"{CHOOSE}/new", fields | {"idempotency_key": key}) for key in ("press-a", "press-b")]
    assert [answer.status_code for answer in answers] == [303, 429]


def test_a_full_slot_offers_its_waiting_list_and_giving_back_moves_it_up(app: Flask, wall: Wall, staff: Any) -> None:
    rule(app, staff, wall, capacity=1)
    first = reserve(app, wall, 1)
    visitor = Visitor(app)
    assert "可候补" in said(visitor.get(f"{CHOOSE}?queue=A").text)
    assert "排候补" in said(visitor.get(f"{CHOOSE}/new?queue=A&slot={wall.slot()}").text)
    fields = {name: visitor.hidden(name) for name in ("idempotency_key", "queue", "slot")} | PERSON | {"wait": "1"}
    address = visitor.post(f"{CHOOSE}/new", fields).location
    assert "候补第 1 位" in said(visitor.get(address).text)
    holder = Visitor(app)
    holder.get(f"/a/{first['token']}")
    given = holder.post(f"/a/{first['token']}/cancel", {"idempotency_key": holder.hidden("idempotency_key")})
    assert given.status_code == 303 and "预约已取消" in said(holder.get(given.location).text)
    assert "请在 08:45–09:10 报到" in said(visitor.get(address).text)
    wall.now += timedelta(days=1)  # 09:00, the slot begins
    late = visitor.post(f"{address}/cancel", {"idempotency_key": "another"})
    assert late.status_code == 409 and "预约时间已到" in said(late.text)


def test_the_calendar_file_says_when_and_where_and_not_who(app: Flask, wall: Wall) -> None:
    made = reserve(app, wall)
    answer = Visitor(app).get(f"/a/{made['token']}/appointment.ics")
    assert answer.mimetype == "text/calendar"
    lines = answer.get_data(as_text=True).split("\r\n")
    assert all(len(line.encode()) <= 75 for line in lines)
    whole = answer.get_data(as_text=True).replace("\r\n ", "")
    begins = datetime.fromisoformat(made["slot_at"]).astimezone(SHANGHAI) - timedelta(hours=8)
    assert f"DTSTART:{begins:%Y%m%dT%H%M%SZ}" in whole and "TRIGGER:-PT2H" in whole
    assert f"/a/{made['token']}" in whole and "张" not in whole


# ── coming ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("code", "read"),
    [
        ("http://127.0.0.1:8000/a/AAAAAAAAAAAAAAAAAAAAAA", {"token": "AAAAAAAAAAAAAAAAAAAAAA"}),
        (" AAAAAAAAAAAAAAAAAAAAAA ", {"token": "AAAAAAAAAAAAAAAAAAAAAA"}),
        ("41030519900101001x", {"id_number": "41030519900101001x"}),
        ("E1234567", {"id_number": "E1234567"}),
        ("http://127.0.0.1:8000/", {"id_number": "http://127.0.0.1:8000/"}),
        ("http://127.0.0.1:8000/a/AAAAAAAAAAAAAAAAAAAAAA/?from=paper#top", {"token": "AAAAAAAAAAAAAAAAAAAAAA"}),
        ("http://[::1", {"id_number": "http://[::1"}),
        ("https://[hall]/a", {"id_number": "https://[hall]/a"}),
    ],
)
def test_what_a_reader_sends_is_an_address_a_token_or_a_number(code: str, read: dict[str, str]) -> None:
    assert read_code(code) == read


def test_a_kiosk_checks_in_by_code_and_by_card(app: Flask, wall: Wall) -> None:
    made = reserve(app, wall)
    kiosk = Visitor(app)
    assert kiosk.get("/kiosk/appointments").status_code == 302
    kiosk.become("kiosk")
    kiosk.get("/kiosk/appointments")
    press = {"idempotency_key": kiosk.hidden("idempotency_key")}
    broken = kiosk.post("/kiosk/appointments", {"idempotency_key": "a", "code": "http://[::1"})
    assert broken.status_code == 422 and "身份证件号码有误" in said(broken.text)
    early = kiosk.post("/kiosk/appointments", press | {"code": id_number(0)})
    assert early.status_code == 404 and "今天没有您的预约" in said(early.text)
    wall.now += timedelta(days=1, minutes=-20)
    early = kiosk.post("/kiosk/appointments", {"idempotency_key": "b", "code": f"http://x/a/{made['token']}"})
    assert early.status_code == 409 and "08:45" in said(early.text)
    wall.now += timedelta(minutes=10)
    came = kiosk.post("/kiosk/appointments", {"idempotency_key": "c", "code": f"http://x/a/{made['token']}"})
    assert came.status_code == 303 and "again" not in came.location
    assert "A001" in said(kiosk.get(came.location).text)
    again = kiosk.post("/kiosk/appointments", {"idempotency_key": "d", "code": id_number(0)})
    assert again.location.endswith("again=1") and id_number(0) not in again.location
    phone = Visitor(app)
    assert "已报到" in said(phone.get(f"/a/{made['token']}").text) and phone.links("/t/")


def test_a_kiosk_tries_only_so_many_cards(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    strict = replace(web_appointments.settings(), ticket_limit="3/minute")
    monkeypatch.setattr(web_appointments, "settings", lambda: strict)
    kiosk = Visitor(app)
    kiosk.become("kiosk")
    kiosk.get("/kiosk/appointments")
    tries = [{"idempotency_key": str(n), "code": f"41030519900101{n:04d}"} for n in range(4)]
    answers = [kiosk.post("/kiosk/appointments", each) for each in tries]
    assert 429 not in [answer.status_code for answer in answers[:3]]
    assert answers[3].status_code == 429 and "稍后再试" in said(answers[3].text)


def test_who_gave_the_number_back_is_sent_to_the_desk(app: Flask, wall: Wall) -> None:
    made = reserve(app, wall)
    kiosk = Visitor(app)
    kiosk.become("kiosk")
    kiosk.get("/kiosk/appointments")
    wall.now += timedelta(days=1, minutes=-10)
    code = {"code": f"http://x/a/{made['token']}"}
    came = kiosk.post("/kiosk/appointments", {"idempotency_key": "a", **code})
    token = came.location.rpartition("/")[2]
    phone = Visitor(app)
    phone.get(f"/t/{token}")
    phone.post(f"/t/{token}/cancel", {"idempotency_key": phone.hidden("idempotency_key")})
    again = kiosk.post("/kiosk/appointments", {"idempotency_key": "b", **code})
    assert again.status_code == 409 and "请到导办台" in said(again.text)
    over = said(kiosk.get(f"/kiosk/ticket/{token}?again=1").text)
    assert "已取消" in over and "请用原来的号码" not in over and "打印号票" not in over


def test_the_day_shows_masked_people_and_their_steps(app: Flask, wall: Wall) -> None:
    come, missed, gone = (reserve(app, wall, n) for n in (1, 2, 3))
    wall.now += timedelta(days=1, minutes=11)
    desk = Visitor(app)
    enter(desk, "guide01")
    shown = said(desk.get("/appointments").text)
    assert shown.count("张*丰") == 3 and "138****1235" in shown and "已过报到时间" in shown
    assert "张三丰" not in desk.page and phone(1) not in desk.page
    numbers = [made["id"].rsplit("-", 1)[1] for made in (come, missed, gone)]

    def press(path: str, **fields: str) -> str:
        desk.get("/appointments")
        answer = desk.post(path, {"idempotency_key": desk.hidden("idempotency_key") + path.replace("/", "."), **fields})
        assert answer.status_code == 303
        return said(desk.get(answer.location).text)

    assert "给了普通号 A001" in press(f"/appointments/{numbers[0]}/check-in")
    assert "已经报到，号码 A001" in press("/appointments/check-in", code=come["token"])
    assert "已记爽约" in press(f"/appointments/{numbers[1]}/miss")
    assert "预约已取消" in press(f"/appointments/{numbers[2]}/cancel")
    assert "预约现在不能这样操作（预约已取消）" in press(f"/appointments/{numbers[2]}/miss")
    assert [row.state for row in rows(app)] == ["checked_in", "no_show", "cancelled"]
    assert "这一天没有预约" in said(desk.get("/appointments?day=2020-01-01").text)


def test_who_may_see_the_day_and_who_may_change_it(app: Flask, wall: Wall) -> None:
    made = reserve(app, wall)
    number = made["id"].rsplit("-", 1)[1]
    wall.now += timedelta(days=1, minutes=11)
    watcher = Visitor(app)
    enter(watcher, "supervisor01")
    page = said(watcher.get("/appointments?hall=luolong").text)
    assert "张*丰" in page and "记为爽约" in page and "扫预约二维码" not in page
    fields = {"hall": "luolong", "idempotency_key": "watch"}
    assert watcher.post(f"/appointments/{number}/check-in", fields).status_code == 403
    assert watcher.post(f"/appointments/{number}/miss", fields).status_code == 303
    clerk, kiosk = Visitor(app), Visitor(app)
    enter(clerk, "clerk01")
    kiosk.become("kiosk")
    assert clerk.get("/appointments").status_code == 403
    assert kiosk.get("/appointments").status_code in (302, 401)
    assert clerk.post(f"/appointments/{number}/cancel", fields).status_code == 403


# ── the rules ───────────────────────────────────────────────────────────────────────────────────────────────────


def form(page: str) -> dict[str, str]:
    found = dict(
        re.findall(r'<input class="form-control[^"]*" id="a-[^"]+" name="([^"]+)"[^>]*? value="([^"]*)"', page)
    )
    return {**found, "open": "1"}


def test_an_admin_sets_the_rules_over_those_that_were_seen(app: Flask, wall: Wall) -> None:
    admin = Visitor(app)
    enter(admin, "admin01")
    admin.get("/admin/appointments?hall=luolong")
    fields = form(admin.page) | {"hall": "luolong", "seen": admin.hidden("seen")}
    assert (fields["capacity"], fields["late_min"], fields["q-A"]) == ("4", "10", "")
    wrong = admin.post("/admin/appointments", fields | {"capacity": "many", "idempotency_key": "a"})
    assert wrong.status_code == 422 and "每个时段的名额 填写有误" in said(wrong.text) and 'value="many"' in wrong.text
    for key, changes, status in (("b", {"capacity": "2", "q-B": "0"}, 303), ("c", {"capacity": "3"}, 409)):
        answer = admin.post("/admin/appointments", fields | changes | {"idempotency_key": key})
        assert answer.status_code == status
    with app.app_context():
        rules = rules_of("luolong")
    assert (rules.capacity, rules.by_queue) == (2, {"B": 0})
    assert "这一类现在不接受预约" in said(Visitor(app).get(f"{CHOOSE}?queue=B").text)
