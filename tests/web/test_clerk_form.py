"""The case form of the console: pressed twice, typed wrong, filled in from what is scanned, with e-licences."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.casework.licences import store_licences
from app.casework.models import Case
from app.catalog.queries import item as item_of
from app.catalog.queries import search_items
from app.db import db
from app.events import SYSTEM
from app.now import now
from app.queueing.tickets import issue_ticket
from tests.web.console import HALL, called, cases, filled, press
from tests.web.visit import Visitor, enter, said


@pytest.fixture
def clerk(visitor: Visitor) -> Visitor:
    enter(visitor, "clerk01")
    visitor.get("/clerk")
    return visitor


@pytest.fixture
def item(app: Flask) -> dict[str, Any]:
    return item_of(search_items("食品经营许可延续")["items"][0]["code"])


# ── the case form ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_double_press_makes_one_case(clerk: Visitor, item: dict[str, Any]) -> None:
    given = {**filled(item), "next": "accept"}
    first = clerk.post("/clerk/receive", given).text
    clerk.get("/clerk")  # for a token
    second = clerk.post("/clerk/receive", given).text
    assert cases() == 1
    assert re.findall(r"LL\d{12}", first)[0] == re.findall(r"LL\d{12}", second)[0]
    assert "已受理" in second


def test_a_refused_form_keeps_what_was_typed(clerk: Visitor, item: dict[str, Any]) -> None:
    page = clerk.post("/clerk/check", filled(item, phone="12", agent_name="李四")).text
    assert "手机号码有误" in page and 'value="张三丰"' in page and 'value="李四"' in page
    assert page.count("checked") >= len(item["materials"])
    assert cases() == 0


def test_a_form_without_a_name_is_not_taken(clerk: Visitor, item: dict[str, Any]) -> None:
    assert "请填写申请人的姓名或名称" in clerk.post("/clerk/receive", filled(item, name=" ")).text
    assert "请填写代办人的姓名" in clerk.post("/clerk/receive", filled(item, agent_phone="13812345678")).text
    assert cases() == 0


def test_going_back_keeps_what_was_typed(clerk: Visitor, item: dict[str, Any]) -> None:
    page = clerk.post("/clerk/receive", {**filled(item), "next": "back"}).text
    assert 'value="张三丰"' in page and 'value="410305199001010011"' in page
    assert cases() == 0


def test_a_form_of_the_visit_before_is_not_taken_for_this_one(clerk: Visitor, item: dict[str, Any]) -> None:
    first = called(clerk)
    press(clerk, f"/clerk/tickets/{first}/start")
    press(clerk, f"/clerk/tickets/{first}/finish")
    other = {"name": "另一人", "id_number": "511602199001015678"}
    second = issue_ticket(hall=HALL, actor=SYSTEM, at=now(), queue="A", channel="kiosk", person=other)
    press(clerk, "/clerk/call")
    page = clerk.post("/clerk/receive", filled(item, first, name="", as_ticket="1")).text
    assert "窗口的号票已经变了" in page and f'value="{second["id"].rpartition("-")[2]}"' in page
    typed = clerk.post("/clerk/scan", filled(item, first, scan=item["code"])).text
    assert "张三丰" not in typed and "窗口的号票已经变了" in typed
    assert cases() == 0


def test_a_markup_name_prints_as_text(clerk: Visitor, item: dict[str, Any]) -> None:
    name = "<script>alert(1)</script>"
    given = filled(item, name=name)
    for page in (clerk.post("/clerk/check", given).text, clerk.post("/clerk/check", {**given, "phone": "1"}).text):
        assert name not in page and html.escape(name) in page


def test_missing_materials_lead_to_the_notice(clerk: Visitor, item: dict[str, Any]) -> None:
    given = {name: value for name, value in filled(item).items() if not name.startswith("m-")}
    check = clerk.post("/clerk/check", given).text
    assert "份必需材料" in check and 'value="accept"' not in check
    received = clerk.post("/clerk/receive", {**given, "next": "receive"}).text
    assert "已收件" in received and "继续：告知、容缺或请示" in received


def test_an_organisation_has_its_representative(clerk: Visitor, item: dict[str, Any]) -> None:
    given = filled(item, kind="organisation", name="洛龙商贸有限公司", representative="王五")
    assert "王五" in clerk.post("/clerk/check", given).text
    assert "洛龙****公司" in clerk.post("/clerk/receive", {**given, "next": "accept"}).text
    assert cases() == 1


def test_an_unknown_item_is_refused(clerk: Visitor) -> None:
    assert clerk.get("/clerk/form?item=nothing").status_code == 404


# ── the one field ───────────────────────────────────────────────────────────────────────────────────────────────


def scanned(clerk: Visitor, text: str, form: dict[str, Any] | None = None, **fields: Any) -> Any:
    return clerk.post(
        "/clerk/scan", {"ticket": "", **(form or {}), "scan": text, **fields}, headers={"HX-Request": "1"}
    )


def received_before(clerk: Visitor, item: dict[str, Any]) -> str:
    """An earlier case of 张三丰; its number."""
    given = {**filled(item), "phone": "13812341234", "next": "receive", "idempotency_key": "the-first"}
    return re.search(r"LL\d{12}", clerk.post("/clerk/receive", given).text)[0]  # type: ignore[index]


def test_a_known_applicant_is_filled_in_and_never_shown_in_full(clerk: Visitor, item: dict[str, Any]) -> None:
    received_before(clerk, item)
    form = scanned(clerk, "410305199001010011").text
    assert "张*丰" in form and "138****1234" in form and "以前来过" in form
    assert "张三丰" not in form and "410305199001010011" not in form and "13812341234" not in form
    known = clerk.hidden("known", form)
    full = scanned(clerk, item["code"], {"known": known}).text
    assert item["name"] in full and "张*丰" in full and clerk.hidden("known", full) == known
    given = {**filled(item), "known": known, "idempotency_key": "the-second"}
    for name in ("name", "id_number", "phone"):
        given.pop(name)
    check = clerk.post("/clerk/check", given).text
    assert "张*丰" in check and "张三丰" not in check and 'value="accept"' in check
    done = clerk.post("/clerk/receive", {**given, "next": "accept"}).text
    assert "已受理" in done and cases() == 2
    keys = db.session.execute(select(Case.applicant_key).distinct()).all()
    assert len(keys) == 1  # the ID number came along


def test_a_number_nobody_has_used_goes_into_its_field(clerk: Visitor) -> None:
    form = scanned(clerk, " 4103 0519 9001 0100 29").text
    assert 'value="410305199001010029"' in form and 'data-goal="name"' in form and not clerk.hidden("known", form)
    company = scanned(clerk, "91410311MA00000000").text
    assert re.search(r'value="organisation" checked', company)


def test_a_reference_to_an_applicant_serves_one_clerk_and_one_visit(
    clerk: Visitor, item: dict[str, Any], app: Flask
) -> None:
    received_before(clerk, item)
    known = clerk.hidden("known", scanned(clerk, "410305199001010011").text)
    other = Visitor(app)
    enter(other, "clerk02")
    other.get("/clerk")
    given = {**filled(item), "known": known, "name": "", "idempotency_key": "stolen"}
    assert "窗口的号票已经变了" in other.post("/clerk/receive", {**given, "next": "accept"}).text
    ticket = called(clerk)
    assert "窗口的号票已经变了" in clerk.post("/clerk/receive", {**given, "ticket": str(ticket), "next": "accept"}).text
    assert cases() == 1


def test_letting_the_person_or_the_item_go(clerk: Visitor, item: dict[str, Any]) -> None:
    received_before(clerk, item)
    known = clerk.hidden("known", scanned(clerk, "410305199001010011").text)
    form = {"known": known, "item": item["code"], "kind": "person"}
    without = scanned(clerk, "", form, drop="person").text
    assert "张*丰" not in without and item["name"] in without
    other = scanned(clerk, "", form, drop="item").text
    assert "张*丰" in other and item["name"] not in other


def test_the_guides_code_initials_and_receipts_are_read(clerk: Visitor, item: dict[str, Any]) -> None:
    number = received_before(clerk, item)
    for text in (item["code"], f"http://127.0.0.1:8000/items/{item['code']}", "食品经营许可延续"):
        assert item["name"] in scanned(clerk, text).text
    opened = scanned(clerk, number)
    assert opened.headers["HX-Redirect"] == f"/cases/{number}" and opened.text == ""
    clerk.get("/clerk")
    assert "没有找到" in scanned(clerk, "没有这个事项").text
    assert "没有这个办件" in scanned(clerk, "LL209901010001").text
    assert "没有这个事项" in scanned(clerk, "999F0287300000-511602000000-000").text


def test_another_halls_receipt_is_not_opened(clerk: Visitor, item: dict[str, Any], app: Flask) -> None:
    number = received_before(clerk, item)
    other = Visitor(app)
    enter(other, "clerk21")
    other.get("/clerk")
    assert scanned(other, number).status_code == 403


def test_what_was_scanned_is_never_searched_for(clerk: Visitor) -> None:
    assert "410305199001010011" not in clerk.post("/clerk/found", {"scan": "410305199001010011"}).text
    assert clerk.get("/clerk/found?scan=410305199001010011").status_code in (404, 405)


# ── e-licences on the form ──────────────────────────────────────────────────────────────────────────────────────


def licence(until: str | None, title: str = "食品经营许可证") -> None:
    row = {"id_number": "410305199001010011", "title": title, "number": "JY1", "issuer": "区市场监督管理局"}
    days = {"issued_on": "2020-01-01", "valid_until": until}
    store_licences(hall=HALL, actor=SYSTEM, at=now(), licences=[{**row, **days}])


def test_an_e_licence_that_holds_is_offered_and_chosen(clerk: Visitor, item: dict[str, Any]) -> None:
    licence("2099-12-31")
    form = scanned(clerk, "410305199001010011", {"item": item["code"]}).text
    assert "电子证照《食品经营许可证》有效至 2099年12月31日" in said(form)
    assert re.search(r'name="m-M2" value="shared" checked', form)
    lacking = {**filled(item), "m-M2": "missing"}
    check = clerk.post("/clerk/check", lacking).text
    assert "用电子证照代替" in check and 'value="accept"' not in check
    better = clerk.post("/clerk/check", {**lacking, "share": "1"}).text
    assert 'name="m-M2" value="shared"' in better and 'value="accept"' in better
    assert "已受理" in clerk.post("/clerk/receive", {**lacking, "m-M2": "shared", "next": "accept"}).text


def test_an_expired_e_licence_is_said_and_not_taken(clerk: Visitor, item: dict[str, Any]) -> None:
    licence("2024-12-31")
    form = scanned(clerk, "410305199001010011", {"item": item["code"]}).text
    assert "已于 2024年12月31日 到期，须交原件" in said(form)
    assert re.search(r'name="m-M2" value="shared" disabled', form)
    page = clerk.post("/clerk/receive", {**filled(item), "m-M2": "shared", "next": "accept"}).text
    assert "电子证照已过有效期" in page and 'value="张三丰"' in page and cases() == 0
