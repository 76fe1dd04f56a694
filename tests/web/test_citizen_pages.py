"""Pages for everybody: the ticket on a phone, the progress of a case, the guide."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from app.casework.delivery import dispatch_case, ready_case, sign_delivery
from app.casework.intake import accept_case, receive_case
from app.casework.oversight import explain_overdue
from app.casework.queries import find_case
from app.casework.review import decide_case, revoke_case
from app.casework.rules.states import OVER, CaseState
from app.casework.special import check_site, extend_case, resume_case
from app.casework.supplement import request_supplement
from app.casework.sweeps import sweep_lights
from app.catalog.queries import item as item_of
from app.catalog.queries import search_items
from app.events import SYSTEM, Actor
from app.now import now
from app.queueing.calls import call_next, finish, no_show, park, start
from app.queueing.closing import remind_parked
from app.queueing.tickets import cancel_ticket, defer_ticket, issue_ticket
from app.queueing.windows import open_window
from app.web import citizen, whereabouts
from tests.web.visit import Visitor, announce_calendar, said

HALL = "luolong"
PERSON = {"name": "欧阳小三", "id_number": "511602199001011234", "phone": "13812345678"}
Staff = Callable[[str], Actor]


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return Visitor(app)


def issue(**more: Any) -> dict[str, Any]:
    return issue_ticket(hall=HALL, actor=SYSTEM, channel="kiosk", **{"queue": "A", "at": now(), **more})


def own_id(ticket: dict[str, Any]) -> int:
    return int(ticket["id"].rpartition("-")[2])


# ── the ticket ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_waiting_ticket_says_its_place_and_refreshes_without_a_script(visitor: Visitor) -> None:
    issue()
    mine = issue(person=PERSON)
    page = visitor.get(f"/t/{mine['token']}").text
    assert "前面还有 1 人" in said(page)
    assert "等候中" in said(page)
    assert '<noscript><meta http-equiv="refresh" content="20"></noscript>' in page
    assert "预计等候" not in said(page)
    for private in PERSON.values():
        assert private not in page


def test_every_state_of_a_ticket_tells_what_to_do(visitor: Visitor, staff: Staff) -> None:
    clerk = staff("clerk01")
    open_window(hall=HALL, actor=clerk, at=now(), window="W01")
    mine = issue()
    page, part = f"/t/{mine['token']}", f"/t/{mine['token']}/now"
    assert "下一个就是您" in said(visitor.get(part).text)
    call_next(hall=HALL, actor=clerk, at=now(), window="W01")
    assert "请到 1 号窗口" in said(visitor.get(part).text)
    assert 'data-state="called"' in visitor.get(part).text
    assert "<html" not in visitor.get(part).text
    start(hall=HALL, actor=clerk, at=now(), ticket_id=own_id(mine))
    assert "正在 1 号窗口为您办理" in said(visitor.get(part).text)
    park(hall=HALL, actor=clerk, at=now(), ticket_id=own_id(mine))
    assert "请直接回到 1 号窗口" in said(visitor.get(part).text)

    other = issue()
    call_next(hall=HALL, actor=clerk, at=now(), window="W01")
    no_show(hall=HALL, actor=clerk, at=now(), ticket_id=own_id(other))
    assert "已过号" in said(visitor.get(f"/t/{other['token']}").text)

    done = issue()
    call_next(hall=HALL, actor=clerk, at=now(), window="W01")
    start(hall=HALL, actor=clerk, at=now(), ticket_id=own_id(done))
    finish(hall=HALL, actor=clerk, at=now(), ticket_id=own_id(done))
    over = visitor.get(f"/t/{done['token']}").text
    assert "已办结" in said(over)
    assert 'http-equiv="refresh"' not in over
    assert 'http-equiv="refresh"' in visitor.get(page).text


def test_the_holder_can_cancel_and_a_second_press_changes_nothing(visitor: Visitor) -> None:
    mine = issue()
    address = f"/t/{mine['token']}"
    visitor.get(address)
    assert visitor.get(f"{address}/cancel").status_code == 405
    fields = {"idempotency_key": visitor.hidden("idempotency_key")}
    assert visitor.post(f"{address}/cancel", fields).status_code == 303
    assert visitor.post(f"{address}/cancel", fields).status_code == 303
    page = said(visitor.get(address).text)
    assert "已取消" in page
    assert "不办了" not in page


def test_after_the_call_the_holder_reads_why_it_was_their_turn(visitor: Visitor, staff: Staff) -> None:
    clerk = staff("clerk01")
    open_window(hall=HALL, actor=clerk, at=now(), window="W01")
    issue()
    mine = issue(lane="priority")
    assert "为什么这时叫您" not in said(visitor.get(f"/t/{mine['token']}").text)
    call_next(hall=HALL, actor=clerk, at=now(), window="W01")
    words = said(visitor.get(f"/t/{mine['token']}/now").text)
    assert "为什么这时叫您" in words and "加优先 15 分钟" in words and "A001 普通" in words


def test_a_called_ticket_cannot_be_cancelled_any_more(visitor: Visitor, staff: Staff) -> None:
    mine = issue()
    visitor.get(f"/t/{mine['token']}")
    clerk = staff("clerk01")
    open_window(hall=HALL, actor=clerk, at=now(), window="W01")
    call_next(hall=HALL, actor=clerk, at=now(), window="W01")
    key = visitor.hidden("idempotency_key")
    answer = visitor.post(f"/t/{mine['token']}/cancel", {"idempotency_key": key})
    assert answer.status_code == 409
    assert "号票现在不能取消：请到窗口" in said(answer.text)
    assert "called" not in said(answer.text)


def test_the_holder_goes_away_and_comes_back(visitor: Visitor) -> None:
    mine = issue()
    for _ in range(4):
        issue()
    address = f"/t/{mine['token']}"
    page = visitor.get(address).text
    assert "60 分钟内" in said(page) and "排在后 3 位" in said(page) and f"{address}/rejoin" not in page
    assert visitor.post(f"{address}/defer", {"idempotency_key": visitor.hidden("idempotency_key")}).status_code == 303
    page = visitor.get(address).text
    assert "前回来归队" in said(page) and "暂离" in said(page) and f"{address}/defer" not in page
    assert 'http-equiv="refresh"' in page
    fields = {"idempotency_key": visitor.hidden("idempotency_key")}
    assert visitor.post(f"{address}/rejoin", fields).status_code == 303
    assert "前面还有 3 人" in said(visitor.get(address).text)
    answer = visitor.post(f"{address}/rejoin", {"idempotency_key": "another"})
    assert answer.status_code == 409 and "号票现在不能这样办：等候中" in said(answer.text)


def test_who_comes_back_too_late_is_told(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = issue()
    defer_ticket(hall=HALL, actor=SYSTEM, at=now(), ticket_id=own_id(mine))
    visitor.get(f"/t/{mine['token']}")
    later = now() + timedelta(minutes=61)
    monkeypatch.setattr(citizen, "now", lambda: later)
    answer = visitor.post(f"/t/{mine['token']}/rejoin", {"idempotency_key": "k"})
    assert answer.status_code == 409 and "60" in said(answer.text)
    remind_parked(hall=HALL, actor=SYSTEM, at=later)
    assert "这张号票已失效：暂离未归" in said(visitor.get(f"/t/{mine['token']}").text)


def test_no_other_step_is_in_the_hands_of_the_holder(visitor: Visitor) -> None:
    mine = issue()
    visitor.get(f"/t/{mine['token']}")
    for step in ("restore", "call", "finish"):
        assert visitor.post(f"/t/{mine['token']}/{step}", {"idempotency_key": "k"}).status_code == 404


def test_the_range_says_why_it_moved(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = issue()
    for moved, words in ((None, ""), ("window_closed", "时间有变：有窗口暂停或关闭"), ("slower", "办理比预计的慢")):
        monkeypatch.setattr(citizen, "steady", lambda *_, m=moved: {"low_s": 300, "high_s": 900, "moved": m})
        page = said(visitor.get(f"/t/{mine['token']}/now").text)
        assert "预计等候 5–15 分钟" in page and words in page
        assert ("时间有变" in page) == bool(words)


def test_the_page_of_a_number_is_light(visitor: Visitor) -> None:
    mine = issue()
    page = visitor.get(f"/t/{mine['token']}").text
    sent = len(page.encode())
    for name in set(re.findall(r'(?:href|src)="(/static/[^"#]+)', page)):
        sent += len(visitor.client.get(html.unescape(name), headers={"Accept-Encoding": "gzip"}).data)
    assert 'rel="stylesheet" href="/static/vendor/fonts' not in page and "<script src" not in page
    assert sent < 30_000, sent


def test_an_unknown_ticket_is_not_found(visitor: Visitor) -> None:
    for path in ("/t/unheard-of", "/t/unheard-of/now", "/t/" + "x" * 500):
        answer = visitor.get(path)
        assert answer.status_code == 404
        assert "没有这张号票" in said(answer.text)
    assert visitor.post("/t/unheard-of/cancel", {"idempotency_key": "k"}).status_code == 404


def test_cancelling_needs_the_form(visitor: Visitor, app: Flask) -> None:
    mine = issue()
    assert visitor.client.post(f"/t/{mine['token']}/cancel").status_code == 400
    cancel_ticket(hall=HALL, actor=SYSTEM, at=now(), ticket_id=own_id(mine))  # it still could be


# ── the case ────────────────────────────────────────────────────────────────────────────────────────────────────


def an_item() -> dict[str, Any]:
    """A written item of several days whose papers are more than one."""
    found = search_items(zones=list("ABCDE"))["items"]
    return next(
        item
        for item in (item_of(row["code"]) for row in found)
        if item["time_class"] == "multi_day" and len(item["materials"]) > 1 and len(item["departments"]) == 1
    )


def receive(clerk: Actor, item: dict[str, Any]) -> dict[str, Any]:
    applicant = {"kind": "person", "id_type": "id_card", **PERSON}
    materials = [{"code": material["code"], "state": "received"} for material in item["materials"]]
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
    sweep_lights(hall=HALL, actor=SYSTEM, at=later)
    told = {"reason": "鉴定机构排期紧张", "estimate_on": (later + timedelta(days=9)).date().isoformat()}
    explain_overdue(hall=HALL, actor=approver, at=later, case_id=case_id, **told)
    page = said(visitor.get(f"/c/{case['query_token']}").text)
    assert "为什么超期 鉴定机构排期紧张" in page and "预计" in page and "承办部门须公开" not in page


def test_a_parcel_on_its_way_then_a_decision_taken_back(visitor: Visitor, staff: Staff) -> None:
    case, case_id, approver, _item = accepted(staff)
    decide_case(hall=HALL, actor=approver, at=now(), case_id=case_id, outcome="granted")
    sent = {"carrier": "中国邮政 EMS", "tracking_number": "EA1", "address": "某街 1 号"}
    dispatch_case(hall=HALL, actor=staff("pickup01"), at=now(), case_id=case_id, **sent)
    page = said(visitor.get(f"/c/{case['query_token']}").text)
    assert "已交 中国邮政 EMS 寄出，等收件人签收" in page and "某街" not in page and "EA1" not in page
    sign_delivery(hall=HALL, actor=staff("pickup01"), at=now(), case_id=case_id, receiver="王某")
    page = said(visitor.get(f"/c/{case['query_token']}").text)
    assert "快递已于" in page and "王某" not in page and "送达回证" not in page
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


# ── the guide ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("q", ["身份证", "shenfenzheng", "sfz"])
def test_items_are_found_by_text_pinyin_and_initials(visitor: Visitor, q: str) -> None:
    assert "居民身份证办理" in said(visitor.get(f"/halls/{HALL}/items?q={q}").text)


def test_items_can_be_narrowed_and_paged(visitor: Visitor) -> None:
    everything = visitor.get(f"/halls/{HALL}/items").text
    assert "共 1135 项" in said(everything)
    assert len(visitor.links("/items/")) == citizen.PER_PAGE
    police = said(visitor.get(f"/halls/{HALL}/items?department=区公安分局&zone=A").text)
    assert "旅馆业特种行业许可" in police
    assert "居民身份证办理" not in police
    first = visitor.get(f"/halls/{HALL}/items?page=1").text
    assert (
        first.split('class="h-results"')[1]
        != visitor.get(f"/halls/{HALL}/items?page=2").text.split('class="h-results"')[1]
    )
    for odd in ("0", "-3", "99999", "two", "1e9"):
        assert visitor.get(f"/halls/{HALL}/items?page={odd}").status_code == 200
    assert "没有找到相符的事项" in said(visitor.get(f"/halls/{HALL}/items?q=qqqqqq").text)


@pytest.mark.parametrize("path", ["/halls/nowhere/items", "/items/none", "/items/" + "9" * 200])
def test_what_is_not_in_the_catalogue_is_refused(visitor: Visitor, path: str) -> None:
    assert visitor.get(path).status_code in (404, 422)


def test_a_guide_has_all_that_one_must_know_before_coming(visitor: Visitor) -> None:
    item = an_item()
    page = visitor.get(f"/items/{item['code']}").text
    text = said(page)
    for words in (
        item["name"],
        item["department"],
        f"{item['promised']['amount']} 个工作日",
        item["limit_source"],
        item["result_name"],
        item["legal_basis"][0]["law"],
        *(material["name"] for material in item["materials"]),
        "洛龙区政务服务中心",
        "0379-65980000",
        "码上告知",
    ):
        assert words in text
    assert "<svg" in page.split('class="h-qr"')[1]


def test_a_default_guide_says_that_it_is_one(visitor: Visitor) -> None:
    default = next(
        row for page in range(4, 30) for row in search_items(page=page)["items"] if row["guide_source"] != "written"
    )
    assert "部门尚未逐项填写" in said(visitor.get(f"/items/{default['code']}").text)


def test_what_people_type_is_never_markup(visitor: Visitor) -> None:
    evil = "<script>alert(1)</script>"
    for path in (f"/halls/{HALL}/items?q={evil}", f"/login?next=/{evil}"):
        assert "<script>alert" not in visitor.get(path).text
    visitor.get("/progress")
    assert "<script>alert" not in visitor.post("/progress", {"number": evil, "query_code": evil}).text


def test_a_wait_is_said_as_a_range_once_the_hall_knows(
    visitor: Visitor, staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk, at = staff("clerk01"), now()
    open_window(hall=HALL, actor=clerk, at=at, window="W01")
    for n in range(6):
        one = issue_ticket(hall=HALL, actor=SYSTEM, at=at, queue="A", channel="kiosk")
        call_next(hall=HALL, actor=clerk, at=at, window="W01")
        start(hall=HALL, actor=clerk, at=at, ticket_id=own_id(one))
        at += timedelta(seconds=400 + 60 * n)
        finish(hall=HALL, actor=clerk, at=at, ticket_id=own_id(one))
    issue(at=at)
    mine = issue(at=at + timedelta(seconds=1))
    monkeypatch.setattr(citizen, "now", lambda: at + timedelta(seconds=2))
    assert re.search(r"预计等候 \d+–\d+ 分钟", said(visitor.get(f"/t/{mine['token']}").text))
