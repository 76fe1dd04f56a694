"""The page of a case: who reads it, what is hidden, what the window may do, what the papers say."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from pypdf import PdfReader

from app import eventlog
from app.casework.delivery import dispatch_case
from app.casework.intake import NO_REQUESTS, accept_case, receive_case
from app.casework.queries import case_view, find_case
from app.casework.review import decide_case
from app.casework.rules.alarms import Alarm
from app.casework.rules.clocks import Ground, SiteGround
from app.casework.rules.states import CaseState, CaseStep, Effect
from app.casework.supplement import request_supplement, supply
from app.catalog.queries import item as item_of
from app.catalog.queries import search_items
from app.db import db
from app.events import Actor
from app.notices.batches import request_batch
from app.now import local, now
from app.people.models import Staff as Person
from app.web import case_history
from app.web.cases import bar, waits
from app.web.forms import new_key
from app.web.wording import WORDS
from tests.web.visit import Visitor, enter, said

HALL = "luolong"
PERSON = {"kind": "person", "name": "欧阳小三", "id_number": "511602199001011234", "phone": "13812345678"}
Staff = Callable[[str], Actor]


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return Visitor(app)


@pytest.fixture
def clerk(visitor: Visitor) -> Visitor:
    enter(visitor, "clerk01")
    return visitor


@pytest.fixture
def guide(app: Flask) -> dict[str, Any]:
    """An item of several days with main and secondary required materials."""
    for row in search_items(per_page=200)["items"]:
        guide = item_of(row["code"])
        kinds = {m["kind"] for m in guide["materials"] if m["required"]}
        if guide["time_class"] == "multi_day" and kinds == {"main", "secondary"} and guide["promised"]["unit"] == "WD":
            return guide
    raise AssertionError("the catalogue has no such item")


class Cases:
    def __init__(self, staff: Staff, guide: dict[str, Any]) -> None:
        self.staff, self.guide = staff, guide

    def of(self, kind: str) -> str:
        """The code of the first required material of the kind."""
        return next(m["code"] for m in self.guide["materials"] if m["required"] and m["kind"] == kind)

    def received(self, *missing: str, name: str = PERSON["name"]) -> str:
        materials = [
            {"code": m["code"], "state": "missing" if m["code"] in missing else "received"}
            for m in self.guide["materials"]
        ]
        given = {"item": self.guide["code"], "applicant": {**PERSON, "name": name}, "materials": materials}
        return receive_case(hall=HALL, actor=self.staff("clerk01"), at=now(), window="W01", **given)["number"]

    def accepted(self) -> str:
        number = self.received()
        accept_case(hall=HALL, actor=self.staff("clerk01"), at=now(), case_id=find_case(number)[1])
        return number

    def view(self, number: str) -> dict[str, Any]:
        db.session.rollback()
        return case_view(*find_case(number), now())


@pytest.fixture
def cases(staff: Staff, guide: dict[str, Any]) -> Cases:
    return Cases(staff, guide)


def press(visitor: Visitor, number: str, step: str, fields: dict[str, Any] | None = None, **more: Any) -> Any:
    visitor.get(f"/cases/{number}")
    return visitor.post(f"/cases/{number}/{step}", {"idempotency_key": new_key(), **(fields or {})}, **more)


# ── who may read ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("who", ["guide01", "admin01"])
def test_who_has_nothing_to_do_with_cases_reads_none(visitor: Visitor, cases: Cases, who: str) -> None:
    number = cases.received()
    enter(visitor, who)
    assert visitor.get(f"/cases/{number}").status_code == 403
    assert visitor.get("/notices/luolong-1.pdf").status_code == 403


def test_a_stranger_is_sent_to_the_sign_in(visitor: Visitor, cases: Cases) -> None:
    assert "/login?next=/cases/" in visitor.get(f"/cases/{cases.received()}").location


@pytest.mark.parametrize("who", ["clerk01", "pickup01", "approver01", "chief01", "supervisor01"])
def test_every_desk_reads_the_same_page(visitor: Visitor, cases: Cases, who: str) -> None:
    number = cases.accepted()
    enter(visitor, who)
    answer = visitor.get(f"/cases/{number}")
    page = said(answer.text)
    assert answer.status_code == 200 and number in page and "欧**三" in page
    for whole in (PERSON["name"], PERSON["id_number"], PERSON["phone"]):
        assert whole not in answer.text


def test_another_hall_reads_neither_case_nor_paper(visitor: Visitor, cases: Cases) -> None:
    number = cases.received()
    paper = cases.view(number)["notices"][0]
    enter(visitor, "clerk21")
    assert visitor.get(f"/cases/{number}").status_code == 403
    assert visitor.get(f"/notices/{HALL}-{paper['id']}.pdf").status_code == 403
    for step in ("accept", "withdraw", "reveal"):
        answer = visitor.post(f"/cases/{number}/{step}", {"idempotency_key": "k", "field": "name", "reason": "verify"})
        assert answer.status_code == 403


@pytest.mark.parametrize("who", ["pickup01", "approver01", "supervisor01"])
@pytest.mark.parametrize("step", ["accept", "supply", "no-request", "withdraw"])
def test_the_windows_steps_are_the_windows_own(visitor: Visitor, cases: Cases, who: str, step: str) -> None:
    number = cases.received()
    enter(visitor, who)
    assert press(visitor, number, step, {"code": "x"}).status_code == 403
    assert cases.view(number)["state"] == "received"


def test_a_courier_slip_tells_phone_and_address_and_who_did_not_send_it_says_why(
    cases: Cases, app: Flask, staff: Staff
) -> None:
    number = cases.accepted()
    hall, case_id = find_case(number)
    for part in cases.view(number)["departments"]:
        approver = db.session.query(Person.username).filter_by(department=part["department"]).first()[0]
        db.session.rollback()
        decide_case(hall=hall, actor=staff(approver), at=now(), case_id=case_id, outcome="granted")
    sent = {"carrier": "EMS", "tracking_number": "1", "address": "开元大道 1 号 3 单元 502"}
    dispatch_case(hall=hall, actor=staff("pickup01"), at=now(), case_id=case_id, **sent)
    papers = {paper["kind"]: paper["number"] for paper in cases.view(number)["notices"]}
    of = {paper["kind"]: f"/notices/{hall}-{paper['id']}.pdf" for paper in cases.view(number)["notices"]}

    def at(who: str) -> Visitor:
        visitor = Visitor(app)
        enter(visitor, who)
        return visitor

    def bundled(visitor: Visitor) -> set[str]:
        return {str(entry["/Title"]).split()[0] for entry in PdfReader(BytesIO(visitor.get(bundle).data)).outline}

    def looks() -> list[Any]:
        db.session.rollback()
        rows = eventlog.read_subject(hall, f"case:{case_id}")
        return [(row.actor, row.event.field, row.event.reason) for row in rows if row.event.kind == "field.revealed"]

    bundle, slip = f"/cases/{number}/papers.pdf", of["courier"]
    sender, other, watcher = at("pickup01"), at("clerk02"), at("supervisor01")
    assert sender.get(slip).mimetype == "application/pdf" and bundled(sender) == set(papers.values())
    for visitor in (other, watcher):
        assert visitor.get(of["receipt"]).mimetype == "application/pdf"
        assert bundled(visitor) == set(papers.values()) - {papers["courier"]}
    ids = [paper["id"] for paper in cases.view(number)["notices"]]
    asked = {who: request_batch(hall=hall, actor=staff(who), at=now(), notices=ids) for who in ("pickup01", "clerk02")}
    assert [batch["total"] for batch in asked.values()] == [len(ids), len(ids) - 1]
    page = other.get(slip)
    assert page.mimetype == "text/html" and "为什么看这份文书" in page.text
    assert PERSON["phone"] not in page.text and "502" not in page.text
    assert other.post(slip, {"reason": "curious"}).status_code == 422 and looks() == []
    assert other.post(slip, {"reason": "contact"}).data == sender.get(slip).data
    assert looks() == [("staff:clerk02", "paper", "contact")]
    assert "邮寄交寄单 · 联系申请人" in said(other.get(f"/cases/{number}").text)
    assert watcher.get(slip).status_code == watcher.post(slip, {"reason": "contact"}).status_code == 403


def test_an_unknown_case_step_or_paper_is_not_found(clerk: Visitor, cases: Cases) -> None:
    assert clerk.get("/cases/LL209901010001").status_code == 404
    assert press(clerk, cases.received(), "burn").status_code == 404
    for name in ("luolong-999999", "nonsense", "luolong-0", "luolong-" + "9" * 30):
        assert clerk.get(f"/notices/{name}.pdf").status_code == 404


# ── what it says ────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_accepted_case_shows_both_clocks_and_their_days(clerk: Visitor, cases: Cases) -> None:
    page = said(clerk.get(f"/cases/{cases.accepted()}").text)
    assert "承诺时限" in page and "法定时限" in page and "到期日" in page and "第 0 天" in page
    assert "分办到审批部门" in page and "正常" in page


def test_every_event_of_a_case_has_words() -> None:
    from app.events import KINDS

    kinds = {kind for kind in KINDS if kind.startswith("case.")} | {"notice.issued"}
    kinds |= {"field.revealed", "field.recalled", "licence.stored"}
    assert kinds == set(case_history.TITLES)


@pytest.mark.parametrize(
    ("of", "codes"),
    [
        ("case", CaseState),
        ("case_step", CaseStep),
        ("effect", Effect),
        ("alarm", Alarm),
        ("ground", [*Ground, *SiteGround, "supplement"]),
        ("no_request", [*NO_REQUESTS, "not_required"]),
    ],
)
def test_everything_a_case_can_be_has_its_word(of: str, codes: Iterable[str]) -> None:
    assert set(map(str, codes)) <= set(WORDS[of])
    assert of in ("ground",) or set(WORDS[of]) == set(map(str, codes))


def test_each_step_tells_its_paper_and_its_effect_on_the_clocks(clerk: Visitor, cases: Cases) -> None:
    page = clerk.get(f"/cases/{cases.accepted()}").text
    accepted, receipt = page.split('<ol class="c-time">')[1].split("</ol>")[0].split("</li>")[:2]
    assert "两个时限起算" in said(accepted) and "承诺到期" in said(accepted) and "/notices/luolong-" in accepted
    assert "一次性告知期限起算" in said(receipt) and "李志强 clerk01" in said(receipt)
    assert "领办期限" in said(page)


def test_a_case_that_was_withdrawn_was_not_completed_in_time(clerk: Visitor, cases: Cases) -> None:
    number = cases.accepted()
    press(clerk, number, "withdraw", {})
    told = said(clerk.get(f"/cases/{number}").text)
    assert "没有作出决定 终止时剩" in told and "未作决定" in told and "终止" in told
    assert "按期办结" not in told and "正在办理" not in told


def test_what_follows_a_missed_day_is_what_the_regime_says(clerk: Visitor, cases: Cases) -> None:
    told = said(clerk.get(f"/cases/{cases.received()}").text)
    assert "一次性告知期限" in told and "逾期视为受理" in told
    assert "逾期视为撤回" not in told
    number = cases.received(cases.of("main"))
    press(clerk, number, "request-supplement", {"code": cases.of("main")})
    told = said(clerk.get(f"/cases/{number}").text)
    assert "补正期限" in told and "逾期视为撤回" in told and "视为受理" not in told
    with clerk.app.app_context():
        silent = {**cases.guide["rules"], "not_notified": "none"}
        hall, case_id = find_case(cases.received())
        waited = waits(hall, case_id, CaseState.RECEIVED, silent, now())
        assert [wait["then"] for wait in waited if wait["kind"] == "notice"] == [""]


def test_nothing_is_deemed_of_what_a_department_asks_for(clerk: Visitor, cases: Cases) -> None:
    number = cases.accepted()
    of = {"case_id": find_case(number)[1], "items": [{"code": cases.of("main"), "problem": "缺页"}]}
    request_supplement(hall=HALL, actor=owner_of(cases), at=now(), **of)
    told = said(clerk.get(f"/cases/{number}").text)
    assert "补正期限" in told and "逾期视为撤回" not in told


def owner_of(cases: Cases) -> Actor:
    """Who decides the item."""
    approvers = (cases.staff(f"approver{n:02d}") for n in range(1, 40))
    return next(each for each in approvers if each.department == cases.guide["departments"][0])


@pytest.mark.parametrize(
    ("used", "left", "shown"),
    [
        (8, 7, {"used": 42.11, "stopped": 21.05, "left": 36.84}),
        (24, -9, {"used": 53.57, "stopped": 14.29, "late": 32.14}),
    ],
)
def test_a_clock_is_a_bar_of_what_is_used_stood_still_and_left(
    app: Flask, used: int, left: int, shown: dict[str, float]
) -> None:
    day = {"working": True, "paused": True}
    weekend = {**day, "working": False}
    clock = {"limit": {"amount": 5, "unit": "WD"}, "unit": "day", "used": used, "remaining": left}
    with app.test_request_context("/"):
        drawn = bar(clock, [day] * 4 + [weekend] * 2 + [{**day, "paused": False}] * used)
    assert {name: size for name, size in drawn["parts"].items() if size} == pytest.approx(shown, abs=0.02)
    assert "停钟 4 个工作日" in drawn["words"]
    assert ("超期 9 个工作日" in drawn["words"]) is (left < 0)


def test_papers_open_in_the_browser(clerk: Visitor, cases: Cases) -> None:
    number = cases.received()
    clerk.get(f"/cases/{number}")
    answer = clerk.get(clerk.links("/notices/")[0])
    assert answer.mimetype == "application/pdf" and answer.data.startswith(b"%PDF")
    assert answer.headers["Content-Disposition"].startswith("inline")


def test_markup_of_others_prints_as_text(clerk: Visitor, cases: Cases) -> None:
    bad = "<img src=x onerror=alert(1)>"
    number = cases.received(cases.of("main"))
    press(clerk, number, "no-request", {"kind": "grey_area", "reason": bad})
    page = clerk.get(f"/cases/{number}").text
    assert bad not in page and html.escape(bad) in page


# ── looking at what is masked ───────────────────────────────────────────────────────────────────────────────────


def test_a_look_needs_the_permission_and_a_reason(visitor: Visitor, cases: Cases) -> None:
    number = cases.received()
    enter(visitor, "supervisor01")
    assert "查看完整信息须说明理由" not in visitor.get(f"/cases/{number}").text
    assert press(visitor, number, "reveal", {"field": "phone", "reason": "verify"}).status_code == 403
    enter(visitor, "clerk01")
    assert press(visitor, number, "reveal", {"field": "phone", "reason": ""}).status_code == 422
    assert press(visitor, number, "reveal", {"field": "codes", "reason": "verify"}).status_code == 422


def test_a_look_shows_one_field_for_half_a_minute_and_is_recorded(clerk: Visitor, cases: Cases) -> None:
    number = cases.received()
    given = {"field": "phone", "reason": "contact"}
    part = press(clerk, number, "reveal", given, headers={"HX-Request": "true"}).text
    assert PERSON["phone"] in part and 'data-hide="30"' in part and PERSON["id_number"] not in part
    whole = press(clerk, number, "reveal", given)
    assert PERSON["phone"] in whole.text and whole.headers["Refresh"] == f"30; url=/cases/{number}"
    db.session.rollback()
    looks = [r for r in eventlog.read_subject(HALL, f"case:{find_case(number)[1]}") if r.event.kind == "field.revealed"]
    assert len(looks) == 2
    page = clerk.get(f"/cases/{number}").text
    assert PERSON["phone"] not in page and "电话 · 联系申请人" in said(page)


# ── the window's steps ──────────────────────────────────────────────────────────────────────────────────────────


def test_accept(clerk: Visitor, cases: Cases) -> None:
    number = cases.received()
    answer = press(clerk, number, "accept")
    assert (answer.status_code, answer.location) == (303, f"/cases/{number}")
    assert "已受理，两个时限从今天起算" in said(clerk.get(answer.location).text)
    assert cases.view(number)["state"] == "accepted"


def test_a_main_material_cannot_be_tolerated(clerk: Visitor, cases: Cases) -> None:
    number = cases.received(cases.of("main"))
    assert 'name="tolerant"' not in clerk.get(f"/cases/{number}").text
    answer = press(clerk, number, "accept", {"tolerant": "1", "commitment": "补", "gap_limit": "3"})
    assert answer.status_code == 409 and "主要材料不能容缺" in answer.text


def test_tolerant_acceptance_keeps_what_was_typed_when_refused(clerk: Visitor, cases: Cases) -> None:
    number = cases.received(cases.of("secondary"))
    assert press(clerk, number, "accept").status_code == 409
    given = {"tolerant": "1", "commitment": "本人承诺三日内补齐", "gap_limit": "59"}
    refused = press(clerk, number, "accept", given)
    assert refused.status_code == 422 and "补齐期限不得长于承诺时限" in refused.text
    assert "本人承诺三日内补齐" in refused.text and 'value="59"' in refused.text
    assert press(clerk, number, "accept", {**given, "gap_limit": "lots"}).status_code == 422
    assert press(clerk, number, "accept", {**given, "gap_limit": "1"}).status_code == 303
    assert cases.view(number)["flags"]["tolerant"]
    assert "容缺补齐期限" in said(clerk.get(f"/cases/{number}").text)


def test_one_notice_then_a_supplement_then_acceptance(clerk: Visitor, cases: Cases) -> None:
    code = cases.of("main")
    number = cases.received(code)
    nothing = press(clerk, number, "request-supplement")
    assert nothing.status_code == 422 and "没有选择需要补正的材料" in nothing.text
    assert press(clerk, number, "request-supplement", {"code": code, f"problem-{code}": "请交原件"}).status_code == 303
    page = said(clerk.get(f"/cases/{number}").text)
    assert "请交原件" in page and "待补正" in page and "出具告知书" not in page  # once
    again = press(clerk, number, "request-supplement", {"code": code})
    assert again.status_code == 409 and "补正只能一次性告知" in again.text
    assert press(clerk, number, "supply", {"code": code}).status_code == 303
    assert cases.view(number)["state"] == "accepted"


def test_a_supervisor_may_give_a_second_notice(visitor: Visitor, cases: Cases) -> None:
    code = cases.of("main")
    number = cases.received(code)
    enter(visitor, "supervisor01")
    assert "再次告知补正" not in visitor.get(f"/cases/{number}").text  # the first one is the window's
    enter(visitor, "clerk01")
    press(visitor, number, "request-supplement", {"code": code})
    enter(visitor, "supervisor01")
    assert "再次告知补正" in visitor.get(f"/cases/{number}").text
    given = {"code": code, f"problem-{code}": "仍不清楚"}
    silent = press(visitor, number, "request-supplement", given)
    assert silent.status_code == 422 and "请填写理由" in said(silent.text)
    assert press(visitor, number, "request-supplement", {**given, "repeat_reason": "漏列一页"}).status_code == 303
    assert [n["kind"] for n in cases.view(number)["notices"]].count("supplement") == 2


def test_a_supervisor_may_ask_again_for_the_department_that_asked(visitor: Visitor, cases: Cases) -> None:
    number, code = cases.accepted(), cases.of("main")
    enter(visitor, "supervisor01")
    assert "再次告知补正" not in visitor.get(f"/cases/{number}").text  # the first one is the department's
    of = {"case_id": find_case(number)[1], "items": [{"code": code}]}
    request_supplement(hall=HALL, actor=owner_of(cases), at=now(), **of)
    supply(hall=HALL, actor=cases.staff("clerk01"), at=now(), **of)
    assert "再次告知补正" in visitor.get(f"/cases/{number}").text
    assert press(visitor, number, "request-supplement", {"code": code, "repeat_reason": "漏列"}).status_code == 303
    assert cases.view(number)["state"] == "review_correction"


def test_the_window_asks_and_does_not_refuse(clerk: Visitor, cases: Cases) -> None:
    number = cases.received()
    empty = press(clerk, number, "no-request", {"kind": "out_of_scope", "reason": " "})
    assert empty.status_code == 422 and "请填写理由" in empty.text and 'value="out_of_scope" checked' in empty.text
    assert press(clerk, number, "no-request", {"kind": "out_of_scope", "reason": "不在本区"}).status_code == 303
    page = said(clerk.get(f"/cases/{number}").text)
    assert "等首席代表答复" in page and "不在本区" in page
    refused = press(clerk, number, "accept")
    assert refused.status_code == 409 and "首席代表尚未答复" in refused.text


def test_withdraw_ends_the_case(clerk: Visitor, cases: Cases) -> None:
    number = cases.accepted()
    assert press(clerk, number, "withdraw").status_code == 303
    late = press(clerk, number, "withdraw")
    assert late.status_code == 409 and "已撤回" in late.text and "withdrawn" not in said(late.text)


def test_a_double_press_counts_once(clerk: Visitor, cases: Cases) -> None:
    code = cases.of("main")
    number = cases.received(code)
    given = {"idempotency_key": "one-press", "code": code}
    assert {press(clerk, number, "request-supplement", given).status_code for _ in range(2)} == {303}
    assert [n["kind"] for n in cases.view(number)["notices"]].count("supplement") == 1


# ── what a supervisor puts right ────────────────────────────────────────────────────────────────────────────────


def test_a_supervisor_voids_what_should_not_be(visitor: Visitor, cases: Cases) -> None:
    number = cases.received()
    enter(visitor, "clerk01")
    assert press(visitor, number, "void", {"reason": "录错"}).status_code == 403
    enter(visitor, "supervisor01")
    refused = press(visitor, number, "void", {"reason": " "})
    assert refused.status_code == 422 and "请填写理由" in said(refused.text)
    assert press(visitor, number, "void", {"reason": "重复录入"}).status_code == 303
    page = said(visitor.get(f"/cases/{number}").text)
    assert cases.view(number)["state"] == "void" and "终止的理由 重复录入" in page


def test_a_supervisor_corrects_a_receipt(visitor: Visitor, cases: Cases) -> None:
    number = cases.received()
    enter(visitor, "supervisor01")
    later = local(now()).replace(tzinfo=None) + timedelta(days=1)
    refused = press(visitor, number, "backdate", {"reason": "补录", "received_at": later.isoformat()[:16]})
    assert refused.status_code == 422 and later.isoformat()[:16] in refused.text and "补录" in refused.text
    assert press(visitor, number, "backdate", {"reason": "补录", "received_at": "nonsense"}).status_code == 422
    earlier = local(now()).replace(tzinfo=None) - timedelta(hours=1)
    given = {"reason": "昨天收的纸质材料", "received_at": earlier.isoformat()[:16]}
    assert press(visitor, number, "backdate", given).status_code == 303
    page = said(visitor.get(f"/cases/{number}").text)
    assert "更正收件时间的理由 昨天收的纸质材料" in page and "更正为" in page
