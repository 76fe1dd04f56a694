"""The approver's desk: the inbox, each step with its refusals and its effect on the clocks, the windows' questions."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.casework.intake import accept_case, raise_no_request, receive_case
from app.casework.queries import case_view, find_case
from app.casework.special import suspend_case
from app.casework.supplement import request_supplement, supply
from app.catalog.models import ServiceItem
from app.catalog.queries import item as guide_of
from app.db import db
from app.events import Actor
from app.now import now
from app.people.models import Staff
from tests.actions.test_review import with_departments
from tests.web.visit import Visitor, announce_calendar, said

Find = Callable[[str], Actor]
STEPS = [
    *("take", "propose", "decide", "request-supplement", "check-site", "suspend", "resume", "extend", "convert"),
    *("return", "forward", "check", "revoke", "answer"),
]


def simple_item() -> str:
    """A written licence that one department decides in working days, with materials."""
    rows = db.session.execute(select(ServiceItem).where(ServiceItem.guide_source == "written")).scalars()
    for row in rows:
        guide = row.guide
        days = all(guide[clock]["unit"] == "WD" for clock in ("promised", "statutory"))
        days = days and guide["regime"] == "licensing"  # its limit can be extended
        if days and len(guide["departments"]) == 1 and guide["materials"] and guide["promised"]["amount"] > 2:
            return row.code
    raise AssertionError("the catalogue has no such item")


def received(
    staff: Find, name: str = "王小明", accept: bool = True, item: str = "", commitment: dict[str, str] | None = None
) -> str:
    item = item or simple_item()
    materials = [{"code": m["code"], "state": "received"} for m in guide_of(item)["materials"]]
    person = {"kind": "person", "name": name, "id_number": "410311199001011234", "phone": "13800138000"}
    given = {"item": item, "applicant": person, "materials": materials, "window": "W01"}
    case = receive_case(hall="luolong", actor=staff("clerk01"), at=now(), **given)
    if accept:
        given = {"case_id": find_case(case["number"])[1], "commitment": commitment}
        accept_case(hall="luolong", actor=staff("clerk01"), at=now(), **given)
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


def test_one_of_several_departments_hears_for_whom_the_case_waits(app: Flask, staff: Find) -> None:
    rows = db.session.execute(select(ServiceItem).where(ServiceItem.guide_source == "written")).scalars()
    several = next(
        row.code for row in rows if row.guide["routing"] == "parallel" and len(row.guide["departments"]) == 2
    )
    number = received(staff, item=several)
    first, last = view_of(number)["departments"]
    for part, heard in ((first, f"还等{last['department']}审查"), (last, "已准予，文书已生成")):
        visitor = Visitor(app)
        visitor.sign_in(
            db.session.scalars(select(Staff.username).where(Staff.department == part["department"])).first()
        )
        visitor.get("/approver")
        assert step(visitor, number, "decide", outcome="granted").status_code == 303
        page = said(visitor.get(f"/cases/{number}").text)
        assert f"{first['department']}等 2 个部门 ·" in page
        assert heard in page and ("文书已生成" in page) == (part is last)


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
        "propose": {"outcome": "granted"},
        "suspend": {"ground": "hearing", "days": "3"},
        "check-site": {"ground": "site_check", "days": "3"},
        "extend": {"reason": "复杂"},
        "return": {"reason": "退"},
        "request-supplement": {"material": material},
    }.items():
        assert step(other, number, name, **fields).status_code == 403, name
    assert view_of(number)["state"] == "accepted"


def test_another_hall_reads_nothing_in_a_refusal(app: Flask, number: str) -> None:
    other = Visitor(app)
    other.sign_in(approver_of(number))
    other.get("/approver")
    db.session.execute(update(Staff).where(Staff.username == approver_of(number)).values(hall="lilou"))
    db.session.commit()
    for name in ("take", "forward", "convert", "decide", "request-supplement", "answer"):
        answer = step(other, number, name, key="not printable: 键")
        assert answer.status_code == 403 and "王*明" not in answer.text, name


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
        ("propose", {"outcome": "", "note": "先看看"}, "决定应为", "先看看"),
        ("check-site", {"ground": "hearing", "days": "3"}, "不是法定的特别程序", 'value="3"'),
        ("convert", {"amount": "5", "unit": "WD", "reason": "疑难"}, "不是当场办结的事项", ""),
        ("check", {"outcome": "kept", "note": "属实"}, "现在不能这样操作", ""),
        ("revoke", {"reason": "骗取", "basis": "《行政许可法》第六十九条"}, "现在不能这样操作", ""),
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
    assert f'href="/cases/{number}?lang=en"' in answer.text
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


def test_a_notice_at_the_window_leaves_the_department_its_own(app: Flask, staff: Find) -> None:
    number, clerk = received(staff, accept=False), staff("clerk01")
    of = {"case_id": find_case(number)[1], "items": [{"code": view_of(number)["materials"][0]["code"]}]}
    request_supplement(hall="luolong", actor=clerk, at=now(), **of)
    supply(hall="luolong", actor=clerk, at=now(), **of)
    visitor, owner = Visitor(app), approver_of(number)
    visitor.sign_in(owner)
    offered = f'action="/approver/cases/{number}/request-supplement"'
    assert offered in visitor.get(f"/cases/{number}").text
    request_supplement(hall="luolong", actor=staff(owner), at=now(), **of)
    supply(hall="luolong", actor=clerk, at=now(), **of)
    page = visitor.get(f"/cases/{number}").text
    assert offered not in page and "补正只能一次性告知" in said(page)


def test_the_hearing_of_another_department_is_not_offered_to_be_ended(app: Flask, staff: Find) -> None:
    number = received(staff, item=with_departments("parallel"))
    names = [part["department"] for part in view_of(number)["departments"][:2]]
    mine, other = (db.session.query(Staff.username).filter_by(department=name).limit(1).scalar() for name in names)
    given = {"case_id": find_case(number)[1], "ground": "hearing", "days": 30}
    suspend_case(hall="luolong", actor=staff(mine), at=now(), **given)
    db.session.rollback()
    for who, may in ((mine, True), (other, False)):
        visitor = Visitor(app)
        visitor.sign_in(who)
        page = visitor.get(f"/cases/{number}").text
        assert (f'action="/approver/cases/{number}/resume"' in page) is may
        assert ("该办件由其他部门办理" in said(page)) is not may


def test_a_department_that_is_not_the_last_stops_no_clock_and_is_told_when_it_is_done(app: Flask, staff: Find) -> None:
    number, end = received(staff, item=with_departments("in_turn")), "办结，停止计时"
    departments = [part["department"] for part in view_of(number)["departments"]]
    for place, department in enumerate(departments):
        visitor = Visitor(app)
        visitor.sign_in(db.session.query(Staff.username).filter_by(department=department).limit(1).scalar())
        page, last = visitor.get(f"/cases/{number}").text, place == len(departments) - 1
        grant = page.split('<input type="hidden" name="outcome" value="granted">')[1].split("</details>")[0]
        assert (end in grant) is last
        if not last:
            assert step(visitor, number, "decide", outcome="granted").status_code == 303
            page = said(visitor.get(f"/cases/{number}").text)
            assert "本部门已经办结，等其他部门办理" in page and "该办件由其他部门办理" not in page


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


def test_every_step_says_its_effect_on_the_clocks_before_it_is_opened(approver: Visitor, number: str) -> None:
    panel = approver.get(f"/cases/{number}").text.split('id="approver-actions"')[1].split("</section>")[0]
    steps = {}
    for summary in re.findall(r"<summary>(.*?)</summary>", panel, flags=re.S):
        name, _, effect = said(summary).rpartition(" ")
        steps[name] = effect
    assert steps == {
        "先签拟办": "时限不变",
        "作出准予决定": "停止计时",
        "作出不予决定": "停止计时",
        "一次性告知补正": "承诺时限停钟",
        "现场勘验、技术审查": "承诺时限停钟",
        "特别程序": "两个时限停钟",
        "延期": "时限延长",
        "退回": "时限不变",
    }


def test_who_proposes_does_not_decide(approver: Visitor, number: str) -> None:
    assert step(approver, number, "propose", outcome="refused", note="面积不足").status_code == 303
    page = said(approver.get(f"/cases/{number}").text)
    assert "拟办：不予" in page and "面积不足" in page and "拟办人不得自行签批" in page
    assert approver.page.count("确认拟办") == 0  # two signatures are the limit
    answer = step(approver, number, "decide", outcome="granted")
    assert answer.status_code == 403 and "拟办人不得自行签批" in said(answer.text)
    assert view_of(number)["state"] == "review"


def test_a_site_check_stops_the_promise_only(approver: Visitor, number: str) -> None:
    shown = said(approver.get(f"/approver/cases/{number}/effect?step=check-site&days=5").text)
    assert "若 5 天后恢复" in shown and shown.count("不变") == 1
    assert step(approver, number, "check-site", ground="site_check", days="5").status_code == 303
    view = view_of(number)
    assert view["state"] == "site_check"
    assert view["clocks"]["promised"]["stopped"] and not view["clocks"]["statutory"]["stopped"]
    assert number in approver.get("/approver?tab=special").text
    assert step(approver, number, "resume").status_code == 303
    assert view_of(number)["state"] == "review"


def test_the_effect_asks_for_nothing_that_it_does_not_know(approver: Visitor, number: str) -> None:
    for query in ("step=burn&days=3", "step=convert&amount=0&unit=WD", "step=convert&amount=3&unit=xx", "days=-1", ""):
        assert approver.get(f"/approver/cases/{number}/effect?{query}").status_code == 200, query


def test_a_commitment_is_checked_and_a_broken_one_revoked(app: Flask, staff: Find) -> None:
    rows = db.session.execute(select(ServiceItem)).scalars()
    code = next(row.code for row in rows if guide_of(row.code)["commitment"])
    number = received(staff, item=code, commitment={"text": "符合条件，愿担责任"})
    visitor = Visitor(app)
    visitor.sign_in(approver_of(number))
    visitor.get("/approver")
    assert step(visitor, number, "decide", outcome="granted").status_code == 303
    assert "本件凭申请人的书面承诺办结" in said(visitor.get(f"/cases/{number}").text)
    refused = step(visitor, number, "check", outcome="broken", note=" ")
    assert refused.status_code == 422 and "请填写理由" in said(refused.text)
    assert step(visitor, number, "check", key="c", outcome="broken", note="场所不存在").status_code == 303
    assert "未履行承诺" in said(visitor.get(f"/cases/{number}").text) and "核查情况 场所不存在" in said(visitor.page)
    given = {"reason": "以不实承诺取得", "basis": "《行政许可法》第六十九条"}
    assert step(visitor, number, "revoke", **given).status_code == 303
    assert view_of(number)["state"] == "void"
    assert "撤销决定" in said(visitor.get(f"/cases/{number}").text)


def test_an_instant_case_gets_a_promise(app: Flask, staff: Find) -> None:
    rows = db.session.execute(select(ServiceItem)).scalars()
    guides = (guide_of(row.code) for row in rows)
    guide = next(g for g in guides if g["time_class"] == "instant" and g["statutory"] == {"amount": 20, "unit": "WD"})
    number = received(staff, item=guide["code"])
    visitor = Visitor(app)
    visitor.sign_in(approver_of(number))
    before = view_of(number)["clocks"]["promised"]["due_at"]
    shown = said(visitor.get(f"/approver/cases/{number}/effect?step=convert&amount=5&unit=WD").text)
    assert step(visitor, number, "convert", amount="5", unit="WD", reason="系统故障").status_code == 303
    after = view_of(number)["clocks"]["promised"]["due_at"]
    assert after > before and f"→ 变为 {int(after[5:7])}月{int(after[8:10])}日 {after[11:16]}" in shown
    assert "即办转承诺" in said(visitor.get(f"/cases/{number}").text)


def test_the_chief_says_that_no_licence_is_needed(app: Flask, staff: Find) -> None:
    number = received(staff, accept=False)
    hall, case_id = find_case(number)
    ask = {"kind": "out_of_scope", "reason": "属备案事项"}
    raise_no_request(hall=hall, actor=staff("clerk01"), at=now(), case_id=case_id, **ask)
    db.session.rollback()
    chief = Visitor(app)
    chief.sign_in("chief01")
    assert "李志强" in said(chief.get("/approver?tab=questions").text)
    given = {"answer": "not_required", "reason": "只需备案", "basis": "《行政许可法》第三十二条", "go_to": "街道办事处"}
    assert step(chief, number, "answer", **given).status_code == 303
    assert view_of(number)["state"] == "not_required"


def test_counts_stop_where_counting_stops(approver: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.web.approver.MOST", 1)
    assert "待办 1+" in said(approver.get("/approver").text)
