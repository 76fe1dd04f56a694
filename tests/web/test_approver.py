"""The approver's desk: the inbox, each step with its refusals and its effect on the clocks, the windows' questions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.casework.intake import accept_case, raise_no_request, receive_case
from app.casework.queries import case_view, find_case
from app.catalog.models import ServiceItem
from app.catalog.queries import item as guide_of
from app.db import db
from app.events import Actor
from app.now import now
from app.people.models import Staff
from tests.web.visit import Visitor, announce_calendar, said

Find = Callable[[str], Actor]
STEPS = ["take", "decide", "suspend", "resume", "extend", "return", "forward", "request-supplement", "answer"]


def simple_item() -> str:
    """A written item that one department decides in working days, with materials."""
    rows = db.session.execute(select(ServiceItem).where(ServiceItem.guide_source == "written")).scalars()
    for row in rows:
        guide = row.guide
        days = all(guide[clock]["unit"] == "WD" for clock in ("promised", "statutory"))
        if days and len(guide["departments"]) == 1 and guide["materials"] and guide["promised"]["amount"] > 2:
            return row.code
    raise AssertionError("the catalogue has no such item")


def received(staff: Find, name: str = "王小明", accept: bool = True) -> str:
    item = simple_item()
    materials = [{"code": m["code"], "state": "received"} for m in guide_of(item)["materials"]]
    person = {"kind": "person", "name": name, "id_number": "410311199001011234", "phone": "13800138000"}
    given = {"item": item, "applicant": person, "materials": materials, "window": "W01"}
    case = receive_case(hall="luolong", actor=staff("clerk01"), at=now(), **given)
    if accept:
        accept_case(hall="luolong", actor=staff("clerk01"), at=now(), case_id=find_case(case["number"])[1])
    db.session.rollback()
    return case["number"]


def approver_of(number: str) -> str:
    view = view_of(number)
    query = select(Staff.username).where(Staff.department == view["departments"][0]["department"])
    username = db.session.execute(query).scalars().first()
    db.session.rollback()
    assert username
    return username


def view_of(number: str) -> dict[str, Any]:
    view = case_view(*find_case(number), now())
    db.session.rollback()
    return view


@pytest.fixture(autouse=True)
def years_to_come(app: Flask) -> None:
    announce_calendar()
    db.session.rollback()


@pytest.fixture
def number(app: Flask, staff: Find) -> str:
    return received(staff)


@pytest.fixture
def approver(app: Flask, number: str) -> Visitor:
    visitor = Visitor(app)
    visitor.sign_in(approver_of(number))
    visitor.get("/approver")
    return visitor


def step(visitor: Visitor, number: str, name: str, key: str = "", **fields: Any) -> Any:
    if not visitor.hidden("csrf_token"):
        visitor.get("/login?next=/")
    return visitor.post(f"/approver/cases/{number}/{name}", {"idempotency_key": key or f"{name}-1", **fields})


def test_the_desk_is_for_those_who_decide(app: Flask, number: str) -> None:
    stranger, kiosk, clerk = Visitor(app), Visitor(app), Visitor(app)
    kiosk.become("kiosk")
    clerk.sign_in("clerk01")
    clerk.get("/login?next=/")  # a fresh CSRF token
    assert stranger.get("/approver").status_code == 302  # to the sign-in
    for visitor in (kiosk, clerk):
        assert visitor.get("/approver").status_code == 403
        assert visitor.get(f"/approver/cases/{number}/effect?days=3").status_code == 403
        for name in STEPS:
            assert step(visitor, number, name).status_code == 403
    assert step(stranger, number, "take").status_code == 401
    assert view_of(number)["state"] == "accepted"


def test_an_approver_answers_no_window(approver: Visitor, number: str) -> None:
    assert step(approver, number, "answer", answer="accept").status_code == 403


def test_another_department_sees_and_does_nothing(app: Flask, number: str) -> None:
    own = approver_of(number)
    others = select(Staff.username).where(Staff.department.is_not(None), Staff.username != own)
    other = Visitor(app)
    other.sign_in(db.session.execute(others).scalars().first())
    assert number not in other.get("/approver").text
    material = view_of(number)["materials"][0]["code"]
    for name, fields in {
        "take": {},
        "decide": {"outcome": "granted"},
        "suspend": {"ground": "hearing", "days": "3"},
        "extend": {"reason": "复杂"},
        "return": {"reason": "退"},
        "request-supplement": {"material": material},
    }.items():
        assert step(other, number, name, **fields).status_code == 403, name
    assert view_of(number)["state"] == "accepted"


def test_without_a_csrf_token_nothing_happens(app: Flask, number: str) -> None:
    visitor = Visitor(app)
    visitor.sign_in(approver_of(number))
    answer = visitor.client.post(f"/approver/cases/{number}/take", data={"idempotency_key": "k"})
    assert answer.status_code == 400
    assert view_of(number)["state"] == "accepted"


@pytest.mark.parametrize(
    ("name", "fields", "sentence", "kept"),
    [
        ("decide", {"outcome": "refused", "reason": "", "basis": "某法第一条"}, "请填写理由", "某法第一条"),
        ("decide", {"outcome": "refused", "reason": "不符合第三项", "basis": ""}, "请填写法律依据", "不符合第三项"),
        ("decide", {"outcome": "maybe"}, "granted", ""),
        ("suspend", {"ground": "coffee", "days": "3"}, "不是法定的特别程序", 'value="3"'),
        ("suspend", {"ground": "hearing", "days": "0"}, "天数应为", '"hearing" selected'),
        ("suspend", {"ground": "hearing", "days": "x"}, "天数应为", '"hearing" selected'),
        ("extend", {"reason": " "}, "请填写理由", ""),
        ("return", {"reason": ""}, "请填写理由", ""),
        ("request-supplement", {}, "没有选择需要补正的材料", ""),
        ("resume", {}, "现在不能这样操作", ""),
    ],
)
def test_a_refusal_is_a_banner_and_keeps_what_was_typed(
    approver: Visitor, number: str, name: str, fields: dict[str, str], sentence: str, kept: str
) -> None:
    before = view_of(number)
    answer = step(approver, number, name, **fields)
    assert answer.status_code in (409, 422)
    assert 'role="alert"' in answer.text
    assert sentence in said(answer.text)
    assert kept in answer.text
    after = view_of(number)
    assert (after["state"], len(after["history"])) == (before["state"], len(before["history"]))


def test_a_press_without_its_key_is_refused(approver: Visitor, number: str) -> None:
    answer = approver.post(f"/approver/cases/{number}/take", {})
    assert answer.status_code == 422
    assert view_of(number)["departments"][0]["taken_by"] is None


def test_from_the_inbox_to_the_decision(approver: Visitor, number: str) -> None:
    page = approver.get("/approver").text
    assert number in page and "王*明" in page and "王小明" not in page
    assert step(approver, number, "take").headers["Location"] == f"/cases/{number}"
    assert view_of(number)["departments"][0]["taken_by"]
    assert step(approver, number, "decide", outcome="granted", reason="符合条件").status_code == 303
    assert view_of(number)["state"] == "granted"
    assert number not in approver.get("/approver").text
    assert number in approver.get("/approver?tab=done").text


def test_a_second_press_decides_once(approver: Visitor, number: str) -> None:
    for _press in range(2):
        assert step(approver, number, "extend", key="same", reason="疑难").status_code == 303
    extended = [row for row in view_of(number)["history"] if row["kind"] == "case.extended"]
    assert len(extended) == 1
    assert step(approver, number, "extend", key="other", reason="疑难").status_code == 409


def test_the_effect_is_shown_before_and_comes_true(approver: Visitor, number: str) -> None:
    """The page says where the promised limit goes; after the extension it is there."""
    refused = step(approver, number, "extend", reason="").text
    due = view_of(number)["clocks"]["promised"]["due_at"]
    assert step(approver, number, "extend", key="now", reason="疑难").status_code == 303
    later = view_of(number)["clocks"]["promised"]["due_at"]
    assert later > due
    month, day = int(later[5:7]), int(later[8:10])
    assert f"→ 变为 {month}月{day}日 {later[11:16]}" in " ".join(said(refused).split())


def test_a_special_procedure_stops_and_runs_again(approver: Visitor, number: str) -> None:
    shown = approver.get(f"/approver/cases/{number}/effect?days=20")
    assert shown.status_code == 200 and "若 20 天后恢复" in said(shown.text) and "停钟" in said(shown.text)
    assert step(approver, number, "suspend", ground="hearing", days="20").status_code == 303
    view = view_of(number)
    assert view["state"] == "special" and view["clocks"]["statutory"]["stopped"]
    assert number in approver.get("/approver?tab=special").text
    assert step(approver, number, "resume").status_code == 303
    assert view_of(number)["clocks"]["promised"]["due_at"]


def test_a_supplement_names_the_ticked_papers_once(approver: Visitor, number: str) -> None:
    code = view_of(number)["materials"][0]["code"]
    fields = {"material": code, f"problem-{code}": "缺盖章"}
    assert step(approver, number, "request-supplement", **fields).status_code == 303
    view = view_of(number)
    assert view["state"] == "review_correction"
    assert [m["problem"] for m in view["materials"] if m["requested"]] == ["缺盖章"]
    assert view["clocks"]["promised"]["stopped"] and not view["clocks"]["statutory"]["stopped"]


def test_what_people_typed_prints_as_text(app: Flask, staff: Find) -> None:
    evil = "<script>alert(1)</script>"
    number = received(staff, name=evil)
    visitor = Visitor(app)
    visitor.sign_in(approver_of(number))
    for page in (visitor.get("/approver").text, visitor.get(f"/approver?q={evil}").text):
        assert evil not in page
    answer = step(visitor, number, "decide", outcome="refused", reason=evil, basis="")
    assert answer.status_code == 422 and evil not in answer.text and "&lt;script&gt;" in answer.text


def test_the_chief_answers_windows(app: Flask, staff: Find) -> None:
    number = received(staff, accept=False)
    hall, case_id = find_case(number)
    ask = {"kind": "grey_area", "reason": "<i>户口</i>不在本区"}
    raise_no_request(hall=hall, actor=staff("clerk01"), at=now(), case_id=case_id, **ask)
    db.session.rollback()
    chief = Visitor(app)
    chief.sign_in("chief01")
    page = chief.get("/approver?tab=questions").text
    assert number in page and "&lt;i&gt;户口" in page and "<i>户口" not in page
    answer = step(
        chief, number, "answer", **{"from": "inbox", "answer": "not_accepted", "reason": "不归本区", "basis": ""}
    )
    assert answer.status_code == 422 and "请填写法律依据" in said(answer.text) and "不归本区" in answer.text
    answer = step(chief, number, "answer", key="b", **{"from": "inbox", "answer": "accept"})
    assert answer.headers["Location"].endswith("/approver?tab=questions")
    assert view_of(number)["no_request"]["answer"] == "accept"
    assert step(chief, number, "answer", key="c", answer="accept").status_code == 409


def test_filters_take_only_what_they_know(approver: Visitor, number: str) -> None:
    for query in ("tab=nonsense", "light=purple", "page=-4", "page=99999999999999999999", "q=%00", "department=x"):
        assert approver.get(f"/approver?{query}").status_code == 200, query
    assert number in approver.get("/approver?light=green").text
    assert number not in approver.get("/approver?light=red").text
    assert number in approver.get(f"/approver?q={number}").text
