"""The acceptance sheet: what it offers in each state, the notice from ticks, commitments, instant items, faults by their fields."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale
from pypdf import PdfReader
from sqlalchemy import select

from app.casework.intake import accept_case, receive_case
from app.casework.licences import store_licences
from app.casework.models import CaseMaterial
from app.casework.queries import case_view, find_case
from app.casework.review import decide_case
from app.catalog.queries import item as item_of
from app.db import db
from app.events import SYSTEM
from app.now import now
from app.people.models import Staff
from app.web.clerk_case import PROBLEMS
from tests.web.visit import Visitor, announce_calendar, enter, said

HALL, ID = "luolong", "410305199001010011"
PERSON = {"kind": "person", "name": "张三丰", "id_number": ID, "phone": "13812341234"}
PERMIT = "511A0005200004-511602000000-000-115113016823646795-1-00"  # 食品经营许可核发: M4 and M5 may be tolerated
RENEWAL = "511A0005200008-511602000000-000-115113016823646795-1-00"  # 食品经营许可延续: M2 is an e-licence
DISPATCH = "511A14003004-511602000000-000-115113016823646795-1-00"  # 劳务派遣经营许可: on commitment
NURSE = "511A0012600007-511602000000-000-115113016823646795-1-00"  # 护士延续执业注册: decided even without M3
SHOP = "511A0074300005-511602000000-000-115113016823646795-1-00"  # 个体工商户设立登记: instant


@pytest.fixture
def clerk(app: Flask) -> Visitor:
    announce_calendar()
    visitor = Visitor(app)
    enter(visitor, "clerk01")
    visitor.get("/clerk")
    return visitor


@pytest.fixture
def receive(clerk: Visitor, staff: Any) -> Any:
    """Receive a case of this item with these materials missing; its number."""

    def take_in(code: str, *missing: str) -> str:
        materials = item_of(code)["materials"]
        states = [{"code": m["code"], "state": "missing" if m["code"] in missing else "received"} for m in materials]
        given = {"item": code, "applicant": PERSON, "materials": states, "window": "W01"}
        return receive_case(hall=HALL, actor=staff("clerk01"), at=now(), **given)["number"]

    return take_in


def ways(page: str) -> list[str]:
    return re.findall(r'data-way="([a-z-]+)"', page)


def press(clerk: Visitor, number: str, way: str, **fields: Any) -> Any:
    clerk.get(f"/clerk/cases/{number}")
    return clerk.post(f"/clerk/cases/{number}/{way}", {"idempotency_key": clerk.hidden("idempotency_key"), **fields})


def view_of(number: str) -> dict[str, Any]:
    db.session.rollback()
    return case_view(*find_case(number), now())


# ── who may, and what is not there ──────────────────────────────────────────────────────────────────────────────


def test_the_sheet_is_the_windows_of_that_hall(clerk: Visitor, receive: Any, app: Flask) -> None:
    number = receive(PERMIT)
    other = Visitor(app)
    for who, status in (("approver01", 403), ("pickup01", 403), ("clerk21", 403)):
        enter(other, who)
        assert other.get(f"/clerk/cases/{number}").status_code == status, who
        assert other.post(f"/clerk/cases/{number}/accept", {"idempotency_key": "k"}).status_code == status, who
    assert clerk.get("/clerk/cases/LL209901010001").status_code == 404
    assert press(clerk, number, "refuse").status_code == 404  # no window refuses


# ── what each state offers ──────────────────────────────────────────────────────────────────────────────────────


def test_what_is_offered_follows_from_what_is_missing(clerk: Visitor, receive: Any) -> None:
    assert ways(clerk.get(f"/clerk/cases/{receive(PERMIT)}").text) == ["accept", "notice", "no-request"]
    assert ways(clerk.get(f"/clerk/cases/{receive(PERMIT, 'M1')}").text) == ["supply", "notice", "no-request"]
    secondary = clerk.get(f"/clerk/cases/{receive(PERMIT, 'M4')}").text
    assert ways(secondary) == ["supply", "notice", "tolerant", "no-request"]
    assert "告知承诺" not in said(secondary)
    pledged = clerk.get(f"/clerk/cases/{receive(DISPATCH, 'M5')}").text
    assert "pledge" in ways(pledged) and "tolerant" in ways(pledged)


def test_a_complete_case_is_accepted_once(clerk: Visitor, receive: Any) -> None:
    number = receive(PERMIT)
    done = press(clerk, number, "accept")
    assert (done.status_code, done.location) == (303, f"/clerk/cases/{number}")
    assert view_of(number)["state"] == "accepted"
    page = clerk.get(f"/clerk/cases/{number}").text
    assert "已受理，两个时限从今天起算" in page and "accept" not in ways(page)


# ── the one-time notice ─────────────────────────────────────────────────────────────────────────────────────────


def test_the_notice_is_built_from_ticks_seen_and_then_issued(clerk: Visitor, receive: Any) -> None:
    number = receive(PERMIT, "M1")
    ticks = {"ask": ["M2"], "why-M2": "expired", "text-M2": "执照 2025 年到期 <b>", "why-M1": "absent"}
    seen = press(clerk, number, "notice", **ticks)
    page = said(seen.text)
    assert "已过有效期：执照 2025 年到期 <b>" in page and "<b>" not in seen.text
    assert "食品经营许可申请书" in page and "（未勾选，自动列入）" in page  # what is missing cannot be asked for later
    assert "视为撤回申请" in page and "10 个工作日" in page and "安阳市政务服务条例" in page
    assert view_of(number)["state"] == "received"  # nothing has been issued yet

    back = press(clerk, number, "notice", **ticks, next="back")
    assert 'value="执照 2025 年到期 &lt;b&gt;"' in back.text and re.search(r'value="expired" selected', back.text)

    given = {**ticks, "next": "issue", "idempotency_key": "once"}
    assert press(clerk, number, "notice", **given).status_code == 303
    assert press(clerk, number, "notice", **given).status_code == 303  # the same press again
    view = view_of(number)
    assert view["state"] == "correction"
    problems = {m["code"]: m["problem"] for m in view["materials"] if m["requested"]}
    assert problems == {"M1": "未提交", "M2": "已过有效期：执照 2025 年到期 <b>"}
    assert [paper["kind"] for paper in view["notices"]] == ["receipt", "supplement"]
    assert ways(clerk.get(f"/clerk/cases/{number}").text) == ["supply", "no-request"]  # only once


def test_the_paper_is_chinese_whatever_the_page_speaks(clerk: Visitor, receive: Any) -> None:
    number = receive(PERMIT)
    clerk.get("/clerk?lang=en")
    press(clerk, number, "notice", **{"ask": "M1", "why-M1": "signature", "next": "issue"})
    assert view_of(number)["materials"][0]["problem"] == "未签字或者未盖章"


def test_an_empty_notice_is_refused_beside_the_list(clerk: Visitor, receive: Any) -> None:
    number = receive(PERMIT)
    answer = press(clerk, number, "notice")
    assert answer.status_code == 422 and 'id="c-ask-error"' in answer.text and "没有选择需要补正的材料" in answer.text


def test_every_phrase_is_a_defect_of_the_law() -> None:
    assert {defect for _words, defect in PROBLEMS.values()} == {"incomplete", "form"}


def test_the_supplement_completes_the_case(clerk: Visitor, receive: Any) -> None:
    number = receive(PERMIT, "M1", "M4")
    press(clerk, number, "notice", ask=["M1", "M4"], next="issue")
    assert press(clerk, number, "supply").status_code == 422  # nothing ticked
    press(clerk, number, "supply", got=["M1"])
    assert view_of(number)["state"] == "correction"
    press(clerk, number, "supply", got=["M4"])
    assert view_of(number)["state"] == "accepted"


# ── e-licences ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_look_up_takes_the_papers_place_or_says_why_not(clerk: Visitor, receive: Any) -> None:
    number = receive(RENEWAL, "M2")
    refused = press(clerk, number, "share", share="M2")
    assert refused.status_code == 409 and "没有查到可用的电子证照" in refused.text
    row = {"id_number": ID, "title": "食品经营许可证", "number": "JY14103110001", "issuer": "区市场监督管理局"}
    licence = {**row, "issued_on": "2023-01-01", "valid_until": "2099-12-31"}
    store_licences(hall=HALL, actor=SYSTEM, at=now(), licences=[licence])
    assert press(clerk, number, "share", share="M2").status_code == 303
    page = said(clerk.get(f"/clerk/cases/{number}").text)
    assert "电子证照《食品经营许可证》 J***********1" in page and "JY14103110001" not in page
    one = select(CaseMaterial.state).where(CaseMaterial.case_id == find_case(number)[1], CaseMaterial.code == "M2")
    assert db.session.execute(one).scalar_one() == "shared"


# ── commitments ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_tolerance_keeps_what_was_typed_and_says_what_is_wrong_beside_it(clerk: Visitor, receive: Any) -> None:
    number = receive(PERMIT, "M4")
    wrong = press(clerk, number, "tolerant", commitment="我承诺补齐", gap_limit="60")
    assert wrong.status_code in (409, 422)
    assert 'id="f-gap_limit-error"' in wrong.text and "我承诺补齐" in wrong.text and 'value="60"' in wrong.text
    for far in ("2000", "999999999999", "9" * 900):
        assert press(clerk, number, "tolerant", commitment="我承诺补齐", gap_limit=far).status_code == 422
    empty = press(clerk, number, "tolerant", commitment=" ", gap_limit="3")
    assert 'id="f-commitment-error"' in empty.text and 'value="3"' in empty.text
    assert press(clerk, number, "tolerant", commitment="我承诺补齐", gap_limit="3").status_code == 303
    view = view_of(number)
    assert view["state"] == "accepted" and view["flags"]["tolerant"]
    assert "supply" in ways(clerk.get(f"/clerk/cases/{number}").text)


def test_a_promised_paper_is_taken_in_after_the_decision_and_nothing_is_deemed(
    clerk: Visitor, receive: Any, staff: Any
) -> None:
    number = receive(NURSE, "M3")
    assert press(clerk, number, "tolerant", commitment="我承诺补齐", gap_limit="3").status_code == 303
    sheet = said(clerk.get(f"/clerk/cases/{number}").text)
    assert "容缺材料请在" in sheet and "逾期视为撤回申请" in sheet
    department = view_of(number)["departments"][0]["department"]
    approver = db.session.execute(select(Staff.username).where(Staff.department == department)).scalars().first()
    decide_case(hall=HALL, actor=staff(approver), at=now(), case_id=find_case(number)[1], outcome="granted")
    page = clerk.get(f"/clerk/cases/{number}").text
    assert ways(page) == ["supply"] and re.findall(r'name="got" value="(\w+)"', page) == ["M3"]
    assert "容缺材料请在" in said(page) and "逾期视为撤回" not in said(page)
    assert "容缺补齐期限" in said(clerk.get(f"/cases/{number}").text)
    assert "逾期视为撤回" not in said(clerk.get(f"/cases/{number}").text)
    assert press(clerk, number, "supply", got=["M3"]).status_code == 303
    assert ways(clerk.get(f"/clerk/cases/{number}").text) == []
    view = view_of(number)
    assert view["state"] == "granted" and view["notices"][-1]["kind"] == "supplement_receipt"


def test_a_commitment_case_shows_its_conditions(clerk: Visitor, receive: Any) -> None:
    number = receive(DISPATCH, "M5")
    page = clerk.get(f"/clerk/cases/{number}").text
    guide = item_of(view_of(number)["item"]["code"])
    assert guide["commitment"]["conditions"][0] in page
    assert guide["commitment"]["conditions_en"][0] in clerk.get(f"/clerk/cases/{number}?lang=en").text
    clerk.get("/clerk?lang=zh")
    empty = press(clerk, number, "pledge", pledge=" ")
    assert empty.status_code == 422 and 'id="f-pledge-error"' in empty.text
    assert press(clerk, number, "pledge", pledge="本单位符合条件").status_code == 303
    assert view_of(number)["state"] == "accepted"
    assert "commitment" in [paper["kind"] for paper in view_of(number)["notices"]]


# ── asking the chief, and instant items ─────────────────────────────────────────────────────────────────────────


def test_a_window_asks_and_never_refuses(clerk: Visitor, receive: Any) -> None:
    number = receive(PERMIT)
    for given in ({"reason": "经营场所不在本区"}, {"kind": "out_of_scope", "reason": " "}):
        wrong = press(clerk, number, "no-request", **given)
        assert wrong.status_code == 422 and "error" in wrong.text
    assert 'id="c-reason-no-error"' in wrong.text and re.search(r'value="out_of_scope" checked', wrong.text)
    assert press(clerk, number, "no-request", kind="out_of_scope", reason="经营场所不在本区").status_code == 303
    page = clerk.get(f"/clerk/cases/{number}").text
    assert "请示已送首席代表，答复前不能受理" in page and ways(page) == ["notice"]


def test_an_instant_item_is_finished_on_the_spot_or_turned_into_a_promise(
    clerk: Visitor, receive: Any, staff: Any
) -> None:
    first, second = receive(SHOP), receive(SHOP)
    for number in (first, second):
        accept_case(hall=HALL, actor=staff("clerk01"), at=now(), case_id=find_case(number)[1])
    assert "convert" in ways(clerk.get(f"/clerk/cases/{first}").text)
    wrong = press(clerk, first, "convert", amount="1", unit="WD", reason=" ")
    assert wrong.status_code == 422 and 'id="c-reason-convert-error"' in wrong.text
    assert press(clerk, first, "convert", amount="9" * 5000, unit="WD", reason="系统故障").status_code == 422
    department = view_of(second)["departments"][0]["department"]
    approver = db.session.execute(select(Staff.username).where(Staff.department == department)).scalars().first()
    decide_case(hall=HALL, actor=staff(approver), at=now(), case_id=find_case(second)[1], outcome="granted")
    assert ways(clerk.get(f"/clerk/cases/{second}").text) == ["finish"]
    assert press(clerk, second, "finish").status_code == 303
    assert view_of(second)["state"] == "delivered"
    assert "打开办件" in clerk.get(f"/clerk/cases/{second}").text


def test_waiting_for_a_decision_offers_nothing_first_and_no_longer_limit_than_the_law(
    clerk: Visitor, receive: Any, staff: Any
) -> None:
    number = receive(SHOP)
    accept_case(hall=HALL, actor=staff("clerk01"), at=now(), case_id=find_case(number)[1])
    page = clerk.get(f"/clerk/cases/{number}").text
    assert "决定后在这里当场办结" in said(page) and not re.search(r'data-way="[a-z-]+" open', page)
    law = view_of(number)["clocks"]["statutory"]["limit"]
    assert re.search(rf'name="amount"[^>]* value="{law["amount"]}"', page)
    assert re.search(rf'<option value="{law["unit"]}" selected', page)
    given = {"amount": str(law["amount"]), "unit": law["unit"]}
    assert press(clerk, number, "convert", reason="打证机坏了", **given).status_code == 303
    assert "决定后在这里当场办结" not in said(clerk.get(f"/clerk/cases/{number}").text)  # the applicant went home


def test_a_look_up_that_finds_nothing_keeps_the_part_open_and_the_ticks(clerk: Visitor, receive: Any) -> None:
    number = receive(RENEWAL, "M1", "M2")
    assert press(clerk, number, "notice", ask=["M1", "M2"], next="issue").status_code == 303
    wrong = press(clerk, number, "share", share="M2", got=["M1"])
    assert wrong.status_code == 409
    assert 'data-way="supply" open' in wrong.text  # Ctrl+Enter has something to press
    assert re.search(r'name="got" value="M1" checked', wrong.text)


def test_what_is_wrong_is_told_in_the_readers_language(clerk: Visitor, receive: Any) -> None:
    number = receive(PERMIT, "M1")
    asked = {"ask": ["M1"], "why-M1": "pages", "text-M1": "第 3 页"}
    assert press(clerk, number, "notice", next="issue", **asked).status_code == 303
    assert "缺页或缺附件：第 3 页" in said(clerk.get(f"/clerk/cases/{number}").text)
    english = said(clerk.get(f"/clerk/cases/{number}?lang=en").text)
    assert "缺页" not in english and "第 3 页" in english


def test_the_papers_of_a_step_are_printed_as_one_file(clerk: Visitor, receive: Any, app: Flask) -> None:
    number = receive(DISPATCH)
    assert press(clerk, number, "pledge", pledge="愿意承诺").status_code == 303
    papers = view_of(number)["notices"]
    step = [paper for paper in papers if paper["issued_at"] == papers[-1]["issued_at"]]
    assert len(papers) > len(step) > 1
    page = clerk.get(f"/clerk/cases/{number}").text
    links = clerk.links("/cases/")
    one_file = f"/cases/{number}/papers.pdf?since={step[0]['id']}"
    assert re.search(rf'href="{re.escape(one_file)}"[^>]*data-print', page) and page.count("data-print") == 1

    def numbers(address: str) -> list[str]:
        answer = clerk.get(address)
        assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
        outline = PdfReader(BytesIO(answer.data)).outline
        return [str(entry["/Title"]).split()[0] for entry in outline]

    def words(address: str) -> str:
        return "".join(page.extract_text() for page in PdfReader(BytesIO(clerk.get(address).data)).pages)

    assert numbers(one_file) == [paper["number"] for paper in step]
    assert numbers(f"/cases/{number}/papers.pdf") == [paper["number"] for paper in papers]
    assert clerk.get(f"/cases/{number}/papers.pdf?since=99999999").status_code == 404
    both = next(link for link in links if link.startswith(one_file) and "language=en" in link)
    paper = f"/notices/luolong-{step[0]['id']}.pdf"
    for address in (one_file, paper):
        assert "Applicant" not in words(address)
    for address in (both.replace("&amp;", "&"), f"{paper}?language=en"):
        assert "Applicant" in words(address) and "申请人" in words(address)
    assert numbers(both.replace("&amp;", "&")) == [paper["number"] for paper in step]
    other = Visitor(app)
    enter(other, "clerk21")
    assert other.get(f"/cases/{number}/papers.pdf").status_code == 403


def test_a_word_is_not_frozen_in_its_first_readers_language(app: Flask) -> None:
    with app.test_request_context(), force_locale("en"):
        template = app.jinja_env.from_string('{{ "kept"|word("kept") }}')
    spoken = []
    for language in ("en", "zh"):
        with app.test_request_context(), force_locale(language):
            spoken.append(template.render())
    assert spoken[0] != spoken[1]
