"""The pickup window: found by what is scanned, put on a shelf, given into the right hands."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from flask import Flask

from app.casework.intake import accept_case, receive_case
from app.casework.queries import case_view, find_case
from app.casework.review import decide_case
from app.catalog.queries import item as item_of
from app.catalog.queries import search_items
from app.db import db
from app.events import Actor
from app.hall.queries import schedule
from app.now import now
from app.people.models import Staff as StaffRow
from app.web import pickup
from app.web.forms import new_key
from tests.rules.test_delivery import png, url
from tests.web.visit import Visitor, enter, said

HALL = "luolong"
PERSON = {"kind": "person", "name": "欧阳小三", "id_number": "51160219900101123X", "phone": "13812345678"}
Staff = Callable[[str], Actor]


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return Visitor(app)


@pytest.fixture
def clerk(visitor: Visitor) -> Visitor:
    enter(visitor, "pickup01")
    visitor.get("/pickup")
    return visitor


@pytest.fixture
def granted(staff: Staff) -> Callable[..., dict[str, Any]]:
    """Takes a case through to a decision; what the receipt says of it."""
    guide = item_of(search_items("食品经营许可延续")["items"][0]["code"])

    def make(outcome: str = "granted", hall: str = HALL, who: str = "clerk01", **person: str) -> dict[str, Any]:
        given = {"actor": staff(who), "hall": hall}
        materials = [{"code": m["code"], "state": "received"} for m in guide["materials"]]
        applicant = {**PERSON, **person}
        case = receive_case(
            **given, at=now(), item=guide["code"], applicant=applicant, materials=materials, window="W01"
        )
        case_id = find_case(case["number"])[1]
        accept_case(**given, at=now(), case_id=case_id)
        for department in guide["departments"]:
            name = db.session.query(StaffRow.username).filter_by(department=department).first()[0]
            why = {"reason": "条件不符", "basis": "《行政许可法》第三十八条"} if outcome == "refused" else {}
            decide_case(hall=hall, actor=staff(name), at=now(), case_id=case_id, outcome=outcome, **why)
        return case

    return make


def press(clerk: Visitor, number: str, step: str, fields: dict[str, Any]) -> Any:
    clerk.get(f"/pickup/cases/{number}")
    return clerk.post(f"/pickup/cases/{number}/{step}", {"idempotency_key": new_key(), **fields})


def handed(case: dict[str, Any], **more: Any) -> dict[str, Any]:
    given = {"who": "self", "pickup_code": case["pickup_code"], "receiver": "欧阳小三", "confirmed": "1"}
    return {**given, **more}


def state(number: str) -> str:
    return str(view(number)["state"])


def view(number: str) -> dict[str, Any]:
    db.session.rollback()
    return case_view(*find_case(number), now())


# ── who may come in ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("who", ["clerk01", "guide01", "approver01", "supervisor01", "admin01", "chief01"])
def test_only_the_pickup_clerk_hands_out(visitor: Visitor, granted: Callable[..., dict[str, Any]], who: str) -> None:
    case = granted()
    enter(visitor, who)
    assert visitor.get("/pickup").status_code == 403
    assert visitor.get(f"/pickup/cases/{case['number']}").status_code == 403
    for step, fields in (("ready", {"shelf": "A"}), ("hand-over", handed(case)), ("dispatch", {"carrier": "EMS"})):
        assert press(visitor, case["number"], step, fields).status_code == 403
    assert visitor.post("/pickup/find", {"q": case["number"]}).status_code == 403
    assert state(case["number"]) == "granted"


def test_another_halls_case_stays_there(clerk: Visitor, granted: Callable[..., dict[str, Any]]) -> None:
    case = granted(hall="lilou", who="clerk21")
    assert clerk.get(f"/pickup/cases/{case['number']}").status_code == 403
    assert press(clerk, case["number"], "hand-over", handed(case)).status_code == 403
    assert clerk.post("/pickup/find", {"q": f"http://hall/c/{case['query_token']}"}).status_code == 403
    assert case["number"] not in said(clerk.post("/pickup/find", {"q": case["number"]}).text)


# ── finding ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("scan", ["number", "token", "id", "id_small"])
def test_one_field_takes_number_code_and_id(clerk: Visitor, granted: Callable[..., dict[str, Any]], scan: str) -> None:
    case = granted()
    texts = {
        "number": case["number"].lower(),
        "token": f"https://hall.example/c/{case['query_token']}",
        "id": PERSON["id_number"],
        "id_small": PERSON["id_number"].lower(),
    }
    answer = clerk.post("/pickup/find", {"q": texts[scan]})
    assert (answer.status_code, answer.location) == (303, f"/pickup/cases/{case['number']}")


def test_several_cases_of_a_person_are_listed_without_the_id(
    clerk: Visitor, granted: Callable[..., dict[str, Any]]
) -> None:
    first, second = granted(), granted()
    page = clerk.post("/pickup/find", {"q": PERSON["id_number"]}).text
    assert first["number"] in page and second["number"] in page and PERSON["id_number"] not in page


def test_what_is_not_there_is_said_so(clerk: Visitor) -> None:
    assert "没有找到" in clerk.post("/pickup/find", {"q": "LL209901010001"}).text
    assert clerk.post("/pickup/find", {"q": "LL"}).status_code == 422
    assert clerk.post("/pickup/find", {"q": "https://hall.example/c/" + "x" * 22}).status_code == 404


# ── arriving and going out ──────────────────────────────────────────────────────────────────────────────────────


def test_from_the_department_to_the_shelf_to_the_applicant(
    clerk: Visitor, granted: Callable[..., dict[str, Any]]
) -> None:
    case = granted()
    number = case["number"]
    assert number in clerk.get("/pickup").text
    assert press(clerk, number, "ready", {"shelf": "A-03"}).status_code == 303
    desk = said(clerk.get("/pickup").text)
    assert "A-03" in desk and "今天到" in desk and "欧**三" in desk and "欧阳小三" not in clerk.page
    page = said(clerk.get(f"/pickup/cases/{number}").text)
    assert f"欧**三 · {number}" in page
    assert press(clerk, number, "hand-over", handed(case)).status_code == 303
    assert state(number) == "delivered"
    assert "已交付" in said(clerk.get("/pickup").text)
    assert "已经送达" in said(clerk.get(f"/pickup/cases/{number}").text)


def test_a_wrong_code_keeps_the_form_and_gives_nothing(clerk: Visitor, granted: Callable[..., dict[str, Any]]) -> None:
    case = granted()
    wrong = "000000" if case["pickup_code"] != "000000" else "111111"
    answer = press(clerk, case["number"], "hand-over", handed(case, pickup_code=wrong, receiver="<i>某人</i>"))
    assert answer.status_code == 403 and "领取码或证件号不符" in answer.text
    assert 'value="&lt;i&gt;某人&lt;/i&gt;"' in answer.text
    nothing = press(clerk, case["number"], "hand-over", handed(case, pickup_code=" "))
    assert nothing.status_code == 422 and "请输入领取码，或者申请人证件号" in nothing.text
    other = press(clerk, case["number"], "hand-over", handed(case, pickup_code="", id_number="410305199001010012"))
    assert other.status_code == 403 and 'aria-describedby="f-id_number-error"' in other.text
    assert state(case["number"]) == "granted"
    given = press(clerk, case["number"], "hand-over", handed(case))
    assert given.status_code == 303 and "存放在" not in clerk.get(f"/pickup/cases/{case['number']}").text


def test_a_code_cannot_be_guessed(
    app: Flask, clerk: Visitor, granted: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.extensions, "settings", replace(app.extensions["settings"], code_limit="3/hour"))
    case = granted()
    codes = [press(clerk, case["number"], "hand-over", handed(case, pickup_code="x")).status_code for _ in range(4)]
    assert codes == [403, 403, 403, 429]


def test_the_id_card_will_do(clerk: Visitor, granted: Callable[..., dict[str, Any]]) -> None:
    case = granted()
    given = handed(case, pickup_code="", id_number=PERSON["id_number"].lower())
    assert press(clerk, case["number"], "hand-over", given).status_code == 303


def test_nothing_is_given_before_it_was_looked_at(clerk: Visitor, granted: Callable[..., dict[str, Any]]) -> None:
    case = granted()
    answer = press(clerk, case["number"], "hand-over", handed(case, confirmed=""))
    assert answer.status_code == 422 and "请先核对姓名和编号" in answer.text
    assert state(case["number"]) == "granted"


def test_an_agent_brings_a_letter(clerk: Visitor, granted: Callable[..., dict[str, Any]]) -> None:
    case = granted()
    refused = press(clerk, case["number"], "hand-over", handed(case, who="agent", receiver="李四"))
    assert refused.status_code == 422 and "代领须有委托书" in refused.text and 'value="李四"' in refused.text
    given = handed(case, who="agent", receiver="李四", agent_letter="公证 3 号", agent_id_number="410305199001010011")
    assert press(clerk, case["number"], "hand-over", given).status_code == 303


def test_nobody_takes_it_under_another_name_without_a_letter(
    clerk: Visitor, granted: Callable[..., dict[str, Any]]
) -> None:
    case = granted()
    refused = press(clerk, case["number"], "hand-over", handed(case, receiver="李四"))
    assert refused.status_code == 422 and 'value="李四"' in refused.text
    assert "他人代领须有委托书" in refused.text and state(case["number"]) == "granted"


def test_a_parcel_comes_back_to_the_desk(clerk: Visitor, granted: Callable[..., dict[str, Any]]) -> None:
    case = granted("refused")
    number = case["number"]
    assert 'name="reason"' not in clerk.get(f"/pickup/cases/{number}").text
    press(clerk, number, "dispatch", {"carrier": "EMS", "tracking_number": "E1"})
    assert "无人签收" in clerk.get(f"/pickup/cases/{number}").text and number in clerk.get("/pickup").text
    unsaid = press(clerk, number, "come-back", {"reason": "", "shelf": "B-07"})
    assert unsaid.status_code == 422 and 'value="B-07"' in unsaid.text
    assert press(clerk, number, "come-back", {"reason": "absent", "shelf": "B-07"}).status_code == 303
    desk = clerk.get("/pickup").text
    assert "已登记退件，放在 B-07" in desk and "等人领取" in desk and "不予许可决定书" in desk
    page = clerk.get(f"/pickup/cases/{number}").text
    assert "快递退回" in page and "不予许可决定书" in page
    assert press(clerk, number, "hand-over", handed(case)).status_code == 303 and state(number) == "delivered"


def test_a_courier_takes_it(clerk: Visitor, granted: Callable[..., dict[str, Any]]) -> None:
    case = granted()
    empty = press(clerk, case["number"], "dispatch", {"carrier": "EMS", "tracking_number": " "})
    assert empty.status_code == 422 and "请填写快递单号" in empty.text and 'value="EMS"' in empty.text
    assert press(clerk, case["number"], "dispatch", {"carrier": "EMS", "tracking_number": "E1"}).status_code == 303
    assert state(case["number"]) == "delivered"


def test_a_parcel_has_its_zones_fee_and_waits_for_the_slip(
    clerk: Visitor, granted: Callable[..., dict[str, Any]]
) -> None:
    number = granted()["number"]
    page = said(clerk.get(f"/pickup/cases/{number}").text)
    assert all(f"· {yuan} 元" in page for yuan in (4, 6, 8)) and "按承运人资费" in page
    sent = {"carrier": "EMS", "tracking_number": "E1", "address": "偃师区首阳山镇"}
    lost = press(clerk, number, "dispatch", {**sent, "zone": "moon"})
    assert lost.status_code == 422 and "没有这个寄送区域" in said(lost.text) and "首阳山镇" in lost.text
    assert press(clerk, number, "dispatch", {**sent, "zone": "township"}).status_code == 303
    assert "已寄出，等签收" in said(clerk.get("/pickup").text) and number in clerk.page
    assert view(number)["delivery"]["fee_fen"] == 600
    early = press(clerk, number, "sign", {"receiver": "欧阳小三", "signed_on": "2020-01-01"})
    assert early.status_code == 422 and "签收日期应在" in said(early.text)
    assert press(clerk, number, "sign", {"receiver": "欧阳小三", "signed_on": "soon"}).status_code == 422
    assert press(clerk, number, "sign", {"receiver": "欧阳小三", "signed_on": ""}).status_code == 303
    assert view(number)["delivery"]["signed"] and "已签收" in said(clerk.get("/pickup").text)
    assert number not in clerk.get("/pickup").text
    assert "已寄出，收件人已签收" in said(clerk.get(f"/pickup/cases/{number}").text)


def test_the_receiver_signs_on_the_pad(clerk: Visitor, granted: Callable[..., dict[str, Any]]) -> None:
    case = granted()
    number = case["number"]
    for drawn in ("李四", url(b"GIF89a"), url(png()[:-1])):
        answer = press(clerk, number, "hand-over", handed(case, signature=drawn))
        assert answer.status_code == 422 and "签名图片须为" in said(answer.text), drawn
        assert 'value="欧阳小三"' in answer.text and drawn not in answer.text
    for wrong in ({"pickup_code": "000000"}, {"pickup_code": ""}, {"receiver": "李四"}, {"confirmed": ""}):
        kept = press(clerk, number, "hand-over", handed(case, signature=url(png()), **wrong))
        assert kept.status_code in (403, 422) and f'name="signature" value="{url(png())}"' in kept.text, wrong
    assert 'name="signature" value=""' in clerk.get(f"/pickup/cases/{number}").text  # it was kept nowhere
    signed = press(clerk, number, "hand-over", handed(case, signature=url(png())))
    assert (signed.status_code, signed.location) == (303, "/pickup")
    assert view(number)["delivery"]["signed"]


def test_what_is_signed_by_hand_is_printed_at_once(clerk: Visitor, granted: Callable[..., dict[str, Any]]) -> None:
    given, sent = granted(), granted()
    for case, step, fields, paper in (
        (given, "hand-over", handed(given), "送达回证"),
        (sent, "dispatch", {"carrier": "EMS", "tracking_number": "E1"}, "邮寄交寄单"),
    ):
        answer = press(clerk, case["number"], step, fields)
        assert (answer.status_code, answer.location) == (303, f"/pickup/cases/{case['number']}")
        page = clerk.get(answer.location).text
        assert re.search(rf'<a[^>]*href="/notices/luolong-\d+\.pdf"[^>]*data-print>.*?{paper}', page, re.S)


def test_the_next_free_slot_is_offered(clerk: Visitor, granted: Callable[..., dict[str, Any]]) -> None:
    first, second = granted()["number"], granted()["number"]
    assert 'value="A-01"' in clerk.get(f"/pickup/cases/{first}").text
    assert press(clerk, first, "ready", {"shelf": ""}).status_code == 303
    assert view(first)["result"]["shelf"] == "A-01"
    assert 'value="A-02"' in clerk.get(f"/pickup/cases/{second}").text
    moved = press(clerk, first, "ready", {"shelf": "B-07"})
    assert moved.status_code == 303 and view(first)["result"]["shelf"] == "B-07"
    assert [row["kind"] for row in view(first)["notices"]].count("pickup") == 1


def test_a_one_thing_case_is_handed_out_as_a_whole(clerk: Visitor) -> None:
    answer = clerk.post("/pickup/find", {"q": "LLYJ202611220001"})
    assert (answer.status_code, answer.location) == (303, "/joint/LLYJ202611220001")


def test_a_refusal_is_collected_too(clerk: Visitor, granted: Callable[..., dict[str, Any]]) -> None:
    case = granted("refused")
    assert "不予许可决定书" in said(clerk.get("/pickup").text)
    assert press(clerk, case["number"], "ready", {"shelf": "A"}).status_code == 409
    assert press(clerk, case["number"], "hand-over", handed(case)).status_code == 303


def test_a_double_press_delivers_once(clerk: Visitor, granted: Callable[..., dict[str, Any]]) -> None:
    case = granted()
    given = handed(case, idempotency_key="one-press")
    assert [press(clerk, case["number"], "hand-over", given).status_code for _ in range(2)] == [303, 303]
    assert press(clerk, case["number"], "hand-over", handed(case)).status_code == 409


def test_an_unknown_step_is_not_found(clerk: Visitor, granted: Callable[..., dict[str, Any]]) -> None:
    assert press(clerk, granted()["number"], "lose", {}).status_code == 404


def test_unclaimed_days_are_working_days(app: Flask) -> None:
    calendar = schedule(HALL)
    friday, monday = date(2026, 11, 20), date(2026, 11, 23)
    assert pickup.unclaimed_days(friday, friday, calendar) == 0
    assert pickup.unclaimed_days(friday, monday, calendar) == 1
    assert pickup.unclaimed_days(date(2026, 9, 30), date(2026, 10, 9), calendar) == 2  # the holidays do not count
    assert pickup.unclaimed_days(date(2030, 1, 4), date(2030, 1, 7), calendar) == 1  # no calendar yet: weekdays
