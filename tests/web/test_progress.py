"""The progress of a case for everybody: by number and code or by the link of the receipt."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from app.casework.delivery import dispatch_case, ready_case, sign_delivery
from app.casework.intake import accept_case, raise_no_request, receive_case, withdraw_case
from app.casework.oversight import explain_overdue
from app.casework.queries import find_case
from app.casework.review import decide_case, revoke_case
from app.casework.rules.states import OVER, CaseState
from app.casework.special import check_site, extend_case, resume_case
from app.casework.supplement import request_supplement, supply
from app.casework.sweeps import sweep_lights
from app.catalog.queries import item as item_of
from app.catalog.queries import search_items
from app.events import SYSTEM, Actor
from app.now import now
from app.web import citizen, whereabouts
from tests.web.visit import Visitor, an_item, announce_calendar, said

HALL = "luolong"
PERSON = {"name": "欧阳小三", "id_number": "511602199001011234", "phone": "13812345678"}
Staff = Callable[[str], Actor]


def receive(clerk: Actor, item: dict[str, Any], missing: str = "") -> dict[str, Any]:
    applicant = {"kind": "person", "id_type": "id_card", **PERSON}
    materials = [
        {"code": m["code"], "state": "missing" if m["code"] == missing else "received"} for m in item["materials"]
    ]
    at = now()
    return receive_case(hall=HALL, actor=clerk, at=at, item=item["code"], applicant=applicant, materials=materials)


def test_number_and_code_show_the_case_and_stay_out_of_the_address(visitor: Visitor, staff: Staff) -> None:
    item = an_item()
    case = receive(staff("clerk01"), item)
    visitor.get("/progress")
    code = f" {case['query_code'].lower()} "
    answer = visitor.post("/progress", {"number": case["number"].lower(), "query_code": code})
    assert answer.status_code == 200
    page = said(answer.text)
    assert item["name"] in page
    assert "窗口正在核对材料" in page
    assert case["query_code"] not in answer.text
    assert case["pickup_code"] not in answer.text
    for private in PERSON.values():
        assert private not in answer.text
    linked = visitor.get(f"/c/{case['query_token']}")
    assert linked.status_code == 200
    assert said(linked.text).split("更新于")[0] == page.split("更新于")[0]


def test_when_all_is_in_and_an_answer_is_awaited_nothing_is_asked_for(visitor: Visitor, staff: Staff) -> None:
    item = an_item()
    code = next(m["code"] for m in item["materials"] if m["required"])
    case = receive(staff("clerk01"), item, missing=code)
    given = {"hall": HALL, "actor": staff("clerk01"), "at": now(), "case_id": find_case(case["number"])[1]}
    request_supplement(**given, items=[{"code": code}])
    raise_no_request(**given, kind="grey_area", reason="是否需要许可")
    told = "材料已收齐，正在请示是否受理"
    assert told not in visitor.get(f"/c/{case['query_token']}").text
    supply(**given, items=[code])
    page = said(visitor.get(f"/c/{case['query_token']}").text)
    assert told in page and "请补交" not in page


@pytest.mark.parametrize(
    "fields", [{}, {"number": "LL202601010001", "query_code": "AAAAAA"}, {"number": "x" * 900, "query_code": "𠮷"}]
)
def test_a_wrong_code_tells_nothing(visitor: Visitor, fields: dict[str, str]) -> None:
    visitor.get("/progress")
    answer = visitor.post("/progress", fields)
    assert answer.status_code == 404
    assert "办件编号或查询码不符" in said(answer.text)


def test_a_known_number_with_a_wrong_code_reads_like_an_unknown_one(visitor: Visitor, staff: Staff) -> None:
    case = receive(staff("clerk01"), an_item())
    visitor.get("/progress")
    known = visitor.post("/progress", {"number": case["number"], "query_code": "AAAAAA"})
    assert known.status_code == 404
    assert an_item()["name"] not in known.text


def test_guessing_codes_is_limited(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    strict = replace(citizen.settings(), login_limit="3/minute")
    monkeypatch.setattr(citizen, "settings", lambda: strict)
    visitor.get("/progress")
    guess = {"number": "LL209901010001", "query_code": "AAAAAA"}
    assert [visitor.post("/progress", guess).status_code for _ in range(4)] == [404, 404, 404, 429]


def test_an_unknown_link_is_not_found(visitor: Visitor) -> None:
    assert visitor.get("/c/unheard-of").status_code == 404


def test_what_to_bring_is_told_with_its_reason(visitor: Visitor, staff: Staff) -> None:
    item, clerk = an_item(), staff("clerk01")
    case = receive(clerk, item)
    _, case_id = find_case(case["number"])
    asked = [{"code": item["materials"][0]["code"], "problem": "复印件不清楚"}]
    request_supplement(hall=HALL, actor=clerk, at=now(), case_id=case_id, items=asked)
    page = said(visitor.get(f"/c/{case['query_token']}").text)
    assert "请补交这些材料" in page
    assert item["materials"][0]["name"] in page
    assert "复印件不清楚" in page
    assert "待补正" in page


def test_an_accepted_case_shows_its_limit_and_the_days_behind_it(visitor: Visitor, staff: Staff) -> None:
    announce_calendar()
    item, clerk = an_item(), staff("clerk01")
    case = receive(clerk, item)
    _, case_id = find_case(case["number"])
    accept_case(hall=HALL, actor=clerk, at=now(), case_id=case_id)
    page = visitor.get(f"/c/{case['query_token']}").text
    days = item["promised"]["amount"]
    assert f"承诺 {days} 个工作日内办结" in said(page)
    assert f"剩 {days} 个工作日" in said(page)
    rows = re.findall(r"<tr.*?</tr>", page.split("期限逐日明细")[-1], flags=re.S)
    assert said(rows[1]).split(" ", 2)[2].startswith("第 0 天 ·") and "不计" in said(rows[1])
    assert "到期日" in said(rows[-1])
    assert f"{days}/{days}" in said(rows[-1])


def test_a_ready_result_tells_how_to_collect_it(visitor: Visitor, staff: Staff) -> None:
    item, clerk = an_item(), staff("clerk01")
    case = receive(clerk, item)
    _, case_id = find_case(case["number"])
    accept_case(hall=HALL, actor=clerk, at=now(), case_id=case_id)
    number = next(n for n in range(1, 40) if staff(f"approver{n:02d}").department == item["departments"][0])
    approver = staff(f"approver{number:02d}")
    decide_case(hall=HALL, actor=approver, at=now(), case_id=case_id, outcome="granted", reason="", basis="")
    ready_case(hall=HALL, actor=staff("pickup01"), at=now(), case_id=case_id, shelf="A-03")
    answer = visitor.get(f"/c/{case['query_token']}").text
    assert "怎样领取" in said(answer)
    assert "待领取" in said(answer)
    assert case["pickup_code"] not in answer
    assert "A-03" not in answer


def accepted(staff: Staff) -> tuple[dict[str, Any], int, Actor, dict[str, Any]]:
    """A case in review, and who decides it."""
    announce_calendar()
    item = item_of(search_items("食品经营许可延续")["items"][0]["code"])
    case = receive(staff("clerk01"), item)
    _, case_id = find_case(case["number"])
    accept_case(hall=HALL, actor=staff("clerk01"), at=now(), case_id=case_id)
    numbers = (f"approver{n:02d}" for n in range(1, 40))
    approver = next(each for each in map(staff, numbers) if each.department == item["departments"][0])
    return case, case_id, approver, item


def test_the_day_to_bring_papers_and_what_follows(visitor: Visitor, staff: Staff) -> None:
    announce_calendar()
    item, clerk = an_item(), staff("clerk01")
    case = receive(clerk, item)
    _, case_id = find_case(case["number"])
    asked = [{"code": item["materials"][0]["code"], "problem": "复印件不清楚"}]
    request_supplement(hall=HALL, actor=clerk, at=now(), case_id=case_id, items=asked)
    page = said(visitor.get(f"/c/{case['query_token']}").text)
    assert re.search(r"请在 \d+月\d+日 \d\d:\d\d 前补齐 ?，逾期视为撤回申请", page)
    assert "现在在 洛龙区政务服务中心" in page and "申请撤回" in page
    assert "补正材料一次性告知书" in page  # among the papers


def test_a_promised_paper_and_one_that_a_department_asks_for_have_their_own_days(
    visitor: Visitor, staff: Staff
) -> None:
    announce_calendar()
    item = item_of("511A0005200004-511602000000-000-115113016823646795-1-00")  # 食品经营许可核发: M4 may be tolerated
    names = {material["code"]: material["name"] for material in item["materials"]}
    case = receive(staff("clerk01"), item, missing="M4")
    _, case_id = find_case(case["number"])
    tolerant = {"commitment": "三日内补交", "gap_limit": 3}
    accept_case(hall=HALL, actor=staff("clerk01"), at=now(), case_id=case_id, tolerant=tolerant)
    numbers = (f"approver{n:02d}" for n in range(1, 40))
    approver = next(each for each in map(staff, numbers) if each.department == item["departments"][0])
    request_supplement(hall=HALL, actor=approver, at=now(), case_id=case_id, items=[{"code": "M1", "problem": "缺页"}])
    page = said(visitor.get(f"/c/{case['query_token']}").text)
    promised, asked = re.findall(r"请在 (\d+月\d+日 \d\d:\d\d) 前补齐 ?(，逾期视为撤回申请)? ?。 ?(\S+)", page)
    assert promised[1:] == ("，逾期视为撤回申请", names["M4"])
    assert asked[1:] == ("", names["M1"])
    assert promised[0] != asked[0]


def test_what_it_costs_is_told_where_it_costs(visitor: Visitor, staff: Staff) -> None:
    paid, free = (item_of(search_items(words)["items"][0]["code"]) for words in ("普通护照签发", "食品经营许可延续"))
    pages = [said(visitor.get(f"/c/{receive(staff('clerk01'), item)['query_token']}").text) for item in (paid, free)]
    assert f"收费 120 元（{paid['fee']['basis']}）" in pages[0] and "收费 " not in pages[1]


def test_what_a_review_asks_for_threatens_nothing(visitor: Visitor, staff: Staff) -> None:
    case, case_id, approver, item = accepted(staff)
    asked = [{"code": item["materials"][0]["code"], "problem": "复印件不清楚"}]
    request_supplement(hall=HALL, actor=approver, at=now(), case_id=case_id, items=asked)
    page = said(visitor.get(f"/c/{case['query_token']}").text)
    assert "前补齐" in page and "视为撤回" not in page


def test_a_case_that_ended_asks_for_nothing_and_was_not_completed(visitor: Visitor, staff: Staff) -> None:
    announce_calendar()
    item, clerk = item_of(search_items("校车使用许可")["items"][0]["code"]), staff("clerk01")
    gap = next(m["code"] for m in item["materials"] if m["kind"] == "secondary" and m["required"])
    case = receive(clerk, item, missing=gap)
    _, case_id = find_case(case["number"])
    tolerant = {"commitment": "五日内补齐", "gap_limit": 5}
    accept_case(hall=HALL, actor=clerk, at=now(), case_id=case_id, tolerant=tolerant)
    page = said(visitor.get(f"/c/{case['query_token']}").text)
    assert "请补交这些材料" in page and "正在办理" in page
    withdraw_case(hall=HALL, actor=clerk, at=now(), case_id=case_id)
    page = said(visitor.get(f"/c/{case['query_token']}").text)
    assert "请补交这些材料" not in page and "正在办理" not in page
    assert "终止办理" in page and not re.search(r"\d日 办结", page)


def test_a_stopped_clock_says_for_what_and_since_when(visitor: Visitor, staff: Staff) -> None:
    case, case_id, approver, item = accepted(staff)
    assert f"现在在 {item['departments'][0]}" in said(visitor.get(f"/c/{case['query_token']}").text)
    check_site(hall=HALL, actor=approver, at=now(), case_id=case_id, days=5)
    page = said(visitor.get(f"/c/{case['query_token']}").text)
    assert "正在进行现场勘验，承诺时限暂停计算" in page and "预计 5 天" in page
    assert "法定时限照算" in page and "停钟，剩" in page
    resume_case(hall=HALL, actor=approver, at=now(), case_id=case_id)
    page = said(visitor.get(f"/c/{case['query_token']}").text)
    assert "正在进行现场勘验" not in page and "现场勘验：" in page and "审批部门正在审查" in page
    for private in (*PERSON.values(), "approver", "clerk01"):
        assert private not in visitor.page


def test_a_law_that_has_passed_is_told_while_the_promise_stands_still(
    visitor: Visitor, staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, case_id, approver, item = accepted(staff)
    check_site(hall=HALL, actor=approver, at=now(), case_id=case_id, days=5)
    later = now() + timedelta(days=3 * item["statutory"]["amount"] + 15)
    monkeypatch.setattr(citizen, "now", lambda: later)
    page = said(visitor.get(f"/c/{case['query_token']}").text)
    assert "停钟，剩" in page and "已经超过法定时限" in page and "超过承诺时限" not in page


def test_an_extension_lengthens_the_promise_with_its_reason(visitor: Visitor, staff: Staff) -> None:
    case, case_id, approver, item = accepted(staff)
    extend_case(hall=HALL, actor=approver, at=now(), case_id=case_id, reason="案情复杂")
    page = said(visitor.get(f"/c/{case['query_token']}").text)
    more = item["rules"]["extension"]["amount"]
    assert f"，延长 {more} 个工作日" in page and f"剩 {item['promised']['amount'] + more} 个工作日" in page
    assert f"共 {item['promised']['amount'] + more} 个工作日" in page


def test_a_late_case_says_why_or_whom_to_ask(visitor: Visitor, staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    case, case_id, approver, item = accepted(staff)
    later = now() + timedelta(days=3 * item["promised"]["amount"] + 15)
    monkeypatch.setattr(citizen, "now", lambda: later)
    page = said(visitor.get(f"/c/{case['query_token']}").text)
    assert "超期" in page and "承办部门须公开说明理由" in page and "0379-" in page
    since = re.search(r"现在在 \S+ (\S+起)", page)[1]
    sweep_lights(hall=HALL, actor=SYSTEM, at=later)
    told = {"reason": "鉴定机构排期紧张", "estimate_on": (later + timedelta(days=9)).date().isoformat()}
    explain_overdue(hall=HALL, actor=approver, at=later, case_id=case_id, **told)
    page = said(visitor.get(f"/c/{case['query_token']}").text)
    assert "为什么超期 鉴定机构排期紧张" in page and "预计" in page and "承办部门须公开" not in page
    assert re.search(r"现在在 \S+ (\S+起)", page)[1] == since  # what the office says moves the case nowhere


def test_a_parcel_on_its_way_then_a_decision_taken_back(visitor: Visitor, staff: Staff) -> None:
    case, case_id, approver, _item = accepted(staff)
    decide_case(hall=HALL, actor=approver, at=now(), case_id=case_id, outcome="granted")
    sent = {"carrier": "中国邮政 EMS", "tracking_number": "EA1", "address": "某街 1 号"}
    dispatch_case(hall=HALL, actor=staff("pickup01"), at=now(), case_id=case_id, **sent)
    page = said(visitor.get(f"/c/{case['query_token']}").text)
    assert "已交 中国邮政 EMS 寄出，等收件人签收" in page and "某街" not in page and "EA1" not in page
    assert "已送达" not in page and "已寄出，等收件人签收" in page
    sign_delivery(hall=HALL, actor=staff("pickup01"), at=now(), case_id=case_id, receiver="王某")
    page = said(visitor.get(f"/c/{case['query_token']}").text)
    assert "快递已于" in page and "已送达" in page and "王某" not in page and "送达回证" not in page
    taken = {"reason": "以欺骗手段取得", "basis": "《行政许可法》第六十九条"}
    revoke_case(hall=HALL, actor=approver, at=now(), case_id=case_id, **taken)
    page = said(visitor.get(f"/c/{case['query_token']}").text)
    assert "准予决定已于" in page and "以欺骗手段" not in page


@pytest.mark.parametrize("state", list(CaseState))
def test_the_steps_of_a_case_are_done_then_current_then_to_come(app: Flask, state: CaseState) -> None:
    at = "2026-03-02T10:00:00+08:00"
    never = (CaseState.NOT_ACCEPTED, CaseState.NOT_REQUIRED)
    accepted = state not in (CaseState.DRAFT, CaseState.RECEIVED, CaseState.CORRECTION, *never)
    decided = state in (CaseState.GRANTED, CaseState.REFUSED, CaseState.READY, CaseState.DELIVERED)
    outcome = None if not decided else "refused" if state is CaseState.REFUSED else "granted"
    view = {
        "state": state.value,
        "outcome": outcome,
        "received_at": at if state is not CaseState.DRAFT else None,
        "accepted_at": at if accepted else None,
        "decided_at": at if decided or state in (CaseState.WITHDRAWN, CaseState.DEEMED_WITHDRAWN) else None,
        "delivered_at": at if state is CaseState.DELIVERED else None,
        "flags": {"deemed_accepted": False},
        "delivery": None,
        "under_way_to": None,
        "to_bring": [],
    }
    with app.test_request_context():
        rows = whereabouts.progress_steps(view)
    marks = "".join(row["state"][0] for row in rows)
    assert re.fullmatch(r"d*[cf]?t*", marks)
    ended = state in OVER - {CaseState.DELIVERED}
    assert ("f" in marks) is ended
    assert ("c" in marks) is not (ended or state is CaseState.DELIVERED)
    if state is not CaseState.DELIVERED:
        assert next(row for row in rows if row["state"] in ("current", "failed"))["note"]
    assert (outcome is not None) == bool(rows[3]["note"] and rows[3]["state"] == "done")
