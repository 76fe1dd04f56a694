"""What is held before the kiosk: slips, receipts and cards lead to the number one has, or straight to the window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from flask import Flask

from app.casework.intake import accept_case, receive_case
from app.casework.joint_receipt import receive_joint
from app.casework.queries import case_view, find_case
from app.casework.supplement import request_supplement
from app.catalog.models import ServiceItem
from app.catalog.queries import item as guide_of
from app.catalog.queries import search_items
from app.catalog.queries import theme as theme_of
from app.db import db
from app.events import SYSTEM, Actor
from app.now import now
from app.queueing.models import Ticket
from app.queueing.tickets import cancel_ticket, issue_ticket
from app.web import kiosk_scan
from tests.web.visit import Visitor, said

ID_NUMBER = "410305199202020026"


@pytest.fixture
def kiosk(app: Flask) -> Visitor:
    visitor = Visitor(app)
    visitor.become("kiosk")
    visitor.get("/kiosk/scan")
    return visitor


def hold(kiosk: Visitor, **fields: str) -> Any:
    """Hold something before the reader, or type."""
    kiosk.get("/kiosk/scan")
    return kiosk.post("/kiosk/scan", {"idempotency_key": kiosk.hidden("idempotency_key"), **fields})


def asked_to_bring(staff: Callable[[str], Actor], at: datetime | None = None) -> dict[str, Any]:
    """A case that waits for a paper."""
    clerk, at = staff("clerk01"), at or now()
    code = search_items("食品经营许可延续")["items"][0]["code"]
    materials = [{"code": m["code"], "state": "received"} for m in guide_of(code)["materials"]]
    applicant = {"kind": "person", "name": "张三丰", "id_number": ID_NUMBER, "phone": "13812341234"}
    given = {"item": code, "applicant": applicant, "materials": materials, "window": "W01"}
    case: dict[str, Any] = receive_case(hall="luolong", actor=clerk, at=at, **given)
    case_id = find_case(case["number"])[1]
    missing = [{"code": materials[0]["code"], "problem": "申请书未签字"}]
    request_supplement(hall="luolong", actor=clerk, at=at, case_id=case_id, items=missing)
    return {**case, "case_id": case_id}


def asked_to_bring_for_a_part(staff: Callable[[str], Actor]) -> dict[str, Any]:
    """A one-thing case of which the whole, but then only the second part, waits for a paper."""
    clerk, theme = staff("clerk01"), theme_of("open-restaurant")
    answers = {"choice": "", "text": "洛龙试用", "address": "开元大道 1 号", "number": "100", "phone": "13812341234"}
    form = {
        f["key"]: f["choices"][0]["code"] if f["choices"] else answers.get(f["type"], ID_NUMBER) for f in theme["form"]
    }
    applicant = {"kind": "organisation", "name": "洛阳试用商贸有限公司", "id_number": ID_NUMBER, "phone": "13812341234"}
    materials = [{"code": m["code"], "state": "received"} for m in theme["materials"]]
    given = {"theme": theme["code"], "applicant": applicant, "form": form, "materials": materials, "window": "W01"}
    whole: dict[str, Any] = receive_joint(hall="luolong", actor=clerk, at=now(), **given)
    first, second = (find_case(child["number"])[1] for child in whole["children"][:2])
    accept_case(hall="luolong", actor=clerk, at=now(), case_id=first)
    code = case_view("luolong", second, now())["materials"][0]["code"]
    missing = [{"code": code, "problem": "未签字"}]
    request_supplement(hall="luolong", actor=clerk, at=now(), case_id=second, items=missing)
    return {**whole, "awaited": whole["children"][1]["number"]}


def rows() -> list[tuple[str, str, str | None]]:
    db.session.rollback()
    return [(row.number, row.lane, row.case_number) for row in db.session.query(Ticket).order_by(Ticket.id)]


def test_a_slip_leads_to_its_number_and_can_be_printed_again(kiosk: Visitor) -> None:
    ticket = issue_ticket(hall="luolong", actor=SYSTEM, at=now(), queue="A", channel="kiosk")
    answer = hold(kiosk, code=f"http://hall.example/t/{ticket['token']}")
    assert (answer.status_code, answer.location) == (303, f"/kiosk/ticket/{ticket['token']}?again=1")
    page = said(kiosk.get(answer.location).text)
    for words in ("A001", "已经有号", "打印号票", "请记住号码"):
        assert words in page
    assert len(rows()) == 1


def test_a_card_leads_to_the_number_of_its_person(kiosk: Visitor) -> None:
    person = {"id_number": ID_NUMBER}
    ticket = issue_ticket(hall="luolong", actor=SYSTEM, at=now(), queue="A", channel="kiosk", person=person)
    answer = hold(kiosk, code=ID_NUMBER)
    assert answer.location == f"/kiosk/ticket/{ticket['token']}?again=1"
    cancel_ticket(hall="luolong", actor=SYSTEM, at=now(), ticket_id=int(ticket["id"].rpartition("-")[2]))
    gone = hold(kiosk, code=ID_NUMBER)
    assert gone.status_code == 404
    assert "没有这张号票" in said(gone.text)
    assert ID_NUMBER not in gone.text


@pytest.mark.parametrize("by", ["codes", "code of the receipt"])
def test_who_brings_a_supplement_goes_straight_to_the_window(
    kiosk: Visitor, staff: Callable[[str], Actor], by: str
) -> None:
    case = asked_to_bring(staff)
    before = issue_ticket(hall="luolong", actor=SYSTEM, at=now(), queue="A", channel="kiosk")
    typed = {"number": case["number"], "query_code": case["query_code"]}
    held = typed if by == "codes" else {"code": f"https://hall.example/c/{case['query_token']}"}
    answer = hold(kiosk, **held)
    assert answer.status_code == 303, said(answer.text)
    page = said(kiosk.get(answer.location).text)
    assert "补正返回" in page
    assert "下一个就是您" in page
    assert rows() == [(before["number"], "normal", None), ("A002", "returning", case["number"])]
    again = hold(kiosk, **held)
    assert again.location == f"{answer.location}?again=1"
    assert len(rows()) == 2


def test_a_supplement_is_brought_for_an_item_that_is_offered_no_longer(
    kiosk: Visitor, staff: Callable[[str], Actor]
) -> None:
    case = asked_to_bring(staff)
    db.session.get_one(ServiceItem, case["item"]["code"]).active = False
    db.session.commit()
    answer = hold(kiosk, number=case["number"], query_code=case["query_code"])
    assert answer.status_code == 303, said(answer.text)
    assert rows() == [("A001", "returning", case["number"])]


@pytest.mark.parametrize("by", ["codes", "code of the receipt"])
def test_the_receipt_of_a_one_thing_case_leads_to_the_part_that_waits(
    kiosk: Visitor, staff: Callable[[str], Actor], by: str
) -> None:
    whole = asked_to_bring_for_a_part(staff)
    typed = {"number": whole["number"].lower(), "query_code": whole["query_code"]}
    held = typed if by == "codes" else {"code": f"https://hall.example/c/{whole['query_token']}"}
    answer = hold(kiosk, **held)
    assert answer.status_code == 303, said(answer.text)
    assert "补正返回" in said(kiosk.get(answer.location).text)
    assert rows() == [("A001", "returning", whole["awaited"])]
    assert hold(kiosk, **held).location == f"{answer.location}?again=1"
    wrong = hold(kiosk, number=whole["number"], query_code="000000")
    assert wrong.status_code == 404 and "查询码" in said(wrong.text)


def test_a_wrong_code_or_a_case_that_waits_for_nothing_is_refused_in_words(
    kiosk: Visitor, staff: Callable[[str], Actor]
) -> None:
    case = asked_to_bring(staff)
    for fields, words in (
        ({"number": case["number"], "query_code": "000000"}, "查询码"),
        ({"code": "https://hall.example/c/nobody"}, "没有这个办件"),
        ({"code": "https://hall.example/x/y"}, "没有这张号票"),
        ({"code": "http://[::1"}, "没有这张号票"),
        ({"code": "https://[hall/t/AAAAAAAAAAAAAAAAAAAAAA"}, "没有这张号票"),
    ):
        answer = hold(kiosk, **fields)
        assert 400 <= answer.status_code < 500
        assert words in said(answer.text), said(answer.text)
    assert rows() == []


def test_guessing_cards_is_limited(kiosk: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    strict = replace(kiosk_scan.settings(), ticket_limit="3/minute")
    monkeypatch.setattr(kiosk_scan, "settings", lambda: strict)
    answers = [hold(kiosk, code=f"41030519920202{n:03d}X") for n in range(4)]
    assert [answer.status_code for answer in answers[:3]] != [429] * 3
    assert answers[3].status_code == 429
    assert "稍后再试" in said(answers[3].text)


def test_an_accepted_case_gives_no_number_of_the_returning(kiosk: Visitor, staff: Callable[[str], Actor]) -> None:
    clerk, code = staff("clerk01"), search_items("食品经营许可延续")["items"][0]["code"]
    materials = [{"code": m["code"], "state": "received"} for m in guide_of(code)["materials"]]
    applicant = {"kind": "person", "name": "张三丰", "id_number": ID_NUMBER, "phone": "13812341234"}
    given = {"item": code, "applicant": applicant, "materials": materials, "window": "W01"}
    case = receive_case(hall="luolong", actor=clerk, at=now(), **given)
    accept_case(hall="luolong", actor=clerk, at=now(), case_id=find_case(case["number"])[1])
    answer = hold(kiosk, number=case["number"], query_code=case["query_code"])
    assert answer.status_code == 409
    assert "没有待补正的材料" in said(answer.text)
    assert rows() == []


def test_what_belongs_to_another_hall_is_not_shown(app: Flask, staff: Callable[[str], Actor]) -> None:
    case = asked_to_bring(staff)
    other = Visitor(app)
    other.become("kiosk", hall="lilou")
    for fields in ({"number": case["number"], "query_code": case["query_code"]}, {"code": f"/c/{case['query_token']}"}):
        answer = hold(other, **fields)
        assert answer.status_code == 403 or answer.status_code == 302
    assert rows() == []
