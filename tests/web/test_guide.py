"""The guide desk: numbers for those who stand there, tickets found again, slips printed again."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.catalog.queries import search_items
from app.db import db
from app.events import SYSTEM
from app.now import now
from app.queueing.models import Ticket
from app.queueing.queries import person_of
from app.queueing.tickets import issue_ticket
from tests.web.visit import Visitor, said


@pytest.fixture
def guide(app: Flask) -> Visitor:
    visitor = Visitor(app)
    assert visitor.sign_in("guide01").status_code == 302
    visitor.get("/guide")
    return visitor


def tickets(app: Flask, **equal: str) -> int:
    with app.app_context():
        return db.session.execute(select(func.count()).select_from(Ticket).filter_by(**equal)).scalar_one()


PAGES = ["/guide", "/guide/search?q=sfz", "/guide/queues", "/guide/tickets?number=A001", "/guide/tickets/A001"]


@pytest.mark.parametrize("path", PAGES)
def test_the_desk_is_for_guides(app: Flask, path: str) -> None:
    stranger, kiosk, clerk = Visitor(app), Visitor(app), Visitor(app)
    kiosk.become("kiosk")
    clerk.sign_in("clerk01")
    for visitor in (stranger, kiosk):
        answer = visitor.get(path)
        assert answer.status_code == 302
        assert answer.location.startswith("/login")
    assert clerk.get(path).status_code == 403


def test_a_kiosk_takes_no_ticket_at_the_desk(app: Flask) -> None:
    kiosk = Visitor(app)
    kiosk.become("kiosk")
    assert kiosk.post("/guide/tickets", {"queue": "A", "idempotency_key": "k"}).status_code == 401
    assert tickets(app) == 0


def test_the_bar_says_who_sits_here_and_only_their_desks(guide: Visitor) -> None:
    page = guide.get("/guide").text
    text = said(page)
    for words in ("洛龙区政务服务中心", "导办员", "退出", "商事登记", "便民服务"):
        assert words in text
    assert guide.links("/clerk") == guide.links("/admin") == []


def test_a_number_is_taken_for_an_item(app: Flask, guide: Visitor) -> None:
    item = search_items(q="旅馆业", zone="A")["items"][0]
    found = guide.get("/guide/search?q=旅馆业").text
    assert item["name"] in found
    assert "<html" not in found
    guide.get(next(href for href in guide.links("/guide?item=") if item["code"] in href))
    assert "要带的材料" in said(guide.page)
    fields = {name: guide.hidden(name) for name in ("item", "idempotency_key")}
    first, second = guide.post("/guide/tickets", fields), guide.post("/guide/tickets", fields)
    assert first.location == second.location == "/guide/tickets/A001"
    page = said(guide.get(first.location).text)
    assert "号票 A001" in page
    assert item["name"] in page
    assert tickets(app, channel="guide", item=item["code"]) == tickets(app) == 1


def test_a_person_is_kept_sealed_and_not_shown(app: Flask, guide: Visitor) -> None:
    person = {"name": "欧阳·小三𠮷", "id_number": "51160219900101123x", "phone": "+86 138-1234-5678"}
    fields = {"queue": "C", "ground": "elderly", "idempotency_key": guide.hidden("idempotency_key"), **person}
    answer = guide.post("/guide/tickets", fields)
    page = guide.get(answer.location).text
    assert "优先" in said(page)
    for private in ("欧阳", "51160219900101123", "13812345678"):
        assert private not in page
    with app.app_context():
        row = db.session.execute(select(Ticket)).scalar_one()
        assert row.lane == "priority"
        kept = person_of(row.hall, row.id)
    assert kept == {"name": "欧阳·小三𠮷", "id_number": "51160219900101123X", "phone": "13812345678"}


def test_the_same_person_is_led_to_the_number_they_hold(app: Flask, guide: Visitor) -> None:
    for _ in range(2):
        guide.get("/guide")
        fields = {"queue": "A", "phone": "13812345678", "idempotency_key": guide.hidden("idempotency_key")}
        answer = guide.post("/guide/tickets", fields)
        assert answer.location == "/guide/tickets/A001"
        text = said(guide.get(answer.location).text)
    assert "此人今天在该队列已有号票 A001" in text
    assert tickets(app) == 1


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "请选择队列"),
        ({"queue": "Z"}, "请选择队列"),
        ({"queue": "A", "phone": "12"}, "手机号码有误"),
        ({"queue": "A", "id_number": "x"}, "身份证件号码有误"),
        ({"queue": "A", "name": "三" * 61}, "最多 60 个字符"),
        ({"queue": "A", "name": "小\u202e三"}, "不能使用的字符"),
        ({"queue": "A", "name": "😀"}, "不能使用的字符"),
    ],
)
def test_a_mistake_is_said_beside_its_field_and_the_rest_is_kept(
    app: Flask, guide: Visitor, fields: dict[str, str], sentence: str
) -> None:
    key = guide.hidden("idempotency_key")
    answer = guide.post("/guide/tickets", {"idempotency_key": key, "ground": "military", **fields})
    assert answer.status_code in (404, 422)
    assert sentence in said(answer.text)
    assert '<option value="military" selected>' in answer.text
    assert tickets(app) == 0


def test_a_ticket_is_found_by_its_number(guide: Visitor) -> None:
    issue_ticket(hall="luolong", actor=SYSTEM, at=now(), queue="D", channel="kiosk")
    assert guide.get("/guide/tickets?number= d001 ").location == "/guide/tickets/D001"
    assert "号票 D001" in said(guide.get("/guide/tickets/D001").text)
    assert guide.get("/guide/tickets?number=D999").location == "/guide"
    assert "今天没有号票 D999" in said(guide.get("/guide").text)
    guide.get("/guide/tickets?number=")
    assert "请输入号码" in said(guide.get("/guide").text)
    assert guide.get("/guide/tickets/D999").status_code == 404


def test_the_slip_comes_again_as_a_page(guide: Visitor) -> None:
    issue_ticket(hall="luolong", actor=SYSTEM, at=now(), queue="D", channel="kiosk")
    answer = guide.get("/guide/tickets/D001/slip.pdf")
    assert answer.status_code == 200
    assert answer.mimetype == "application/pdf"
    assert answer.data.startswith(b"%PDF")
    assert guide.get("/guide/tickets/D999/slip.pdf").status_code == 404


def test_whoever_is_of_the_whole_network_chooses_a_hall(app: Flask) -> None:
    admin = Visitor(app)
    admin.sign_in("admin01")
    issue_ticket(hall="lilou", actor=SYSTEM, at=now(), queue="A", channel="kiosk")
    assert "李楼镇便民服务中心" in said(admin.get("/guide").text)
    admin.get("/guide?hall=lilou")
    key = admin.hidden("idempotency_key")
    answer = admin.post("/guide/tickets", {"hall": "lilou", "queue": "A", "idempotency_key": key})
    assert answer.location == "/guide/tickets/A002?hall=lilou"
    assert "号票 A002" in said(admin.get(answer.location).text)
    assert admin.get("/guide?hall=nowhere").status_code == 404


def test_a_guide_stays_in_their_own_hall(app: Flask, guide: Visitor) -> None:
    issue_ticket(hall="lilou", actor=SYSTEM, at=now(), queue="A", channel="kiosk")
    assert guide.get("/guide/tickets/A001?hall=lilou").status_code == 404
    guide.post("/guide/tickets", {"hall": "lilou", "queue": "A", "idempotency_key": guide.hidden("idempotency_key")})
    assert tickets(app, hall="lilou") == 1


def test_a_party_with_a_ground_has_one_number(app: Flask, guide: Visitor) -> None:
    fields = {"queue": "C", "ground": "infant", "party": "4", "idempotency_key": guide.hidden("idempotency_key")}
    assert guide.post("/guide/tickets", fields).status_code == 303
    assert tickets(app, lane="priority", ground="infant", party="4") == 1
    guide.get("/guide")
    many = fields | {"party": "99", "idempotency_key": guide.hidden("idempotency_key")}
    answer = guide.post("/guide/tickets", many)
    assert answer.status_code == 422
    assert "同行人数应为 1–50" in said(answer.text)
    assert tickets(app) == 1
